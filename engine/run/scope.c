#include "run/scope.h"

#include <stdio.h>

/* ---- the playbooks of a run */

static struct value
objectives_of(const struct playbook *book, struct arena *mem)
{
	struct map_builder map = {.mem = mem};
	for (size_t i = 0; i < book->n_objectives; i++) {
		const struct objective *it = &book->objectives[i];
		map_put(&map, it->name,
			it->is_duration ? value_duration_ns(it->ns)
					: value_double(it->number));
	}
	return map_done(&map);
}

/* The step that calls the playbook in whose file something at `path` stands. */
static const struct node *
call_of(const struct playbook *root, const struct playbook *book, const char *path)
{
	if (book == root)
		return NULL;
	struct arena *mem = arena_new();
	const struct node *found = NULL;
	struct buf plain = buf_in(mem);
	for (const char *p = path;; p++) {
		if (*p == '\0' || *p == '/') {
			const struct node *node = playbook_node(root, buf_str(&plain));
			if (node != NULL && node->kind == NODE_PLAYBOOK
				&& node->called == book)
				found = node;
		}
		if (*p == '\0')
			break;
		if (*p == '[')
			p += strcspn(p, "]");
		else
			buf_putc(&plain, *p);
	}
	arena_free(mem);
	return found;
}

/* The part of `path` that is the path of `call`: the longest beginning whose last part
 * has its id. */
static const char *
path_of_call(struct arena *mem, const char *path, const struct node *call)
{
	size_t end = 0, from = 0, length = strlen(call->id);
	for (size_t i = 0;; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		if (strncmp(path + from, call->id, length) == 0 &&
		    (from + length == i || path[from + length] == '['))
			end = i;
		if (path[i] == '\0')
			break;
		from = i + 1;
	}
	return arena_strndup(mem, path, end);
}

struct frame *
frame_of(struct shell *shell, const struct playbook *book, const char *path)
{
	const struct node *call = call_of(shell->book, book, path);
	const char *at = call == NULL ? "" : path_of_call(shell->mem, path, call);
	for (struct frame *frame = shell->frames; frame != NULL; frame = frame->next)
		if (frame->book == book && strcmp(frame->path, at) == 0)
			return frame;
	struct frame *frame = arena_new_of(shell->mem, struct frame);
	*frame = (struct frame){
		.next = shell->frames, .book = book, .path = at, .call = call};
	frame->objectives = objectives_of(book, shell->mem);
	shell->frames = frame;
	return frame;
}

void
frame_set(struct frame *frame, const struct value *inputs, const struct value *vars)
{
	if (inputs != NULL)
		frame->inputs = *inputs;
	if (vars != NULL)
		frame->vars = *vars;
	frame->has_inputs = frame->has_inputs || inputs != NULL;
	frame->has_vars = frame->has_vars || vars != NULL;
}

/* The inputs of a called playbook come from recorded roots, with `now` as it was when the
 * step began: so a resume finds the same. */
static bool
called_inputs(struct shell *shell, struct frame *frame, struct err *err)
{
	const struct path_state *state = state_find(&shell->state, frame->path);
	int64_t began = state != NULL && state->started_at > 0 ? state->started_at
							       : shell_time(shell);
	struct scope scope;
	struct value given, out;
	struct diags diags = {.mem = shell->mem};
	scope_init(&scope, shell, frame->call, frame->path, shell->mem, began);
	if (!scope_fill(&scope, frame->call->call_inputs, &given, err))
		return false;
	size_t n = given.kind == V_MAP ? given.map->n : 0;
	struct input_given *list = arena_array(shell->mem, struct input_given, n + 1);
	for (size_t i = 0; i < n; i++)
		list[i] = (struct input_given){
			.name = str_cstr(shell->mem, given.map->members[i].key.str),
			.value = &given.map->members[i].value};
	struct scope inner;
	scope_book(&inner, shell, frame->book, frame->path, shell->mem, began);
	if (!inputs_apply(
		    frame->book, list, n, &inner.expr, began, shell->mem, &out, &diags)) {
		*err = diags.first->err;
		return false;
	}
	frame_set(frame, &out, NULL);
	return true;
}

bool
frame_vars(struct shell *shell, struct frame *frame, struct arena *mem, struct value *out,
	struct err *err)
{
	const struct path_state *state = state_find(&shell->state, frame->path);
	int64_t began = state != NULL && state->started_at > 0 ? state->started_at
							       : shell_time(shell);
	struct map_builder map = {.mem = mem};
	frame->has_vars = true;
	for (size_t i = 0; i < frame->book->n_vars; i++) {
		struct scope scope;
		struct value v;
		frame->vars = map_done(&map);                 /* those above it */
		scope_book(&scope, shell, frame->book, frame->path, mem, began);
		if (!scope_fill(&scope, frame->book->vars[i].value, &v, err)) {
			frame->has_vars = false;
			return false;
		}
		map_put(&map, frame->book->vars[i].name, v);
	}
	*out = map_done(&map);
	frame->vars = *out;
	return true;
}

static struct value
secrets_of(struct shell *shell, const struct playbook *book)
{
	struct map_builder map = {.mem = shell->mem};
	for (const struct fetched *it = shell->secrets; it != NULL; it = it->next)
		if (it->book == book && it->secret != NULL) {
			struct value v = value_str(secret_reveal(it->secret));
			v.flags |= VALUE_SECRET;
			map_put(&map, it->ref->name, v);
		}
	return map_done(&map);
}

/* ---- roots */

static const char *
mode_name(enum mode mode)
{
	return mode == MODE_DRY ? "dry_run" : mode == MODE_DRILL ? "drill" : "run";
}

static struct value
run_root(const struct scope *scope)
{
	const struct shell *shell = scope->shell;
	const struct self *self = shell->host->type->self(shell->host);
	int64_t started =
		shell->state.started_at > 0 ? shell->state.started_at : scope->now;
	struct map_builder map = {.mem = scope->mem};
	map_put(&map, "id", value_str(shell->state.id));
	map_put(&map, "name", value_text(scope->mem, "%s", shell->book->name));
	map_put(&map, "started", value_time_us(started));
	map_put(&map, "elapsed",
		value_duration_ns((scope->now - started) / 1000000 * NS_S));
	map_put(&map, "mode", value_text(scope->mem, "%s", mode_name(shell->state.mode)));
	const struct value *by = value_get(shell->state.run, "by");
	struct str user = value_get_str(by, "user");
	map_put(&map, "operator", value_str(user.p != NULL ? user : str_of(self->user)));
	map_put(&map, "host", value_text(scope->mem, "%s", self->host));
	return map_done(&map);
}

static struct value
step_root(const struct scope *scope)
{
	struct map_builder map = {.mem = scope->mem};
	const struct path_state *state = state_find(&scope->shell->state, scope->path);
	map_put(&map, "id",
		value_text(scope->mem, "%s", scope->node == NULL ? "" : scope->node->id));
	if (state != NULL)
		map_put(&map, "key", value_text(scope->mem, "%s",
			path_key(scope->mem, &scope->shell->state, state)));
	return map_done(&map);
}

static bool
item_index(const char *path, size_t *loop, int64_t *index)
{
	size_t n = strlen(path);
	if (n == 0 || path[n - 1] != ']')
		return false;
	size_t from = n - 1;
	while (from > 0 && path[from] != '[')
		from--;
	*loop = from;
	return str_int((struct str){path + from + 1, n - from - 2}, index);
}

/* The loop around the scope whose item has that name; with name NULL the innermost one:
 * its index. */
static bool
loop_root(const struct scope *scope, const char *name, struct value *out)
{
	for (const struct node *node = scope->node; node != NULL; node = node->parent) {
		if (node->each == NULL
			|| (name != NULL && strcmp(node->each->as, name) != 0))
			continue;
		const char *path =
			path_around(scope->mem, scope->node, scope->path, node);
		size_t loop;
		int64_t index;
		if (!item_index(path, &loop, &index))
			continue;
		const char *of = arena_strndup(scope->mem, path, loop);
			const struct path_state *state = shell_path(scope->shell, of);
		const struct value *each = state == NULL ? NULL : state->each;
		*out = value_int(index);
		if (name == NULL)
			return true;
		if (each == NULL || each->kind != V_LIST || (size_t)index >= each->list.n)
			continue;
		*out = each->list.items[index];
		return true;
	}
	return false;
}

/* `steps`: made member by member, for a run may have very many. */
struct steps_map {
	struct map map;                               /* first */
	struct scope *scope;
};

/* Every node by file and id: a long page reads its steps without going through all of it
 * each time. */
struct ids {
	const struct node **places;
	size_t mask;
};

static size_t
place_of(const struct ids *ids, const struct playbook *book, struct str id)
{
	size_t at = (str_hash(id) ^ (uintptr_t)book >> 4) & ids->mask;
	while (ids->places[at] != NULL
		&& (ids->places[at]->book != book || !str_is(id, ids->places[at]->id)))
		at = (at + 1) & ids->mask;
	return at;
}

static struct ids *
ids_of(struct shell *shell)
{
	const struct playbook *root = shell->book;
	if (shell->ids != NULL)
		return shell->ids;
	struct ids *ids = shell->ids = arena_new_of(shell->mem, struct ids);
	for (ids->mask = 15; ids->mask < 2 * root->n_nodes; ids->mask = 2 * ids->mask + 1)
		;
	ids->places = arena_array(shell->mem, const struct node *, ids->mask + 1);
	for (size_t i = 0; i < root->n_nodes; i++)
		if (root->nodes[i]->id != NULL)
			ids->places[place_of(ids, root->nodes[i]->book,
				str_of(root->nodes[i]->id))] = root->nodes[i];
	return ids;
}

const struct node *
scope_node(struct shell *shell, const struct playbook *book, struct str id)
{
	const struct ids *ids = ids_of(shell);
	return ids->places[place_of(ids, book, id)];
}

static bool
steps_find(const struct map *map, struct str key, struct value *out)
{
	struct scope *scope = ((const struct steps_map *)map)->scope;
	const struct node *node = scope_node(scope->shell, scope->frame->book, key);
	if (node == NULL)
		return false;
	const char *path;
	if (scope->node != NULL)
		path = path_towards(scope->mem, scope->node, scope->path, node);
	else if (*scope->frame->path != '\0')
		path = path_towards(
			scope->mem, scope->frame->call, scope->frame->path, node);
	else
		path = path_towards(scope->mem, NULL, "", node);
	*out = step_value(scope, node, path);
	return true;
}

static struct value
steps_root(struct scope *scope)
{
	struct steps_map *steps = arena_new_of(scope->mem, struct steps_map);
	steps->map.find = steps_find;
	steps->scope = scope;
	return (struct value){.kind = V_MAP, .map = &steps->map};
}

/* `outputs`: evaluated when it is first read. */
struct outputs_map {
	struct map map;                               /* first */
	struct scope *scope;
};

static bool
outputs_find(const struct map *map, struct str key, struct value *out)
{
	struct scope *scope = ((const struct outputs_map *)map)->scope;
	for (size_t i = 0; i < scope->n_outputs; i++) {
		if (!str_is(key, scope->outputs[i].name))
			continue;
		if (scope->evaluated[i] == NULL) {
			struct value *v = arena_new_of(scope->mem, struct value);
			if (scope->busy[i])
				return false;                 /* it asks for itself */
			scope->busy[i] = true;
			bool good = scope_eval(
				scope, scope->outputs[i].expr, v, &scope->inner);
			scope->busy[i] = false;
			if (!good)
				return false;
			scope->evaluated[i] = v;
		}
		*out = *scope->evaluated[i];
		return true;
	}
	const struct field *field =
		scope->out_fields == NULL ? NULL : field_find(scope->out_fields, key);
	const struct value *got = field == NULL || !(field->flags & FIELD_OUTPUT)
			|| scope->self == NULL || scope->self->kind != V_MAP
		? NULL
		: map_at(scope->self->map, key);
	if (got != NULL)
		*out = *got;
	return got != NULL;
}

static struct value
outputs_root(struct scope *scope)
{
	struct outputs_map *outputs = arena_new_of(scope->mem, struct outputs_map);
	outputs->map.find = outputs_find;
	outputs->scope = scope;
	return (struct value){.kind = V_MAP, .map = &outputs->map};
}

static bool
book_root(
	struct scope *scope, int number, struct value *out, bool *known, struct err *err)
{
	struct shell *shell = scope->shell;
	struct frame *frame = scope->frame;
	const struct scope_names *names = scope->names;
	*known = true;
	if (number == names->inputs) {
		if (!frame->has_inputs && frame->call != NULL
			&& !called_inputs(shell, frame, err))
			return false;
		*out = frame->has_inputs ? frame->inputs : value_map(scope->mem, NULL, 0);
	} else if (number == names->vars) {
		struct value vars;
		if (!frame->has_vars && !frame_vars(shell, frame, shell->mem, &vars, err))
			return false;
		*out = frame->vars;
	} else if (number == names->objectives) {
		*out = frame->objectives;
	} else if (number == names->secrets) {
		*out = secrets_of(shell, frame->book);
	} else {
		*known = false;
	}
	return true;
}

static bool
root(const struct expr_scope *expr, size_t place, struct value *out, struct err *err)
{
	struct scope *scope = (struct scope *)expr;
	const struct scope_names *names = scope->names;
	int number = (int)place;
	bool known, good = book_root(scope, number, out, &known, err);
	if (!good || known)
		return good;
	if (number == names->now)
		*out = value_time_us(scope->now);
	else if (number == names->run)
		*out = run_root(scope);
	else if (number == names->steps)
		*out = scope->shell->no_steps
			? value_unknown(STR("a step that was not carried out yet"))
			: steps_root(scope);
	else if (number == names->step)
		*out = step_root(scope);
	else if (number == names->self && scope->self != NULL)
		*out = *scope->self;
	else if (number == names->outputs)
		*out = outputs_root(scope);
	else if (number == names->failure)
		*out = failure_value(scope);
	else if (number == names->waiting)
		*out = waiting_value(scope);
	else if (!loop_root(scope,
			 number == names->index ? NULL : names->env.roots[number].name,
			 out))
		return err_set(err, ERR_UNKNOWN_NAME, "'%s' is not to be had here",
			names->env.roots[number].name);
	return true;
}

static void
init(struct scope *scope, struct shell *shell, struct arena *mem, int64_t now)
{
	*scope = (struct scope){.shell = shell, .mem = mem, .now = now};
	scope->expr.root = root;
}

void
scope_init(struct scope *scope, struct shell *shell, const struct node *node,
	const char *path, struct arena *mem, int64_t now)
{
	init(scope, shell, mem, now);
	scope->node = node;
	scope->path = path;
	scope->names = node->names;
	scope->frame = frame_of(shell, node->book, path);
	if (path_is_undo(path))
		scope->self = undone_value(scope);
}

void
scope_book(struct scope *scope, struct shell *shell, const struct playbook *book,
	const char *path, struct arena *mem, int64_t now)
{
	init(scope, shell, mem, now);
	scope->path = path;
	scope->names = book->names;
	scope->frame = frame_of(shell, book, path);
}

void
scope_answer(struct scope *scope, const struct node *node, const struct value *self)
{
	scope->self = self;
	scope->outputs = node->outputs;
	scope->n_outputs = node->n_outputs;
	scope->out_fields = node->type == NULL ? NULL : node->type->out;
	scope->evaluated =
		arena_array(scope->mem, const struct value *, node->n_outputs + 1);
	scope->busy = arena_array(scope->mem, bool, node->n_outputs + 1);
}

/* An output that could not be had looks like one that is not there: what went wrong
 * inside is the better answer. */
bool
scope_eval(
	struct scope *scope, const struct expr *expr, struct value *out, struct err *err)
{
	scope->inner = (struct err){0};
	if (expr_eval(expr, &scope->expr, scope->mem, out, err))
		return true;
	if (scope->inner.code != ERR_NONE && err != &scope->inner)
		*err = scope->inner;
	return false;
}

bool
scope_fill(struct scope *scope, const struct template *template, struct value *out,
	struct err *err)
{
	if (template == NULL) {
		*out = value_map(scope->mem, NULL, 0);
		return true;
	}
	return template_eval(template, &scope->expr, scope->mem, out, err);
}
