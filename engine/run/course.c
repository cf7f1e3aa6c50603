#include "run/owner.h"

#include <stdlib.h>

/* The run as a whole: gates, steps, handlers, the end; and calling a person when nothing
 * else can go on. */

#define CALL_AFTER (INT64_C(60) * 1000000)            /* us (language.md, "Waiting") */

static struct list *
part_open(struct owner *o, struct list *list, enum part part, const char *prefix)
{
	const struct part_list *nodes = &o->book->parts[part];

	if (list->seats == NULL)
		list_open(o, list, NULL, prefix, nodes->nodes, nodes->n, 1);
	return list;
}

/* ---- gates: trigger and preconditions */

static const char *
override_of(const struct owner *o, const char *path)
{
	for (size_t i = 0; o->options.overrides != NULL
		&& o->options.overrides[i] != NULL; i++) {
		if (strcmp(o->options.overrides[i], path) == 0)
			return o->options.reasons == NULL ? "" : o->options.reasons[i];
	}
	return NULL;
}

/* true: it does not hold, and passes. */
static bool
let_pass(struct owner *o, struct seat *seat)
{
	const char *reason = override_of(o, seat->path);
	struct map_builder body = body_new(o);

	if (reason == NULL)
		reason = override_of(o, seat->node->id);
	if (seat->state->state != OUT_FAILED || seat->state->last != REC_OUTCOME
		|| reason == NULL)
		return false;
	body_text(&body, "choice", "skip");
	body_text(&body, "reason", reason);
	emit(o, REC_RESOLVE, seat->state, 0, &body);
	leaf_final(o, seat, (struct final){.state = OUT_SKIPPED, .how = WAY_RESOLVED});
	return true;
}

static bool
gates_failed(struct owner *o, struct list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list_seat(o, list, i)->state->state == OUT_FAILED)
			return true;
	}
	return false;
}

/* A trigger must hold in a real run; elsewhere it is asked and shown. */
static bool
has_trigger(const struct owner *o)
{
	return o->state->mode == MODE_RUN;
}

static bool
let_all_pass(struct owner *o, struct list *list)
{
	bool passed = false;

	for (size_t i = 0; i < list->n; i++)
		passed |= let_pass(o, list_seat(o, list, i));
	return passed;
}

/* true: some gate is still being asked. What is taken back needs no reason. */
static bool
gates_busy(struct owner *o)
{
	struct list *trigger = &o->trigger, *preconditions = &o->preconditions;
	bool busy, passed;

	if (o->state->mode == MODE_UNDO)
		return false;
	do {
		busy = gates_visit(o, trigger) == IS_BUSY;
		busy |= gates_visit(o, preconditions) == IS_BUSY;
		passed = let_all_pass(o, trigger);
		passed |= let_all_pass(o, preconditions);
	} while (passed && !busy);                    /* some may read what has passed */
	return busy;
}

static bool
is_refused(struct owner *o)
{
	return (has_trigger(o) && gates_failed(o, &o->trigger))
		|| gates_failed(o, &o->preconditions);
}

/* ---- waiting for a person */

static struct seat *
call_seat(struct owner *o, const struct path_state *path, const struct playbook *book,
	struct seat *around)
{
	uint64_t asked = path->ask != 0 ? path->ask : path->ended_seq;
	const char *name = arena_printf(o->mem, "%s%son_waiting[%llu]",
		around == NULL ? "" : around->path, around == NULL ? "" : "/",
		(unsigned long long)asked);
	struct path_state *state = state_path(o->state, name);

	if (state->seat == NULL)
		handlers_seat(o, name, &book->parts[PART_ON_WAITING], around);
	return state->seat;
}

/* A handler in doubt is told in the report; nobody is called for it. */
static bool
calls(const struct path_state *path)
{
	return !path_is_handler(path->path) || path_is_undo(path->path);
}

/* false: something is still under way. */
static bool
call_by(struct owner *o, const struct path_state *path, const struct playbook *book,
	struct seat *around)
{
	bool quiet = true;

	if (book->parts[PART_ON_WAITING].n == 0)
		return true;
	struct seat *seat = call_seat(o, path, book, around);
	if (!seat->state->begun)
		handlers_begin(o, seat, END_NONE);
	for (size_t i = 0; i < seat->kids->n; i++) {
		struct seat *step = list_seat(o, seat->kids, i);
		marks_clear(&seat->kids->dirty, i);
		quiet &= seat_visit(o, step, seat->state->late) != IS_BUSY;
	}
	return quiet;
}

/* The playbooks that are called around the step know whom to call, too. */
static bool
call_person(struct owner *o, const struct path_state *path)
{
	bool quiet = call_by(o, path, o->book, NULL);

	for (struct seat *call = call_around(path); call != NULL;
		call = call_around(call->state))
		quiet &= call_by(o, path, call->node->called, call);
	return quiet;
}

static bool
has_on_waiting(const struct owner *o, const struct path_state *path)
{
	const struct seat *call = call_around(path);

	while (call != NULL && call->node->called->parts[PART_ON_WAITING].n == 0)
		call = call_around(call->state);
	return call != NULL || o->book->parts[PART_ON_WAITING].n > 0;
}

static void
leave(struct owner *o, int code)
{
	o->exit = code;
	act_add(o, ACT_EXIT, NULL)->code = code;
}

/* At a terminal somebody may be about to answer: nobody else is called for a minute. */
static bool
is_patient(struct owner *o, const struct path_state *path)
{
	int64_t at = path->asked_at + CALL_AFTER;

	if (!o->options.tty || o->now >= at)
		return false;
	if (o->call.heap_place == 0 || at < o->call.at)
		timer_set(o, &o->call, at);
	return true;
}

static void
wait_for_person(struct owner *o)
{
	bool quiet = o->active == 0 && o->backoffs == 0;
	struct link *head = &o->state->waiting, *next;

	for (struct link *link = head->next; link != head; link = next) {
		struct path_state *path = list_item(link, struct path_state, waiting);
		next = link->next;
		if (calls(path) && has_on_waiting(o, path) && !is_patient(o, path))
			quiet &= call_person(o, path);
	}
	if (quiet && !o->options.tty && o->inbox == NULL && o->unread == NULL)
		leave(o, 4);
}

/* ---- the end */

static int
by_path(const void *a, const void *b)
{
	return strcmp((*(const struct path_state *const *)a)->path,
		(*(const struct path_state *const *)b)->path);
}

static void
body_doubts(struct owner *o, struct map_builder *body)
{
	const struct path_state **paths = arena_array(o->turn_mem,
		const struct path_state *,
		o->state->n_paths);
	struct list_builder list = {.mem = o->turn_mem};
	size_t n = 0;

	for (const struct path_state *p = o->state->first; p != NULL; p = p->next) {
		if (p->state == OUT_DOUBT)
			paths[n++] = p;
	}
	qsort(paths, n, sizeof(struct path_state *), by_path);
	for (size_t i = 0; i < n; i++)
		list_push(&list, value_str(str_of(paths[i]->path)));
	if (n > 0)
		map_put(body, "doubt", list_done(&list));
}

/* Some change below `steps` was made by this run. */
static bool
has_acted(const struct run_state *state)
{
	for (const struct path_state *p = state->first; p != NULL; p = p->next) {
		bool counts = !path_is_handler(p->path) || state->mode == MODE_UNDO;
		bool did = p->state == OUT_OK && p->fate == FATE_DONE
			&& p->how != WAY_NONE && p->how != WAY_UNCHANGED;
		if (did && counts)
			return true;
	}
	return false;
}

static void
end_run(struct owner *o, enum ending end)
{
	struct map_builder body = body_new(o);
	struct value members = {0};
	bool green = true, clean = true, drill = o->state->mode == MODE_DRILL;

	body_text(&body, "state", ending_word(end));
	body_doubts(o, &body);
	if (end == END_OK && o->state->mode != MODE_DRY && !has_acted(o->state))
		map_put(&body, "nothing", value_bool(true));
	if (o->state->mode != MODE_DRY)
		undo_left(o, &body, &clean);
	o->asker->end(o->asker, end, o->turn_mem, &members, &green);
	for (size_t i = 0; members.kind == V_MAP && i < members.map->n; i++)
		map_put_str(&body, members.map->members[i].key.str,
			members.map->members[i].value);
	green = green && clean && end == END_OK;
	if (drill)
		map_put(&body, "green", value_bool(green));
	bool red = drill && !green && end == END_OK;
	int exit = ending_exit(red ? END_FAILED : end);
	map_put(&body, "exit", value_int(exit));
	emit(o, REC_END, o->state->first, 0, &body);
	leave(o, exit);
}

static enum ending
ending_now(struct owner *o, enum status steps)
{
	const struct run_state *state = o->state;

	if (state->ending != END_NONE)
		return state->ending;
	if (state->signal == HALT_LOST)
		return END_FAILED;
	if (o->state->mode == MODE_UNDO && steps != IS_CANCELLED)
		/* a cancel lets an undo end */
		return steps == IS_OK ? END_OK : END_FAILED;
	if (o->state->mode != MODE_UNDO && is_refused(o))
		return END_REFUSED;
	if (state->signal != HALT_NONE)
		return state->signal == HALT_DEADLINE ? END_OUT_OF_TIME : END_CANCELLED;
	if (steps == IS_FAILED || steps == IS_CANCELLED || o->stopped)
		return END_FAILED;
	return END_OK;
}

/* All that was done is taken back: at the end of a drill, and as the whole of `rbx
 * undo`. */
static enum status
whole_undo(struct owner *o)
{
	if (o->whole == NULL) {
		o->whole = arena_new_of(o->mem, struct seat);
		o->whole->path = "";
		o->whole->state = o->state->first;
		o->whole->phase = -1;
	}
	return undo_visit(o, o->whole);
}

static bool
is_taken_back(const struct owner *o, enum ending end)
{
	return o->state->mode == MODE_DRILL && o->book->drill.undo && end != END_REFUSED;
}

/* IS_BUSY, IS_BLOCKED, or what the steps came to. */
static enum status
steps_visit(struct owner *o)
{
	if (o->state->mode == MODE_UNDO) {
		enum status status = whole_undo(o);
		if (status == IS_OK && undo_has_failed(o->whole))
			return IS_FAILED;
		return status == IS_IDLE ? IS_CANCELLED : status;
	}
	if (is_refused(o))
		return IS_OK;
	return list_walk(o, part_open(o, &o->steps, PART_STEPS, ""), false);
}

/* After the steps: undo of a drill, handlers. IS_OK, IS_FAILED, IS_BUSY, IS_BLOCKED. */
static enum status
follow(struct owner *o, enum ending end)
{
	if (o->state->mode == MODE_DRY || o->state->mode == MODE_UNDO)
		return IS_OK;
	if (is_taken_back(o, end)) {
		enum status status = whole_undo(o);
		if (status == IS_BUSY || status == IS_BLOCKED)
			return status;
	}
	return handlers_visit(o, &(struct handling){o->book, o->handlers, NULL, end});
}

void
course_advance(struct owner *o)
{
	if (o->state->end != END_NONE || o->exit >= 0)
		return;
	part_open(o, &o->trigger, PART_TRIGGER, "trigger/");
	part_open(o, &o->preconditions, PART_PRECONDITIONS, "preconditions/");
	if (gates_busy(o))
		return;
	enum status steps = steps_visit(o);
	if (steps == IS_BUSY)
		return;
	enum ending end = steps == IS_BLOCKED ? END_NONE : ending_now(o, steps);
	enum status after = end == END_NONE ? IS_BLOCKED : follow(o, end);
	if (after == IS_BLOCKED)
		wait_for_person(o);
	if (after == IS_BLOCKED || after == IS_BUSY || o->active > 0 || o->backoffs > 0)
		return;
	bool undone = after == IS_FAILED || o->state->signal == HALT_LOST;
	end_run(o, undone && end == END_OK ? END_FAILED : end);
}
