/* One line a row: "name nanoseconds", the best of several rounds. bench/expr runs it
 * beside its peers. */
#include <stdio.h>
#include <time.h>

#include "data/expr.h"
#include "data/json.h"

/* Many short rounds, so that one of them finds the machine quiet. */
enum { ROUNDS = 100 };

struct row {
	const char *name, *text;
	long times;
	bool compiles;
};

static const struct row rows[] = {
	{"path_compare", "self.db.status == 'available'", 10000, false},
	{"exists_20", "self.items.exists(i, i == 20)", 2000, false},
	{"map_filter_20", "self.items.filter(i, i > 10).map(i, i * 2)", 1000, false},
	{"text_join", "self.db.status + '-' + self.db.zone", 5000, false},
	{"compile", "self.db.status == 'available'", 1000, true},
};

static const struct expr_root roots[] = {{"self", &expr_dyn, false}};
static const struct expr_env env = {.roots = roots, .n_roots = 1};

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double
measure(const struct row *row, const struct value *self)
{
	struct arena *mem = arena_new(), *kept = arena_new();
	struct source source = {.name = "bench", .text = str_of(row->text)};
	struct diags diags = {.mem = kept};
	struct mark at = {&source, 0, 0};
	const struct expr_scope scope = {.roots = &self};
	const struct expr *expr = expr_compile(kept, source.text, at, NULL, &env, &diags);
	struct value out;
	struct err err;
	double start = now();
	for (long i = 0; i < row->times; i++) {
		if (row->compiles)
			expr = expr_compile(mem, source.text, at, NULL, &env, &diags);
		if (expr == NULL
			|| (!row->compiles && !expr_eval(expr, &scope, mem, &out, &err)))
			printf("# %s failed\n", row->name);
		arena_reset(mem);
	}
	double took = (now() - start) / (double)row->times;
	arena_free(mem);
	arena_free(kept);
	return took;
}

int
main(void)
{
	struct arena *mem = arena_new();
	struct value self;
	struct err err;
	if (!json_parse(mem,
		    STR("{\"db\":{\"id\":\"db1\",\"zone\":\"us-west-1a\",\"status\":"
			"\"available\"},"
			"\"items\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]"
			"}"),
		    NULL, &self, &err))
		return 1;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double best = 1e18;
		for (int round = 0; round < ROUNDS; round++) {
			double took = measure(&rows[i], &self);
			best = took < best ? took : best;
		}
		printf("%s %.0f\n", rows[i].name, best);
	}
	arena_free(mem);
	return 0;
}
