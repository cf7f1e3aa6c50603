#include "../unit.h"

#include "steps/sync/glob.h"

static const struct { const char *pattern, *path; bool matches;
} cases[] = {
	{"*.js", "app.js", true},
	{"*.js", "a/b/app.js", true},
	{"*.js", "app.jsx", false},
	{"a/*.js", "a/x.js", true},
	{"a/*.js", "a/b/x.js", false},
	{"a/**", "a/b/c", true},
	{"a/**", "a/b", true},
	{"a/**", "b/a/c", false},
	{"**/x", "x", true},
	{"**/x", "a/x", true},
	{"**/x", "a/b/x", true},
	{"**/x", "a/bx", false},
	{"a/**/b", "a/b", true},
	{"a/**/b", "a/x/y/b", true},
	{"a/**/b", "a/x/y/c", false},
	{"logs/", "logs/a", true},
	{"logs/", "logs/a/b", true},
	{"logs/", "logs", false},
	{"logs/", "x/logs/a", false},
	{"**/logs/", "x/logs/a", true},
	{"?", "a", true},
	{"?", "\xc3\xbc", true},
	{"?", "ab", false},
	{"a?b", "a/b", false},
	{"[a-c]x", "bx", true},
	{"[a-c]x", "dx", false},
	{"[!a-c]x", "dx", true},
	{"[!a-c]x", "ax", false},
	{"[]]", "]", true},
	{"[ab", "[ab", true},
	{"[ä-ü]", "ö", true},
	{"*", "", true},
	{"*", "a", true},
	{"**", "a/b", true},
	{"a*b*c", "a1b2b3c", true},
	{"a*b*c", "a1b2b3d", false},
	{"*/*", "a/b", true},
	{"*/*", "a/b/c", false},
	{"**/*.map", "a/b/c.map", true},
	{"x**y/z", "xa/by/z", true},
	{"", "", true},
	{"", "a", false},
	{"*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	{"a**/b", "ab", false},
	{"a**/b", "axx/y/b", true},
	{"**/**/b", "b", true},
	{"a/*/c/**/e", "a/b/c/d/x/e", true},
	{"a/*/c/**/e", "a/b/b/c/d/x/e", false},
};

static void
each_pattern_takes_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (glob_matches(str_of(cases[i].pattern), str_of(cases[i].path))
			!= cases[i].matches)
			fail_msg("'%s' and '%s': expected %d", cases[i].pattern,
				cases[i].path, cases[i].matches);
}

/* Stars must not multiply: this took longer than the universe with a naive matcher. */
static void
many_stars_take_no_time(void **state)
{
	(void)state;
	char path[4096], pattern[256] = "";
	memset(path, 'a', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	for (int i = 0; i < 60; i++)
		strcat(pattern, "*a");
	strcat(pattern, "b");
	assert_false(glob_matches(str_of(pattern), str_of(path)));
	pattern[0] = '\0';
	for (int i = 0; i < 60; i++)
		strcat(pattern, "**a");
	strcat(pattern, "b/");
	assert_false(glob_matches(str_of(pattern), str_of(path)));
	pattern[0] = '\0';
	for (size_t i = 1; i < sizeof path - 1; i += 2)
		path[i] = '/';
	for (int i = 0; i < 60; i++)
		strcat(pattern, "**/");
	strcat(pattern, "b");
	assert_false(glob_matches(str_of(pattern), str_of(path)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pattern_takes_what_it_says),
		cmocka_unit_test(many_stars_take_no_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
