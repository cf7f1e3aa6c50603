/* Groups: their members in the order in which they end, the branches of a choice, loops,
 * calls of playbooks. */
#include "model/load.h"

static bool
is_list(struct info *info, const struct value *v, const char *form)
{
	if (v->kind == V_LIST && v->list.n > 0)
		return true;
	err_hint(diag_error(info->load->diags,
			 v->kind == V_LIST ? value_mark(info->type_key) : value_mark(v),
			 "'%.*s' takes a list of steps, not %s",
			 STR_FMT(info->type_key->str),
			 v->kind == V_LIST           ? "an empty one"
				 : v->kind == V_NULL ? "nothing"
						     : kind_name(v->kind)),
		"%s", form);
	info->is_wrong = true;
	return false;
}

static void
parallel_understand(struct info *info)
{
	for (size_t i = 0; i < info->node.n_members; i++)
		step_understand(info_of(info->node.members[info->turns[i]]));
}

static bool
output_good(struct scope *scope, const struct named_expr *named, const struct value *at)
{
	if (!expr_is_secret(named->expr))
		return true;
	diag_error(scope->load->diags, value_mark(at),
		"the output '%s' is secret; only a check may have such an output",
		named->name);
	return false;
}

static void
branch_understand(struct info *info, size_t i, const struct value *map)
{
	struct book_load *b = info->load;
	struct branch *branch = (struct branch *)&info->node.branches[i];
	const struct value *when = value_get(map, "when"),
			   *outputs = value_get(map, "outputs");
	bool last = i + 1 == info->node.n_branches;
	struct scope scope;
	scope_of(&scope, info, SCOPE_ITEM, (int)i);
	if (when != NULL) {
		info->branch_guards[i] = guards_read(&scope, when);
		branch->when = condition_read(&scope, "when", map, when);
	} else if (!last) {
		diag_error(
			b->diags, branch->at, "only the last branch may have no 'when'");
	}
	list_understand(b, branch->steps, branch->n_steps);
	if (outputs != NULL && outputs->kind == V_MAP)
		exprs_read(scope_of(&scope, info, SCOPE_ITEM | SCOPE_AFTER, (int)i),
			outputs, &branch->outputs, &branch->n_outputs, output_good);
}

static bool
has_output(const struct branch *branch, const char *name)
{
	for (size_t i = 0; i < branch->n_outputs; i++)
		if (strcmp(branch->outputs[i].name, name) == 0)
			return true;
	return false;
}

static void
same_outputs(struct info *info)
{
	const struct branch *branches = info->node.branches;
	for (size_t i = 1; i < info->node.n_branches && !info->is_wrong; i++)
		for (size_t side = 0; side < 2; side++) {
			const struct branch *a = &branches[side == 0 ? 0 : i],
					    *c = &branches[side == 0 ? i : 0];
			for (size_t j = 0; j < a->n_outputs; j++)
				if (!has_output(c, a->outputs[j].name))
					diag_error(info->load->diags, c->at,
						"this branch does not give the output "
						"'%s'; all branches of a choose give the "
						"same",
						a->outputs[j].name);
		}
}

static void
choose_understand(struct info *info)
{
	struct book_load *b = info->load;
	const struct value *list = info->type_value;
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *map = &list->list.items[i];
		struct value judged;
		struct field_use use = {.of = "a branch",
			.at = info->node.branches[i].at,
			.mem = b->all->scratch,
			.diags = b->diags};
		if (!fields_judge(&use, branch_keys, map, &judged))
			info->is_wrong = true;
		if (map->kind == V_MAP)
			branch_understand(info, i, map);
	}
	same_outputs(info);
}

void
group_understand(struct info *info)
{
	switch (info->node.kind) {
	case NODE_BLOCK:
		if (is_list(info, info->type_value, "block: [steps], one after another"))
			list_understand(
				info->load, info->node.members, info->node.n_members);
		break;
	case NODE_PARALLEL:
		if (is_list(info, info->type_value, "parallel: [steps]"))
			parallel_understand(info);
		break;
	case NODE_CHOOSE:
		if (is_list(info, info->type_value, "choose: [{when, steps, outputs}]"))
			choose_understand(info);
		break;
	default:
		break;
	}
}

/* ---- for_each */

static void
read_items(struct info *info, const struct value *in, struct each *each)
{
	struct book_load *b = info->load;
	struct field row = {.name = "for_each", .type = FIELD_LIST, .each = FIELD_DATA};
	struct field_use use = {.mem = b->all->scratch, .diags = b->diags};
	struct value constant = constant_part(b->all->scratch, in), judged;
	struct scope scope;
	if (!field_judge(&use, &row, &constant, &judged))
		return;
	if (judged.kind == V_LIST && judged.list.n > MOST_ITEMS)
		diag_error(b->diags, value_mark(in), "more than %d items", MOST_ITEMS)
			->code = ERR_LIMIT;
	scope_of(&scope, info, 0, -1);
	each->in = field_read(&scope, &scope, &row, in);
	const struct expr_type *type = each->in == NULL ? NULL : template_type(each->in);
	info->item =
		type != NULL && type->kind == V_LIST && !type->dyn && type->of != NULL
		? type->of
		: &expr_dyn;
}

/* A name that stands for something else everywhere would hide it. */
static void
judge_item_name(struct info *info, const struct value *map, const char *name)
{
	struct scope scope;
	scope_of(&scope, info, SCOPE_SECRETS | SCOPE_ANSWER | SCOPE_ITEM, -1);
	for (size_t i = 0; i < scope.env.n_roots; i++)
		if (strcmp(scope.roots[i].name, name) == 0 && strcmp(name, "item") != 0) {
			diag_error(info->load->diags, value_mark(value_get(map, "as")),
				"'%s' stands for something else "
				"already",
				name);
			return;
		}
}

void
each_understand(struct info *info)
{
	struct book_load *b = info->load;
	const struct value *v = key_raw(info, "for_each");
	struct value constant, judged;
	if (v == NULL)
		return;
	struct each *each = arena_new_of(b->all->mem, struct each);
	*each = (struct each){.as = "item", .at_once = 1};
	const struct value *in = v;
	if (v->kind == V_MAP) {
		struct field_use use = {.of = "for_each",
			.at = key_mark(info, "for_each"),
			.mem = b->all->scratch,
			.diags = b->diags};
		constant = constant_part(b->all->scratch, v);
		in = value_get(v, "in");
		if (fields_judge(&use, each_keys, &constant, &judged)) {
			each->as = str_cstr(b->all->mem, value_get_str(&judged, "as"));
			judge_item_name(info, v, each->as);
			each->at_once = (unsigned)value_get_int(&judged, "at_once", 1);
		}
	}
	info->item = &expr_dyn;
	if (in != NULL)
		read_items(info, in, each);
	info->node.each = each;
}

/* ---- playbook: {file, inputs, dry_run} */

static const struct input *
called_input(const struct playbook *book, struct str name)
{
	for (size_t i = 0; i < book->n_inputs; i++)
		if (str_is(name, book->inputs[i].name))
			return &book->inputs[i];
	return NULL;
}

static void
unknown_input(struct info *info, const struct playbook *book, const struct value *key)
{
	const char **names =
		arena_array(info->load->all->scratch, const char *, book->n_inputs + 1);
	for (size_t i = 0; i < book->n_inputs; i++)
		names[i] = book->inputs[i].name;
	const char *near = near_name(key->str, names);
	diag_error(info->load->diags, value_mark(key), "'%s' has no input '%.*s'%s%s%s",
		book->name, STR_FMT(key->str), near == NULL ? "" : ", did you mean '",
		near == NULL ? "" : near, near == NULL ? "" : "'?")
		->code = ERR_UNKNOWN_NAME;
}

static const struct template *
call_input(struct info *info, struct scope *scope, const struct playbook *book,
	const struct member *m)
{
	struct book_load *b = info->load;
	const struct input *input = called_input(book, m->key.str);
	if (input == NULL) {
		unknown_input(info, book, &m->key);
		return NULL;
	}
	struct value constant = constant_part(b->all->scratch, &m->value), judged;
	if (!input_judge(input, &constant, b->file->folder, b->all->scratch, &judged,
		    b->diags))
		return NULL;
	const struct template *template = text_read(scope, &m->value, TEMPLATE_NO_SECRET);
	const struct expr_type *given = template == NULL ? NULL : template_type(template);
	const struct expr_type *want = input_type(input);
	bool is_time = want->kind == V_TIMESTAMP || want->kind == V_DURATION
		|| strcmp(input->type, "size") == 0;
	if (given == NULL || template_is_constant(template) || given->dyn || want->dyn
		|| given->kind == want->kind || (is_time && given->kind == V_STRING))
		return template;
	diag_error(b->diags, value_mark(&m->value),
		"'%s' takes %s, and this expression gives %s", input->name, input->type,
		expr_type_name(b->all->scratch, given))
		->code = ERR_TYPE;
	return NULL;
}

static void
read_call_inputs(
	struct info *info, const struct playbook *book, const struct value *inputs)
{
	struct book_load *b = info->load;
	struct scope scope;
	size_t n = inputs == NULL ? 0 : inputs->map->n;
	const struct template **parts =
		arena_array(b->all->mem, const struct template *, n + 1);
	bool good = true;
	scope_of(&scope, info, SCOPE_ITEM, -1);
	for (size_t i = 0; i < n; i++) {
		parts[i] = call_input(info, &scope, book, &inputs->map->members[i]);
		good &= parts[i] != NULL;
	}
	for (size_t i = 0; i < book->n_inputs; i++)
		if (book->inputs[i].otherwise == NULL
			&& (inputs == NULL
				|| map_at(inputs->map, str_of(book->inputs[i].name))
					== NULL)) {
			err_hint(diag_error(b->diags, value_mark(info->type_key),
					 "'%s' needs the input '%s'", book->name,
					 book->inputs[i].name),
				"inputs: {%s: …}", book->inputs[i].name);
			good = false;
		}
	struct value *empty = arena_new_of(b->all->mem, struct value);
	*empty = value_map(b->all->mem, NULL, 0);
	if (good)
		info->node.call_inputs = template_join(
			b->all->mem, inputs == NULL ? empty : inputs, parts);
	info->is_wrong |= !good;
}

void
call_understand(struct info *info)
{
	struct book_load *b = info->load;
	struct value constant = constant_part(b->all->scratch, info->type_value), judged;
	struct field_use use = {.of = "playbook",
		.at = value_mark(info->type_key),
		.mem = b->all->scratch,
		.diags = b->diags};
	if (!fields_judge(&use, call_keys, &constant, &judged)) {
		info->is_wrong = true;
		return;
	}
	info->node.call_dry_run = value_get_bool(&judged, "dry_run", false);
	if (info->node.called != NULL)
		read_call_inputs(
			info, info->node.called, value_get(info->type_value, "inputs"));
}
