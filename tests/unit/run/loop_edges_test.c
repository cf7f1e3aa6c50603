/* The edges of the loop: signals, a store that is taken away, what comes after the end.
 */
#include "../unit.h"

#include <signal.h>

#include "whole.h"

static const char *const two_steps =
	"rbx: 1\nname: t\nsteps:\n"
	"  - {id: a, undo: none, exec: {argv: [run-a]}}\n"
	"  - {id: b, undo: none, exec: {argv: [run-b]}}\n"
	"finally:\n"
	"  - {id: f, undo: none, exec: {argv: [clean]}}\n";

static struct whole *
opened(struct arena *mem)
{
	struct whole *whole = arena_new_of(mem, struct whole);
	whole_open(whole, mem);
	return whole;
}

static void
runs(struct whole *whole, const char *command, int64_t for_ns)
{
	fake_expect(whole->fake,
		(struct expected){OP_EXEC, .asks = command, .after = for_ns});
}

static int64_t
in(const struct whole *whole, int64_t ns)
{
	return whole->host->type->now(whole->host).boot + ns;
}

static void
comes_to(struct whole *whole, const char *book, int exit, const char *trace)
{
	int code = whole_run(whole, whole_book(whole, book));
	const char *left = fake_left(whole->fake);
	if (code != exit || left != NULL)
		fail_msg("exit %d: %s\n%s\nleft: %s", code, whole->err.msg,
			whole_trace(whole, 1), left == NULL ? "" : left);
	assert_string_equal(whole_trace(whole, 1), trace);
}

/* ---- signals */

static void
a_signal_lets_what_runs_end(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	runs(whole, "run-a", 9 * NS_MIN);
	runs(whole, "clean", 0);
	fake_signal(whole->fake, in(whole, NS_MIN), SIGINT);
	comes_to(whole, two_steps, 5,
		"intent a\nsignal\noutcome a ok\n"
		"begin finally\nintent finally/f\noutcome finally/f ok\n"
		"end cancelled\n");
	arena_free(mem);
}

/* The first one while the second step runs, the second a minute later. */

static void
again(struct whole *whole, const struct record *record)
{
	if (record->kind == REC_SIGNAL)
		fake_signal(whole->fake, in(whole, NS_MIN), SIGTERM);
}

static void
a_second_signal_ends_what_runs(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	whole->record = again;
	runs(whole, "run-a", 9 * NS_MIN);
	fake_signal(whole->fake, in(whole, NS_MIN), SIGINT);
	comes_to(whole, two_steps, 5,
		"intent a\nsignal\nsignal\noutcome a doubt\nend cancelled\n");
	arena_free(mem);
}

/* ---- the store */

/* The append with that record is answered so. */
struct answered { const char *path; enum kind kind; enum ack ack; };
static struct answered wanted;

static void
next_is(struct whole *whole, const struct record *record)
{
	if (record->kind == wanted.kind && strcmp(record->path, wanted.path) == 0)
		memory_answer(whole->store, memory_appends(whole->store) + 1, wanted.ack,
			"it says so");
}

/* The outcome of `a` is not durable: nothing follows from it. */
static void
a_fenced_owner_starts_nothing_more(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	whole->record = next_is;
	wanted = (struct answered){"a", REC_INTENT, ACK_FENCED};
	runs(whole, "run-a", NS_MIN);
	comes_to(whole, two_steps, 75, "intent a\n");
	assert_int_equal(whole->err.code, ERR_BUSY);
	assert_string_equal(whole->err.msg, "it says so");
	arena_free(mem);
}

/* Of two that run one ends, and its outcome is refused: the other is ended, and what it
 * comes to is heard by nobody. */
static void
what_runs_is_ended_with_the_claim(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	whole->record = next_is;
	wanted = (struct answered){"p/b", REC_INTENT, ACK_BROKEN};
	runs(whole, "run-a", NS_MIN);
	runs(whole, "run-b", NS_H);
	int64_t from = in(whole, 0);
	comes_to(whole, "rbx: 1\nname: t\nsteps:\n"
		"  - id: p\n    parallel:\n"
		"      - {id: a, undo: none, timeout: 2h, exec: {argv: [run-a]}}\n"
		"      - {id: b, undo: none, timeout: 2h, exec: {argv: [run-b]}}\n",
		1, "begin p\nintent p/a\nintent p/b\n");
	assert_int_equal(whole->err.code, ERR_IO);
	assert_true(in(whole, 0) - from < 2 * NS_MIN);
	arena_free(mem);
}

/* What runs is recorded, and no other change begins; when there is room again, resume
 * goes on. */
static void
a_full_disk_stops_at_the_next_change(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	whole->record = next_is;
	wanted = (struct answered){"a", REC_INTENT, ACK_FULL};
	runs(whole, "run-a", NS_MIN);
	const struct playbook *book = whole_book(whole, two_steps);
	assert_int_equal(whole_run(whole, book), 4);
	assert_null(fake_left(whole->fake));
	assert_non_null(strstr(buf_cstr(&whole->said), "no new change is started"));
	whole->record = NULL;
	runs(whole, "run-b", 0);
	runs(whole, "clean", 0);
	assert_int_equal(whole_resume(whole, book), 0);
	assert_null(fake_left(whole->fake));
	arena_free(mem);
}

/* ---- moments */

static void
a_timeout_ends_an_attempt_at_its_time(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	fake_expect(whole->fake,
		(struct expected){OP_EXEC, .asks = "run-a", .hangs = true});
	runs(whole, "clean", 0);
	int64_t from = in(whole, 0);
	assert_int_equal(whole_run(whole, whole_book(whole,
		"rbx: 1\nname: t\nsteps:\n"
		"  - {id: a, undo: none, timeout: 7m, exec: {argv: [run-a]},"
		" on_error: continue}\n"
		"on_failure:\n"
		"  - {id: f, undo: none, exec: {argv: [clean]}}\n")), 4);
	assert_in_range(in(whole, 0) - from, 7 * NS_MIN, 7 * NS_MIN + 30 * NS_S);
	arena_free(mem);
}

/* Not one of them waits for an operation. */
static void
steps_without_operations_follow_at_once(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	struct buf text = buf_in(mem);
	buf_puts(&text, "rbx: 1\nname: t\nsteps:\n");
	for (int i = 0; i < 50; i++)
		buf_printf(&text, "  - id: s%d\n    assert:\n      - 1 == 1\n", i);
	int64_t from = in(whole, 0);
	assert_int_equal(whole_run(whole, whole_book(whole, buf_cstr(&text))), 0);
	assert_int_equal(in(whole, 0), from);
	arena_free(mem);
}

/* A note is on the record once, however often it is said. */
static void
the_same_words_are_noted_once(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	fake_env(whole->fake, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
	fake_env(whole->fake, "AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG");
	fake_always(whole->fake, (struct expected){OP_FILE, .code = ERR_NOT_FOUND});
	static const struct http_answer who = {.status = 200, .body = {
		"<GetCallerIdentityResponse><GetCallerIdentityResult>"
		"<Arn>arn:aws:iam::111111111111:user/ana</Arn>"
		"<Account>111111111111</Account>"
		"</GetCallerIdentityResult></GetCallerIdentityResponse>", 0}};
	struct http_answer *identity = arena_new_of(mem, struct http_answer);
	*identity = who;
	identity->body.n = strlen(identity->body.p);
	static const struct http_answer none = {.status = 200, .body = {"{}", 2}};
	for (int i = 0; i < 2; i++) {
		fake_expect(whole->fake, (struct expected){OP_HTTP,
			.asks = "GetCallerIdentity", .answer = identity});
		fake_expect(whole->fake,
			(struct expected){OP_HTTP, .asks = "sqs.", .answer = &none});
	}
	assert_int_equal(whole_run(whole, whole_book(whole,
		"rbx: 1\nname: t\nsteps:\n"
		"  - {id: a, aws: {call: sqs.ListQueues, region: us-west-1}}\n"
		"  - {id: b, aws: {call: sqs.ListQueues, region: us-west-2,"
		" account: '111111111111'}}\n")), 0);
	size_t n, notes = 0;
	const struct record *records = memory_records(whole->store, &n);
	for (size_t i = 0; i < n; i++)
		notes += records[i].kind == REC_NOTE;
	assert_int_equal(notes, 1);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_lets_what_runs_end),
		cmocka_unit_test(a_second_signal_ends_what_runs),
		cmocka_unit_test(a_fenced_owner_starts_nothing_more),
		cmocka_unit_test(what_runs_is_ended_with_the_claim),
		cmocka_unit_test(a_full_disk_stops_at_the_next_change),
		cmocka_unit_test(a_timeout_ends_an_attempt_at_its_time),
		cmocka_unit_test(steps_without_operations_follow_at_once),
		cmocka_unit_test(the_same_words_are_noted_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
