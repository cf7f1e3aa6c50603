#include "traces.h"

#include "data/json.h"

/* Text stands for itself, all else with its name. */
static void
add_fact(struct buf *out, const struct value *body, const char *key)
{
	const struct value *v = value_get(body, key);

	if (v == NULL)
		return;
	buf_putc(out, ' ');
	if (v->kind == V_STRING)
		buf_add(out, v->str);
	else
		buf_printf(out, "%s=%s", key, json_text(out->mem, v, JSON_COMPACT));
}

static struct str
trace_with(struct arena *mem, const struct world *world, const char *const *keys)
{
	size_t n;
	const struct record *records = world_records(world, &n);
	struct buf out = buf_in(mem);

	for (size_t i = 0; i < n; i++) {
		struct value body;
		struct err err;
		if (records[i].kind == REC_RUN || records[i].kind == REC_OWN)
			continue;
		assert_ok(json_parse(mem, records[i].body, NULL, &body, &err));
		buf_printf(&out, "%s %s", kind_word(records[i].kind), records[i].path);
		for (size_t k = 0; keys[k] != NULL; k++)
			add_fact(&out, &body, keys[k]);
		buf_putc(&out, '\n');
	}
	return buf_str(&out);
}

struct str
trace_of(struct arena *mem, const struct world *world)
{
	static const char *const keys[] = {"what", "state", "how", "grade", "choice",
		"yes", "left", "doubt", "green", "nothing", "exit", "void", NULL};

	return trace_with(mem, world, keys);
}

struct str
trace_fates(struct arena *mem, const struct world *world)
{
	static const char *const keys[] = {"what", "state", "fate", "how", "adopted",
		"repeat", "choice", "doubt", "exit", "void", NULL};

	return trace_with(mem, world, keys);
}

const struct scenario *
scenario_of(struct arena *mem, const char *text, struct scenario *scenario)
{
	struct value from;
	struct err err;
	char *json = arena_strdup(mem, text);

	for (char *p = json; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	if (!json_parse(mem, str_of(json), NULL, &from, &err))
		fail_msg("%s", err.msg);
	scenario_read(mem, &from, scenario);
	return scenario;
}

struct world *
world_of(struct arena *mem, const char *text, const struct run_state *of)
{
	struct scenario *scenario = arena_new_of(mem, struct scenario);
	struct world *world = world_new(mem, scenario_of(mem, text, scenario));

	world_undoes(world, of);
	const char *fault = world_run(world);
	if (fault != NULL)
		fail_msg("%s", fault);
	return world;
}

void
expect(const char *text, const char *trace, int exit)
{
	struct arena *mem = arena_new();
	struct world *world = world_of(mem, text, NULL);

	assert_str(trace_of(mem, world), trace);
	assert_int_equal(world_exit(world), exit);
	world_close(world);
	arena_free(mem);
}

void
expect_late(const char *text, const char *trace)
{
	struct arena *mem = arena_new();
	struct scenario *scenario = arena_new_of(mem, struct scenario);
	struct world *world = world_new(mem, scenario_of(mem, text, scenario));

	world_has_inbox(world);
	assert_null(world_run(world));
	assert_str(trace_of(mem, world), trace);
	world_close(world);
	arena_free(mem);
}

void
expect_fates(const char *text, const char *trace)
{
	struct arena *mem = arena_new();
	struct scenario *scenario = arena_new_of(mem, struct scenario);
	struct world *world = world_new(mem, scenario_of(mem, text, scenario));

	world_has_inbox(world);
	assert_null(world_run(world));
	assert_str(trace_fates(mem, world), trace);
	world_close(world);
	arena_free(mem);
}
