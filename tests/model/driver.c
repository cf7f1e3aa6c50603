/* Compares the engine with its executable specification: each line of standard input is a
 * scenario and what the model made of it. Prints the first difference of each scenario
 * that differs; exit status 1 if there is one, 0 if there is none.
 *
 * driver [--expect-differences]    with it the status is turned round: a model with a
 * broken rule must be seen */
#include "world.h"

#include "data/json.h"

#include <stdio.h>
#include <stdlib.h>

struct compared { unsigned long scenarios, records, different; };

static bool
is_time(struct str key)
{
	return str_ends(key, STR("_at"));
}

/* The model says seconds from 0, numbers for lists, and one word for how and grade. */
static bool
is_same(struct str key, const struct value *want, const struct value *body)
{
	char name[64];

	snprintf(name, sizeof name, "%.*s", STR_FMT(key));
	const struct value *got = value_get(body, name);
	if (str_is(key, "how") && got == NULL)
		got = value_get(body, "grade");
	if (want->kind == V_NULL)
		return got == NULL || got->kind == V_NULL;
	if (got == NULL)
		return false;
	if (is_time(key))
		return got->kind == V_INT && got->i == WORLD_START + want->i * 1000000;
	if (str_is(key, "each"))
		return got->kind == V_LIST && (int64_t)got->list.n == want->i;
	if (str_is(key, "effect") && str_is(want->str, "once") && str_is(got->str,
		"probed"))
		return true;
	if (str_is(key, "shown") && str_is(want->str, "None>as written"))
		return str_is(got->str, "as written");
	return value_equal(want, got);
}

static bool
is_place(struct str key)
{
	return str_is(key, "seq") || str_is(key, "at") || str_is(key, "kind")
		|| str_is(key, "path") || str_is(key, "attempt");
}

static const char *
differs(struct arena *mem, const struct value *want, const struct record *got)
{
	struct value body;
	struct err err;

	if (!str_is(value_get_str(want, "kind"), kind_word(got->kind)))
		return "kind";
	if (!str_is(value_get_str(want, "path"), got->path))
		return "path";
	if (value_get_int(want, "attempt", 0) != (int64_t)got->attempt)
		return "attempt";
	if (WORLD_START + value_get_int(want, "at", 0) * 1000000 != got->at)
		return "at";
	if (!json_parse(mem, got->body, NULL, &body, &err))
		return "body";
	for (size_t i = 0; i < want->map->n; i++) {
		const struct member *m = &want->map->members[i];
		if (!is_place(m->key.str) && !is_same(m->key.str, &m->value, &body))
			return str_cstr(mem, m->key.str);
	}
	return NULL;
}

static const char *
standing(struct arena *mem, const struct path_state *path)
{
	const char *word = outcome_word(path->state);

	if (path->state == OUT_NONE)
		word = path->last == REC_ASK ? "asked"
			: path->last == REC_INTENT || path->last == REC_RETRY
			|| path->last == REC_EFFECT || path->last == REC_SAVE ? "open"
			: path->last == LAST_REOPENED ? "reopened" : "begun";
	const char *how = path->how > WAY_RAN ? way_word(path->how)
		: grade_word(path->grade);
	return *how == '\0' ? word : arena_printf(mem, "%s %s", word, how);
}

static const char *
compare_steps(struct arena *mem, const struct value *want, const struct run_state *state)
{
	size_t n = 0;

	for (const struct path_state *p = state->first->next; p != NULL; p = p->next) {
		if (p->last == LAST_NONE)
			continue;
		n++;
		const char *got = standing(mem, p);
		if (!str_is(value_get_str(want, p->path), got))
			return arena_printf(mem, "step %s is '%s', not '%.*s'", p->path,
				got,
				STR_FMT(value_get_str(want, p->path)));
	}
	return n == want->map->n ? NULL : "the number of steps";
}

static const char *
compare_end(struct arena *mem, const struct value *want, const struct world *world)
{
	const struct run_state *state = world_state(world);
	const struct value *started = value_get(want, "started");
	size_t n;
	const struct started *got = world_started(world, &n);

	if (!str_is(value_get_str(want, "end"), ending_word(state->end)))
		return arena_printf(mem, "end is '%s'", ending_word(state->end));
	if (value_get_int(want, "exit", 0) != world_exit(world))
		return arena_printf(mem, "exit is %d", world_exit(world));
	for (size_t i = 0; i < n; i++) {
		if (value_get_int(started, got[i].path, 0) != (int64_t)got[i].n)
			return arena_printf(mem, "started %s %u times", got[i].path,
				got[i].n);
	}
	if (n != started->map->n)
		return "the number of started effects";
	return compare_steps(mem, value_get(want, "steps"), state);
}

static const char *
compare_records(struct arena *mem, const struct value *want, const struct record *got,
	size_t n)
{
	for (size_t i = 0; i < want->list.n && i < n; i++) {
		const char *what = differs(mem, &want->list.items[i], &got[i]);
		if (what != NULL)
			return arena_printf(mem, "record %zu differs in %s:\n  want %s\n"
				"  got  at %lld %s %s %u %.*s", i + 1, what,
				json_text(mem, &want->list.items[i], JSON_COMPACT),
				(long long)(got[i].at - WORLD_START) / 1000000,
				kind_word(got[i].kind), got[i].path, got[i].attempt,
				STR_FMT(got[i].body));
	}
	if (want->list.n == n)
		return NULL;
	if (n > want->list.n)
		return arena_printf(mem, "%zu records, not %zu; more: %s %s %.*s", n,
			want->list.n,
			kind_word(got[want->list.n].kind), got[want->list.n].path,
			STR_FMT(got[want->list.n].body));
	return arena_printf(mem, "%zu records, not %zu; missing: %s", n, want->list.n,
		json_text(mem, &want->list.items[n], JSON_COMPACT));
}

static void
compare(struct arena *mem, struct str line, struct compared *sum)
{
	struct value all;
	struct err err;
	struct scenario scenario;
	size_t n;

	if (!json_parse(mem, line, NULL, &all, &err)) {
		printf("not JSON: %s\n", err.msg);
		sum->different++;
		return;
	}
	const struct value *expect = value_get(&all, "expect");
	scenario_read(mem, value_get(&all, "scenario"), &scenario);
	struct world *world = world_new(mem, &scenario);
	const char *fault = world_run(world);
	const struct record *records = world_records(world, &n);
	const char *what = compare_records(mem, value_get(expect, "records"), records, n);
	if (what == NULL)
		what = compare_end(mem, expect, world);
	if (what == NULL)
		what = fault;
	sum->scenarios++;
	sum->records += n;
	if (what != NULL && sum->different++ < 10)
		printf("# %s: %s\n", scenario.name, what);
	world_close(world);
}

int
main(int argc, char **argv)
{
	bool turned = argc > 1 && strcmp(argv[1], "--expect-differences") == 0;
	struct compared sum = {0};
	struct arena *mem = arena_new();
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		compare(mem, (struct str){line, (size_t)n}, &sum);
		arena_reset(mem);
	}
	free(line);
	arena_free(mem);
	printf("# %lu scenarios, %lu records, %lu differ\n", sum.scenarios, sum.records,
		sum.different);
	if (sum.scenarios == 0)
		return 2;
	return (sum.different > 0) != turned;
}
