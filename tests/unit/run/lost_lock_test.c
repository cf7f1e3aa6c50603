/* A lock in a database goes with its session: what a run does that has lost one. */
#include "../unit.h"

#include "whole.h"

static const struct str taken[] = {
	{"t", 1}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
static const bool nulls[] = {false, true, true, true, true};
static const struct sql_row row = {.cells = taken, .nulls = nulls};
static const struct sql_answer lock_answer = {.rows = &row, .n_rows = 1, .n_cols = 5};
static const struct http_answer told = {.status = 200};

static const char *const text =
	"rbx: 1\nname: t\n"
	"locks: [{name: db/x, postgres: {host: 127.0.0.1, db: d, user: u}}]\n"
	"steps:\n"
	"  - id: both\n"
	"    parallel:\n"
	"      - {id: a, undo: none, exec: {argv: [run-a]}}\n"
	"      - id: later\n"
	"        block:\n"
	"          - {id: w, wait: {for: 20m}}\n"
	"          - {id: c, undo: none, exec: {argv: [run-c]}}\n"
	"  - {id: b, undo: none, exec: {argv: [run-b]}}\n"
	"on_failure:\n"
	"  - {id: change, undo: none, exec: {argv: [change]}}\n"
	"  - {id: tell, notify: {to: slack, webhook: 'https://hooks.example/secret-x',"
	" text: '${{ failure.kind }}: ${{ failure.message }}'}}\n"
	"finally:\n"
	"  - {id: clean, undo: none, exec: {argv: [clean]}}\n";

static struct whole *
opened(struct arena *mem)
{
	struct whole *whole = arena_new_of(mem, struct whole);
	whole_open(whole, mem);
	return whole;
}

/* The session is lost after that time. */
static void
locks(struct whole *whole, int64_t lost_after)
{
	fake_expect(whole->fake, (struct expected){OP_SQL, .asks = "pg_try_advisory_lock",
		.answer = &lock_answer});
	fake_expect(whole->fake, (struct expected){OP_READ, .code = ERR_NETWORK,
		.message = "the server is gone", .after = lost_after,
		.hangs = lost_after == 0});
}

static void
runs(struct whole *whole, const char *command, int64_t for_ns)
{
	fake_expect(whole->fake,
		(struct expected){OP_EXEC, .asks = command, .after = for_ns});
}

static void
tells(struct whole *whole, const char *what)
{
	fake_expect(whole->fake,
		(struct expected){OP_HTTP, .asks = what, .answer = &told});
}

/* `a` runs when the lock goes and is brought to its end; nothing begins after that but to
 * tell people. */
static void
nothing_new_begins_and_people_are_told(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	locks(whole, 5 * NS_MIN);
	runs(whole, "run-a", 9 * NS_MIN);
	tells(whole, "failed: the lock db/x in d at 127.0.0.1:5432 was lost: the server"
		" is gone");
	assert_int_equal(whole_run(whole, whole_book(whole, text)), 1);
	assert_null(fake_left(whole->fake));
	assert_string_equal(whole_trace(whole, 1),
		"begin both\n"
		"intent both/a\n"
		"begin both/later\n"
		"signal\n"
		"outcome both/later/w cancelled\n"
		"outcome both/later cancelled\n"
		"outcome both/a ok\n"
		"outcome both cancelled\n"
		"begin on_failure\n"
		"intent on_failure/tell\n"
		"outcome on_failure/tell ok\n"
		"end failed\n");
	assert_non_null(strstr(buf_cstr(&whole->said), "nothing new is started"));
	arena_free(mem);
}

/* The lock is taken again; what was done is not done again. */
static void
resume_takes_the_lock_and_goes_on(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	const struct playbook *book = whole_book(whole, text);
	locks(whole, 5 * NS_MIN);
	runs(whole, "run-a", 9 * NS_MIN);
	tells(whole, "was lost");
	assert_int_equal(whole_run(whole, book), 1);
	locks(whole, 0);
	runs(whole, "run-c", 0);
	runs(whole, "run-b", 0);
	runs(whole, "clean", 0);
	int code = whole_resume(whole, book);
	if (code != 0)
		fail_msg("%d: %s\n%s", code, whole->err.msg, whole_trace(whole, 1));
	assert_null(fake_left(whole->fake));
	arena_free(mem);
}

/* A change that failed would be tried again. */
static void
what_runs_has_no_further_attempt(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	locks(whole, 5 * NS_MIN);
	fake_expect(whole->fake, (struct expected){OP_EXEC, .asks = "run-a", .exit = 1,
		.after = 9 * NS_MIN});
	tells(whole, "was lost");
	assert_int_equal(whole_run(whole, whole_book(whole, "rbx: 1\nname: t\n"
		"locks: [{name: db/x, postgres: {host: 127.0.0.1, db: d, user: u}}]\n"
		"steps:\n"
		"  - id: g\n"
		"    on_error: undo\n"
		"    block:\n"
		"      - {id: a, effect: idempotent, undo: [{id: back, undo: none,"
		" exec: {argv: [back]}}], exec: {argv: [run-a]}}\n"
		"on_failure:\n"
		"  - {id: tell, notify: {to: slack, webhook: 'https://hooks.example/x1',"
		" text: '${{ failure.message }}'}}\n")), 1);
	assert_null(fake_left(whole->fake));
	arena_free(mem);
}

/* At the very end: the run is not told as done, for its last steps may have been made
 * beside somebody else's. */
static void
it_is_not_done_where_handlers_were_left_out(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	locks(whole, 5 * NS_MIN);
	runs(whole, "run-a", 0);
	runs(whole, "first", 9 * NS_MIN);
	assert_int_equal(whole_run(whole, whole_book(whole, "rbx: 1\nname: t\n"
		"locks: [{name: db/x, postgres: {host: 127.0.0.1, db: d, user: u}}]\n"
		"steps: [{id: a, undo: none, exec: {argv: [run-a]}}]\n"
		"finally:\n"
		"  - {id: one, undo: none, exec: {argv: [first]}}\n"
		"  - {id: two, undo: none, exec: {argv: [second]}}\n")), 1);
	assert_null(fake_left(whole->fake));
	arena_free(mem);
}

/* The control. */
static void
a_lock_that_is_kept_stops_nothing(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	locks(whole, 0);
	runs(whole, "run-a", 9 * NS_MIN);
	runs(whole, "run-c", 0);
	runs(whole, "run-b", 0);
	runs(whole, "clean", 0);
	assert_int_equal(whole_run(whole, whole_book(whole, text)), 0);
	assert_null(fake_left(whole->fake));
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_new_begins_and_people_are_told),
		cmocka_unit_test(resume_takes_the_lock_and_goes_on),
		cmocka_unit_test(what_runs_has_no_further_attempt),
		cmocka_unit_test(it_is_not_done_where_handlers_were_left_out),
		cmocka_unit_test(a_lock_that_is_kept_stops_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
