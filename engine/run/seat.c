#include "run/owner.h"

#include <assert.h>

/* Seats and their lists: made when they are reached, and the counters that save a walk
 * from looking at all of them. */

void
list_open(struct owner *o, struct list *list, struct seat *group, const char *prefix,
	struct node *const *nodes, size_t n, size_t at_once)
{
	*list = (struct list){
		.group = group, .nodes = nodes, .prefix = prefix, .n = n,
			.at_once = at_once,
		.seats = arena_array(o->mem, struct seat *, n + 1),
	};
	marks_init(&list->dirty, o->mem, n);
	marks_init(&list->ready, o->mem, n);
	for (size_t i = 0; o->resumed && i < n; i++) {
		struct seat *seat = list_seat(o, list, i);
		list->halting += seat_halts(seat);
	}
}

static bool
is_satisfied(const struct seat *seat)
{
	return path_is_final(seat->state) && seat->state->state != OUT_CANCELLED
		&& !seat_halts(seat);
}

/* Who needs whom, turned round: from a member to those that wait for it. */
void
list_needs(struct owner *o, struct list *list)
{
	size_t edges = 0, n = list->n;

	for (size_t i = 0; i < n; i++)
		edges += list->nodes[i]->n_needs;
	if (edges == 0)
		return;
	unsigned *from = arena_array(o->mem, unsigned, n + 2);
	unsigned *to = arena_array(o->mem, unsigned, edges);
	list->unmet = arena_array(o->mem, unsigned, n);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < list->nodes[i]->n_needs; k++) {
			unsigned need = list->nodes[i]->needs[k];
			from[need + 2]++;
			list->unmet[i] += list->seats[need] == NULL
				|| !is_satisfied(list->seats[need]);
		}
	}
	for (size_t i = 2; i < n + 2; i++)
		from[i] += from[i - 1];
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < list->nodes[i]->n_needs; k++)
			to[from[list->nodes[i]->needs[k] + 1]++] = (unsigned)i;
	}
	list->edges = to;
	list->edge_from = from;
}

struct seat *
list_seat(struct owner *o, struct list *list, size_t place)
{
	if (list->seats[place] != NULL)
		return list->seats[place];
	const struct node *node = list->nodes == NULL ? list->group->node
		: list->nodes[place];
	const char *path = list->nodes == NULL
		? arena_printf(o->turn_mem, "%s[%zu]", list->prefix, place)
		: arena_printf(o->turn_mem, "%s%s", list->prefix, node->id);
	struct seat *seat = seat_new(o, list, place, node, path);
	seat->is_item = list->nodes == NULL;
	seat->is_leaf = seat->is_item ? node->kind <= NODE_ASSERT
		: node->kind <= NODE_ASSERT && node->each == NULL;
	list->seats[place] = seat;
	return seat;
}

static enum effect
static_effect(const struct node *node)
{
	enum effect effect = PURE;

	if (node->kind == NODE_STEP)
		effect = node->effect >= 0 ? (enum effect)node->effect
			: node->type->effect;
	return effect == ONCE && node->probe != NULL ? PROBED : effect;
}

bool
node_asks(const struct node *node)
{
	return node->kind == NODE_STEP && node->type->asks;
}

bool
node_tells(const struct node *node)
{
	return static_effect(node) == REPEATABLE && !node_asks(node);
}

static void
read_traits(struct seat *seat)
{
	const struct node *node = seat->node;
	const struct step_type *type = node->type;

	seat->effect = seat->state->effect >= 0 ? (enum effect)seat->state->effect
		: static_effect(node);
	if (node->kind != NODE_STEP)
		return;
	seat->has_preview = node->probe_looks
		|| (type->preview != NULL && type->looks_if == NULL);
	seat->has_probe = type->probe != NULL || node->probe != NULL;
	seat->has_settle = node->settles;
	seat->has_provider = type->uses != NULL;
	seat->has_checks = node->n_preconditions > 0;
	seat->goes_back = node->undo == UNDO_AUTO;
}

/* The nearest on_error that is written decides; handlers and the way back have none
 * around them. */
static void
read_on_error(struct seat *seat)
{
	const struct seat *around = seat->in == NULL ? NULL : seat->in->group;
	bool is_written = seat->node->on_error != ON_ERROR_UNSET;

	seat->near = seat->node->on_error;
	if (!is_written && !seat->is_handler && around != NULL && around->node != NULL)
		seat->near = around->near;
	bool is_told = node_tells(seat->node) && seat->near == ON_ERROR_UNSET;
	seat->is_forgiven = seat->node->on_error == ON_ERROR_CONTINUE || is_told;
}

struct seat *
seat_new(struct owner *o, struct list *in, size_t place, const struct node *node,
	const char *path)
{
	struct seat *seat = arena_new_of(o->mem, struct seat);

	seat->node = node;
	seat->state = state_path(o->state, path);
	seat->path = seat->state->path;
	seat->state->seat = seat;
	seat->in = in;
	seat->place = place;
	seat->phase = -1;
	seat->shown = "";
	seat->timeout = (struct timer){.rank = 0, .path = seat->path};
	seat->due = (struct timer){.rank = 1, .path = seat->path};
	seat->is_handler = path_is_handler(seat->path);
	seat->is_gate = in == &o->trigger || in == &o->preconditions;
	seat->is_back = path_is_undo(seat->path);
	if (in != NULL && in->group != NULL) {
		seat->is_dry = in->group->is_dry;
		seat->is_dark = in->group->is_dark;
	}
	if (node != NULL) {
		seat->is_dry |= node->kind == NODE_PLAYBOOK && node->call_dry_run;
		read_traits(seat);
		read_on_error(seat);
	}
	return seat;
}

bool
is_dry(const struct owner *o, const struct seat *seat)
{
	return o->state->mode == MODE_DRY || seat->is_dry;
}

struct place
seat_place(const struct seat *seat)
{
	return (struct place){
		.node = seat->node, .path = seat->path, .state = seat->state,
		.is_item = seat->is_item, .is_undo = seat->is_undo,
	};
}

static struct seat *
around(const struct seat *seat)
{
	return seat->in == NULL ? seat->around : seat->in->group;
}

void
seat_touch(struct seat *seat)
{
	while (seat != NULL) {
		if (seat->in != NULL)
			marks_set(&seat->in->dirty, seat->place);
		seat = around(seat);
	}
}

void
seat_ready(struct seat *seat, bool ready)
{
	for (; seat != NULL; seat = around(seat)) {
		if (seat->in == NULL)
			continue;
		if (ready) {
			if (!marks_set(&seat->in->ready, seat->place))
				return;
		} else {
			marks_clear(&seat->in->ready, seat->place);
			if (!marks_is_empty(&seat->in->ready))
				return;
		}
	}
}

static bool
is_active(enum stand stand)
{
	return stand == STAND_PROVIDE || stand == STAND_LOOK || stand == STAND_CHECK
		|| stand == STAND_RUN || stand == STAND_SETTLE || stand == STAND_PROBE
		|| stand == STAND_ENDING;
}

struct seat *
call_around(const struct path_state *path)
{
	for (const struct path_state *up = path->parent; up != NULL; up = up->parent) {
		struct seat *seat = up->seat;
		bool calls = seat != NULL && seat->node != NULL
			&& seat->node->kind == NODE_PLAYBOOK;
		if (calls && (seat->node->each == NULL || seat->is_item))
			return seat;
	}
	return NULL;
}

void
seat_stand(struct owner *o, struct seat *seat, enum stand stand)
{
	enum stand before = seat->stand;
	int by = is_active(stand) - is_active(before);

	o->active += (unsigned)by;
	for (struct seat *call = by == 0 ? NULL : call_around(seat->state); call != NULL;
		call = call_around(call->state))
		call->active += (unsigned)by;
	o->backoffs += stand == STAND_BACKOFF;
	o->backoffs -= before == STAND_BACKOFF;
	seat->stand = stand;
	if (stand == STAND_READY)
		seat->ready_at = o->state->seq;
	if (stand == STAND_READY || before == STAND_READY)
		seat_ready(seat, stand == STAND_READY);
	seat_touch(seat);
	timers_of_path(o, seat->state);
}

void
seat_cut(struct owner *o, struct seat *seat, enum cut cut)
{
	if (seat->cut == cut)
		return;
	seat->cut = cut;
	if (cut != CUT_NONE)
		timer_clear(o, &seat->timeout);
	timers_of_path(o, seat->state);
}

bool
seat_halts(const struct seat *seat)
{
	return seat->state->state == OUT_FAILED && !seat->is_forgiven;
}

enum on_error
seat_on_error(const struct owner *o, const struct seat *seat)
{
	if (seat->near != ON_ERROR_UNSET)
		return seat->near;
	if (node_tells(seat->node))
		return ON_ERROR_CONTINUE;
	return o->options.tty && !seat->is_handler ? ON_ERROR_ASK : ON_ERROR_STOP;
}

/* Whether this failure says that nothing new starts in the run. */
static bool
stops_run(const struct owner *o, const struct seat *seat)
{
	if (seat->state->state != OUT_FAILED || seat->is_handler || seat->is_gate
		|| seat->in == NULL)
		return false;
	if (seat->node->on_error == ON_ERROR_UNDO && !seat->is_item)
		return true;
	enum on_error what = seat_on_error(o, seat);
	return what == ON_ERROR_STOP || what == ON_ERROR_ASK;
}

static void
tell_needing(struct list *list, size_t place)
{
	if (list->unmet == NULL)
		return;
	for (unsigned e = list->edge_from[place]; e < list->edge_from[place + 1]; e++) {
		unsigned who = list->edges[e];
		assert(list->unmet[who] > 0);
		if (--list->unmet[who] == 0) {
			marks_set(&list->dirty, who);
			if (list->group != NULL)
				seat_touch(list->group);
		}
	}
}

void
seat_ended(struct owner *o, struct seat *seat, enum outcome before)
{
	struct list *list = seat->in;

	if (list != NULL) {
		bool halted = before == OUT_FAILED && !seat->is_forgiven;
		list->halting += seat_halts(seat);
		list->halting -= halted;
		if (is_satisfied(seat))
			tell_needing(list, seat->place);
	}
	if (!o->stopped && stops_run(o, seat)) {
		o->stopped = true;
		o->flags++;
	}
}

void
ticket_take(struct owner *o, struct path_state *path)
{
	if (path->ticket != 0)
		return;
	if (o->n_order == o->order_cap) {
		size_t cap = o->order_cap == 0 ? 64 : 2 * o->order_cap;
		struct seat **more = arena_array(o->mem, struct seat *, cap);
		if (o->n_order > 0)
			memcpy(more, o->order, o->n_order * sizeof *more);
		o->order = more;
		o->order_cap = cap;
	}
	o->order[o->n_order++] = NULL;
	path->ticket = o->n_order;
}

bool
is_cancelled(const struct owner *o)
{
	return o->state->signal != HALT_NONE;
}

bool
is_stopped(const struct owner *o)
{
	return o->state->signal == HALT_STOP || o->state->signal == HALT_LOST;
}

/* Nothing new starts at this seat: a stop for all, a cancel or the run's deadline for all
 * but handlers and undo, the loss of a lock for all but handlers that tell people. */
bool
is_halted(const struct owner *o, const struct seat *seat)
{
	enum halt signal = o->state->signal;
	bool goes_on = seat->is_handler
		&& (signal != HALT_LOST || seat->effect == REPEATABLE);

	return signal == HALT_STOP || (signal != HALT_NONE && !goes_on);
}

/* Something of what is to be undone may still land, unless that was waited for. */
bool
is_doubted(const struct owner *o, const struct seat *undo)
{
	const struct path_state *state = seat_undone(o, undo);
	const struct seat *of = state == NULL ? NULL : state->seat;

	return state != NULL && state->doubted > undo->settled && (of == NULL
		|| state->doubted > of->settled);
}

bool
in_window(const struct owner *o, const struct seat *seat)
{
	const struct step_type *type = seat->node->type;

	return seat->state->first_at < 0 || type == NULL
		|| o->now < seat->state->first_at + type->window / 1000;
}

unsigned
slots_left(const struct owner *o)
{
	return o->book->parallel > o->active ? o->book->parallel - o->active : 0;
}

bool
seat_has_room(const struct owner *o, const struct seat *seat)
{
	const struct seat *call = call_around(seat->state);

	while (call != NULL && call->active < call->node->called->parallel)
		call = call_around(call->state);
	return call == NULL && slots_left(o) > 0;
}

static const struct node *
member_of(struct node *const *nodes, size_t n, struct str id)
{
	for (size_t i = 0; i < n; i++) {
		if (str_is(id, nodes[i]->id))
			return nodes[i];
	}
	return NULL;
}

static const struct node *
child_of(const struct node *node, struct str id)
{
	const struct node *found = member_of(node->members, node->n_members, id);

	for (size_t i = 0; found == NULL && i < node->n_branches; i++)
		found = member_of(node->branches[i].steps, node->branches[i].n_steps, id);
	return found;
}

const struct node *
book_node(const struct playbook *book, const char *path)
{
	const struct part_list *steps = &book->parts[PART_STEPS];
	const struct node *node = NULL;
	struct str rest = str_of(path);

	while (rest.n > 0) {
		struct str part = str_cut(rest, '/', &rest), index;
		struct str id = str_cut(part, '[', &index);
		node = node == NULL ? member_of(steps->nodes, steps->n, id)
			: child_of(node, id);
		if (node == NULL)
			break;
	}
	return node;
}
