#include "run/owner.h"

#include <stdlib.h>

/* The way back: what changed below a group, or in the whole run, is undone, the last one
 * first. Of `undo: auto` by the type, at PATH/undo; of a list by its steps, at
 * PATH/undo/ID. In a run of the mode `undo` it is another run that is taken back. */

static const struct run_state *
undone_run(const struct owner *o)
{
	bool other = o->state->mode == MODE_UNDO && o->options.of != NULL;

	return other ? o->options.of : o->state;
}

const struct path_state *
seat_undone(const struct owner *o, const struct seat *undo)
{
	const char *path = undo->state->parent->path;
	const struct run_state *run = undone_run(o);

	return run == o->state ? undo->state->parent : state_find(run, path);
}

static bool
has_changed(const struct path_state *path)
{
	if (path->state == OUT_OK)
		return path->how != WAY_UNCHANGED && path->fate == FATE_DONE;
	bool ended = path_is_final(path) || path->last == LAST_REOPENED;
	return ended && path->fate != FATE_NONE;
}

struct undoing {
	const struct path_state *path;
	const struct node *node;
};

static bool
is_whole(const struct node *node, const struct path_state *path)
{
	return node->each == NULL || str_ends(str_of(path->path), STR("]"));
}

static const struct node *
node_at(const struct owner *o, const struct path_state *path)
{
	const struct seat *seat = path->seat;

	if (seat != NULL && seat->node != NULL)
		return seat->node;
	return book_node(o->book, path->path);
}

static bool
stands_for_all(const struct node *node)
{
	return node->kind == NODE_PLAYBOOK && node->undo_written
		&& node->undo != UNDO_AUTO;
}

/* A call whose own `undo` is written stands for all that it carried out. */
static bool
is_covered(const struct owner *o, const struct path_state *path)
{
	for (const struct path_state *up = path->parent; up != NULL; up = up->parent) {
		const struct node *node = node_at(o, up);
		if (node != NULL && stands_for_all(node))
			return true;
	}
	return false;
}

/* Taken back by the very run that made it, before this one takes back the rest. */
static bool
is_back_already(const struct owner *o, const struct path_state *path)
{
	const struct run_state *run = undone_run(o);

	return run != o->state && path_is_undone(run, path);
}

/* A step below `steps` that changed something, however it can be taken back. */
static bool
is_change(const struct owner *o, const struct path_state *path, struct undoing *out)
{
	if (path_is_handler(path->path) || !has_changed(path) || is_back_already(o, path))
		return false;
	const struct node *node = node_at(o, path);
	*out = (struct undoing){path, node};
	if (node == NULL || !is_whole(node, path) || is_covered(o, path))
		return false;
	return node->kind == NODE_STEP || stands_for_all(node);
}

static int
later_first(const void *a, const void *b)
{
	uint64_t x = ((const struct undoing *)a)->path->ended_seq;
	uint64_t y = ((const struct undoing *)b)->path->ended_seq;

	return x < y ? 1 : x > y ? -1 : 0;
}

static bool
is_below(const char *path, const char *group)
{
	size_t n = strlen(group);

	return n == 0 || (strncmp(path, group, n) == 0
		&& (path[n] == '/' || path[n] == '['));
}

static struct seat *
undo_seat(struct owner *o, struct list *list, size_t place, const struct undoing *what)
{
	const char *path = arena_printf(o->turn_mem, "%s/undo", what->path->path);
	struct path_state *state = state_path(o->state, path);
	struct seat *seat = state->seat;

	if (seat == NULL)
		seat = seat_new(o, list, place, what->node, path);
	seat->in = list;
	seat->place = place;
	seat->is_undo = seat->is_back = true;
	seat->is_leaf = what->node->undo == UNDO_AUTO;
	seat->effect = IDEMPOTENT;
	seat->near = ON_ERROR_UNSET;
	seat->has_preview = seat->has_probe = seat->has_settle = seat->has_checks = false;
	seat->goes_back = false;
	return seat;
}

static void
list_of(struct owner *o, struct list *list, struct seat *group,
	const struct undoing *todo, size_t n)
{
	list_open(o, list, group, "", NULL, 0, 1);
	list->n = n;
	list->seats = arena_array(o->mem, struct seat *, n + 1);
	marks_init(&list->dirty, o->mem, n);
	marks_init(&list->ready, o->mem, n);
	for (size_t i = 0; i < n; i++)
		list->seats[i] = undo_seat(o, list, i, &todo[i]);
}

/* What is to be undone is found once; again when a person has settled something
 * meanwhile. */
static void
find(struct owner *o, struct seat *group)
{
	const struct run_state *run = undone_run(o);
	struct undoing *todo = arena_array(o->turn_mem, struct undoing, run->n_paths + 1);
	size_t n = 0;

	for (const struct path_state *p = run->first; p != NULL; p = p->next)
		n += is_below(p->path, group->path) && is_change(o, p, &todo[n])
			&& todo[n].node->undo != UNDO_NONE;
	qsort(todo, n, sizeof *todo, later_first);
	group->undone = arena_new_of(o->mem, struct list);
	list_of(o, group->undone, group, todo, n);
	group->undone_seen = o->flags;
}

/* ---- a list of steps that takes one step back */

static enum status
end_list(struct owner *o, struct seat *seat, enum status status)
{
	struct map_builder body = body_new(o);
	bool none = seat->state->touched == 0;
	enum outcome state = status == IS_OK ? OUT_OK : OUT_FAILED;

	body_text(&body, "state", outcome_word(state));
	body_text(&body, "fate", fate_word(none ? FATE_NONE
		: state == OUT_OK ? FATE_DONE : FATE_PARTIAL));
	emit(o, REC_OUTCOME, seat->state, 0, &body);
	seat_stand(o, seat, STAND_FINAL);
	return status;
}

/* What may still land is waited for first: as of `undo: auto`. true: it is being waited
 * for. */
static bool
waits_first(struct owner *o, struct seat *seat)
{
	if (seat->stand == STAND_PROBE || seat->stand == STAND_ENDING)
		return true;
	if (!is_doubted(o, seat) || !seat_has_room(o, seat))
		return is_doubted(o, seat);
	leaf_orphans(o, seat, THEN_UNDO);
	return true;
}

static enum status
open_list(struct owner *o, struct seat *seat, bool stop)
{
	struct map_builder body = body_new(o);

	seat->seen = true;
	if (!seat->state->begun && stop)
		return IS_IDLE;
	if (!seat->state->begun)
		emit(o, REC_BEGIN, seat->state, 0, &body);
	if (waits_first(o, seat))
		return IS_BUSY;
	if (seat->kids == NULL) {
		seat->kids = arena_new_of(o->mem, struct list);
		list_open(o, seat->kids, seat, arena_printf(o->mem, "%s/", seat->path),
			seat->node->undo_steps, seat->node->n_undo_steps, 1);
	}
	return IS_OK;
}

/* One after the other; one that fails ends the list, when a person has said so. */
enum status
undo_list_visit(struct owner *o, struct seat *seat, bool stop)
{
	if (path_is_final(seat->state))
		return status_of(seat->state->state);
	enum status status = open_list(o, seat, stop);
	for (size_t i = 0; status == IS_OK && i < seat->kids->n; i++) {
		struct seat *step = list_seat(o, seat->kids, i);
		marks_clear(&seat->kids->dirty, i);
		status = seat_visit(o, step, stop);
		status = status == IS_SKIPPED ? IS_OK : status;
	}
	if (status != IS_OK && status != IS_FAILED)
		return status;
	return end_list(o, seat, status);
}

/* ---- */

/* IS_OK: all is back; IS_BUSY, IS_BLOCKED; IS_IDLE: stopped half-way. */
enum status
undo_visit(struct owner *o, struct seat *group)
{
	if (group->undone == NULL || group->undone_seen != o->flags)
		find(o, group);
	struct list *list = group->undone;
	while (list->reach < list->n) {
		struct seat *seat = list->seats[list->reach];
		marks_clear(&list->dirty, list->reach);
		enum status status = seat_visit(o, seat, is_stopped(o));
		if (status == IS_BUSY || status == IS_BLOCKED)
			return status;
		if (!path_is_final(seat->state))
			return IS_IDLE;
		list->reach++;
	}
	return IS_OK;
}

bool
undo_has_failed(const struct seat *group)
{
	for (size_t i = 0; i < group->undone->n; i++) {
		if (group->undone->seats[i]->state->state == OUT_FAILED)
			return true;
	}
	return false;
}

/* In a group that failed and was undone for it. */
static bool
was_to_go_back(const struct owner *o, const struct path_state *path)
{
	for (const struct path_state *up = path->parent; up != NULL; up = up->parent) {
		const struct node *node = up->state == OUT_FAILED ? node_at(o, up) : NULL;
		if (node != NULL && node->on_error == ON_ERROR_UNDO)
			return true;
	}
	return false;
}

static bool
only_tells(const struct node *node)
{
	return node->type != NULL && node->type->effect == REPEATABLE;
}

static bool
may_be_left(const struct playbook *book, const char *path)
{
	const char *const *leaves = book->drill.leaves;

	for (size_t i = 0; leaves != NULL && leaves[i] != NULL; i++) {
		if (strcmp(leaves[i], path) == 0)
			return true;
	}
	return false;
}

/* Every change that is not taken back; what only told people is not among them. clean:
 * all of it may be left. */
void
undo_left(struct owner *o, struct map_builder *body, bool *clean)
{
	const struct run_state *run = undone_run(o);
	struct list_builder left = {.mem = o->turn_mem};
	struct undoing change;

	for (const struct path_state *p = run->first; p != NULL; p = p->next) {
		if (!is_change(o, p, &change) || only_tells(change.node)
			|| (o->state->mode == MODE_RUN && !was_to_go_back(o, p)))
			continue;
		const struct path_state *undo = state_find(o->state,
			arena_printf(o->turn_mem, "%s/undo", p->path));
		if (undo != NULL && undo->state == OUT_OK)
			continue;
		list_push(&left, value_str(str_of(p->path)));
		*clean = *clean && may_be_left(o->book, p->path);
	}
	if (left.n > 0)
		map_put(body, "left", list_done(&left));
}
