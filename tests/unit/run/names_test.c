#include "../unit.h"

#include "run/scope.h"

/* a: a block in steps, looped; in it b and a group c with d; c has a `finally` with e; b
 * has an undo step u; h is a handler. */
static struct node a, b, c, d, e, u, h;
static struct node *c_finally[] = {&e}, *b_undo[] = {&u};

static void
plant(void)
{
	a = (struct node){.id = "a", .kind = NODE_BLOCK, .part = PART_STEPS};
	b = (struct node){.id = "b",
		.parent = &a,
		.part = PART_STEPS,
		.undo_steps = b_undo,
		.n_undo_steps = 1};
	c = (struct node){.id = "c", .kind = NODE_BLOCK, .parent = &a, .part = PART_STEPS,
		.finally = c_finally, .n_finally = 1};
	d = (struct node){.id = "d", .parent = &c, .part = PART_STEPS};
	e = (struct node){.id = "e", .parent = &c, .part = PART_STEPS};
	u = (struct node){.id = "u", .parent = &b, .part = PART_STEPS};
	h = (struct node){.id = "h", .part = PART_ON_FAILURE};
}

static void
siblings_share_their_items(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	plant();
	assert_string_equal(path_towards(mem, &d, "a[2]/c/d", &b), "a[2]/b");
	assert_string_equal(path_towards(mem, &b, "a[2]/b", &d), "a[2]/c/d");
	assert_string_equal(path_towards(mem, &e, "a[0]/c/finally/e", &d), "a[0]/c/d");
	assert_string_equal(path_towards(mem, &d, "a[0]/c/d", &e), "a[0]/c/finally/e");
	arena_free(mem);
}

static void
lists_of_the_run_have_their_names(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	plant();
	assert_string_equal(path_towards(mem, &h, "on_failure/h", &a), "a");
	assert_string_equal(path_towards(mem, &a, "a", &h), "on_failure/h");
	assert_string_equal(path_towards(mem, NULL, "", &a), "a");
	arena_free(mem);
}

static void
an_undo_step_stands_below_its_step(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	plant();
	assert_string_equal(path_around(mem, &u, "a[1]/b/undo/u", &b), "a[1]/b");
	assert_string_equal(path_around(mem, &u, "a[1]/b/undo/u", &a), "a[1]");
	assert_string_equal(path_around(mem, &d, "a[1]/c/d", &d), "a[1]/c/d");
	assert_string_equal(path_towards(mem, &u, "a[1]/b/undo/u", &d), "a[1]/c/d");
	arena_free(mem);
}

static void
recorded_values_get_their_types_back(void **state)
{
	(void)state;
	static const struct { const char *text; int64_t s; int32_t ns;
	} spans[] = {
		{"90s", 90, 0},
		{"1.5s", 1, 500000000},
		{"-1.5s", -2, 500000000},
		{"-3s", -3, 0},
		{"0s", 0, 0},
	};
	struct arena *mem = arena_new();
	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
		struct value text = value_str(str_of(spans[i].text));
		struct value v = typed_value(mem, &text, &expr_duration);
		assert_int_equal(v.kind, V_DURATION);
		assert_int_equal(v.span.s, spans[i].s);
		assert_int_equal(v.span.ns, spans[i].ns);
	}
	struct value time = value_str(STR("2026-01-19T13:00:00Z")), one = value_int(1),
		     odd = value_str(STR("1.5m"));
	assert_int_equal(typed_value(mem, &time, &expr_timestamp).kind, V_TIMESTAMP);
	assert_int_equal(typed_value(mem, &time, &expr_string).kind, V_STRING);
	assert_int_equal(typed_value(mem, &one, &expr_double).kind, V_DOUBLE);
	assert_int_equal(typed_value(mem, &odd, &expr_duration).kind, V_STRING);
	assert_int_equal(typed_input(mem, &time, "timestamp").kind, V_TIMESTAMP);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siblings_share_their_items),
		cmocka_unit_test(lists_of_the_run_have_their_names),
		cmocka_unit_test(an_undo_step_stands_below_its_step),
		cmocka_unit_test(recorded_values_get_their_types_back),
	};
	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
