/* Credentials that end while a run goes on: fetched again five minutes before. */
#include "../unit.h"

#include "whole.h"

static struct whole *
opened(struct arena *mem)
{
	struct whole *whole = arena_new_of(mem, struct whole);
	whole_open(whole, mem);
	fake_env(whole->fake, "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"http://127.0.0.1:4321/keys");
	fake_always(whole->fake, (struct expected){OP_FILE, .code = ERR_NOT_FOUND});
	return whole;
}

/* The world begins at 13:00. */
static void
gives(struct whole *whole, const char *id, const char *until)
{
	struct http_answer *answer = arena_new_of(whole->mem, struct http_answer);
	answer->status = 200;
	answer->body = str_of(arena_printf(whole->mem,
		"{\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"wJalrXUtnFEMI/K7MDENG\","
		"\"Token\":\"a-session-token\",\"Expiration\":\"2026-01-19T%s:00Z\"}",
		id, until));
	fake_expect(whole->fake, (struct expected){OP_HTTP,
		.asks = "GET http://127.0.0.1:4321/keys", .answer = answer});
	static const char body[] =
		"<GetCallerIdentityResponse><GetCallerIdentityResult>"
		"<Arn>arn:aws:iam::111111111111:role/r</Arn>"
		"<Account>111111111111</Account>"
		"</GetCallerIdentityResult></GetCallerIdentityResponse>";
	static const struct http_answer who = {
		.status = 200, .body = {body, sizeof body - 1}};
	fake_expect(whole->fake, (struct expected){OP_HTTP,
		.asks = "GetCallerIdentity", .answer = &who});
}

static void
gives_nothing(struct whole *whole)
{
	static const struct http_answer none = {.status = 404};
	fake_expect(whole->fake, (struct expected){OP_HTTP,
		.asks = "GET http://127.0.0.1:4321/keys", .answer = &none});
}

/* A read of so long, signed with that key. */
static void
lists(struct whole *whole, const char *id, int64_t for_ns)
{
	static const struct http_answer answer = {.status = 200, .body = {"{}", 2}};
	fake_expect(whole->fake, (struct expected){OP_HTTP,
		.asks = arena_printf(whole->mem, "Credential=%s/", id),
		.answer = &answer, .after = for_ns});
}

static const char *const text =
	"rbx: 1\nname: t\n"
	"defaults: {aws: {region: us-west-2}, timeout: 1h}\n"
	"steps:\n"
	"  - {id: a, aws: {call: sqs.ListQueues}}\n"
	"  - {id: w, wait: {for: %s}}\n"
	"  - {id: b, aws: {call: sqs.ListQueues}}\n";

static void
ends(struct whole *whole, const char *wait, int exit)
{
	int code = whole_run(whole,
		whole_book(whole, arena_printf(whole->mem, text, wait)));
	const char *left = fake_left(whole->fake);
	if (code != exit || left != NULL)
		fail_msg("exit %d: %s\n%s\nleft: %s", code, whole->err.msg,
			whole_trace(whole, 1), left == NULL ? "" : left);
}

/* The read holds them from 13:00 to 13:16: at 13:15 they are fetched again. */
static void
what_is_held_is_renewed_five_minutes_before(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	gives(whole, "AKIDFIRST", "13:20");
	lists(whole, "AKIDFIRST", 16 * NS_MIN);
	gives(whole, "AKIDSECOND", "14:20");
	lists(whole, "AKIDSECOND", 0);
	ends(whole, "1s", 0);
	arena_free(mem);
}

static void
not_before(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	gives(whole, "AKIDFIRST", "13:20");
	lists(whole, "AKIDFIRST", 14 * NS_MIN);
	lists(whole, "AKIDFIRST", 0);
	ends(whole, "50s", 0);
	arena_free(mem);
}

/* Nobody holds them at 13:15: they are fetched when the next step wants them. */
static void
what_nobody_holds_is_renewed_when_it_is_wanted(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	gives(whole, "AKIDFIRST", "13:20");
	lists(whole, "AKIDFIRST", 0);
	gives(whole, "AKIDSECOND", "14:20");
	lists(whole, "AKIDSECOND", 0);
	ends(whole, "15m", 0);
	arena_free(mem);
}

/* Those at hand go on while they hold; it is tried again each half minute. */
static void
what_cannot_be_renewed_goes_on_while_it_holds(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	gives(whole, "AKIDFIRST", "13:20");
	lists(whole, "AKIDFIRST", 16 * NS_MIN + 10 * NS_S);
	gives_nothing(whole);
	gives_nothing(whole);
	gives_nothing(whole);
	lists(whole, "AKIDFIRST", 0);
	ends(whole, "1s", 0);
	assert_non_null(strstr(buf_cstr(&whole->said),
		"could not be renewed, those at hand are valid until"
		" 2026-01-19T13:20:00Z"));
	arena_free(mem);
}

/* And no longer than that. */
static void
what_has_ended_is_not_used(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	gives(whole, "AKIDFIRST", "13:20");
	lists(whole, "AKIDFIRST", 0);
	gives_nothing(whole);
	ends(whole, "21m", 1);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_held_is_renewed_five_minutes_before),
		cmocka_unit_test(not_before),
		cmocka_unit_test(what_nobody_holds_is_renewed_when_it_is_wanted),
		cmocka_unit_test(what_cannot_be_renewed_goes_on_while_it_holds),
		cmocka_unit_test(what_has_ended_is_not_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
