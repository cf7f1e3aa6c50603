/* Expressions and templates of a playbook, each compiled in its scope and judged by the
 * place where it stands. */
#include "model/load.h"

#include "data/yaml.h"

bool
has_template(const struct value *v)
{
	if (v->kind == V_STRING)
		return template_has_expression(v->str);
	if (v->kind == V_LIST)
		for (size_t i = 0; i < v->list.n; i++)
			if (has_template(&v->list.items[i]))
				return true;
	if (v->kind == V_MAP)
		for (size_t i = 0; i < v->map->n; i++)
			if (has_template(&v->map->members[i].value))
				return true;
	return false;
}

static struct value
placed(struct value made, const struct value *v)
{
	made.source = v->source;
	made.from = v->from;
	made.to = v->to;
	return made;
}

struct value
constant_part(struct arena *mem, const struct value *v)
{
	if (!has_template(v))
		return *v;
	if (v->kind == V_LIST) {
		struct value *items = arena_array(mem, struct value, v->list.n + 1);
		for (size_t i = 0; i < v->list.n; i++)
			items[i] = constant_part(mem, &v->list.items[i]);
		return placed(value_list(items, v->list.n), v);
	}
	if (v->kind == V_MAP) {
		struct member *members = arena_array(mem, struct member, v->map->n + 1);
		for (size_t i = 0; i < v->map->n; i++) {
			members[i].key = v->map->members[i].key;
			members[i].value = constant_part(mem, &v->map->members[i].value);
		}
		return placed(value_map(mem, members, v->map->n), v);
	}
	return placed(value_unknown(STR("an expression")), v);
}

/* ---- expressions */

static bool
is_flow(const struct value *around)
{
	if (around == NULL || around->source == NULL
		|| around->from >= around->source->text.n)
		return false;
	char first = around->source->text.p[around->from];
	return first == '{' || first == '[';
}

static struct str
inner_text(struct str text)
{
	struct str trimmed = str_trim(text);
	if (trimmed.n > 5 && str_starts(trimmed, STR("${{"))
		&& str_ends(trimmed, STR("}}")))
		return str_trim((struct str){trimmed.p + 3, trimmed.n - 5});
	return (struct str){0};
}

/* The text of an expression as a string value; a plain true or 1 is one as well. NULL:
 * told. */
static const struct value *
expression_text(struct scope *scope, const char *name, const struct value *around,
	const struct value *v, struct value *room)
{
	struct diags *diags = scope->load->diags;
	struct mark at = value_mark(v);
	if (v->kind == V_LIST || v->kind == V_MAP) {
		err_hint(diag_error(diags, at, "'%s' takes an expression, not %s", name,
				 kind_name(v->kind)),
			"quote an expression that begins with [ or {, or write >- and "
			"put it on the next line");
		return NULL;
	}
	*room = *v;
	if (v->kind != V_STRING)
		*room = placed(value_str(str_of(v->raw)), v);
	room->flags = v->flags;
	if (str_trim(room->str).n == 0) {
		diag_error(diags, at, "'%s' takes an expression, not nothing", name);
		return NULL;
	}
	struct str inner = inner_text(room->str);
	if (inner.p != NULL || template_has_expression(room->str)) {
		err_hint(diag_error(diags, at,
				 "'%s' takes a bare expression, without ${{ }}", name),
			"write %s: %.*s", name, inner.n > 150 ? 150 : (int)inner.n,
			inner.p == NULL ? "" : inner.p);
		return NULL;
	}
	if (is_flow(around)) {
		err_hint(diag_error(diags, at, "no expression stands inside { } or [ ]"),
			"put it on a line of its own: %s: %.*s", name,
			room->str.n > 150 ? 150 : (int)room->str.n, room->str.p);
		return NULL;
	}
	return room;
}

static const struct expr *
compile(struct scope *scope, const struct value *text, struct diags *diags)
{
	struct mark at;
	struct arena *mem = scope->load->all->mem;
	const uint32_t *map = yaml_offsets(scope->load->all->scratch, text, &at);
	return expr_compile(mem, text->str, at, map, &scope->env, diags);
}

const struct expr *
expr_read(struct scope *scope, const char *name, const struct value *around,
	const struct value *v)
{
	struct value room;
	const struct value *text = expression_text(scope, name, around, v, &room);
	return text == NULL ? NULL : compile(scope, text, scope->load->diags);
}

const struct expr *
condition_read(struct scope *scope, const char *name, const struct value *around,
	const struct value *v)
{
	const struct expr *expr = expr_read(scope, name, around, v);
	const struct expr_type *type = expr == NULL ? NULL : expr_type_of(expr);
	if (type == NULL || type->dyn || type->kind == V_BOOL)
		return expr;
	diag_error(scope->load->diags, expr_mark(expr),
		"'%s' must be true or false; this is %s", name,
		expr_type_name(scope->load->all->scratch, type))
		->code = ERR_TYPE;
	return NULL;
}

struct guard_list {
	struct arena *mem;
	const struct guard *first;
};

static void
add_guard(struct str id, void *with)
{
	struct guard_list *list = with;
	struct guard *guard = arena_new_of(list->mem, struct guard);
	*guard = (struct guard){str_copy(list->mem, id), list->first};
	list->first = guard;
}

/* Found before the condition is checked, since it may itself read what it guards. */
const struct guard *
guards_read(struct scope *scope, const struct value *v)
{
	struct guard_list list = {.mem = scope->load->all->mem};
	struct diags ignored = {.mem = scope->load->all->scratch};
	if (v->kind != V_STRING || str_find(v->str, STR("status")) == v->str.n)
		return NULL;
	scope->env.unchecked = true;
	const struct expr *expr = compile(scope, v, &ignored);
	scope->env.unchecked = false;
	if (expr != NULL)
		expr_guards(expr, add_guard, &list);
	return list.first;
}

static bool
is_name(struct str name)
{
	if (name.n == 0 || name.n > 64 || name.p[0] < 'a' || name.p[0] > 'z')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((name.p[i] < 'a' || name.p[i] > 'z')
			&& (name.p[i] < '0' || name.p[i] > '9') && name.p[i] != '_')
			return false;
	return true;
}

bool
name_judge(struct book_load *b, const struct value *key)
{
	if (is_name(key->str))
		return true;
	err_hint(diag_error(b->diags, value_mark(key), "%s is no name",
			 value_short(b->all->scratch, key, 70)),
		"a-z, 0-9 and _, beginning with a letter, at most 64 characters");
	return false;
}

void
exprs_read(struct scope *scope, const struct value *map, const struct named_expr **list,
	size_t *n,
	bool (*good)(struct scope *scope, const struct named_expr *expr,
		const struct value *at))
{
	struct book_load *b = scope->load;
	struct named_expr *made =
		arena_array(b->all->mem, struct named_expr, map->map->n + 1);
	*list = made;
	*n = 0;
	for (size_t i = 0; i < map->map->n; i++) {
		const struct value *key = &map->map->members[i].key,
				   *v = &map->map->members[i].value;
		if (!name_judge(b, key))
			continue;
		struct named_expr expr = {str_cstr(b->all->mem, key->str), NULL};
		expr.expr = expr_read(scope, expr.name, map, v);
		if (expr.expr != NULL && !good(scope, &expr, v))
			expr.expr = NULL;
		if (expr.expr != NULL)
			made[(*n)++] = expr;
		else if (scope->reader != NULL)
			scope->reader->is_wrong = true;
	}
}

/* ---- templates */

const struct template *
text_read(struct scope *scope, const struct value *v, unsigned rules)
{
	return template_compile(
		scope->load->all->mem, v, &scope->env, rules, NULL, scope->load->diags);
}

static unsigned
rules_of(const struct field *field)
{
	unsigned rules = 0;
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_SECRET:
	case FIELD_PATH:
	case FIELD_PLACE:
	case FIELD_S3_PLACE:
	case FIELD_URL:
	case FIELD_HOST_PORT: case FIELD_REGEX:
		rules |= TEMPLATE_TEXT;
		break;
	default:
		break;
	}
	if (field->flags & FIELD_SHELL)
		rules |= TEMPLATE_NONE;
	if (field->type != FIELD_SECRET && !(field->flags & FIELD_TAKES_SECRET))
		rules |= TEMPLATE_NO_SECRET;
	return rules;
}

static struct field
item_row(const struct field *field)
{
	struct field row = *field;
	row.type = field->each;
	row.flags = field->flags & (FIELD_TAKES_SECRET | FIELD_WRITTEN | FIELD_SHELL);
	return row;
}

static const struct template *
leaf_read(struct scope *scope, const struct field *field, const struct value *v)
{
	struct loading *all = scope->load->all;
	unsigned rules = rules_of(field);
	if (v->kind != V_STRING && v->kind != V_LIST && v->kind != V_MAP)
		rules &= ~(unsigned)TEMPLATE_TEXT;        /* its form is judged already */
	const struct template *template = template_compile(
		all->mem, v, &scope->env, rules, NULL, scope->load->diags);
	if (template == NULL || template_is_constant(template) || v->kind != V_STRING
		|| rules & TEMPLATE_TEXT)
		return template;
	const struct expr_type *type = template_type(template);
	if (!field_takes(field, type)) {
		diag_error(scope->load->diags, value_mark(v),
			"'%s' takes %s, and this expression gives %s", field->name,
			field_type_wants(field->type), expr_type_name(all->scratch, type))
			->code = ERR_TYPE;
		return NULL;
	}
	return template;
}

const struct template *
field_read(struct scope *scope, struct scope *secrets, const struct field *field,
	const struct value *v)
{
	struct arena *mem = scope->load->all->mem;
	struct scope *here =
		field->type == FIELD_SECRET || field->flags & FIELD_TAKES_SECRET ? secrets
										 : scope;
	if (v->kind == V_MAP && field->type == FIELD_OBJECT)
		return fields_read(scope, secrets, field->fields, v);
	bool is_list = v->kind == V_LIST && field->type == FIELD_LIST;
	bool is_map = v->kind == V_MAP && field->type == FIELD_MAP;
	if (!is_list && !is_map)
		return leaf_read(here, field, v);
	struct field row = item_row(field);
	size_t n = is_list ? v->list.n : v->map->n;
	const struct template **parts = arena_array(mem, const struct template *, n + 1);
	bool good = true;
	for (size_t i = 0; i < n; i++) {
		if (is_map)
			row.name = str_cstr(
				scope->load->all->scratch, v->map->members[i].key.str);
		parts[i] = field_read(scope, secrets, &row,
			is_list ? &v->list.items[i] : &v->map->members[i].value);
		good &= parts[i] != NULL;
	}
	return good ? template_join(mem, v, parts) : NULL;
}

const struct template *
fields_read(struct scope *scope, struct scope *secrets, const struct field *fields,
	const struct value *map)
{
	struct arena *mem = scope->load->all->mem;
	const struct template **parts =
		arena_array(mem, const struct template *, map->map->n + 1);
	bool good = true;
	for (size_t i = 0; i < map->map->n; i++) {
		const struct field *field =
			field_find(fields, map->map->members[i].key.str);
		if (field != NULL)                        /* else told already */
			parts[i] = field_read(
				scope, secrets, field, &map->map->members[i].value);
		good &= parts[i] != NULL;
	}
	return good ? template_join(mem, map, parts) : NULL;
}
