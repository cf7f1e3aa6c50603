#include "real_host.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t test;                            /* this process, also in its forks */

/* An owner that dies by SIGKILL in the middle of a step, as a crash would have it: its
 * child ignores TERM, has one grandchild in another session and one with another
 * environment, as sudo gives, and one of another key runs too. */
static const char sturdy[] = "trap '' TERM\n"
	"setsid sh -c 'echo x >>\"$0\"; exec sleep 1236.5' \"$0\" &\n"
	"env -i sh -c 'echo x >>\"$0\"; exec sleep 1236.5' \"$0\" &\n"
	"(RBX_KEY=$1 setsid sh -c 'echo x >>\"$0\"; exec sleep 1236.5' \"$0\" &)\n"
	"echo x >>\"$0\"; while :; do sleep 0.01; done";

/* Its child dies of TERM; the grandchild, which has neither the key nor any more a parent
 * that has it, does not. */
static const char stubborn[] =
	"env -i sh -c 'trap \"\" TERM; echo x >>\"$0\"; while :; do sleep 0.01; done'"
	" \"$0\" &\n"
	"exec sleep 1236.5";

/* Of this very process: what holds them is ended, also where the test runs twice at
 * once. */
static const char *
key_of(const char *word)
{
	static char key[60];
	snprintf(key, sizeof key, "orphans-test-%d-%s", test, word);
	return key;
}

static void
be_owner(const char *script, const char *file)
{
	struct err err;
	struct host *host = host_open(NULL, &err);
	struct arena *mem = arena_new();
	const char *other = arena_strdup(mem, key_of("other"));
	const char *argv[] = {"sh", "-c", script, file, other, NULL};
	const char *env[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
		arena_printf(mem, "RBX_KEY=%s", key_of("holder")), NULL};
	struct exec_ask ask = {.argv = argv, .env = env};
	struct op op = {.kind = OP_EXEC, .ask = &ask, .mem = mem, .deadline = INT64_MAX};
	host->type->start(host, &op);
	host->type->wait(host, INT64_MAX, NULL);
	_exit(1);
}

static size_t
lines(const char *file)
{
	FILE *f = fopen(file, "re");
	size_t n = 0;
	for (int c; f != NULL && (c = fgetc(f)) != EOF;)
		n += c == '\n';
	if (f != NULL)
		fclose(f);
	return n;
}

static void
crash(struct world *world, pid_t owner, const char *file, size_t n)
{
	while (lines(file) < n)
		world->host->type->wait(world->host, in_ns(world, NS_MS), NULL);
	kill(owner, SIGKILL);
	waitpid(owner, NULL, 0);
}

static struct op *
orphans(struct world *world, const char *key)
{
	struct orphans_ask *ask = arena_new_of(world->mem, struct orphans_ask);
	*ask = (struct orphans_ask){arena_strdup(world->mem, key), 100 * NS_MS};
	return op_run(world, OP_ORPHANS, ask);
}

/* One that heeds TERM needs nobody to look for it; who dies then is ours to reap. */
static void
a_child_ends_with_its_owner(void **state)
{
	struct world *world = *state;
	char folder[] = "/tmp/rbx-orphans-test-XXXXXX";
	assert_non_null(mkdtemp(folder));
	const char *file = arena_printf(world->mem, "%s/started", folder);
	pid_t owner = fork(), child = 0;
	if (owner == 0)
		be_owner("echo $$ >\"$0\"; exec sleep 1236.5", file);
	crash(world, owner, file, 1);
	FILE *f = fopen(file, "re");
	assert_int_equal(fscanf(f, "%d", &child), 1);
	fclose(f);
	int64_t last = in_ns(world, HANG_S * NS_S);
	while (kill(child, 0) == 0 && in_ns(world, 0) < last)
		world->host->type->wait(world->host, in_ns(world, NS_MS), NULL);
	assert_int_not_equal(kill(child, 0), 0);
	assert_int_equal(system(arena_printf(world->mem, "rm -r %s", folder)), 0);
}

static void
what_a_dead_owner_left_is_ended(void **state)
{
	struct world *world = *state;
	char folder[] = "/tmp/rbx-orphans-test-XXXXXX";
	assert_non_null(mkdtemp(folder));
	const char *file = arena_printf(world->mem, "%s/started", folder);
	pid_t owner = fork();
	if (owner == 0)
		be_owner(sturdy, file);
	crash(world, owner, file, 4);

	const struct orphans_answer *none = orphans(world, key_of("holde"))->answer;
	assert_int_equal(none->found, 0);
	struct op *op = orphans(world, key_of("holder"));
	assert_int_equal(op->err.code, ERR_NONE);
	const struct orphans_answer *answer = op->answer;
	assert_true(answer->found >= 3);
	assert_int_equal(answer->left, 0);
	const struct orphans_answer *again = orphans(world, key_of("holder"))->answer;
	assert_int_equal(again->found, 0);

	const struct orphans_answer *other = orphans(world, key_of("other"))->answer;
	assert_int_equal(other->found, 1);
	assert_int_equal(other->left, 0);
	op_none(world);
	assert_int_equal(system(arena_printf(world->mem, "rm -r %s", folder)), 0);
}

static void
what_was_found_once_is_not_lost(void **state)
{
	struct world *world = *state;
	char folder[] = "/tmp/rbx-orphans-test-XXXXXX";
	assert_non_null(mkdtemp(folder));
	const char *file = arena_printf(world->mem, "%s/started", folder);
	pid_t owner = fork();
	if (owner == 0)
		be_owner(stubborn, file);
	while (lines(file) < 1)
		world->host->type->wait(world->host, in_ns(world, NS_MS), NULL);
	kill(owner, SIGSTOP); /* else its death would end the child first */
	struct op *op = orphans(world, key_of("holder"));
	const struct orphans_answer *answer = op->answer;
	assert_true(answer->found >= 2);
	assert_int_equal(answer->left, 0);
	crash(world, owner, file, 0);
	FILE *table = popen(arena_printf(world->mem, "ps ax -o args | grep '^sh -c trap'"
		" | grep -c %s || :", folder), "r");
	unsigned n = 99;
	assert_int_equal(fscanf(table, "%u", &n), 1);
	pclose(table);
	assert_int_equal(n, 0);
	assert_int_equal(system(arena_printf(world->mem, "rm -r %s", folder)), 0);
}

static void
a_search_can_be_cancelled(void **state)
{
	struct world *world = *state;
	struct orphans_ask ask = {"orphans-test-nobody", NS_S};
	struct op *op = op_start(world, OP_ORPHANS, &ask, HANG_S * NS_S);
	world->host->type->cancel(world->host, op);
	assert_ptr_equal(op_next(world), op);
	assert_int_equal(op->err.code, ERR_CANCELLED);
	op_none(world);
}

int
main(void)
{
	test = getpid();
	const struct CMUnitTest tests[] = {
		on_world(a_child_ends_with_its_owner),
		on_world(what_a_dead_owner_left_is_ended),
		on_world(what_was_found_once_is_not_lost),
		on_world(a_search_can_be_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
