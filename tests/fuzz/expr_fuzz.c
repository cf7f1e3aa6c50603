/* Scans, parses, checks, compiles and evaluates whatever comes. The first byte chooses
 * whether the checker is off. The same text must give the same twice, and a result must
 * survive being written. */
#include <stdlib.h>

#include "data/expr.h"
#include "data/expr_scan.h"
#include "data/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct expr_root roots[] = {
	{"self", &expr_dyn, false},
	{"later", &expr_dyn, false},
	{"secrets", &expr_map, true},
	{"n", &expr_int, false},
	{"now", &expr_timestamp, false},
};

static void
fill(struct arena *mem, struct value values[5])
{
	struct err err;
	if (!json_parse(mem,
		    STR("{\"a\":[1,2.5,\"x\",null,true,{\"b\":{}}],\"s\":\"te\\u00e9xt\","
			"\"big\":18446744073709551615}"),
		    NULL, &values[0], &err)
		|| !json_parse(
			mem, STR("{\"p\":\"hunter2hunter2\"}"), NULL, &values[2], &err))
		abort();
	values[1] = value_unknown(STR("later"));
	values[3] = value_int(-7);
	values[4] = value_time_us(1768824000000000);
}

/* No message may show the secret, unless somebody wrote it. */
static void
look(struct str text, const struct err *err)
{
	if (str_find(text, STR("hunter2")) < text.n)
		return;
	if (strstr(err->msg, "hunter2") != NULL || strstr(err->hint, "hunter2") != NULL)
		abort();
}

static void
run(struct str text, bool unchecked, struct buf *out)
{
	struct value values[5], v;
	const struct value *places[5];
	struct source source = {.name = "fuzz", .text = text};
	struct expr_env env = {roots, 5, NULL, NULL, unchecked};
	struct diags diags = {.mem = out->mem};
	struct err err;
	fill(out->mem, values);
	for (size_t i = 0; i < 5; i++)
		places[i] = &values[i];
	struct expr_scope scope = {.roots = places};
	const struct expr *expr = expr_compile(
		out->mem, text, (struct mark){&source, 0, 0}, NULL, &env, &diags);
	if (expr == NULL) {
		if (diags.first == NULL)
			abort();
		diags_print(out, &diags, false);
	} else if (!expr_eval(expr, &scope, out->mem, &v, &err)) {
		look(text, &err);
		diag_print(out, DIAG_ERROR, &err, false);
	} else {
		json_write(out, &v, JSON_MASK);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n == 0)
		return 0;
	struct arena *mem = arena_new();
	struct buf one = buf_in(mem), two = buf_in(mem);
	struct str text = {(const char *)bytes + 1, n - 1};
	scan_extent(text);
	run(text, bytes[0] & 1, &one);
	run(text, bytes[0] & 1, &two);
	if (!str_eq(buf_str(&one), buf_str(&two)))
		abort();
	arena_free(mem);
	return 0;
}
