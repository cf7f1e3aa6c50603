#include "data/expr_type.h"

#include "data/expr_func.h"

const struct expr_type expr_dyn = {.dyn = true};
const struct expr_type expr_null = {.kind = V_NULL};
const struct expr_type expr_bool = {.kind = V_BOOL};
const struct expr_type expr_int = {.kind = V_INT};
const struct expr_type expr_uint = {.kind = V_UINT};
const struct expr_type expr_double = {.kind = V_DOUBLE};
const struct expr_type expr_string = {.kind = V_STRING};
const struct expr_type expr_bytes = {.kind = V_BYTES};
const struct expr_type expr_timestamp = {.kind = V_TIMESTAMP};
const struct expr_type expr_duration = {.kind = V_DURATION};
const struct expr_type expr_list = {.kind = V_LIST};
const struct expr_type expr_map = {.kind = V_MAP};
const struct expr_type type_free = {.dyn = true};
const struct expr_type type_type = {.kind = V_TYPE};
const struct expr_type func_a = {.dyn = true};
const struct expr_type func_b = {.dyn = true};

static const char *const kind_names[] = {
	"null_type", "bool", "int", "uint", "double", "string", "bytes", "list", "map",
	"timestamp", "duration", "type", "optional_type", "unknown",
};

const char *
type_kind_name(enum value_kind kind)
{
	return kind_names[kind];
}

const struct expr_type *
type_named(struct str name)
{
	static const struct expr_type optional = {.kind = V_OPTIONAL};
	static const struct expr_type *const types[] = {
		&expr_null,
		&expr_bool,
		&expr_int,
		&expr_uint,
		&expr_double,
		&expr_string,
		&expr_bytes,
		&expr_list,
		&expr_map,
		&expr_timestamp,
		&expr_duration,
		&type_type,
		&optional,
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_is(name, kind_names[types[i]->kind]))
			return types[i];
	if (str_is(name, "google.protobuf.Timestamp"))
		return &expr_timestamp;
	return str_is(name, "google.protobuf.Duration") ? &expr_duration : NULL;
}

static const struct expr_type *
new_type(struct arena *mem, enum value_kind kind, const struct expr_type *key,
	const struct expr_type *of)
{
	struct expr_type *type = arena_new_of(mem, struct expr_type);
	*type = (struct expr_type){.kind = kind, .key = key, .of = of};
	return type;
}

const struct expr_type *
expr_list_of(struct arena *mem, const struct expr_type *of)
{
	return new_type(mem, V_LIST, NULL, of);
}

const struct expr_type *
expr_map_of(struct arena *mem, const struct expr_type *of)
{
	return new_type(mem, V_MAP, &expr_string, of);
}

const struct expr_type *
type_map(struct arena *mem, const struct expr_type *key, const struct expr_type *of)
{
	return new_type(mem, V_MAP, key, of);
}

const struct expr_type *
type_optional(struct arena *mem, const struct expr_type *of)
{
	return new_type(mem, V_OPTIONAL, NULL, of);
}

const struct expr_type *
type_of_items(const struct expr_type *type)
{
	return type->dyn || type->of == NULL ? &expr_dyn : type->of;
}

const struct expr_type *
type_of_keys(const struct expr_type *type)
{
	if (!type->dyn && type->kind == V_MAP && type->find != NULL)
		return &expr_string;
	return type->dyn || type->key == NULL ? &expr_dyn : type->key;
}

static bool
has_items(const struct expr_type *type)
{
	return !type->dyn
		&& (type->kind == V_LIST || type->kind == V_MAP
			|| type->kind == V_OPTIONAL);
}

static void
name_type(struct buf *out, const struct expr_type *type)
{
	if (type->dyn) {
		buf_puts(out, type == &func_a ? "A" : type == &func_b ? "B" : "dyn");
		return;
	}
	buf_puts(out, kind_names[type->kind]);
	if (!has_items(type) || type->find != NULL)
		return;
	buf_putc(out, '(');
	if (type->kind == V_MAP) {
		name_type(out, type_of_keys(type));
		buf_puts(out, ", ");
	}
	name_type(out, type_of_items(type));
	buf_putc(out, ')');
}

char *
expr_type_name(struct arena *mem, const struct expr_type *type)
{
	struct buf out = buf_in(mem);
	name_type(&out, type);
	return arena_strdup(mem, buf_cstr(&out));
}

const struct expr_type *
type_join(struct arena *mem, const struct expr_type *a, const struct expr_type *b,
	bool *differ)
{
	if (a == b || b == &type_free)
		return a;
	if (a == &type_free)
		return b;
	if (a->dyn || b->dyn)
		return &expr_dyn;
	if (a->kind != b->kind) {
		if (a->kind == V_NULL || b->kind == V_NULL) {
			const struct expr_type *other = a->kind == V_NULL ? b : a;
			return other->kind == V_OPTIONAL ? other : &expr_dyn;
		}
		*differ = true;
		return &expr_dyn;
	}
	if (!has_items(a))
		return a;
	if (a->find != NULL || b->find != NULL)
		return &expr_map;
	const struct expr_type *of = type_join(
				       mem, type_of_items(a), type_of_items(b), differ),
			       *key = NULL;
	if (a->kind == V_MAP)
		key = type_join(mem, type_of_keys(a), type_of_keys(b), differ);
	return new_type(mem, a->kind, key, of);
}

bool
type_may_equal(const struct expr_type *a, const struct expr_type *b)
{
	if (a->dyn || b->dyn || a->kind == V_NULL || b->kind == V_NULL)
		return true;
	if (type_is_number(a) && type_is_number(b))
		return true;
	if (a->kind != b->kind)
		return false;
	if (!has_items(a) || a->find != NULL || b->find != NULL)
		return true;
	return type_may_equal(type_of_items(a), type_of_items(b))
		&& type_may_equal(type_of_keys(a), type_of_keys(b));
}

bool
type_fits(struct arena *mem, const struct expr_type *param,
	const struct expr_type *actual, const struct expr_type *bound[2])
{
	if (param == &func_a || param == &func_b) {
		const struct expr_type **var = &bound[param == &func_b];
		bool differ = false;
		*var = *var == NULL ? actual : type_join(mem, *var, actual, &differ);
		return !differ;
	}
	if (param->dyn || actual->dyn)
		return true;
	if (param->kind != actual->kind)
		return false;
	if (!has_items(param))
		return true;
	return type_fits(mem, type_of_items(param), type_of_items(actual), bound)
		&& (param->kind != V_MAP
			|| type_fits(
				mem, type_of_keys(param), type_of_keys(actual), bound));
}

const struct expr_type *
type_filled(struct arena *mem, const struct expr_type *type,
	const struct expr_type *const bound[2])
{
	if (type == &func_a || type == &func_b) {
		const struct expr_type *var = bound[type == &func_b];
		return var == NULL ? &type_free : var;
	}
	if (!has_items(type) || type->find != NULL)
		return type;
	return new_type(mem, type->kind,
		type->key == NULL ? NULL : type_filled(mem, type->key, bound),
		type_filled(mem, type_of_items(type), bound));
}
