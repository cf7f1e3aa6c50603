#include "../unit.h"

#include "data/json.h"

static void
numbers_are_kept(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct err err;
	struct value v;
	const char *text = "[1,-9223372036854775808,18446744073709551615,1.10,1e3,0.1]";
	assert_ok(json_parse(mem, str_of(text), NULL, &v, &err));
	assert_string_equal(json_text(mem, &v, JSON_COMPACT), text);
	assert_int_equal(v.list.items[2].kind, V_UINT);
	arena_free(mem);
}

static void
bad_texts_are_refused(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct err err;
	struct value v;
	const char *const bad[] = {"", "[1,]", "{\"a\":1,\"a\":2}", "\"\\ud800\"", "01", "1e999", "nul", "[1] 2", "\"\xff\"", "'a'"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(json_parse(mem, str_of(bad[i]), NULL, &v, &err));
	arena_free(mem);
}

static void
secrets_are_masked(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct value v = value_str(STR("hidden"));
	v.flags |= VALUE_SECRET;
	assert_string_equal(json_text(mem, &v, JSON_MASK), "\"***\"");
	assert_string_equal(value_short(mem, &v, 20), "***");
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_kept),
		cmocka_unit_test(bad_texts_are_refused),
		cmocka_unit_test(secrets_are_masked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
