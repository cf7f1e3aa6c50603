#include "run/owner.h"

/* The lists that follow when the steps have ended, of the run and of a called playbook:
 * each step is tried whatever befell the others, and nobody is asked. And gates: checks
 * that are all asked, whatever the others said. */

struct seat *
handlers_seat(struct owner *o, const char *name, const struct part_list *part,
	struct seat *around)
{
	struct seat *seat = seat_new(o, NULL, 0, NULL, name);

	seat->around = around;
	seat->is_dry = around != NULL && around->is_dry;
	seat->kids = arena_new_of(o->mem, struct list);
	list_open(o, seat->kids, seat, arena_printf(o->mem, "%s/", name), part->nodes,
		part->n, 1);
	return seat;
}

/* ns. Of a called playbook the limits of both hold. */
static int64_t
handlers_limit(const struct owner *o, const struct seat *seat)
{
	int64_t limit = o->book->handlers;

	for (const struct seat *call = call_around(seat->state); call != NULL;
		call = call_around(call->state)) {
		if (call->node->called->handlers < limit)
			limit = call->node->called->handlers;
	}
	return limit;
}

void
handlers_begin(struct owner *o, struct seat *seat, enum ending end)
{
	struct map_builder body = body_new(o);

	body_time(&body, "deadline_at", o->now + handlers_limit(o, seat) / 1000);
	if (end != END_NONE)
		body_text(&body, "end", ending_word(end));
	emit(o, REC_BEGIN, seat->state, 0, &body);
}

static struct seat *
seat_of_part(struct owner *o, const struct handling *h, enum part part)
{
	static const char *const names[PARTS] = {
		[PART_ON_SUCCESS] = "on_success", [PART_ON_FAILURE] = "on_failure",
		[PART_FINALLY] = "finally",
	};
	const char *name = h->around == NULL ? names[part]
		: arena_printf(o->mem, "%s/%s", h->around->path, names[part]);

	if (h->seats[part] == NULL)
		h->seats[part] = handlers_seat(o, name, &h->book->parts[part], h->around);
	return h->seats[part];
}

static bool
has_part(enum part part, enum ending end)
{
	switch (part) {
	case PART_ON_SUCCESS: return end == END_OK;
	case PART_ON_FAILURE: return end != END_OK;
	default: return end != END_REFUSED;
	}
}

/* Of a refused run, and where a lock was lost, only what tells people is carried out. */
static bool
has_step(const struct owner *o, const struct seat *step, enum ending end)
{
	bool only_tells = end == END_REFUSED || o->state->signal == HALT_LOST;

	return !only_tells || step->effect == REPEATABLE || step->stand > STAND_READY;
}

static bool
begin(struct owner *o, struct seat *seat, const struct handling *h)
{
	bool stopped = o->state->signal == HALT_STOP, any = false;

	for (size_t i = 0; i < seat->kids->n; i++)
		any |= has_step(o, list_seat(o, seat->kids, i), h->end);
	if (any && !seat->state->begun && !stopped)
		handlers_begin(o, seat, h->around == NULL ? h->end : END_NONE);
	return any;
}

static enum status
part_visit(struct owner *o, const struct handling *h, enum part part)
{
	struct seat *seat = seat_of_part(o, h, part);
	enum status all = IS_OK;

	if (!begin(o, seat, h))
		return IS_OK;
	for (size_t i = 0; i < seat->kids->n; i++) {
		struct seat *step = list_seat(o, seat->kids, i);
		if (!has_step(o, step, h->end))
			continue;
		marks_clear(&seat->kids->dirty, i);
		enum status status = seat_visit(o, step,
			seat->state->late || o->state->signal == HALT_STOP);
		if (status == IS_BUSY)
			return IS_BUSY;
		if (status == IS_FAILED || status == IS_DOUBT)
			all = IS_FAILED;
	}
	return all;
}

enum status
handlers_visit(struct owner *o, const struct handling *h)
{
	static const enum part parts[] = {PART_ON_SUCCESS, PART_ON_FAILURE, PART_FINALLY};
	enum status all = IS_OK;

	for (size_t i = 0; i < 3; i++) {
		if (h->book->parts[parts[i]].n == 0 || !has_part(parts[i], h->end))
			continue;
		enum status status = part_visit(o, h, parts[i]);
		if (status == IS_BUSY)
			return IS_BUSY;
		if (status == IS_FAILED && parts[i] == PART_FINALLY)
			all = IS_FAILED;
	}
	return all;
}

/* The path of another gate of the same playbook: beside it, or in the trigger. */
static const struct path_state *
other_gate(const struct owner *o, const struct seat *seat, const struct node *node)
{
	const char *part = node->part == PART_TRIGGER ? "trigger" : "preconditions";
	size_t n = strlen(seat->path) - strlen(seat->node->id) - 1;

	while (n > 0 && seat->path[n - 1] != '/')
		n--;
	return state_find(o->state, arena_printf(o->turn_mem, "%.*s%s/%s", (int)n,
		seat->path, part, node->id));
}

/* What it reads has an answer, and the answer is not no. IS_BUSY: not yet; IS_IDLE: it is
 * not asked, for what it would say rests on a no that is told already. A trigger that need
 * not hold keeps nobody from asking. */
static enum status
may_ask(const struct owner *o, const struct seat *seat)
{
	enum status all = IS_OK;

	for (const struct gate_read *it = seat->node->gate_reads; it != NULL;
		it = it->next) {
		const struct path_state *read = other_gate(o, seat, it->node);
		const struct seat *other = read == NULL ? NULL : read->seat;
		bool counts = it->node->part != PART_TRIGGER || o->state->mode == MODE_RUN;
		if (seat->node->book != o->book && it->node->part == PART_TRIGGER)
			continue;                     /* that of a call is not asked */
		if (counts && ((read != NULL && read->state == OUT_FAILED)
			|| (other != NULL && other->stands_back)))
			return IS_IDLE;
		if (read == NULL || !path_is_final(read))
			all = IS_BUSY;
	}
	return all;
}

enum status
gates_visit(struct owner *o, struct list *list)
{
	size_t count[STATUSES] = {0};

	for (size_t i = 0; i < list->n; i++) {
		struct seat *seat = list_seat(o, list, i);
		seat->is_gate = true;
		marks_clear(&list->dirty, i);
		enum status status = seat->seen || is_cancelled(o) ? IS_OK
			: may_ask(o, seat);
		if (status == IS_OK)
			status = seat_visit(o, seat, is_cancelled(o));
		seat->stands_back = status == IS_IDLE && !seat->seen;
		count[status]++;
	}
	if (count[IS_FAILED] > 0 && count[IS_BUSY] == 0)
		return IS_FAILED;
	if (count[IS_BUSY] > 0)
		return IS_BUSY;
	return count[IS_IDLE] + count[IS_CANCELLED] > 0 ? IS_IDLE : IS_OK;
}
