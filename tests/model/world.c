#include "world.h"

#include "data/json.h"
#include "rests.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_TURNS = 6000 };

struct flight {                                       /* an operation under way */
	int64_t end;
	unsigned number;
	const char *path;
	const struct node *node;
	struct path_state *state;
	enum phase phase;
	const struct value *result;
	bool cut;
};

struct counted { const char *name; unsigned n; };
struct counts { struct counted *items; size_t n, cap; };

struct event_left { const struct value *value; int64_t id; bool gone; };

struct world {
	/* run: of the owner and its state */
	struct arena *mem, *run;
	const struct scenario *scenario;
	int64_t now;                                  /* us since WORLD_START */
	int64_t jumped;                               /* us: the wall clock alone */
	struct run_state durable;
	struct run_state state;                       /* the owner's */
	struct owner *owner;                          /* NULL: dead or gone */
	struct asker asker;
	struct record *records;
	size_t n_records, cap_records;
	struct flight flights[4096];
	size_t n_flights;
	struct counts asked, whens, begun, applied;
	struct event_left *events;
	size_t n_events;
	struct message late[64];
	size_t n_late;
	struct started *started;
	size_t n_started;
	unsigned number, turns;
	int exit;
	const char *fault;
	struct broken broken;
	const struct crash *crashes;
	size_t n_crashes, next_crash;
	int64_t resume_after;
	unsigned deaths;
	bool has_inbox;
	const struct run_state *of;                   /* the run that is taken back */
};

static int64_t
wall(const struct world *w)
{
	return WORLD_START + w->now + w->jumped;
}

static void
fault(struct world *w, const char *path, const char *what)
{
	if (w->fault == NULL)
		w->fault = arena_printf(w->mem, "%s: %s", path, what);
}

static unsigned *
count_of(struct world *w, struct counts *counts, const char *name)
{
	for (size_t i = 0; i < counts->n; i++) {
		if (strcmp(counts->items[i].name, name) == 0)
			return &counts->items[i].n;
	}
	if (counts->n == counts->cap) {
		size_t cap = counts->cap == 0 ? 16 : 2 * counts->cap;
		struct counted *more = arena_array(w->mem, struct counted, cap);
		if (counts->n > 0)
			memcpy(more, counts->items, counts->n * sizeof *more);
		counts->items = more;
		counts->cap = cap;
	}
	counts->items[counts->n].name = arena_strdup(w->mem, name);
	return &counts->items[counts->n++].n;
}

/* ---- what expressions would say */

static enum answer
answer_of(const struct value *v)
{
	if (v == NULL || (v->kind == V_BOOL && v->b))
		return ANSWER_YES;
	if (v->kind == V_BOOL)
		return ANSWER_NO;
	return str_is(v->str, "unknown") ? ANSWER_UNKNOWN : ANSWER_ERROR;
}

static enum answer
ask_when(const struct asker *asker, const struct place *place, struct err *err)
{
	struct world *w = asker->with;
	const struct value *when = w->scenario->scripts[place->node->number].when;
	unsigned n = ++*count_of(w, &w->whens, place->path);

	err_set(err, ERR_VALUE, "scripted");
	if (when != NULL && when->kind == V_LIST)
		when = &when->list.items[n < when->list.n ? n - 1 : when->list.n - 1];
	return answer_of(when);
}

static enum answer
ask_each(const struct asker *asker, const struct place *place, struct arena *mem,
	struct value *list, struct err *err)
{
	const struct world *w = asker->with;
	struct list_builder items = {.mem = mem};

	(void)err;
	for (int64_t i = 0; i < w->scenario->scripts[place->node->number].each; i++)
		list_push(&items, value_int(i));
	*list = list_done(&items);
	return ANSWER_YES;
}

static enum answer
ask_branch(const struct asker *asker, const struct place *place, int *branch,
	struct err *err)
{
	const struct world *w = asker->with;
	const struct value *branches = w->scenario->scripts[place->node->number].branches;

	(void)err;
	for (size_t i = 0; i < branches->list.n; i++) {
		if (answer_of(value_get(&branches->list.items[i],
			"when")) == ANSWER_YES) {
			*branch = (int)i;
			return ANSWER_YES;
		}
	}
	return ANSWER_NO;
}

/* The id of a path's last part: "a/b[2]" -> "b". */
static struct str
last_id(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct str rest;

	return str_cut(str_of(slash == NULL ? path : slash + 1), '[', &rest);
}

/* A step reads what a dry run could not know. */
static bool
is_dark(const struct world *w, const struct node *node)
{
	const struct value *reads = w->scenario->scripts[node->number].reads;

	if (reads == NULL || w->scenario->mode != MODE_DRY)
		return false;
	for (const struct path_state *p = w->state.first; p != NULL; p = p->next) {
		if (p->grade < GRADE_PREDICTED)
			continue;
		for (size_t i = 0; i < reads->list.n; i++) {
			if (str_eq(last_id(p->path), reads->list.items[i].str))
				return true;
		}
	}
	return false;
}

static enum answer
ask_input(const struct asker *asker, const struct place *place, struct arena *mem,
	struct prepared *out, struct err *err)
{
	(void)err;
	(void)mem;
	out->in = value_null();
	out->effect = place->node->type->effect;
	return is_dark(asker->with, place->node) ? ANSWER_UNKNOWN : ANSWER_YES;
}

static enum answer
ask_question(const struct asker *asker, const struct place *place,
	const struct value *before,
	const struct value *after, struct arena *mem, struct question *out,
		struct err *err)
{
	const struct confirm *confirm = place->node->confirm;

	(void)asker, (void)before, (void)after, (void)mem, (void)err;
	out->text = "sure?";
	if (confirm != NULL) {
		out->by = confirm->by;
		out->not_by = confirm->not_by;
		out->at_least = confirm->at_least;
	}
	return ANSWER_YES;
}

static enum answer
ask_close(const struct asker *asker, const struct place *place, enum outcome state,
	struct arena *mem, struct value *outputs, struct value *measures, struct err *err)
{
	(void)asker, (void)place, (void)state, (void)mem, (void)outputs, (void)measures,
		(void)err;
	return ANSWER_YES;
}

static void
ask_end(const struct asker *asker, enum ending ending, struct arena *mem,
	struct value *members, bool *green)
{
	(void)asker, (void)ending, (void)mem, (void)members, (void)green;
}

/* ---- operations */

/* "a/b[2]#look" -> "a/b#look". */
static const char *
generic(struct arena *mem, const char *name)
{
	struct buf out = buf_in(mem);
	bool inside = false;

	for (; *name != '\0'; name++) {
		if (*name == '[')
			inside = true;
		if (!inside)
			buf_putc(&out, *name);
		if (*name == ']')
			inside = false;
	}
	return buf_cstr(&out);
}

static const struct value *
script_of(struct world *w, const char *path, enum phase phase)
{
	static const struct value nothing = {.kind = V_NULL};
	const char *name = phase == PHASE_RUN ? path
		: arena_printf(w->mem, "%s#%s", path, phase_word(phase));
	unsigned i = (*count_of(w, &w->asked, name))++;
	const struct value *list = w->scenario->world == NULL ? NULL
		: value_get(w->scenario->world, name);

	if (list == NULL && w->scenario->world != NULL)
		list = value_get(w->scenario->world, generic(w->mem, name));
	if (list == NULL || list->list.n == 0)
		return &nothing;
	return &list->list.items[i < list->list.n ? i : list->list.n - 1];
}

static int64_t
seconds(const struct value *map, const char *key, int64_t otherwise)
{
	return value_get_int(map, key, otherwise) * 1000000;
}

static bool
is_change(const struct flight *flight)
{
	return flight->phase == PHASE_UNDO
		|| (flight->phase == PHASE_RUN && flight->node->type->effect != PURE);
}

static void
note_started(struct world *w, const struct act *act)
{
	const struct path_state *state = state_find(&w->durable, act->path);

	for (size_t i = 0; i < w->n_started; i++) {
		if (strcmp(w->started[i].path, act->path) == 0) {
			w->started[i].n++;
			goto told;
		}
	}
	w->started[w->n_started++] = (struct started){arena_strdup(w->mem, act->path), 1};
told:
	if (state == NULL || state->intents == 0 || state->attempt != act->attempt)
		fault(w, act->path, "an effect without a durable intent");
	if (w->durable.mode == MODE_DRY)
		fault(w, act->path, "an effect in a dry run");
}

static void
start_op(struct world *w, const struct act *act)
{
	const struct value *result = script_of(w, act->path, act->phase);
	struct flight *flight = &w->flights[w->n_flights++];

	assert(w->n_flights < 4096);
	*flight = (struct flight){
		.end = w->now + seconds(result, "for", act->phase == PHASE_ORPHANS ? 0
			: 1),
		.number = ++w->number, .path = act->path, .node = act->node,
			.state = act->state,
		.phase = act->phase, .result = result,
	};
	if (is_change(flight))
		note_started(w, act);
}

static void
judge_rest(struct world *w, struct act act)
{
	if (w->broken.early)
		act.after = 0;
	if (!rests_on_ended(&w->scenario->book, &act, w->records, w->n_records))
		fault(w, act.path, "it may start before what it follows from has ended");
}

static void
kill_op(struct world *w, const char *path)
{
	for (size_t i = 0; i < w->n_flights; i++) {
		struct flight *flight = &w->flights[i];
		if (strcmp(flight->path, path) != 0 || flight->cut)
			continue;
		int64_t end = w->now + seconds(flight->result, "grace", 0);
		flight->end = flight->end < end ? flight->end : end;
		flight->cut = true;
	}
}

/* What was sent before the crash may have arrived: every second one did. */
static void
land(struct world *w)
{
	for (size_t i = 0; i < w->n_flights; i++) {
		struct flight *flight = &w->flights[i];
		struct str verdict = value_get_str(flight->result, "verdict");
		bool works = verdict.p == NULL || str_is(verdict, "DONE");
		if (w->resume_after > 0 && flight->phase == PHASE_RUN && works
			&& flight->number % 2 == 0)
			++*count_of(w, &w->applied, flight->path);
	}
}

static void
die(struct world *w)
{
	land(w);
	w->deaths++;
	w->owner = NULL;
	w->n_flights = 0;
	w->exit = 137;
}

static void
do_act(struct world *w, const struct act *act)
{
	switch (act->kind) {
	case ACT_OP:
		judge_rest(w, *act);
		start_op(w, act);
		if (w->broken.twice && is_change(&w->flights[w->n_flights - 1]))
			note_started(w, act);
		break;
	case ACT_KILL:
		kill_op(w, act->path);
		break;
	case ACT_EXIT:
		w->exit = act->code;
		w->owner = NULL;
		w->n_flights = 0;
		break;
	case ACT_SAVED: {
		struct act more = {.kind = ACT_OP, .phase = PHASE_RUN, .node = act->node,
			.path = act->path, .state = act->state, .attempt = act->attempt};
		start_op(w, &more);
		break;
	}
	}
}

/* ---- one turn */

static void
keep_record(struct world *w, const struct record *record)
{
	const struct path_state *path = state_find(&w->durable, record->path);
	bool moves = record->kind == REC_INTENT || record->kind == REC_OUTCOME
		|| record->kind == REC_EFFECT || record->kind == REC_RETRY;
	struct err err = {0};

	if (moves && path != NULL && path_is_final(path))
		fault(w, record->path, "a record after an outcome");
	if (w->n_records == w->cap_records) {
		size_t cap = w->cap_records == 0 ? 64 : 2 * w->cap_records;
		struct record *more = arena_array(w->mem, struct record, cap);
		if (w->n_records > 0)
			memcpy(more, w->records, w->n_records * sizeof *more);
		w->records = more;
		w->cap_records = cap;
	}
	struct record *kept = &w->records[w->n_records++];
	*kept = *record;
	kept->path = arena_strdup(w->mem, record->path);
	kept->body = str_copy(w->mem, record->body);
	if (!run_apply(&w->durable, kept, &err))
		fault(w, record->path, err.msg);
}

enum dies { DIES_NOT, DIES_BEFORE, DIES_AFTER };

static enum dies
dies_by_event(struct world *w, const struct turn *turn)
{
	enum dies dies = DIES_NOT;

	for (size_t e = 0; e < w->n_events; e++) {
		const struct value *v = w->events[e].value;
		int64_t before = value_get_int(v, "before", 0), after = value_get_int(v,
			"after", 0);
		if (w->events[e].gone || !str_is(value_get_str(v, "do"), "crash"))
			continue;
		for (size_t i = 0; i < turn->n_records; i++) {
			int64_t seq = (int64_t)turn->records[i].seq;
			if (seq != before && seq != after)
				continue;
			w->events[e].gone = true;
			dies = seq == before || dies == DIES_BEFORE ? DIES_BEFORE
				: DIES_AFTER;
		}
	}
	return dies;
}

static enum dies
dies_by_plan(struct world *w, const struct turn *turn)
{
	if (w->next_crash == w->n_crashes)
		return DIES_NOT;
	const struct crash *crash = &w->crashes[w->next_crash];
	for (size_t i = 0; i < turn->n_records; i++) {
		uint64_t seq = turn->records[i].seq;
		if (seq != crash->before && seq != crash->after)
			continue;
		w->next_crash++;
		return seq == crash->before ? DIES_BEFORE : DIES_AFTER;
	}
	return DIES_NOT;
}

/* As if the last `n` records had never been on the disk. */
static void
forget(struct world *w, size_t n)
{
	struct err err = {0};

	w->n_records -= n;
	state_close(&w->durable);
	state_init(&w->durable, w->mem);
	for (size_t i = 0; i < w->n_records; i++)
		run_apply(&w->durable, &w->records[i], &err);
}

static void
start_acts(struct world *w, const struct turn *turn)
{
	for (size_t i = 0; i < turn->n_acts && w->owner != NULL; i++) {
		do_act(w, &turn->acts[i]);
		if (w->next_crash < w->n_crashes && w->crashes[w->next_crash].op != 0
			&& w->crashes[w->next_crash].op == w->number) {
			w->next_crash++;
			die(w);
			if (w->broken.forgets && turn->n_records < w->n_records)
				forget(w, turn->n_records);
		}
	}
}

static void
turn_with(struct world *w, const struct news *news)
{
	struct now now = {wall(w), w->now * 1000 + NS_H};
	struct turn turn;

	run_decide(w->owner, news, now, w->run, &turn);
	enum dies dies = dies_by_event(w, &turn);
	if (dies == DIES_NOT)
		dies = dies_by_plan(w, &turn);
	if (w->broken.acts_first && turn.n_records > 0)
		start_acts(w, &turn);
	if (dies == DIES_BEFORE) {
		die(w);
		return;
	}
	for (size_t i = 0; i < turn.n_records; i++)
		keep_record(w, &turn.records[i]);
	if (dies == DIES_AFTER)
		die(w);
	else if (!w->broken.acts_first || turn.n_records == 0)
		start_acts(w, &turn);
}

static const struct value *
run_members(struct world *w)
{
	struct map_builder map = {.mem = w->mem};
	struct value *out = arena_new_of(w->mem, struct value);

	if (w->scenario->by == NULL)
		return NULL;
	map_put(&map, "by", *w->scenario->by);
	*out = map_done(&map);
	return out;
}

static void
claim(struct world *w, const char *why, int64_t deadline_ns)
{
	struct owner_options options = {
		.tty = w->scenario->tty, .overrides = w->scenario->overrides, .of = w->of,
	};
	struct err err = {0};

	if (w->state.scratch != NULL)
		state_close(&w->state);
	arena_free(w->run);
	w->run = arena_new();
	state_init(&w->state, w->run);
	for (size_t i = 0; i < w->n_records; i++) {
		bool ok = run_apply(&w->state, &w->records[i], &err);
		assert(ok);
		(void)ok;
	}
	w->owner = owner_new(w->run, &w->scenario->book, &w->state, &w->asker, &options);
	size_t inbox = w->has_inbox ? w->n_late : 0;
	w->n_late -= inbox;
	if (strcmp(why, "start") == 0)
		turn_with(w, &(struct news){.kind = NEWS_START,
			.mode = w->scenario->mode, .run = run_members(w)});
	else
		turn_with(w, &(struct news){.kind = NEWS_CLAIM, .why = why,
			.deadline = deadline_ns, .messages = w->late,
			.n_messages = inbox});
}

/* ---- what happens */

static enum verdict
verdict_of(struct str word)
{
	static const char *const words[] = {"", "DONE", "ABSENT", "FAIL", "PARTIAL",
		"DOUBT"};

	for (int i = 1; i < 6; i++) {
		if (str_is(word, words[i]))
			return (enum verdict)i;
	}
	return STEP_DONE;
}

static enum reach
reach_of(struct str word)
{
	return str_is(word, "NONE") ? REACH_NONE : str_is(word, "SENT") ? REACH_SENT
		: REACH_ANSWERED;
}

static struct value *
text_value(struct world *w, struct str text)
{
	struct value *v = arena_new_of(w->mem, struct value);

	*v = value_str(text);
	return v;
}

static void
read_look(struct world *w, const struct flight *flight, const struct value *from,
	struct result *out)
{
	static const struct value dark = {.kind = V_UNKNOWN};
	struct str before = value_get_str(from, "before"), after = value_get_str(from,
		"after");

	before = before.p == NULL ? STR("A") : before;
	after = after.p == NULL ? STR("B") : after;
	out->before = text_value(w, before);
	out->after = text_value(w, after);
	out->same = str_eq(before, after);
	out->shown = arena_printf(w->mem, "%.*s>%.*s", STR_FMT(before), STR_FMT(after));
	if (is_dark(w, flight->node))
		out->unknown = &dark;
}

static struct result
result_of(struct world *w, const struct flight *flight)
{
	const struct value *from = flight->result;
	const struct value *cut = value_get(from, "cut");
	struct str verdict = value_get_str(from, "verdict");
	struct result out = {0};

	if (flight->cut && cut == NULL) {
		out.verdict = is_change(flight) ? STEP_DOUBT : STEP_FAIL;
		out.reach = is_change(flight) ? REACH_SENT : REACH_ANSWERED;
		out.transient = !is_change(flight);
		return out;
	}
	if (flight->cut) {
		from = cut;
		verdict = value_get_str(cut, "verdict");
	}
	out.save = str_is(verdict, "SAVE");
	out.verdict = verdict_of(verdict);
	out.reach = reach_of(value_get_str(from, "reach"));
	out.transient = value_get_bool(from, "transient", false);
	out.not_held = !value_get_bool(from, "holds", true);
	out.assert_failed = !value_get_bool(from, "assert", true);
	out.fail_if = value_get_bool(from, "fail_if", false);
	out.left = (unsigned)value_get_int(from, "left", 0);
	if (flight->phase != PHASE_RUN)
		out.not_held = false;
	if (flight->phase == PHASE_PROBE && verdict.p == NULL)
		out.verdict = *count_of(w, &w->applied, flight->path) > 0 ? STEP_DONE
			: STEP_ABSENT;
	return out;
}

static void
complete(struct world *w, size_t i)
{
	struct flight flight = w->flights[i];

	w->flights[i] = w->flights[--w->n_flights];
	struct result result = result_of(w, &flight);
	if (flight.phase == PHASE_LOOK)
		read_look(w, &flight, flight.result, &result);
	if (flight.phase == PHASE_RUN && result.verdict == STEP_DONE && !result.save)
		++*count_of(w, &w->applied, flight.path);
	turn_with(w, &(struct news){
		.kind = NEWS_OP, .path = flight.path, .result = &result});
}

static bool
is_past(const struct world *w)
{
	const struct run_state *s = &w->durable;

	return s->deadline_at > 0 && s->deadline_at <= wall(w)
		&& s->first->since < 0 && s->signal == HALT_NONE && s->ending == END_NONE;
}

/* Another rbx, whose step types have another version. */
static void
upgrade(struct world *w, struct node *const *nodes, size_t n, unsigned version)
{
	for (size_t i = 0; i < n; i++) {
		struct node *node = nodes[i];
		struct step_type *type = arena_new_of(w->mem, struct step_type);
		upgrade(w, node->members, node->n_members, version);
		if (node->type == NULL)
			continue;
		*type = *node->type;
		type->version = version;
		node->type = type;
	}
}

static void
resume(struct world *w, const struct value *event, bool reopens)
{
	const char *why;
	struct err err;
	const struct part_list *steps = &w->scenario->book.parts[PART_STEPS];
	int64_t deadline = value_get_int(event, "deadline", 0) * NS_S;
	bool has = deadline != 0;

	if (w->owner != NULL || (w->durable.end != END_NONE) != reopens
		|| !state_may_resume(&w->durable, wall(w), has, &why, &err))
		return;
	int64_t version = value_get_int(event, "version", 0);
	if (version != 0)
		upgrade(w, steps->nodes, steps->n, (unsigned)version);
	claim(w, why, is_past(w) && !reopens ? deadline : 0);
}

static const char *
event_text(struct world *w, const struct value *event, const char *name)
{
	struct str text = value_get_str(event, name);

	return text.p == NULL ? NULL : str_cstr(w->mem, text);
}

static void
send(struct world *w, const struct value *event, int64_t id)
{
	struct map_builder body = {.mem = w->mem};
	struct str step = value_get_str(event, "step"), what = value_get_str(event, "do");
	const struct path_state *path = state_find(&w->durable, str_cstr(w->mem, step));

	for (size_t i = 0; i < event->map->n; i++)
		map_put_str(&body, event->map->members[i].key.str,
			event->map->members[i].value);
	map_put(&body, "after", value_int((int64_t)w->durable.seq));
	if (str_is(what, "approve") && value_get(event, "ask") == NULL)
		map_put(&body, "ask", value_int(path == NULL ? 0 : (int64_t)path->ask));
	struct value value = map_done(&body);
	const char **groups = arena_array(w->mem, const char *, 2);
	groups[0] = event_text(w, event, "group");
	struct message message = {
		.person = event_text(w, event, "person"), .groups = groups,
		.id = (uint64_t)id, .at = WORLD_START + w->now, .user = "op", .host = "h",
		.body = str_of(json_text(w->mem, &value, JSON_COMPACT)),
	};
	if (w->owner == NULL)
		w->late[w->n_late++] = message;
	else
		turn_with(w, &(struct news){.kind = NEWS_MESSAGE, .message = &message});
}

static void
scripted(struct world *w, struct event_left *event)
{
	struct str what = value_get_str(event->value, "do");

	event->gone = true;
	if (str_is(what, "crash")) {
		if (w->owner != NULL)
			die(w);
	} else if (str_is(what, "jump")) {
		w->jumped += value_get_int(event->value, "by", 0) * 1000000;
	} else if (str_is(what, "resume") || str_is(what, "reopen")) {
		resume(w, event->value, str_is(what, "reopen"));
	} else {
		send(w, event->value, event->id);
	}
}

static struct event_left *
next_event(struct world *w)
{
	struct event_left *first = NULL;

	for (size_t i = 0; i < w->n_events; i++) {
		struct event_left *e = &w->events[i];
		if (e->gone || value_get(e->value, "at") == NULL)
			continue;
		if (first == NULL || value_get_int(e->value, "at", 0)
			< value_get_int(first->value, "at", 0))
			first = e;
	}
	return first;
}

static size_t
next_flight(const struct world *w)
{
	size_t first = w->n_flights;

	for (size_t i = 0; i < w->n_flights; i++) {
		const struct flight *f = &w->flights[i], *g = &w->flights[first];
		if (first == w->n_flights || f->end < g->end
			|| (f->end == g->end && f->number < g->number))
			first = i;
	}
	return first;
}

static int64_t
later(const struct world *w, int64_t at)
{
	return at > w->now ? at : w->now;
}

/* false: nothing is left to happen. */
static bool
happen(struct world *w)
{
	struct event_left *event = next_event(w);
	size_t flight = next_flight(w);
	int64_t due = w->owner == NULL ? INT64_MAX : owner_next(w->owner);
	int64_t e = event == NULL ? INT64_MAX : later(w, seconds(event->value, "at", 0));
	int64_t f = flight == w->n_flights ? INT64_MAX : w->flights[flight].end;
	int64_t t = due == INT64_MAX ? INT64_MAX : later(w, (due - NS_H) / 1000);
	struct news news;

	if (e == INT64_MAX && f == INT64_MAX && t == INT64_MAX)
		return false;
	if (e <= f && e <= t) {
		w->now = later(w, e);
		scripted(w, event);
	} else if (f <= t) {
		w->now = later(w, f);
		complete(w, flight);
	} else {
		w->now = later(w, t);
		bool is_due = owner_due(w->owner,
			(struct now){wall(w), w->now * 1000 + NS_H}, &news);
		assert(is_due);
		(void)is_due;
		turn_with(w, &news);
	}
	return true;
}

struct world *
world_new(struct arena *mem, const struct scenario *scenario)
{
	struct world *w = arena_new_of(mem, struct world);
	size_t n = scenario->events == NULL ? 0 : scenario->events->list.n;

	w->mem = mem;
	w->scenario = scenario;
	w->exit = -1;
	state_init(&w->durable, mem);
	w->asker = (struct asker){
		.when = ask_when, .each = ask_each, .branch = ask_branch,
			.input = ask_input,
		.question = ask_question, .close = ask_close, .end = ask_end, .with = w,
	};
	w->events = arena_array(mem, struct event_left, n + 1);
	w->started = arena_array(mem, struct started, 4096);
	for (size_t i = 0; i < n; i++)
		w->events[w->n_events++] = (struct event_left){
			&scenario->events->list.items[i],
			(int64_t)i + 1, false};
	return w;
}

void
world_close(struct world *w)
{
	state_close(&w->durable);
	if (w->state.scratch != NULL)
		state_close(&w->state);
	arena_free(w->run);
}

void
world_break(struct world *w, struct broken broken)
{
	w->broken = broken;
}

void
world_has_inbox(struct world *w)
{
	w->has_inbox = true;
}

void
world_undoes(struct world *w, const struct run_state *of)
{
	w->of = of;
}

void
world_crash(struct world *w, const struct crash *crashes, size_t n, int64_t resume_after)
{
	w->crashes = crashes;
	w->n_crashes = n;
	w->resume_after = resume_after;
}

static bool
take_late(struct world *w)
{
	if (w->owner == NULL || w->n_late == 0)
		return false;
	struct message message = w->late[0];
	memmove(w->late, w->late + 1, --w->n_late * sizeof *w->late);
	turn_with(w, &(struct news){.kind = NEWS_MESSAGE, .message = &message});
	return true;
}

const char *
world_run(struct world *w)
{
	claim(w, "start", 0);
	for (;;) {
		if (++w->turns > MOST_TURNS) {
			fault(w, "", "the run does not end");
			break;
		}
		if (take_late(w))
			continue;
		if (w->owner == NULL && w->exit == 137 && w->resume_after > 0) {
			const char *why;
			struct err err;
			w->now += w->resume_after;
			if (w->durable.end != END_NONE || !state_may_resume(&w->durable,
				WORLD_START + w->now, true, &why, &err))
				break;
			claim(w, why, is_past(w) ? NS_H : 0);
			continue;
		}
		if (!happen(w))
			break;
	}
	if (w->owner != NULL)
		w->exit = -1;
	return w->fault;
}

const struct record *
world_records(const struct world *w, size_t *n)
{
	*n = w->n_records;
	return w->records;
}

const struct run_state *
world_state(const struct world *w)
{
	return &w->durable;
}

const struct started *
world_started(const struct world *w, size_t *n)
{
	*n = w->n_started;
	return w->started;
}

unsigned
world_ops(const struct world *w)
{
	return w->number;
}

unsigned
world_crashes(const struct world *w)
{
	return w->deaths;
}

int
world_exit(const struct world *w)
{
	return w->exit;
}
