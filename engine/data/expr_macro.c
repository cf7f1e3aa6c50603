#include "data/expr_tree.h"

/* The macros of langdef.md and of the extension libraries. Each becomes one node that
 * binds its variables; evaluation knows these nodes, so that nothing grows by being
 * expanded. */
struct macro {
	const char *name;
	uint8_t kind, vars, least, most;              /* arguments, with the variables */
};

static const struct macro macros[] = {
	{"all", NODE_ALL, 1, 2, 2},
	{"all", NODE_ALL, 2, 3, 3},
	{"exists", NODE_EXISTS, 1, 2, 2},
	{"exists", NODE_EXISTS, 2, 3, 3},
	{"exists_one", NODE_EXISTS_ONE, 1, 2, 2},
	{"exists_one", NODE_EXISTS_ONE, 2, 3, 3},
	{"existsOne", NODE_EXISTS_ONE, 1, 2, 2},
	{"existsOne", NODE_EXISTS_ONE, 2, 3, 3},
	{"filter", NODE_FILTER, 1, 2, 2},
	{"map", NODE_TO_LIST, 1, 2, 3},
	{"transformList", NODE_TO_LIST, 2, 3, 4},
	{"transformMap", NODE_TO_MAP, 2, 3, 4},
	{"transformMapEntry", NODE_TO_ENTRIES, 2, 3, 4},
	{"sortBy", NODE_SORT_BY, 1, 2, 2},
	{"optMap", NODE_OPT_MAP, 1, 2, 2},
	{"optFlatMap", NODE_OPT_FLAT_MAP, 1, 2, 2},
};

/* has(a.b): the selection itself, marked. */
static bool
expand_has(struct node *call, struct err *err)
{
	struct node *select = call->first;
	if (select->kind != NODE_SELECT || (select->flags & NODE_OPTIONAL)) {
		tree_fail(err, select->from, select->to,
			"has() wants the path of a member: has(a.b)");
		if (select->kind == NODE_INDEX)
			return err_hint(err, "'key' in map, or map[?'key'].hasValue()");
		return false;
	}
	uint32_t from = call->from, to = call->to, name_from = call->name_from;
	struct node *next = call->next;
	*call = *select;
	call->flags |= NODE_HAS;
	call->from = from;
	call->to = to;
	call->next = next;
	call->name_from = name_from;
	return true;
}

static bool
take_variable(struct node *call, struct node *kid, struct str *var, struct err *err)
{
	if (kid->kind != NODE_NAME)
		return tree_fail(err, kid->from, kid->to,
			"%.*s() wants the name of a variable here", STR_FMT(call->name));
	*var = kid->name;
	return true;
}

/* range.macro(x, e): kids become range, e. */
static bool
bind(struct node *call, unsigned vars, enum node_kind kind, struct err *err)
{
	struct node *range = call->first, *first = range->next, *rest = first->next;
	if (!take_variable(call, first, &call->var, err))
		return false;
	if (vars == 2) {
		if (!take_variable(call, rest, &call->var2, err))
			return false;
		if (str_eq(call->var, call->var2))
			return tree_fail(err, rest->from, rest->to,
				"both variables are named %.*s", STR_FMT(call->var));
		rest = rest->next;
	}
	call->kind = (uint8_t)kind;
	call->vars = (uint8_t)vars;
	range->next = rest;
	call->n -= vars;
	return true;
}

/* cel.bind(x, init, body): kids become init, body. */
static bool
expand_bind(struct node *call, struct err *err)
{
	struct node *var = call->first->next;
	if (!take_variable(call, var, &call->var, err))
		return false;
	call->kind = NODE_BIND;
	call->vars = 1;
	call->first = var->next;
	call->n = 2;
	return true;
}

bool
tree_expand(struct node *call, struct err *err)
{
	if (!(call->flags & NODE_METHOD))
		return call->n == 1 && str_is(call->name, "has") ? expand_has(call, err)
								 : true;
	if (call->n == 4 && str_is(call->name, "bind") && call->first->kind == NODE_NAME
	    && str_is(call->first->name, "cel"))
		return expand_bind(call, err);
	for (size_t i = 0; i < sizeof macros / sizeof *macros; i++) {
		const struct macro *macro = &macros[i];
		if (call->n - 1 >= macro->least && call->n - 1 <= macro->most
			&& str_is(call->name, macro->name))
			return bind(call, macro->vars, macro->kind, err);
	}
	return true;
}
