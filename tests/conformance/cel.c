/* Runs the official cases of CEL: `cel [--prefixes] [FILE.jsonl]`. Each line is a case
 * {id, expr, bindings, types, check, expected | error, type}. Values and errors are
 * counted apart, so that failing on everything scores nothing. Ids that are known to fail
 * stand in cel.known with their reasons; a case that fails outside of it, or passes in
 * it, fails the suite. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "conformance.h"

#include "base/digest.h"
#include "data/expr.h"
#include "data/expr_type.h"

enum { MOST_ROOTS = 16 };

struct bench {
	struct arena *mem;                            /* of one case */
	struct expr_root roots[MOST_ROOTS];
	struct value values[MOST_ROOTS];
	const struct value *places[MOST_ROOTS];
	size_t n;
};

/* {"int": "5"}, {"list": [...]}, ... */
static struct value
typed(struct arena *mem, const struct value *v)
{
	const struct member *member = &v->map->members[0];
	const struct value *in = &member->value;
	struct str kind = member->key.str, text = in->str;
	int64_t i = 0;
	uint64_t u = 0;
	if (str_is(kind, "null"))
		return value_null();
	if (str_is(kind, "bool") || str_is(kind, "string"))
		return *in;
	if (str_is(kind, "int") && str_int(text, &i))
		return value_int(i);
	if (str_is(kind, "uint") && str_uint(text, &u))
		return value_uint(u);
	if (str_is(kind, "double"))
		return value_double(strtod(str_cstr(mem, text), NULL));
	if (str_is(kind, "bytes") && base64_parse(mem, text, &text))
		return value_bytes(text);
	if (str_is(kind, "type"))
		return (struct value){.kind = V_TYPE, .str = text};
	if (str_is(kind, "duration") || str_is(kind, "timestamp"))
		return (struct value){
			.kind = str_is(kind, "duration") ? V_DURATION : V_TIMESTAMP,
			.span = {in->list.items[0].i, (int32_t)in->list.items[1].i}};
	if (str_is(kind, "optional")) {
		struct value *opt = arena_new_of(mem, struct value);
		if (in->kind != V_NULL)
			*opt = typed(mem, in);
		return (struct value){
			.kind = V_OPTIONAL, .opt = in->kind == V_NULL ? NULL : opt};
	}
	struct value *items = arena_array(mem, struct value, in->list.n);
	struct member *members = arena_array(mem, struct member, in->list.n);
	for (size_t k = 0; k < in->list.n; k++)
		if (str_is(kind, "list"))
			items[k] = typed(mem, &in->list.items[k]);
		else
			members[k] = (struct member){
				typed(mem, &in->list.items[k].list.items[0]),
				typed(mem, &in->list.items[k].list.items[1])};
	return str_is(kind, "list") ? value_list(items, in->list.n)
				    : value_map(mem, members, in->list.n);
}

/* "map(string, list(int))" */
static const struct expr_type *
type_from(struct arena *mem, struct str *text)
{
	size_t n = 0;
	while (n < text->n && strchr("(), ", text->p[n]) == NULL)
		n++;
	const struct expr_type *type = type_named((struct str){text->p, n}), *key = NULL;
	*text = str_from(*text, n);
	if (!str_starts(*text, STR("(")))
		return type == NULL ? &expr_dyn : type;
	*text = str_from(*text, 1);
	const struct expr_type *of = type_from(mem, text);
	if (str_starts(*text, STR(", "))) {
		*text = str_from(*text, 2);
		key = of;
		of = type_from(mem, text);
	}
	*text = str_from(*text, 1);
	struct expr_type *made = arena_new_of(mem, struct expr_type);
	*made = (struct expr_type){
		.kind = type == NULL ? V_LIST : type->kind, .key = key, .of = of};
	return made;
}

static void
bind(struct bench *b, const struct value *test)
{
	const struct value *bindings = value_get(test, "bindings"),
			   *types = value_get(test, "types");
	b->n = 0;
	for (size_t i = 0; bindings != NULL && i < bindings->map->n && b->n < MOST_ROOTS;
		i++) {
		const struct member *member = &bindings->map->members[i];
		struct str type = types == NULL
			? STR("dyn")
			: value_get_str(types, str_cstr(b->mem, member->key.str));
		b->values[b->n] = typed(b->mem, &member->value);
		b->places[b->n] = &b->values[b->n];
		b->roots[b->n++] = (struct expr_root){str_cstr(b->mem, member->key.str),
			type_from(b->mem, &type), false};
	}
}

/* As ==, but NaN is NaN and kinds must be the same. */
static bool
same(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == V_DOUBLE && isnan(a->d))
		return isnan(b->d);
	if (a->kind == V_LIST) {
		bool all = a->list.n == b->list.n;
		for (size_t i = 0; all && i < a->list.n; i++)
			all = same(&a->list.items[i], &b->list.items[i]);
		return all;
	}
	return value_equal(a, b);
}

static bool
is_type(struct bench *b, const struct value *test, const struct expr *expr)
{
	struct str want = value_get_str(test, "type");
	return want.p == NULL || str_is(want, expr_type_name(b->mem, expr_type_of(expr)));
}

static bool
passes(struct bench *b, const struct value *test, char *why, size_t size)
{
	const struct value *expected = value_get(test, "expected");
	struct source source = {.name = "case", .text = value_get_str(test, "expr")};
	struct diags diags = {.mem = b->mem};
	struct expr_env env = {
		b->roots, b->n, NULL, NULL, !value_get_bool(test, "check", true)};
	struct expr_scope scope = {.roots = b->places};
	struct value out;
	struct err err;
	bool wants_error = value_get(test, "error") != NULL;
	const struct expr *expr = expr_compile(
		b->mem, source.text, (struct mark){&source, 0, 0}, NULL, &env, &diags);
	if (expr == NULL) {
		snprintf(why, size, "%s", diags.first->err.msg);
		return wants_error;
	}
	if (!is_type(b, test, expr)) {
		snprintf(
			why, size, "type %s", expr_type_name(b->mem, expr_type_of(expr)));
		return false;
	}
	if (value_get_bool(test, "check_only", false))
		return true;
	if (!expr_eval(expr, &scope, b->mem, &out, &err)) {
		snprintf(why, size, "%s", err.msg);
		return wants_error;
	}
	snprintf(why, size, "gave %s", value_short(b->mem, &out, 200));
	if (expected == NULL)
		return false;
	struct value want = typed(b->mem, expected);
	return same(&out, &want);
}

static bool
is_known(struct str known, struct str id)
{
	for (struct str line; known.n > 0;) {
		line = str_cut(known, '\n', &known);
		struct str rest;
		if (str_eq(str_cut(line, '\t', &rest), id))
			return true;
	}
	return false;
}

struct tally {
	size_t values, values_ok, errors, errors_ok, surprises;
};

static void
count(struct tally *t, const struct value *test, struct str known, bool passed,
	const char *why)
{
	struct str id = value_get_str(test, "id");
	bool wants_error = value_get(test, "error") != NULL,
	     expected_fail = is_known(known, id);
	*(wants_error ? &t->errors : &t->values) += 1;
	*(wants_error ? &t->errors_ok : &t->values_ok) += passed;
	t->surprises += passed == expected_fail;
	if (!passed)
		printf("%.*s: %s%s\n", STR_FMT(id), why, expected_fail ? " (known)" : "");
	else if (expected_fail)
		printf("%.*s: passes, but stands in cel.known\n", STR_FMT(id));
}

/* Every beginning of an expression ends in an answer: for the sanitizers. */
static size_t
try_prefixes(struct bench *b, const struct value *test)
{
	struct str all = value_get_str(test, "expr");
	size_t n = 0;
	for (; n <= all.n; n++) {
		struct arena *mem = arena_new();
		struct source source = {
			.name = "case", .text = str_copy(mem, (struct str){all.p, n})};
		struct diags diags = {.mem = mem};
		struct expr_env env = {b->roots, b->n, NULL, NULL, n % 2 == 1};
		struct expr_scope scope = {.roots = b->places};
		struct value out;
		struct err err;
		struct buf told = buf_in(mem);
		const struct expr *expr = expr_compile(mem, source.text,
			(struct mark){&source, 0, 0}, NULL, &env, &diags);
		if (expr == NULL)
			diags_print(&told, &diags, false);
		else if (!expr_eval(expr, &scope, mem, &out, &err))
			diag_print(&told, DIAG_ERROR, &err, false);
		arena_free(mem);
	}
	return n;
}

static void
run(struct str text, struct str known, bool prefixes, struct tally *t)
{
	struct bench b = {.mem = arena_new()};
	struct value test;
	struct err err;
	char why[600];
	for (struct str line; text.n > 0;) {
		line = str_cut(text, '\n', &text);
		if (line.n == 0)
			continue;
		if (!json_parse(b.mem, line, NULL, &test, &err)) {
			printf("a line is no JSON: %s\n", err.msg);
			t->surprises++;
			continue;
		}
		bind(&b, &test);
		if (prefixes)
			t->values += try_prefixes(&b, &test);
		else
			count(t, &test, known, passes(&b, &test, why, sizeof why), why);
		arena_reset(b.mem);
	}
	arena_free(b.mem);
}

int
main(int argc, char **argv)
{
	struct arena *mem = arena_new();
	struct tally t = {.values = 0};
	const char *root = getenv("RBX_SOURCE");
	bool prefixes = argc > 1 && strcmp(argv[1], "--prefixes") == 0;
	if (prefixes) {
		argv++;
		argc--;
	}
	const char *path = conformance_path(mem, "cel/cases.jsonl", argc, argv);
	struct str text, known = {NULL, 0};
	if (!conformance_load(mem, path, &text)) {
		printf("%s: not there, skipped\n", path);
		arena_free(mem);
		return argc > 1 ? 1 : 77;
	}
	conformance_load(mem,
		arena_printf(
			mem, "%s/tests/conformance/cel.known", root == NULL ? "." : root),
		&known);
	run(text, known, prefixes, &t);
	size_t passed = t.values_ok + t.errors_ok, all = t.values + t.errors;
	if (prefixes)
		printf("%zu prefixes\n", t.values);
	else
		printf("values %zu of %zu, errors %zu of %zu\n%zu passed, %zu failed\n",
			t.values_ok, t.values, t.errors_ok, t.errors, passed,
			all - passed);
	arena_free(mem);
	return t.surprises > 0;
}
