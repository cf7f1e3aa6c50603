#include "run/owner.h"

#include <assert.h>

/* Groups and lists. A walk visits the members that have something to do, in the order of
 * the page, and counts what each said; the answer of the list follows from the counters.
 * Depth of recursion is the depth of the page, which is bounded. */

enum status
status_of(enum outcome outcome)
{
	static const enum status of[] = {
		[OUT_NONE] = IS_BUSY, [OUT_OK] = IS_OK, [OUT_FAILED] = IS_FAILED,
		[OUT_SKIPPED] = IS_SKIPPED, [OUT_CANCELLED] = IS_CANCELLED,
		[OUT_DOUBT] = IS_DOUBT,
	};

	return of[outcome];
}

/* ---- lists */

struct walk {
	struct list *list;
	/* nothing new starts in this list */
	bool stop;
	/* look at all, not only at those with news */
	bool full;
};

static void
visit(struct owner *o, struct walk *walk, size_t place)
{
	struct list *list = walk->list;
	struct seat *seat = list_seat(o, list, place);
	bool held = list->unmet != NULL && list->unmet[place] > 0
		&& seat->state->last == LAST_NONE;
	enum status status = walk->stop ? IS_IDLE : IS_HELD;

	marks_clear(&list->dirty, place);
	if (!held)
		status = seat_visit(o, seat, walk->stop);
	list->count[seat->status]--;
	list->count[status]++;
	seat->status = status;
	if (!walk->stop && (list->halting > 0 || o->stopped)) {
		/* for the rest now, for those before in the next walk */
		walk->stop = walk->full = true;
		list->again = true;
	}
}

static size_t
next_place(const struct owner *o, const struct walk *walk, size_t from)
{
	const struct list *list = walk->list;

	if (walk->full)
		return from;
	size_t dirty = marks_next(&list->dirty, from);
	size_t ready = slots_left(o) > 0 ? marks_next(&list->ready, from) : list->n;
	return dirty < ready ? dirty : ready;
}

static size_t
moving(const struct list *list)
{
	return list->count[IS_BUSY] + list->count[IS_BLOCKED] + list->count[IS_DOUBT];
}

static enum status
answer_of(const struct owner *o, const struct list *list, bool stop)
{
	const size_t *count = list->count;
	bool done = list->reach == list->n;

	if (count[IS_BUSY] > 0)
		return IS_BUSY;
	if (count[IS_BLOCKED] > 0)
		return IS_BLOCKED;
	if (list->halting > 0)
		return IS_FAILED;
	if (is_cancelled(o) && (!done || count[IS_IDLE] + count[IS_HELD]
		+ count[IS_CANCELLED] + count[IS_DOUBT] > 0))
		return IS_CANCELLED;
	if (count[IS_HELD] > 0)
		return IS_FAILED;
	/* what a stop cut off is not done, and a resume has to find it open */
	return (stop && !done) || count[IS_IDLE] + count[IS_CANCELLED] > 0
		? IS_CANCELLED : IS_OK;
}

enum status
list_walk(struct owner *o, struct list *list, bool stop)
{
	struct walk walk = {list, stop, list->again};

	walk.stop = stop || o->stopped || list->halting > 0 || is_cancelled(o);
	walk.full = list->again || walk.stop != list->stop_seen
		|| list->flags_seen != o->flags;
	list->again = false;
	list->flags_seen = o->flags;
	for (size_t i = 0; (i = next_place(o, &walk, i)) < list->reach; i++)
		visit(o, &walk, i);
	while (list->reach < list->n && moving(list) < list->at_once) {
		list->count[IS_NEW]++;
		visit(o, &walk, list->reach++);
	}
	list->stop_seen = walk.stop;
	return answer_of(o, list, walk.stop);
}

/* ---- groups */

struct group_end {
	enum outcome state;
	enum fate fate;
	enum grade grade;
	const struct err *err;
	const struct value *outputs, *measures;
};

static enum status
group_final(struct owner *o, struct seat *seat, const struct group_end *end)
{
	struct map_builder body = body_new(o);

	body_text(&body, "state", outcome_word(end->state));
	body_text(&body, "fate", fate_word(end->fate));
	if (end->grade != GRADE_NONE)
		body_text(&body, "grade", grade_word(end->grade));
	body_value(&body, "outputs", end->outputs);
	body_value(&body, "measures", end->measures);
	body_error(&body, end->err);
	emit(o, REC_OUTCOME, seat->state, 0, &body);
	seat_stand(o, seat, STAND_FINAL);
	return status_of(end->state);
}

void
group_refuse(struct owner *o, struct seat *seat, enum outcome state,
	const struct err *err)
{
	group_final(o, seat, &(struct group_end){.state = state, .err = err});
}

/* Its question stands open, of this owner or of one before. */
static enum status
group_asks(struct owner *o, struct seat *seat)
{
	ticket_take(o, seat->state);
	o->order[seat->state->ticket - 1] = seat;
	if (seat->stand != STAND_ASK) {
		seat_stand(o, seat, STAND_ASK);
		if (seat->state->until_at != 0)
			leaf_wait(o, seat, WAIT_ASK, seat->state->until_at);
		inbox_yes(o, seat);
	}
	return IS_BLOCKED;
}

static enum status
group_ask(struct owner *o, struct seat *seat)
{
	struct place place = seat_place(seat);
	struct map_builder body = body_new(o);
	struct question q = {0};
	struct err err = {0};

	if (o->asker->question(o->asker, &place, NULL, NULL, o->turn_mem, &q,
		&err) != ANSWER_YES)
		return group_final(o, seat,
			&(struct group_end){.state = OUT_FAILED, .err = &err});
	body_question(&body, &q);
	body_text(&body, "shown", "group");
	if (seat->node->confirm->within != 0)
		body_time(&body, "until_at", o->now + seat->node->confirm->within / 1000);
	emit(o, REC_ASK, seat->state, 0, &body);
	return group_asks(o, seat);
}

static bool
is_group_approved(const struct path_state *state)
{
	for (unsigned i = 0; i < state->n_approved; i++) {
		if (strcmp(state->approved[i], "group") == 0)
			return true;
	}
	return false;
}

static bool
asks_first(const struct owner *o, const struct seat *seat)
{
	bool waived = o->state->mode == MODE_DRILL && !o->book->drill.confirm;

	return seat->node->confirm != NULL && !is_dry(o, seat) && !waived;
}

/* `when` and the question, before a group begins. IS_NEW: it may. */
static enum status
may_begin(struct owner *o, struct seat *seat)
{
	struct place place = seat_place(seat);
	struct err err = {0};

	if (seat->is_item)
		return IS_NEW;
	if (seat->node->when != NULL) {
		enum answer answer = o->asker->when(o->asker, &place, &err);
		if (answer == ANSWER_NO)
			return group_final(o, seat,
				&(struct group_end){.state = OUT_SKIPPED});
		seat->is_dark |= answer == ANSWER_UNKNOWN && is_dry(o, seat);
		if (answer == ANSWER_UNKNOWN && !seat->is_dark)
			err_set(&err, ERR_VALUE, "`when` is not known");
		if (answer != ANSWER_YES && !seat->is_dark)
			return group_final(o, seat,
				&(struct group_end){.state = OUT_FAILED, .err = &err});
	}
	if (asks_first(o, seat) && !is_group_approved(seat->state))
		return group_ask(o, seat);
	return IS_NEW;
}

static bool
is_loop(const struct seat *seat)
{
	return seat->node->each != NULL && !seat->is_item;
}

/* The list of a loop or the branch of a choose, once: a re-opened group goes on with the
 * recorded one. */
static enum answer
group_shape(struct owner *o, struct seat *seat, struct map_builder *body, struct err *err)
{
	struct place place = seat_place(seat);
	const struct path_state *state = seat->state;
	bool again = state->begun;
	enum answer answer = ANSWER_YES;

	if (is_loop(seat)) {
		struct value list;
		if (again && state->each != NULL)
			list = *state->each;
		else
			answer = o->asker->each(o->asker, &place, o->turn_mem, &list,
				err);
		if (answer == ANSWER_YES && list.list.n == 0)
			return ANSWER_NO;
		if (answer == ANSWER_YES)
			map_put(body, "each", list);
	} else if (seat->node->kind == NODE_CHOOSE) {
		int branch = state->branch;
		if (!again)
			answer = o->asker->branch(o->asker, &place, &branch, err);
		if (answer == ANSWER_NO) {
			branch = -1;
			answer = ANSWER_YES;
		}
		map_put(body, "branch", value_int(branch));
	}
	return answer;
}

/* ns. Of a call the limits of both hold. */
static int64_t
group_deadline(const struct seat *seat)
{
	int64_t mine = seat->is_item ? 0 : seat->node->deadline;
	int64_t called = seat->node->kind != NODE_PLAYBOOK || is_loop(seat) ? 0
		: seat->node->called->deadline;

	return mine == 0 || (called != 0 && called < mine) ? called : mine;
}

static enum status
group_begin(struct owner *o, struct seat *seat, bool stop)
{
	struct map_builder body = body_new(o);
	struct err err = {0};

	if (stop || is_halted(o, seat))
		return IS_IDLE;
	if (!seat->state->begun) {
		enum status status = may_begin(o, seat);
		if (status != IS_NEW)
			return status;
	}
	if (group_deadline(seat) != 0 && !is_dry(o, seat))
		body_time(&body, "deadline_at", o->now + group_deadline(seat) / 1000);
	switch (group_shape(o, seat, &body, &err)) {
	case ANSWER_YES:
		emit(o, REC_BEGIN, seat->state, 0, &body);
		seat_stand(o, seat, STAND_WAITING);
		return IS_NEW;
	case ANSWER_NO:                               /* a loop over nothing */
		return group_final(o, seat, &(struct group_end){.state = OUT_SKIPPED});
	case ANSWER_UNKNOWN:
		if (is_dry(o, seat))
			return group_final(o, seat, &(struct group_end){
				.state = OUT_OK, .grade = GRADE_UNKNOWN});
		err_set(&err, ERR_VALUE, "what it depends on is not known");
		break;
	default:
		break;
	}
	return group_final(o, seat, &(struct group_end){.state = OUT_FAILED,
		.err = &err});
}

static void
group_open(struct owner *o, struct seat *seat)
{
	const struct node *node = seat->node;
	const struct path_state *state = seat->state;
	struct list *kids = arena_new_of(o->mem, struct list);
	const char *prefix = arena_printf(o->mem, is_loop(seat) ? "%s" : "%s/",
		seat->path);

	seat->kids = kids;
	if (is_loop(seat)) {
		size_t n = state->each == NULL ? 0 : state->each->list.n;
		list_open(o, kids, seat, prefix, NULL, n, node->each->at_once);
	} else if (node->kind == NODE_CHOOSE) {
		const struct branch *branch = state->branch < 0 ? NULL
			: &node->branches[state->branch];
		list_open(o, kids, seat, prefix, branch == NULL ? NULL : branch->steps,
			branch == NULL ? 0 : branch->n_steps, 1);
	} else {
		bool parallel = node->kind == NODE_PARALLEL;
		list_open(o, kids, seat, prefix, node->members, node->n_members,
			parallel ? node->n_members : 1);
		if (parallel)
			list_needs(o, kids);
	}
}

/* One after the other, each tried whatever befell the others. IS_OK, IS_FAILED, or what
 * it waits for. */
static enum status
group_finally(struct owner *o, struct seat *seat)
{
	const struct node *node = seat->node;
	enum status all = IS_OK;

	if (seat->finals == NULL) {
		seat->finals = arena_new_of(o->mem, struct list);
		list_open(o, seat->finals, seat, arena_printf(o->mem, "%s/finally/",
			seat->path),
			node->finally, node->n_finally, 1);
	}
	for (size_t i = 0; i < seat->finals->n; i++) {
		struct seat *step = list_seat(o, seat->finals, i);
		marks_clear(&seat->finals->dirty, i);
		enum status status = seat_visit(o, step, is_stopped(o));
		if (status == IS_BUSY || status == IS_BLOCKED)
			return status;
		if (status == IS_FAILED)
			all = IS_FAILED;
	}
	return all;
}

static enum outcome
outcome_of(enum status status)
{
	switch (status) {
	case IS_OK: return OUT_OK;
	case IS_FAILED: return OUT_FAILED;
	default: return OUT_CANCELLED;
	}
}

static enum status
group_close(struct owner *o, struct seat *seat, enum outcome state)
{
	struct place place = seat_place(seat);
	struct value outputs = {0}, measures = {0};
	struct err err = {0};
	bool none = seat->state->touched == 0;

	if (state == OUT_FAILED && seat->node->kind == NODE_CHOOSE
		&& seat->state->branch < 0
		&& !is_loop(seat))
		err_set(&err, ERR_VALUE, "no branch holds");
	if (o->asker->close(o->asker, &place, state, o->turn_mem, &outputs, &measures,
		&err)
		== ANSWER_ERROR && state == OUT_OK)
		state = OUT_FAILED;
	return group_final(o, seat, &(struct group_end){
		.state = state,
		.fate = none ? FATE_NONE : state == OUT_OK ? FATE_DONE : FATE_PARTIAL,
		.err = &err,
		.outputs = outputs.kind == V_NULL ? NULL : &outputs,
		.measures = measures.kind == V_NULL ? NULL : &measures});
}

/* A called playbook asks its own preconditions when the step starts. IS_OK: they hold,
 * or there are none. */
static enum status
call_checks(struct owner *o, struct seat *seat)
{
	const struct part_list *part = &seat->node->called->parts[PART_PRECONDITIONS];

	if (seat->gates == NULL) {
		seat->gates = arena_new_of(o->mem, struct list);
		list_open(o, seat->gates, seat,
			arena_printf(o->mem, "%s/preconditions/", seat->path),
			part->nodes, part->n, 1);
	}
	return gates_visit(o, seat->gates);
}

static bool
is_call(const struct seat *seat)
{
	return seat->node->kind == NODE_PLAYBOOK && !is_loop(seat);
}

static enum status
group_members(struct owner *o, struct seat *seat, bool stop)
{
	const struct path_state *state = seat->state;
	bool late = state->late || state->grace;
	enum status status = IS_OK;

	if (is_call(seat) && seat->kids == NULL)
		status = call_checks(o, seat);
	if (status == IS_OK) {
		if (seat->kids == NULL)
			group_open(o, seat);
		status = list_walk(o, seat->kids, stop || late);
	}
	if (seat->node->kind == NODE_CHOOSE && state->branch < 0 && !is_loop(seat))
		status = IS_FAILED;
	if (late && (status == IS_OK || status == IS_CANCELLED) && !is_cancelled(o))
		status = IS_FAILED;
	return status;
}

/* The handlers of a called playbook run inside its step. */
static enum status
call_handlers(struct owner *o, struct seat *seat, enum status status)
{
	struct handling handling = {.book = seat->node->called, .around = seat,
		.end = status == IS_OK ? END_OK : status == IS_FAILED ? END_FAILED
		: END_CANCELLED};

	if (seat->handlers == NULL)
		seat->handlers = arena_array(o->mem, struct seat *, PARTS);
	handling.seats = seat->handlers;
	return handlers_visit(o, &handling);
}

/* What follows the members: undo, `finally`, handlers. */
static enum status
group_follow(struct owner *o, struct seat *seat, enum status status)
{
	enum status follows = IS_OK;

	if (is_dry(o, seat))
		return status;
	if (status == IS_FAILED && seat->node->on_error == ON_ERROR_UNDO) {
		enum status undone = undo_visit(o, seat);
		if (undone == IS_BUSY || undone == IS_BLOCKED)
			return undone;
		status = undone == IS_OK ? status : IS_CANCELLED;
	}
	if (seat->node->n_finally > 0 && !is_loop(seat))
		follows = group_finally(o, seat);
	else if (is_call(seat))
		follows = call_handlers(o, seat, status);
	if (follows == IS_BUSY || follows == IS_BLOCKED)
		return follows;
	return follows == IS_FAILED && status == IS_OK ? IS_FAILED : status;
}

static enum status
group_visit(struct owner *o, struct seat *seat, bool stop)
{
	const struct path_state *state = seat->state;

	seat->seen = true;
	if (path_is_final(state))
		return status_of(state->state);
	if (state->ask != 0 && state->what == ASK_CHANGE)
		return group_asks(o, seat);
	if (!state->begun || state->last == LAST_REOPENED) {
		enum status status = group_begin(o, seat, stop);
		if (status != IS_NEW)
			return status;
	}
	enum status status = group_members(o, seat, stop);
	if (status == IS_BUSY || status == IS_BLOCKED)
		return status;
	status = group_follow(o, seat, status);
	if (status == IS_BUSY || status == IS_BLOCKED)
		return status;
	return group_close(o, seat, outcome_of(status));
}

enum status
seat_visit(struct owner *o, struct seat *seat, bool stop)
{
	if (seat->is_leaf)
		return leaf_visit(o, seat, stop);
	if (seat->is_undo)
		return undo_list_visit(o, seat, stop);
	return group_visit(o, seat, stop);
}
