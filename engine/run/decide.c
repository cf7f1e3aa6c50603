#include "run/owner.h"

#include <assert.h>

/* One turn: what happened, then all that follows from it, until nothing more does. */

struct owner *
owner_new(struct arena *mem, const struct playbook *book, struct run_state *state,
	const struct asker *asker, const struct owner_options *options)
{
	struct owner *o = arena_new_of(mem, struct owner);

	o->mem = mem;
	o->book = book;
	o->state = state;
	o->asker = asker;
	o->options = *options;
	o->exit = -1;
	o->run_deadline = (struct timer){.rank = 2, .path = ""};
	o->call = (struct timer){.rank = 1, .path = ""};
	return o;
}

void
owner_alone(struct owner *o)
{
	o->options.tty = false;
	o->flags++;
}

static void
body_more(struct map_builder *body, const struct value *more)
{
	for (size_t i = 0; more != NULL && i < more->map->n; i++)
		map_put_str(body, more->map->members[i].key.str,
			more->map->members[i].value);
}

static void
emit_own(struct owner *o, const struct news *news, const char *why, int64_t deadline)
{
	struct map_builder body = body_new(o);

	map_put(&body, "epoch", value_int(o->state->epoch + 1));
	body_text(&body, "why", why);
	body_time(&body, "deadline_at", deadline);
	body_more(&body, news->own);
	emit(o, REC_OWN, o->state->first, 0, &body);
}

static void
start(struct owner *o, const struct news *news)
{
	struct map_builder body = body_new(o);

	body_text(&body, "mode", mode_word(news->mode));
	if (o->book->deadline != 0 && news->mode != MODE_DRY)
		body_time(&body, "deadline_at", o->now + o->book->deadline / 1000);
	body_more(&body, news->run);
	emit(o, REC_RUN, o->state->first, 0, &body);
	emit_own(o, news, "start", 0);
}

/* The seat of a path is not made yet: what it would say by its node alone. */
static bool
stopped_by(const struct owner *o, const struct path_state *path)
{
	const struct node *node;
	enum on_error written = ON_ERROR_UNSET;

	if (path->state != OUT_FAILED || path_is_handler(path->path))
		return false;
	node = book_node(o->book, path->path);
	if (node == NULL)
		return false;
	if (node->on_error == ON_ERROR_UNDO && !str_ends(str_of(path->path), STR("]")))
		return true;
	for (const struct node *up = node; up != NULL
		&& written == ON_ERROR_UNSET; up = up->parent)
		written = up->on_error;
	if (written == ON_ERROR_UNSET)
		return !node_tells(node);
	return written == ON_ERROR_STOP || written == ON_ERROR_ASK;
}

static void
claim(struct owner *o, const struct news *news)
{
	bool reopens = strcmp(news->why, "reopen") == 0;
	int64_t more = news->deadline != 0 ? news->deadline : reopens ? o->book->deadline
		: 0;

	o->resumed = true;
	emit_own(o, news, news->why, more == 0 ? 0 : o->now + more / 1000);
	if (news->rebase != NULL) {
		struct map_builder body = body_new(o);
		body_more(&body, news->rebase);
		emit(o, REC_REBASE, o->state->first, 0, &body);
	}
	for (struct path_state *p = o->state->first; p != NULL; p = p->next) {
		timers_of_path(o, p);
		o->stopped = o->stopped || stopped_by(o, p);
	}
	for (size_t i = 0; i < news->n_messages; i++)
		inbox_claim(o, &news->messages[i]);
}

static struct seat *
seat_at(const struct owner *o, const char *path)
{
	struct path_state *state = state_find(o->state, path);
	struct seat *seat = state == NULL ? NULL : state->seat;

	return seat != NULL && seat->seen ? seat : NULL;
}

static bool
is_at_or_below(const struct seat *seat, const char *path)
{
	size_t n = strlen(path);

	if (n == 0)
		return !seat->is_handler;
	return strncmp(seat->path, path, n) == 0
		&& (seat->path[n] == '\0' || seat->path[n] == '/'
			|| seat->path[n] == '[');
}

static void
deadline(struct owner *o, const char *path)
{
	const struct seat *at = seat_at(o, path);

	if (*path == '\0' || at == NULL || !at->is_leaf) {
		struct map_builder body = body_new(o);
		body_text(&body, "what", "deadline");
		emit(o, REC_SIGNAL, state_path(o->state, path), 0, &body);
		o->flags += *path == '\0';
	}
	for (size_t i = 0; i < o->n_order; i++) {
		struct seat *seat = o->order[i];
		if (seat != NULL && is_at_or_below(seat, path))
			leaf_cut(o, seat, CUT_DEADLINE);
	}
}

/* What is worth knowing of the run and changes nothing in it. */
static void
note(struct owner *o, const struct news *news)
{
	struct map_builder body = body_new(o);

	if (o->state->end != END_NONE)
		return;
	body_text(&body, "what", news->note);
	body_text(&body, "text", news->text);
	body_value(&body, "of", news->of);
	emit(o, REC_NOTE, state_path(o->state, ""), 0, &body);
}

/* Somebody else may hold the lock by now: nothing new may change anything. What runs is
 * brought to its end, for to break it off would leave doubts and undo nothing. */
static void
lost(struct owner *o, const struct news *news)
{
	struct map_builder body = body_new(o);

	if (o->state->end != END_NONE || o->state->signal == HALT_LOST)
		return;
	body_text(&body, "what", halt_word(HALT_LOST));
	body_text(&body, "reason", news->text);
	emit(o, REC_SIGNAL, o->state->first, 0, &body);
	inbox_cut(o, false);
}

static void
take(struct owner *o, const struct news *news)
{
	struct seat *seat = NULL;

	if (news->kind == NEWS_DUE && *news->path == '\0') {
		timer_clear(o, &o->call);         /* the walk looks who is to be called */
		return;
	}
	if (news->kind == NEWS_OP || news->kind == NEWS_DUE
		|| news->kind == NEWS_TIMEOUT) {
		seat = seat_at(o, news->path);
		assert(seat != NULL);
		seat_touch(seat);
	}
	switch (news->kind) {
	case NEWS_START: start(o, news); break;
	case NEWS_CLAIM: claim(o, news); break;
	case NEWS_OP: leaf_completed(o, seat, news->result); break;
	case NEWS_DUE: leaf_timer(o, seat); break;
	case NEWS_TIMEOUT: leaf_cut(o, seat, CUT_TIMEOUT); break;
	case NEWS_DEADLINE: deadline(o, news->path); break;
	case NEWS_MESSAGE: inbox_take(o, news->message); break;
	case NEWS_NOTE: note(o, news); break;
	case NEWS_LOST: lost(o, news); break;
	}
}

static void
set_clock(struct owner *o, struct now now)
{
	if (!o->claimed) {
		o->claimed = true;
		int64_t wall = now.wall > o->state->at ? now.wall : o->state->at;
		o->offset = wall - now.boot / 1000;
	}
	o->now = now.boot / 1000 + o->offset;
	o->boot = now.boot;
}

/* All that follows, until nothing more does. */
static void
follow(struct owner *o)
{
	struct turn *turn = o->turn;

	for (;;) {
		size_t records = turn->n_records, acts = turn->n_acts;
		inbox_waiting(o);
		course_advance(o);
		if (turn->n_records == records && turn->n_acts == acts
			&& !inbox_is_ripe(o))
			break;
	}
}

void
run_decide(struct owner *o, const struct news *news, struct now now, struct arena *mem,
	struct turn *turn)
{
	*turn = (struct turn){0};
	o->turn = turn;
	o->turn_mem = mem;
	o->records_cap = o->acts_cap = 0;
	set_clock(o, now);
	take(o, news);
	follow(o);
	while (inbox_next(o))
		follow(o);
}

void
owner_each_live(const struct owner *o, void (*each)(const struct live_view *view,
	void *with),
	void *with)
{
	for (size_t i = 0; i < o->n_order; i++) {
		const struct seat *seat = o->order[i];
		if (seat == NULL || seat->stand == STAND_FINAL
			|| seat->stand == STAND_NEW)
			continue;
		each(&(struct live_view){
			.node = seat->node, .state = seat->state, .stand = seat->stand,
			.phase = seat->phase < 0 ? PHASE_RUN : (enum phase)seat->phase,
			.in_flight = seat->phase >= 0, .since = seat->op_since,
			.due_at = seat->wait != WAIT_NONE ? seat->wait_at : 0}, with);
	}
}
