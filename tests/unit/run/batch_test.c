/* Records on their way to the store, and the acts that wait for them. */
#include "../unit.h"

#include "run/loop.h"
#include "whole.h"

struct bench {
	struct observer observer;                     /* first */
	struct arena *mem;
	struct fake *fake;
	struct shell shell;
	struct err err;
	unsigned seen, told;
	uint64_t seq;
};

static void
saw(struct observer *observer, const struct record *record)
{
	struct bench *bench = (struct bench *)observer;
	(void)record;
	bench->seen++;
}

static void
told(struct observer *observer, enum diag_level level, const struct err *err)
{
	struct bench *bench = (struct bench *)observer;
	(void)level;
	(void)err;
	bench->told++;
}

static int
setup(void **state)
{
	struct arena *mem = arena_new();
	struct bench *bench = arena_new_of(mem, struct bench);
	bench->mem = mem;
	bench->fake = fake_new(mem);
	bench->observer.record = saw;
	bench->observer.told = told;
	struct host *host = fake_host(bench->fake);
	bench->shell = (struct shell){.host = host, .store = memory_new(mem, host),
		.mem = mem, .observer = &bench->observer, .err = &bench->err,
		.vault = vault_new(mem)};
	bench->shell.state.id = STR("r1");
	bench->shell.letters_end = &bench->shell.letters;
	list_init(&bench->shell.jobs);
	*state = bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	batch_drop(&bench->shell);
	arena_free(bench->mem);
	return 0;
}

/* One turn of n records; with exit >= 0 an act that leaves. */
static void
decide(struct bench *bench, size_t n, int exit)
{
	struct arena *mem = batch_mem(&bench->shell);
	struct turn turn = {.records = arena_array(mem, struct record, n + 1),
		.n_records = n};
	for (size_t i = 0; i < n; i++)
		turn.records[i] = (struct record){.seq = ++bench->seq,
			.kind = REC_BEGIN, .path = "p", .body = STR("{\"v\":1}")};
	struct act act = {.kind = ACT_EXIT, .code = exit};
	turn.acts = &act;
	turn.n_acts = exit >= 0;
	batch_turn(&bench->shell, &turn, shell_now(&bench->shell));
}

/* One completion. */
static void
complete(struct bench *bench)
{
	int number;
	struct host *host = bench->shell.host;
	struct op *op = host->type->wait(host, INT64_MAX, &number);
	assert_non_null(op);
	((struct waiter *)op->owner)->done(op->owner, op);
}

static const struct batch *
sent(const struct bench *bench, unsigned number)
{
	return memory_batch(bench->shell.store, number);
}

/* ---- records and acts */

static void
acts_wait_for_their_records(void **state)
{
	struct bench *bench = *state;
	struct shell *shell = &bench->shell;
	memory_hold(shell->store);
	decide(bench, 1, 7);
	batch_send(shell);
	assert_non_null(shell->flying);
	assert_null(shell->next);
	assert_false(shell->leaving);
	assert_int_equal(bench->seen, 0);
	memory_go(shell->store);
	assert_false(shell->leaving);
	complete(bench);
	assert_true(shell->leaving);
	assert_int_equal(shell->exit, 7);
	assert_int_equal(bench->seen, 1);
	assert_null(shell->flying);
}

static void
turns_of_the_same_moment_share_a_batch(void **state)
{
	struct bench *bench = *state;
	decide(bench, 2, -1);
	decide(bench, 0, -1);
	decide(bench, 3, 1);
	decide(bench, 0, 2);
	batch_send(&bench->shell);
	assert_int_equal(memory_appends(bench->shell.store), 1);
	const struct batch *batch = sent(bench, 1);
	assert_string_equal(batch->run, "r1");
	assert_int_equal(batch->n_records, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(batch->records[i].seq, i + 1);
	complete(bench);
	assert_int_equal(bench->shell.exit, 1);       /* the first to leave says how */
}

static void
what_is_decided_meanwhile_is_the_next_one(void **state)
{
	struct bench *bench = *state;
	struct shell *shell = &bench->shell;
	memory_hold(shell->store);
	decide(bench, 1, -1);
	batch_send(shell);
	decide(bench, 1, -1);
	decide(bench, 1, 3);
	memory_go(shell->store);
	complete(bench);
	assert_false(shell->leaving);                 /* not by the first one */
	batch_send(shell);
	assert_int_equal(sent(bench, 1)->n_records, 1);
	assert_int_equal(sent(bench, 2)->n_records, 2);
	assert_int_equal(sent(bench, 2)->records[0].seq, 2);
	complete(bench);
	assert_int_equal(shell->exit, 3);
}

static void
acts_without_records_start_at_once(void **state)
{
	struct bench *bench = *state;
	decide(bench, 0, 4);
	batch_send(&bench->shell);
	assert_int_equal(memory_appends(bench->shell.store), 0);
	assert_true(bench->shell.leaving);
	assert_int_equal(bench->shell.exit, 4);
	assert_null(bench->shell.flying);
}

static void
nothing_decided_sends_nothing(void **state)
{
	struct bench *bench = *state;
	batch_send(&bench->shell);
	assert_int_equal(memory_appends(bench->shell.store), 0);
	assert_null(bench->shell.flying);
	assert_int_equal(batch_due(&bench->shell), INT64_MAX);
}

/* Nothing is in flight there: it is kept until what starts with the batch has started,
 * and finds nobody then. */
static void
a_kill_of_nobody_is_harmless(void **state)
{
	struct bench *bench = *state;
	struct act acts[] = {{.kind = ACT_KILL, .path = "p"},
		{.kind = ACT_SAVED, .path = "p"}, {.kind = ACT_EXIT, .code = 5}};
	(void)batch_mem(&bench->shell);
	batch_turn(&bench->shell, &(struct turn){.acts = acts, .n_acts = 3},
		shell_now(&bench->shell));
	batch_send(&bench->shell);
	assert_int_equal(bench->shell.exit, 5);
}

static void
a_batch_may_be_large(void **state)
{
	struct bench *bench = *state;
	for (int i = 0; i < 500; i++)
		decide(bench, 5, -1);
	batch_send(&bench->shell);
	const struct batch *batch = sent(bench, 1);
	assert_int_equal(batch->n_records, 2500);
	for (size_t i = 0; i < 2500; i++)
		assert_int_equal(batch->records[i].seq, i + 1);
	complete(bench);
	assert_int_equal(bench->seen, 2500);
}

static void
blobs_go_with_their_records(void **state)
{
	struct bench *bench = *state;
	struct blob blob = {.digest = {1}, .bytes = STR("of the turn")};
	uint8_t digest[32];
	batch_blob(&bench->shell, STR("a playbook"));
	struct arena *mem = batch_mem(&bench->shell);
	struct record *record = arena_new_of(mem, struct record);
	*record = (struct record){.seq = 1, .path = "", .body = STR("{}")};
	batch_turn(&bench->shell, &(struct turn){.records = record, .n_records = 1,
		.blobs = &blob, .n_blobs = 1}, shell_now(&bench->shell));
	batch_send(&bench->shell);
	assert_int_equal(sent(bench, 1)->n_blobs, 2);
	complete(bench);
	struct str bytes;
	sha256(STR("a playbook"), digest);
	assert_true(store_blob(bench->shell.store, digest, bench->mem, &bytes,
		&bench->err));
	assert_true(str_is(bytes, "a playbook"));
	assert_true(store_blob(bench->shell.store, blob.digest, bench->mem, &bytes,
		&bench->err));
}

/* ---- what the store says */

static void
ends(struct bench *bench, enum ack ack, int exit)
{
	struct shell *shell = &bench->shell;
	memory_answer(shell->store, 1, ack, "because");
	decide(bench, 1, 9);
	batch_send(shell);
	decide(bench, 1, 8);
	complete(bench);
	assert_true(shell->lost && shell->leaving);
	assert_int_equal(shell->exit, exit);
	assert_int_equal(bench->seen, 0);
	assert_string_equal(bench->err.msg, "because");
	assert_non_null(strstr(bench->err.hint, "rbx resume r1"));
	/* what comes later changes nothing of that */
	shell_lost(shell, 42, "something else");
	assert_int_equal(shell->exit, exit);
	assert_string_equal(bench->err.msg, "because");
}

static void
a_fenced_batch_starts_nothing(void **state)
{
	struct bench *bench = *state;
	ends(bench, ACK_FENCED, 75);
	assert_int_equal(bench->err.code, ERR_BUSY);
}

static void
a_broken_store_ends_it(void **state)
{
	struct bench *bench = *state;
	ends(bench, ACK_BROKEN, 1);
	assert_int_equal(bench->err.code, ERR_IO);
}

/* It is durable: its acts start, and it is said once. */
static void
a_full_disk_is_told_once(void **state)
{
	struct bench *bench = *state;
	struct shell *shell = &bench->shell;
	memory_answer(shell->store, 1, ACK_FULL, "no space");
	memory_answer(shell->store, 2, ACK_FULL, "no space");
	for (int i = 0; i < 2; i++) {
		decide(bench, 1, i == 0 ? -1 : 6);
		batch_send(shell);
		complete(bench);
		assert_true(shell->full);
		assert_int_equal(bench->told, 1);
	}
	assert_false(shell->lost);
	assert_int_equal(shell->exit, 6);
	assert_int_equal(bench->seen, 2);
}

/* ---- output */

static void
print(struct bench *bench, struct str text)
{
	struct chunk chunk = {.path = "p", .attempt = 1, .number = 1, .text = text};
	shell_chunk(&bench->shell, &chunk);
}

static void
output_waits_for_a_second(void **state)
{
	struct bench *bench = *state;
	struct shell *shell = &bench->shell;
	int64_t now = shell_now(shell).boot;
	print(bench, STR("one"));
	assert_int_equal(batch_due(shell), now + NS_S);
	fake_pass(bench->fake, NS_S / 2);
	print(bench, STR("two"));
	assert_int_equal(batch_due(shell), now + NS_S);
	batch_send(shell);
	assert_int_equal(memory_appends(shell->store), 0);
	fake_pass(bench->fake, NS_S / 2);
	batch_send(shell);
	assert_int_equal(batch_due(shell), INT64_MAX);
	const struct batch *batch = sent(bench, 1);
	assert_int_equal(batch->n_records, 0);
	assert_int_equal(batch->n_chunks, 2);
	assert_true(str_is(batch->chunks[1].text, "two"));
	complete(bench);
}

static void
output_goes_with_records(void **state)
{
	struct bench *bench = *state;
	print(bench, STR("one"));
	decide(bench, 1, -1);
	batch_send(&bench->shell);
	assert_int_equal(sent(bench, 1)->n_chunks, 1);
	assert_null(bench->shell.chunks);
	complete(bench);
}

static void
much_output_does_not_wait(void **state)
{
	struct bench *bench = *state;
	char *text = arena_alloc(bench->mem, 64 * 1024);
	memset(text, 'x', 64 * 1024);
	print(bench, (struct str){text, 64 * 1024 - 1});
	batch_send(&bench->shell);
	assert_int_equal(memory_appends(bench->shell.store), 0);
	print(bench, STR("y"));
	batch_send(&bench->shell);
	assert_int_equal(sent(bench, 1)->n_chunks, 2);
	complete(bench);
}

static void
the_last_output_goes_when_the_run_leaves(void **state)
{
	struct bench *bench = *state;
	print(bench, STR("bye"));
	bench->shell.leaving = true;
	batch_send(&bench->shell);
	assert_int_equal(sent(bench, 1)->n_chunks, 1);
	complete(bench);
}

/* What nobody sent goes with the shell. */
static void
what_is_left_is_given_back(void **state)
{
	struct bench *bench = *state;
	print(bench, STR("one"));
	decide(bench, 1, -1);
	batch_drop(&bench->shell);
	assert_null(bench->shell.next);
	assert_null(bench->shell.chunks);
	assert_int_equal(memory_appends(bench->shell.store), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(acts_wait_for_their_records),
		TEST(turns_of_the_same_moment_share_a_batch),
		TEST(what_is_decided_meanwhile_is_the_next_one),
		TEST(acts_without_records_start_at_once),
		TEST(nothing_decided_sends_nothing),
		TEST(a_kill_of_nobody_is_harmless),
		TEST(a_batch_may_be_large),
		TEST(blobs_go_with_their_records),
		TEST(a_fenced_batch_starts_nothing),
		TEST(a_broken_store_ends_it),
		TEST(a_full_disk_is_told_once),
		TEST(output_waits_for_a_second),
		TEST(output_goes_with_records),
		TEST(much_output_does_not_wait),
		TEST(the_last_output_goes_when_the_run_leaves),
		TEST(what_is_left_is_given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
