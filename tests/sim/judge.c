#include "judge.h"

#include "data/json.h"

struct judging {
	struct arena *mem;
	const struct scenario *scenario;
	const struct world *world;
	const struct run_state *state;
	const struct record *records;
	size_t n;
	const char *bad;
};

static void
violated(struct judging *j, const char *path, const char *what)
{
	if (j->bad == NULL)
		j->bad = arena_printf(j->mem, "%s: %s", path, what);
}

/* I2: what was acknowledged is there, in order. */
static void
judge_chain(struct judging *j)
{
	for (size_t i = 0; i < j->n; i++) {
		if (j->records[i].seq != i + 1)
			violated(j, j->records[i].path, "a record is missing");
		if (i > 0 && j->records[i].at < j->records[i - 1].at)
			violated(j, j->records[i].path, "time goes back");
	}
}

static unsigned
intents_of(const struct judging *j, const char *path)
{
	unsigned n = 0;

	for (size_t i = 0; i < j->n; i++)
		n += j->records[i].kind == REC_INTENT && strcmp(j->records[i].path,
			path) == 0;
	return n;
}

static unsigned
surely_nothing(const struct judging *j, const char *path)
{
	unsigned n = 0;

	for (size_t i = 0; i < j->n; i++) {
		const struct record *r = &j->records[i];
		if (r->kind == REC_RETRY && strcmp(r->path, path) == 0)
			n += str_find(r->body, STR("\"fate\":\"none\"")) < r->body.n;
	}
	return n;
}

/* I4: no effect without its own intent; `once` not again after something may have
 * happened. */
static void
judge_effects(struct judging *j)
{
	size_t n;
	const struct started *started = world_started(j->world, &n);

	for (size_t i = 0; i < n; i++) {
		const struct path_state *path = state_find(j->state, started[i].path);
		if (started[i].n > intents_of(j, started[i].path))
			violated(j, started[i].path, "more effects than intents");
		if (path != NULL && path->effect == ONCE
			&& started[i].n > 1 + surely_nothing(j, started[i].path))
			violated(j, started[i].path, "once, and carried out twice");
	}
}

static size_t
first_record(const struct judging *j, const char *path, bool outcome)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < j->n; i++) {
		const struct record *r = &j->records[i];
		bool below = strncmp(r->path, path, length) == 0
			&& r->path[length] != '\0'
			&& strchr("/[", r->path[length]) != NULL;
		bool at = strcmp(r->path, path) == 0;
		if (outcome ? at && r->kind == REC_OUTCOME : at || below)
			return i;
	}
	return j->n;
}

/* I5: a step of a list begins after the outcome of the step above it. */
static void
judge_order(struct judging *j, struct node *const *nodes, size_t n, const char *prefix)
{
	for (size_t i = 0; i < n; i++) {
		const struct node *node = nodes[i];
		const char *path = arena_printf(j->mem, "%s%s", prefix, node->id);
		if (i + 1 < n) {
			const char *next = arena_printf(j->mem, "%s%s", prefix,
				nodes[i + 1]->id);
			size_t begun = first_record(j, next, false);
			if (begun < j->n && first_record(j, path, true) > begun)
				violated(j, next,
					"it began before the step above it had ended");
		}
		if (node->kind == NODE_BLOCK && node->each == NULL)
			judge_order(j, node->members, node->n_members,
				arena_printf(j->mem, "%s/", path));
	}
}

static bool
is_open(const struct path_state *path)
{
	return path->state == OUT_NONE && path->last != LAST_NONE
		&& (path->last == REC_INTENT || path->last == REC_RETRY
			|| path->last == REC_EFFECT);
}

/* I6: the run has ended as its exit status says, or it waits for somebody who is asked.
 * */
static void
judge_end(struct judging *j)
{
	int exit = world_exit(j->world);
	bool ended = j->state->end != END_NONE;

	if (ended && exit != ending_exit(j->state->end) && exit != 137)
		violated(j, "", "the exit status is not that of the end");
	if (!ended && exit == 4 && list_is_empty(&j->state->waiting))
		violated(j, "", "exit 4, and nobody is asked");
	if (!ended && exit != 4)
		violated(j, "", "it has no end, and nobody is asked");
	for (const struct path_state *p = j->state->first->next; p != NULL; p = p->next) {
		if (ended && is_open(p))
			violated(j, p->path, "left open");
	}
}

/* What was cut off is open for a resume, and so is all around it. */
static void
judge_cut(struct judging *j)
{
	for (const struct path_state *p = j->state->first; p != NULL; p = p->next) {
		const struct path_state *up = p->parent;
		while (up != NULL && up->state == OUT_CANCELLED)
			up = up->parent;
		if (p->state == OUT_CANCELLED && up != NULL && up->state == OUT_OK)
			violated(j, p->path, "cut off, and what it belongs to ended well");
	}
}

const char *
judge_run(struct arena *mem, const struct scenario *scenario, const struct world *world)
{
	struct judging j = {.mem = mem, .scenario = scenario, .world = world};
	const struct part_list *steps = &scenario->book.parts[PART_STEPS];

	j.records = world_records(world, &j.n);
	j.state = world_state(world);
	judge_chain(&j);
	judge_effects(&j);
	judge_order(&j, steps->nodes, steps->n, "");
	judge_end(&j);
	judge_cut(&j);
	return j.bad;
}

/* ---- with a crash as without */

static bool
is_loose(struct node *const *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct node *node = nodes[i];
		if (node->kind == NODE_PARALLEL || node->each != NULL
			|| is_loose(node->members, node->n_members))
			return true;
		for (size_t b = 0; b < node->n_branches; b++) {
			if (is_loose(node->branches[b].steps, node->branches[b].n_steps))
				return true;
		}
	}
	return false;
}

static bool
has_started(const struct world *world, const char *path)
{
	size_t n;
	const struct started *started = world_started(world, &n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(started[i].path, path) == 0)
			return true;
	}
	return false;
}

static bool
ended_badly(const struct run_state *state)
{
	for (const struct path_state *p = state->first; p != NULL; p = p->next) {
		if (p->state == OUT_FAILED || p->state == OUT_CANCELLED)
			return true;
	}
	return state->end != END_OK;
}

static bool
has_doubt(const struct run_state *state)
{
	for (const struct path_state *p = state->first; p != NULL; p = p->next) {
		if (p->state == OUT_DOUBT)
			return true;
	}
	return false;
}

static enum way
plain_way(const struct path_state *path)
{
	return path == NULL || path->how == WAY_ADOPTED ? WAY_RAN
		: path->how == WAY_NONE ? WAY_RAN : path->how;
}

static const char *
differs_at(struct arena *mem, const struct path_state *path,
	const struct run_state *other)
{
	const struct path_state *there = state_find(other, path->path);
	enum outcome state = there == NULL ? OUT_NONE : there->state;

	if (path->state == state && plain_way(path) == plain_way(there))
		return NULL;
	return arena_printf(mem, "%s ends as %s, and as %s without the crash", path->path,
		outcome_word(path->state), outcome_word(state));
}

/* Of a run that failed, only what changed something: reads in flight at a stop are not
 * made again. */
const char *
judge_same(struct arena *mem, const struct scenario *scenario, const struct world *base,
	const struct world *world)
{
	const struct run_state *was = world_state(base), *is = world_state(world);
	const struct part_list *steps = &scenario->book.parts[PART_STEPS];
	bool loose = is_loose(steps->nodes, steps->n), bad = ended_badly(was);

	if (has_doubt(is))
		return NULL;
	/* what runs beside what fails may be reached before the failure or not */
	if (was->end != is->end && !(loose && bad))
		return arena_printf(mem, "the run ends as '%s', not as '%s'",
			ending_word(is->end), ending_word(was->end));
	for (const struct path_state *p = is->first->next; p != NULL; p = p->next) {
		bool whole = is->end == END_OK && !loose;
		bool begun = !(loose && bad)
			&& (has_started(base, p->path) || has_started(world, p->path));
		bool aside = str_starts(str_of(p->path), STR("on_waiting"))
			|| str_ends(str_of(p->path), STR("/undo"))
				|| p->last == LAST_NONE;
		const char *what = aside || !(whole || begun) ? NULL : differs_at(mem, p,
			was);
		if (what != NULL)
			return what;
	}
	return NULL;
}
