/* Which steps may be read from where: those that have surely ended before the reader. A step that may have been skipped,
 * or may have failed and been passed over, may be absent; its members are then read by .? only, unless a `when` around
 * the reader says that it is done. Nothing is built before it is read, so a long list costs nothing. */
#include "model/load.h"

struct refs {
	struct expr_type type;                        /* of the root `steps` */
	struct book_load *load;
	struct info *reader;                          /* NULL: the playbook itself, after its end */
	unsigned flags;
	int branch;
};

/* What others read of a step. */
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
		if (type->of->kind == V_TIMESTAMP || type->of->kind == V_DURATION || type->of->kind == V_BYTES)
			return expr_list_of(mem, &expr_string);
		return expr_list_of(mem, recorded_type(mem, type->of));
	case V_MAP:
		if (type->find == NULL && type->of != NULL && !type->of->dyn && type->of->kind != V_LIST
			&& type->of->kind != V_MAP && type->of->kind != V_TIMESTAMP && type->of->kind != V_DURATION)
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
	const struct value *ask = info->node.type == NULL || info->in == NULL ? NULL : value_get(info->in, "ask");
	const struct value *question = ask == NULL || ask->kind != V_MAP ? NULL : map_at(ask->map, name);
	struct str type = question == NULL ? (struct str){0} : value_get_str(question, "type");
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
		given = named(node->branches[0].outputs, node->branches[0].n_outputs, name);
	if (node->kind == NODE_PLAYBOOK && node->called != NULL)
		given = named(node->called->outputs, node->called->n_outputs, name);
	if (given != NULL) {
		*out = (struct expr_member){.type = recorded_type(mem, expr_type_of(given->expr)),
			.secret = expr_is_secret(given->expr)};
		for (size_t i = 1; i < node->n_branches; i++) {
			const struct named_expr *other = named(node->branches[i].outputs,
				node->branches[i].n_outputs, name);
			if (other != NULL && expr_type_of(other->expr)->kind != out->type->kind)
				out->type = &expr_dyn;
		}
		return true;
	}
	const struct field *row = node->type == NULL ? NULL : field_find(node->type->out, name);
	const struct expr_type *answer = row == NULL ? answer_type(info, name) : NULL;
	if (answer != NULL) {
		*out = (struct expr_member){.type = answer};
		return true;
	}
	if (row == NULL || !(row->flags & FIELD_OUTPUT))
		return false;
	struct expr_member member;
	struct err ignored;
	if (info->self == NULL || info->self->find == NULL || !info->self->find(info->self, name, &member, &ignored))
		return false;
	*out = (struct expr_member){.type = recorded_type(mem, member.type), .secret = member.secret};
	return true;
}

static bool
outputs_find(const struct expr_type *type, struct str name, struct expr_member *out, struct err *why)
{
	const struct view *view = type->with;
	const struct node *node = &view->info->node;
	if (find_output(view->info, name, out)) {
		out->maybe = view->maybe;
		return true;
	}
	if (view->info->is_wrong) {                   /* what it would give is told where it is wrong */
		*out = (struct expr_member){.type = &expr_dyn};
		return true;
	}
	err_set(why, ERR_UNKNOWN_NAME, "step '%s' has no output '%.*s'", node->id, STR_FMT(name));
	if (node->type != NULL && field_find(node->type->out, name) != NULL)
		err_hint(why, "it is a result: name it, outputs: with a line %.*s: self.%.*s", STR_FMT(name),
			STR_FMT(name));
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
	size_t most = rows + node->n_outputs + (node->n_branches > 0 ? node->branches[0].n_outputs : 0)
		+ (node->called != NULL ? node->called->n_outputs : 0);
	const char **list = arena_array(mem, const char *, most + 1);
	n += add_names(list + n, node->outputs, node->n_outputs);
	if (node->n_branches > 0)
		n += add_names(list + n, node->branches[0].outputs, node->branches[0].n_outputs);
	if (node->called != NULL)
		n += add_names(list + n, node->called->outputs, node->called->n_outputs);
	for (size_t i = 0; i < rows; i++)
		if (field_at(node->type->out, i)->flags & FIELD_OUTPUT)
			list[n++] = field_at(node->type->out, i)->name;
	return list;
}

static bool
measures_find(const struct expr_type *type, struct str name, struct expr_member *out, struct err *why)
{
	const struct view *view = type->with;
	const struct node *node = &view->info->node;
	const struct named_expr *given = named(node->measures, node->n_measures, name);
	if (given == NULL && !view->info->is_wrong)
		return err_set(why, ERR_UNKNOWN_NAME, "step '%s' has no measure '%.*s'", node->id, STR_FMT(name));
	*out = (struct expr_member){.type = given == NULL ? &expr_dyn : expr_type_of(given->expr),
		.maybe = view->maybe};
	return true;
}

/* ---- one step */

static bool
view_find(const struct expr_type *type, struct str name, struct expr_member *out, struct err *why)
{
	const struct view *view = type->with;
	bool looped = type == &view->type && view->info->node.each != NULL;
	if (str_is(name, "status")) {
		view->info->status_read = true;
		*out = (struct expr_member){.type = &expr_string};
	} else if (str_is(name, "started") || str_is(name, "ended")) {
		*out = (struct expr_member){.type = &expr_timestamp, .maybe = view->maybe};
	} else if (!looped && str_is(name, "outputs")) {
		*out = (struct expr_member){.type = &view->outputs};
	} else if (!looped && str_is(name, "measures")) {
		*out = (struct expr_member){.type = &view->measures};
	} else if (looped && str_is(name, "items")) {
		*out = (struct expr_member){.type = view->items, .maybe = view->maybe};
	} else {
		err_set(why, ERR_UNKNOWN_NAME, "a step has no '%.*s'", STR_FMT(name));
		if (looped)
			err_hint(why, "step '%s' has for_each: read steps.%s.items[i].%.*s", view->info->node.id,
				view->info->node.id, STR_FMT(name));
		return false;
	}
	return true;
}

static const char *const *
view_names(const struct expr_type *type, struct arena *mem)
{
	static const char *const plain[] = {"status", "started", "ended", "outputs", "measures", NULL};
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
	bool item_maybe = maybe || (info->node.each != NULL && info->node.on_error == ON_ERROR_CONTINUE);
	struct view *inner = view;
	view->info = info;
	view->maybe = maybe;
	if (info->node.each != NULL) {
		inner = arena_new_of(info->load->all->mem, struct view);
		*inner = (struct view){.info = info, .maybe = item_maybe};
	}
	view->type = (struct expr_type){.kind = V_MAP, .find = view_find, .names = view_names, .with = view};
	inner->outputs = (struct expr_type){.kind = V_MAP, .find = outputs_find, .names = outputs_names,
		.with = inner};
	inner->measures = (struct expr_type){.kind = V_MAP, .find = measures_find, .with = inner};
	inner->item = (struct expr_type){.kind = V_MAP, .find = view_find, .names = view_names, .with = inner};
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

/* ---- whether it has ended */

static struct info *
above(const struct info *info)
{
	const struct node *up = info->node.parent;
	return up == NULL || up->book != info->node.book ? NULL : info_of(up);
}

static bool
is_around(const struct info *outer, const struct info *inner)
{
	for (const struct info *at = inner; at != NULL; at = above(at))
		if (at == outer)
			return true;
	return false;
}

static size_t
depth_of(const struct info *info)
{
	size_t depth = 0;
	for (const struct info *at = info; at != NULL; at = above(at))
		depth++;
	return depth;
}

static bool
is_guarded(const struct refs *refs, const struct info *target)
{
	struct str id = str_of(target->node.id);
	const struct info *below = NULL;
	for (const struct info *at = refs->reader; at != NULL; below = at, at = above(at)) {
		const struct guard *branch = NULL;
		if (at->node.kind == NODE_CHOOSE && at->branch_guards != NULL) {
			if (below != NULL && below->list == IN_BRANCH)
				branch = at->branch_guards[below->branch];
			else if (below == NULL && refs->branch >= 0)
				branch = at->branch_guards[refs->branch];
		}
		for (const struct guard *g = branch; g != NULL; g = g->next)
			if (str_eq(g->id, id))
				return true;
		for (const struct guard *g = at->guards; g != NULL; g = g->next)
			if (str_eq(g->id, id))
				return true;
	}
	return false;
}

/* Whether the target may be absent, seen from outside of `top`, which is the target or around it. */
static bool
may_be_absent(const struct info *target, const struct info *top)
{
	for (const struct info *at = target; at != NULL; at = above(at)) {
		if (value_get(at->map, "when") != NULL || at->node.on_error == ON_ERROR_CONTINUE)
			return true;
		if (at == top)
			return false;
		if (at->list == IN_BRANCH || at->list == IN_PRECONDITIONS || at->list == IN_FINALLY
			|| at->list == IN_UNDO)
			return true;
	}
	return false;
}

static bool
in_loop(const struct info *target, const struct info *top, struct err *why)
{
	const struct info *loop = NULL;
	for (const struct info *at = target; at != top; ) {
		at = above(at);
		if (at->node.each != NULL)
			loop = at;
	}
	if (loop == NULL)
		return false;
	err_set(why, ERR_UNKNOWN_NAME, "step '%s' is carried out for each item of '%s'", target->node.id,
		loop->node.id);
	err_hint(why, "give '%s' outputs and read steps.%s.items[i]", loop->node.id, loop->node.id);
	return true;
}

static bool
not_ended(const struct info *target, struct err *why, const char *reason)
{
	err_set(why, ERR_UNKNOWN_NAME, "step '%s' has not surely ended here: %s", target->node.id, reason);
	return err_hint(why, "a step reads those above it, and siblings that it needs");
}

/* Both stand in lists of the same parent, or of the playbook itself. */
static bool
sibling_ended(const struct refs *refs, const struct info *reader, const struct info *target, bool *maybe,
	struct err *why, const struct info *asked)
{
	const struct info *parent = above(reader);
	if (reader->list != target->list) {
		if (reader->list == IN_FINALLY && target->list == IN_MEMBERS)
			return *maybe = true;
		if (reader->list == IN_UNDO && target->list != IN_PROBE)
			return *maybe = true;
		if (target->list == IN_PRECONDITIONS && reader->list != IN_PROBE)
			return *maybe = true;
		return not_ended(asked, why, "it stands in another list of the same step");
	}
	if (reader->list == IN_BRANCH && reader->branch != target->branch)
		return not_ended(asked, why, "it stands in another branch");
	if (reader->list == IN_MEMBERS && parent != NULL && parent->node.kind == NODE_PARALLEL) {
		if (needs_reach(refs->load->all, reader, target))
			return true;
		not_ended(asked, why, "members of parallel run at once");
		return err_hint(why, "add to step '%s': needs: [%s]", reader->node.id, target->node.id);
	}
	return target->place < reader->place || not_ended(asked, why, "it stands further down");
}

static bool
part_ended(enum part reader, enum part target, bool *maybe)
{
	if (target == PART_TRIGGER || (reader > PART_STEPS && target <= PART_STEPS))
		*maybe = true;
	if (reader == PART_FINALLY && (target == PART_ON_SUCCESS || target == PART_ON_FAILURE))
		return *maybe = true;
	if (reader <= PART_STEPS)
		return target < reader;
	return target <= PART_STEPS;
}

/* The reader stands inside the target. */
static bool
inside_ended(const struct refs *refs, const struct info *target, bool *maybe, struct err *why)
{
	for (const struct info *at = refs->reader; at != target; at = above(at))
		if (above(at) == target && at->list == IN_UNDO)
			return *maybe = true;
	return not_ended(target, why, target == refs->reader ? "it is this step" : "this step is a part of it");
}

/* The target stands inside the reader: a group's outputs and measures read its members. */
static bool
member_ended(const struct refs *refs, const struct info *target, bool *maybe, struct err *why)
{
	const struct info *top = target;
	while (above(top) != refs->reader)
		top = above(top);
	if (!(refs->flags & SCOPE_AFTER)) {
		if (top->list == IN_PRECONDITIONS && refs->flags & SCOPE_ANSWER)
			return *maybe = true;
		return not_ended(target, why, "it is a part of this step");
	}
	if (in_loop(target, top, why))
		return false;
	*maybe = may_be_absent(target, top)
		|| (top->list == IN_BRANCH && (refs->branch < 0 || (unsigned)refs->branch != top->branch))
		|| top->list == IN_FINALLY;
	if (top->list == IN_BRANCH && refs->branch >= 0 && (unsigned)refs->branch != top->branch)
		return not_ended(target, why, "it stands in another branch");
	return top->list != IN_UNDO || not_ended(target, why, "it takes this step back");
}

static bool
has_ended(const struct refs *refs, struct info *target, bool *maybe, struct err *why)
{
	struct info *reader = refs->reader, *r = reader, *t = target;
	if (reader == NULL) {                         /* outputs of the playbook */
		while (above(t) != NULL)
			t = above(t);
		if (t->node.part > PART_STEPS)
			return not_ended(target, why, "handlers come after the outputs");
		*maybe = t->node.part == PART_TRIGGER || may_be_absent(target, t);
		return !in_loop(target, t, why);
	}
	if (is_around(target, reader))
		return inside_ended(refs, target, maybe, why);
	if (is_around(reader, target))
		return member_ended(refs, target, maybe, why);
	size_t r_depth = depth_of(r), t_depth = depth_of(t);
	for (; r_depth > t_depth; r_depth--)
		r = above(r);
	for (; t_depth > r_depth; t_depth--)
		t = above(t);
	while (above(r) != above(t)) {
		r = above(r);
		t = above(t);
	}
	if (above(r) == NULL && r->node.part != t->node.part) {
		if (!part_ended(r->node.part, t->node.part, maybe))
			return not_ended(target, why, "it comes later");
	} else if (!sibling_ended(refs, r, t, maybe, why, target)) {
		return false;
	}
	if (in_loop(target, t, why))
		return false;
	*maybe = *maybe || t->node.part == PART_TRIGGER || t->node.part > PART_STEPS || may_be_absent(target, t);
	return true;
}

static bool
refs_find(const struct expr_type *type, struct str name, struct expr_member *out, struct err *why)
{
	const struct refs *refs = type->with;
	struct info *target = ids_find(refs->load, name);
	bool maybe = false;
	if (target == NULL)
		return err_set(why, ERR_UNKNOWN_NAME, "there is no step '%.*s'", STR_FMT(name));
	if (!has_ended(refs, target, &maybe, why))
		return false;
	if (maybe && is_guarded(refs, target))
		maybe = false;
	*out = (struct expr_member){.type = &view_of(target, maybe)->type};
	return true;
}

static const char *const *
refs_names(const struct expr_type *type, struct arena *mem)
{
	const struct refs *refs = type->with;
	const struct ids *ids = &refs->load->ids;
	const char **list = arena_array(mem, const char *, ids->n + 1);
	size_t n = 0;
	for (size_t i = 0; i < ids->size; i++)
		if (ids->places[i] != NULL)
			list[n++] = ids->places[i]->node.id;
	return list;
}

const struct expr_type *
refs_type(struct book_load *b, struct info *reader, unsigned flags, int branch)
{
	struct refs *refs = arena_new_of(b->all->mem, struct refs);
	*refs = (struct refs){{.kind = V_MAP, .find = refs_find, .names = refs_names, .with = refs}, b, reader,
		flags, branch};
	return &refs->type;
}
