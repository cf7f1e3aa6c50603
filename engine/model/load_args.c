/* The arguments of a step: its own, those that `defaults` gives, judged by the table of
 * its type as far as they are constant, and compiled row by row by the rules of the row.
 */
#include "model/load.h"

static bool
is_given(const struct field *fields, const struct field *field, const struct value *map)
{
	if (map_at(map->map, str_of(field->name)) != NULL)
		return true;
	for (size_t i = 0; i < map->map->n; i++) {
		const struct member *m = &map->map->members[i];
		const struct field *own = field_find(fields, m->key.str);
		if (own == NULL)
			continue;
		if (field->either != 0 && own->either == field->either)
			return true;
		/* A connection given as a whole leaves out only what is seen to be
		 * missing in it. */
		if (own->flags & FIELD_SPREAD
			&& field_find(own->fields, str_of(field->name)) == field
			&& (m->value.kind != V_MAP
				|| map_at(m->value.map, str_of(field->name)) != NULL))
			return true;
	}
	return false;
}

static void
fill(struct loading *all, const struct field *fields, const struct value *from,
	struct value *map)
{
	if (from == NULL || from->kind != V_MAP)
		return;
	for (size_t i = 0; i < from->map->n; i++) {
		const struct member *m = &from->map->members[i];
		const struct field *field = field_find(fields, m->key.str);
		if (field == NULL || !field_is_there(fields, field, map)
			|| is_given(fields, field, map))
			continue;
		struct member *members =
			arena_array(all->mem, struct member, map->map->n + 1);
		if (map->map->n > 0)
			memcpy(members, map->map->members, map->map->n * sizeof *members);
		members[map->map->n] = *m;
		struct value more = value_map(all->mem, members, map->map->n + 1);
		more.source = map->source;
		more.from = map->from;
		more.to = map->to;
		*map = more;
	}
}

void
args_defaults(struct book_load *b, const struct field *fields, const char *type,
	struct value *map)
{
	fill(b->all, fields, value_get(b->defaults, type), map);
	if (field_find(fields, STR("region")) != NULL
		&& field_find(fields, STR("role")) != NULL)
		fill(b->all, fields, value_get(b->defaults, "aws"), map);
}

const struct value *
defaults_for(struct info *info)
{
	const struct step_type *type = info->node.type;
	if (info->load->defaults == NULL)
		return info->type_value;
	struct value *map = arena_new_of(info->load->all->mem, struct value);
	*map = *info->type_value;
	args_defaults(info->load, type->in, type->name, map);
	return map;
}

static const struct expr_type *
self_type(struct loading *all, const struct step_type *type)
{
	size_t i = 0;
	while (all->loader->types[i] != type)
		i++;
	if (all->self_types[i] == NULL)
		all->self_types[i] = fields_expr_type(all->mem, type->out);
	return all->self_types[i];
}

static void
judge(struct info *info, const struct value *map)
{
	struct book_load *b = info->load;
	const struct step_type *type = info->node.type;
	struct value constant = constant_part(b->all->scratch, map);
	struct value *in = arena_new_of(b->all->scratch, struct value);
	struct field_use use = {.of = type->name,
		.folder = b->file->folder,
		.at = value_mark(info->type_key),
		.mem = b->all->scratch,
		.diags = b->diags};
	bool good = fields_judge(&use, type->in, &constant, in);
	if (good && type->check != NULL)
		good = type->check(in, b->diags);
	info->in = in;
	info->is_wrong |= !good;
}

static void
read_paths(struct info *info, const struct field *fields, const struct value *in)
{
	struct book_load *b = info->load;
	const struct loader *loader = b->all->loader;
	const struct field *f;
	if (loader->exists == NULL || in == NULL || in->kind != V_MAP)
		return;
	for (struct field_walk w = {{fields}, 0}; (f = field_next(&w)) != NULL;) {
		const struct value *v =
			f->flags & FIELD_READ ? map_at(in->map, str_of(f->name)) : NULL;
		if (v == NULL || v->kind != V_STRING || f->type != FIELD_PATH)
			continue;
		if (!loader->exists(loader, str_cstr(b->all->scratch, v->str)))
			diag_warning(b->diags, value_mark(v),
				"there is no file '%.*s' yet", STR_FMT(v->str));
	}
}

static bool
is_among_regions(const struct book_load *b, struct str region)
{
	const struct value *regions = value_get(value_get(&b->top, "limits"), "regions");
	if (regions == NULL || regions->kind != V_LIST)
		return true;
	for (size_t i = 0; i < regions->list.n; i++)
		if (regions->list.items[i].kind == V_STRING
			&& str_eq(regions->list.items[i].str, region))
			return true;
	return false;
}

/* The limits of those that call it hold as well. */
void
region_judge(struct book_load *b, const struct value *in)
{
	const struct value *region = value_get(in, "region");
	if (region == NULL || region->kind != V_STRING)
		return;
	for (const struct book_load *by = b; by != NULL; by = by->up)
		if (!is_among_regions(by, region->str)) {
			diag_error(b->diags, value_mark(region),
				"the region %s is not in limits.regions%s%s",
				value_short(b->all->scratch, region, 40),
				by == b ? "" : " of ", by == b ? "" : by->file->path);
			return;
		}
}

/* What the constant arguments say of the step. */
static void
read_nature(struct info *info)
{
	const struct step_type *type = info->node.type;
	bool is_known = info->in != NULL && !info->is_wrong;
	const struct expr_type *self = is_known && type->out_type != NULL
		? type->out_type(info->load->all->mem, info->in)
		: NULL;
	if (self != NULL)
		info->self = self;
	info->node.settles = type->settle != NULL
		&& (type->settles == NULL || !is_known || type->settles(info->in));
}

void
args_understand(struct info *info)
{
	struct book_load *b = info->load;
	const struct step_type *type = info->node.type;
	if (info->type_value->kind != V_MAP) {
		err_hint(diag_error(b->diags, value_mark(info->type_value),
				 "%s takes a map of arguments, not %s", type->name,
				 info->type_value->kind == V_NULL
					 ? "nothing"
					 : kind_name(info->type_value->kind)),
			"rbx steps %s lists them", type->name);
		info->is_wrong = true;
		return;
	}
	const struct value *map = defaults_for(info);
	struct scope scope, secrets;
	info->self = self_type(b->all, type);
	judge(info, map);
	read_nature(info);
	region_judge(b, info->in);
	read_paths(info, type->in, info->in);
	scope_of(&scope, info, SCOPE_ITEM, -1);
	info->node.args_constant = !has_template(map);
	if (info->node.args_constant)
		info->node.args = text_read(&scope, map, 0);
	else
		info->node.args = fields_read(&scope,
			scope_of(&secrets, info, SCOPE_ITEM | SCOPE_SECRETS, -1),
			type->in, map);
	info->is_wrong |= info->node.args == NULL;
}
