#include "../unit.h"

#include "data/json.h"
#include "data/yaml.h"
#include "model/playbook.h"
#include "steps/steps.h"

static const char text[] =
	"rbx: 1\nname: t\n"
	"inputs:\n"
	"  domain: {type: hostname, default: app.example.org}\n"
	"  count: {type: int, min: 1, max: 5, default: 2}\n"
	"  since: {type: timestamp}\n"
	"  mode: {type: string, enum: [planned, emergency], default: planned}\n"
	"  names: {type: list, default: [a]}\n"
	"  pause: {type: duration, default: 90s}\n"
	"  room: {type: size, default: 10MB}\n"
	"  id: {type: string, pattern: 'Z[0-9]+', default: null}\n"
	"  force: {type: bool, default: false}\n"
	"steps:\n  - {id: a, exec: {argv: [a]}}\n";

static bool
read_text(const struct loader *loader, const char *path, struct str *bytes,
	char **full_path, struct err *err)
{
	(void)err;
	*bytes = str_of(text);
	*full_path = arena_printf(loader->with, "/books/%s", path);
	return true;
}

static bool
no_root(const struct expr_scope *scope, size_t number, struct value *out, struct err *err)
{
	(void)scope;
	(void)number;
	*out = value_null();
	return err_set(err, ERR_ABSENT_KEY, "nothing here");
}

static const char *
apply(struct arena *mem, const struct input_given *given, size_t n, const char **errors)
{
	struct loader loader = {.read = read_text, .types = step_types, .with = mem};
	struct diags diags = {.mem = mem};
	const struct playbook *book = playbook_load(mem, "t.yaml", &loader, &diags);
	struct expr_scope scope = {.root = no_root};
	struct value out;
	struct buf said = buf_in(mem);
	assert_non_null(book);
	inputs_apply(
		book, given, n, &scope, INT64_C(1768827600) * 1000000, mem, &out, &diags);
	for (const struct diag *d = diags.first; d != NULL; d = d->next)
		buf_printf(&said, "%s\n", d->err.msg);
	*errors = buf_cstr(&said);
	return json_text(mem, &out, JSON_COMPACT);
}

static void
texts_become_typed(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	const char *errors;
	struct input_given given[] = {
		{.name = "since", .text = STR("-12m")},
		{.name = "count", .text = STR("3")},
		{.name = "names", .text = STR("[x, 'y z']")},
		{.name = "force", .text = STR("true")},
		{.name = "id", .text = STR("Z12")},
		{.name = "count", .text = STR("4")},
	};
	assert_string_equal(apply(mem, given, 6, &errors),
		"{\"domain\":\"app.example.org\",\"count\":4,"
		"\"since\":\"2026-01-19T12:48:00Z\",\"mode\":\"planned\",\"names\":["
		"\"x\",\"y z\"],"
		"\"pause\":\"90s\",\"room\":10000000,\"id\":\"Z12\",\"force\":true}");
	assert_string_equal(errors, "");
	arena_free(mem);
}

static void
all_that_is_wrong_is_told(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	const char *errors;
	struct value bad = value_int(7);
	struct input_given given[] = {
		{.name = "domian", .text = STR("x")},
		{.name = "count", .text = STR("9")},
		{.name = "mode", .value = &bad},
		{.name = "id", .text = STR("12")},
		{.name = "force", .text = STR("yes")},
		{.name = "pause", .text = STR("soon")},
	};
	apply(mem, given, 6, &errors);
	static const char *const words[] = {
		"'t' has no input 'domian', did you mean 'domain'?",
		"'count' is out of range: at most 5",
		"the input 'since' is needed",
		"'mode' cannot be \"7\"",
		"'id' does not match Z[0-9]+",
		"'force' takes true or false",
		"'pause' takes a duration",
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strstr(errors, words[i]) == NULL)
			fail_msg("'%s' is not told in\n%s", words[i], errors);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_become_typed),
		cmocka_unit_test(all_that_is_wrong_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
