#include "real_host.h"

#include "base/digest.h"
#include "host/capture.h"
#include "host/exec_files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The key is this process's own: what holds it is ended, also where the test runs twice
 * at once. */
static char key[40];
static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", key, NULL};

static const struct exec_ask *
sh(struct world *world, const char *script)
{
	const char **argv = arena_array(world->mem, const char *, 4);
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = script;
	struct exec_ask *ask = arena_new_of(world->mem, struct exec_ask);
	*ask = (struct exec_ask){.argv = argv, .env = env, .keep = 4096};
	return ask;
}

static const struct exec_answer *
answered(struct op *op)
{
	if (op->err.code != ERR_NONE)
		fail_msg("%s", op->err.msg);
	assert_int_equal(op->reach, REACH_ANSWERED);
	return op->answer;
}

static const struct exec_answer *
run(struct world *world, const char *script)
{
	return answered(op_run(world, OP_EXEC, sh(world, script)));
}

/* Waits, through the host, until the file at `path` is there. */
static void
await(struct world *world, const char *path)
{
	while (access(path, F_OK) != 0)
		op_none_for(world, NS_MS);
}

/* No process holds the key any more but zombies; its own count is the proof that there
 * were some. */
static unsigned
alive(struct world *world, const char *script)
{
	const struct exec_answer *answer = run(world, script);
	assert_int_equal(answer->code, 0);
	return (unsigned)strtoul(answer->out.p, NULL, 10);
}

static void
a_child_answers(void **state)
{
	struct world *world = *state;
	const struct exec_answer *answer = run(world, "echo out; echo err >&2; exit 3");
	assert_int_equal(answer->code, 3);
	assert_int_equal(answer->signal, 0);
	assert_str(answer->out, "out\n");
	assert_str(answer->err, "err\n");
	assert_false(answer->cut || answer->left_children);
	answer = run(world, "kill -9 $$");
	assert_int_equal(answer->signal, SIGKILL);
	op_none(world);
}

static void
a_child_sees_nothing_of_ours(void **state)
{
	struct world *world = *state;
	int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as libraries do */
	/* 3: ls reads the folder */
	assert_str(run(world, "ls /proc/self/fd | tr '\\n' ' '")->out, "0 1 2 3 ");
	assert_str(run(world, "env | sort | grep -v -e ^PWD= -e ^SHLVL= -e ^_=")->out,
		arena_printf(world->mem, "PATH=/usr/local/bin:/usr/bin:/bin\n%s\n", key));
	assert_str(run(world, "grep -E '^Sig(Blk|Ign)' /proc/self/status")->out,
		"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	const char *leads = "read -r p c s p g s x </proc/self/stat; [ $g = $s ] && cat";
	assert_str(run(world, leads)->out, "");
	close(leak);
	struct exec_ask ask = *sh(world, "pwd");
	ask.dir = "/usr";
	assert_str(answered(op_run(world, OP_EXEC, &ask))->out, "/usr\n");
}

static void
not_started(struct world *world, const struct exec_ask *ask, enum err_code code,
	const char *words)
{
	struct op *op = op_run(world, OP_EXEC, ask);
	assert_int_equal(op->err.code, code);
	assert_int_equal(op->reach, REACH_NONE);
	assert_null(op->answer);
	if (strstr(op->err.msg, words) == NULL)
		fail_msg("%s", op->err.msg);
}

static void
what_cannot_start_says_why(void **state)
{
	struct world *world = *state;
	const char *argv[] = {"rbx-no-such-program", NULL};
	struct exec_ask ask = {.argv = argv, .env = env};
	not_started(world, &ask, ERR_NOT_FOUND, "no such program in PATH");
	argv[0] = "/etc/passwd";
	not_started(world, &ask, ERR_DENIED, "/etc/passwd");
	argv[0] = "/no/such";
	not_started(world, &ask, ERR_NOT_FOUND, "/no/such");
	static const char *const here[] = {"PATH=:.:", NULL};
	argv[0] = "meson.build";
	ask.env = here;
	not_started(world, &ask, ERR_NOT_FOUND, "no such program");
	argv[0] = "/bin/true";
	ask.dir = "/no/such/folder";
	not_started(world, &ask, ERR_NOT_FOUND, "/no/such/folder");
	op_none(world);
}

static size_t told;

static void
count_tail(struct op *op, int fd, struct str piece)
{
	assert_int_equal(op->kind, OP_EXEC);
	if (fd == 1)                          /* a shell may say "Terminated" */
		told += piece.n;
}

/* In /dev/shm or wherever; the folder of the one that is told about is looked for. */
static void
a_password_is_in_a_private_file(void **state)
{
	struct world *world = *state;
	struct vault *vault = vault_new(world->mem);
	const struct secret *secret;
	struct err err;
	assert_ok(vault_add(vault, STR("hunter2"), &secret, &err));
	struct exec_file files[] = {
		{.variable = "PASS", .content = secret},
		{.variable = "PATH_LIST", .text = STR("a\nb\n")},
	};
	struct exec_ask ask = *sh(world, "cat $PASS $PATH_LIST; d=${PASS%/*};"
		" touch $d/lock; stat -c ' %a' $d $PASS; env | grep -c hunter2; echo $d");
	static const char *const with[] = {"PATH=/usr/bin:/bin", "PASS=old", NULL};
	ask.env = with;
	ask.files = files;
	ask.n_files = 2;
	struct str out = answered(op_run(world, OP_EXEC, &ask))->out;
	assert_true(str_starts(out, STR("hunter2a\nb\n 700\n 600\n0\n/")));
	const char *folder = str_cstr(world->mem, str_trim(str_from(out, 23)));
	assert_int_equal(folder[0], '/');
	assert_int_not_equal(access(folder, F_OK), 0);

	/* The program cannot be run, or a name is wrong: nothing is left either. */
	static const char *const none[] = {"/no/such", NULL};
	ask.argv = none;
	not_started(world, &ask, ERR_NOT_FOUND, "/no/such");
	files[1].variable = "../x";
	not_started(world, &ask, ERR_VALUE, "../x");
}

/* What an rbx that died left is removed by the next one; what one that lives holds is
 * not. */
static void
stale_files_are_removed(void **state)
{
	struct world *world = *state;
	struct exec_file file = {.variable = "PASS", .text = STR("hunter2")};
	struct exec_ask ask = *sh(world, "echo ${PASS%/*}; cat >/dev/null; cat $PASS");
	struct exec_files stale;
	const char *const *paths;
	ask.files = &file;
	ask.n_files = 1;
	ask.stream_in = true;
	ask.tail = count_tail;
	told = 0;
	struct op *op = op_start(world, OP_EXEC, &ask, HANG_S * NS_S);
	while (told == 0)
		op_none_for(world, NS_MS);
	struct err err;
	assert_ok(exec_files_make(&stale, world->mem, &ask, &paths, &err));
	char *path = stale.path;
	assert_int_equal(access(path, F_OK), 0);
	close(stale.folder);                  /* the lock goes, as with a process */
	struct exec_files next;
	assert_ok(exec_files_make(&next, world->mem, &ask, &paths, &err));
	assert_int_not_equal(access(path, F_OK), 0);
	exec_files_remove(&next);
	exec_files_remove(&next);
	free(path);
	struct write_ask end = {.to = op, .end = true};
	op_start(world, OP_WRITE, &end, HANG_S * NS_S);
	op_next(world);
	assert_ptr_equal(op_next(world), op);
	assert_true(str_ends(answered(op)->out, STR("\nhunter2")));
}

static void
a_large_input_is_fed(void **state)
{
	struct world *world = *state;
	size_t n = 5 * 1000 * 1000;
	char *bytes = arena_alloc(world->mem, n);
	memset(bytes, 'x', n);
	struct exec_ask ask = *sh(world, "wc -c");
	ask.in = (struct str){bytes, n};
	assert_str(answered(op_run(world, OP_EXEC, &ask))->out, "5000000\n");
	ask = *sh(world, "exec <&-; echo done");              /* it reads none of it */
	ask.in = (struct str){bytes, n};
	assert_str(answered(op_run(world, OP_EXEC, &ask))->out, "done\n");
	assert_str(run(world, "cat; echo none")->out, "none\n");
}

static void
both_ends_of_a_large_output_are_kept(void **state)
{
	struct world *world = *state;
	struct exec_ask ask = *sh(world, "echo first; yes | head -c 10000000; echo last");
	ask.tail = count_tail;
	told = 0;
	const struct exec_answer *answer = answered(op_run(world, OP_EXEC, &ask));
	assert_true(answer->cut);
	assert_int_equal(told, 10000011);
	assert_true(answer->out.n < 2 * 4096 + 64);
	assert_true(str_starts(answer->out, STR("first\ny\n")));
	assert_true(str_ends(answer->out, STR("y\nlast\n")));
	size_t at = str_find(answer->out, STR("[9991819 bytes left out]"));
	assert_true(at < answer->out.n);
	ask.keep = 0;
	assert_int_equal(answered(op_run(world, OP_EXEC, &ask))->out.n, 0);
}

static void
captures_agree_with_what_went_in(void **state)
{
	struct world *world = *state;
	for (size_t total = 0; total < 40; total++)
		for (size_t step = 1; step < 12; step++) {
			struct capture capture = {.keep = 8};
			char all[64];
			for (size_t i = 0; i < total; i++)
				all[i] = (char)('a' + i % 26);
			for (size_t at = 0; at < total; at += step) {
				size_t n = total - at < step ? total - at : step;
				capture_add(&capture, (struct str){all + at, n});
			}
			struct str text = capture_text(world->mem, &capture);
			struct str head = {all, total < 8 ? total : 8};
			size_t n_tail = total < 8 ? total : 8;
			assert_int_equal(capture_is_cut(&capture), total > 16);
			if (total <= 16)
				assert_true(str_eq(text, (struct str){all, total}));
			assert_true(str_starts(text, head));
			struct str tail = {all + total - n_tail, n_tail};
			assert_true(str_ends(text, tail));
			capture_free(&capture);
		}
}

static void
many_children_run_at_once(void **state)
{
	struct world *world = *state;
	enum { N = 200 };
	static const char *const argv[] = {"true", NULL};
	struct exec_ask ask = {.argv = argv, .env = env};
	for (int i = 0; i < N; i++)
		op_start(world, OP_EXEC, &ask, HANG_S * NS_S);
	for (int i = 0; i < N; i++)
		assert_int_equal(answered(op_next(world))->code, 0);
	op_none(world);
}

static void
timed_out(struct world *world, struct op *op)
{
	assert_ptr_equal(op_next(world), op);
	assert_int_equal(op->err.code, ERR_TIMEOUT);
	assert_int_equal(op->reach, REACH_SENT);
	assert_string_equal(op->err.hint, "");
	assert_true(in_ns(world, 0) >= op->deadline);
}

static void
a_child_that_ignores_term_is_killed(void **state)
{
	struct world *world = *state;
	timed_out(world, op_start(world, OP_EXEC,
		sh(world, "trap '' TERM; while :; do sleep 0.01; done"), 50 * NS_MS));
	timed_out(world, op_start(world, OP_EXEC, sh(world, "yes"), 20 * NS_MS));
	op_none(world);
}

static void
a_child_may_clean_up(void **state)
{
	struct world *world = *state;
	told = 0;
	struct exec_ask ask = *sh(world, "trap 'echo bye; exit 0' TERM; echo hi;"
		" while :; do sleep 0.01; done");
	ask.tail = count_tail;
	struct op *op = op_start(world, OP_EXEC, &ask, HANG_S * NS_S);
	while (told < 3)
		op_none_for(world, NS_MS);
	world->host->type->cancel(world->host, op);
	assert_ptr_equal(op_next(world), op);
	assert_int_equal(op->err.code, ERR_CANCELLED);
	assert_int_equal(op->reach, REACH_SENT);
	assert_int_equal(told, 7);
}

/* A grandchild in the group, one that left the session, and one that was forked twice and
 * did so: all ignore TERM. */
static void
what_a_child_started_ends_with_it(void **state)
{
	struct world *world = *state;
	char folder[] = "/tmp/rbx-exec-test-XXXXXX";
	assert_non_null(mkdtemp(folder));
	const char *script = arena_printf(world->mem, "trap '' TERM; cd %s\n"
		"sh -c 'touch a; exec sleep 1234.%d' &\n"
		"setsid sh -c 'touch b; exec sleep 1234.%d' &\n"
		"(setsid sh -c 'setsid sh -c \"touch c; exec sleep 1234.%d\" &' &)\n"
		"wait", folder, getpid(), getpid(), getpid());
	struct op *op = op_start(world, OP_EXEC, sh(world, script), HANG_S * NS_S);
	await(world, arena_printf(world->mem, "%s/a", folder));
	await(world, arena_printf(world->mem, "%s/b", folder));
	await(world, arena_printf(world->mem, "%s/c", folder));
	const char *count = arena_printf(world->mem,
		"grep -lsz '^sleep$' /proc/[0-9]*/cmdline |"
		" while read f; do tr '\\0' ' ' <$f 2>/dev/null; echo; done |"
		" grep -c '1234[.]%d' || :", getpid());
	while (alive(world, count) < 3) /* the files come just before the sleeps */
		op_none_for(world, NS_MS);
	world->host->type->cancel(world->host, op);
	assert_ptr_equal(op_next(world), op);
	assert_int_equal(op->err.code, ERR_CANCELLED);
	assert_int_equal(alive(world, count), 0);
	assert_int_equal(system(arena_printf(world->mem, "rm -r %s", folder)), 0);
}

/* A sibling with the same key is another operation's, and stays. */
static void
ending_one_child_spares_the_others(void **state)
{
	struct world *world = *state;
	struct op *one = op_start(world, OP_EXEC, sh(world, "sleep 100"), HANG_S * NS_S);
	struct exec_ask ask = *sh(world, "read x; echo still $x");
	ask.stream_in = true;
	struct op *other = op_start(world, OP_EXEC, &ask, HANG_S * NS_S);
	world->host->type->cancel(world->host, one);
	assert_ptr_equal(op_next(world), one);
	struct write_ask write = {.to = other, .bytes = STR("here\n"), .end = true};
	op_start(world, OP_WRITE, &write, HANG_S * NS_S);
	assert_int_equal(op_next(world)->kind, OP_WRITE);
	assert_ptr_equal(op_next(world), other);
	assert_str(answered(other)->out, "still here\n");
}

static void
a_pipe_that_is_held_is_not_waited_for(void **state)
{
	struct world *world = *state;
	const struct exec_answer *answer = run(world, "sleep 1235.5 & echo $!");
	assert_true(answer->left_children);
	assert_int_equal(answer->code, 0);
	assert_int_equal(kill(atoi(answer->out.p), SIGTERM), 0);
	/* What closed the pipes is a service that was started, and nobody's business. */
	answer = run(world, "sleep 1235.5 >/dev/null 2>&1 & echo $!");
	assert_false(answer->left_children);
	assert_int_equal(kill(atoi(answer->out.p), SIGTERM), 0);
}

/* The shell has ended, so its child comes to us: it is reaped when another ends. */
static void
what_a_child_leaves_is_reaped(void **state)
{
	struct world *world = *state;
	siginfo_t info;
	bool none = false;
	for (int i = 0; i < 200 && !none; i++) {
		run(world, i == 0 ? "(exec sleep 0.01) >/dev/null 2>&1 &" : ":");
		none = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0
			&& errno == ECHILD;
	}
	assert_true(none);
}

static void
output_is_read_as_a_stream(void **state)
{
	struct world *world = *state;
	struct exec_ask ask = *sh(world, "yes | head -c 3000001; echo err >&2; exit 4");
	ask.stream_out = true;
	struct op *op = op_start(world, OP_EXEC, &ask, HANG_S * NS_S);
	char *into = arena_alloc(world->mem, 1000000);
	struct digest *digest = digest_new(world->mem);
	size_t total = 0;
	bool end = false;
	while (!end) {
		struct read_ask read = {op, into, 1000000, digest};
		struct op *part = op_start(world, OP_READ, &read, HANG_S * NS_S);
		assert_ptr_equal(op_next(world), part);
		const struct read_answer *answer = part->answer;
		assert_non_null(answer);
		total += answer->got;
		end = answer->end;
		assert_int_equal(answer->got, end ? 1 : 1000000);
	}
	assert_int_equal(total, 3000001);
	assert_ptr_equal(op_next(world), op);
	assert_int_equal(answered(op)->code, 4);
	assert_str(answered(op)->err, "err\n");
	assert_int_equal(answered(op)->out.n, 0);
	struct buf all = buf_in(world->mem);
	for (size_t i = 0; i < total; i++)
		buf_putc(&all, i % 2 == 0 ? 'y' : '\n');
	uint8_t sha1[32], sha2[32];
	digest_end(digest, sha1);
	sha256(buf_str(&all), sha2);
	assert_memory_equal(sha1, sha2, 32);
}

/* Who does not read leaves the pipe full, and the child waiting: it is not finished, and
 * nothing is lost. */
static void
a_stream_presses_back(void **state)
{
	struct world *world = *state;
	struct exec_ask ask = *sh(world, "head -c 20000000 /dev/zero; echo over >&2");
	ask.stream_out = true;
	told = 0;
	struct op *op = op_start(world, OP_EXEC, &ask, HANG_S * NS_S);
	assert_null(world->host->type->wait(world->host, in_ns(world, 30 * NS_MS), NULL));
	size_t total = 0;
	char *into = arena_alloc(world->mem, 8000000);
	for (bool end = false; !end;) {
		struct read_ask read = {.from = op, .into = into, .want = 8000000};
		const struct read_answer *answer = op_run(world, OP_READ, &read)->answer;
		total += answer->got;
		end = answer->end;
	}
	assert_int_equal(total, 20000000);
	assert_ptr_equal(op_next(world), op);
	assert_str(answered(op)->err, "over\n");
}

static void
a_stream_of_a_killed_child_is_not_ended_but_broken(void **state)
{
	struct world *world = *state;
	struct exec_ask ask = *sh(world, "echo part; sleep 100");
	ask.stream_out = true;
	struct op *op = op_start(world, OP_EXEC, &ask, 40 * NS_MS);
	char into[100];
	struct read_ask read = {.from = op, .into = into, .want = sizeof into};
	struct op *part = op_start(world, OP_READ, &read, HANG_S * NS_S);
	assert_ptr_equal(op_next(world), part);
	assert_int_equal(part->err.code, ERR_TIMEOUT);
	assert_ptr_equal(op_next(world), op);
	assert_int_equal(op->err.code, ERR_TIMEOUT);
	assert_int_equal(op_run(world, OP_READ, &read)->err.code, ERR_IO);

	/* The part's own deadline, then its cancel. */
	op = op_start(world, OP_EXEC, &ask, HANG_S * NS_S);
	read.from = op;
	part = op_start(world, OP_READ, &read, 5 * NS_MS);
	assert_ptr_equal(op_next(world), part);
	assert_int_equal(part->err.code, ERR_TIMEOUT);
	part = op_start(world, OP_READ, &read, HANG_S * NS_S);
	world->host->type->cancel(world->host, part);
	assert_ptr_equal(op_next(world), part);
	assert_int_equal(part->err.code, ERR_CANCELLED);
	world->host->type->cancel(world->host, op);
	assert_ptr_equal(op_next(world), op);
}

static void
input_is_written_as_a_stream(void **state)
{
	struct world *world = *state;
	struct exec_ask ask = *sh(world, "wc -c");
	ask.stream_in = true;
	struct op *op = op_start(world, OP_EXEC, &ask, HANG_S * NS_S);
	char *bytes = arena_alloc(world->mem, 1000000);
	for (int i = 0; i < 4; i++) {
		struct write_ask write = {op, {bytes, 1000000}, false};
		assert_int_equal(op_run(world, OP_WRITE, &write)->reach, REACH_ANSWERED);
	}
	struct write_ask write = {.to = op, .bytes = STR("x"), .end = true};
	op_start(world, OP_WRITE, &write, HANG_S * NS_S);
	assert_int_equal(op_next(world)->err.code, ERR_NONE);
	assert_ptr_equal(op_next(world), op);
	assert_str(answered(op)->out, "4000001\n");

	ask = *sh(world, "exec <&-; sleep 100");
	ask.stream_in = true;
	op = op_start(world, OP_EXEC, &ask, HANG_S * NS_S);
	struct write_ask much = {.to = op, .bytes = {bytes, 1000000}};
	assert_int_equal(op_run(world, OP_WRITE, &much)->err.code, ERR_IO);
	world->host->type->cancel(world->host, op);
	assert_ptr_equal(op_next(world), op);
}

static void
closing_ends_the_children(void **state)
{
	struct world *world = *state;
	const char *sturdy = "trap '' TERM; while :; do sleep 0.01; done";
	op_start(world, OP_EXEC, sh(world, sturdy), HANG_S * NS_S);
	op_start(world, OP_EXEC, sh(world, "sleep 100"), HANG_S * NS_S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_world(a_child_answers),
		on_world(a_child_sees_nothing_of_ours),
		on_world(what_cannot_start_says_why),
		on_world(a_password_is_in_a_private_file),
		on_world(stale_files_are_removed),
		on_world(a_large_input_is_fed),
		on_world(both_ends_of_a_large_output_are_kept),
		on_world(captures_agree_with_what_went_in),
		on_world(many_children_run_at_once),
		on_world(a_child_that_ignores_term_is_killed),
		on_world(a_child_may_clean_up),
		on_world(what_a_child_started_ends_with_it),
		on_world(ending_one_child_spares_the_others),
		on_world(a_pipe_that_is_held_is_not_waited_for),
		on_world(what_a_child_leaves_is_reaped),
		on_world(output_is_read_as_a_stream),
		on_world(a_stream_presses_back),
		on_world(a_stream_of_a_killed_child_is_not_ended_but_broken),
		on_world(input_is_written_as_a_stream),
		on_world(closing_ends_the_children),
	};
	snprintf(key, sizeof key, "RBX_KEY=exec-test-%d", getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
