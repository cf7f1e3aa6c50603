/* What expressions are told about steps, a failure and a wait: read from the folded state
 * alone. */
#include "run/scope.h"

static const struct expr_type *
output_type(const struct node *node, struct str name, bool measures)
{
	const struct named_expr *list = measures ? node->measures : node->outputs;
	size_t n = measures ? node->n_measures : node->n_outputs;
	if (node->kind == NODE_PLAYBOOK && !measures) {
		list = node->called->outputs;
		n = node->called->n_outputs;
	} else if (node->kind == NODE_CHOOSE && !measures && node->n_branches > 0) {
		list = node->branches[0].outputs;
		n = node->branches[0].n_outputs;
	}
	for (size_t i = 0; i < n; i++)
		if (str_is(name, list[i].name))
			return expr_type_of(list[i].expr);
	return NULL;
}

static const struct expr_type *
field_type_of(const struct node *node, struct str name)
{
	const struct field *field =
		node->type == NULL ? NULL : field_find(node->type->out, name);
	if (field == NULL)
		return NULL;
	switch (field->type) {
	case FIELD_TIMESTAMP: return &expr_timestamp;
	case FIELD_DURATION: return &expr_duration;
	case FIELD_NUMBER: return &expr_double;
	default: return NULL;
	}
}

/* The recorded map with the types that its members had. */
static struct value
restored(struct arena *mem, const struct node *node, const struct value *map,
	bool measures)
{
	struct map_builder out = {.mem = mem};
	for (size_t i = 0; map != NULL && map->kind == V_MAP && i < map->map->n; i++) {
		const struct member *member = &map->map->members[i];
		const struct expr_type *type =
			output_type(node, member->key.str, measures);
		if (type == NULL && !measures)
			type = field_type_of(node, member->key.str);
		map_put_str(
			&out, member->key.str, typed_value(mem, &member->value, type));
	}
	return map_done(&out);
}

static void
put_secret(struct scope *scope, const struct path_state *state, const char *name,
	struct map_builder *out)
{
	const struct value *v = shell_secret(scope->shell, state->path, str_of(name));
	if (v != NULL)
		map_put(out, name, *v);
}

/* Outputs that no record holds, as far as this process has seen them. */
static struct value
with_secrets(struct scope *scope, const struct node *node, const struct path_state *state,
	struct value outputs)
{
	struct map_builder out = {.mem = scope->mem};
	for (size_t i = 0; i < outputs.map->n; i++)
		map_put_str(&out, outputs.map->members[i].key.str,
			outputs.map->members[i].value);
	for (size_t i = 0; i < node->n_outputs; i++)
		put_secret(scope, state, node->outputs[i].name, &out);
	const struct field *field;
	for (size_t i = 0; node->type != NULL &&
	     (field = field_at(node->type->out, i)) != NULL; i++)
		if (field->flags & FIELD_OUTPUT)
			put_secret(scope, state, field->name, &out);
	return map_done(&out);
}

static void
put_time(struct map_builder *map, const char *name, int64_t at)
{
	if (at > 0)
		map_put(map, name, value_time_us(at));
}

static struct value
one(struct scope *scope, const struct node *node, const struct path_state *state)
{
	struct map_builder map = {.mem = scope->mem};
	const struct run_state *run = &scope->shell->state;
	const char *status = state == NULL ? NULL : path_status(run, state);
	map_put(&map, "status",
		value_text(scope->mem, "%s", status == NULL ? "pending" : status));
	if (state == NULL) {
		map_put(&map, "outputs", value_map(scope->mem, NULL, 0));
		map_put(&map, "measures", value_map(scope->mem, NULL, 0));
		return map_done(&map);
	}
	put_time(&map, "started", state->started_at);
	put_time(&map, "ended", state->ended_at);
	map_put(&map, "outputs", with_secrets(scope, node, state,
		restored(scope->mem, node, state->outputs, false)));
	map_put(&map, "measures", restored(scope->mem, node, state->measures, true));
	return map_done(&map);
}

/* In a dry run a step that was not carried out has no results yet: they are unknown, and
 * the reader learns why. */
static bool
is_open_in_dry_run(const struct scope *scope, const struct path_state *state)
{
	return scope->shell->state.mode == MODE_DRY && state != NULL
		&& state->outputs == NULL
		&& (state->grade == GRADE_PREDICTED || state->grade == GRADE_ASSUMED
			|| state->grade == GRADE_UNKNOWN);
}

static struct value
unknown_step(struct scope *scope, const char *path, const struct path_state *state)
{
	struct map_builder map = {.mem = scope->mem};
	struct value why = value_unknown(str_of(arena_printf(scope->mem,
		"only a real run of '%s' can give it", path)));
	const char *status = path_status(&scope->shell->state, state);
	map_put(&map, "status",
		value_text(scope->mem, "%s", status == NULL ? "pending" : status));
	map_put(&map, "started", why);
	map_put(&map, "ended", why);
	map_put(&map, "outputs", why);
	map_put(&map, "measures", why);
	map_put(&map, "items", why);
	return map_done(&map);
}

struct value
step_value(struct scope *scope, const struct node *node, const char *path)
{
	const struct run_state *run = &scope->shell->state;
	const struct path_state *state = shell_path(scope->shell, path);
	if (is_open_in_dry_run(scope, state))
		return unknown_step(scope, path, state);
	if (node->each == NULL)
		return one(scope, node, state);
	struct map_builder map = {.mem = scope->mem};
	struct list_builder items = {.mem = scope->mem};
	const char *status = state == NULL ? NULL : path_status(run, state);
	size_t n = state != NULL && state->each != NULL && state->each->kind == V_LIST
		? state->each->list.n
		: 0;
	bool done = status != NULL && strcmp(status, "done") == 0;
	for (size_t i = 0; i < n && done; i++)
		list_push(&items,
			one(scope, node,
				shell_path(scope->shell,
					arena_printf(scope->mem, "%s[%zu]", path, i))));
	map_put(&map, "status",
		value_text(scope->mem, "%s", status == NULL ? "pending" : status));
	put_time(&map, "started", state == NULL ? 0 : state->started_at);
	put_time(&map, "ended", state == NULL ? 0 : state->ended_at);
	map_put(&map, "items", list_done(&items));
	return map_done(&map);
}

const struct value *
undone_value(struct scope *scope)
{
	const struct node *node = scope->node;
	const struct path_state *state;
	size_t end = strlen(scope->path);
	while (end > 0 && !str_starts(str_of(scope->path + end), STR("/undo/")))
		end--;
	state = end == 0
		? NULL
		: shell_path(scope->shell, arena_strndup(scope->mem, scope->path, end));
	if (state == NULL || node->parent == NULL)
		return NULL;
	struct value *out = arena_new_of(scope->mem, struct value);
	*out = restored(scope->mem, node->parent, state->outputs, false);
	return out;
}

struct value
failure_value(struct scope *scope)
{
	const struct run_state *run = &scope->shell->state;
	const struct path_state *first = run->first_failure;
	/* of a gate that was let pass, nothing has come */
	if (first != NULL && first->state == OUT_SKIPPED)
		first = NULL;
	struct map_builder map = {.mem = scope->mem};
	struct list_builder all = {.mem = scope->mem};
	for (const struct path_state *it = run->first; it != NULL; it = it->next) {
		if ((it->state != OUT_FAILED && it->state != OUT_DOUBT)
			|| it->error == NULL || path_is_handler(it->path))
			continue;
		struct map_builder each = {.mem = scope->mem};
		map_put(&each, "step", value_text(scope->mem, "%s", it->path));
		map_put(&each, "message", value_text(scope->mem, "%s", it->error));
		list_push(&all, map_done(&each));
		if (first == NULL)
			first = it;
	}
	map_put(&map, "kind", value_text(scope->mem, "%s", ending_word(run->ending)));
	map_put(&map, "step",
		value_text(scope->mem, "%s", first == NULL ? "" : first->path));
	map_put(&map, "message",
		value_text(scope->mem, "%s",
			first == NULL || first->error == NULL
				? (run->halt_reason == NULL ? "" : run->halt_reason)
				: first->error));
	map_put(&map, "all", list_done(&all));
	return map_done(&map);
}

/* The question in the name of the list: on_waiting[12]/call. */
static const struct path_state *
waits_for(const struct scope *scope)
{
	int64_t seq = 0;
	struct str number, rest;
	const char *list = strstr(scope->path, "on_waiting[");
	if (list == NULL)
		return NULL;
	str_cut(str_of(list), '[', &number);
	if (!str_int(str_cut(number, ']', &rest), &seq))
		return NULL;
	for (const struct path_state *it = scope->shell->state.first; it != NULL;
		it = it->next)
		if ((int64_t)it->ask == seq
			|| (it->state == OUT_DOUBT && (int64_t)it->ended_seq == seq))
			return it;
	return NULL;
}

struct value
waiting_value(struct scope *scope)
{
	const struct path_state *it = waits_for(scope);
	struct map_builder map = {.mem = scope->mem};
	const char *text = it == NULL ? "" : it->question != NULL ? it->question :
		it->error != NULL ? it->error : "";
	const char *kind = "error";
	if (it != NULL && it->state == OUT_DOUBT)
		kind = "doubt";
	else if (it != NULL && it->what == ASK_CHANGE) {
		const struct node *node = shell_node(scope->shell, it->path);
		kind = node != NULL && node->type != NULL
				&& strcmp(node->type->name, "manual") == 0
			? "manual"
			: "confirm";
	}
	map_put(&map, "kind", value_text(scope->mem, "%s", kind));
	map_put(&map, "step", value_text(scope->mem, "%s", it == NULL ? "" : it->path));
	map_put(&map, "text", value_text(scope->mem, "%s", text));
	map_put(&map, "since", value_time_us(it == NULL ? scope->now : it->asked_at));
	return map_done(&map);
}
