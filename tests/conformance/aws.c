/* The official cases of AWS's protocols against our writers and readers:
 *     aws [--control] [FOLDER]
 * FOLDER/{input,output}/PROTOCOL.json hold the suites. Prints the failing ids with their
 * reasons, and last "N passed, N failed". What is known to fail stands in aws.known with
 * its reason; a case that fails outside of it, or passes in it, fails the suite. With
 * --control each case gets a wrong expectation at one place after another, and none may
 * pass. */
#include <stdio.h>
#include <stdlib.h>

#include "aws_case.h"
#include "conformance.h"

static const char *const files[] = {"input/ec2", "input/json", "input/json_1_0",
	"input/query", "input/rest-json", "input/rest-xml", "output/ec2", "output/json",
	"output/json_1_0", "output/query", "output/rest-json", "output/rest-xml", NULL};

struct tally { struct str known; size_t passed, failed, surprises; };

static bool
is_known(struct str known, const char *id)
{
	for (struct str rest; known.n > 0;)
		if (str_is(str_cut(str_cut(known, '\n', &known), '\t', &rest), id))
			return true;
	return false;
}

static void
count(struct tally *t, const char *id, const char *why)
{
	bool known = is_known(t->known, id);
	*(why == NULL ? &t->passed : &t->failed) += 1;
	t->surprises += (why == NULL) == known;
	if (why != NULL)
		printf("%s: %s%s\n", id, why, known ? " (known)" : "");
	else if (known)
		printf("%s: passes, but stands in aws.known\n", id);
}

/* ---- the control */

static struct value
text_value(const char *text)
{
	return value_str(str_of(text));
}

/* What a wrong expectation says in the place of each member of a case. */
static struct value
wrong(struct arena *mem, struct str name, const struct value *v)
{
	struct map_builder map = {.mem = mem};
	struct list_builder list = {.mem = mem};
	if (v->kind == V_MAP) {
		map_put(&map, "x-control", text_value("control"));
		return map_done(&map);
	}
	if (v->kind == V_LIST) {
		/* Every request of the cases has a method and no such header. */
		list_push(&list, text_value("x-control"));
		return list_done(&list);
	}
	if (str_is(name, "body") && v->str.n > 0 && str_trim(v->str).p[0] == '<')
		return text_value("<control/>");
	return text_value(str_is(name, "body") && v->str.n > 0
			&& str_trim(v->str).p[0] == '{'
		? "{\"control\":1}"
		: "control=1");
}

static struct value
with(struct arena *mem, const struct value *map, struct str name, struct value v)
{
	struct map_builder out = {.mem = mem};
	for (size_t i = 0; i < map->map->n; i++)
		map_put_str(&out, map->map->members[i].key.str,
			str_eq(map->map->members[i].key.str, name)
				? v
				: map->map->members[i].value);
	return map_done(&out);
}

static bool
is_expected(struct str name)
{
	/* A forbidden header that is not there proves nothing when it is another. */
	static const char *const expected[] = {"method", "uri", "body", "headers",
		"requireHeaders", "host", "result", "errorCode", "errorMessage", "error",
		NULL};
	for (size_t i = 0; expected[i] != NULL; i++)
		if (str_is(name, expected[i]))
			return true;
	return false;
}

static void
control_member(struct tally *t, struct arena *mem, const struct value *suite,
	const char *id, struct str name, const struct value *changed)
{
	bool failed = case_run(mem, suite, changed) != NULL;
	*(failed ? &t->passed : &t->failed) += 1;
	t->surprises += !failed;
	if (!failed)
		printf("%s: passes with a wrong %.*s\n", id, STR_FMT(name));
}

static void
control(struct tally *t, struct arena *mem, const struct value *suite,
	const struct value *c, const char *id)
{
	const struct value *said = value_get(c, "serialized"),
			   *where = said != NULL ? said : c;
	for (size_t i = 0; i < where->map->n; i++) {
		const struct member *m = &where->map->members[i];
		if (!is_expected(m->key.str))
			continue;
		struct value changed = with(mem, where, m->key.str,
			wrong(mem, m->key.str, &m->value));
		if (said != NULL)
			changed = with(mem, c, STR("serialized"), changed);
		control_member(t, mem, suite, id, m->key.str, &changed);
	}
}

/* ---- the files */

static void
run_suite(struct tally *t, const char *file, const struct value *suite, bool controls)
{
	const struct value *cases = value_get(suite, "cases");
	struct arena *mem = arena_new();
	for (size_t i = 0; cases != NULL && i < cases->list.n; i++) {
		const struct value *c = &cases->list.items[i];
		struct str name = value_get_str(c, "id");
		const char *id = arena_printf(mem, "%s/%.*s", file, STR_FMT(name));
		if (controls)
			control(t, mem, suite, c, id);
		else
			count(t, id, case_run(mem, suite, c));
		arena_reset(mem);
	}
	arena_free(mem);
}

static bool
run_file(struct tally *t, const char *folder, const char *file, bool controls)
{
	struct arena *mem = arena_new();
	struct str text;
	struct value suites;
	struct err err;
	bool there = conformance_load(
		mem, arena_printf(mem, "%s/%s.json", folder, file), &text);
	if (there && json_parse(mem, text, NULL, &suites, &err)) {
		for (size_t i = 0; i < suites.list.n; i++)
			run_suite(t, file, &suites.list.items[i], controls);
	} else if (there) {
		printf("%s: %s\n", file, err.msg);
		t->surprises++;
	}
	arena_free(mem);
	return there;
}

int
main(int argc, char **argv)
{
	struct arena *mem = arena_new();
	struct tally t = {0};
	const char *root = getenv("RBX_SOURCE");
	bool controls = argc > 1 && strcmp(argv[1], "--control") == 0, there = false;
	argc -= controls;
	argv += controls;
	const char *folder = conformance_path(mem, "aws-protocols", argc, argv);
	conformance_load(mem,
		arena_printf(
			mem, "%s/tests/conformance/aws.known", root == NULL ? "." : root),
		&t.known);
	for (size_t i = 0; files[i] != NULL; i++)
		there |= run_file(&t, folder, files[i], controls);
	if (there)
		printf("%zu passed, %zu failed\n", t.passed, t.failed);
	else
		printf("%s: not there, skipped\n", folder);
	arena_free(mem);
	return there ? t.surprises > 0 || t.passed == 0 : argc > 1 ? 1 : 77;
}
