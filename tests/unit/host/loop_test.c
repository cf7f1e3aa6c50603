#include "real_host.h"

#include "host/person.h"
#include "host/real.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void
sleeps_complete_in_the_order_of_their_ends(void **state)
{
	struct world *world = *state;
	enum { N = 200 };
	struct op *ops[N];
	for (int i = 0; i < N; i++)
		ops[i] = op_start(world, OP_SLEEP, NULL, ((i * 7919) % N) * 100000);
	for (int64_t last = 0, i = 0; i < N; i++) {
		struct op *op = op_next(world);
		assert_true(op->deadline >= last);
		assert_true(in_ns(world, 0) >= op->deadline);
		assert_int_equal(op->err.code, ERR_NONE);
		assert_int_equal(op->reach, REACH_ANSWERED);
		last = op->deadline;
	}
	op_none(world);
	assert_non_null(ops[0]);
}

static void
a_cancelled_sleep_completes_once(void **state)
{
	struct world *world = *state;
	struct op *many[50];
	for (int i = 0; i < 50; i++)
		many[i] = op_start(world, OP_SLEEP, NULL, (HANG_S + i * 31 % 50) * NS_S);
	for (int i = 0; i < 50; i += 2) {
		world->host->type->cancel(world->host, many[i]);
		world->host->type->cancel(world->host, many[i]);
	}
	for (int i = 0; i < 50; i += 2) {
		struct op *op = op_next(world);
		assert_int_equal(op->err.code, ERR_CANCELLED);
		assert_int_equal(op->reach, REACH_NONE);
		world->host->type->cancel(world->host, op);
	}
	op_none(world);
}

static void
wait_ends_at_its_time(void **state)
{
	struct world *world = *state;
	int signal = -1;
	int64_t until = in_ns(world, 3 * NS_MS);
	assert_null(world->host->type->wait(world->host, until, &signal));
	assert_int_equal(signal, 0);
	assert_true(in_ns(world, 0) >= until);
	assert_null(world->host->type->wait(world->host, INT64_MIN, NULL));
}

static void *
post_all(void *with)
{
	struct op **ops = with;
	struct host *host = ops[0]->owner;
	for (int i = 0; ops[i] != NULL; i++)
		host->type->post(host, ops[i]);
	return NULL;
}

static void
another_thread_posts(void **state)
{
	struct world *world = *state;
	enum { N = 100 };
	struct op *ops[N + 1] = {NULL};
	for (int i = 0; i < N; i++) {
		ops[i] = op_start(world, OP_POSTED, NULL, 0);
		ops[i]->owner = world->host;
		world->host->type->cancel(world->host, ops[i]);
	}
	op_none(world);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, post_all, ops), 0);
	for (int i = 0; i < N; i++)
		assert_ptr_equal(op_next(world), ops[i]);
	pthread_join(thread, NULL);
	op_none(world);
}

static void
signals_are_told_as_often_as_they_came(void **state)
{
	struct world *world = *state;
	int64_t until = in_ns(world, HANG_S * NS_S);
	int signal;
	raise(SIGINT);
	assert_null(world->host->type->wait(world->host, until, &signal));
	assert_int_equal(signal, SIGINT);
	raise(SIGTERM);
	raise(SIGHUP);
	raise(SIGINT);
	raise(SIGINT);
	raise(SIGPIPE);
	int seen[4], want[4] = {SIGINT, SIGINT, SIGTERM, SIGHUP};
	for (int i = 0; i < 4; i++)
		assert_null(world->host->type->wait(world->host, until, &seen[i]));
	assert_memory_equal(seen, want, sizeof want);
	op_none(world);
}

static void
the_host_knows_itself(void **state)
{
	struct world *world = *state;
	const struct self *self = world->host->type->self(world->host);
	assert_int_equal(self->pid, getpid());
	assert_int_equal(self->uid, getuid());
	assert_int_equal(strlen(self->boot_id), 36);
	assert_true(self->started > 0);
	assert_true(strlen(self->host) > 0 && strlen(self->user) > 0);
	uint8_t a[16] = {0}, b[16] = {0};
	world->host->type->random(world->host, a, sizeof a);
	world->host->type->random(world->host, b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	assert_null(world->host->type->env(world->host, "RBX_NO_SUCH_VARIABLE"));
}

static void
the_start_stands_in_the_22nd_field(void **state)
{
	(void)state;
	uint64_t started = 0;
	const char *stat = "7 (a) b) S"
		" 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23";
	assert_true(self_started(stat, &started));
	assert_int_equal(started, 22);
	assert_false(self_started("7 (a) S 3 4", &started));
	assert_false(self_started("", &started));
}

static void
an_unknown_stream_is_refused(void **state)
{
	struct world *world = *state;
	struct op *sleep = op_start(world, OP_SLEEP, NULL, HANG_S * NS_S);
	char byte;
	struct read_ask ask = {.from = sleep, .into = &byte, .want = 1};
	struct op *op = op_run(world, OP_READ, &ask);
	assert_int_equal(op->err.code, ERR_IO);
	assert_int_equal(op->reach, REACH_NONE);
}

static void
closing_ends_what_is_in_flight(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < 10; i++)
		op_start(world, OP_SLEEP, NULL, HANG_S * NS_S);
}

static void
a_person_is_whom_the_kernel_knows(void **state)
{
	static const struct {
		uint32_t uid;
		const char *login, *sudo;
		uint32_t person;
		const char *known_by;
	} rows[] = {
		{0, "1001", "1002", 1001, "login"},
		{1003, "1001\n", NULL, 1001, "login"},
		{1003, "4294967295", "1002", 1003, "uid"},
		{0, "4294967295", "1002", 1002, "sudo"},
		{0, "", "1002", 1002, "sudo"},
		{0, "4294967295", NULL, 0, NULL},
		{0, "4294967295", "0", 0, NULL},
		{0, "4294967295", "-1", 0, NULL},
		{0, "0", "1002", 0, NULL},
		{1003, "0", NULL, 0, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct person got =
			person_judge(rows[i].uid, rows[i].login, rows[i].sudo);
		if (rows[i].known_by == NULL) {
			assert_null(got.known_by);
			continue;
		}
		assert_string_equal(got.known_by, rows[i].known_by);
		assert_int_equal(got.uid, rows[i].person);
	}
}

static void
a_group_has_members(void **state)
{
	(void)state;
	assert_true(person_in_group(NULL, "root"));
	assert_true(person_in_group("root", "root"));
	assert_false(person_in_group("root", "daemon"));
	assert_false(person_in_group("no-such-user", "root"));
	assert_false(person_in_group(NULL, "no-such-group"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_world(sleeps_complete_in_the_order_of_their_ends),
		on_world(a_cancelled_sleep_completes_once),
		on_world(wait_ends_at_its_time),
		on_world(another_thread_posts),
		on_world(signals_are_told_as_often_as_they_came),
		on_world(the_host_knows_itself),
		cmocka_unit_test(a_person_is_whom_the_kernel_knows),
		cmocka_unit_test(a_group_has_members),
		cmocka_unit_test(the_start_stands_in_the_22nd_field),
		on_world(an_unknown_stream_is_refused),
		on_world(closing_ends_what_is_in_flight),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
