#include "../unit.h"

#include "step.h"

/* Step types that do one thing, to see what the engine makes of it. */

static const struct field none[] = {{.name = NULL}};

static enum verdict
post(struct step *step)
{
	return step_http(step, (struct how){.tries = 3},
		&(struct http_ask){
			.method = "POST", .url = "https://a.example/x", .most = 1000});
}

static enum verdict
posting(struct step *step, const struct event *event)
{
	if (event->kind == EV_START)
		return post(step);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	const struct http_answer *answer = event->op->answer;
	return answer->status == 200 ? step_done(step, value_int(answer->status))
		: step_fail(step, ERR_ANSWER, false, "status %d", answer->status);
}

static const struct step_type poster = {.name = "poster",
	.in = none,
	.out = none,
	.effect = ONCE,
	.run = posting,
	.preview = posting};

static struct trial
tried(struct fake *fake, struct arena *mem, const char *phase, struct trial trial)
{
	trial_run(fake, mem, phase, &trial);
	return trial;
}

static const struct http_answer good = {.status = 200}, busy = {.status = 503};

static void
an_answer_ends_it(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_expect(fake,
		(struct expected){
			OP_HTTP, .asks = "POST https://a.example/x", .answer = &good});
	struct trial trial = tried(fake, mem, "run", (struct trial){.type = &poster});
	assert_int_equal(trial.verdict, STEP_DONE);
	assert_int_equal(trial.reach, REACH_ANSWERED);
	assert_string_equal(trial.out_text, "200");
	arena_free(mem);
}

static void
the_same_bytes_go_again_after_a_pause(void **state)
{
	(void)state;
	static const struct header after[] = {{"retry-after", "7"}};
	static const struct http_answer wait = {
		.status = 429, .headers = after, .n_headers = 1};
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_expect(fake, (struct expected){OP_HTTP, .answer = &busy});
	fake_expect(fake, (struct expected){OP_HTTP, .answer = &wait});
	fake_expect(fake, (struct expected){OP_HTTP, .answer = &good});
	int64_t from = fake_host(fake)->type->now(fake_host(fake)).boot;
	struct trial trial = tried(fake, mem, "run", (struct trial){.type = &poster});
	int64_t took = fake_host(fake)->type->now(fake_host(fake)).boot - from;
	assert_int_equal(trial.verdict, STEP_DONE);
	assert_true(took >= 7 * NS_S && took < 8 * NS_S);
	arena_free(mem);
}

/* The fake's clock stands at 13:00:00. */
static void
a_date_says_when_it_goes_again(void **state)
{
	static const struct { const char *text; int64_t least, most; } rows[] = {
		{"Mon, 19 Jan 2026 13:00:09 GMT", 9, 10},
		{"Monday, 19-Jan-26 13:00:09 GMT", 9, 10},
		{"Mon Jan 19 13:00:09 2026", 9, 10},
		{"Mon, 19 Jan 2026 12:59:00 GMT", 0, 1},
		{"tomorrow", 0, 1},
		{"Mon, 19 Jan 2036 13:00:09 GMT", 120, 121},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct header after = {"retry-after", rows[i].text};
		const struct http_answer wait = {
			.status = 503, .headers = &after, .n_headers = 1};
		struct arena *mem = arena_new();
		struct fake *fake = fake_new(mem);
		fake_expect(fake, (struct expected){OP_HTTP, .answer = &wait});
		fake_expect(fake, (struct expected){OP_HTTP, .answer = &good});
		int64_t from = fake_host(fake)->type->now(fake_host(fake)).boot;
		struct trial trial =
			tried(fake, mem, "run", (struct trial){.type = &poster});
		int64_t took = fake_host(fake)->type->now(fake_host(fake)).boot - from;
		assert_int_equal(trial.verdict, STEP_DONE);
		assert_in_range(took, rows[i].least * NS_S, rows[i].most * NS_S);
		arena_free(mem);
	}
}

/* A first try that may have arrived is not undone by a second one that did not leave. */
static void
what_may_have_arrived_stays_so(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	struct expected lost = {
		OP_HTTP, .code = ERR_NETWORK, .reach = REACH_SENT, .transient = true};
	struct expected refused = {
		OP_HTTP, .code = ERR_CONNECT, .reach = REACH_NONE, .transient = true};
	fake_expect(fake, lost);
	fake_expect(fake, refused);
	fake_expect(fake, refused);
	struct trial trial = tried(fake, mem, "run", (struct trial){.type = &poster});
	assert_int_equal(trial.verdict, STEP_FAIL);
	assert_int_equal(trial.reach, REACH_SENT);
	assert_true(trial.any_effect);
	arena_free(mem);
}

static void
an_effect_in_a_preview_is_refused(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	struct trial trial = tried(fake, mem, "preview", (struct trial){.type = &poster});
	assert_int_equal(trial.verdict, STEP_FAIL);
	assert_int_equal(trial.err.code, ERR_DENIED);
	assert_int_equal(fake_started(fake, OP_HTTP), 0);
	arena_free(mem);
}

static void
a_cancel_waits_for_the_operation(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_expect(fake, (struct expected){OP_HTTP, .hangs = true});
	struct trial trial = tried(
		fake, mem, "run", (struct trial){.type = &poster, .cancel_after = NS_S});
	assert_int_equal(trial.verdict, STEP_FAIL);
	assert_int_equal(trial.err.code, ERR_CANCELLED);
	assert_int_equal(trial.reach, REACH_SENT);
	arena_free(mem);
}

/* Cleans up for ever: is ended after ten seconds. */
static enum verdict
stubborn(struct step *step, const struct event *event)
{
	(void)event;
	return step_sleep(step, 0, NS_MIN);
}

static void
cleaning_up_ends(void **state)
{
	(void)state;
	static const struct step_type type = {.name = "stubborn",
		.in = none,
		.out = none,
		.effect = ONCE,
		.run = stubborn};
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	int64_t from = fake_host(fake)->type->now(fake_host(fake)).boot;
	struct trial trial = tried(
		fake, mem, "run", (struct trial){.type = &type, .cancel_after = NS_S});
	assert_int_equal(trial.verdict, STEP_DOUBT);
	assert_int_equal(
		fake_host(fake)->type->now(fake_host(fake)).boot - from, 11 * NS_S);
	arena_free(mem);
}

static enum verdict
saving(struct step *step, const struct event *event)
{
	static const struct value one = {.kind = V_INT, .i = 1};
	if (event->kind == EV_START)
		return step_save(step, &one);
	return event->kind == EV_SAVED ? post(step) : posting(step, event);
}

static void
what_is_saved_is_durable_first(void **state)
{
	(void)state;
	static const struct step_type type = {
		.name = "saving", .in = none, .out = none, .effect = ONCE, .run = saving};
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_expect(fake, (struct expected){OP_HTTP, .answer = &good});
	struct trial trial = tried(fake, mem, "run", (struct trial){.type = &type});
	assert_int_equal(trial.verdict, STEP_DONE);
	assert_string_equal(trial.last_saved, "1");
	arena_free(mem);
}

static enum verdict
idle(struct step *step, const struct event *event)
{
	(void)step;
	(void)event;
	return STEP_WAIT;
}

static void
waiting_for_nothing_is_a_failure(void **state)
{
	(void)state;
	static const struct step_type type = {
		.name = "idle", .in = none, .out = none, .effect = ONCE, .run = idle};
	struct arena *mem = arena_new();
	struct trial trial =
		tried(fake_new(mem), mem, "run", (struct trial){.type = &type});
	assert_int_equal(trial.verdict, STEP_FAIL);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_ends_it),
		cmocka_unit_test(the_same_bytes_go_again_after_a_pause),
		cmocka_unit_test(a_date_says_when_it_goes_again),
		cmocka_unit_test(what_may_have_arrived_stays_so),
		cmocka_unit_test(an_effect_in_a_preview_is_refused),
		cmocka_unit_test(a_cancel_waits_for_the_operation),
		cmocka_unit_test(cleaning_up_ends),
		cmocka_unit_test(what_is_saved_is_durable_first),
		cmocka_unit_test(waiting_for_nothing_is_a_failure),
	};
	return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}
