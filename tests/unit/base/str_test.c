#include "../unit.h"

#include "base/diag.h"

static void
runes_follow_rfc_3629(void **state)
{
	(void)state;
	size_t n;
	assert_int_equal(str_rune(STR("\xe2\x82\xac"), &n), 0x20ac);
	assert_int_equal(n, 3);
	assert_int_equal(str_rune(STR("\xc0\x80"), &n), -1);          /* overlong */
	assert_int_equal(str_rune(STR("\xed\xa0\x80"), &n), -1);      /* surrogate */
	assert_int_equal(str_rune(STR("\xf4\x90\x80\x80"), &n), -1); /* beyond U+10FFFF */
	assert_int_equal(str_rune(STR("\xe2\x82"), &n), -1);          /* cut */
}

/* Wherever it stands: eight bytes are looked at in one. */
static void
one_bad_byte_is_found(void **state)
{
	(void)state;
	char text[24];
	for (size_t n = 1; n <= sizeof text; n++)
		for (size_t at = 0; at < n; at++) {
			memset(text, 'a', sizeof text);
			assert_true(str_is_utf8((struct str){text, n}));
			text[at] = '\xff';
			assert_false(str_is_utf8((struct str){text, n}));
		}
	assert_true(str_is_utf8(STR("aaaaaaa\xe2\x82\xac" "aaaaaaaaa\xc3\xa4")));
	assert_false(str_is_utf8(STR("aaaaaaaaaaaaaa\xe2\x82")));
}

static void
integers_hold_their_range(void **state)
{
	(void)state;
	int64_t i;
	assert_true(str_int(STR("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_true(str_int(STR("9223372036854775807"), &i) && i == INT64_MAX);
	assert_false(str_int(STR("9223372036854775808"), &i));
	assert_false(str_int(STR("-"), &i));
	assert_false(str_int(STR("1x"), &i));
}

static void
foreign_text_is_escaped(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct buf out = buf_in(mem);
	buf_safe(&out, STR("a\x1b]52\n\xe2\x80\xae\xff"), false);
	assert_str(buf_str(&out), "a\\x1b]52\\x0a\\u202e\\xff");
	arena_free(mem);
}

static void
near_names_are_found(void **state)
{
	(void)state;
	static const char *const names[] = {"url", "body", "headers", NULL};
	assert_string_equal(near_name(STR("ur"), names), "url");
	assert_string_equal(near_name(STR("haeders"), names), "headers");
	assert_null(near_name(STR("zzz"), names));
}

static void
an_error_shows_line_and_caret(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct source source = {.name = "p.yaml", .text = STR("a: 1\n\tur: x\n")};
	struct err err;
	err_set(&err, ERR_UNKNOWN_NAME, "unknown field 'ur'");
	err_at(&err, (struct mark){&source, 6, 8});
	struct buf out = buf_in(mem);
	diag_print(&out, DIAG_ERROR, &err, false);
	assert_string_equal(out.p,
		"p.yaml:2:2: error: unknown field 'ur'\n   2 | \tur: x\n     | \t^~\n");
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runes_follow_rfc_3629),
		cmocka_unit_test(one_bad_byte_is_found),
		cmocka_unit_test(integers_hold_their_range),
		cmocka_unit_test(foreign_text_is_escaped),
		cmocka_unit_test(near_names_are_found),
		cmocka_unit_test(an_error_shows_line_and_caret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
