#include "data/expr_lib.h"

static bool
give(struct expr_frame *f, const struct value *v, struct value *out)
{
	struct value *kept = NULL;
	if (v != NULL) {
		kept = arena_new_of(f->mem, struct value);
		*kept = *v;
	}
	*out = (struct value){.kind = V_OPTIONAL, .opt = kept};
	return true;
}

bool
func_optional_of(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return give(f, args[0], out);
}

bool
func_optional_none(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)args;
	(void)n;
	return give(f, NULL, out);
}

static bool
is_zero(const struct value *v)
{
	switch ((enum value_kind)v->kind) {
	case V_NULL:
		return true;
	case V_BOOL:
		return !v->b;
	case V_INT: case V_UINT:
		return v->i == 0;
	case V_DOUBLE:
		return v->d == 0;
	case V_STRING: case V_BYTES:
		return v->str.n == 0;
	case V_LIST:
		return v->list.n == 0;
	case V_MAP:
		return v->map->n == 0;
	case V_DURATION: case V_TIMESTAMP:
		return v->span.s == 0 && v->span.ns == 0;
	case V_OPTIONAL:
		return v->opt == NULL;
	default:
		return false;
	}
}

bool
func_of_non_zero(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return give(f, is_zero(args[0]) ? NULL : args[0], out);
}

/* optional.unwrap(list), list.unwrapOpt(): the values of the optionals that have one. */
bool
func_unwrap(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct list_builder kept = {.mem = f->mem};
	(void)n;
	for (size_t i = 0; i < args[0]->list.n; i++) {
		const struct value *item = &args[0]->list.items[i];
		if (!frame_charge(f, 10))
			return false;
		if (item->kind != V_OPTIONAL)
			return err_set(f->err, ERR_TYPE,
				"item %zu of the list is no optional", i);
		if (item->opt != NULL)
			list_push(&kept, *item->opt);
	}
	*out = list_done(&kept);
	return true;
}

bool
func_has_value(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = value_bool(args[0]->opt != NULL);
	return true;
}

bool
func_value(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	if (args[0]->opt == NULL) {
		err_set(f->err, ERR_ABSENT_KEY, "the optional has no value");
		return err_hint(f->err, "where it may be absent: .orValue(…)");
	}
	*out = *args[0]->opt;
	return true;
}

bool
func_or(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = *args[args[0]->opt == NULL];
	return true;
}

bool
func_or_value(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = args[0]->opt == NULL ? *args[1] : *args[0]->opt;
	return true;
}
