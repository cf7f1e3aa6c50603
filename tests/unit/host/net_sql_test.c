#include "net.h"

static struct servers servers;
static struct host *host;
static struct arena *mem;
static const struct secret *password;

/* server NULL: by the local socket. */
static struct op
start_to(const char *server, const char *name, const char *sslmode, struct sql_ask more,
	int64_t within)
{
	struct sql_ask *ask = arena_new_of(mem, struct sql_ask);
	const char **keywords = arena_array(mem, const char *, 8),
		   **values = arena_array(mem, const char *, 8);
	const char *const words[] = {
		"host", "port", "user", "dbname", "sslmode", "sslrootcert"};
	memcpy(keywords, words, sizeof words);
	values[0] = server == NULL ? servers.folder : name;
	values[1] = arena_printf(mem, "%d",
		servers_port(&servers, server == NULL ? "pg" : server));
	values[2] = "boss";
	values[3] = "postgres";
	values[4] = sslmode;
	values[5] = arena_printf(mem, "%s/ca.pem", servers.folder);
	*ask = more;
	ask->keywords = keywords;
	ask->values = values;
	if (ask->password == NULL)
		ask->password = password;
	return (struct op){.kind = OP_SQL,
		.ask = ask,
		.mem = mem,
		.deadline = net_now(host) + within};
}

static struct op
sql_by(const char *server, struct sql_ask more)
{
	struct op op = start_to(server, "localhost", "disable", more, 10 * NS_S);
	net_run(host, &op);
	return op;
}

static const struct sql_answer *
sql(struct sql_ask more)
{
	struct op op = sql_by("pg", more);
	if (op.err.code != ERR_NONE || op.reach != REACH_ANSWERED)
		fail_msg("reach %d: %s", op.reach, op.err.msg);
	return op.answer;
}

static int
count(const char *table)
{
	const struct sql_answer *a = sql((struct sql_ask){
		.text = arena_printf(mem, "select count(*) from %s", table)});
	return atoi(a->rows[0].cells[0].p);
}

#define assert_fails(op, its_code, its_reach, text)                                      \
	do {                                                                             \
		if ((op).err.code != (its_code) || (op).reach != (its_reach)             \
			|| strstr((op).err.msg, text) == NULL)                           \
			fail_msg("code %d, reach %d: %s", (op).err.code, (op).reach,     \
				(op).err.msg);                                           \
	} while (0)

static void
rows_come_with_names_types_and_nulls(void **state)
{
	(void)state;
	static const char *const params[] = {"7", NULL};
	const struct sql_answer *a =
		sql((struct sql_ask){.text = "select $1::int as n, $2::text as t, true "
					     "as b union all select 8, 'x', false",
			.params = params,
			.n_params = 2,
			.read_only = true,
			.most_rows = 2});
	assert_int_equal(a->n_rows, 2);
	assert_int_equal(a->n_cols, 3);
	assert_string_equal(a->names[1], "t");
	assert_int_equal(a->types[0], 23);
	assert_str(a->rows[0].cells[0], "7");
	assert_true(a->rows[0].nulls[1]);
	assert_str(a->rows[1].cells[1], "x");
	assert_string_equal(a->sqlstate, "00000");
	assert_null(a->message);
	assert_int_equal(strncmp(a->server_version, "15", 2), 0);
	assert_string_equal(a->address, "127.0.0.1");
	a = sql((struct sql_ask){.text = "select 1 where false"});
	assert_int_equal(a->n_rows, 0);
	assert_int_equal(a->n_cols, 1);
}

static void
the_last_of_several_statements_answers(void **state)
{
	(void)state;
	const struct sql_answer *a = sql((struct sql_ask){.transaction = true,
		.text = "create table several (n int); select 5; insert into several "
			"values (1), (2), (3)"});
	assert_int_equal(a->affected, 3);
	assert_int_equal(a->n_rows, 0);
	assert_int_equal(count("several"), 3);
	a = sql((struct sql_ask){.text = "insert into several values (4); select n from "
					 "several order by n"});
	assert_int_equal(a->n_rows, 4);
	struct op op = sql_by(NULL, (struct sql_ask){.text = "select 1"});
	assert_int_equal(op.err.code, ERR_NONE);
}

static void
an_error_of_the_server_is_an_answer(void **state)
{
	(void)state;
	const struct sql_answer *a = sql((struct sql_ask){.text = "select 1/0"});
	assert_string_equal(a->sqlstate, "22012");
	assert_string_equal(a->message, "division by zero");
	sql((struct sql_ask){.text = "create table half (n int)"});
	a = sql((struct sql_ask){
		.transaction = true, .text = "insert into half values (1); select 1/0"});
	assert_string_equal(a->sqlstate, "22012");
	assert_int_equal(count("half"), 0);
	sql((struct sql_ask){.text = "create table later (n int unique deferrable "
				     "initially deferred)"});
	a = sql((struct sql_ask){.transaction = true,
		.text = "insert into later values (1); insert into later values (1)"});
	assert_string_equal(a->sqlstate, "23505");
	assert_int_equal(count("later"), 0);
}

static void
read_only_stays_read_only(void **state)
{
	(void)state;
	sql((struct sql_ask){.text = "create table kept (n int)"});
	const struct sql_answer *a = sql((struct sql_ask){
		.read_only = true, .text = "insert into kept values (1)"});
	assert_string_equal(a->sqlstate, "25006");
	a = sql((struct sql_ask){
		.read_only = true, .text = "commit; insert into kept values (1)"});
	assert_string_equal(a->sqlstate, "42601");
	assert_int_equal(count("kept"), 0);
}

static void
a_key_lets_nothing_happen_twice(void **state)
{
	(void)state;
	sql((struct sql_ask){.text = "create table dedup (key text primary key); create "
				     "table done (n int)"});
	struct sql_ask ask = {.transaction = true,
		.before = "insert into dedup values ($1)",
		.before_param = "k",
		.text = "insert into done values (1)"};
	const struct sql_answer *a = sql(ask);
	assert_int_equal(a->before_affected, 1);
	assert_int_equal(a->affected, 1);
	a = sql(ask);
	assert_string_equal(a->sqlstate, "23505");
	assert_non_null(strstr(a->message, "dedup"));
	assert_int_equal(count("done"), 1);
}

static void
a_lost_commit_is_told_from_a_lost_statement(void **state)
{
	(void)state;
	sql((struct sql_ask){.text = "create table lost (n int)"});
	struct op op = sql_by("lose_commit",
		(struct sql_ask){
			.transaction = true, .text = "insert into lost values (1)"});
	assert_fails(op, ERR_NETWORK, REACH_SENT, "was lost");
	assert_true(op.err.transient);
	op = sql_by("lose_insert",
		(struct sql_ask){
			.transaction = true, .text = "insert into lost values (1)"});
	assert_fails(op, ERR_NETWORK, REACH_NONE, "was lost");
	op = sql_by("lose_insert",
		(struct sql_ask){.text = "insert into lost values (1)"});
	assert_fails(op, ERR_NETWORK, REACH_SENT, "was lost");
	op = sql_by("lose_insert",
		(struct sql_ask){.transaction = true,
			.text = "insert into lost values (1); commit"});
	assert_fails(op, ERR_NETWORK, REACH_SENT, "was lost");
	op = sql_by("pg",
		(struct sql_ask){
			.text = "select pg_terminate_backend(pg_backend_pid())"});
	assert_fails(op, ERR_NETWORK, REACH_SENT, "was lost");
	op = sql_by("pg",
		(struct sql_ask){.transaction = true, .text = "commit; select 1"});
	assert_fails(op, ERR_ANSWER, REACH_SENT, "ended the transaction");
}

static void
connecting_fails_in_words(void **state)
{
	(void)state;
	struct op op = sql_by("refuse", (struct sql_ask){.text = "select 1"});
	assert_fails(op, ERR_CONNECT, REACH_NONE, "Connection refused");
	assert_true(op.err.transient);
	struct err err;
	const struct secret *wrong;
	assert_ok(vault_add(vault_new(mem), STR("wrong-CANARY"), &wrong, &err));
	op = sql_by("pg", (struct sql_ask){.text = "select 1", .password = wrong});
	assert_fails(op, ERR_DENIED, REACH_NONE, "password authentication failed");
	assert_null(strstr(op.err.msg, "CANARY"));
	op = start_to("pg", "nowhere.invalid", "disable",
		(struct sql_ask){.text = "select 1"}, 10 * NS_S);
	net_run(host, &op);
	assert_fails(op, ERR_RESOLVE, REACH_NONE, "nowhere.invalid");
	op = start_to("pg", "localhost", "verify-full",
		(struct sql_ask){.text = "select 1"}, 10 * NS_S);
	net_run(host, &op);
	assert_int_equal(op.err.code, ERR_NONE);
	op = start_to("pg", "127.0.0.1", "verify-full",
		(struct sql_ask){.text = "select 1"}, 10 * NS_S);
	net_run(host, &op);
	assert_fails(op, ERR_TLS, REACH_NONE, "certificate");
}

static struct op
sql_within(const char *server, const char *text, int64_t ns)
{
	struct op op = start_to(server, "localhost", "disable",
		(struct sql_ask){.text = text}, ns);
	net_run(host, &op);
	assert_true(net_now(host) - op.deadline < NET_LATE);
	return op;
}

static void
a_deadline_stops_the_server_too(void **state)
{
	(void)state;
	struct op op = sql_within("silent", "select 1", 300 * NS_MS);
	assert_fails(op, ERR_TIMEOUT, REACH_NONE, "connecting");
	op = sql_within("pg", "select pg_sleep(77)", 500 * NS_MS);
	assert_fails(op, ERR_TIMEOUT, REACH_SENT, "waiting for the answer");
	op = start_to("pg", "localhost", "disable",
		(struct sql_ask){.text = "select pg_sleep(77)"}, 20 * NS_S);
	host->type->start(host, &op);
	assert_null(host->type->wait(host, net_now(host) + 500 * NS_MS, NULL));
	host->type->cancel(host, &op);
	net_wait(host, &op);
	assert_fails(op, ERR_CANCELLED, REACH_SENT, "cancelled");
	for (int tries = 0; tries < 50; tries++) {
		const struct sql_answer *a = sql((struct sql_ask){
			.text = "select count(*) from pg_stat_activity where query like "
				"'%sleep(77%' and pid <> pg_backend_pid()"});
		if (a->rows[0].cells[0].p[0] == '0')
			return;
	}
	fail_msg("a cancelled statement goes on");
}

static void
answers_are_bounded(void **state)
{
	(void)state;
	struct op op = sql_by("pg",
		(struct sql_ask){
			.text = "select generate_series(1, 1000000)", .most_rows = 1000});
	assert_fails(op, ERR_LIMIT, REACH_SENT, "more than 1000 rows");
	op = sql_by("pg",
		(struct sql_ask){.text = "select repeat('x', 1000000) from "
					 "generate_series(1, 1000)"});
	assert_fails(op, ERR_LIMIT, REACH_SENT, "64 MiB");
	op = sql_by("pg", (struct sql_ask){.text = "copy pg_class to stdout"});
	assert_fails(op, ERR_UNSUPPORTED, REACH_SENT, "COPY");
}

static bool
is_free(void)
{
	const struct sql_answer *a =
		sql((struct sql_ask){.text = "select pg_try_advisory_lock(7)"});
	return str_is(a->rows[0].cells[0], "t");
}

/* The lock of a session says whether it is there. */
static void
a_kept_session_lives_until_it_is_closed(void **state)
{
	(void)state;
	struct sql_ask ask = {.keep = true,
		.text = "select pg_try_advisory_lock(7), pg_backend_pid()"};
	struct op op = start_to("pg", "localhost", "disable", ask, 10 * NS_S);
	net_run(host, &op);
	assert_int_equal(op.err.code, ERR_NONE);
	assert_false(is_free());
	host->type->cancel(host, &op);
	assert_null(op.handle);
	for (int i = 0; i < 50 && !is_free(); i++)
		usleep(20000);
	assert_true(is_free());
}

static void
the_loss_of_a_kept_session_is_heard(void **state)
{
	(void)state;
	struct sql_ask ask = {.keep = true, .text = "select pg_backend_pid()"};
	struct op op = start_to("pg", "localhost", "disable", ask, 10 * NS_S);
	net_run(host, &op);
	assert_int_equal(op.err.code, ERR_NONE);
	const struct sql_answer *answer = op.answer;
	const char *pid = answer->rows[0].cells[0].p;
	struct read_ask from = {.from = &op};
	struct op read = {.kind = OP_READ, .ask = &from, .mem = mem,
		.deadline = net_now(host) + NS_S / 5};
	net_run(host, &read);
	assert_fails(read, ERR_TIMEOUT, REACH_ANSWERED, "deadline");
	sql((struct sql_ask){
		.text = arena_printf(mem, "select pg_terminate_backend(%s)", pid)});
	read.deadline = net_now(host) + 10 * NS_S;
	net_run(host, &read);
	assert_fails(read, ERR_NETWORK, REACH_ANSWERED, "was lost");
	assert_null(op.handle);
}

static bool
is_connected(const char *pid)
{
	const struct sql_answer *a = sql((struct sql_ask){
		.text = arena_printf(mem,
			"select count(*) from pg_stat_activity where pid = %s", pid)});
	return !str_is(a->rows[0].cells[0], "0");
}

/* While nobody reads: the next read hears of it, and why. */
static void
the_loss_between_two_reads_is_not_forgotten(void **state)
{
	(void)state;
	struct sql_ask ask = {.keep = true, .text = "select pg_backend_pid()"};
	struct op op = start_to("pg", "localhost", "disable", ask, 10 * NS_S);
	net_run(host, &op);
	assert_int_equal(op.err.code, ERR_NONE);
	const struct sql_answer *answer = op.answer;
	const char *pid = answer->rows[0].cells[0].p;
	sql((struct sql_ask){
		.text = arena_printf(mem, "select pg_terminate_backend(%s)", pid)});
	while (is_connected(pid))
		;
	assert_null(host->type->wait(host, net_now(host) + 50 * NS_MS, NULL));
	struct read_ask from = {.from = &op};
	struct op read = {.kind = OP_READ, .ask = &from, .mem = mem,
		.deadline = net_now(host) + 10 * NS_S};
	net_run(host, &read);
	assert_fails(read, ERR_NETWORK, REACH_ANSWERED, "was lost");
	assert_null(op.handle);
}

/* Or to close it: nothing is left of it then. */
static void
a_lost_session_can_be_closed(void **state)
{
	(void)state;
	struct sql_ask ask = {.keep = true, .text = "select pg_backend_pid()"};
	struct op op = start_to("pg", "localhost", "disable", ask, 10 * NS_S);
	net_run(host, &op);
	const struct sql_answer *answer = op.answer;
	const char *pid = answer->rows[0].cells[0].p;
	sql((struct sql_ask){
		.text = arena_printf(mem, "select pg_terminate_backend(%s)", pid)});
	while (is_connected(pid))
		;
	assert_null(host->type->wait(host, net_now(host) + 50 * NS_MS, NULL));
	assert_non_null(op.handle);
	host->type->cancel(host, &op);
	assert_null(op.handle);
}

/* What is no answer to keep a session for ends like any other. */
static void
a_session_is_not_kept_for_an_error(void **state)
{
	(void)state;
	struct sql_ask ask = {.keep = true, .text = "select 1/0"};
	struct op op = start_to("pg", "localhost", "disable", ask, 10 * NS_S);
	net_run(host, &op);
	assert_int_equal(op.err.code, ERR_NONE);
	assert_null(op.handle);
}

static int
open_all(void **state)
{
	(void)state;
	struct err err;
	servers_start(&servers, "tests/fault/database.py");
	mem = arena_new();
	assert_ok(vault_add(vault_new(mem), STR("canary-secret"), &password, &err));
	host = host_open(NULL, &err);
	return host == NULL;
}

static int
close_all(void **state)
{
	(void)state;
	host_close(host);
	arena_free(mem);
	servers_stop(&servers);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_with_names_types_and_nulls),
		cmocka_unit_test(the_last_of_several_statements_answers),
		cmocka_unit_test(an_error_of_the_server_is_an_answer),
		cmocka_unit_test(read_only_stays_read_only),
		cmocka_unit_test(a_key_lets_nothing_happen_twice),
		cmocka_unit_test(a_lost_commit_is_told_from_a_lost_statement),
		cmocka_unit_test(connecting_fails_in_words),
		cmocka_unit_test(a_deadline_stops_the_server_too),
		cmocka_unit_test(answers_are_bounded),
		cmocka_unit_test(a_kept_session_lives_until_it_is_closed),
		cmocka_unit_test(the_loss_of_a_kept_session_is_heard),
		cmocka_unit_test(the_loss_between_two_reads_is_not_forgotten),
		cmocka_unit_test(a_lost_session_can_be_closed),
		cmocka_unit_test(a_session_is_not_kept_for_an_error),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
