#include "run/owner.h"

/* One step, from outside: its timers, and what ends it before it has ended by itself. */

bool
seat_is_off(const struct seat *seat)
{
	return seat->cut == CUT_DEADLINE || seat->cut == CUT_CANCEL
		|| seat->cut == CUT_STOP;
}

const struct err *
leaf_late(const struct owner *o, const struct seat *seat, struct err *err)
{
	int64_t deadline = seat->is_undo ? 0 : seat->node->deadline;
	const char *within = deadline == 0 ? "its deadline"
		: arena_printf(o->turn_mem, "its deadline of %s",
			duration_text(o->turn_mem, deadline));

	if (seat->bad == NULL) {
		err_set(err, ERR_TIMEOUT, "%s has passed", within);
		return err;
	}
	*err = *seat->bad;
	err->at = (struct mark){0};
	err_wrap(err, "%s has passed; the last time", within);
	return err;
}

static void
unanswered(struct owner *o, struct seat *seat)
{
	struct err err = {0};
	struct result late = {.verdict = STEP_FAIL, .err = &err};
	struct map_builder body = body_new(o);

	map_put(&body, "ask", value_int((int64_t)seat->state->ask));
	map_put(&body, "yes", value_bool(false));
	body_text(&body, "reason", "nobody answered");
	emit(o, REC_ANSWER, seat->state, 0, &body);
	err_set(&err, ERR_TIMEOUT, "nobody answered in time");
	if (seat->is_leaf)
		leaf_give_up(o, seat, seat->state->fate, &late);
	else
		group_refuse(o, seat, OUT_FAILED, &err);
}

void
leaf_timer(struct owner *o, struct seat *seat)
{
	enum wait wait = seat->wait;

	leaf_wait(o, seat, WAIT_NONE, 0);
	switch (wait) {
	case WAIT_BACKOFF:
		if (seat->effect == PURE)
			leaf_act(o, seat);
		else
			leaf_check(o, seat);
		break;
	case WAIT_LOOK:
		seat_stand(o, seat, STAND_LOOK);
		leaf_op(o, seat, PHASE_LOOK, 0);
		break;
	case WAIT_SETTLE:
		leaf_waited(o, seat);
		break;
	case WAIT_ASK:
		unanswered(o, seat);
		break;
	case WAIT_NONE:
		break;
	}
}

static void
cut_question(struct owner *o, struct seat *seat, enum cut why)
{
	const struct path_state *state = seat->state;

	if (why == CUT_DEADLINE) {                    /* a person's time does not count */
		seat_cut(o, seat, CUT_NONE);
	} else if (state->what == ASK_FAILED) {
		leaf_final(o, seat, (struct final){.fate = state->fate,
			.state = state->fate == FATE_DOUBT ? OUT_DOUBT : OUT_FAILED});
	} else if (state->fate == FATE_DOUBT && seat->effect != REPEATABLE) {
		leaf_final(o, seat, (struct final){.state = OUT_DOUBT,
			.fate = FATE_DOUBT});
	} else {
		leaf_final(o, seat, (struct final){.state = OUT_CANCELLED,
			.fate = state->fate});
	}
}

/* Timeout, deadline, cancel, stop of one step. What is in flight is ended first; its
 * verdict still counts. */
void
leaf_cut(struct owner *o, struct seat *seat, enum cut why)
{
	const struct path_state *state = seat->state;

	if (seat->stand == STAND_FINAL || seat->stand == STAND_WAITING
		|| seat->stand == STAND_DOUBT || seat->stand == STAND_NEW
		|| seat_is_off(seat))
		return;
	if (why == CUT_CANCEL && seat->stand == STAND_RUN && seat->effect != PURE) {
		/* a running change ends by itself */
		seat->last = true;
		return;
	}
	seat->last = seat->last || why != CUT_TIMEOUT;
	seat_cut(o, seat, why);
	if (seat->stand == STAND_ENDING)
		return;
	if (seat->phase >= 0) {
		seat->back = seat->stand;
		seat_stand(o, seat, STAND_ENDING);
		act_add(o, ACT_KILL, seat);
	} else if (seat->stand == STAND_ASK) {
		cut_question(o, seat, why);
	} else if (seat->sub != SUB_NONE
		|| (state->fate == FATE_DOUBT && seat->effect != REPEATABLE)) {
		leaf_final(o, seat, (struct final){.state = OUT_DOUBT,
			.fate = FATE_DOUBT});
	} else {
		struct err err = {0};
		struct result late = {.verdict = STEP_FAIL};
		if (why == CUT_DEADLINE)
			late.err = leaf_late(o, seat, &err);
		leaf_final(o, seat, (struct final){.fate = state->fate,
			.state = why == CUT_DEADLINE ? OUT_FAILED : OUT_CANCELLED,
			.result = why == CUT_DEADLINE ? &late : NULL});
	}
}
