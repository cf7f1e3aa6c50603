/* What answers of a step come to, by its conditions and outputs. */
#include "../unit.h"

#include <stdio.h>
#include <unistd.h>

#include "../../fake/host.h"
#include "../model/load.h"
#include "data/json.h"
#include "run/judge.h"
#include "run/shell.h"

static const char page[] =
	"rbx: 1\n"
	"name: t\n"
	"steps:\n"
	"  - id: plain\n"
	"    exec: {argv: [x]}\n"
	"    effect: pure\n"
	"    outputs:\n"
	"      n: self.code + 1\n"
	"      hidden: secret(self.stdout)\n"
	"  - id: poll\n"
	"    exec: {argv: [x], json: true}\n"
	"    effect: pure\n"
	"    every: 1s\n"
	"    deadline: 1m\n"
	"    until: self.json.ready\n"
	"    fail_if: self.json.?dead.orValue(false)\n"
	"  - id: once\n"
	"    exec: {argv: [x], json: true}\n"
	"    effect: pure\n"
	"    assert:\n"
	"      - check: self.json.n > 3\n"
	"        message: too few\n"
	"  - id: change\n"
	"    exec: {argv: [x], json: true}\n"
	"    undo: none\n"
	"    assert:\n"
	"      - self.json.n > 3\n";

struct bench {
	struct arena *mem;
	struct shell shell;
	struct err err;
	struct result result;
};

static int
setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct diags diags = {0};
	char path[] = "/tmp/rbx-judge-XXXXXX";
	int fd = mkstemp(path);
	bench->mem = arena_new();
	if (fd < 0 || write(fd, page, sizeof page - 1) < 0)
		return 1;
	close(fd);
	bench->shell = (struct shell){.host = fake_host(fake_new(bench->mem)),
		.mem = bench->mem, .vault = vault_new(bench->mem),
		.book = plain_load(bench->mem, path, &diags)};
	unlink(path);
	if (bench->shell.book == NULL)
		return 1;
	state_init(&bench->shell.state, bench->mem);
	bench->shell.state.id = STR("r1");
	*state = bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	state_close(&bench->shell.state);
	arena_free(bench->mem);
	free(bench);
	return 0;
}

/* self: JSON with ' for ". */
static const struct result *
answer(struct bench *bench, const char *id, enum verdict verdict, const char *self)
{
	const struct node *node = playbook_node(bench->shell.book, str_of(id));
	char *json = arena_strdup(bench->mem, self);
	struct scope scope;
	struct value v;
	struct err err;
	for (char *p = json; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	if (!json_parse(bench->mem, str_of(json), NULL, &v, &err))
		fail_msg("%s", err.msg);
	scope_init(&scope, &bench->shell, node, id, bench->mem, 0);
	struct judged judged = {.scope = &scope, .node = node, .verdict = verdict,
		.self = &v, .err = &bench->err, .is_check = node->class == PURE};
	bench->result = (struct result){.verdict = verdict};
	judge(&judged, &bench->result);
	return &bench->result;
}

static void
outputs_are_named_and_secrets_kept_apart(void **state)
{
	struct bench *bench = *state;
	const struct result *r = answer(bench, "plain", STEP_DONE,
		"{'code':2,'stdout':'swordfish','stderr':''}");
	assert_int_equal(r->verdict, STEP_DONE);
	assert_string_equal(json_text(bench->mem, r->outputs, JSON_COMPACT),
		"{\"code\":2,\"n\":3}");
	const struct value *kept = shell_secret(&bench->shell, "plain", STR("hidden"));
	assert_non_null(kept);
	assert_true(kept->flags & VALUE_SECRET);
}

static void
what_is_not_there_yet_is_not_yet(void **state)
{
	struct bench *bench = *state;
	const struct result *r = answer(bench, "poll", STEP_DONE, "{'json':{}}");
	assert_int_equal(r->verdict, STEP_DONE);
	assert_true(r->not_held && !r->fail_if);
	r = answer(bench, "poll", STEP_DONE, "{'json':{'ready':false}}");
	assert_true(r->not_held && r->verdict == STEP_DONE);
	r = answer(bench, "poll", STEP_DONE, "{'json':{'ready':true}}");
	assert_true(r->verdict == STEP_DONE && !r->not_held);
	/* without `every` it is unknown, and may be asked again */
	r = answer(bench, "once", STEP_DONE, "{'json':{}}");
	assert_int_equal(r->verdict, STEP_FAIL);
	assert_true(r->transient);
}

static void
fail_if_comes_first(void **state)
{
	struct bench *bench = *state;
	const struct result *r =
		answer(bench, "poll", STEP_DONE, "{'json':{'ready':true,'dead':true}}");
	assert_true(r->fail_if && r->not_held);
	assert_non_null(strstr(r->err->msg, "fail_if holds"));
	/* also of an answer that the type calls a failure */
	r = answer(bench, "poll", STEP_FAIL, "{'json':{'dead':true}}");
	assert_true(r->fail_if);
}

static void
an_assert_fails_a_change_and_not_its_attempt(void **state)
{
	struct bench *bench = *state;
	const struct result *r = answer(bench, "once", STEP_DONE, "{'json':{'n':3}}");
	assert_true(r->verdict == STEP_DONE && r->not_held && !r->assert_failed);
	assert_string_equal(r->err->msg, "too few");
	r = answer(bench, "change", STEP_DONE, "{'json':{'n':3}}");
	assert_true(r->verdict == STEP_DONE && r->assert_failed && !r->not_held);
	r = answer(bench, "change", STEP_DONE, "{'json':{'n':4}}");
	assert_true(r->verdict == STEP_DONE && !r->assert_failed);
	/* the type of an operand is no "no": it cannot be told */
	r = answer(bench, "once", STEP_DONE, "{'json':{'n':'x'}}");
	assert_true(r->verdict == STEP_FAIL && !r->not_held && !r->transient);
}

static void
a_failure_keeps_what_the_type_said(void **state)
{
	struct bench *bench = *state;
	err_set(&bench->err, ERR_ANSWER, "it says no");
	const struct result *r = answer(bench, "plain", STEP_FAIL, "{'code':1}");
	assert_true(r->verdict == STEP_DONE && r->not_held);
	assert_string_equal(r->err->msg, "it says no");
	err_set(&bench->err, ERR_CONNECT, "no route");
	err_transient(&bench->err);
	r = answer(bench, "plain", STEP_FAIL, "{'code':1}");
	assert_true(r->verdict == STEP_FAIL && r->transient && !r->not_held);
	err_set(&bench->err, ERR_ANSWER, "cut off");
	r = answer(bench, "change", STEP_DOUBT, "{'json':{'n':4}}");
	assert_true(r->verdict == STEP_DOUBT && !r->assert_failed);
}

static void
what_nobody_names_is_not_recorded(void **state)
{
	struct bench *bench = *state;
	const struct result *r = answer(bench, "plain", STEP_DONE,
		"{'code':0,'stdout':'swordfish','stderr':'','x':1}");
	assert_null(value_get(r->outputs, "x"));
	assert_null(value_get(r->outputs, "stdout"));
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(outputs_are_named_and_secrets_kept_apart),
		on_bench(what_is_not_there_yet_is_not_yet),
		on_bench(fail_if_comes_first),
		on_bench(an_assert_fails_a_change_and_not_its_attempt),
		on_bench(a_failure_keeps_what_the_type_said),
		on_bench(what_nobody_names_is_not_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
