#include "../unit.h"

#include "base/diag.h"
#include "base/scrub.h"

#include <stdio.h>

static const struct {
	const char *text, *out;
} rows[] = {
	/* addresses */
	{"no https://u:CANARY@h/x?a=1 here", "no https://***@h/x?a=1 here"},
	{"https://CANARY@h", "https://***@h"},
	{"https://u:CA@NARY@h/", "https://***@h/"},
	{"https://u:CAN/ARY@h/", "https://***@h/"},
	{"postgresql://u:CANARY@h1:5432,h2/db", "postgresql://***@h1:5432,h2/db"},
	{"two a://u:CANARY@h b://v:CANARY@i", "two a://***@h b://***@i"},
	{"https://h:8443/@me", "https://h:8443/@me"},
	{"https://[::1]:80/a@b", "https://[::1]:80/a@b"},
	{"https://h/a@b", "https://h/a@b"},
	{"https://h and me@example.org", "https://h and me@example.org"},
	{"'https://${{ inputs.u }}:CANARY@h'", "'https://${{ inputs.u }}***@h'"},
	/* connection strings, queries, variables */
	{"host=h password=CANARY dbname=d", "host=h password=*** dbname=d"},
	{"host=h password = 'CAN ARY' x=1", "host=h password = '***' x=1"},
	{"password=CAN\\ ARY x", "password=*** x"},
	{"\"host=h password=CANARY\" is bad", "\"host=h password=***\" is bad"},
	{"password=CAN&ARY x", "password=*** x"},
	{"https://h/?password=CANARY&b=2", "https://h/?password=***&b=2"},
	{"https://b.s3/k?X-Amz-Date=1&X-Amz-Signature=CANARY&c=3",
		"https://b.s3/k?X-Amz-Date=1&X-Amz-Signature=***&c=3"},
	{"PGPASSWORD=CANARY psql", "PGPASSWORD=*** psql"},
	{"client_secret=CANARY", "client_secret=***"},
	{"password=${{ secrets.p }} x", "password=${{ secrets.p }} x"},
	{"when: inputs.password=='x'", "when: inputs.password=='x'"},
	{"password authentication failed", "password authentication failed"},
	/* headers */
	{"> Authorization: Bearer CANARY\r\n> Host: h", "> Authorization: ***\r\n> Host: h"},
	{"Proxy-Authorization: Basic CANARY", "Proxy-Authorization: ***"},
	{"set-cookie: a=CANARY; Path=/\nb", "set-cookie: ***\nb"},
	{"x-amz-security-token:CANARY", "x-amz-security-token:***"},
	{"{\"Authorization\": \"Basic CANARY\", \"b\": 1}", "{\"Authorization\": \"***\", \"b\": 1}"},
	{"[curl, -H, 'Authorization: Bearer CANARY', x]", "[curl, -H, 'Authorization: ***', x]"},
	{"AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=CANARY",
		"AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=***"},
	{"{Authorization: '${{ secrets.tokn }}', b: 2}", "{Authorization: '${{ secrets.tokn }}', b: 2}"},
	{"Authorization: Bearer ${{ secrets.t }}", "Authorization: ***${{ secrets.t }}"},
	{"{a: {Authorization: Bearer CANARY}, b: 2}", "{a: {Authorization: ***}, b: 2}"},
	{"${{ x }} Cookie: a}CANARY", "${{ x }} Cookie: ***"},
	{"  cookie: {type: string}", "  cookie: {type: string}"},
	/* nothing, and what breaks off */
	{"", ""}, {"://", "://"}, {"password=", "password="}, {"password='", "password='"},
	{"'password='", "'password='"}, {"password='CANARY", "password='***"},
	{"authorization:", "authorization:"}, {"password=${{ x", "password=${{ x"},
	{"password=CANARY\\", "password=***"},
};

static void
what_gives_a_password_away_is_masked(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str out = scrub_text(mem, str_of(rows[i].text), NULL, 0);
		assert_str(out, rows[i].out);
		assert_str(scrub_text(mem, out, NULL, 0), rows[i].out);
	}
	arena_free(mem);
}

static void
an_error_is_masked_in_place(void **state)
{
	(void)state;
	struct err err = {0};
	err_set(&err, ERR_CONNECT, "https://u:CANARY@h/: refused");
	err_hint(&err, "see password=a");
	scrub_err(&err);
	assert_string_equal(err.msg, "https://***@h/: refused");
	assert_string_equal(err.hint, "see password=***");
	memset(err.msg, 'x', sizeof err.msg - 1);
	memcpy(err.msg + sizeof err.msg - 12, "password=a\0", 12);
	scrub_err(&err);
	assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
}

/* The line under an error shows what the message does not, and the caret its place. */
static void
the_caret_stays_under_its_place(void **state)
{
	(void)state;
	static const char line[] = "  url: https://u:CANARY@h/  # x";
	struct arena *mem = arena_new();
	struct source source = {.name = "p.yaml", .text = str_of(line)};
	static const struct {
		uint32_t from, to;
		const char *caret;
	} places[] = {
		{2, 5, "     |   ^~~\n"},
		{7, 26, "     |        ^~~~~~~~~~~~~~\n"},
		{19, 22, "     |                ^\n"},
		{28, 31, "     |                        ^~~\n"},
	};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct buf out = buf_in(mem);
		struct err err = {.at = {&source, places[i].from, places[i].to}};
		diag_print(&out, DIAG_ERROR, &err, false);
		assert_null(strstr(buf_cstr(&out), "CANARY"));
		assert_non_null(strstr(buf_cstr(&out), "   1 |   url: https://***@h/  # x\n"));
		if (strstr(buf_cstr(&out), places[i].caret) == NULL)
			fail_msg("no '%s' in\n%s", places[i].caret, buf_cstr(&out));
	}
	arena_free(mem);
}

static void
a_long_line_takes_no_time(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct buf text = buf_in(mem);
	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "://u:x/password=");
	scrub_text(mem, buf_str(&text), NULL, 0);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_gives_a_password_away_is_masked),
		cmocka_unit_test(an_error_is_masked_in_place),
		cmocka_unit_test(the_caret_stays_under_its_place),
		cmocka_unit_test(a_long_line_takes_no_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
