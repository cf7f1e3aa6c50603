#include "run/leftover.h"

#include <signal.h>

#include "run/attempt.h"

enum { MOST_MIN = 5 };

/* ---- what the records say */

struct finding {
	const struct step_type *const *types;
	struct arena *mem;
	const char *run;
	struct run_state *state;
	struct leftover *list;
	size_t n, cap;
};

static void
add(struct finding *finding, struct leftover leftover)
{
	for (size_t i = 0; i < finding->n; i++)
		if (leftover.saved != NULL && finding->list[i].saved != NULL
			&& value_equal(finding->list[i].saved, leftover.saved))
			return;
	if (finding->n == finding->cap) {
		size_t cap = finding->cap == 0 ? 16 : finding->cap * 2;
		struct leftover *more = arena_array(finding->mem, struct leftover, cap);
		if (finding->n > 0)
			memcpy(more, finding->list, finding->n * sizeof *more);
		finding->list = more;
		finding->cap = cap;
	}
	finding->list[finding->n++] = leftover;
}

/* The type that began the path, and its last attempt, while nothing was saved of that. */
struct typed {
	const char *path;
	const struct step_type *type;
	bool is_open;
	int64_t since, until;
};
struct saving { struct finding *finding; struct typed *types; size_t n, cap; bool any; };

static void
note_type(struct saving *saving, const struct record *record, const struct value *body)
{
	struct arena *mem = saving->finding->mem;
	const struct step_type *type =
		step_type_find(saving->finding->types, value_get_str(body, "type"));
	if (type == NULL || type->leftover == NULL)
		return;
	if (saving->n == saving->cap) {
		size_t cap = saving->cap == 0 ? 16 : saving->cap * 2;
		struct typed *more = arena_array(mem, struct typed, cap);
		if (saving->n > 0)
			memcpy(more, saving->types, saving->n * sizeof *more);
		saving->types = more;
		saving->cap = cap;
	}
	saving->types[saving->n++] = (struct typed){arena_strdup(mem, record->path), type,
		.is_open = type->astray != NULL, .since = record->at,
		.until = value_get_int(body, "timeout_at", record->at)};
}

static struct typed *
typed_of(const struct saving *saving, const char *path)
{
	for (size_t i = saving->n; i-- > 0;)
		if (strcmp(saving->types[i].path, path) == 0)
			return &saving->types[i];
	return NULL;
}

/* An attempt that went well would have saved what it began. */
static void
note_end(struct saving *saving, const struct record *record, const struct value *body)
{
	struct typed *typed = typed_of(saving, record->path);
	if (typed == NULL || !typed->is_open)
		return;
	if (record->kind == REC_SAVE || record->kind == REC_EFFECT
		|| str_is(value_get_str(body, "state"), "ok"))
		typed->is_open = false;
	else if (record->at < typed->until)
		typed->until = record->at;
}

static void
add_open(struct saving *saving)
{
	struct finding *finding = saving->finding;
	for (size_t i = 0; i < saving->n; i++) {
		const struct typed *it = &saving->types[i];
		const struct path_state *path = state_find(finding->state, it->path);
		if (it->is_open && path != NULL && path->in != NULL)
			add(finding, (struct leftover){.run = finding->run,
				.path = path->path, .type = it->type, .in = path->in,
				.since = it->since, .until = it->until});
	}
}

/* The last value of a step that is done was finished with. */
static void
note_save(struct saving *saving, const struct record *record, const struct value *body)
{
	struct finding *finding = saving->finding;
	const struct value *value = value_get(body, "value");
	const struct typed *typed = typed_of(saving, record->path);
	const struct step_type *type = typed == NULL ? NULL : typed->type;
	const struct path_state *path = state_find(finding->state, record->path);
	if (type == NULL || path == NULL || path->in == NULL || value == NULL
		|| (path->state == OUT_OK && path->saved != NULL
			&& value_equal(path->saved, value)))
		return;
	struct value *copy = arena_new_of(finding->mem, struct value);
	*copy = value_copy(finding->mem, value);
	add(finding,
		(struct leftover){.run = finding->run,
			.path = path->path,
			.type = type,
			.in = path->in,
			.saved = copy});
}

static bool
each_record(const struct record *record, void *with)
{
	struct saving *saving = with;
	struct arena *mem = saving->finding->state->scratch;
	struct value body;
	struct err ignored;
	if (record->kind != REC_INTENT && record->kind != REC_SAVE
		&& record->kind != REC_RETRY && record->kind != REC_EFFECT
		&& record->kind != REC_OUTCOME)
		return true;
	if (!json_parse(mem, record->body, NULL, &body, &ignored))
		return true;
	if (record->kind == REC_INTENT)
		note_type(saving, record, &body);
	else if (record->kind == REC_SAVE)
		note_save(saving, record, &body);
	if (record->kind != REC_INTENT)
		note_end(saving, record, &body);
	return true;
}

/* A value that was saved, or a change of a type that may leave something unsaved. */
static bool
until_any(const struct record *record, void *with)
{
	struct saving *saving = with;
	struct arena *mem = arena_new();
	struct value body;
	struct err ignored;
	bool any = record->kind == REC_SAVE;
	if (record->kind == REC_INTENT
		&& json_parse(mem, record->body, NULL, &body, &ignored)) {
		const struct step_type *type = step_type_find(
			saving->finding->types, value_get_str(&body, "type"));
		any = type != NULL && type->astray != NULL;
	}
	arena_free(mem);
	saving->any = saving->any || any;
	return !saving->any;
}

/* Most runs saved nothing, and need not be understood. */
static bool
read_run(struct store *store, struct finding *finding, struct err *err)
{
	struct saving saving = {.finding = finding};
	if (!store_read(store, finding->run, 1, until_any, &saving, err))
		return false;
	if (!saving.any)
		return true;
	finding->state = arena_new_of(finding->mem, struct run_state);
	if (!run_fold(store, finding->run, finding->mem, finding->state, err))
		return false;
	bool ok = store_read(store, finding->run, 1, each_record, &saving, err);
	if (ok)
		add_open(&saving);
	state_close(finding->state);
	return ok;
}

bool
leftovers_saved(struct store *store, const struct step_type *const *types,
	struct arena *mem, struct leftover **out, size_t *n, struct err *err)
{
	const struct run_line *lines;
	size_t n_lines;
	struct finding finding = {.types = types, .mem = mem};
	if (!store_list(store, mem, &lines, &n_lines, err))
		return false;
	for (size_t i = 0; i < n_lines; i++) {
		finding.run = lines[i].run;
		if (!lines[i].alive && !read_run(store, &finding, err))
			return false;
	}
	*out = finding.list;
	*n = finding.n;
	return true;
}

/* ---- one function of a type, carried out alone */

struct trip {
	struct attempt attempt;                       /* first: an attempt is its trip */
	bool ended;
};

static void
ended(struct attempt *attempt)
{
	((struct trip *)attempt)->ended = true;
}

static void
saved(struct attempt *attempt, const struct value *value)
{
	(void)value;
	attempt_saved(attempt, attempt_now(attempt));
}

static void
output(struct attempt *attempt, int fd, struct str text, bool keep)
{
	(void)attempt;
	(void)fd;
	(void)text;
	(void)keep;
}

static void
progress(struct attempt *attempt)
{
	(void)attempt;
}

static const struct attempt_type outside = {
	.ended = ended, .saved = saved, .output = output, .progress = progress,
};

static void
go(struct trip *trip, step_fn *fn)
{
	struct attempt *attempt = &trip->attempt;
	struct host *host = attempt->host;
	attempt_start(attempt, fn, host->type->now(host));
	while (!trip->ended) {
		int number = 0;
		int64_t until = attempt_due(attempt);
		if (!attempt->stopping && attempt->until < until)
			until = attempt->until;
		struct op *op = host->type->wait(host, until, &number);
		struct now now = host->type->now(host);
		if (op != NULL)
			((struct waiter *)op->owner)->done(op->owner, op);
		else if (number == SIGINT || number == SIGTERM || number == SIGHUP
			 || (!attempt->stopping && now.boot >= attempt->until))
			attempt_cancel(attempt);
		else
			attempt_tick(attempt, now);
	}
}

static struct trip
trip_of(struct host *host, const struct leftover *leftover, const struct step_type *type,
	struct arena *mem, const char *phase, bool reads_only)
{
	struct now now = host->type->now(host);
	struct trip trip = {.attempt = {.outside = &outside,
		.host = host,
		.vault = vault_new(mem),
		.phase = phase,
		.reads_only = reads_only,
		.until = now.boot + MOST_MIN * NS_MIN}};
	trip.attempt.step = (struct step){.type = type,
		.mem = mem,
		.in = leftover->in,
		.saved = leftover->saved,
		.path = leftover->path,
		.run = leftover->run,
		.book = "",
		.folder = "/",
		.attempt = 1,
		.effect = reads_only ? PURE : IDEMPOTENT,
		.key = leftover->run};
	return trip;
}

/* What the type's provider gives; NULL with good: it needs none. */
static const struct value *
provided(struct host *host, const struct leftover *leftover, const struct provider *from,
	struct arena *mem, bool *good, struct err *err)
{
	const struct step_type *type = leftover->type;
	*good = true;
	if (from == NULL
		|| (from == type->uses && type->uses_if != NULL
			&& !type->uses_if(leftover->in)))
		return NULL;
	struct step_type *shape = arena_new_of(mem, struct step_type);
	*shape = (struct step_type){.name = from->name,
		.in = from->in,
		.state = from->state,
		.run = from->run};
	struct trip *trip = arena_new_of(mem, struct trip);
	*trip = trip_of(host, leftover, shape, mem, "fetch", true);
	trip->attempt.step.saved = NULL;
	trip->attempt.step.got = provided(host, leftover, from->uses, mem, good, err);
	if (!*good)
		return NULL;
	go(trip, from->run);
	*good = trip->attempt.verdict == STEP_DONE;
	if (!*good)
		*err = trip->attempt.err;
	return trip->attempt.step.out;
}

static enum verdict
carry_out(struct host *host, struct leftover *leftover, step_fn *fn, bool reads_only,
	struct arena *mem, struct err *err)
{
	bool good;
	struct trip *trip = arena_new_of(mem, struct trip);
	const struct value *got =
		provided(host, leftover, leftover->type->uses, mem, &good, err);
	if (!good)
		return STEP_FAIL;
	*trip = trip_of(host, leftover, leftover->type, mem,
		reads_only ? "leftover" : "sweep", reads_only);
	trip->attempt.step.got = got;
	go(trip, fn);
	*err = trip->attempt.err;
	if (reads_only && trip->attempt.verdict == STEP_DONE)
		leftover->found = trip->attempt.step.out;
	return trip->attempt.verdict;
}

enum leftover_end
leftover_look(struct host *host, struct leftover *leftover, struct arena *mem,
	struct err *err)
{
	enum verdict verdict =
		carry_out(host, leftover, leftover->type->leftover, true, mem, err);
	return verdict == STEP_DONE    ? LEFTOVER_THERE
		: verdict == STEP_ABSENT ? LEFTOVER_GONE
					 : LEFTOVER_UNKNOWN;
}

bool
leftover_sweep(struct host *host, struct leftover *leftover, struct arena *mem,
	struct err *err)
{
	return carry_out(host, leftover, leftover->type->sweep, false, mem, err)
		== STEP_DONE;
}

/* ---- what was begun and never saved */

/* Our clock and that of the far side may be apart. */
#define CLOCKS_APART_US (5 * 60 * INT64_C(1000000))

struct known { struct str id; bool is_known; };

static bool
has_id(const struct value *v, struct str id)
{
	bool found = v->kind == V_STRING && str_eq(v->str, id);
	for (size_t i = 0; v->kind == V_MAP && !found && i < v->map->n; i++)
		found = has_id(&v->map->members[i].value, id);
	for (size_t i = 0; v->kind == V_LIST && !found && i < v->list.n; i++)
		found = has_id(&v->list.items[i], id);
	return found;
}

static bool
saves_it(const struct record *record, void *with)
{
	struct known *known = with;
	struct arena *mem = arena_new();
	struct value body;
	struct err ignored;
	if (record->kind == REC_SAVE
		&& json_parse(mem, record->body, NULL, &body, &ignored))
		known->is_known = has_id(&body, known->id);
	arena_free(mem);
	return !known->is_known;
}

/* By a run that is under way, or one that ended: then it is that one's. Where a run
 * cannot be read it is not known that it is nobody's. */
static bool
is_on_record(struct store *store, struct str id, struct arena *mem)
{
	const struct run_line *lines;
	size_t n;
	struct err ignored;
	struct known known = {.id = id};
	if (!store_list(store, mem, &lines, &n, &ignored))
		return true;
	for (size_t i = 0; i < n && !known.is_known; i++)
		if (!store_read(store, lines[i].run, 1, saves_it, &known, &ignored))
			return true;
	return known.is_known;
}

static bool
is_of_attempt(const struct leftover *it, const struct value *found)
{
	const struct value *at = value_get(found, "at");
	if (at == NULL || at->kind != V_TIMESTAMP)
		return false;
	int64_t us = span_us(at->span);
	return us >= it->since - CLOCKS_APART_US && us <= it->until + CLOCKS_APART_US;
}

static void
search_one(struct store *store, struct finding *out, const struct leftover *it,
	const struct value *list)
{
	for (size_t i = 0; list->kind == V_LIST && i < list->list.n; i++) {
		const struct value *found = &list->list.items[i];
		if (!is_of_attempt(it, found)
			|| is_on_record(store, value_get_str(found, "id"), out->mem))
			continue;
		struct leftover begun = *it;
		begun.saved = value_get(found, "saved");
		add(out, begun);
	}
}

void
leftovers_search(struct store *store, struct host *host, struct leftover **list,
	size_t *n, struct arena *mem,
	void (*failed)(const struct leftover *leftover, struct err *err, void *with),
	void *with)
{
	struct finding out = {.mem = mem};
	for (size_t i = 0; i < *n; i++) {
		struct leftover it = (*list)[i];
		struct err err = {0};
		if (it.saved != NULL) {
			add(&out, it);
			continue;
		}
		enum verdict verdict =
			carry_out(host, &it, it.type->astray, true, mem, &err);
		if (verdict == STEP_DONE)
			search_one(store, &out, &it, it.found);
		else if (verdict != STEP_ABSENT)
			failed(&it, &err, with);
	}
	*list = out.list;
	*n = out.n;
}
