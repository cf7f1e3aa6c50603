#include "../steps/aws/result.h"

struct value
result_told(struct arena *mem, const struct value *v)
{
	struct value out = *v;
	struct list_builder list = {.mem = mem};
	struct map_builder map = {.mem = mem};
	switch (v->kind) {
	case V_TIMESTAMP:
		out = value_str(str_of(time_text(mem, v->span)));
		break;
	case V_BYTES:
		out = value_str(str_of(base64_text(mem, v->str.p, v->str.n)));
		break;
	case V_LIST:
		for (size_t i = 0; i < v->list.n; i++)
			list_push(&list, result_told(mem, &v->list.items[i]));
		out = list_done(&list);
		break;
	case V_MAP:
		for (size_t i = 0; i < v->map->n; i++)
			map_put_str(&map, v->map->members[i].key.str,
				result_told(mem, &v->map->members[i].value));
		out = map_done(&map);
		break;
	default: return out;
	}
	out.flags = v->flags;
	return out;
}

bool
result_is_plain(struct str service, struct str operation, const struct value *with)
{
	static const char *const names[] = {"GetParameter", "GetParameters",
		"GetParametersByPath", "GetParameterHistory", NULL};
	for (size_t i = 0; str_is(service, "ssm") && names[i] != NULL; i++)
		if (str_is(operation, names[i]))
			return !value_get_bool(with, "WithDecryption", false);
	return false;
}

/* Below `name` itself, else in the only map that the result holds: InvalidationId is
 * Invalidation.Id. */
const struct value *
result_find(const struct value *result, struct str name)
{
	const struct value *inner = NULL;
	if (result == NULL || result->kind != V_MAP)
		return NULL;
	const struct value *own = map_at(result->map, name);
	for (size_t i = 0; own == NULL && i < result->map->n; i++)
		if (result->map->members[i].value.kind == V_MAP) {
			if (inner != NULL)
				return NULL;
			inner = &result->map->members[i].value;
		}
	return own != NULL ? own : inner == NULL ? NULL : map_at(inner->map, name);
}

bool
result_says(
	struct arena *mem, struct str text, const struct value *result, struct value *out)
{
	static const struct expr_root roots[] = {{"result", &expr_dyn, false}};
	const struct expr_env env = {.roots = roots, .n_roots = 1};
	struct source source = {.name = "model", .text = text};
	struct diags diags = {.mem = mem};
	struct err ignored;
	if (text.n == 0 || result == NULL)
		return false;
	const struct expr *expr = expr_compile(
		mem, text, (struct mark){&source, 0, 0}, NULL, &env, &diags);
	const struct value *values[] = {result};
	struct expr_scope scope = {.roots = values};
	return expr != NULL && expr_eval(expr, &scope, mem, out, &ignored);
}

/* ---- types */

/* What the types of one step share. */
struct known {
	struct arena *mem;
	const char *service_name;
	bool plain; /* what the model calls sensitive is not secret here */
	struct service *service;                      /* NULL: not read yet */
};

struct result_type {
	struct expr_type type;
	struct known *known;
	const char *operation; /* of the whole result; NULL: below it */
	const struct shape *shape;                    /* NULL: not read yet, or nothing */
};

static bool find(const struct expr_type *type, struct str name, struct expr_member *out,
	struct err *why);
static const char *const *names(const struct expr_type *type, struct arena *mem);

static const struct expr_type *
structure_type(struct known *known, const char *operation, const struct shape *shape)
{
	struct result_type *type = arena_new_of(known->mem, struct result_type);
	*type = (struct result_type){
		.known = known, .operation = operation, .shape = shape};
	type->type = (struct expr_type){
		.kind = V_MAP, .find = find, .names = names, .with = type};
	return &type->type;
}

static const struct expr_type *
type_of_shape(struct known *known, const struct shape *shape)
{
	const struct shape *item;
	if (shape == NULL || shape->traits & TRAIT_DOCUMENT)
		return &expr_dyn;
	switch (shape->kind) {
	case SHAPE_STRUCTURE: return structure_type(known, NULL, shape);
	case SHAPE_LIST:
		item = service_shape(known->service, shape->item.shape);
		return expr_list_of(known->mem, type_of_shape(known, item));
	case SHAPE_MAP:
		item = service_shape(known->service, shape->value.shape);
		return expr_map_of(known->mem, type_of_shape(known, item));
	case SHAPE_INT: return &expr_int;
	case SHAPE_FLOAT: return &expr_double;
	case SHAPE_BOOL: return &expr_bool;
	default: return &expr_string;
	}
}

static const struct shape *
shape_of(const struct result_type *type)
{
	struct known *known = type->known;
	if (type->shape != NULL || type->operation == NULL)
		return type->shape;
	if (known->service == NULL)
		known->service = model_service(
			model_open(known->mem), str_of(known->service_name));
	const struct operation *operation =
		service_operation(known->service, str_of(type->operation));
	return service_shape(known->service, operation->output.shape);
}

static bool
find(const struct expr_type *type, struct str name, struct expr_member *out,
	struct err *why)
{
	const struct result_type *result = type->with;
	const struct shape *shape = shape_of(result);
	if (result->operation != NULL && str_is(name, "code")) {
		*out = (struct expr_member){.type = &expr_string};
		return true;
	}
	const struct shape_ref *ref = shape == NULL ? NULL : shape_find(shape, name);
	if (ref == NULL)
		return err_set(why, ERR_UNKNOWN_NAME, "there is no '%.*s' in %s",
			STR_FMT(name),
			result->operation != NULL
				? arena_printf(result->known->mem, "the result of %s",
					  result->operation)
				: shape->name);
	const struct shape *member = service_shape(result->known->service, ref->shape);
	bool sensitive = member != NULL && ref_traits(ref, member) & TRAIT_SENSITIVE;
	*out = (struct expr_member){.type = type_of_shape(result->known, member),
		.secret = sensitive && !result->known->plain};
	return true;
}

static const char *const *
names(const struct expr_type *type, struct arena *mem)
{
	const struct result_type *result = type->with;
	const struct shape *shape = shape_of(result);
	size_t n = shape == NULL ? 0 : shape->n_members, all = 0;
	const char **list = arena_array(mem, const char *, n + 2);
	for (size_t i = 0; i < n; i++)
		list[all++] = shape->members[i].name;
	if (result->operation != NULL)
		list[all++] = "code";
	return list;
}

const struct expr_type *
result_type(struct arena *mem, const struct value *args)
{
	struct str operation,
		service = str_cut(value_get_str(args, "call"), '.', &operation);
	struct known *known = arena_new_of(mem, struct known);
	*known = (struct known){.mem = mem,
		.service_name = str_cstr(mem, service),
		.plain = result_is_plain(service, operation, value_get(args, "with"))};
	return structure_type(known, str_cstr(mem, operation), NULL);
}
