/* Types as the checker reasons about them: gradual, so dyn fits everywhere. */
#ifndef DATA_EXPR_TYPE_H
#define DATA_EXPR_TYPE_H

#include "data/expr.h"

/* Of the items of [] and of optional.none(): dyn, but gives way to any other type. */
extern const struct expr_type type_free;
extern const struct expr_type type_type;              /* of types */

static inline bool
type_is(const struct expr_type *type, enum value_kind kind)
{
	return !type->dyn && type->kind == kind;
}

static inline bool
type_is_number(const struct expr_type *type)
{
	return !type->dyn
		&& (type->kind == V_INT || type->kind == V_UINT
			|| type->kind == V_DOUBLE);
}

const struct expr_type *type_of_items(
	const struct expr_type *type); /* of a LIST, MAP, OPTIONAL; never NULL */
const struct expr_type *type_of_keys(const struct expr_type *type);
const struct expr_type *type_map(
	struct arena *mem, const struct expr_type *key, const struct expr_type *of);
const struct expr_type *type_optional(struct arena *mem, const struct expr_type *of);

/* The type of a value that has one of two; dyn where they have nothing in common and
 * *differ is set. */
const struct expr_type *type_join(struct arena *mem, const struct expr_type *a,
	const struct expr_type *b, bool *differ);
bool type_may_equal(const struct expr_type *a,
	const struct expr_type *b); /* whether == can ever hold */

/* Whether an argument of type `actual` fits the parameter; variables are bound on the
 * way. */
bool type_fits(struct arena *mem, const struct expr_type *param,
	const struct expr_type *actual, const struct expr_type *bound[2]);
const struct expr_type *type_filled(struct arena *mem, const struct expr_type *type,
	const struct expr_type *const bound[2]);

const struct expr_type *type_named(struct str name);  /* of "int", "list", ...; NULL */
const char *type_kind_name(
	enum value_kind kind); /* as CEL calls it: "int", "null_type" */

#endif
