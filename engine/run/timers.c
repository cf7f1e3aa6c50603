#include "run/owner.h"

#include <assert.h>

/* All that becomes due, in a heap by time, then rank, then path: timeouts of attempts,
 * pauses, deadlines. A timer stands in it at most once, at the place that it knows. */

static bool
is_before(const struct timer *a, const struct timer *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return strcmp(a->path, b->path) < 0;
}

static void
put(struct owner *o, size_t place, struct timer *timer)
{
	o->heap[place] = timer;
	timer->heap_place = place;
}

static void
rise(struct owner *o, struct timer *timer)
{
	size_t place = timer->heap_place;

	for (; place > 1 && is_before(timer, o->heap[place / 2]); place /= 2)
		put(o, place, o->heap[place / 2]);
	put(o, place, timer);
}

static void
sink(struct owner *o, struct timer *timer)
{
	size_t place = timer->heap_place;

	for (;;) {
		size_t below = 2 * place;
		if (below > o->n_heap)
			break;
		if (below < o->n_heap && is_before(o->heap[below + 1], o->heap[below]))
			below++;
		if (!is_before(o->heap[below], timer))
			break;
		put(o, place, o->heap[below]);
		place = below;
	}
	put(o, place, timer);
}

void
timer_set(struct owner *o, struct timer *timer, int64_t at)
{
	if (timer->heap_place != 0 && timer->at == at)
		return;
	timer->at = at;
	if (timer->heap_place == 0) {
		if (o->n_heap + 2 > o->heap_cap) {
			size_t cap = o->heap_cap == 0 ? 64 : 2 * o->heap_cap;
			struct timer **more = arena_array(o->mem, struct timer *, cap);
			if (o->n_heap > 0)
				memcpy(more, o->heap, (o->n_heap + 1) * sizeof *more);
			o->heap = more;
			o->heap_cap = cap;
		}
		put(o, ++o->n_heap, timer);
	}
	rise(o, timer);
	sink(o, timer);
}

void
timer_clear(struct owner *o, struct timer *timer)
{
	size_t place = timer->heap_place;

	if (place == 0)
		return;
	timer->heap_place = 0;
	struct timer *last = o->heap[o->n_heap--];
	if (last == timer)
		return;
	put(o, place, last);
	rise(o, last);
	sink(o, last);
}

static bool
deadline_runs(const struct path_state *path)
{
	const struct seat *seat = path->seat;

	if (path->deadline_at == 0 || path->state != OUT_NONE || path->late || path->grace
		|| path->since >= 0)
		return false;
	if (seat == NULL || !seat->seen || !seat->is_leaf)
		return true;
	return seat->cut == CUT_NONE && seat->stand != STAND_WAITING;
}

void
timers_of_path(struct owner *o, struct path_state *path)
{
	struct timer *timer = path->timer;

	if (path->parent == NULL || (timer == NULL && path->deadline_at == 0))
		return;
	if (timer == NULL) {
		timer = arena_new_of(o->mem, struct timer);
		timer->rank = 2;
		timer->path = path->path;
		path->timer = timer;
	}
	if (deadline_runs(path))
		timer_set(o, timer, path->deadline_at);
	else
		timer_clear(o, timer);
}

void
timers_of_run(struct owner *o)
{
	const struct run_state *s = o->state;

	if (s->deadline_at != 0 && s->signal == HALT_NONE && s->ending == END_NONE
		&& s->first->since < 0)
		timer_set(o, &o->run_deadline, s->deadline_at);
	else
		timer_clear(o, &o->run_deadline);
}

int64_t
owner_boot(const struct owner *o, int64_t at)
{
	return (at - o->offset) * 1000;
}

int64_t
owner_time(const struct owner *o, struct now now)
{
	return now.boot / 1000 + o->offset;
}

int64_t
owner_next(const struct owner *o)
{
	return o->n_heap == 0 || o->exit >= 0 ? INT64_MAX : owner_boot(o, o->heap[1]->at);
}

bool
owner_due(struct owner *o, struct now now, struct news *out)
{
	static const enum news_kind kinds[] = {NEWS_TIMEOUT, NEWS_DUE, NEWS_DEADLINE};

	if (o->n_heap == 0 || o->exit >= 0 || o->heap[1]->at > owner_time(o, now))
		return false;
	*out = (struct news){.kind = kinds[o->heap[1]->rank], .path = o->heap[1]->path};
	return true;
}
