#include "run/owner.h"

#include "run/words.h"

#include <assert.h>

/* One step, forwards: what comes next. The states and their order are engine-sketch.md's
 * table of one attempt. */

enum { LOOK_PAUSE = 1000000, ORPHANS_TIMEOUT = 10 };   /* us; s */
/* us: what was sent may still land (resilience.md R6) */
#define SETTLE_LEAST (INT64_C(10) * 1000000)
#define SETTLE_MOST (INT64_C(120) * 1000000)

void
leaf_op(struct owner *o, struct seat *seat, enum phase phase, int64_t timeout_ns)
{
	int64_t timeout = timeout_ns != 0 ? timeout_ns : seat->node->timeout;

	seat->phase = (int)phase;
	leaf_wait(o, seat, WAIT_NONE, 0);
	seat->op_since = o->now;
	seat->timeout_at = timeout == 0 ? 0 : o->now + timeout / 1000;
	if (timeout == 0)
		timer_clear(o, &seat->timeout);
	else
		timer_set(o, &seat->timeout, seat->timeout_at);
	struct act *act = act_add(o, ACT_OP, seat);
	act->phase = phase;
	act->timeout_at = seat->timeout_at;
}

void
leaf_wait(struct owner *o, struct seat *seat, enum wait wait, int64_t at)
{
	seat->wait = wait;
	if (wait == WAIT_NONE) {
		timer_clear(o, &seat->due);
		return;
	}
	seat->phase = -1;
	timer_clear(o, &seat->timeout);
	seat->wait_at = at > o->now ? at : o->now;
	timer_set(o, &seat->due, seat->wait_at);
}

/* Arguments, class and recorded form. false: the step has ended by it. */
static bool
evaluate(struct owner *o, struct seat *seat)
{
	struct place place = seat_place(seat);
	struct prepared prepared = {.effect = seat->effect};
	struct err err = {0};

	if (seat->is_undo || seat->state->intents > 0)
		return true;
	enum answer answer = o->asker->input(o->asker, &place, o->turn_mem, &prepared,
		&err);
	if (answer == ANSWER_UNKNOWN && is_dry(o, seat)) {
		leaf_final(o, seat, (struct final){.state = OUT_OK,
			.grade = GRADE_UNKNOWN});
		return false;
	}
	if (answer != ANSWER_YES) {
		struct result result = {.verdict = STEP_FAIL, .err = &err};
		if (answer == ANSWER_UNKNOWN)
			err_set(&err, ERR_VALUE, "an argument is not known");
		leaf_give_up(o, seat, seat->state->fate, &result);
		return false;
	}
	seat->effect = prepared.effect == ONCE && seat->node->probe != NULL ? PROBED
		: prepared.effect;
	struct value *in = arena_new_of(o->mem, struct value);
	*in = value_copy(o->mem, &prepared.in);
	seat->in_value = in;
	return true;
}

/* READY, and a slot is free. */
void
leaf_start(struct owner *o, struct seat *seat)
{
	leaf_wait(o, seat, WAIT_NONE, 0);
	seat->sub = SUB_NONE;
	if (seat->is_dark) {
		leaf_final(o, seat,
			(struct final){.state = OUT_OK, .grade = GRADE_UNKNOWN});
		return;
	}
	if (seat_is_outdated(o, seat)) {
		leaf_outdated(o, seat);
		return;
	}
	if (seat->stand != STAND_PROVIDE && !evaluate(o, seat))
		return;
	if (seat->has_provider && seat->stand != STAND_PROVIDE) {
		seat_stand(o, seat, STAND_PROVIDE);
		leaf_op(o, seat, PHASE_PROVIDE, 0);
	} else {
		leaf_look(o, seat);
	}
}

static bool
is_asked_for(const struct owner *o, const struct seat *seat)
{
	bool waived = o->state->mode == MODE_DRILL && !o->book->drill.confirm;
	bool confirms = seat->node->confirm != NULL && !seat->is_item && !waived;

	return !seat->is_undo && (confirms || node_asks(seat->node));
}

void
leaf_look(struct owner *o, struct seat *seat)
{
	static const struct result as_written = {.verdict = STEP_DONE,
		.shown = "as written"};
	bool changes = seat->effect != PURE, looks = seat->has_preview && !seat->is_undo;

	/* A wait has a preview, for a rehearsal does not wait. */
	if ((changes || (seat->has_preview && seat->node->type->is_check))
		&& is_dry(o, seat)) {
		leaf_predict(o, seat, NULL);
	} else if (changes && looks && (is_asked_for(o, seat) || seat->goes_back
		|| seat->node->probe_looks)) {
		seat_stand(o, seat, STAND_LOOK);
		leaf_op(o, seat, PHASE_LOOK, 0);
	} else if (is_asked_for(o, seat)) {
		leaf_looked(o, seat, &as_written);
	} else {
		leaf_check(o, seat);
	}
}

static void
look_failed(struct owner *o, struct seat *seat, const struct result *result)
{
	const struct path_state *state = seat->state;

	seat->looks++;
	if (result->transient && seat->looks < seat->node->retry.attempts
		&& !is_halted(o, seat) && seat->cut == CUT_NONE) {
		seat_stand(o, seat, STAND_LOOK);
		leaf_wait(o, seat, WAIT_LOOK, o->now + LOOK_PAUSE);
	} else if (state->fate == FATE_DOUBT) {
		leaf_final(o, seat, (struct final){
			.state = OUT_DOUBT, .fate = FATE_DOUBT, .result = result});
	} else {
		leaf_give_up(o, seat, state->fate, result);
	}
}

static const struct value *
kept_copy(struct owner *o, const struct value *v)
{
	if (v == NULL)
		return NULL;
	struct value *copy = arena_new_of(o->mem, struct value);
	*copy = value_copy(o->mem, v);
	return copy;
}

static bool
is_approved(const struct seat *seat)
{
	const struct path_state *state = seat->state;

	for (unsigned i = 0; i < state->n_approved; i++) {
		if (strcmp(state->approved[i], seat->shown) == 0)
			return true;
	}
	return false;
}

void
leaf_looked(struct owner *o, struct seat *seat, const struct result *result)
{
	if (is_dry(o, seat)) {
		leaf_predict(o, seat, result);
		return;
	}
	if (result->verdict != STEP_DONE) {
		look_failed(o, seat, result);
		return;
	}
	seat->looks = 0;
	seat->was = kept_copy(o, result->before);
	seat->after = kept_copy(o, result->after);
	seat->shown = result->shown == NULL ? "" : arena_strdup(o->mem, result->shown);
	if (seat->has_preview && result->same && seat->state->intents > 0) {
		leaf_adopt(o, seat, result);
	} else if (seat->has_preview && result->same) {
		leaf_final(o, seat, (struct final){
			.state = OUT_OK, .how = WAY_UNCHANGED, .result = result});
	} else if (is_asked_for(o, seat) && !is_approved(seat)) {
		/* before the question, and again before the attempt */
		if (seat->has_checks) {
			seat_stand(o, seat, STAND_CHECK);
			seat->then = THEN_ASK;
			leaf_op(o, seat, PHASE_CHECK, 0);
		} else {
			leaf_ask(o, seat);
		}
	} else {
		leaf_check(o, seat);
	}
}

static void
emit_question(struct owner *o, struct seat *seat, const struct question *q)
{
	int64_t within = q->within != 0 ? q->within
		: seat->node->confirm != NULL ? seat->node->confirm->within : 0;
	struct map_builder body = body_new(o);

	body_question(&body, q);
	body_text(&body, "shown", seat->shown);
	if (within != 0)
		body_time(&body, "until_at", o->now + within / 1000);
	body_value(&body, "before", seat->was);
	body_value(&body, "after", seat->after);
	emit(o, REC_ASK, seat->state, 0, &body);
}

void
leaf_ask(struct owner *o, struct seat *seat)
{
	struct path_state *state = seat->state;
	bool stands = state->ask != 0 && strcmp(state->shown, seat->shown) == 0
		&& (state->until_at == 0 || o->now < state->until_at);

	if (!stands) {
		struct place place = seat_place(seat);
		struct question q = {0};
		struct err err = {0};
		if (o->asker->question(o->asker, &place, seat->was, seat->after,
			o->turn_mem, &q,
			&err) != ANSWER_YES) {
			struct result result = {.verdict = STEP_FAIL, .err = &err};
			leaf_give_up(o, seat, state->fate, &result);
			return;
		}
		emit_question(o, seat, &q);
	}
	seat_stand(o, seat, STAND_ASK);
	seat->then = THEN_NONE;
	if (state->until_at != 0)
		leaf_wait(o, seat, WAIT_ASK, state->until_at);
	inbox_yes(o, seat);
}

/* Preconditions: after the answer, before every attempt. */
void
leaf_check(struct owner *o, struct seat *seat)
{
	if (!seat->has_checks || seat->is_undo) {
		leaf_act(o, seat);
		return;
	}
	seat_stand(o, seat, STAND_CHECK);
	seat->then = THEN_NONE;
	leaf_op(o, seat, PHASE_CHECK, 0);
}

static void
emit_intent(struct owner *o, struct seat *seat)
{
	struct path_state *state = seat->state;
	const struct step_type *type = seat->node->type;
	struct map_builder body = body_new(o);
	bool is_first = state->intents == 0;

	body_text(&body, "key", path_key(o->turn_mem, o->state, state));
	body_text(&body, "effect", effect_text(seat->effect));
	body_text(&body, "type", type->name);
	map_put(&body, "type_version", value_int(type->version));
	body_value(&body, "in", is_first ? seat->in_value : state->in);
	body_value(&body, "was", is_first ? seat->was : state->was);
	if (seat->node->timeout != 0)
		body_time(&body, "timeout_at", o->now + seat->node->timeout / 1000);
	if (seat->effect == REPEATABLE && (state->open || state->fate != FATE_NONE))
		map_put(&body, "repeat", value_bool(true));
	emit(o, REC_INTENT, state, state->attempt + 1, &body);
}

void
leaf_act(struct owner *o, struct seat *seat)
{
	struct path_state *state = seat->state;

	seat_stand(o, seat, STAND_RUN);
	seat->sub = SUB_NONE;
	seat_cut(o, seat, CUT_NONE);
	if (seat->effect == PURE) {
		leaf_op(o, seat, PHASE_RUN, 0);
		return;
	}
	bool known = seat->absent || (!state->open
		&& (state->fate == FATE_NONE || state->fate == FATE_DONE));
	seat->absent = false;
	if (seat->effect == KEYED && !known && !in_window(o, seat)) {
		if (seat->has_probe)
			leaf_orphans(o, seat, THEN_PROBE);
		else
			leaf_final(o, seat, (struct final){.state = OUT_DOUBT,
				.fate = state->open ? FATE_DOUBT : state->fate});
		return;
	}
	emit_intent(o, seat);
	leaf_op(o, seat, seat->is_undo ? PHASE_UNDO : PHASE_RUN, 0);
	seat->free = false;
}

/* Everything that may still carry out the last intent is ended; before a probe its settle
 * time is waited too. */
void
leaf_orphans(struct owner *o, struct seat *seat, enum then then)
{
	seat_stand(o, seat, STAND_PROBE);
	seat->sub = SUB_ORPHANS;
	seat->then = then;
	leaf_op(o, seat, PHASE_ORPHANS, ORPHANS_TIMEOUT * NS_S);
}

/* A message about a doubt that had none yet. */
static void
park_interrupted(struct owner *o, struct seat *seat)
{
	struct err err = {0};
	struct result result = {.verdict = STEP_DOUBT, .err = &err};

	err_set(&err, ERR_CANCELLED, "it was interrupted, and how far it got is not known");
	leaf_final(o, seat, (struct final){.state = OUT_DOUBT, .fate = FATE_DOUBT,
		.result = seat->state->open ? &result : NULL});
}

void
leaf_waited(struct owner *o, struct seat *seat)
{
	seat->sub = SUB_NONE;
	if (seat->then == THEN_PROBE) {
		const struct node *probe = seat->node->probe;
		seat->settled = o->state->seq;
		leaf_op(o, seat, PHASE_PROBE, probe == NULL ? 0 : probe->timeout);
	} else if (seat->then == THEN_UNDO) {
		seat->settled = o->state->seq;
		if (seat->is_leaf)
			leaf_act(o, seat);
		else
			seat_stand(o, seat, STAND_WAITING);
	} else if (seat_is_outdated(o, seat)) {
		leaf_outdated(o, seat);
	} else if (seat->then != THEN_ACT || is_halted(o, seat)) {
		park_interrupted(o, seat);
	} else {
		leaf_check(o, seat);
	}
}

void
leaf_orphaned(struct owner *o, struct seat *seat, const struct result *result)
{
	int64_t at = seat->state->timeout_at;

	if (result->left > 0 && seat->effect != REPEATABLE) {
		leaf_final(o, seat, (struct final){
			.state = OUT_DOUBT, .fate = FATE_DOUBT, .result = result});
	} else if (seat->then == THEN_PROBE || seat->then == THEN_UNDO) {
		seat->sub = SUB_WAIT;
		if (at < o->now + SETTLE_LEAST)
			at = o->now + SETTLE_LEAST;
		if (at > o->now + SETTLE_MOST)
			at = o->now + SETTLE_MOST;
		leaf_wait(o, seat, WAIT_SETTLE, at);
	} else {
		leaf_waited(o, seat);
	}
}

void
leaf_adopt(struct owner *o, struct seat *seat, const struct result *result)
{
	if (!seat->has_settle || seat->is_undo) {
		leaf_final(o, seat, (struct final){.state = OUT_OK, .fate = FATE_DONE,
			.how = WAY_ADOPTED, .result = result});
		return;
	}
	struct map_builder body = body_new(o);
	body_value(&body, "out", result->outputs);
	map_put(&body, "adopted", value_bool(true));
	emit(o, REC_EFFECT, seat->state, seat->state->attempt, &body);
	leaf_settle(o, seat);
}

void
leaf_settle(struct owner *o, struct seat *seat)
{
	if (is_halted(o, seat)) {
		leaf_final(o, seat, (struct final){.state = OUT_CANCELLED,
			.fate = FATE_DONE});
	} else {
		seat_stand(o, seat, STAND_SETTLE);
		leaf_op(o, seat, PHASE_SETTLE, seat->node->settle_timeout);
	}
}

/* ---- its turn */

/* The deadline counts from here. */
static void
begin_clock(struct owner *o, struct seat *seat)
{
	struct map_builder body = body_new(o);

	if (seat->node->deadline == 0 || seat->is_item || seat->is_undo
		|| seat->state->deadline_at != 0 || is_dry(o, seat))
		return;
	body_time(&body, "deadline_at", o->now + seat->node->deadline / 1000);
	emit(o, REC_BEGIN, seat->state, 0, &body);
}

/* WAITING: `when`, then the deadline's begin. */
static void
take_turn(struct owner *o, struct seat *seat)
{
	struct path_state *state = seat->state;
	struct place place = seat_place(seat);
	struct err err = {0};
	struct result wrong = {.verdict = STEP_FAIL, .err = &err};
	bool again = state->last == LAST_REOPENED && state->intents == 0;
	bool asks = (!state->begun || again) && !seat->is_item && !seat->is_undo
		&& seat->node->when != NULL;
	enum answer answer = asks ? o->asker->when(o->asker, &place, &err) : ANSWER_YES;

	if (answer == ANSWER_NO)
		leaf_final(o, seat, (struct final){.state = OUT_SKIPPED});
	else if (answer == ANSWER_UNKNOWN && is_dry(o, seat))
		leaf_final(o, seat, (struct final){.state = OUT_OK,
			.grade = GRADE_UNKNOWN});
	else if (answer != ANSWER_YES)
		leaf_give_up(o, seat, FATE_NONE, &wrong);
	if (seat->stand != STAND_WAITING)
		return;
	begin_clock(o, seat);
	seat_stand(o, seat, STAND_READY);
}

/* A stop ends what has no intent yet: questions, looks, reads. true: it counts as not
 * reached. */
static bool
stop_here(struct owner *o, struct seat *seat)
{
	int last = seat->state->last;
	bool unbegun = last == LAST_NONE || last == REC_BEGIN || last == LAST_REOPENED;

	if (unbegun && (seat->stand == STAND_READY || seat->stand == STAND_WAITING)) {
		seat_stand(o, seat, STAND_WAITING);
		return true;
	}
	leaf_cut(o, seat, CUT_CANCEL);
	return false;
}

static void
begin(struct owner *o, struct seat *seat)
{
	if (seat->is_undo && is_doubted(o, seat)) {
		seat_stand(o, seat, STAND_PROBE);
		seat->sub = SUB_ORPHANS;
		seat->then = THEN_UNDO;
		leaf_op(o, seat, PHASE_ORPHANS, ORPHANS_TIMEOUT * NS_S);
	} else {
		leaf_start(o, seat);
	}
}

static enum status
waits_how(const struct owner *o, const struct seat *seat)
{
	bool in_doubt = seat->state->state == OUT_DOUBT;

	if (!in_doubt && seat->stand != STAND_ASK)
		return IS_BUSY;
	bool over = (seat->is_handler && !seat->is_back) || (is_cancelled(o) && in_doubt);
	return over ? IS_DOUBT : IS_BLOCKED;
}

enum status
leaf_visit(struct owner *o, struct seat *seat, bool stop)
{
	const struct path_state *state = seat->state;

	if (!seat->seen) {
		seat->seen = true;
		ticket_take(o, seat->state);
		o->order[state->ticket - 1] = seat;
	}
	if (path_is_final(state))
		return status_of(state->state);
	if (seat->stand == STAND_NEW) {
		if (state->last == LAST_REOPENED && state->intents > 0)
			begin_clock(o, seat);
		leaf_resume(o, seat);
	}
	if (seat->stand == STAND_WAITING) {
		if (stop)
			return IS_IDLE;
		take_turn(o, seat);
	}
	if (stop && state->intents == 0 && seat->stand != STAND_DOUBT
		&& seat->stand != STAND_FINAL && seat->stand != STAND_ENDING
		&& stop_here(o, seat))
		return IS_IDLE;
	if (seat->stand == STAND_READY && seat_has_room(o, seat))
		begin(o, seat);
	return path_is_final(state) ? status_of(state->state) : waits_how(o, seat);
}
