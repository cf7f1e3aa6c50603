#include "../unit.h"

#include "data/field.h"
#include "data/field_value.h"
#include "data/json.h"
#include "data/yaml.h"

static const struct field connection[] = {
	{.name = "host", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "name"},
	{.name = "port",
		.type = FIELD_INT,
		.otherwise = "5432",
		.least = 1,
		.most = 65535,
		.help = "number"},
	{.name = NULL},
};

static const char *const mail[] = {"mail", NULL};

static const struct field table[] = {
	{.name = "", .type = FIELD_ROWS, .fields = connection},
	{.name = "from",
		.type = FIELD_OBJECT,
		.flags = FIELD_SPREAD,
		.fields = connection,
		.help = "both"},
	{.name = "text", .type = FIELD_TEXT, .help = "text"},
	{.name = "pause", .type = FIELD_DURATION, .help = "time"},
	{.name = "room", .type = FIELD_SIZE, .help = "bytes"},
	{.name = "file", .type = FIELD_PATH, .either = 1, .help = "path"},
	{.name = "body", .type = FIELD_SECRET, .either = 1, .help = "secret"},
	{.name = "codes",
		.type = FIELD_LIST,
		.each = FIELD_INT,
		.flags = FIELD_SCALAR_OR_LIST,
		.help = "codes"},
	{.name = "to",
		.type = FIELD_TEXT,
		.words = (const char *const[]){"mail", "chat", NULL},
		.help = "to"},
	{.name = "sender",
		.type = FIELD_TEXT,
		.only_key = "to",
		.only_words = mail,
		.help = "sender"},
	{.name = NULL},
};

static bool
apply(struct arena *mem, const char *text, struct value *out, struct diags *diags)
{
	struct value map;
	assert_true(yaml_parse(mem, source_new(mem, "t", str_of(text)), &map, diags));
	return fields_apply(table, &map, "/books", mem, out, diags);
}

static void
assert_applied(const char *text, const char *json)
{
	struct arena *mem = arena_new();
	struct diags diags = {.mem = mem};
	struct value out;
	if (!apply(mem, text, &out, &diags))
		fail_msg("%s: %s", text, diags.first->err.msg);
	assert_string_equal(json_text(mem, &out, JSON_COMPACT), json);
	arena_free(mem);
}

static void
assert_refused(const char *text, const char *message)
{
	struct arena *mem = arena_new();
	struct diags diags = {.mem = mem};
	struct value out;
	assert_false(apply(mem, text, &out, &diags));
	assert_string_equal(diags.first->err.msg, message);
	arena_free(mem);
}

static void
values_get_their_final_form(void **state)
{
	(void)state;
	assert_applied(
		"{host: a, text: 1.10, pause: 1m30s, room: 1KiB, file: x, codes: 5}",
		"{\"host\":\"a\",\"text\":\"1.10\",\"pause\":\"90s\",\"room\":1024,"
		"\"file\":\"/books/x\","
		"\"codes\":[5],\"port\":5432}");
	assert_applied(
		"{from: {host: a, port: 1}, port: 2}", "{\"host\":\"a\",\"port\":2}");
	assert_applied("{host: a, to: mail, sender: me}",
		"{\"host\":\"a\",\"to\":\"mail\",\"sender\":\"me\",\"port\":5432}");
}

static void
what_does_not_fit_is_refused(void **state)
{
	(void)state;
	assert_refused("{hots: a}", "unknown field 'hots', did you mean 'host'?");
	assert_refused("{port: 1}", "'host' is missing");
	assert_refused(
		"{host: a, port: 0}", "'port' is out of range: 0 is not in 1 to 65535");
	assert_refused(
		"{host: a, file: x, body: y}", "'file' and 'body' exclude each other");
	assert_refused("{host: a, to: chat, sender: me}",
		"'sender' is there only with to: mail");
	assert_refused("{host: a, pause: 9223372036854775807s}",
		"'pause' takes a duration, as 90s, 5m or 1h30m, not text "
		"\"9223372036854775807s\"");
	assert_refused(
		"{host: a, room: -1}", "'room' takes a size, as 10MB or 10MiB, not -1");
	assert_refused("{from: [a]}", "'from' takes a map, not a list");
	assert_refused("[a]", "this takes a map, not a list");
}

static void
unknown_values_pass_and_secrets_do_not(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct diags diags = {.mem = mem};
	struct map_builder map = {.mem = mem};
	struct value secret = value_str(STR("hidden")), out, in;
	secret.flags |= VALUE_SECRET;
	map_put(&map, "from", value_unknown(STR("later")));
	map_put(&map, "codes", value_unknown(STR("later")));
	map_put(&map, "body", secret);
	in = map_done(&map);
	assert_true(fields_apply(table, &in, NULL, mem, &out, &diags));
	assert_int_equal(value_get(&out, "host")->kind, V_UNKNOWN);
	assert_true(value_get(&out, "body")->flags & VALUE_SECRET);
	map_put(&map, "text", secret);
	in = map_done(&map);
	assert_false(fields_apply(table, &in, NULL, mem, &out, &diags));
	assert_null(strstr(diags.first->err.msg, "hidden"));
	arena_free(mem);
}

static void
forms_of_texts_are_known(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool url, host_port, hostname, s3;
	} rows[] = {
		{"https://x.org/a?b#c", true, false, false, false},
		{"http://[2001:db8::1]:80/", true, false, false, false},
		{"https://u:p@x.org/", false, false, false, false},
		{"ftp://x.org/", false, false, false, false},
		{"https://", false, false, false, false},
		{"https://x.org:99999/", false, false, false, false},
		{"x.org:53", false, true, false, false},
		{"[::1]:53", false, true, false, false},
		{"::1:53", false, false, false, false},
		{"x.org", false, false, true, false},
		{"-x.org", false, false, false, false},
		{"x..org", false, false, false, false},
		{"s3://bucket/key", false, false, false, true},
		{"s3://bucket/", false, false, false, true},
		{"s3://bucket", false, false, false, false},
		{"s3://b/key", false, false, false, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct err err;
		struct str text = str_of(rows[i].text);
		if (text_is_url(text, &err) != rows[i].url
			|| text_is_host_port(text, &err) != rows[i].host_port
			|| text_is_hostname(text) != rows[i].hostname
			|| text_is_s3(text, &err) != rows[i].s3)
			fail_msg("%s", rows[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_get_their_final_form),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(unknown_values_pass_and_secrets_do_not),
		cmocka_unit_test(forms_of_texts_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
