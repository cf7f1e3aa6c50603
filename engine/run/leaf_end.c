#include "run/owner.h"

#include "model/retry.h"
#include "run/again.h"

#include <assert.h>

/* One step, backwards: what happened, and how it ends. */

#define PUT_OFF (INT64_C(5) * 1000000)                /* us */

static bool
is_called_off(const struct seat *seat)
{
	return seat->cut == CUT_CANCEL || seat->cut == CUT_STOP;
}

static void
body_result(struct map_builder *body, const struct result *result)
{
	if (result == NULL)
		return;
	body_value(body, "outputs", result->outputs);
	body_value(body, "measures", result->measures);
	body_error(body, result->err);
	if (result->log_digest != NULL) {
		struct map_builder log = {.mem = body->mem};
		map_put(&log, "bytes", value_int((int64_t)result->log_bytes));
		body_text(&log, "digest", result->log_digest);
		map_put(body, "log", map_done(&log));
	}
}

void
leaf_final(struct owner *o, struct seat *seat, struct final final)
{
	struct map_builder body = body_new(o);

	/* duplicates are accepted: nobody is asked */
	if (final.state == OUT_DOUBT && seat->effect == REPEATABLE)
		final.state = is_halted(o, seat) || is_called_off(seat) ? OUT_CANCELLED
			: OUT_FAILED;
	body_text(&body, "state", outcome_word(final.state));
	body_text(&body, "fate", fate_word(final.fate));
	if (final.how != WAY_NONE)
		body_text(&body, "how", way_word(final.how));
	if (final.grade != GRADE_NONE)
		body_text(&body, "grade", grade_word(final.grade));
	if (seat->state->tries + seat->tries > 0)
		map_put(&body, "tries", value_int(seat->state->tries + seat->tries));
	body_result(&body, final.result);
	if (is_dry(o, seat) && final.result != NULL) {
		body_value(&body, "before", final.result->before);
		body_value(&body, "after", final.result->after);
	}
	emit(o, REC_OUTCOME, seat->state, seat->state->attempt, &body);
	seat->phase = -1;
	timer_clear(o, &seat->timeout);
	leaf_wait(o, seat, WAIT_NONE, 0);
	seat->sub = SUB_NONE;
	seat_cut(o, seat, CUT_NONE);
	seat_stand(o, seat, final.state == OUT_DOUBT ? STAND_DOUBT : STAND_FINAL);
}

/* What a pause is for: told if nothing comes after it. One copy for all pauses of a
 * step, so that a long poll takes no memory. */
static void
keep_bad(struct owner *o, struct seat *seat, const struct result *result)
{
	if (result == NULL || result->err == NULL)
		return;
	if (seat->bad == NULL)
		seat->bad = arena_new_of(o->mem, struct err);
	*seat->bad = *result->err;
}

/* us until the next attempt after `tries` of them. */
static int64_t
pause_after(const struct owner *o, const struct seat *seat, unsigned tries)
{
	const struct retry *retry = seat->is_undo ? &retry_otherwise : &seat->node->retry;

	if (seat->node->every != 0 && !seat->is_undo)
		return seat->node->every / 1000;
	const char *key = path_key(o->turn_mem, o->state, seat->state);
	return retry_delay(retry, key, tries < 1 ? 2 : tries + 1) / 1000;
}

static unsigned
tries_of(const struct seat *seat)
{
	return seat->is_undo ? 3 : seat->node->retry.attempts;
}

static void
retry(struct owner *o, struct seat *seat, enum fate fate, unsigned tries, int64_t at,
	const struct result *result)
{
	struct map_builder body = body_new(o);

	body_text(&body, "fate", fate_word(fate));
	map_put(&body, "tries", value_int(tries));
	body_time(&body, "next_at", at);
	if (result != NULL)
		body_error(&body, result->err);
	emit(o, REC_RETRY, seat->state, seat->state->attempt, &body);
}

/* An attempt ended badly. The one place that asks again(). */
void
leaf_fail(struct owner *o, struct seat *seat, enum fate fate, bool transient,
	const struct result *result)
{
	const struct path_state *state = seat->state;
	enum fate joined = fate_worst(state->fate, fate);
	bool is_pure = seat->effect == PURE;
	unsigned tries = 1 + (is_pure ? seat->tries : state->tries);
	int64_t pause = pause_after(o, seat, tries);
	bool over = seat->last || seat_is_off(seat) || state->grace || state->late
		|| is_halted(o, seat)
		|| (state->deadline_at > 0 && state->deadline_at <= o->now + pause);
	enum again what = again(&(struct bad_end){
		.effect = seat->effect, .fate = fate, .joined = joined,
			.transient = transient,
		.tries_left = tries < tries_of(seat) && !over,
		.probe = seat->has_probe && !seat->is_undo, .in_window = in_window(o,
			seat)});

	if (is_pure && fate == FATE_DONE && !seat->node->retry_written)
		/* only transient failures are tried again unasked */
		what = AGAIN_FAIL;
	if (what == AGAIN_PROBE && over)
		what = joined == FATE_DOUBT ? AGAIN_PARK : AGAIN_FAIL;
	switch (what) {
	case AGAIN_RETRY:
		keep_bad(o, seat, result);
		if (is_pure)
			seat->tries = tries;          /* pure attempts leave no record */
		else
			retry(o, seat, joined, tries, o->now + pause, result);
		seat_cut(o, seat, CUT_NONE);
		seat_stand(o, seat, STAND_BACKOFF);
		leaf_wait(o, seat, WAIT_BACKOFF, o->now + pause);
		break;
	case AGAIN_PROBE:
		leaf_orphans(o, seat, THEN_PROBE);
		break;
	case AGAIN_PARK:
		leaf_final(o, seat, (struct final){
			.state = OUT_DOUBT, .fate = joined, .result = result});
		break;
	case AGAIN_FAIL:
		leaf_give_up(o, seat, joined, result);
		break;
	}
}

static bool
asks_person(const struct owner *o, const struct seat *seat)
{
	if (seat->is_back)
		return !is_stopped(o);
	return seat_on_error(o, seat) == ON_ERROR_ASK && !is_halted(o, seat)
		&& !seat->is_gate
		&& !is_dry(o, seat);
}

void
leaf_ask_failed(struct owner *o, struct seat *seat, enum fate fate,
	const struct result *result)
{
	struct map_builder body = body_new(o);

	body_text(&body, "what", "failed");
	body_text(&body, "fate", fate_word(fate));
	body_result(&body, result);
	emit(o, REC_ASK, seat->state, 0, &body);
	seat->phase = -1;
	timer_clear(o, &seat->timeout);
	leaf_wait(o, seat, WAIT_NONE, 0);
	seat_stand(o, seat, STAND_ASK);
}

void
leaf_give_up(struct owner *o, struct seat *seat, enum fate fate,
	const struct result *result)
{
	bool halted = is_halted(o, seat) && o->state->signal != HALT_DEADLINE;
	bool doubt = fate == FATE_DOUBT && seat->effect != REPEATABLE;

	if (seat->effect == PURE)
		fate = FATE_NONE;                     /* a check changes nothing */
	if (halted || is_called_off(seat))
		leaf_final(o, seat, (struct final){.state = doubt ? OUT_DOUBT
			: OUT_CANCELLED,
			.fate = fate, .result = result});
	else if (asks_person(o, seat))
		leaf_ask_failed(o, seat, fate, result);
	else
		leaf_final(o, seat, (struct final){
			.state = OUT_FAILED, .fate = fate, .result = result});
}

/* ---- what an operation came to, by phase */

static void
checked(struct owner *o, struct seat *seat, const struct result *result)
{
	if (result->verdict == STEP_DONE && !result->not_held && !seat_is_off(seat)) {
		if (seat->then == THEN_ASK)
			leaf_ask(o, seat);
		else
			leaf_act(o, seat);
	/* an attempt of a dead owner, and it may not be made again now */
	} else if (seat->state->open) {
		leaf_final(o, seat, (struct final){
			.state = OUT_DOUBT, .fate = FATE_DOUBT, .result = result});
	} else {
		seat->last = seat->last || !result->transient;
		leaf_fail(o, seat, FATE_NONE, result->transient, result);
	}
}

static void
probed(struct owner *o, struct seat *seat, const struct result *result)
{
	unsigned tries = seat->state->tries + (seat->free ? 0 : 1);

	if (result->verdict == STEP_DONE) {
		leaf_adopt(o, seat, result);
	} else if (result->verdict != STEP_ABSENT || seat_is_off(seat) || is_halted(o, seat)) {
		leaf_final(o, seat, (struct final){
			.state = OUT_DOUBT, .fate = FATE_DOUBT, .result = result});
	} else {
		/* not there as a whole; parts of it may be */
		seat->absent = true;
		if (tries < tries_of(seat) || seat->free) {
			retry(o, seat, FATE_PARTIAL, tries, o->now, NULL);
			leaf_check(o, seat);
		} else {
			leaf_give_up(o, seat, FATE_PARTIAL, result);
		}
	}
}

static void
settled(struct owner *o, struct seat *seat, const struct result *result)
{
	if (result->verdict == STEP_DONE && !result->assert_failed)
		leaf_final(o, seat, (struct final){.state = OUT_OK, .fate = FATE_DONE,
			.how = WAY_RAN, .result = result});
	else if (is_called_off(seat))
		leaf_final(o, seat, (struct final){
			.state = OUT_CANCELLED, .fate = FATE_DONE, .result = result});
	else
		leaf_give_up(o, seat, FATE_DONE, result);
}

/* What still runs would meet the next attempt, or make a liar of the probe (resilience.md
 * R6). */
static void
left_running(struct owner *o, struct seat *seat, const struct result *result)
{
	if (seat->is_undo)
		leaf_give_up(o, seat, FATE_DOUBT, result);
	else
		leaf_final(o, seat, (struct final){
			.state = OUT_DOUBT, .fate = FATE_DOUBT, .result = result});
}

/* The owner is about to leave; a resume begins where this would have. */
static void
put_off(struct owner *o, struct seat *seat, const struct result *result)
{
	retry(o, seat, seat->state->fate, seat->state->tries, o->now, result);
	seat_stand(o, seat, STAND_BACKOFF);
	leaf_wait(o, seat, WAIT_BACKOFF, o->now + PUT_OFF);
}

static void
changed(struct owner *o, struct seat *seat, const struct result *result)
{
	enum fate fate = fate_of(result->verdict, result->reach);

	if (fate == FATE_DOUBT && result->left > 0 && seat->effect != REPEATABLE) {
		left_running(o, seat, result);
	} else if (result->refused && fate == FATE_NONE) {
		put_off(o, seat, result);
	} else if (fate != FATE_DONE) {
		leaf_fail(o, seat, fate, result->transient, result);
	} else if (seat->has_settle && !seat->is_undo) {
		struct map_builder body = body_new(o);
		body_value(&body, "out", result->outputs);
		map_put(&body, "adopted", value_bool(false));
		emit(o, REC_EFFECT, seat->state, seat->state->attempt, &body);
		leaf_settle(o, seat);
	} else if (!result->assert_failed) {
		leaf_final(o, seat, (struct final){.state = OUT_OK, .fate = FATE_DONE,
			.how = WAY_RAN, .result = result});
	} else {
		leaf_fail(o, seat, FATE_DONE, false, result);
	}
}

static void
saved(struct owner *o, struct seat *seat, const struct result *result)
{
	struct map_builder body = body_new(o);

	body_value(&body, "value", result->saved);
	emit(o, REC_SAVE, seat->state, seat->state->attempt, &body);
	act_add(o, ACT_SAVED, seat);
}

/* Checks: asked once, `samples` times, or `every` so often until it holds. */

static void
polled_dry(struct owner *o, struct seat *seat, const struct result *result, bool holds)
{
	const struct samples *samples = seat->node->samples;
	struct final final = {.state = OUT_OK, .result = result};

	if (result->unknown != NULL)
		final.grade = GRADE_UNKNOWN;
	else if (holds)
		final.grade = samples != NULL && samples->count > 1 ? GRADE_ASSUMED
			: GRADE_CHECKED;
	else if (o->state->predicted > 0)
		final.grade = GRADE_ASSUMED;
	else
		final.state = OUT_FAILED;
	leaf_final(o, seat, final);
}

static void
again_after(struct owner *o, struct seat *seat, int64_t pause_ns,
	const struct result *result)
{
	keep_bad(o, seat, result);
	seat_stand(o, seat, STAND_BACKOFF);
	leaf_wait(o, seat, WAIT_BACKOFF, o->now + pause_ns / 1000);
}

static void
sampled(struct owner *o, struct seat *seat, const struct result *result, bool holds)
{
	const struct samples *samples = seat->node->samples;

	seat->polls++;
	seat->good += holds;
	unsigned left = samples->count - seat->polls;
	if (seat->good >= samples->pass)
		leaf_final(o, seat, (struct final){
			.state = OUT_OK, .how = WAY_RAN, .result = result});
	else if (seat->good + left < samples->pass)
		leaf_give_up(o, seat, FATE_NONE, result);
	else
		again_after(o, seat, samples->every, result);
}

static void
polled(struct owner *o, struct seat *seat, const struct result *result)
{
	bool answered = result->verdict == STEP_DONE, holds = answered
		&& !result->not_held;

	if (is_dry(o, seat)) {
		polled_dry(o, seat, result, holds);
	} else if (seat->node->samples != NULL && !seat_is_off(seat)) {
		sampled(o, seat, result, holds);
	} else if (holds && !seat_is_off(seat)) {
		leaf_final(o, seat, (struct final){
			.state = OUT_OK, .how = WAY_RAN, .result = result});
	} else if (seat_is_off(seat) || result->fail_if) {
		struct err err = {0};
		struct result late = *result;
		if (seat->cut == CUT_DEADLINE && seat->bad != NULL && !result->fail_if)
			late.err = leaf_late(o, seat, &err);
		leaf_give_up(o, seat, FATE_NONE, &late);
	} else if (seat->node->every == 0) {
		leaf_fail(o, seat, answered ? FATE_DONE : FATE_NONE, result->transient,
			result);
	} else if (seat->state->grace || seat->state->late
		|| (result->verdict == STEP_FAIL && !result->transient
		&& seat->cut == CUT_NONE)) {
		/* a definite error; the rest is "not yet" */
		leaf_give_up(o, seat, FATE_NONE, result);
	} else {
		seat_cut(o, seat, CUT_NONE);
		again_after(o, seat, seat->node->every, result);
	}
}

/* What the author's probe would look at may be what a step above makes. */
static bool
waits_for_above(const struct owner *o, const struct seat *seat)
{
	if (o->state->predicted > 0)
		return true;
	for (const struct path_state *p = o->state->first; p != NULL
		&& seat->node->probe_looks; p = p->next) {
		if (p->grade == GRADE_ASSUMED || p->grade == GRADE_UNKNOWN)
			return true;
	}
	return false;
}

/* A dry run ends each changing step at its look, with a grade. */
void
leaf_predict(struct owner *o, struct seat *seat, const struct result *result)
{
	struct final final = {.state = OUT_OK, .result = result};

	if (result == NULL && seat->has_preview) {
		seat_stand(o, seat, STAND_LOOK);
		leaf_op(o, seat, PHASE_LOOK, 0);
		return;
	}
	if (result == NULL)
		final.grade = GRADE_ASSUMED;
	else if (result->unknown != NULL)
		final.grade = GRADE_UNKNOWN;
	else if (result->verdict == STEP_DONE)
		final.grade = result->same ? GRADE_CHECKED
			: result->assumed ? GRADE_ASSUMED : GRADE_PREDICTED;
	else if (waits_for_above(o, seat))
		final.grade = GRADE_ASSUMED;
	else
		final.state = OUT_FAILED;
	leaf_final(o, seat, final);
}

void
leaf_completed(struct owner *o, struct seat *seat, const struct result *result)
{
	int phase = seat->phase;

	if (result->save) {
		saved(o, seat, result);
		return;
	}
	seat->phase = -1;
	timer_clear(o, &seat->timeout);
	leaf_wait(o, seat, WAIT_NONE, 0);
	if (seat->stand == STAND_ENDING)
		seat_stand(o, seat, seat->back);
	switch (phase) {
	case PHASE_ORPHANS:
		leaf_orphaned(o, seat, result);
		break;
	case PHASE_PROVIDE:
		if (result->verdict == STEP_DONE && !seat_is_off(seat))
			leaf_start(o, seat);
		else
			leaf_fail(o, seat, FATE_NONE, result->transient, result);
		break;
	case PHASE_LOOK: {
		struct result seen = *result;
		if (seat_is_off(seat))
			seen.verdict = STEP_FAIL;
		leaf_looked(o, seat, &seen);
		break;
	}
	case PHASE_CHECK: checked(o, seat, result); break;
	case PHASE_PROBE: probed(o, seat, result); break;
	case PHASE_SETTLE: settled(o, seat, result); break;
	case PHASE_RUN:
	case PHASE_UNDO:
		if (seat->effect == PURE)
			polled(o, seat, result);
		else
			changed(o, seat, result);
		break;
	default:
		assert(!"an answer to nothing");
	}
}
