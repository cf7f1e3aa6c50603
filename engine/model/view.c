/* What others read of a step: steps.x.status, outputs, measures, items, and their types.
 * Nothing is built before it is read. */
#include "model/load.h"

struct view {
	struct expr_type type, outputs, measures, item;
	const struct expr_type *items;
	struct info *info;
	bool maybe;
};

/* ---- outputs */

const struct expr_type *
recorded_type(struct arena *mem, const struct expr_type *type)
{
	if (type->dyn)
		return type;
	switch (type->kind) {
	case V_LIST:
		if (type->of == NULL)
			return type;
		if (type->of->kind == V_TIMESTAMP || type->of->kind == V_DURATION
			|| type->of->kind == V_BYTES)
			return expr_list_of(mem, &expr_string);
		return expr_list_of(mem, recorded_type(mem, type->of));
	case V_MAP:
		if (type->find == NULL && type->of != NULL && !type->of->dyn
			&& type->of->kind != V_LIST && type->of->kind != V_MAP
			&& type->of->kind != V_TIMESTAMP && type->of->kind != V_DURATION)
			return type;
		return &expr_map;
	case V_BYTES: return &expr_string;
	case V_OPTIONAL: case V_TYPE: return &expr_dyn;
	default: return type;
	}
}

static const struct named_expr *
named(const struct named_expr *list, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].expr != NULL && str_is(name, list[i].name))
			return &list[i];
	return NULL;
}

/* An answer to a question of `manual`. */
static const struct expr_type *
answer_type(const struct info *info, struct str name)
{
	const struct value *ask = info->node.type == NULL || info->in == NULL
		? NULL
		: value_get(info->in, "ask");
	const struct value *question =
		ask == NULL || ask->kind != V_MAP ? NULL : map_at(ask->map, name);
	struct str type =
		question == NULL ? (struct str){0} : value_get_str(question, "type");
	for (size_t i = 0; type.p != NULL && input_types[i] != NULL; i++)
		if (str_is(type, input_types[i])) {
			struct input input = {.type = input_types[i]};
			return input_type(&input);
		}
	return NULL;
}

static bool
find_output(const struct info *info, struct str name, struct expr_member *out)
{
	struct arena *mem = info->load->all->mem;
	const struct node *node = &info->node;
	const struct named_expr *given = named(node->outputs, node->n_outputs, name);
	if (node->kind == NODE_CHOOSE && node->n_branches > 0)
		given = named(
			node->branches[0].outputs, node->branches[0].n_outputs, name);
	if (node->kind == NODE_PLAYBOOK && node->called != NULL)
		given = named(node->called->outputs, node->called->n_outputs, name);
	if (given != NULL) {
		*out = (struct expr_member){
			.type = recorded_type(mem, expr_type_of(given->expr)),
			.secret = expr_is_secret(given->expr)};
		for (size_t i = 1; i < node->n_branches; i++) {
			const struct named_expr *other = named(node->branches[i].outputs,
				node->branches[i].n_outputs, name);
			if (other != NULL
				&& expr_type_of(other->expr)->kind != out->type->kind)
				out->type = &expr_dyn;
		}
		return true;
	}
	const struct field *row =
		node->type == NULL ? NULL : field_find(node->type->out, name);
	const struct expr_type *answer = row == NULL ? answer_type(info, name) : NULL;
	if (answer != NULL) {
		*out = (struct expr_member){.type = answer};
		return true;
	}
	if (row == NULL || !(row->flags & FIELD_OUTPUT))
		return false;
	struct expr_member member;
	struct err ignored;
	if (info->self == NULL || info->self->find == NULL
		|| !info->self->find(info->self, name, &member, &ignored))
		return false;
	*out = (struct expr_member){
		.type = recorded_type(mem, member.type), .secret = member.secret};
	return true;
}

static bool
outputs_find(const struct expr_type *type, struct str name, struct expr_member *out,
	struct err *why)
{
	const struct view *view = type->with;
	const struct node *node = &view->info->node;
	if (find_output(view->info, name, out)) {
		/* One that the author names is refused where it is named. */
		if (out->secret && node->kind == NODE_STEP && !view->info->is_check
			&& named(node->outputs, node->n_outputs, name) == NULL) {
			err_set(why, ERR_UNKNOWN_NAME,
				"the output '%.*s' of step '%s' is secret, and only a"
				" check may be read for one", STR_FMT(name), node->id);
			return err_hint(why, "it is on no record, and a change is not"
				" made again to learn it: ask for it by a check");
		}
		out->maybe = view->maybe;
		return true;
	}
	if (view->info->is_wrong) { /* what it would give is told where it is wrong */
		*out = (struct expr_member){.type = &expr_dyn};
		return true;
	}
	err_set(why, ERR_UNKNOWN_NAME, "step '%s' has no output '%.*s'", node->id,
		STR_FMT(name));
	if (node->type != NULL && field_find(node->type->out, name) != NULL)
		err_hint(why,
			"it is a result: name it, outputs: with a line %.*s: self.%.*s",
			STR_FMT(name), STR_FMT(name));
	return false;
}

static size_t
add_names(const char **list, const struct named_expr *outputs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		list[i] = outputs[i].name;
	return n;
}

static const char *const *
outputs_names(const struct expr_type *type, struct arena *mem)
{
	const struct view *view = type->with;
	const struct node *node = &view->info->node;
	size_t rows = 0, n = 0;
	while (node->type != NULL && field_at(node->type->out, rows) != NULL)
		rows++;
	size_t most = rows + node->n_outputs
		+ (node->n_branches > 0 ? node->branches[0].n_outputs : 0)
		+ (node->called != NULL ? node->called->n_outputs : 0);
	const char **list = arena_array(mem, const char *, most + 1);
	n += add_names(list + n, node->outputs, node->n_outputs);
	if (node->n_branches > 0)
		n += add_names(
			list + n, node->branches[0].outputs, node->branches[0].n_outputs);
	if (node->called != NULL)
		n += add_names(list + n, node->called->outputs, node->called->n_outputs);
	for (size_t i = 0; i < rows; i++)
		if (field_at(node->type->out, i)->flags & FIELD_OUTPUT)
			list[n++] = field_at(node->type->out, i)->name;
	return list;
}

static bool
measures_find(const struct expr_type *type, struct str name, struct expr_member *out,
	struct err *why)
{
	const struct view *view = type->with;
	const struct node *node = &view->info->node;
	const struct named_expr *given = named(node->measures, node->n_measures, name);
	if (given == NULL && !view->info->is_wrong)
		return err_set(why, ERR_UNKNOWN_NAME, "step '%s' has no measure '%.*s'",
			node->id, STR_FMT(name));
	*out = (struct expr_member){
		.type = given == NULL ? &expr_dyn : expr_type_of(given->expr),
		.maybe = view->maybe};
	return true;
}

/* ---- one step */

static bool
view_find(const struct expr_type *type, struct str name, struct expr_member *out,
	struct err *why)
{
	const struct view *view = type->with;
	bool looped = type == &view->type && view->info->node.each != NULL;
	if (str_is(name, "status")) {
		view->info->status_read = true;
		*out = (struct expr_member){.type = &expr_string};
	} else if (str_is(name, "started") || str_is(name, "ended")) {
		*out = (struct expr_member){
			.type = &expr_timestamp, .maybe = view->maybe};
	} else if (!looped && str_is(name, "outputs")) {
		*out = (struct expr_member){.type = &view->outputs};
	} else if (!looped && str_is(name, "measures")) {
		*out = (struct expr_member){.type = &view->measures};
	} else if (looped && str_is(name, "items")) {
		*out = (struct expr_member){.type = view->items, .maybe = view->maybe};
	} else {
		err_set(why, ERR_UNKNOWN_NAME, "a step has no '%.*s'", STR_FMT(name));
		if (looped)
			err_hint(why,
				"step '%s' has for_each: read steps.%s.items[i].%.*s",
				view->info->node.id, view->info->node.id, STR_FMT(name));
		return false;
	}
	return true;
}

static const char *const *
view_names(const struct expr_type *type, struct arena *mem)
{
	static const char *const plain[] = {
		"status", "started", "ended", "outputs", "measures", NULL};
	static const char *const looped[] = {"status", "started", "ended", "items", NULL};
	const struct view *view = type->with;
	(void)mem;
	return type == &view->type && view->info->node.each != NULL ? looped : plain;
}

static struct view *
view_of(struct info *info, bool maybe)
{
	struct view **place = &info->views[maybe];
	if (*place != NULL)
		return *place;
	struct view *view = *place = arena_new_of(info->load->all->mem, struct view);
	bool item_maybe = maybe
		|| (info->node.each != NULL && info->node.on_error == ON_ERROR_CONTINUE);
	struct view *inner = view;
	view->info = info;
	view->maybe = maybe;
	if (info->node.each != NULL) {
		inner = arena_new_of(info->load->all->mem, struct view);
		*inner = (struct view){.info = info, .maybe = item_maybe};
	}
	view->type = (struct expr_type){
		.kind = V_MAP, .find = view_find, .names = view_names, .with = view};
	inner->outputs = (struct expr_type){.kind = V_MAP,
		.find = outputs_find,
		.names = outputs_names,
		.with = inner};
	inner->measures =
		(struct expr_type){.kind = V_MAP, .find = measures_find, .with = inner};
	inner->item = (struct expr_type){
		.kind = V_MAP, .find = view_find, .names = view_names, .with = inner};
	view->items = expr_list_of(info->load->all->mem, &inner->item);
	return view;
}

const struct expr_type *
outputs_type(struct info *info, bool maybe)
{
	if (info->node.each == NULL)
		return &view_of(info, maybe)->outputs;
	const struct view *inner = view_of(info, maybe)->items->of->with;
	return &inner->outputs;
}

const struct expr_type *
view_type(struct info *info, bool maybe)
{
	return &view_of(info, maybe)->type;
}
