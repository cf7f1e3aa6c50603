/* Pass 4, one step: its keys in the order in which they may read each other. */
#include "model/load.h"

void
list_understand(struct book_load *b, struct node *const *nodes, size_t n)
{
	(void)b;
	for (size_t i = 0; i < n; i++)
		step_understand(info_of(nodes[i]));
}

const struct value *
key_raw(const struct info *info, const char *name)
{
	return map_at(info->map->map, str_of(name));
}

struct mark
key_mark(const struct info *info, const char *name)
{
	for (size_t i = 0; i < info->map->map->n; i++)
		if (str_is(info->map->map->members[i].key.str, name))
			return value_mark(&info->map->map->members[i].key);
	return info->node.at;
}

const struct value *
key_judged(struct info *info, const char *name)
{
	const struct value *v = key_raw(info, name);
	struct loading *all = info->load->all;
	if (v == NULL)
		return NULL;
	struct field_use use = {.folder = info->load->file->folder,
		.mem = all->mem,
		.diags = info->load->diags};
	struct value *out = arena_new_of(all->mem, struct value);
	if (field_judge(&use, &step_key_find(str_of(name))->row, v, out))
		return out;
	info->is_wrong = true;
	return NULL;
}

/* ---- first what others ask of a step: whether it may be absent, and its items */

static void
read_on_error(struct info *info)
{
	static const char *const words[] = {"", "stop", "continue", "undo", "ask"};
	const struct value *v = key_judged(info, "on_error");
	for (enum on_error e = ON_ERROR_STOP; v != NULL && e <= ON_ERROR_ASK; e++)
		if (str_is(v->str, words[e]))
			info->node.on_error = e;
}

static void
read_when(struct info *info)
{
	const struct value *when = key_raw(info, "when");
	struct scope scope;
	if (when == NULL)
		return;
	scope_of(&scope, info, 0, -1);
	info->guards = guards_read(&scope, when);
	info->node.when = condition_read(&scope, "when", info->map, when);
}

static void
read_type(struct info *info)
{
	static const enum effect classes[] = {PURE, IDEMPOTENT, ONCE, REPEATABLE};
	const struct value *effect = key_judged(info, "effect");
	static const char *const words[] = {"pure", "idempotent", "once", "repeatable"};
	for (size_t i = 0; effect != NULL && i < 4; i++)
		if (str_is(effect->str, words[i]))
			info->node.effect = (int)classes[i];
	if (info->node.kind == NODE_STEP)
		args_understand(info);
	else if (info->node.kind == NODE_PLAYBOOK)
		call_understand(info);
	info->node.class = class_of(info, info->in);
	info->is_check = info->node.class == PURE && info->node.kind != NODE_BLOCK
		&& info->node.kind != NODE_PARALLEL && info->node.kind != NODE_CHOOSE;
}

static void
read_probe(struct info *info)
{
	const struct value *v = key_raw(info, "probe");
	const struct step_type *type = info->node.type;
	if (type != NULL && type->looks_if != NULL && info->in != NULL
		&& !info->is_check)
		info->node.probe_looks = type->looks_if(info->in);
	if (info->node.probe != NULL) {
		step_understand(info_of(info->node.probe));
		info_of(info->node.probe)->status_read = true;
		info->node.probe_looks = true;
	} else if (v != NULL && v->kind != V_MAP) {
		err_hint(diag_error(info->load->diags, value_mark(v),
				 "'probe' takes a map, not %s", kind_name(v->kind)),
			"a check type with its arguments, and done: EXPRESSION");
	}
}

static void
read_undo(struct info *info)
{
	const struct value *v = key_raw(info, "undo");
	struct node *node = &info->node;
	bool can = node->kind == NODE_PLAYBOOK
		|| (node->type != NULL
			&& (node->type->can_undo || node->type->undo != NULL));
	node->undo = can && !info->is_check ? UNDO_AUTO : UNDO_NONE;
	node->undo_written = v != NULL;
	if (v == NULL)
		return;
	if (v->kind == V_LIST) {
		node->undo = UNDO_STEPS;
		list_understand(info->load, node->undo_steps, node->n_undo_steps);
	} else if (v->kind == V_STRING && str_is(v->str, "none")) {
		node->undo = UNDO_NONE;
	} else if (v->kind != V_STRING || !str_is(v->str, "auto")) {
		err_hint(diag_error(info->load->diags, value_mark(v),
				 "'undo' cannot be %s",
				 value_short(info->load->all->scratch, v, 40)),
			"auto, none, or a list of steps");
	} else if (!can) {
		err_hint(diag_error(info->load->diags, value_mark(v),
				 "%s cannot undo itself",
				 node->type == NULL ? "this step" : node->type->name),
			"write undo as a list of steps, or none");
	}
}

/* What a probe finds stands for what the step would have given. */
static void
judge_probe_outputs(struct info *info)
{
	const struct node *node = &info->node, *probe = info->node.probe;
	if (probe == NULL || info->is_wrong || info_of(probe)->is_wrong)
		return;
	for (size_t i = 0; i < node->n_outputs; i++) {
		bool found = false;
		for (size_t j = 0; j < probe->n_outputs; j++)
			found |= strcmp(node->outputs[i].name, probe->outputs[j].name)
				== 0;
		if (!found)
			err_hint(diag_error(info->load->diags, probe->at,
					 "this probe does not give the output '%s' of "
					 "the step",
					 node->outputs[i].name),
				"outputs: with a line %s: EXPRESSION",
				node->outputs[i].name);
	}
}

void
step_understand(struct info *info)
{
	read_on_error(info);
	read_when(info);
	each_understand(info);
	info->node.names = names_of(info);
	info->in_items = info->node.each != NULL;
	read_type(info);
	keys_judge(info);
	keys_read(info);
	list_understand(info->load, info->node.preconditions, info->node.n_preconditions);
	group_understand(info);
	read_probe(info);
	answer_read(info);
	judge_probe_outputs(info);
	list_understand(info->load, info->node.finally, info->node.n_finally);
	read_undo(info);
}
