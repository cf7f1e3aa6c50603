#include "run/owner.h"

/* The first time that an owner looks at a path: where it stands, by its last record (the
 * table "Resume" of engine-sketch.md). */

static void
resume_halted(struct owner *o, struct seat *seat)
{
	const struct path_state *state = seat->state;
	bool doubt = state->fate == FATE_DOUBT && seat->effect != REPEATABLE;

	if (state->state == OUT_DOUBT)
		seat_stand(o, seat, STAND_DOUBT);
	else if (state->last == REC_EFFECT)
		leaf_final(o, seat, (struct final){.state = OUT_CANCELLED,
			.fate = FATE_DONE});
	else if (state->open)
		leaf_orphans(o, seat, THEN_PARK);
	else
		leaf_final(o, seat, (struct final){
			.state = doubt ? OUT_DOUBT : OUT_CANCELLED, .fate = state->fate});
}

/* What was recorded by another version of the step's type: this one may read it wrongly,
 * so a person decides (resilience.md D2, "Playbook changed"). */
static const struct path_state *
recorded_by_other(const struct owner *o, const struct seat *seat)
{
	const struct step_type *type = seat->node->type;
	const struct path_state *of = seat->is_undo ? seat_undone(o, seat) : seat->state;
	bool other = type != NULL && of != NULL && of->intents > 0
		&& of->type_version != type->version;

	return other ? of : NULL;
}

bool
seat_is_outdated(const struct owner *o, const struct seat *seat)
{
	return recorded_by_other(o, seat) != NULL;
}

void
leaf_outdated(struct owner *o, struct seat *seat)
{
	const struct path_state *state = seat->state, *of = recorded_by_other(o, seat);
	struct err err = {0};
	struct result result = {.verdict = STEP_DOUBT, .err = &err};

	err_set(&err, ERR_VERSION, "it was begun by version %u of %s, and this rbx has "
		"version %u: what it recorded may mean something else", of->type_version,
		seat->node->type->name, seat->node->type->version);
	err_hint(&err, "go on with the rbx that began it, or settle it as done, failed "
		"or skipped");
	/* as a doubt, what took effect might be carried out again */
	if (seat->is_undo || (state->effected && state->fate == FATE_DONE))
		leaf_ask_failed(o, seat, state->fate, &result);
	else if (state->state == OUT_DOUBT && state->error != NULL
		&& strcmp(state->error, err.msg) == 0)
		seat_stand(o, seat, STAND_DOUBT);
	else
		leaf_final(o, seat, (struct final){.state = OUT_DOUBT, .result = &result,
			.fate = state->open ? FATE_DOUBT : state->fate});
}

/* What may be carried out again is READY; what a person must see first is asked; the rest
 * is looked at. */
static bool
resume_reopened(struct owner *o, struct seat *seat)
{
	const struct path_state *state = seat->state;
	enum effect effect = seat->effect;

	if (state->effected) {
		leaf_settle(o, seat);
	} else if (state->fate == FATE_NONE) {
		seat_stand(o, seat, STAND_READY);
	} else if (effect == ONCE || (effect == KEYED && state->fate == FATE_DONE)) {
		struct map_builder body = body_new(o);
		body_text(&body, "what", "failed");
		body_text(&body, "fate", fate_word(state->fate));
		emit(o, REC_ASK, seat->state, 0, &body);
		seat_stand(o, seat, STAND_ASK);
	} else if ((effect == IDEMPOTENT || effect == REPEATABLE)
		&& state->fate != FATE_DOUBT) {
		seat_stand(o, seat, STAND_READY);
	} else {
		return false;
	}
	return true;
}

/* An intent without an end, or a doubt that the class can settle. */
static void
resume_open(struct owner *o, struct seat *seat, bool told)
{
	bool probe = seat->effect == PROBED
		|| (seat->effect == KEYED && seat->has_probe && !in_window(o, seat));

	if (seat->effect == ONCE)
		leaf_orphans(o, seat, THEN_PARK);
	else
		leaf_orphans(o, seat, told ? THEN_INBOX : probe ? THEN_PROBE : THEN_ACT);
}

static void
resume_last(struct owner *o, struct seat *seat)
{
	const struct path_state *state = seat->state;
	bool told = inbox_has_resolve(o, seat->path);

	switch (state->last) {
	case REC_ASK:
	case REC_ANSWER:
	case REC_RESOLVE:
		seat_stand(o, seat, STAND_READY);
		return;
	case REC_RETRY:
		if (state->fate == FATE_DOUBT && told) {
			leaf_orphans(o, seat, THEN_INBOX);
			return;
		}
		seat_stand(o, seat, STAND_BACKOFF);
		leaf_wait(o, seat, WAIT_BACKOFF, state->next_at);
		return;
	case REC_EFFECT:
		leaf_settle(o, seat);
		return;
	case LAST_REOPENED:
		if (resume_reopened(o, seat))
			return;
		break;
	default:
		break;
	}
	resume_open(o, seat, told);
}

void
leaf_resume(struct owner *o, struct seat *seat)
{
	const struct path_state *state = seat->state;
	int last = state->last;

	seat_stand(o, seat, STAND_WAITING);
	if (state->intents == 0 && (last == LAST_NONE || last == REC_BEGIN
		|| last == REC_SIGNAL
		|| last == LAST_REOPENED))
		return;
	seat->free = true;
	if (last == REC_ASK && state->what == ASK_FAILED)
		seat_stand(o, seat, STAND_ASK);
	else if (is_halted(o, seat))
		resume_halted(o, seat);
	else if (seat_is_outdated(o, seat) && state->open)
		leaf_orphans(o, seat, THEN_PARK);
	else if (seat_is_outdated(o, seat))
		leaf_outdated(o, seat);
	else if (state->state == OUT_DOUBT && seat->effect == ONCE)
		seat_stand(o, seat, STAND_DOUBT);
	else
		resume_last(o, seat);
}

static bool
has_prefix(const struct path_state *path, const char *prefix)
{
	return str_starts(str_of(path->path), str_of(prefix));
}

static const struct path_state *
first_undone(const struct run_state *state, bool *cleaned)
{
	const struct path_state *undone = NULL;

	*cleaned = false;
	for (const struct path_state *p = state->first; p != NULL; p = p->next) {
		if (p->last == LAST_NONE)
			continue;
		if (undone == NULL && str_ends(str_of(p->path), STR("/undo")))
			undone = p;
		*cleaned |= has_prefix(p, "finally/") && p->fate != FATE_NONE;
	}
	return undone;
}

bool
state_may_resume(const struct run_state *state, int64_t now_us, bool has_deadline,
	const char **why, struct err *err)
{
	bool past = state->deadline_at > 0 && state->deadline_at <= now_us
		&& state->first->since < 0 && state->signal == HALT_NONE
		&& state->ending == END_NONE;
	bool cleaned;

	*why = "resume";
	if (state->end == END_NONE && past && !has_deadline) {
		err_set(err, ERR_TIMEOUT, "the run is past its deadline");
		return err_hint(err, "give it more time: --deadline 30m");
	}
	if (state->end == END_NONE)
		return true;
	*why = "reopen";
	if (state->end == END_OK)
		return err_set(err, ERR_VALUE, "the run is done: nothing is left to do");
	if (state->end == END_REFUSED)
		return err_set(err, ERR_VALUE,
			"the run was refused before its first step: start another one");
	const struct path_state *undone = first_undone(state, &cleaned);
	if (undone != NULL)
		return err_set(err, ERR_VALUE, "the run was undone: %s", undone->path);
	if (cleaned)
		return err_set(err, ERR_VALUE,
			"a `finally` of the run changed something");
	return true;
}
