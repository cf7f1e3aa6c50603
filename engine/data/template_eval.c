#include "data/expr_lib.h"
#include "data/expr_type.h"
#include "data/template_part.h"

/* The text of a value; false: it has none. */
static bool
put_value(
	struct buf *out, const struct expr *expr, const struct value *v, struct err *err)
{
	struct str text;
	if (func_scalar_text(out->mem, v, &text)) {
		buf_add(out, text);
		return true;
	}
	struct expr_type type = {.kind = v->kind};
	err_set(err, ERR_TYPE, "%s cannot be put into a text", type_kind_name(v->kind));
	err_hint(err, "%s", template_kind_hint(&type));
	return err_at(err, expr_mark(expr));
}

static bool
leave(const struct expr *expr, const struct value *v, struct err *err)
{
	if (v->kind != V_OPTIONAL && v->kind != V_TYPE)
		return true;
	err_set(err, ERR_TYPE, "%s cannot leave an expression", type_kind_name(v->kind));
	if (v->kind == V_OPTIONAL)
		err_hint(err, ".orValue(…) gives its value");
	return err_at(err, expr_mark(expr));
}

static bool
eval_text(const struct part *part, const struct expr_scope *scope, struct arena *mem,
          struct value *out, struct err *err)
{
	struct buf text = buf_in(mem);
	struct value v, unknown = {.kind = V_NULL};
	unsigned secret = 0;
	for (size_t i = 0; i < part->n_pieces; i++) {
		const struct piece *piece = &part->pieces[i];
		if (piece->expr == NULL) {
			buf_add(&text, piece->text);
			continue;
		}
		if (!expr_eval(piece->expr, scope, mem, &v, err))
			return false;
		secret |= v.flags & VALUE_SECRET;
		if (part->whole && !part->as_text) {
			*out = v;
			return leave(piece->expr, &v, err);
		}
		if (v.kind == V_UNKNOWN)
			unknown = unknown.kind == V_NULL ? v : unknown;
		else if (!put_value(&text, piece->expr, &v, err))
			return false;
	}
	*out = unknown.kind == V_UNKNOWN ? unknown : func_text_of(&text);
	out->flags = (uint8_t)secret;
	return true;
}

static bool
eval_part(const struct part *part, const struct expr_scope *scope, struct arena *mem,
          struct value *out, struct err *err)
{
	const struct value *source = part->source;
	bool list = source->kind == V_LIST;
	size_t n = template_count_kids(part);
	*out = *source;
	if (part->constant)
		return true;
	if (source->kind == V_STRING) {
		if (!eval_text(part, scope, mem, out, err))
			return false;
	} else if (list) {
		struct value *items = arena_array(mem, struct value, n);
		for (size_t i = 0; i < n; i++)
			if (!eval_part(&part->kids[i], scope, mem, &items[i], err))
				return false;
		*out = value_list(items, n);
	} else {
		struct member *members = arena_array(mem, struct member, n);
		for (size_t i = 0; i < n; i++) {
			members[i].key = source->map->members[i].key;
			if (!eval_part(
				    &part->kids[i], scope, mem, &members[i].value, err))
				return false;
		}
		*out = value_map(mem, members, n);
	}
	out->source = source->source;
	out->from = source->from;
	out->to = source->to;
	return true;
}

bool
template_eval(const struct template *template, const struct expr_scope *scope,
	struct arena *mem, struct value *out, struct err *err)
{
	return eval_part(&template->top, scope, mem, out, err);
}

/* ---- the recorded form */

static bool
is_marked(const struct value *v)
{
	return value_get(v, "$expr") != NULL || value_get(v, "$plain") != NULL;
}

static struct value
one_member(struct arena *mem, const char *key, struct value v)
{
	struct member *member = arena_new_of(mem, struct member);
	*member = (struct member){value_str(str_of(key)), v};
	return value_map(mem, member, 1);
}

/* Data as it is, with maps that look like marks wrapped. */
static struct value
shield(struct arena *mem, const struct value *v)
{
	size_t n = v->kind == V_LIST                          ? v->list.n
		: v->kind == V_MAP && v->map->members != NULL ? v->map->n
							      : 0;
	if (n == 0)
		return *v;
	struct value *items = arena_array(mem, struct value, n);
	struct member *members = arena_array(mem, struct member, n);
	for (size_t i = 0; i < n && v->kind == V_LIST; i++)
		items[i] = shield(mem, &v->list.items[i]);
	if (v->kind == V_LIST)
		return value_list(items, n);
	for (size_t i = 0; i < n; i++)
		members[i] = (struct member){
			v->map->members[i].key, shield(mem, &v->map->members[i].value)};
	struct value shielded = value_map(mem, members, n);
	return is_marked(v) ? one_member(mem, "$plain", shielded) : shielded;
}

static struct value
record(const struct part *part, const struct value *v, struct arena *mem)
{
	size_t n = template_count_kids(part);
	bool list = v->kind == V_LIST && part->source->kind == V_LIST && v->list.n == n;
	bool map = v->kind == V_MAP && part->source->kind == V_MAP
		&& v->map->members != NULL && v->map->n == n;
	if (part->source->kind == V_STRING && value_is_secret(v))
		return one_member(mem, "$expr", value_str(part->source->str));
	if (n == 0 || (!list && !map))
		return shield(mem, v);
	struct value *items = arena_array(mem, struct value, n);
	struct member *members = arena_array(mem, struct member, n);
	for (size_t i = 0; i < n; i++)
		if (list)
			items[i] = record(&part->kids[i], &v->list.items[i], mem);
		else
			members[i] = (struct member){v->map->members[i].key,
				record(&part->kids[i], &v->map->members[i].value, mem)};
	if (list)
		return value_list(items, n);
	struct value recorded = value_map(mem, members, n);
	return is_marked(v) ? one_member(mem, "$plain", recorded) : recorded;
}

struct value
template_record(
	const struct template *template, const struct value *value, struct arena *mem)
{
	return record(&template->top, value, mem);
}

struct restorer {
	struct arena *mem;
	const struct expr_env *env;
	const struct expr_scope *scope;
	struct err *err;
};

static bool
restore_expr(struct restorer *r, const struct value *text, struct value *out)
{
	struct diags diags = {.mem = r->mem};
	const struct template *template =
		template_compile(r->mem, text, r->env, 0, NULL, &diags);
	if (template == NULL) {
		*r->err = diags.first->err;
		return false;
	}
	return template_eval(template, r->scope, r->mem, out, r->err);
}

static bool restore(struct restorer *r, const struct value *v, struct value *out);

static bool
restore_members(struct restorer *r, const struct map *map, struct value *out)
{
	struct member *members = arena_array(r->mem, struct member, map->n);
	for (size_t i = 0; i < map->n; i++) {
		members[i].key = map->members[i].key;
		if (!restore(r, &map->members[i].value, &members[i].value))
			return false;
	}
	*out = value_map(r->mem, members, map->n);
	return true;
}

static bool
restore(struct restorer *r, const struct value *v, struct value *out)
{
	const struct value *text = value_get(v, "$expr"), *plain = value_get(v, "$plain");
	*out = *v;
	if (v->kind == V_MAP && v->map->n == 1 && text != NULL && text->kind == V_STRING)
		return restore_expr(r, text, out);
	if (v->kind == V_MAP && v->map->n == 1 && plain != NULL && plain->kind == V_MAP)
		return restore_members(r, plain->map, out);
	if (v->kind == V_MAP && v->map->members != NULL)
		return restore_members(r, v->map, out);
	if (v->kind != V_LIST)
		return true;
	struct value *items = arena_array(r->mem, struct value, v->list.n);
	for (size_t i = 0; i < v->list.n; i++)
		if (!restore(r, &v->list.items[i], &items[i]))
			return false;
	*out = value_list(items, v->list.n);
	return true;
}

bool
template_restore(struct arena *mem, const struct value *recorded,
	const struct expr_env *env, const struct expr_scope *scope, struct value *out,
	struct err *err)
{
	struct restorer r = {mem, env, scope, err};
	return restore(&r, recorded, out);
}
