#include "store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const dns[] = {"dns/x", NULL}, *const both[] = {"db", "dns/x", NULL};

static void
a_run_has_one_owner(void **state)
{
	struct desk *desk = *state;
	struct store *a = desk_open(desk), *b = desk_open(desk);
	const struct holder *holder;
	const struct claim_answer *mine = desk_claim(desk, a, "r1", NULL);
	assert_non_null(mine->claim);
	desk_append(desk, a, "r1", 1, 2);
	const struct claim_answer *theirs = desk_claim(desk, b, "r1", NULL);
	assert_null(theirs->claim);
	assert_string_equal(theirs->what, "run r1");
	assert_string_equal(theirs->held->host, "bastion");
	assert_string_equal(theirs->held->user, "ana");
	assert_string_equal(theirs->held->playbook, "failover");
	assert_string_equal(theirs->held->step, "deploy/dump");
	assert_int_equal(theirs->held->pid, getpid());
	assert_true(theirs->held->since > 0);
	assert_true(store_alive(b, "r1", desk->mem, &holder));
	store_release(a, mine->claim, false);
	assert_false(store_alive(b, "r1", desk->mem, &holder));
	theirs = desk_claim(desk, b, "r1", NULL);
	assert_non_null(theirs->claim);
	store_release(b, theirs->claim, false);
	store_close(a);
	store_close(b);
}

static void
a_named_lock_belongs_to_a_run_until_its_end(void **state)
{
	struct desk *desk = *state;
	struct store *store = desk_open(desk);
	const struct claim_answer *first = desk_claim(desk, store, "r1", dns);
	desk_append(desk, store, "r1", 1, 1);
	const struct claim_answer *second = desk_claim(desk, store, "r2", both);
	assert_null(second->claim);
	assert_string_equal(second->what, "lock dns/x");
	assert_string_equal(second->held->run, "r1");
	assert_true(second->held->alive);
	store_release(store, first->claim, false); /* as after a crash: no end */
	second = desk_claim(desk, store, "r2", both);
	assert_null(second->claim);
	assert_false(second->held->alive);
	assert_string_equal(second->held->user, "ana");
	first = desk_claim(desk, store, "r1", dns);
	assert_non_null(first->claim);
	desk_end(desk, store, "r1", 2);
	store_release(store, first->claim, false);
	second = desk_claim(desk, store, "r2", both);
	assert_non_null(second->claim);
	store_release(store, second->claim, true);
	const struct claim_answer *third = desk_claim(desk, store, "r3", both);
	assert_non_null(third->claim);
	store_release(store, third->claim, false);
	store_close(store);
}

/* What "all or nothing" is for: the lock that was free stays free. */
static void
a_claim_that_fails_takes_nothing(void **state)
{
	struct desk *desk = *state;
	static const char *const db[] = {"db", NULL};
	struct store *store = desk_open(desk);
	const struct holder *holder;
	const struct claim_answer *first = desk_claim(desk, store, "r1", dns);
	assert_null(desk_claim(desk, store, "r2", both)->claim);
	assert_false(store_alive(store, "r2", desk->mem, &holder));
	const struct claim_answer *third = desk_claim(desk, store, "r3", db);
	assert_non_null(third->claim);
	store_release(store, first->claim, false);
	store_release(store, third->claim, false);
	store_close(store);
}

static void
hold_until_killed(struct desk *desk, int pipe)
{
	struct err err;
	struct store *store;
	posting_self(desk->host,
		(struct self){
			.host = "elsewhere", .user = "ben", .pid = (uint32_t)getpid()});
	if (!store_open(&store, desk->host, desk->where, &err))
		_exit(2);
	if (desk_claim(desk, store, "r1", dns)->claim == NULL)
		_exit(3);
	desk_append(desk, store, "r1", 1, 1);
	if (write(pipe, "x", 1) != 1)
		_exit(4);
	pause();
	_exit(5);
}

static void
a_killed_owner_leaves_the_run_not_the_lock(void **state)
{
	struct desk *desk = *state;
	int ends[2];
	char told;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0)
		hold_until_killed(desk, ends[1]);
	assert_int_equal(read(ends[0], &told, 1), 1);
	struct store *store = desk_open(desk);
	const struct claim_answer *answer = desk_claim(desk, store, "r1", NULL);
	assert_null(answer->claim);
	assert_string_equal(answer->held->host, "elsewhere");
	assert_int_equal(answer->held->pid, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	answer = desk_claim(desk, store, "r2", dns);
	assert_null(answer->claim);
	assert_string_equal(answer->held->user, "ben");
	assert_false(answer->held->alive);
	answer = desk_claim(desk, store, "r1", dns);
	assert_non_null(answer->claim);
	assert_int_equal(desk_append(desk, store, "r1", 2, 1), ACK_DURABLE);
	store_release(store, answer->claim, false);
	store_close(store);
	close(ends[0]);
	close(ends[1]);
}

/* Each appends to its own run in the one store; nothing of either is lost. */
static void
two_processes_write_one_store(void **state)
{
	struct desk *desk = *state;
	enum { EACH = 60 };
	pid_t children[2];
	store_close(desk_open(desk));
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] != 0)
			continue;
		struct store *store = desk_open(desk);
		for (uint64_t seq = 1; seq <= EACH; seq++)
			if (desk_append(desk, store, i == 0 ? "r0" : "r1", seq, 1)
				!= ACK_DURABLE)
				_exit(1);
		store_close(store);
		_exit(0);
	}
	for (int i = 0; i < 2; i++) {
		int status;
		waitpid(children[i], &status, 0);
		assert_int_equal(status, 0);
	}
	struct store *store = desk_open(desk);
	assert_int_equal(desk_count(store, "r0"), EACH);
	assert_int_equal(desk_count(store, "r1"), EACH);
	store_close(store);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, desk_set, desk_clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_run_has_one_owner),
		DESK_TEST(a_named_lock_belongs_to_a_run_until_its_end),
		DESK_TEST(a_claim_that_fails_takes_nothing),
		DESK_TEST(a_killed_owner_leaves_the_run_not_the_lock),
		DESK_TEST(two_processes_write_one_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
