#include "bench.h"

#define AT "\"host\":\"127.0.0.1\",\"db\":\"d\",\"user\":\"u\","

static struct trial
changed(struct bench *bench, const char *phase, const char *in)
{
	return bench_try(bench, phase, (struct trial){.type = bench_type("sql"), .in = in});
}

static const char keyed[] = "{" AT "\"query\":\"delete from t\"}";
static const char alone[] = "{" AT "\"query\":\"create database x\",\"transaction\":false}";

static void
the_key_stands_in_the_same_transaction(void **state)
{
	bench_sql(*state, "create table if not exists rbx_dedup", "00000");
	bench_sql(*state, "transaction delete from t before: insert into rbx_dedup (key) values ($1) (abcd", "00000");
	struct trial trial = changed(*state, "run", keyed);
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
a_key_that_is_there_was_done_before(void **state)
{
	struct bench *bench = *state;
	static const struct sql_answer there = {.sqlstate = "23505",
		.message = "duplicate key value violates unique constraint \"rbx_dedup_pkey\""};
	bench_sql(bench, "rbx_dedup", "42P07");
	fake_expect(bench->fake, (struct expected){OP_SQL, .answer = &there});
	struct trial trial = changed(bench, "run", keyed);
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
a_commit_without_an_answer_was_sent(void **state)
{
	bench_sql(*state, "rbx_dedup", "00000");
	bench_fails(*state, OP_SQL, "transaction", ERR_NETWORK, REACH_SENT);
	struct trial trial = changed(*state, "run", keyed);
	assert_int_equal(trial.reach, REACH_SENT);
}

static void
a_deadlock_may_go_well_again(void **state)
{
	bench_sql(*state, "rbx_dedup", "00000");
	bench_sql(*state, "transaction", "40P01");
	struct trial trial = changed(*state, "run", keyed);
	bench_ends(&trial, STEP_FAIL, "40P01");
	assert_true(trial.err.transient);
}

/* With statements of its own a COMMIT may stand in the middle of the text. */
static void
without_a_transaction_a_part_may_stand(void **state)
{
	bench_sql(*state, "create database x", "42P04");
	struct trial trial = changed(*state, "run", alone);
	bench_ends(&trial, STEP_PARTIAL, "42P04");
	bench_sql(*state, "create database x", "40P01");
	trial = changed(*state, "run", alone);
	bench_ends(&trial, STEP_PARTIAL, "40P01");
}

static void
a_server_that_lets_nobody_in_did_nothing(void **state)
{
	bench_sql(*state, "create database x", "53300");
	struct trial trial = changed(*state, "run", alone);
	bench_ends(&trial, STEP_FAIL, "53300");
	assert_true(trial.err.transient);
}

static void
an_accepted_code_is_an_answer(void **state)
{
	bench_sql(*state, "create database x", "42P04");
	struct trial trial = bench_try(*state, "run",
		(struct trial){.type = bench_type("sql"), .in = alone, .accept = "[\"42P04\"]"});
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
the_probe_looks_for_the_key(void **state)
{
	struct bench *bench = *state;
	static const struct sql_answer found = {.sqlstate = "00000", .n_rows = 1};
	bench_sql(bench, "read-only select 1 from rbx_dedup where key = $1 $1=abcd", "00000");
	struct trial trial = changed(bench, "probe", keyed);
	bench_ends(&trial, STEP_ABSENT, NULL);
	bench_sql(bench, "rbx_dedup", "42P01");
	trial = changed(bench, "probe", keyed);
	bench_ends(&trial, STEP_ABSENT, NULL);
	fake_expect(bench->fake, (struct expected){OP_SQL, .answer = &found});
	trial = changed(bench, "probe", keyed);
	bench_ends(&trial, STEP_DONE, NULL);
	bench_fails(bench, OP_SQL, NULL, ERR_CONNECT, REACH_NONE);
	trial = changed(bench, "probe", keyed);
	bench_ends(&trial, STEP_DOUBT, NULL);
}

static void
a_check_that_the_server_cannot_answer_now_is_unknown(void **state)
{
	bench_sql(*state, "read-only select 1", "57P03");
	struct trial trial = bench_try(*state, "run", (struct trial){.type = bench_type("sql_check"),
		.in = "{" AT "\"query\":\"select 1\"}"});
	bench_ends(&trial, STEP_FAIL, "57P03");
	assert_true(trial.err.transient);
	assert_int_not_equal(trial.err.code, ERR_ANSWER);
}

static void
certificates_are_verified_away_from_home(void **state)
{
	bench_sql(*state, "host=db.example port=5432 dbname=d user=u sslmode=verify-full sslrootcert=", "00000");
	struct trial trial = bench_try(*state, "run", (struct trial){.type = bench_type("sql_check"),
		.in = "{\"host\":\"db.example\",\"db\":\"d\",\"user\":\"u\",\"query\":\"select 1\"}"});
	bench_ends(&trial, STEP_DONE, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(the_key_stands_in_the_same_transaction),
		BENCH_TEST(a_key_that_is_there_was_done_before),
		BENCH_TEST(a_commit_without_an_answer_was_sent),
		BENCH_TEST(a_deadlock_may_go_well_again),
		BENCH_TEST(without_a_transaction_a_part_may_stand),
		BENCH_TEST(a_server_that_lets_nobody_in_did_nothing),
		BENCH_TEST(an_accepted_code_is_an_answer),
		BENCH_TEST(the_probe_looks_for_the_key),
		BENCH_TEST(a_check_that_the_server_cannot_answer_now_is_unknown),
		BENCH_TEST(certificates_are_verified_away_from_home),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
