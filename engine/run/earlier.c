#include "run/run.h"

#include "data/json.h"
#include "run/blobs.h"

/* Runs that are in the store already: their state, and what an input of type run holds of
 * one. */

struct folding {
	struct run_state *state;
	struct err *err;
	bool good;
};

static bool
fold_one(const struct record *record, void *with)
{
	struct folding *folding = with;
	folding->good = run_apply(folding->state, record, folding->err);
	return folding->good;
}

bool
run_fold(struct store *store, const char *run, struct arena *mem, struct run_state *state,
	struct err *err)
{
	struct folding folding = {.state = state, .err = err, .good = true};
	state_init(state, mem);
	state->id = str_of(arena_strdup(mem, run));
	state->store = str_of(arena_strdup(mem, store_uuid(store)));
	struct blob_source *blobs = arena_new_of(mem, struct blob_source);
	*blobs = blobs_stored(store);
	state->blobs = blobs;
	if (!store_read(store, run, 1, fold_one, &folding, err))
		return false;
	if (folding.good && state->seq == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no run '%s'", run);
	return folding.good;
}

bool
run_fold_on(struct store *store, const char *run, struct run_state *state, struct err *err)
{
	struct folding folding = {.state = state, .err = err, .good = true};
	return store_read(store, run, state->seq + 1, fold_one, &folding, err)
		&& folding.good;
}

static struct value
member_of(const struct value *map, const char *name, struct arena *mem)
{
	const struct value *v = value_get(map, name);
	return v == NULL ? value_map(mem, NULL, 0) : *v;
}

static const char *
status_of(const struct run_state *state)
{
	return state->end == END_NONE  ? "running"
		: state->end == END_OK ? "done"
				       : ending_word(state->end);
}

static struct value
steps_of(const struct run_state *state, struct arena *mem)
{
	struct map_builder steps = {.mem = mem};
	for (const struct path_state *it = state->first; it != NULL; it = it->next) {
		const char *status = path_status(state, it);
		if (*it->path == '\0' || it->state == OUT_NONE)
			continue;
		struct map_builder step = {.mem = mem};
		map_put(&step, "status",
			value_text(mem, "%s", status == NULL ? "pending" : status));
		map_put(&step, "outputs",
			it->outputs == NULL ? value_map(mem, NULL, 0) : *it->outputs);
		map_put(&step, "measures",
			it->measures == NULL ? value_map(mem, NULL, 0) : *it->measures);
		const char *slash = strrchr(it->path, '/');
		map_put_str(&steps, str_of(it->path), map_done(&step));
		/* An id is unique in its file: a step of a group is found by it as well.
		 */
		if (slash != NULL && strchr(it->path, '[') == NULL)
			map_put_str(&steps, str_of(slash + 1), map_done(&step));
	}
	return map_done(&steps);
}

static bool
find_last(struct store *store, const char *of, bool drill, struct arena *mem,
	const char **run, struct err *err)
{
	const struct run_line *lines;
	size_t n;
	if (!store_list(store, mem, &lines, &n, err))
		return false;
	for (size_t i = n; i > 0; i--) {
		const struct run_line *line = &lines[i - 1];
		if (strcmp(line->playbook, of) == 0 && strcmp(line->state, "ok") == 0 &&
		    strcmp(line->mode, drill ? "drill" : "run") == 0) {
			*run = line->run;
			return true;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "no %s of '%s' has ended as done",
		drill ? "drill" : "run", of);
}

bool
run_former(struct store *store, const char *of, bool drill, struct arena *mem,
	struct run_state *state, struct err *err)
{
	const char *run;
	return find_last(store, of, drill, mem, &run, err)
		&& run_fold(store, run, mem, state, err);
}

bool
run_earlier(struct store *store, struct str text, const char *of, bool drill,
	struct arena *mem, struct value *out, struct err *err)
{
	const char *run = NULL;
	struct run_state state;
	if (str_is(text, "last") ? !find_last(store, of, drill, mem, &run, err)
				 : !store_find(store, text, mem, &run, err))
		return false;
	if (!run_fold(store, run, mem, &state, err))
		return false;
	struct str name = value_get_str(state.run, "name");
	if (!str_is(name, of))
		return err_set(err, ERR_VALUE, "%s is a run of '%.*s', not of '%s'", run,
			STR_FMT(name), of);
	struct map_builder map = {.mem = mem};
	map_put(&map, "id", value_text(mem, "%s", run));
	map_put(&map, "status", value_text(mem, "%s", status_of(&state)));
	map_put(&map, "started", value_time_us(state.started_at));
	if (state.ended_at > 0)
		map_put(&map, "ended", value_time_us(state.ended_at));
	map_put(&map, "inputs", member_of(state.run, "inputs", mem));
	map_put(&map, "outputs", member_of(state.end_body, "outputs", mem));
	map_put(&map, "measures", member_of(state.end_body, "measures", mem));
	map_put(&map, "steps", steps_of(&state, mem));
	*out = map_done(&map);
	state_close(&state);
	return true;
}
