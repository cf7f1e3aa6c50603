#include "run/owner.h"

#include <stdlib.h>

/* The run as a whole: gates, steps, handlers, the end; and calling a person when nothing
 * else can go on. */

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

static void
let_pass(struct owner *o, struct seat *seat)
{
	const char *reason = override_of(o, seat->path);
	struct map_builder body = body_new(o);

	if (reason == NULL)
		reason = override_of(o, seat->node->id);
	if (seat->state->state != OUT_FAILED || seat->state->last != REC_OUTCOME
		|| reason == NULL)
		return;
	body_text(&body, "choice", "skip");
	body_text(&body, "reason", reason);
	emit(o, REC_RESOLVE, seat->state, 0, &body);
	leaf_final(o, seat, (struct final){.state = OUT_SKIPPED, .how = WAY_RESOLVED});
}

static bool
gates_visit(struct owner *o, struct list *list)
{
	bool busy = false;

	for (size_t i = 0; i < list->n; i++) {
		struct seat *seat = list_seat(o, list, i);
		marks_clear(&list->dirty, i);
		busy |= seat_visit(o, seat, is_cancelled(o)) == IS_BUSY;
	}
	return busy;
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

static bool
has_trigger(const struct owner *o)
{
	return o->state->mode == MODE_RUN;
}

/* true: some gate is still being asked. */
static bool
gates_pass(struct owner *o)
{
	struct list *trigger = &o->trigger, *preconditions = &o->preconditions;
	bool busy = has_trigger(o) && gates_visit(o, trigger);

	busy |= gates_visit(o, preconditions);
	for (size_t i = 0; has_trigger(o) && i < trigger->n; i++)
		let_pass(o, list_seat(o, trigger, i));
	for (size_t i = 0; i < preconditions->n; i++)
		let_pass(o, list_seat(o, preconditions, i));
	return busy;
}

static bool
is_refused(struct owner *o)
{
	return (has_trigger(o) && gates_failed(o, &o->trigger))
		|| gates_failed(o, &o->preconditions);
}

/* ---- handlers */

static struct seat *
list_group(struct owner *o, const char *name, const struct part_list *part,
	const char *prefix)
{
	struct seat *seat = seat_new(o, NULL, 0, NULL, name);

	seat->kids = arena_new_of(o->mem, struct list);
	list_open(o, seat->kids, seat, prefix, part->nodes, part->n, 1);
	return seat;
}

static struct seat *
handler_seat(struct owner *o, enum part part)
{
	static const char *const names[PARTS] = {
		[PART_ON_SUCCESS] = "on_success", [PART_ON_FAILURE] = "on_failure",
		[PART_FINALLY] = "finally",
	};

	if (o->handlers[part] == NULL)
		o->handlers[part] = list_group(o, names[part], &o->book->parts[part],
			arena_printf(o->mem, "%s/", names[part]));
	return o->handlers[part];
}

static void
begin_handlers(struct owner *o, struct seat *seat, enum ending end)
{
	struct map_builder body = body_new(o);

	body_time(&body, "deadline_at", o->now + o->book->handlers / 1000);
	if (end != END_NONE)
		body_text(&body, "end", ending_word(end));
	emit(o, REC_BEGIN, seat->state, 0, &body);
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

/* Of a refused run only what tells people is carried out. */
static bool
has_step(const struct seat *step, enum ending end)
{
	return end != END_REFUSED || step->effect == REPEATABLE;
}

static bool
handlers_begin(struct owner *o, struct seat *seat, enum ending end)
{
	bool stopped = o->state->signal == HALT_STOP, any = false;

	for (size_t i = 0; i < seat->kids->n; i++)
		any |= has_step(list_seat(o, seat->kids, i), end);
	if (any && !seat->state->begun && !stopped)
		begin_handlers(o, seat, end);
	return any;
}

/* IS_BUSY, IS_OK, or IS_FAILED: a step of it failed or is in doubt. */
static enum status
handlers_visit(struct owner *o, enum part part, enum ending end)
{
	struct seat *seat = handler_seat(o, part);
	enum status all = IS_OK;

	if (!has_part(part, end) || !handlers_begin(o, seat, end))
		return IS_OK;
	for (size_t i = 0; i < seat->kids->n; i++) {
		struct seat *step = list_seat(o, seat->kids, i);
		if (!has_step(step, end))
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

/* ---- waiting for a person */

static struct seat *
call_seat(struct owner *o, const struct path_state *path)
{
	uint64_t asked = path->ask != 0 ? path->ask : path->ended_seq;
	const char *name = arena_printf(o->mem, "on_waiting[%llu]",
		(unsigned long long)asked);
	struct path_state *state = state_path(o->state, name);

	if (state->seat == NULL)
		list_group(o, name, &o->book->parts[PART_ON_WAITING],
			arena_printf(o->mem, "%s/", name));
	return state->seat;
}

/* A handler in doubt is told in the report; nobody is called for it. */
static bool
calls(const struct path_state *path)
{
	return !path_is_handler(path->path) || str_ends(str_of(path->path), STR("/undo"));
}

static bool
call_person(struct owner *o, const struct path_state *path)
{
	struct seat *seat = call_seat(o, path);
	bool quiet = true;

	if (!seat->state->begun)
		begin_handlers(o, seat, END_NONE);
	for (size_t i = 0; i < seat->kids->n; i++) {
		struct seat *step = list_seat(o, seat->kids, i);
		marks_clear(&seat->kids->dirty, i);
		quiet &= seat_visit(o, step, seat->state->late) != IS_BUSY;
	}
	return quiet;
}

static void
leave(struct owner *o, int code)
{
	o->exit = code;
	act_add(o, ACT_EXIT, NULL)->code = code;
}

static void
wait_for_person(struct owner *o)
{
	bool quiet = o->active == 0 && o->backoffs == 0;
	struct link *head = &o->state->waiting, *next;

	for (struct link *link = head->next; link != head; link = next) {
		struct path_state *path = list_item(link, struct path_state, waiting);
		next = link->next;
		if (calls(path) && o->book->parts[PART_ON_WAITING].n > 0)
			quiet &= call_person(o, path);
	}
	if (quiet && !o->options.tty && o->inbox == NULL)
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
		bool did = p->state == OUT_OK && (p->how == WAY_RAN
			|| p->how == WAY_ADOPTED);
		if (did && p->intents > 0 && !path_is_handler(p->path))
			return true;
	}
	return false;
}

static void
end_run(struct owner *o, enum ending end)
{
	struct map_builder body = body_new(o);
	struct value members = {0};
	bool green = false;

	body_text(&body, "state", ending_word(end));
	map_put(&body, "exit", value_int(ending_exit(end)));
	body_doubts(o, &body);
	if (end == END_OK && o->state->mode != MODE_DRY && !has_acted(o->state))
		map_put(&body, "nothing", value_bool(true));
	o->asker->end(o->asker, end, o->turn_mem, &members, &green);
	for (size_t i = 0; members.kind == V_MAP && i < members.map->n; i++)
		map_put_str(&body, members.map->members[i].key.str,
			members.map->members[i].value);
	emit(o, REC_END, o->state->first, 0, &body);
	leave(o, ending_exit(end));
}

static enum ending
ending_now(struct owner *o, enum status steps)
{
	const struct run_state *state = o->state;

	if (state->ending != END_NONE)
		return state->ending;
	if (is_refused(o))
		return END_REFUSED;
	if (state->signal != HALT_NONE)
		return state->signal == HALT_DEADLINE ? END_OUT_OF_TIME : END_CANCELLED;
	return steps == IS_FAILED || steps == IS_CANCELLED || o->stopped ? END_FAILED
		: END_OK;
}

void
course_advance(struct owner *o)
{
	static const enum part parts[] = {PART_ON_SUCCESS, PART_ON_FAILURE, PART_FINALLY};
	enum status steps = IS_OK;
	bool bad = false;

	if (o->state->end != END_NONE || o->exit >= 0)
		return;
	part_open(o, &o->trigger, PART_TRIGGER, "trigger/");
	part_open(o, &o->preconditions, PART_PRECONDITIONS, "preconditions/");
	if (gates_pass(o))
		return;
	if (!is_refused(o))
		steps = list_walk(o, part_open(o, &o->steps, PART_STEPS, ""), false);
	if (steps == IS_BUSY)
		return;
	if (steps == IS_BLOCKED) {
		wait_for_person(o);
		return;
	}
	enum ending end = ending_now(o, steps);
	for (size_t i = 0; o->state->mode != MODE_DRY && i < 3; i++) {
		enum status status = handlers_visit(o, parts[i], end);
		if (status == IS_BUSY)
			return;
		bad |= parts[i] == PART_FINALLY && status == IS_FAILED;
	}
	if (o->active > 0 || o->backoffs > 0)
		return;
	end_run(o, bad && end == END_OK ? END_FAILED : end);
}
