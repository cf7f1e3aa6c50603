/* Outputs that no record holds: who has them, and when their checks are asked again. */
#include "../unit.h"

#include "whole.h"

#include "run/step.h"
#include "steps/steps.h"

/* A check of a third party with a result that is secret by its type. */
static const struct field token_in[] = {{.name = NULL}};
static const struct field token_out[] = {
	{.name = "token", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_SENSITIVE},
	{.name = "name", .type = FIELD_TEXT, .flags = FIELD_OUTPUT},
	{.name = NULL},
};

static enum verdict
token_run(struct step *step, const struct event *event)
{
	static const char *const argv[] = {"give-token", NULL};
	if (event->kind == EV_START)
		return step_exec(step, (struct how){.reads = true},
			&(struct exec_ask){.argv = argv, .keep = 1000});
	if (event->kind == EV_CANCEL || event->op->err.code != ERR_NONE)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	const struct exec_answer *answer = event->op->answer;
	if (answer->code != 0)
		return step_unmet(step, "nobody gives one");
	struct map_builder out = {.mem = step->mem};
	struct value token = value_str(answer->out);
	token.flags |= VALUE_SECRET;
	map_put(&out, "token", token);
	map_put(&out, "name", value_str(STR("n")));
	return step_done(step, map_done(&out));
}

static const struct step_type token_type = {.name = "token", .in = token_in,
	.out = token_out, .effect = PURE, .is_check = true, .run = token_run};
static const struct step_type making_type = {.name = "make_token", .in = token_in,
	.out = token_out, .effect = ONCE, .run = token_run};

static const char *const text =
	"rbx: 1\nname: t\nsteps:\n"
	"  - {id: unread, token: {}}\n"
	"  - {id: t, token: {}}\n"
	"  - id: a\n"
	"    exec: {argv: [make], env: {X: '${{ steps.t.outputs.token }}'}}\n"
	"    effect: idempotent\n"
	"    undo:\n"
	"      - id: back\n"
	"        exec: {argv: [unmake], env: {X: '${{ steps.t.outputs.token }}'}}\n"
	"        effect: idempotent\n"
	"        undo: none\n"
	"  - {id: b, effect: idempotent, undo: none,"
	" exec: {argv: [sh, '${{ steps.t.outputs.name }}']}}\n";

static struct whole *
opened(struct arena *mem)
{
	struct whole *whole = arena_new_of(mem, struct whole);
	const struct step_type **types;
	size_t n = 0;
	whole_open(whole, mem);
	while (step_types[n] != NULL)
		n++;
	types = arena_array(mem, const struct step_type *, n + 3);
	memcpy(types, step_types, n * sizeof *types);
	types[n] = &token_type;
	types[n + 1] = &making_type;
	types[n + 2] = NULL;
	whole->loader.types = types;
	return whole;
}

static void
prints(struct whole *whole, const char *command, const char *what, int code)
{
	fake_expect(whole->fake, (struct expected){
		OP_EXEC, .asks = command, .out = str_of(what), .exit = code});
}

static void
is_on_no_record(const struct whole *whole, const char *secret)
{
	size_t n;
	const struct record *records = memory_records(whole->store, &n);
	for (size_t i = 0; i < n; i++)
		assert_true(str_find(records[i].body, str_of(secret)) ==
			records[i].body.n);
}

static void
carried_out(struct whole *whole, const struct playbook *book, int b, int exit)
{
	prints(whole, "give-token", "first-token", 0);
	prints(whole, "give-token", "other-token", 0);
	prints(whole, "{X=other-token}", "", 0);
	for (int i = 0; i < (b == 0 ? 1 : 3); i++)
		prints(whole, "sh n", "", b);
	assert_int_equal(whole_run(whole, book), exit);
	assert_null(fake_left(whole->fake));
}

static void
a_result_that_is_secret_is_read_and_not_recorded(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	carried_out(whole, whole_book(whole, text), 0, 0);
	is_on_no_record(whole, "other-token");
	arena_free(mem);
}

static void
resume_asks_for_it_again(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	const struct playbook *book = whole_book(whole, text);
	carried_out(whole, book, 1, 1);
	prints(whole, "give-token", "third-token", 0);
	prints(whole, "give-token", "fourth-token", 0);
	prints(whole, "sh n", "", 0);
	assert_int_equal(whole_resume(whole, book), 0);
	assert_null(fake_left(whole->fake));
	arena_free(mem);
}

/* Only the check that the way back reads. */
static void
undo_asks_for_what_it_needs(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	const struct playbook *book = whole_book(whole, text);
	carried_out(whole, book, 0, 0);
	size_t n;
	(void)memory_records(whole->store, &n);
	prints(whole, "give-token", "newer-token", 0);
	prints(whole, "{X=newer-token}", "", 0);
	whole->options.mode = MODE_UNDO;
	whole->options.of = whole->run;
	whole->options.yes = true;
	int code = whole_run(whole, book);
	if (code != 0)
		fail_msg("exit %d: %s\n%s", code, whole->err.msg, whole_trace(whole, 1));
	assert_null(fake_left(whole->fake));
	is_on_no_record(whole, "newer-token");
	arena_free(mem);
}

static void
undo_says_before_anything_what_it_needs(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	const struct playbook *book = whole_book(whole, text);
	carried_out(whole, book, 0, 0);
	unsigned appends = memory_appends(whole->store);
	prints(whole, "give-token", "", 1);
	whole->options.mode = MODE_UNDO;
	whole->options.of = whole->run;
	whole->options.yes = true;
	assert_int_equal(whole_run(whole, book), 3);
	assert_null(whole->run);
	assert_int_equal(memory_appends(whole->store), appends);
	assert_string_equal(whole->err.msg, "t, which is asked again for its secret"
		" output, that is needed to take back a: nobody gives one");
	assert_non_null(strstr(whole->err.hint, "nothing was taken back"));
	arena_free(mem);
}

/* A change is not made again for it, so nobody may count on it. */
static void
a_secret_result_of_a_change_is_not_read(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	struct diags diags = {.mem = mem};
	whole_file(whole, "book.yaml", "rbx: 1\nname: t\nsteps:\n"
		"  - {id: t, make_token: {}, undo: none}\n"
		"  - {id: a, effect: idempotent, undo: none, exec: {argv: [x],"
		" env: {X: '${{ steps.t.outputs.token }}'}}}\n");
	assert_null(playbook_load(mem, "book.yaml", &whole->loader, &diags));
	assert_non_null(diags.first);
	assert_non_null(strstr(diags.first->err.msg, "the output 'token' of step 't' is"
		" secret"));
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_that_is_secret_is_read_and_not_recorded),
		cmocka_unit_test(resume_asks_for_it_again),
		cmocka_unit_test(undo_asks_for_what_it_needs),
		cmocka_unit_test(undo_says_before_anything_what_it_needs),
		cmocka_unit_test(a_secret_result_of_a_change_is_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
