#include "run/owner.h"

#include <stdlib.h>

/* The way back of a group: what changed below it is undone, the last one first. */

static bool
has_changed(const struct path_state *path)
{
	if (path->state == OUT_OK)
		return path->how != WAY_UNCHANGED && path->fate == FATE_DONE;
	bool ended = path_is_final(path) || path->last == LAST_REOPENED;
	return ended && path->fate != FATE_NONE;
}

static bool
is_item_path(const char *path)
{
	return *path != '\0' && path[strlen(path) - 1] == ']';
}

struct undoing {
	const struct path_state *path;
	const struct node *node;
};

static bool
goes_back(const struct owner *o, const struct path_state *path, struct undoing *out)
{
	if (!has_changed(path) || path_is_handler(path->path))
		return false;
	const struct node *node = path->seat != NULL ? ((struct seat *)path->seat)->node
		: book_node(o->book, path->path);
	*out = (struct undoing){path, node};
	return node != NULL && node->kind == NODE_STEP && node->undo == UNDO_AUTO
		&& (node->each == NULL || is_item_path(path->path));
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

	return n == 0 || (strncmp(path, group, n) == 0 && path[n] == '/');
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
	seat->is_undo = seat->is_leaf = true;
	seat->effect = IDEMPOTENT;
	seat->near = ON_ERROR_UNSET;
	seat->has_preview = seat->has_probe = seat->has_settle = seat->has_checks = false;
	seat->goes_back = false;
	return seat;
}

/* What is to be undone is found once; again when a person has settled something
 * meanwhile. */
static void
find(struct owner *o, struct seat *group)
{
	struct undoing *todo = arena_array(o->turn_mem, struct undoing,
		o->state->n_paths + 1);
	size_t n = 0;

	for (const struct path_state *p = o->state->first; p != NULL; p = p->next)
		n += is_below(p->path, group->path) && goes_back(o, p, &todo[n]);
	qsort(todo, n, sizeof *todo, later_first);
	group->undone = arena_new_of(o->mem, struct list);
	list_open(o, group->undone, group, "", NULL, 0, 1);
	group->undone->n = n;
	group->undone->seats = arena_array(o->mem, struct seat *, n + 1);
	marks_init(&group->undone->dirty, o->mem, n);
	marks_init(&group->undone->ready, o->mem, n);
	for (size_t i = 0; i < n; i++)
		group->undone->seats[i] = undo_seat(o, group->undone, i, &todo[i]);
	group->undone_seen = o->flags;
}

/* IS_OK: all is back; IS_BUSY, IS_BLOCKED; IS_IDLE: stopped half-way. */
enum status
group_undo(struct owner *o, struct seat *group)
{
	if (group->undone == NULL || group->undone_seen != o->flags)
		find(o, group);
	struct list *list = group->undone;
	while (list->reach < list->n) {
		struct seat *seat = list->seats[list->reach];
		marks_clear(&list->dirty, list->reach);
		enum status status = seat_visit(o, seat, o->state->signal == HALT_STOP);
		if (status == IS_BUSY || status == IS_BLOCKED)
			return status;
		if (!path_is_final(seat->state))
			return IS_IDLE;
		list->reach++;
	}
	return IS_OK;
}
