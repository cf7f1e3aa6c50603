#include "../unit.h"

#include "base/digest.h"
#include "base/secret.h"

#include <stdio.h>

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
	assert_str(
		vault_mask(vault, mem, STR("a hunter2 \"qu/x\"\xc3\xa9 b")), "a *** b");
	assert_str(vault_mask(vault, mem, STR("hunter2%20%22qu%2Fx%22%C3%A9")), "***");
	assert_str(vault_mask(vault, mem, STR("hunter2+%22qu%2Fx%22%C3%A9!")), "***!");
	assert_str(vault_mask(vault, mem, STR("hunter2%20%22qu%2fx%22%c3%a9")), "***");
	assert_str(
		vault_mask(vault, mem, STR("{\"p\":\"hunter2 \\\"qu\\/x\\\"\xc3\xa9\"}")),
		"{\"p\":\"***\"}");
	assert_str(
		vault_mask(vault, mem, str_of(hex_text(mem, hidden.p, hidden.n))), "***");
	for (size_t before = 0; before < 3; before++) {
		char *text = arena_printf(
			mem, "%.*s%.*s|after", (int)before, "xyz", STR_FMT(hidden));
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
			size_t n =
				sizeof text - 1 - at < step ? sizeof text - 1 - at : step;
			masker_add(masker, (struct str){text + at, n}, false, &out);
		}
		masker_add(masker, (struct str){0}, true, &out);
		assert_str(buf_str(&out), "a ***, secret-two, secret-o");
	}
	arena_free(mem);
}

static void
other_escapes_are_masked(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct vault *vault = vault_new(mem);
	add(vault, STR("p\xc3\xa9<ss&/\xf0\x9f\x98\x80\t'\"end"));
	static const char *const forms[] = {
		"p\\u00e9<ss&/\\ud83d\\ude00\\t'\\\"end",
		"p\\u00E9<ss&\\/\\uD83D\\uDE00\\t'\\\"end",
		"p\xc3\xa9\\u003css\\u0026/\xf0\x9f\x98\x80\\t'\\\"end",
		"p\xc3\xa9&lt;ss&amp;/\xf0\x9f\x98\x80\t&apos;&quot;end",
		"p\xc3\xa9&lt;ss&amp;/\xf0\x9f\x98\x80\t&#39;&#34;end",
		"p\xc3\xa9&lt;ss&amp;/\xf0\x9f\x98\x80\t'\"end",
		"p%C3%A9%3Css%26%2F%F0%9F%98%80%09'%22end",
		"p%c3%a9%3css%26/%f0%9f%98%80%09%27%22end",
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		assert_str(vault_mask(vault, mem, str_of(forms[i])), "***");
	arena_free(mem);
}

static void
frames_and_short_lines_are_no_secrets(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct vault *vault = vault_new(mem);
	add(vault, STR("-----BEGIN PRIVATE KEY-----\nshort\n1234567\nMIIabcdefgh\n"));
	add(vault, STR("passwd\n"));
	struct str text =
		STR("-----BEGIN PRIVATE KEY----- short 1234567 MIIabcdefgh passwd");
	assert_str(vault_mask(vault, mem, text),
		"-----BEGIN PRIVATE KEY----- short 1234567 *** ***");
	arena_free(mem);
}

/* All places of all patterns, by looking at each. */
static struct str
mask_slowly(struct arena *mem, struct str text, const struct str *patterns, size_t n)
{
	bool *hide = arena_array(mem, bool, text.n + 1);
	struct buf out = buf_in(mem);
	for (size_t i = 0; i < n; i++)
		for (size_t at = 0; at + patterns[i].n <= text.n; at++)
			if (memcmp(text.p + at, patterns[i].p, patterns[i].n) == 0)
				memset(hide + at, true, patterns[i].n);
	for (size_t i = 0; i < text.n; i++)
		if (!hide[i])
			buf_putc(&out, text.p[i]);
		else if (i == 0 || !hide[i - 1])
			buf_puts(&out, "***");
	return buf_str(&out);
}

static unsigned
next(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % below;
}

static struct str
random_text(struct arena *mem, unsigned *seed, size_t n)
{
	char *text = arena_alloc(mem, n + 1);
	for (size_t i = 0; i < n; i++)
		text[i] = "aab"[next(seed, 3)];
	return (struct str){text, n};
}

static void
a_slow_masker_agrees(void **state)
{
	(void)state;
	for (unsigned seed = 1, round = 0; round < 300; round++) {
		struct arena *mem = arena_new();
		struct vault *vault = vault_new(mem);
		struct str patterns[5], text = random_text(mem, &seed, 200), rest = text;
		for (int i = 0; i < 5; i++) {
			patterns[i] = random_text(mem, &seed, 6 + next(&seed, 6));
			add(vault, patterns[i]);
		}
		struct masker *masker = masker_new(mem, vault);
		struct buf out = buf_in(mem);
		while (rest.n > 0) {
			size_t n = 1 + next(&seed, 20);
			n = n < rest.n ? n : rest.n;
			masker_add(masker, (struct str){rest.p, n}, n == rest.n, &out);
			rest = str_from(rest, n);
		}
		assert_true(str_eq(buf_str(&out), mask_slowly(mem, text, patterns, 5)));
		arena_free(mem);
	}
}

static void
the_time_does_not_grow_with_the_secret(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct vault *vault = vault_new(mem);
	char *text = arena_alloc(mem, 1 << 20);
	memset(text, 'a', 1 << 20);
	add(vault, (struct str){text, 20000});
	assert_str(vault_mask(vault, mem, (struct str){text, 1 << 20}), "***");
	assert_int_equal(vault_mask(vault, mem, (struct str){text, 19999}).n, 19999);
	arena_free(mem);
}

static void
a_secret_may_come_in_the_middle_of_a_stream(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct vault *vault = vault_new(mem);
	struct masker *masker = masker_new(mem, vault);
	struct buf out = buf_in(mem);
	masker_add(masker, STR("before-secret "), false, &out);
	add(vault, STR("before-secret"));
	masker_add(masker, STR("before-secret befo"), false, &out);
	add(vault, STR("fore-sec"));
	add(vault, STR("after-secret"));
	masker_add(masker, STR("re-sec after-se"), false, &out);
	masker_add(masker, STR("cret ret"), true, &out);
	assert_str(buf_str(&out), "before-secret *** be*** *** ret");
	arena_free(mem);
}

static void
a_cut_error_does_not_end_in_half_a_secret(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct vault *vault = vault_new(mem);
	struct err err;
	char fill[sizeof err.msg];
	add(vault, STR("half-a-secret"));
	memset(fill, '.', sizeof fill);
	err_set(&err, ERR_CONNECT, "%.*shalf-a-secret", (int)sizeof fill - 8, fill);
	assert_non_null(strstr(err.msg, "half-a-"));
	vault_mask_err(vault, &err);
	assert_null(strstr(err.msg, "half"));
	assert_non_null(strstr(err.msg, "...***"));
	err_set(&err, ERR_CONNECT, "half-a-");           /* whole, so that it is none */
	vault_mask_err(vault, &err);
	assert_string_equal(err.msg, "half-a-");
	arena_free(mem);
}

static void
the_same_bytes_are_the_same_secret(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct vault *vault = vault_new(mem);
	const struct secret *one, *two, *other;
	struct err err;
	assert_ok(vault_add(vault, STR("secret-one"), &one, &err));
	assert_ok(vault_add(vault, STR("secret-two"), &other, &err));
	assert_ok(vault_add(vault, STR("secret-one"), &two, &err));
	assert_ptr_equal(one, two);
	assert_ptr_not_equal(one, other);
	arena_free(mem);
}

static unsigned
locked_kib(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	unsigned kib = 0;
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		sscanf(line, "VmLck: %u", &kib);
	if (file != NULL)
		fclose(file);
	return kib;
}

/* Under ASan mlock does nothing: there is nothing to see. */
static void
secrets_lie_in_locked_memory(void **state)
{
	(void)state;
#ifndef __SANITIZE_ADDRESS__
	struct arena *mem = arena_new();
	unsigned before = locked_kib();
	add(vault_new(mem), STR("secret-one"));
	assert_true(locked_kib() > before);
	arena_free(mem);
	assert_int_equal(locked_kib(), before);
#else
	assert_int_equal(locked_kib(), 0);
#endif
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
		cmocka_unit_test(other_escapes_are_masked),
		cmocka_unit_test(frames_and_short_lines_are_no_secrets),
		cmocka_unit_test(a_slow_masker_agrees),
		cmocka_unit_test(the_time_does_not_grow_with_the_secret),
		cmocka_unit_test(a_secret_may_come_in_the_middle_of_a_stream),
		cmocka_unit_test(a_cut_error_does_not_end_in_half_a_secret),
		cmocka_unit_test(the_same_bytes_are_the_same_secret),
		cmocka_unit_test(secrets_lie_in_locked_memory),
		cmocka_unit_test(an_error_is_masked),
	};
	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
