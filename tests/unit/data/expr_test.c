#include "../unit.h"

#include <stdio.h>
#include <time.h>

#include "data/expr.h"
#include "data/json.h"
#include "data/regex.h"
#include "data/template.h"
#include "data/zone.h"

/* Counts what the C library is asked for. */
static size_t asked;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

void *
__wrap_malloc(size_t n)
{
	asked++;
	return __real_malloc(n);
}

struct bench {
	struct arena *mem;
	struct source source;
	struct diags diags;
	struct value self, later, secrets;
	const struct value *places[3];
	struct expr_scope scope;
};

static const struct expr_root roots[] = {
	{"self", &expr_dyn, false},
	{"later", &expr_dyn, false},
	{"secrets", &expr_map, true},
};
static const struct expr_env env = {.roots = roots, .n_roots = 3};

static void
bench_open(struct bench *b)
{
	struct err err;
	*b = (struct bench){.mem = arena_new(), .source = {.name = "t"}};
	b->diags.mem = b->mem;
	assert_ok(json_parse(b->mem,
		STR("{\"status\":\"available\",\"items\":[1,2,3,4,5,6,7,8,9,10,11,12,13,"
		    "14,15,"
		    "16,17,18,19,20],\"steps\":{\"a\":{\"outputs\":{\"n\":5}}}}"),
		NULL, &b->self, &err));
	assert_ok(json_parse(
		b->mem, STR("{\"p\":\"hunter2hunter2\"}"), NULL, &b->secrets, &err));
	b->later = value_unknown(STR("later"));
	b->places[0] = &b->self;
	b->places[1] = &b->later;
	b->places[2] = &b->secrets;
	b->scope.roots = b->places;
}

static const struct expr *
compile(struct bench *b, struct str text)
{
	b->source.text = text;
	b->diags = (struct diags){.mem = b->mem};
	return expr_compile(
		b->mem, text, (struct mark){&b->source, 0, 0}, NULL, &env, &b->diags);
}

static bool
evaluate(struct bench *b, struct str text, struct value *out, struct err *err)
{
	const struct expr *expr = compile(b, text);
	if (expr == NULL) {
		*err = b->diags.first->err;
		return false;
	}
	return expr_eval(expr, &b->scope, b->mem, out, err);
}

static void
examples_of_the_table_hold(void **state)
{
	struct bench b;
	struct value v;
	struct err err;
	size_t n;
	const struct expr_function *rows = expr_functions(&n);
	(void)state;
	bench_open(&b);
	assert_true(n > 150);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			assert_true(strcmp(rows[i - 1].name, rows[i].name) <= 0);
		if (!evaluate(&b, str_of(rows[i].example), &v, &err))
			fail_msg("%s: %s", rows[i].example, err.msg);
		if (v.kind != V_BOOL || !v.b)
			fail_msg("%s gives %s", rows[i].example,
				value_short(b.mem, &v, 200));
	}
	arena_free(b.mem);
}

static void
evaluation_asks_for_no_memory(void **state)
{
	static const char *const texts[] = {
		"self.status == 'available'",
		"self.items.exists(i, i == 20)",
		"self.items.map(i, string(i)).join(',')",
		"self.steps.a.outputs.?n.orValue(0) + 1",
		"self.status.matches('^a[a-z]+$')",
		"'%s %d'.format([self.status, 3])",
		"json.marshal(self)",
		"timestamp('2026-01-19T13:00:00Z').getHours('Asia/Tokyo')",
		"self.status > 'a' ? [1, 2].sum() : 0",
		"regex.replace(self.status, 'a', 'b')",
	};
	struct bench b;
	struct value v;
	struct err err;
	(void)state;
	bench_open(&b);
	struct arena *mem = arena_new();
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct expr *expr = compile(&b, str_of(texts[i]));
		assert_non_null(expr);
		assert_ok(expr_eval(expr, &b.scope, mem, &v, &err));
		arena_reset(mem);
		size_t before = asked;
		assert_ok(expr_eval(expr, &b.scope, mem, &v, &err));
		assert_int_equal(asked, before);
		arena_reset(mem);
	}
	arena_free(mem);
	arena_free(b.mem);
}

static void
budget_ends_everything_soon(void **state)
{
	static const char *const texts[] = {
		"lists.range(1000).all(a, lists.range(1000).all(b, "
		"lists.range(1000).all(c, a + b + c >= 0)))",
		"lists.range(1000000).map(x, x)",
		"lists.range(100000).map(x, [x, x, x, x, x, x, x, x, x, x, x, x])",
		"lists.range(200000).map(x, string(x)).join(',').size() < 0",
		"cel.bind(a, 'xxxxxxxxxxxxxxxx', cel.bind(b, a+a+a+a+a+a+a+a, "
		"cel.bind(c, b+b+b+b+b+b+b+b, cel.bind(d,"
		" c+c+c+c+c+c+c+c, cel.bind(e, d+d+d+d+d+d+d+d, cel.bind(f, "
		"e+e+e+e+e+e+e+e, f+f+f+f+f+f+f+f))))))",
		"lists.range(100000).map(x, "
		"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.matches('^(a+)+$'))",
		"lists.range(100000).exists(x, 1 / 0 > x)",
		"'a'.replace('', 'b', 9999999) == lists.range(3000).map(x,"
		" 'aaaaaaaaaaaaaaaaaaaaaaa').join('').replace('', "
		"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')"
		".replace('', "
		"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"')",
		"lists.range(3000).distinct().size()",
		"lists.range(3000).map(x, {string(x): x}).sort()",
	};
	struct bench b;
	struct value v;
	struct err err;
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		bench_open(&b);
		size_t before = arena_used(b.mem);
		clock_t start = clock();
		if (evaluate(&b, str_of(texts[i]), &v, &err))
			fail_msg("%s ends with %s", texts[i], value_short(b.mem, &v, 60));
		double ms = (double)(clock() - start) * 1000 / CLOCKS_PER_SEC;
		if (arena_used(b.mem) - before > (size_t)40 << 20)
			fail_msg("%s: %zu bytes", texts[i], arena_used(b.mem) - before);
		if (ms > 500)
			fail_msg("%s: %.0f ms", texts[i], ms);
		printf("# %.0f ms, %zu KiB: %.60s: %s\n", ms,
			(arena_used(b.mem) - before) >> 10, texts[i], err.msg);
		arena_free(b.mem);
	}
}

static void
depth_is_limited(void **state)
{
	static const char *const pieces[] = {"(", "[", "-", "!", "{1:", "f(", "1+",
		"a.b(", "true?1:", "a[", "x&&(", "'a'+("};
	struct bench b;
	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		bench_open(&b);
		struct buf text = buf_in(b.mem);
		while (text.n < 60000)
			buf_puts(&text, pieces[i]);
		assert_null(compile(&b, buf_str(&text)));
		arena_free(b.mem);
	}
	bench_open(&b);
	struct buf text = buf_in(b.mem);
	for (int i = 0; i < 200; i++)
		buf_puts(&text, "1 + ");
	buf_puts(&text, "1");
	assert_non_null(compile(&b, buf_str(&text)));
	struct buf chain = buf_in(b.mem);
	for (int i = 0; i < 5000; i++)
		buf_puts(&chain, "true && ");
	buf_puts(&chain, "true");
	assert_non_null(compile(&b, buf_str(&chain)));
	arena_free(b.mem);
}

static void
put_path(const struct str *names, size_t n, void *with)
{
	struct buf *out = with;
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%.*s", i > 0 ? "." : " ", STR_FMT(names[i]));
}

static void
put_id(struct str id, void *with)
{
	buf_printf(with, " %.*s", STR_FMT(id));
}

static void
reads_and_guards_are_told(void **state)
{
	struct bench b;
	static const struct expr_root steps[] = {
		{"steps", &expr_dyn, false}, {"run", &expr_dyn, false}};
	struct expr_env own = {.roots = steps, .n_roots = 2};
	(void)state;
	bench_open(&b);
	struct buf reads = buf_in(b.mem), guards = buf_in(b.mem);
	const struct expr *expr = expr_compile(b.mem,
		STR("steps.a.status == 'done' && ('done' == steps['b'].status && "
		    "steps.c.outputs.list[run.n].x > 1) && run.elapsed > 3"),
		(struct mark){NULL, 0, 0}, NULL, &own, &b.diags);
	assert_non_null(expr);
	expr_reads(expr, put_path, &reads);
	expr_guards(expr, put_id, &guards);
	assert_str(buf_str(&reads),
		" steps.a.status steps.b.status steps.c.outputs.list run.n run.elapsed");
	assert_str(buf_str(&guards), " a b");
	assert_true(expr_reads_root(expr, "run"));
	assert_false(expr_reads_root(expr, "self"));
	arena_free(b.mem);
}

static void
templates_keep_types_and_secrets(void **state)
{
	struct bench b;
	struct value tree, v, back;
	struct err err;
	(void)state;
	bench_open(&b);
	assert_ok(json_parse(b.mem,
		STR("{\"n\":\" ${{ self.items[1] }}\\n\",\"t\":\"n=${{ self.items[1] }} "
		    "$${{ x }}\","
		    "\"s\":\"pw ${{ secrets.p }}\",\"m\":\"${{ {\\\"a\\\": {\\\"b\\\": "
		    "'}}'}} }}\",\"u\":\"x${{ later }}\","
		    "\"k\":{\"$expr\":\"plain\"}}"),
		NULL, &tree, &err));
	const struct template *template =
		template_compile(b.mem, &tree, &env, 0, NULL, &b.diags);
	assert_non_null(template);
	assert_true(template_is_secret(template));
	assert_ok(template_eval(template, &b.scope, b.mem, &v, &err));
	assert_int_equal(value_get_int(&v, "n", 0), 2);
	assert_str(value_get_str(&v, "t"), "n=2 ${{ x }}");
	assert_str(value_get_str(&v, "s"), "pw hunter2hunter2");
	assert_true(value_get(&v, "s")->flags & VALUE_SECRET);
	assert_str(str_of(json_text(b.mem, value_get(&v, "m"), 0)),
		"{\"a\":{\"b\":\"}}\"}}");
	assert_int_equal(value_get(&v, "u")->kind, V_UNKNOWN);
	struct value recorded = template_record(template, &v, b.mem);
	const char *text = json_text(b.mem, &recorded, 0);
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "{\"$expr\":\"pw ${{ secrets.p }}\"}"));
	assert_non_null(strstr(text, "{\"$plain\":{\"$expr\":\"plain\"}}"));
	assert_ok(template_restore(b.mem, &recorded, &env, &b.scope, &back, &err));
	assert_true(value_equal(&v, &back));
	assert_true(value_is_secret(value_get(&back, "s")));
	arena_free(b.mem);
}

static void
templates_refuse_what_has_no_text(void **state)
{
	static const struct {
		const char *text;
		unsigned rules;
		const char *message;
	} cases[] = {
		{"\"a ${{ [1] }}\"", 0, "list(int) cannot be put into a text"},
		{"\"${{ {} }}\"", TEMPLATE_TEXT, "cannot be put"},
		{"\"echo ${{ self }}\"", TEMPLATE_NONE, "cannot stand in this text"},
		{"\"${{ secrets.p }}\"", TEMPLATE_NO_SECRET,
			"a secret cannot stand here"},
		{"\"x ${{ 1\"", 0, "is not closed"},
		{"\"${{ '}} }}\"", 0, "is not closed"},
		{"{\"${{ 1 }}\": 2}", 0, "in the name of a member"},
		{"\"${{ optional.none() }}\"", 0, "cannot leave an expression"},
		{"\"${{ }}\"", 0, "the expression is empty"},
	};
	struct bench b;
	struct value tree;
	struct err err;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bench_open(&b);
		assert_ok(json_parse(b.mem, str_of(cases[i].text), NULL, &tree, &err));
		assert_null(template_compile(
			b.mem, &tree, &env, cases[i].rules, NULL, &b.diags));
		if (strstr(b.diags.first->err.msg, cases[i].message) == NULL)
			fail_msg("%s: %s", cases[i].text, b.diags.first->err.msg);
		arena_free(b.mem);
	}
}

static void
patterns_are_those_of_re2(void **state)
{
	static const struct { const char *pattern; bool good;
	} cases[] = {
		{"^a+b*?[^]x]{1,3}\\d\\pL\\x{41}(?:b)(?P<n>c)(?i:d)\\Q(*\\E$", true},
		{"a{,3}", true},
		{"", true},
		{"\\1", false},
		{"(?=a)", false},
		{"(?<!a)", false},
		{"(?>a)", false},
		{"a*+", false},
		{"a{2}+", false},
		{"(?R)", false},
		{"(?(1)a)", false},
		{"(?C1)", false},
		{"(*ACCEPT)", false},
		{"\\K", false},
		{"\\R", false},
		{"\\C", false},
		{"(?|a)", false},
		{"(?#a)", false},
		{"a{1001}", false},
		{"(", false},
		{"[a", false},
		{"\\", false},
	};
	struct arena *mem = arena_new();
	const struct regex *regex;
	struct err err;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (regex_compile(mem, str_of(cases[i].pattern), &regex, &err)
			!= cases[i].good)
			fail_msg("%s: %s", cases[i].pattern,
				cases[i].good ? err.msg : "was taken");
	assert_ok(regex_compile(mem, STR("(a+)+$"), &regex, &err));
	assert_false(regex_find(regex, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
		0, NULL, 0, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_false(regex_matches_whole(regex, STR("ab"), &err));
	assert_int_equal(err.code, ERR_NONE);
	arena_free(mem);
}

static void
zones_know_their_past_and_future(void **state)
{
	static const struct { const char *zone; int64_t utc; int32_t offset;
	} cases[] = {
		{"UTC", 0, 0},
		{"+02:30", 0, 9000},
		{"-00:30", 0, -1800},
		{"02:00", 0, 7200},
		{"Europe/Berlin", 1768824000, 3600},
		{"Europe/Berlin", 1784462400, 7200},
		{"America/New_York", 1234567890, -18000},
		{"America/New_York", 4118083200, -14400}, /* July 2100 */
		{"Australia/Sydney", 4102444800, 39600},
		{"Asia/Kolkata", 4102444800, 19800},
	};
	struct arena *mem = arena_new();
	const struct zone *zone;
	struct err err;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_ok(zone_load(mem, str_of(cases[i].zone), &zone, &err));
		if (zone_offset(zone, cases[i].utc) != cases[i].offset)
			fail_msg(
				"%s: %d", cases[i].zone, zone_offset(zone, cases[i].utc));
	}
	assert_false(zone_load(mem, STR("../../../etc/passwd"), &zone, &err));
	assert_false(zone_load(mem, STR("/etc/localtime"), &zone, &err));
	assert_false(zone_load(mem, STR("Europe"), &zone, &err));
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_table_hold),
		cmocka_unit_test(evaluation_asks_for_no_memory),
		cmocka_unit_test(budget_ends_everything_soon),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(reads_and_guards_are_told),
		cmocka_unit_test(templates_keep_types_and_secrets),
		cmocka_unit_test(templates_refuse_what_has_no_text),
		cmocka_unit_test(patterns_are_those_of_re2),
		cmocka_unit_test(zones_know_their_past_and_future),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
