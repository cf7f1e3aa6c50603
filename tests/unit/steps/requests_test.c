#include "bench.h"

static struct trial
sent(struct bench *bench, const char *in)
{
	return bench_try(bench, "run", (struct trial){.type = bench_type("http_request"), .in = in});
}

static const char post[] = "{\"url\":\"https://a.example/x\",\"json\":{\"a\":1}}";

static void
a_good_answer_is_done(void **state)
{
	bench_http(*state, "POST https://a.example/x [Content-Type: application/json] {\"a\":1}",
		201, "{\"id\":7}");
	struct trial trial = sent(*state, post);
	bench_ends(&trial, STEP_DONE, NULL);
	assert_non_null(strstr(trial.out_text, "\"json\":{\"id\":7}"));
	assert_true(trial.any_effect);
}

static void
a_refusal_changed_nothing(void **state)
{
	bench_http(*state, "POST", 403, "");
	struct trial trial = sent(*state, post);
	bench_ends(&trial, STEP_FAIL, "it answers 403");
	assert_false(trial.err.transient);
}

static void
too_fast_is_asked_again(void **state)
{
	bench_http(*state, "POST", 429, "");
	struct trial trial = sent(*state, post);
	bench_ends(&trial, STEP_FAIL, "429");
	assert_true(trial.err.transient);
}

static void
after_a_server_error_nobody_knows(void **state)
{
	bench_http(*state, "POST", 502, "");
	struct trial trial = sent(*state, post);
	bench_ends(&trial, STEP_DOUBT, "502");
}

static void
a_lost_answer_was_sent(void **state)
{
	bench_fails(*state, OP_HTTP, "POST", ERR_NETWORK, REACH_SENT);
	struct trial trial = sent(*state, post);
	assert_int_equal(trial.reach, REACH_SENT);
	assert_true(trial.any_effect);
}

static void
an_accepted_status_is_an_answer(void **state)
{
	bench_http(*state, "DELETE https://a.example/x", 404, "");
	struct trial trial = bench_try(*state, "run", (struct trial){.type = bench_type("http_request"),
		.in = "{\"url\":\"https://a.example/x\",\"method\":\"DELETE\"}", .accept = "[404]"});
	bench_ends(&trial, STEP_DONE, NULL);
	assert_non_null(strstr(trial.out_text, "\"code\":404"));
}

static void
the_key_goes_in_the_named_header(void **state)
{
	bench_http(*state, "[Idempotency-Key: abcdefghijklmnopqrstuvwxyz234567", 200, "");
	struct trial trial = sent(*state,
		"{\"url\":\"https://a.example/x\",\"idempotency_key_header\":\"Idempotency-Key\"}");
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
a_form_is_encoded(void **state)
{
	bench_http(*state, "[Content-Type: application/x-www-form-urlencoded] a=b%20c&d=%26%3D", 200, "");
	struct trial trial = sent(*state,
		"{\"url\":\"https://a.example/x\",\"form\":{\"a\":\"b c\",\"d\":\"&=\"}}");
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
the_class_follows_the_method(void **state)
{
	static const struct { const char *in; enum effect effect; } cases[] = {
		{"{\"method\":\"GET\"}", PURE}, {"{\"method\":\"PUT\"}", IDEMPOTENT},
		{"{\"method\":\"DELETE\"}", IDEMPOTENT}, {"{\"method\":\"POST\"}", ONCE},
		{"{\"method\":\"POST\",\"idempotency_key_header\":\"K\"}", KEYED},
	};
	struct bench *bench = *state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct value in;
		struct err err;
		assert_ok(json_parse(bench->mem, str_of(cases[i].in), NULL, &in, &err));
		assert_int_equal(bench_type("http_request")->effect_of(&in), cases[i].effect);
	}
}

static void
slack_gets_the_text(void **state)
{
	bench_http(*state, "{\"text\":\"[drill] down\"}", 200, "ok");
	struct trial trial = bench_try(*state, "run", (struct trial){.type = bench_type("notify"),
		.in = "{\"to\":\"slack\",\"webhook\":\"https://a.example/s\",\"text\":\"down\"}", .drill = true});
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
a_webhook_in_an_error_stays_hidden(void **state)
{
	bench_http(*state, "POST https://a.example/secret-path", 404, "no_service");
	struct trial trial = bench_try(*state, "run", (struct trial){.type = bench_type("notify"),
		.in = "{\"to\":\"slack\",\"webhook\":\"https://a.example/secret-path\",\"text\":\"down\"}"});
	bench_ends(&trial, STEP_FAIL, "404");
	assert_null(strstr(trial.err.msg, "secret-path"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(a_good_answer_is_done),
		BENCH_TEST(a_refusal_changed_nothing),
		BENCH_TEST(too_fast_is_asked_again),
		BENCH_TEST(after_a_server_error_nobody_knows),
		BENCH_TEST(a_lost_answer_was_sent),
		BENCH_TEST(an_accepted_status_is_an_answer),
		BENCH_TEST(the_key_goes_in_the_named_header),
		BENCH_TEST(a_form_is_encoded),
		BENCH_TEST(the_class_follows_the_method),
		BENCH_TEST(slack_gets_the_text),
		BENCH_TEST(a_webhook_in_an_error_stays_hidden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
