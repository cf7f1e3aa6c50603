#include "../unit.h"

#include <stdio.h>

#include "data/json.h"
#include "data/yaml.h"

static const char *
errors_of(struct arena *mem, const char *text)
{
	struct diags diags = {.mem = mem};
	struct value v;
	yaml_parse(mem, source_new(mem, "t.yaml", str_of(text)), &v, &diags);
	struct buf out = buf_in(mem);
	diags_print(&out, &diags, false);
	return out.n == 0 ? "" : out.p;
}

static void
assert_yaml(const char *text, const char *json)
{
	struct arena *mem = arena_new();
	struct diags diags = {.mem = mem};
	struct value v;
	if (!yaml_parse(mem, source_new(mem, "t.yaml", str_of(text)), &v, &diags))
		fail_msg("%s", errors_of(mem, text));
	assert_string_equal(json_text(mem, &v, JSON_COMPACT), json);
	arena_free(mem);
}

static void
assert_refused(const char *text, const char *start)
{
	struct arena *mem = arena_new();
	const char *said = errors_of(mem, text);
	if (strncmp(said, start, strlen(start)) != 0)
		fail_msg("%s\nis refused with\n%s\nnot with\n%s", text, said, start);
	arena_free(mem);
}

static void
scalars_follow_the_core_schema(void **state)
{
	(void)state;
	assert_yaml("[yes, no, on, off, 1:30, 2026-01-19, 012, 007.5, 0, -0, +3, 1.10, "
		    "1e3, .5, 5.]",
		"[\"yes\",\"no\",\"on\",\"off\",\"1:30\",\"2026-01-19\",\"012\",\"007."
		"5\",0,0,3,1.1,1000.0,0.5,5.0]");
	assert_yaml("[true, False, TRUE, tRUE, ~, null, Null, x]",
		"[true,false,true,\"tRUE\",null,null,null,\"x\"]");
	assert_yaml("['1', \"2\", 1e999, 571832839665]",
		"[\"1\",\"2\",\"1e999\",571832839665]");
	assert_yaml("a: |\n  x\n   y\nb: >-\n  x\n  y\nc: 'it''s'\nd: \"\\u00e4\\n\"",
		"{\"a\":\"x\\n y\\n\",\"b\":\"x y\",\"c\":\"it's\",\"d\":\"ä\\n\"}");
	assert_yaml("", "null");
	assert_yaml("\xef\xbb\xbf" "a: 1", "{\"a\":1}");
	assert_yaml("%YAML 1.2\n---\na: 1\n...\n", "{\"a\":1}");
	assert_yaml("a: &x [1, 2]\nb: *x", "{\"a\":[1,2],\"b\":[1,2]}");
}

static void
what_is_not_used_is_refused(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: 2\na: 3\n",
		"t.yaml:3:1: error: key 'a' stands twice\n   3 | a: 3\n     | ^\n"
		"t.yaml:1:1: note: also here\n");
	assert_refused("when: !inputs.forced\n",
		"t.yaml:1:7: error: YAML takes '!inputs.forced' for a tag, and "
		"tags are not used here\n   1 | when: !inputs.forced\n     |       "
		"^~~~~~~~~~~~~~\n"
		"   hint: quote a text that begins with !: \"!inputs.forced\"\n");
	assert_refused("a: &x {b: 1}\nc:\n  <<: *x\n", "t.yaml:3:3: error: merge keys");
	assert_refused("a: 1\n---\nb: 1\n", "t.yaml:2:1: error: a second document");
	assert_refused("a: *b\n", "t.yaml:1:4: error: no anchor '&b'");
	assert_refused("[a]: 1\n", "t.yaml:1:1: error: a key must be text");
	assert_refused("a: !!python/x 1\n", "t.yaml:1:4: error: YAML takes");
	assert_refused("a: \xff\n", "t.yaml:1:4: error: byte 0xff is not UTF-8");
	assert_refused("a: &x [*x]\n", "t.yaml:1:8: error: no anchor '&x'");
}

static void
traps_are_told(void **state)
{
	(void)state;
	assert_refused("when: 'a' in xs\nb: 1\n", "t.yaml:1:11: error: YAML: ");
	struct arena *mem = arena_new();
	static const struct { const char *text, *word; } traps[] = {
		{"when: 'a' in xs\nb: 1\n", "at its closing '"},
		{"n: a ? b : c\n", "': ' inside a text"},
		{"h: {url: https://${{ inputs.domain }}/}\n", "inside { } and [ ]"},
		{"a:\n\tb: 1\n", "not by tabs"},
		{"a: @x\n", "a leading @"},
		{"when: [1, 2].exists(x, x > 1)\n", "at its closing ]"},
		{"a: drop #2?\n", "quote the text"},
		{"a: #channel\n", "quote the text"},
		{"%YAML 1.1\n---\na: yes\n", "read as YAML 1.2"},
		{"\xff\xfe" "a\n", "save the file as UTF-8"},
	};
	for (size_t i = 0; i < sizeof traps / sizeof traps[0]; i++)
		if (strstr(errors_of(mem, traps[i].text), traps[i].word) == NULL)
			fail_msg("%s: %s", traps[i].text, errors_of(mem, traps[i].text));
	arena_free(mem);
}

static void
bombs_are_refused(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct buf bomb = buf_in(mem);
	buf_puts(&bomb, "a0: &a0 [l, l, l, l, l, l, l, l, l, l]\n");
	for (int i = 1; i < 12; i++) {
		buf_printf(&bomb, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			buf_printf(&bomb, "*a%d,", i - 1);
		buf_puts(&bomb, "]\n");
	}
	assert_non_null(
		strstr(errors_of(mem, buf_cstr(&bomb)), "more than 2000000 nodes"));
	struct buf deep = buf_in(mem);
	buf_fill(&deep, '[', 50000);
	assert_non_null(strstr(errors_of(mem, buf_cstr(&deep)), "deeper than 64"));
	struct buf stairs = buf_in(mem);
	buf_puts(&stairs, "- &a0 [x]\n");
	for (int i = 1; i < 70; i++)
		buf_printf(&stairs, "- &a%d [*a%d]\n", i, i - 1);
	assert_non_null(strstr(errors_of(mem, buf_cstr(&stairs)), "deeper than 64"));
	arena_free(mem);
}

/* Every byte of the text that stands in the source as itself must be found there. */
static void
offsets_point_into_the_source(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"a: inputs.mode == 'x'\n",
		"a: \"!inputs.forced\"\n",
		"a: >-\n  one\n  two == 'x'\n\n  three\n",
		"a: |2\n    x\n   y\n",
		"a: 'it''s ''x'' y'\n",
		"a: \"\\\"q\\\" \\t é z\"\n",
		"a: one\n   two three\n",
		"é: 'ü''ö'\n",
		"a: |\n  x\n\n\n  y\n\nb: 1\n",
		"a: \"x \\\n   y z\"\n",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct arena *mem = arena_new();
		struct diags diags = {.mem = mem};
		struct value v;
		assert_true(yaml_parse(
			mem, source_new(mem, "t", str_of(texts[i])), &v, &diags));
		const struct value *a = &v.map->members[0].value;
		struct mark at;
		const uint32_t *map = yaml_offsets(mem, a, &at);
		for (size_t j = 0; j < a->str.n; j++) {
			char c = a->str.p[j],
			     s = texts[i][map == NULL ? at.from + j : map[j]];
			bool same_rune = ((unsigned char)c & 0xc0) == 0x80;
			if (c != s && s != '\\'
				&& !(strchr(" \n", c) != NULL && strchr(" \n", s) != NULL)
				&& !same_rune)
				fail_msg("%s: byte %zu '%c' is found at '%c'", texts[i],
					j, c, s);
			if (map != NULL && j > 0)
				assert_true(map[j] >= map[j - 1]);
		}
		arena_free(mem);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_follow_the_core_schema),
		cmocka_unit_test(what_is_not_used_is_refused),
		cmocka_unit_test(traps_are_told),
		cmocka_unit_test(bombs_are_refused),
		cmocka_unit_test(offsets_point_into_the_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
