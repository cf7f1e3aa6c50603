#include "data/expr_check.h"

static const char *const signs[] = {
	[NODE_ADD] = "+",
	[NODE_SUB] = "-",
	[NODE_MUL] = "*",
	[NODE_DIV] = "/",
	[NODE_MOD] = "%",
	[NODE_EQ] = "==",
	[NODE_NE] = "!=",
	[NODE_LT] = "<",
	[NODE_LE] = "<=",
	[NODE_GT] = ">",
	[NODE_GE] = ">=",
	[NODE_IN] = "in",
};

static bool
is_time(const struct expr_type *type)
{
	return type_is(type, V_TIMESTAMP) || type_is(type, V_DURATION);
}

/* The result of a calculation of a and b, both known; NULL: there is none. */
static const struct expr_type *
calculate(struct checker *c, enum node_kind op, const struct expr_type *a,
	const struct expr_type *b)
{
	bool same = a->kind == b->kind, differ = false;
	if (same && type_is_number(a))
		return op == NODE_MOD && a->kind == V_DOUBLE ? NULL : a;
	if (op == NODE_ADD && same && (a->kind == V_STRING || a->kind == V_BYTES))
		return a;
	if (op == NODE_ADD && same && a->kind == V_LIST)
		return type_join(c->mem, a, b, &differ);
	if ((op != NODE_ADD && op != NODE_SUB) || !is_time(a) || !is_time(b))
		return NULL;
	if (same && (a->kind == V_DURATION || op == NODE_SUB))
		return &expr_duration;
	return same || (op == NODE_SUB && a->kind == V_DURATION) ? NULL : &expr_timestamp;
}

/* With one side dyn: what the other side leaves open. */
static const struct expr_type *
half_known(struct checker *c, enum node_kind op, const struct expr_type *a,
	const struct expr_type *b)
{
	const struct expr_type *known = a->dyn ? b : a;
	if (known->dyn || is_time(known))
		return &expr_dyn;
	return calculate(c, op, known, known) == NULL ? NULL
		: known->kind == V_LIST               ? &expr_list
						      : known;
}

static bool
may_compare(const struct expr_type *a, const struct expr_type *b)
{
	const struct expr_type *known = a->dyn ? b : a;
	if (known->dyn)
		return true;
	if (known->kind == V_NULL || known->kind == V_LIST || known->kind == V_MAP
		|| known->kind == V_TYPE || known->kind == V_OPTIONAL)
		return false;
	return a->dyn || b->dyn || a->kind == b->kind
		|| (type_is_number(a) && type_is_number(b));
}

static bool
may_hold(const struct expr_type *item, const struct expr_type *in)
{
	if (in->dyn)
		return true;
	if (in->kind == V_LIST)
		return type_may_equal(item, type_of_items(in));
	return in->kind == V_MAP && type_may_equal(item, type_of_keys(in));
}

/* A text beside a time: the author forgot the function. */
static bool
hint_time(const struct node *a, const struct node *b, struct err *err)
{
	const struct node *time = is_time(a->type) ? a : b, *other = time == a ? b : a;
	if (!is_time(time->type) || other->type->dyn)
		return false;
	const char *make = time->type->kind == V_TIMESTAMP ? "timestamp" : "duration";
	if (other->kind == NODE_CONST && other->value.kind == V_STRING)
		err_hint(err, "write %s('%.*s')", make, STR_FMT(other->value.str));
	else if (other->type->kind == V_STRING)
		err_hint(err, "write %s(…) around the text", make);
	else if (type_is_number(other->type))
		err_hint(err, "a number of seconds becomes one by %s",
			time->type->kind == V_TIMESTAMP ? "timestamp(x)"
							: "duration(string(x) + 's')");
	else
		return false;
	return true;
}

static void
no_operator(struct checker *c, const struct node *node)
{
	const struct node *a = node->first, *b = a->next;
	struct err *err = check_complain(c, node->name_from, node->name_to, ERR_TYPE,
		"no such operation: %s %s %s", expr_type_name(c->scratch, a->type),
		signs[node->kind], expr_type_name(c->scratch, b->type));
	bool text = type_is(a->type, V_STRING) || type_is(b->type, V_STRING);
	if (hint_time(a, b, err))
		return;
	if (type_is_number(a->type) && type_is_number(b->type))
		err_hint(err, "%s",
			node->kind == NODE_MOD ? "% is for integers: int(x)"
					       : "numbers of different kinds do not mix: "
						 "double(x) or int(x) makes them alike");
	else if (node->kind == NODE_ADD && text)
		err_hint(err, "string(x) makes text of it");
	else if (text && (type_is_number(a->type) || type_is_number(b->type)))
		err_hint(err, "int(x) or double(x) reads a number from text");
	else if (node->kind == NODE_IN && type_is(b->type, V_STRING))
		err_hint(err, "text.contains(part) looks for a part of a text");
}

static const struct expr_type *
check_binary(struct checker *c, struct node *node)
{
	struct node *left = node->first, *right = left->next;
	size_t errors = c->diags->errors;
	const struct expr_type *a = check_node(c, left), *result = &expr_bool;
	/* A name with a hyphen in it is told once. */
	if (node->kind == NODE_SUB && c->diags->errors > errors
		&& left->to + 1 == right->from)
		return &expr_dyn;
	const struct expr_type *b = check_node(c, right);
	enum node_kind op = node->kind;
	if (op <= NODE_MOD)
		result = a->dyn || b->dyn ? half_known(c, op, a, b)
					  : calculate(c, op, a, b);
	else if (op == NODE_EQ || op == NODE_NE)
		result = type_may_equal(a, b) ? result : NULL;
	else if (op == NODE_IN)
		result = may_hold(a, b) ? result : NULL;
	else
		result = may_compare(a, b) ? result : NULL;
	if (result == NULL) {
		no_operator(c, node);
		return op <= NODE_MOD ? &expr_dyn : &expr_bool;
	}
	return result;
}

const struct expr_type *
check_operator(struct checker *c, struct node *node)
{
	if (node->kind != NODE_NOT && node->kind != NODE_NEG)
		return check_binary(c, node);
	const struct expr_type *type = check_node(c, node->first);
	if (node->kind == NODE_NOT) {
		check_bool(c, node->first, "!");
		return &expr_bool;
	}
	if (!type->dyn && type->kind != V_INT && type->kind != V_DOUBLE) {
		check_complain(c, node->from, node->to, ERR_TYPE,
			"no such operation: -%s", expr_type_name(c->scratch, type));
		return &expr_dyn;
	}
	return type;
}
