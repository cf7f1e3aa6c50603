#include "../unit.h"

#include "base/digest.h"
#include "base/secret.h"

static const struct str hidden = {"hunter2 \"qu/x\"\xc3\xa9", 16};

static void
add(struct vault *vault, struct str bytes)
{
	struct err err;
	const struct secret *secret;
	assert_ok(vault_add(vault, bytes, &secret, &err));
	assert_true(str_eq(secret_reveal(secret), bytes));
}

static void
every_form_is_masked(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct vault *vault = vault_new(mem);
	add(vault, hidden);
	assert_str(vault_mask(vault, mem, STR("a hunter2 \"qu/x\"\xc3\xa9 b")), "a *** b");
	assert_str(vault_mask(vault, mem, STR("hunter2%20%22qu%2Fx%22%C3%A9")), "***");
	assert_str(vault_mask(vault, mem, STR("hunter2+%22qu%2Fx%22%C3%A9!")), "***!");
	assert_str(vault_mask(vault, mem, STR("hunter2%20%22qu%2fx%22%c3%a9")), "***");
	assert_str(vault_mask(vault, mem, STR("{\"p\":\"hunter2 \\\"qu\\/x\\\"\xc3\xa9\"}")), "{\"p\":\"***\"}");
	assert_str(vault_mask(vault, mem, str_of(hex_text(mem, hidden.p, hidden.n))), "***");
	for (size_t before = 0; before < 3; before++) {
		char *text = arena_printf(mem, "%.*s%.*s|after", (int)before, "xyz", STR_FMT(hidden));
		struct str coded = str_of(base64_text(mem, text, strlen(text)));
		struct str masked = vault_mask(vault, mem, coded), back;
		assert_true(str_find(masked, STR("***")) < masked.n);
		assert_true(base64_parse(mem, coded, &back));
		assert_true(masked.n <= coded.n - hidden.n);
	}
	arena_free(mem);
}

static void
a_short_secret_is_refused(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	const struct secret *secret;
	struct err err;
	assert_false(vault_add(vault_new(mem), STR("12345"), &secret, &err));
	assert_int_equal(err.code, ERR_SECRET);
	assert_null(strstr(err.msg, "12345"));
	arena_free(mem);
}

static void
each_long_line_is_a_secret_of_its_own(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct vault *vault = vault_new(mem);
	add(vault, STR("-----BEGIN\nMIIabcdefgh\n}\n"));
	assert_str(vault_mask(vault, mem, STR("x MIIabcdefgh }")), "x *** }");
	arena_free(mem);
}

static void
pieces_of_a_stream_join(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct vault *vault = vault_new(mem);
	add(vault, STR("secret-one"));
	add(vault, STR("one-more-secret"));
	static const char text[] = "a secret-one-more-secret, secret-two, secret-o";
	for (size_t step = 1; step < sizeof text; step++) {
		struct masker *masker = masker_new(mem, vault);
		struct buf out = buf_in(mem);
		for (size_t at = 0; at < sizeof text - 1; at += step) {
			size_t n = sizeof text - 1 - at < step ? sizeof text - 1 - at : step;
			masker_add(masker, (struct str){text + at, n}, false, &out);
		}
		masker_add(masker, (struct str){0}, true, &out);
		assert_str(buf_str(&out), "a ***, secret-two, secret-o");
	}
	arena_free(mem);
}

static void
an_error_is_masked(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct vault *vault = vault_new(mem);
	add(vault, hidden);
	struct err err;
	err_set(&err, ERR_CONNECT, "no route with %.*s", STR_FMT(hidden));
	vault_mask_err(vault, &err);
	assert_string_equal(err.msg, "no route with ***");
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_masked),
		cmocka_unit_test(a_short_secret_is_refused),
		cmocka_unit_test(each_long_line_is_a_secret_of_its_own),
		cmocka_unit_test(pieces_of_a_stream_join),
		cmocka_unit_test(an_error_is_masked),
	};
	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
