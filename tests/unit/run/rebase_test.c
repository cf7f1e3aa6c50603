/* What a run that has begun lets another playbook change, and what not. */
#include "../unit.h"
#include "data/json.h"
#include "run/rebase.h"
#include "steps/steps.h"

static const char head[] = "rbx: 1\nname: test\n";
static const char body[] = "inputs: {x: {type: string, default: q}}\n"
	"vars: {v: '${{ inputs.x }}1'}\n"
	"steps:\n"
	"  - {id: a, exec: {argv: ['true']}, undo: none}\n"
	"  - id: g\n"
	"    block:\n"
	"      - {id: b, exec: {argv: [ls, '${{ vars.v }}']}, undo: none}\n"
	"      - {id: c, file_check: {path: /nothing}}\n"
	"      - {id: d, exec: {argv: ['true']}, undo: none}\n"
	"  - {id: e, exec: {argv: ['true']}, undo: none}\n"
	"on_failure:\n"
	"  - {id: tell, notify: {to: stdout, text: no}}\n";

static bool
read_text(const struct loader *loader, const char *path, struct str *bytes,
	char **full_path, struct err *err)
{
	(void)err;
	*bytes = str_of(loader->with);
	*full_path = (char *)path;
	return true;
}

static const struct playbook *
load(struct arena *mem, const char *text, const char *file)
{
	struct loader loader = {
		.read = read_text, .types = step_types, .with = (void *)text};
	struct diags diags = {.mem = mem};
	struct buf out = buf_in(mem);
	const struct playbook *book = playbook_load(mem, file, &loader, &diags);
	diags_print(&out, &diags, false);
	if (diags.errors > 0)
		fail_msg("%s", buf_cstr(&out));
	return book;
}

static void
apply(struct run_state *state, const char *kind_and_path, const char *text)
{
	struct err err = {0};
	struct str path, word = str_cut(str_of(kind_and_path), ' ', &path);
	struct record record = {.seq = state->seq + 1, .at = (int64_t)state->seq + 1,
		.path = path.p == NULL ? "" : path.p, .body = str_of(text), .attempt = 1};
	for (int kind = 0; kind < REC_KINDS; kind++)
		if (str_is(word, kind_word((enum kind)kind)))
			record.kind = (enum kind)kind;
	if (!run_apply(state, &record, &err))
		fail_msg("%s", err.msg);
}

/* a done, b done, c failed: as the run ended. */
static void
play(struct arena *mem, struct run_state *state, bool ended)
{
	state_init(state, mem);
	state->id = STR("r1");
	apply(state, "run", "{\"v\":1,\"mode\":\"run\"}");
	apply(state, "own", "{\"v\":1,\"epoch\":1,\"why\":\"start\"}");
	apply(state, "intent a", "{\"v\":1,\"effect\":\"once\"}");
	apply(state, "outcome a", "{\"v\":1,\"state\":\"ok\",\"fate\":\"done\"}");
	apply(state, "begin g", "{\"v\":1}");
	apply(state, "intent g/b", "{\"v\":1,\"effect\":\"once\"}");
	if (!ended)
		return;
	apply(state, "outcome g/b", "{\"v\":1,\"state\":\"ok\",\"fate\":\"done\"}");
	apply(state, "outcome g/c", "{\"v\":1,\"state\":\"failed\",\"fate\":\"none\"}");
	apply(state, "outcome g", "{\"v\":1,\"state\":\"failed\",\"fate\":\"none\"}");
	apply(state, "outcome on_failure/tell",
		"{\"v\":1,\"state\":\"ok\",\"fate\":\"done\"}");
	apply(state, "end", "{\"v\":1,\"state\":\"failed\"}");
}

static const char *
replaced(struct arena *mem, const char *what, const char *by)
{
	struct buf out = buf_in(mem);
	const char *at = strstr(body, what);
	assert_non_null(at);
	buf_puts(&out, head);
	buf_add(&out, (struct str){body, (size_t)(at - body)});
	buf_puts(&out, by);
	buf_puts(&out, at + strlen(what));
	return buf_cstr(&out);
}

/* want: a part of the one thing that is told; NULL: it may be so. */
static void
judge(const char *what, const char *by, bool ended, const char *want)
{
	struct arena *mem = arena_new();
	struct run_state state;
	struct diags diags = {.mem = mem};
	struct buf out = buf_in(mem);
	play(mem, &state, ended);
	const struct playbook *from = load(mem, replaced(mem, "", ""), "old.yaml"),
			      *to = load(mem, replaced(mem, what, by), "new.yaml");
	bool good = rebase_judge(&state, from, to, ended, mem, &diags);
	diags_print(&out, &diags, false);
	if (good != (want == NULL))
		fail_msg("'%s' for '%s': %s", by, what, buf_cstr(&out));
	if (want != NULL && (diags.errors != 1 || strstr(buf_cstr(&out), want) == NULL))
		fail_msg("'%s' for '%s': not '%s' but:\n%s", by, what, want,
			buf_cstr(&out));
	state_close(&state);
	arena_free(mem);
}

static const char a_step[] = "  - {id: a, exec: {argv: ['true']}, undo: none}\n";
static const char b_step[] =
	"      - {id: b, exec: {argv: [ls, '${{ vars.v }}']}, undo: none}\n";
static const char c_step[] = "      - {id: c, file_check: {path: /nothing}}\n";
static const char d_step[] = "      - {id: d, exec: {argv: ['true']}, undo: none}\n";
static const char e_step[] = "  - {id: e, exec: {argv: ['true']}, undo: none}\n";

static void
what_is_to_come_may_change(void **unused)
{
	(void)unused;
	for (int ended = 0; ended < 2; ended++) {
		judge("", "", ended, NULL);
		judge(d_step, "", ended, NULL);
		judge(d_step, "      - {id: d, wait: {for: 1s}}\n", ended, NULL);
		judge(e_step, "  - {id: f, wait: {for: 1s}}\n", ended, NULL);
		judge(d_step,
			"      - {id: n, wait: {for: 1s}}\n      - {id: d, wait: {for: "
			"1s}}\n",
			ended, NULL);
		judge("text: no", "text: other", ended, NULL);
		judge("/nothing", "/something", ended, NULL);
		judge("{argv: ['true']}, undo: none}\n  - id: g",
			"{argv: ['true']}, retry: {attempts: 9}, undo: [{id: u, wait: {for: 1s}}]}\n"
			"  - id: g", ended, NULL);
	}
}

static void
what_has_begun_may_not(void **unused)
{
	(void)unused;
	for (int ended = 0; ended < 2; ended++) {
		judge(a_step, "", ended,
			"old.yaml:6:10: error: a has begun and may not be taken");
		judge(a_step, "  - {id: a, exec: {argv: ['false']}, undo: none}\n", ended,
			"new.yaml:6:10: error: a has begun, and its arguments may not change");
		judge(a_step, "  - {id: a, wait: {for: 1s}}\n", ended,
			"its type may not change");
		judge(a_step,
			"  - {id: n, wait: {for: 1s}}\n  - {id: a, exec: {argv: "
			"['true']}, "
			"undo: none}\n",
			ended, "new.yaml:6:10: error: n is new and stands before");
		judge(b_step,
			"      - {id: n, wait: {for: 1s}}\n      - {id: b, exec: {argv: "
			"[ls, "
			"'${{ vars.v }}']}, undo: none}\n",
			ended, "n is new and stands before");
		judge("    block:", "    parallel:", ended, "g has begun, and ");
		judge("q}}", "q}, y: {type: string, default: z}}", ended,
			"input y is new");
		judge("type: string", "type: hostname", ended,
			"input x was of type string");
		judge("x }}1", "x }}2", ended, "var v has changed");
		judge("steps:", "locks: [l]\nsteps:", ended, "the locks have changed");
	}
	judge("", "", true, NULL);
}

static void
a_doubt_is_settled_first(void **unused)
{
	(void)unused;
	judge("[ls, ", "[cat, ", false, "settle it first: rbx resolve r1 g/b");
	judge("vars.v }}']}, undo", "vars.v }}']}, effect: idempotent, undo", false,
		"its effect class may not change");
}

/* That what failed is tried anew is so only if the run has ended. */
static void
a_failure_that_stands_may_not_change(void **unused)
{
	(void)unused;
	struct arena *mem = arena_new();
	struct run_state state;
	struct diags diags = {.mem = mem};
	play(mem, &state, true);
	const struct playbook *from = load(mem, replaced(mem, "", ""), "old.yaml"),
			      *to = load(mem, replaced(mem, c_step, "      - {id: c, "
				      "file_check: {path: /x}}\n"), "new.yaml");
	assert_true(rebase_judge(&state, from, to, true, mem, &diags));
	assert_false(rebase_judge(&state, from, to, false, mem, &diags));
	state_close(&state);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_to_come_may_change),
		cmocka_unit_test(what_has_begun_may_not),
		cmocka_unit_test(a_doubt_is_settled_first),
		cmocka_unit_test(a_failure_that_stands_may_not_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
