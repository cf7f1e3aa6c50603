/* Evaluates each expression of expr.test and of docs/expressions.md and compares what
 * comes out, message, place and hint included, with what is written there. `expr_golden
 * FILE write` writes it anew.
 *
 * In expr.test a line `> expression` is followed by what it gives: `= value: type`, or
 * the message indented. In a page of docs a line of a ```cel block is `expression   //
 * result`; without a result it must give true. */
#include <stdio.h>
#include <stdlib.h>

#include "../conformance/conformance.h"
#include "data/expr.h"

struct named {
	const char *name;
	const struct expr_type *type;
	bool maybe, secret;
};

static bool
find(const struct expr_type *type, struct str name, struct expr_member *out,
	struct err *why)
{
	for (const struct named *n = type->with; n->name != NULL; n++)
		if (str_is(name, n->name)) {
			*out = (struct expr_member){n->type, n->maybe, n->secret};
			return true;
		}
	return err_set(why, ERR_UNKNOWN_NAME, "there is no '%.*s' here", STR_FMT(name));
}

static const char *const *
names(const struct expr_type *type, struct arena *mem)
{
	const char **list = arena_array(mem, const char *, 16);
	size_t i = 0;
	for (const struct named *n = type->with; n->name != NULL; n++)
		list[i++] = n->name;
	return list;
}

static const struct expr_type hosts = {.kind = V_LIST, .of = &expr_string};
static const struct named input_names[] = {
	{"domain", &expr_string, false, false},
	{"mode", &expr_string, false, false},
	{"count", &expr_int, false, false},
	{"ratio", &expr_double, false, false},
	{"down_since", &expr_timestamp, false, false},
	{"forced", &expr_bool, false, false},
	{"hosts", &hosts, false, false},
	{NULL, NULL, false, false},
};
static const struct named output_names[] = {
	{"lag", &expr_int, true, false},
	{"url", &expr_string, true, false},
	{NULL, NULL, false, false},
};
static const struct expr_type outputs_type = {
	.kind = V_MAP, .find = find, .names = names, .with = output_names};
static const struct named step_names[] = {
	{"status", &expr_string, false, false},
	{"outputs", &outputs_type, false, false},
	{NULL, NULL, false, false},
};
static const struct expr_type step_type = {
	.kind = V_MAP, .find = find, .names = names, .with = step_names};
static const struct named steps_names[] = {
	{"dump", &step_type, false, false},
	{"copy", &step_type, false, false},
	{NULL, NULL, false, false},
};
static const struct named objective_names[] = {
	{"rpo", &expr_duration, false, false},
	{"rto", &expr_duration, false, false},
	{NULL, NULL, false, false},
};
static const struct expr_type inputs_type = {
	.kind = V_MAP, .find = find, .names = names, .with = input_names};
static const struct expr_type steps_type = {
	.kind = V_MAP, .find = find, .names = names, .with = steps_names};
static const struct expr_type objectives_type = {
	.kind = V_MAP, .find = find, .names = names, .with = objective_names};

enum { ROOTS = 8 };

static const struct expr_root roots[ROOTS] = {
	{"inputs", &inputs_type, false},
	{"steps", &steps_type, false},
	{"objectives", &objectives_type, false},
	{"secrets", &expr_map, true},
	{"self", &expr_dyn, false},
	{"now", &expr_timestamp, false},
	{"later", &expr_dyn, false},
	{"vars", &expr_dyn, false},
};

static const char *const data[ROOTS] = {
	"{\"domain\": \"app.example.org\", \"mode\": \"planned\", \"count\": 3, "
	"\"ratio\": 0.5, \"forced\": false,"
	" \"hosts\": [\"db1\", \"db2\"]}",
	"{\"dump\": {\"status\": \"done\", \"outputs\": {\"lag\": 12, \"url\": "
	"\"s3://b/k\"}},"
	" \"copy\": {\"status\": \"skipped\", \"outputs\": {}}}",
	"{}",
	"{\"token\": \"hunter2hunter2\", \"empty\": \"\"}",
	"{\"status\": 200, \"stdout\": \"lag=42 ok\", \"version\": \"14.9\", \"none\": "
	"null, \"rows\":"
	" [{\"n\": 7, \"name\": \"a\"}, {\"n\": 3, \"name\": \"b\"}], \"headers\": "
	"{\"content-type\": \"text/html\"},"
	" \"DBInstances\": [{\"DBInstanceIdentifier\": \"db1\", \"DBInstanceStatus\": "
	"\"available\"},"
	" {\"DBInstanceIdentifier\": \"db2\", \"DBInstanceStatus\": \"backing-up\"}],"
	" \"LatestRestorableTime\": \"2026-01-19T12:57:00Z\"}",
	NULL,
	NULL,
	"{\"limits\": {\"cpu\": 2}, \"tags\": {\"env\": \"staging\"}}",
};

static struct value
with_members(struct arena *mem, struct value map, const char *a, struct value x,
	const char *b, struct value y)
{
	struct map_builder made = {.mem = mem};
	for (size_t i = 0; i < map.map->n; i++)
		map_put_str(
			&made, map.map->members[i].key.str, map.map->members[i].value);
	map_put(&made, a, x);
	if (b != NULL)
		map_put(&made, b, y);
	return map_done(&made);
}

static void
fill(struct arena *mem, struct value values[ROOTS])
{
	struct err err;
	struct span time;
	for (size_t i = 0; i < ROOTS; i++)
		if (data[i] != NULL
			&& !json_parse(mem, str_of(data[i]), NULL, &values[i], &err))
			abort();
	time_parse(STR("2026-01-19T12:50:00Z"), &time, &err);
	values[0] = with_members(
		mem, values[0], "down_since", value_timestamp(time), NULL, value_null());
	values[2] = with_members(mem, values[2], "rpo", value_duration_ns(6 * NS_H),
		"rto", value_duration_ns(10 * NS_MIN));
	time_parse(STR("2026-01-19T13:00:00Z"), &time, &err);
	values[5] = value_timestamp(time);
	values[6] = value_unknown(STR("only a real run knows the result of 'dump'"));
}

/* What an expression gives, as expr.test shows it. */
static void
evaluate(struct arena *mem, struct str text, struct buf *out)
{
	struct value values[ROOTS], v;
	const struct value *places[ROOTS];
	struct source source = {.name = "expr", .text = text};
	struct expr_env env = {.roots = roots, .n_roots = ROOTS};
	struct diags diags = {.mem = mem};
	struct err err;
	fill(mem, values);
	for (size_t i = 0; i < ROOTS; i++)
		places[i] = &values[i];
	struct expr_scope scope = {.roots = places};
	const struct expr *expr =
		expr_compile(mem, text, (struct mark){&source, 0, 0}, NULL, &env, &diags);
	if (expr == NULL) {
		diags_print(out, &diags, false);
	} else if (!expr_eval(expr, &scope, mem, &v, &err)) {
		buf_puts(out, "when evaluated: ");
		diag_print(out, DIAG_ERROR, &err, false);
	} else {
		buf_printf(out, "= %s: %s%s\n",
			v.kind == V_UNKNOWN ? "unknown" : value_short(mem, &v, 2000),
			expr_type_name(mem, expr_type_of(expr)),
			value_is_secret(&v) ? ", secret" : "");
	}
}

static void
render_cases(struct arena *mem, struct str text, struct buf *out)
{
	while (text.n > 0) {
		struct str line = str_cut(text, '\n', &text);
		if (str_starts(line, STR("#")) || line.n == 0) {
			buf_add(out, line);
			buf_putc(out, '\n');
		} else if (str_starts(line, STR("> "))) {
			buf_add(out, line);
			buf_putc(out, '\n');
			evaluate(mem, str_from(line, 2), out);
		}
	}
}

static void
render_example(struct arena *mem, struct str line, struct buf *out)
{
	size_t at = str_find(line, STR("   // "));
	struct buf made = buf_in(mem);
	struct str rest;
	evaluate(mem, str_trim((struct str){line.p, at}), &made);
	struct str result = str_cut(buf_str(&made), '\n', &rest);
	bool good = str_starts(result, STR("= "));
	if (good)
		result = (struct str){result.p + 2, result.n - 2};
	for (size_t i = result.n; good && i > 1; i--)
		if (result.p[i - 1] == ' ' && result.p[i - 2] == ':') {
			result.n = i - 2;
			break;
		}
	buf_add(out, (struct str){line.p, at});
	if (!str_is(result, "true") || at < line.n)
		buf_printf(out, "   // %.*s", STR_FMT(result));
	buf_putc(out, '\n');
}

static void
render_functions(struct buf *out)
{
	size_t n;
	const struct expr_function *rows = expr_functions(&n);
	buf_puts(out, "| function | gives | example |\n|---|---|---|\n");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "| `%s` | %s | `%s` |\n", rows[i].signature,
			rows[i].summary, rows[i].example);
}

/* A page: examples in ```cel blocks, and the table of functions between two marks. */
static void
render_page(struct arena *mem, struct str text, struct buf *out)
{
	bool code = false, table = false;
	while (text.n > 0) {
		struct str line = str_cut(text, '\n', &text);
		table = table && !str_starts(line, STR("<!-- end"));
		if (table)
			continue;
		if (str_starts(line, STR("```")))
			code = str_is(line, "```cel");
		else if (code && line.n > 0) {
			render_example(mem, line, out);
			continue;
		}
		buf_add(out, line);
		buf_putc(out, '\n');
		if (str_is(line, "<!-- functions -->")) {
			table = true;
			render_functions(out);
		}
	}
}

static void
tell_difference(struct str old, struct str new)
{
	struct str a, b;
	for (unsigned number = 1; old.n > 0 || new.n > 0; number++) {
		a = str_cut(old, '\n', &old);
		b = str_cut(new, '\n', &new);
		if (!str_eq(a, b)) {
			printf("line %u is\n  %.*s\nit should be\n  %.*s\n", number,
				STR_FMT(a), STR_FMT(b));
			return;
		}
	}
}

int
main(int argc, char **argv)
{
	struct arena *mem = arena_new();
	struct str text;
	struct buf out = buf_in(mem);
	if (argc < 2 || !conformance_load(mem, argv[1], &text)) {
		printf("want a file\n");
		return 2;
	}
	if (str_ends(str_of(argv[1]), STR(".md")))
		render_page(mem, text, &out);
	else
		render_cases(mem, text, &out);
	bool same = str_eq(text, buf_str(&out));
	if (!same && argc > 2) {
		FILE *file = fopen(argv[1], "wb");
		fwrite(out.p, 1, out.n, file);
		fclose(file);
	} else if (!same) {
		tell_difference(text, buf_str(&out));
	}
	printf("%s: %s\n", argv[1],
		same               ? "as written"
			: argc > 2 ? "written anew"
				   : "differs");
	arena_free(mem);
	return !same && argc <= 2;
}
