/* What stands beside the steps: names, objectives, defaults, follow-ups, and what the
 * playbook gives. */
#include "model/load.h"

static const char *
text_at(struct book_load *b, const char *name)
{
	struct str text = value_get_str(&b->top, name);
	return text.p == NULL ? NULL : str_cstr(b->all->mem, text);
}

static void
read_contacts(struct book_load *b)
{
	const struct value *list = value_get(&b->top, "contacts");
	if (list == NULL || list->kind != V_LIST)
		return;
	struct contact *contacts =
		arena_array(b->all->mem, struct contact, list->list.n + 1);
	for (size_t i = 0; i < list->list.n; i++) {
		contacts[i].role = str_cstr(
			b->all->mem, value_get_str(&list->list.items[i], "role"));
		contacts[i].how =
			str_cstr(b->all->mem, value_get_str(&list->list.items[i], "how"));
	}
	b->book->contacts = contacts;
	b->book->n_contacts = list->list.n;
}

static bool
read_objective(struct book_load *b, const struct member *m, struct objective *out)
{
	struct err err = {0};
	const struct value *v = &m->value;
	*out = (struct objective){
		.name = str_cstr(b->all->mem, m->key.str), .at = value_mark(v)};
	if (v->kind == V_INT || v->kind == V_DOUBLE) {
		out->number = v->kind == V_INT ? (double)v->i : v->d;
		return true;
	}
	out->is_duration = true;
	if (v->kind == V_STRING && duration_parse(v->str, &out->ns, &err))
		return true;
	diag_error(b->diags, value_mark(v),
		"the objective '%s' is a duration or a number, not %s", out->name,
		value_short(b->all->scratch, v, 40));
	return false;
}

static void
read_objectives(struct book_load *b)
{
	const struct value *map = value_get(&b->top, "objectives");
	struct member_types *types = member_types_of(b->all, map);
	size_t n = types->map->map->n;
	struct objective *objectives = arena_array(b->all->mem, struct objective, n + 1);
	b->types[ROOT_OBJECTIVES] = &types->type;
	types->known = n;
	for (size_t i = 0; i < n; i++) {
		const struct member *m = &types->map->map->members[i];
		name_judge(b, &m->key);
		types->members[i].type = &expr_dyn;
		if (!read_objective(b, m, &objectives[i]))
			continue;
		types->members[i].type = objectives[i].is_duration ? &expr_duration
			: m->value.kind == V_INT ? &expr_int : &expr_double;
	}
	b->book->objectives = objectives;
	b->book->n_objectives = n;
}

/* ---- defaults */

static void
unknown_default(struct book_load *b, const struct value *key)
{
	const struct step_type *const *types = b->all->loader->types;
	size_t n = 0;
	while (types[n] != NULL)
		n++;
	const char **names = arena_array(b->all->scratch, const char *, n + 3);
	for (size_t i = 0; i < n; i++)
		names[i] = types[i]->name;
	names[n] = "timeout";
	names[n + 1] = "retry";
	const char *near = near_name(key->str, names);
	struct err *err =
		diag_error(b->diags, value_mark(key), "unknown default '%.*s'%s%s%s",
			STR_FMT(key->str), near == NULL ? "" : ", did you mean '",
			near == NULL ? "" : near, near == NULL ? "" : "'?");
	err->code = ERR_UNKNOWN_NAME;
	if (near == NULL)
		err_hint(err, "timeout, retry, or the name of a step type");
}

/* The judged form of timeout and retry; of a type the map as written, once it has been
 * judged. */
static bool
judge_default(struct book_load *b, const struct member *m, struct value *out)
{
	struct value constant = constant_part(b->all->scratch, &m->value), judged;
	struct field_use use = {.folder = b->file->folder,
		.partial = true,
		.mem = b->all->mem,
		.diags = b->diags};
	if (str_is(m->key.str, "timeout"))
		return field_judge(
			&use, &step_key_find(STR("timeout"))->row, &m->value, out);
	if (str_is(m->key.str, "retry")) {
		struct retry retry = {0};
		use.of = "retry";
		return fields_judge(&use, retry_keys, &m->value, out)
			&& retry_read(b, out, &retry);
	}
	const struct step_type *type = step_type_find(b->all->loader->types, m->key.str);
	if (type == NULL) {
		unknown_default(b, &m->key);
		return false;
	}
	use.of = type->name;
	*out = m->value;
	return fields_judge(&use, type->in, &constant, &judged) || m->value.kind == V_MAP;
}

static void
read_defaults(struct book_load *b)
{
	const struct value *map = value_get(&b->top, "defaults");
	struct map_builder out = {.mem = b->all->mem};
	if (map == NULL || map->kind != V_MAP)
		return;
	for (size_t i = 0; i < map->map->n; i++) {
		struct value judged;
		if (judge_default(b, &map->map->members[i], &judged))
			map_put_str(&out, map->map->members[i].key.str, judged);
	}
	struct value *defaults = arena_new_of(b->all->mem, struct value);
	*defaults = map_done(&out);
	b->defaults = defaults;
}

static void
read_follow_ups(struct book_load *b)
{
	const struct value *list = value_get(&b->top, "follow_up");
	struct scope scope;
	if (list == NULL || list->kind != V_LIST)
		return;
	struct follow_up *all =
		arena_array(b->all->mem, struct follow_up, list->list.n + 1);
	scope_of_book(&scope, b, 0);
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *text = value_get(&list->list.items[i], "text");
		const struct value *within = value_get(&list->list.items[i], "within");
		if (text == NULL || within == NULL || within->kind != V_DURATION)
			continue;
		all[i].within = span_ns(within->span);
		all[i].text = text_read(&scope, text, TEMPLATE_TEXT | TEMPLATE_NO_SECRET);
	}
	b->book->follow_ups = all;
	b->book->n_follow_ups = list->list.n;
}

void
top_read(struct book_load *b)
{
	struct playbook *book = b->book;
	book->name = text_at(b, "name");
	book->summary = text_at(b, "summary");
	book->owner = text_at(b, "owner");
	book->name = book->name == NULL ? "" : book->name;
	book->names = names_of_book(b, PART_STEPS);
	read_contacts(b);
	read_objectives(b);
	inputs_read(b);
	vars_read(b);
	read_defaults(b);
	secrets_read(b);
	limits_read(b);
	drill_read(b);
	read_follow_ups(b);
}

/* ---- at the end */

static bool
output_good(struct scope *scope, const struct named_expr *named, const struct value *at)
{
	if (!expr_is_secret(named->expr))
		return true;
	diag_error(scope->load->diags, value_mark(at),
		"the output '%s' of the playbook may not be secret", named->name);
	return false;
}

static void
read_leaves(struct book_load *b)
{
	const struct value *list = value_get(value_get(&b->top, "drill"), "leaves");
	b->book->nodes = b->all->nodes; /* so that paths are found; the final list comes
					   at the end */
	b->book->n_nodes = b->all->n_nodes;
	for (size_t i = 0; list != NULL && list->kind == V_LIST && i < list->list.n;
		i++) {
		const struct value *v = &list->list.items[i];
		if (v->kind == V_STRING && playbook_node(b->book, v->str) == NULL)
			diag_error(b->diags, value_mark(v),
				"there is no step of the path '%.*s'", STR_FMT(v->str))
				->code = ERR_UNKNOWN_NAME;
	}
	b->book->nodes = NULL;
	b->book->n_nodes = 0;
}

void
top_finish(struct book_load *b)
{
	const struct value *outputs = value_get(&b->file->top, "outputs");
	struct scope scope;
	if (outputs != NULL && outputs->kind == V_MAP)
		exprs_read(scope_of_book(&scope, b, SCOPE_AFTER), outputs,
			&b->book->outputs, &b->book->n_outputs, output_good);
	read_leaves(b);
	for (size_t i = 0; i < b->all->n_nodes; i++)
		if (b->all->nodes[i]->book == b->book)
			info_warn(info_of(b->all->nodes[i]));
}
