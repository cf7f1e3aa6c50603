#include "run/attempt.h"

#include <assert.h>

static void deliver(struct attempt *attempt, const struct event *event);

struct now
attempt_now(const struct attempt *attempt)
{
	return attempt->host->type->now(attempt->host);
}

static void
stop_all(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->n_slots; i++)
		slot_stop(attempt->slots[i]);
}

/* A final verdict counts once all that was in flight has completed. */
static void
end(struct attempt *attempt)
{
	if (attempt->over || attempt->flying > 0 || attempt->saving)
		return;
	for (size_t i = 0; i < attempt->n_slots; i++)
		slot_close(attempt->slots[i]);
	attempt->over = true;
	struct step *step = &attempt->step;
	if (step->type->drop != NULL)
		step->type->drop(step);
	attempt->outside->ended(attempt);
}

static void
conclude(struct attempt *attempt, enum verdict verdict)
{
	attempt->verdict = verdict;
	attempt->closing = true;
	stop_all(attempt);
	end(attempt);
}

/* All operations have ended; the step may clean up, and says what it knows. */
static void
clean(struct attempt *attempt)
{
	struct now now = attempt_now(attempt);
	attempt->cleaning = true;
	attempt->clean_until = now.boot + ATTEMPT_GRACE_S * NS_S;
	deliver(attempt, &(struct event){.kind = EV_CANCEL, .now = now});
}

static void
go_on(struct attempt *attempt)
{
	if (attempt->over)
		return;
	if (attempt->closing)
		end(attempt);
	else if (attempt->stopping && !attempt->cleaning && attempt->flying == 0
		&& !attempt->saving)
		clean(attempt);
}

static void
deliver(struct attempt *attempt, const struct event *event)
{
	enum verdict verdict = attempt->fn(&attempt->step, event);
	if (verdict == STEP_WAIT && attempt->flying == 0 && !attempt->saving) {
		if (attempt->stopping && !attempt->cleaning) {
			clean(attempt);
			return;
		}
		verdict = step_fail(&attempt->step, ERR_VALUE, false,
			"%s of %s waits for nothing: a mistake in the step type", attempt->phase,
			attempt->step.type->name);
	}
	if (verdict != STEP_WAIT)
		conclude(attempt, verdict);
}

void
attempt_start(struct attempt *attempt, step_fn *fn, struct now now)
{
	struct step *step = &attempt->step;
	assert(step->mem != NULL && step->type != NULL);
	attempt->fn = fn;
	attempt->verdict = STEP_WAIT;
	attempt->reach = REACH_NONE;
	step->err = &attempt->err;
	unsigned slots = step->type->slots;
	assert(slots <= MOST_SLOTS);
	attempt->n_slots = slots > SLOTS ? slots : SLOTS;
	attempt->slots = arena_array(step->mem, struct slot *, attempt->n_slots);
	if (step->state == NULL && step->type->state > 0)
		step->state = arena_alloc(step->mem, step->type->state);
	deliver(attempt, &(struct event){.kind = EV_START, .now = now});
}

void
attempt_saved(struct attempt *attempt, struct now now)
{
	assert(attempt->saving);
	attempt->saving = false;
	if (attempt->closing || (attempt->stopping && !attempt->cleaning))
		go_on(attempt);
	else
		deliver(attempt, &(struct event){.kind = EV_SAVED, .now = now});
}

void
attempt_cancel(struct attempt *attempt)
{
	if (attempt->over || attempt->stopping || attempt->closing)
		return;
	attempt->stopping = true;
	stop_all(attempt);
	go_on(attempt);
}

int64_t
attempt_due(const struct attempt *attempt)
{
	return attempt->cleaning && !attempt->closing ? attempt->clean_until : INT64_MAX;
}

void
attempt_tick(struct attempt *attempt, struct now now)
{
	if (now.boot < attempt_due(attempt))
		return;
	if (attempt->err.code == ERR_NONE)
		err_set(&attempt->err, ERR_CANCELLED, "ended, and not known what it did");
	conclude(attempt, STEP_DOUBT);
}

void
attempt_renewed(struct attempt *attempt)
{
	for (unsigned i = 0; i < attempt->n_slots; i++)
		slot_renewed(attempt->slots[i]);
}

/* While all is being stopped, only an answer that was whole already is handed over, and
 * only where no other operation could have been started for it: what is known must not
 * become a doubt. */
static bool
is_for_step(const struct attempt *attempt, const struct slot *slot)
{
	if (attempt->closing)
		return false;
	if (!attempt->stopping || attempt->cleaning)
		return true;
	return slot->op.err.code == ERR_NONE && slot->op.reach == REACH_ANSWERED &&
		attempt->step.type->slots <= 1 && attempt->flying == 0;
}

void
attempt_completed(struct attempt *attempt, struct slot *slot)
{
	attempt->flying--;
	if (slot->effect) {
		attempt->any_effect = true;
		attempt->reach = slot->op.reach;
		attempt->left += slot->op.left;
	}
	struct now now = attempt_now(attempt);
	if (attempt_due(attempt) <= now.boot)
		attempt_tick(attempt, now);
	else if (is_for_step(attempt, slot))
		deliver(attempt,
			&(struct event){.kind = EV_OP, .now = now, .op = &slot->op});
	else
		go_on(attempt);
}
