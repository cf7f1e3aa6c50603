/* When the secrets of a run are fetched, and how often. */
#include "../unit.h"

#include "whole.h"

static const char *const with_age =
	"rbx: 1\nname: t\n"
	"secrets:\n"
	"  old: {command: [pass, old], max_age: 10m}\n"
	"  kept: {command: [pass, kept]}\n"
	"steps:\n"
	"  - {id: a, effect: idempotent, exec: {argv: [use-a],"
	" env: {X: '${{ secrets.old }}', Y: '${{ secrets.kept }}'}}}\n"
	"  - {id: w, wait: {for: %s}}\n"
	"  - {id: b, effect: idempotent, exec: {argv: [use-b],"
	" env: {Y: '${{ secrets.kept }}'}}}\n"
	"  - {id: c, effect: idempotent, exec: {argv: [use-c],"
	" env: {X: '${{ secrets.old }}'}}}\n";

static struct whole *
opened(struct arena *mem)
{
	struct whole *whole = arena_new_of(mem, struct whole);
	whole_open(whole, mem);
	return whole;
}

static void
prints(struct whole *whole, const char *command, const char *what)
{
	fake_expect(whole->fake, (struct expected){
		OP_EXEC, .asks = command, .out = str_of(what)});
}

static void
ends_well(struct whole *whole, const char *book)
{
	int code = whole_run(whole, whole_book(whole, book));
	if (code != 0)
		fail_msg("exit %d: %s\n%s", code, whole->err.msg, whole_trace(whole, 1));
	const char *left = fake_left(whole->fake);
	if (left != NULL)
		fail_msg("not asked: %s", left);
}

/* Only who reads it, and only then: b comes after its time as well. */
static void
an_old_secret_is_fetched_before_its_next_use(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	prints(whole, "pass old", "first-value\n");
	prints(whole, "pass kept", "kept-value\n");
	prints(whole, "{X=first-value} {Y=kept-value}", "");
	prints(whole, "use-b", "");
	prints(whole, "pass old", "second-value\n");
	prints(whole, "{X=second-value}", "");
	ends_well(whole, arena_printf(mem, with_age, "11m"));
	arena_free(mem);
}

static void
a_young_secret_is_not_fetched_again(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	prints(whole, "pass old", "first-value\n");
	prints(whole, "pass kept", "kept-value\n");
	prints(whole, "use-a", "");
	prints(whole, "use-b", "");
	prints(whole, "{X=first-value}", "");
	ends_well(whole, arena_printf(mem, with_age, "9m"));
	arena_free(mem);
}

/* What was fetched in vain was never sent: the step is tried again. */
static void
a_fetch_that_fails_is_tried_again(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	prints(whole, "pass old", "first-value\n");
	prints(whole, "pass kept", "kept-value\n");
	prints(whole, "use-a", "");
	prints(whole, "use-b", "");
	fake_expect(whole->fake,
		(struct expected){OP_EXEC, .asks = "pass old", .exit = 1});
	prints(whole, "pass old", "second-value\n");
	prints(whole, "{X=second-value}", "");
	ends_well(whole, arena_printf(mem, with_age, "11m"));
	arena_free(mem);
}

static void
it_fails_in_the_end_by_the_name_of_the_secret(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	prints(whole, "pass old", "first-value\n");
	prints(whole, "pass kept", "kept-value\n");
	prints(whole, "use-a", "");
	prints(whole, "use-b", "");
	for (int i = 0; i < 3; i++)
		fake_expect(whole->fake,
			(struct expected){OP_EXEC, .asks = "pass old", .exit = 1});
	const struct playbook *book =
		whole_book(whole, arena_printf(mem, with_age, "11m"));
	assert_int_equal(whole_run(whole, book), 1);
	size_t n;
	const struct record *records = memory_records(whole->store, &n);
	bool found = false;
	for (size_t i = 0; i < n; i++)
		found |= records[i].kind == REC_OUTCOME
			&& strcmp(records[i].path, "c") == 0
			&& str_find(records[i].body,
				STR("secret 'old': pass ended with exit code 1"))
				< records[i].body.n;
	assert_true(found);
	arena_free(mem);
}

/* Two that read it at once wait for one fetch; an attempt under way keeps what it has. */
static void
one_fetch_serves_all_that_wait(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	prints(whole, "pass old", "first-value\n");
	fake_expect(whole->fake, (struct expected){OP_EXEC,
		.asks = "{X=first-value}", .after = 30 * NS_MIN});
	fake_expect(whole->fake, (struct expected){OP_EXEC, .asks = "pass old",
		.out = STR("second-value\n"), .after = 5 * NS_S});
	prints(whole, "{X=second-value}", "");
	prints(whole, "{X=second-value}", "");
	ends_well(whole, "rbx: 1\nname: t\n"
		"secrets: {old: {command: [pass, old], max_age: 10m}}\n"
		"steps:\n"
		"  - id: all\n"
		"    parallel:\n"
		"      - {id: long, timeout: 1h, effect: idempotent, exec:"
		" {argv: [use-long], env: {X: '${{ secrets.old }}'}}}\n"
		"      - id: later\n"
		"        block:\n"
		"          - {id: w, wait: {for: 15m}}\n"
		"          - id: both\n"
		"            parallel:\n"
		"              - {id: b, effect: idempotent, exec: {argv: [use-b],"
		" env: {X: '${{ secrets.old }}'}}}\n"
		"              - {id: c, effect: idempotent, exec: {argv: [use-c],"
		" env: {X: '${{ secrets.old }}'}}}\n");
	arena_free(mem);
}

/* However young it is. */
static void
resume_fetches_all_of_them(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	prints(whole, "pass old", "first-value\n");
	prints(whole, "pass kept", "kept-value\n");
	for (int i = 0; i < 3; i++)
		fake_expect(whole->fake, (struct expected){
			OP_EXEC, .asks = "{X=first-value}", .exit = 1});
	const struct playbook *book =
		whole_book(whole, arena_printf(mem, with_age, "1s"));
	assert_int_equal(whole_run(whole, book), 1);
	prints(whole, "pass old", "second-value\n");
	prints(whole, "pass kept", "newer-value\n");
	prints(whole, "{X=second-value} {Y=newer-value}", "");
	prints(whole, "use-b", "");
	prints(whole, "{X=second-value}", "");
	assert_int_equal(whole_resume(whole, book), 0);
	assert_null(fake_left(whole->fake));
	arena_free(mem);
}

/* ---- called playbooks */

static const char *const called =
	"rbx: 1\nname: inner\n"
	"inputs: {who: {type: string}}\n"
	"secrets: {s: {command: [pass, '${{ inputs.who }}'], field: password}}\n"
	"steps:\n"
	"  - {id: use, effect: idempotent, exec: {argv: [use],"
	" env: {X: '${{ secrets.s }}'}}}\n";

/* Two calls of it in a list and one for each of three items. */
static void
one_source_is_asked_once_in_a_run(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	whole_file(whole, "inner.yaml", called);
	prints(whole, "pass alice", "{\"password\": \"of-alice\"}\n");
	prints(whole, "pass bob", "{\"password\": \"of-bobby\"}\n");
	for (int i = 0; i < 4; i++)
		prints(whole, "{X=of-alice}", "");
	prints(whole, "{X=of-bobby}", "");
	ends_well(whole, "rbx: 1\nname: t\n"
		"vars: {who: alice}\n"
		"steps:\n"
		"  - {id: one, playbook: {file: inner.yaml, inputs: {who: alice}}}\n"
		"  - id: each\n"
		"    for_each: [1, 2, 3]\n"
		"    playbook: {file: inner.yaml, inputs: {who: '${{ vars.who }}'}}\n"
		"  - {id: two, playbook: {file: inner.yaml, inputs: {who: bob}}}\n");
	arena_free(mem);
}

static void
what_only_an_item_gives_is_refused_at_the_start(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	whole_file(whole, "inner.yaml", called);
	const struct playbook *book = whole_book(whole, "rbx: 1\nname: t\n"
		"steps:\n"
		"  - id: each\n"
		"    for_each: [alice, bob]\n"
		"    playbook: {file: inner.yaml, inputs: {who: '${{ item }}'}}\n");
	assert_int_equal(whole_run(whole, book), 3);
	assert_null(whole->run);
	assert_non_null(strstr(whole->err.msg, "called by each"));
	assert_non_null(strstr(whole->err.hint, "may not rest on what a step"));
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_old_secret_is_fetched_before_its_next_use),
		cmocka_unit_test(a_young_secret_is_not_fetched_again),
		cmocka_unit_test(a_fetch_that_fails_is_tried_again),
		cmocka_unit_test(it_fails_in_the_end_by_the_name_of_the_secret),
		cmocka_unit_test(one_fetch_serves_all_that_wait),
		cmocka_unit_test(resume_fetches_all_of_them),
		cmocka_unit_test(one_source_is_asked_once_in_a_run),
		cmocka_unit_test(what_only_an_item_gives_is_refused_at_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
