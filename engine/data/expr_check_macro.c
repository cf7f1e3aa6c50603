#include "data/expr_check.h"

static void
push(struct checker *c, struct str name, const struct expr_type *type)
{
	struct local *local = arena_new_of(c->scratch, struct local);
	*local = (struct local){
		.outer = c->locals, .name = name, .type = type, .slot = c->slots++};
	c->locals = local;
	if (c->slots > c->most_slots)
		c->most_slots = c->slots;
}

/* The types of the variables that run over the range. */
static void
types_over(struct checker *c, const struct node *node, const struct expr_type *types[2])
{
	const struct node *range = node->first;
	const struct expr_type *type = range->type;
	bool sorts = node->kind == NODE_SORT_BY;
	types[0] = types[1] = type == &type_free ? type : &expr_dyn;
	if (type_is(type, V_LIST)) {
		types[0] = node->vars == 2 ? &expr_int : type_of_items(type);
		types[1] = type_of_items(type);
	} else if (type_is(type, V_MAP) && !sorts) {
		types[0] = type_of_keys(type);
		types[1] = type_of_items(type);
	} else if (!type->dyn) {
		struct err *err = check_complain(c, range->from, range->to, ERR_TYPE,
			"%.*s() runs over %s, this is %s", STR_FMT(node->name),
			sorts ? "a list" : "a list or a map",
			expr_type_name(c->scratch, type));
		if (type->kind == V_OPTIONAL)
			err_hint(err, "x.orValue([]) gives the list");
		else if (type->kind == V_STRING)
			err_hint(err, "x.split('') gives its characters");
	}
}

static const struct expr_type *
check_loop_result(struct checker *c, const struct node *node,
	const struct expr_type *const types[2])
{
	const struct node *body = node->last;
	switch ((enum node_kind)node->kind) {
	case NODE_FILTER:
		return expr_list_of(c->mem, types[0]);
	case NODE_SORT_BY:
		return type_is(node->first->type, V_LIST) ? node->first->type
							  : &expr_list;
	case NODE_TO_LIST:
		return expr_list_of(c->mem, body->type);
	case NODE_TO_MAP:
		return type_map(c->mem, types[0], body->type);
	case NODE_TO_ENTRIES:
		if (body->type->dyn || body->type->kind == V_MAP)
			return type_map(c->mem, type_of_keys(body->type),
				type_of_items(body->type));
		check_complain(c, body->from, body->to, ERR_TYPE,
			"%.*s() wants a map here, this is %s", STR_FMT(node->name),
			expr_type_name(c->scratch, body->type));
		return &expr_map;
	default:
		return &expr_bool;
	}
}

static const struct expr_type *
check_loop(struct checker *c, struct node *node)
{
	const struct expr_type *types[2];
	types_over(c, node, types);
	if (++c->nesting > CHECK_NESTING)
		check_complain(c, node->from, node->to, ERR_LIMIT,
			"loops are nested more than %d deep", CHECK_NESTING);
	push(c, node->var, types[0]);
	if (node->vars == 2)
		push(c, node->var2, types[1]);
	for (struct node *kid = node->first->next; kid != NULL; kid = kid->next) {
		check_node(c, kid);
		bool condition = node->kind <= NODE_FILTER
			|| (kid != node->last && node->kind != NODE_SORT_BY);
		if (condition)
			check_bool(c, kid,
				arena_printf(c->scratch, "%.*s()", STR_FMT(node->name)));
	}
	c->nesting--;
	return check_loop_result(c, node, types);
}

static const struct expr_type *
check_bind(struct checker *c, struct node *node)
{
	push(c, node->var, node->first->type);
	return check_node(c, node->last);
}

static const struct expr_type *
check_optional(struct checker *c, struct node *node)
{
	const struct expr_type *type = node->first->type;
	if (!type->dyn && type->kind != V_OPTIONAL)
		check_complain(c, node->first->from, node->first->to, ERR_TYPE,
			"%.*s() wants an optional, this is %s", STR_FMT(node->name),
			expr_type_name(c->scratch, type));
	push(c, node->var, type_of_items(type));
	const struct expr_type *body = check_node(c, node->last);
	if (node->kind == NODE_OPT_MAP)
		return type_optional(c->mem, body);
	if (!body->dyn && body->kind != V_OPTIONAL)
		check_complain(c, node->last->from, node->last->to, ERR_TYPE,
			"optFlatMap() wants an optional here, this is %s",
			expr_type_name(c->scratch, body));
	return type_is(body, V_OPTIONAL) ? body : type_optional(c->mem, &expr_dyn);
}

const struct expr_type *
check_macro(struct checker *c, struct node *node)
{
	const struct local *locals = c->locals;
	uint32_t slots = c->slots;
	check_node(c, node->first);
	node->number = c->slots;
	const struct expr_type *type = node->kind == NODE_BIND ? check_bind(c, node)
		: node->kind == NODE_OPT_MAP || node->kind == NODE_OPT_FLAT_MAP
		? check_optional(c, node)
		: check_loop(c, node);
	c->locals = locals;
	c->slots = slots;
	return type;
}
