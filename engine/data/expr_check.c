#include "data/expr_check.h"

#include <stdarg.h>
#include <stdio.h>

struct mark
expr_place(struct mark at, const uint32_t *map, uint32_t from, uint32_t to)
{
	if (at.source == NULL)
		return at;
	if (map == NULL)
		return (struct mark){at.source, at.from + from, at.from + to};
	uint32_t last = to > from ? map[to - 1] + 1 : map[from];
	return (struct mark){at.source, map[from], last};
}

struct err *
check_complain(struct checker *c, uint32_t from, uint32_t to, enum err_code code,
	const char *format, ...)
{
	char message[sizeof c->unheard.msg];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	if (c->env->unchecked)
		return &c->unheard;
	struct err *err =
		diag_error(c->diags, expr_place(c->at, c->map, from, to), "%s", message);
	err->code = code;
	return err;
}

void
check_becomes(struct node *node, struct value value)
{
	node->kind = NODE_CONST;
	node->value = value;
	node->first = node->last = NULL;
	node->n = 0;
}

void
check_bool(struct checker *c, struct node *node, const char *where)
{
	if (node->type->dyn || node->type->kind == V_BOOL)
		return;
	struct err *err = check_complain(c, node->from, node->to, ERR_TYPE,
		"%s wants true or false, this is %s", where,
		expr_type_name(c->scratch, node->type));
	if (node->type->kind == V_STRING || node->type->kind == V_INT)
		err_hint(err, "compare it: %s",
			node->type->kind == V_STRING ? "x != ''" : "x != 0");
}

/* ---- names */

static bool
is_part(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
		|| (c >= '0' && c <= '9');
}

/* a-b without blanks: somebody means one name. */
static bool
hint_hyphen(struct checker *c, const struct node *node, struct err *err)
{
	struct str text = c->text;
	uint32_t from = node->name_from, to = node->name_to;
	bool after = to + 1 < text.n && text.p[to] == '-' && is_part(text.p[to + 1]);
	bool before = from > 1 && text.p[from - 1] == '-' && is_part(text.p[from - 2]);
	if (!after && !before)
		return false;
	while (after && to < text.n && (is_part(text.p[to]) || text.p[to] == '-'))
		to++;
	while (before && from > 0
		&& (is_part(text.p[from - 1]) || text.p[from - 1] == '-'))
		from--;
	err_hint(err, "a - in a name is minus: write x['%.*s'], or blanks around a minus",
		(int)(to - from), text.p + from);
	return true;
}

static bool
hint_member_of_root(struct checker *c, struct str name, struct err *err)
{
	struct expr_member member;
	struct err unheard;
	for (size_t i = 0; i < c->env->n_roots; i++) {
		const struct expr_root *root = &c->env->roots[i];
		if (!root->type->dyn && root->type->find != NULL
		    && root->type->find(root->type, name, &member, &unheard)) {
			err_hint(err, "did you mean %s.%.*s?", root->name, STR_FMT(name));
			return true;
		}
	}
	return false;
}

static void
unknown_name(struct checker *c, struct node *node)
{
	struct err why = {.code = ERR_NONE};
	const char **names = arena_array(c->scratch, const char *, c->env->n_roots + 1);
	for (size_t i = 0; i < c->env->n_roots; i++)
		names[i] = c->env->roots[i].name;
	if (c->env->unchecked) {
		node->kind = NODE_FAIL;
		return;
	}
	if (c->env->why_not != NULL)
		c->env->why_not(c->env, node->name, &why);
	struct str name = {node->name.p, node->name.n > 80 ? 80 : node->name.n};
	if (why.code == ERR_NONE)
		err_set(&why, ERR_NONE, "there is no '%.*s' here", STR_FMT(name));
	struct err *err = check_complain(
		c, node->name_from, node->name_to, ERR_UNKNOWN_NAME, "%s", why.msg);
	const char *near = near_name(node->name, names);
	if (why.hint[0] != '\0')
		err_hint(err, "%s", why.hint);
	else if (hint_hyphen(c, node, err) || hint_member_of_root(c, node->name, err))
		return;
	else if (near != NULL)
		err_hint(err, "did you mean %s?", near);
	else if (why.code == ERR_NONE)
		err_hint(err, "text stands in quotes: '%.*s'", STR_FMT(name));
}

/* A CONST of the type's value, if the text is the name of one. */
static bool
is_type_name(struct node *node, struct str name)
{
	const struct expr_type *type = type_named(name);
	if (type == NULL || str_is(name, "timestamp") || str_is(name, "duration"))
		return false;
	check_becomes(node, (struct value){.kind = V_TYPE, .str = name});
	return true;
}

static const struct expr_type *
check_name(struct checker *c, struct node *node)
{
	for (const struct local *local = c->locals; local != NULL; local = local->outer)
		if (str_eq(local->name, node->name)) {
			node->kind = NODE_LOCAL;
			node->number = local->slot;
			return local->type;
		}
	for (size_t i = 0; i < c->env->n_roots; i++)
		if (str_is(node->name, c->env->roots[i].name)) {
			node->kind = NODE_ROOT;
			node->number = (uint32_t)i;
			c->secret |= c->env->roots[i].secret;
			node->flags |= c->env->roots[i].secret ? NODE_SECRET : 0;
			return c->env->roots[i].type;
		}
	if (is_type_name(node, node->name))
		return &type_type;
	unknown_name(c, node);
	return &expr_dyn;
}

/* ---- members */

static void
no_members(struct checker *c, const struct node *node, const struct expr_type *type)
{
	struct err *err = check_complain(c, node->name_from, node->name_to, ERR_TYPE,
		"%s has no members", expr_type_name(c->scratch, type));
	if (str_is(node->name, "length") || str_is(node->name, "size")
		|| str_is(node->name, "count"))
		err_hint(err, "size(x) counts");
	else if (type->kind == V_LIST)
		err_hint(err, "take an item, x[0].%.*s, or all: x.map(i, i.%.*s)",
			STR_FMT(node->name), STR_FMT(node->name));
	else if (type->kind == V_TIMESTAMP || type->kind == V_DURATION)
		err_hint(err, "methods read its parts: x.getHours()");
}

static void
may_be_absent(
	struct checker *c, const struct node *node, const struct expr_member *member)
{
	const struct node *operand = node->first;
	const char *otherwise = "…";
	if (!member->type->dyn)
		otherwise = member->type->kind == V_STRING ? "''"
			: member->type->kind == V_INT      ? "0"
			: member->type->kind == V_BOOL     ? "false"
							   : otherwise;
	struct err *err = check_complain(c, node->name_from, node->name_to,
		ERR_ABSENT_KEY, "'%.*s' may be absent here", STR_FMT(node->name));
	err_hint(err, "%.*s.?%.*s.orValue(%s), or has(%.*s) && … in front",
		(int)(operand->to - operand->from), c->text.p + operand->from,
		STR_FMT(node->name), otherwise, (int)(node->to - node->from),
		c->text.p + node->from);
}

/* Of the member `name` of a value of this type. */
static const struct expr_type *
check_member(struct checker *c, struct node *node, const struct expr_type *type,
	struct str name)
{
	struct expr_member member = {.type = &expr_dyn};
	struct err why = {.code = ERR_NONE};
	if (type->dyn)
		return type == &type_free ? type : &expr_dyn;
	if (type->kind != V_MAP) {
		no_members(c, node, type);
		return &expr_dyn;
	}
	if (type->find == NULL)
		return type_of_items(type);
	if (!type->find(type, name, &member, &why)) {
		struct err *err = check_complain(c, node->name_from, node->name_to,
			why.code == ERR_NONE ? ERR_UNKNOWN_NAME : why.code, "%s",
			why.msg);
		const char *near = type->names == NULL
			? NULL
			: near_name(name, type->names(type, c->scratch));
		if (why.hint[0] != '\0')
			err_hint(err, "%s", why.hint);
		else if (!hint_hyphen(c, node, err) && near != NULL)
			err_hint(err, "did you mean %s?", near);
		return &expr_dyn;
	}
	if (member.secret && !(node->flags & NODE_HAS)) {
		node->flags |= NODE_SECRET;
		c->secret = true;
	}
	if (member.maybe && !(node->flags & (NODE_HAS | NODE_OPTIONAL))
		&& !facts_cover(c, node))
		may_be_absent(c, node, &member);
	return member.type;
}

/* What a selection or index gives as a whole: bool for has(), an optional where the
 * operand or the . is one. */
static const struct expr_type *
wrap(struct checker *c, const struct node *node, const struct expr_type *type,
	bool operand_optional)
{
	if (node->flags & NODE_HAS)
		return &expr_bool;
	if (!operand_optional && !(node->flags & NODE_OPTIONAL))
		return type;
	return type_is(type, V_OPTIONAL) ? type : type_optional(c->mem, type);
}

/* google.protobuf.Timestamp is a name with dots in it. */
static bool
is_dotted_type(struct checker *c, struct node *node)
{
	struct str path = {c->text.p + node->from, node->to - node->from};
	const struct node *base = node;
	while (base->kind == NODE_SELECT)
		base = base->first;
	return base->kind == NODE_NAME && str_is(base->name, "google")
		&& is_type_name(node, path);
}

static const struct expr_type *
check_select(struct checker *c, struct node *node)
{
	if (is_dotted_type(c, node))
		return &type_type;
	const struct expr_type *type = check_node(c, node->first);
	bool optional = type_is(type, V_OPTIONAL);
	if (optional)
		type = type_of_items(type);
	return wrap(c, node, check_member(c, node, type, node->name), optional);
}

static const struct expr_type *
check_list_index(struct checker *c, struct node *node, const struct expr_type *type)
{
	const struct node *index = node->first->next;
	if (!index->type->dyn && index->type->kind != V_INT
		&& index->type->kind != V_UINT) {
		struct err *err = check_complain(c, index->from, index->to, ERR_TYPE,
			"the index of a list is an integer, this is %s",
			expr_type_name(c->scratch, index->type));
		if (index->type->kind == V_STRING)
			err_hint(err, "to find an item: x.filter(i, i.name == …)[0]");
	}
	return type_of_items(type);
}

static const struct expr_type *
check_index(struct checker *c, struct node *node)
{
	const struct expr_type *type = check_node(c, node->first), *result = &expr_dyn;
	struct node *index = node->first->next;
	const struct expr_type *by = check_node(c, index);
	bool optional = type_is(type, V_OPTIONAL);
	if (optional)
		type = type_of_items(type);
	if (type_is(type, V_LIST)) {
		result = check_list_index(c, node, type);
	} else if (type_is(type, V_MAP)) {
		if (!type_may_equal(type_of_keys(type), by))
			check_complain(c, index->from, index->to, ERR_TYPE,
				"the keys of this map are %s, this is %s",
				expr_type_name(c->scratch, type_of_keys(type)),
				expr_type_name(c->scratch, by));
		else if (index->kind == NODE_CONST && index->value.kind == V_STRING)
			result = check_member(c, node, type, index->value.str);
		else
			result = type->find == NULL ? type_of_items(type) : &expr_dyn;
	} else if (!type->dyn) {
		check_complain(c, node->name_from, node->name_to, ERR_TYPE,
			"%s has no items", expr_type_name(c->scratch, type));
	} else if (type == &type_free) {
		result = type;
	}
	return wrap(c, node, result, optional);
}

/* ---- the rest */

static const struct expr_type *
item_type(struct checker *c, struct node *kid)
{
	const struct expr_type *type = check_node(c, kid);
	if (!(kid->flags & NODE_ENTRY_OPTIONAL))
		return type;
	if (!type->dyn && type->kind != V_OPTIONAL)
		check_complain(c, kid->from, kid->to, ERR_TYPE,
			"? in front wants an optional, this is %s",
			expr_type_name(c->scratch, type));
	return type_of_items(type);
}

static const struct expr_type *
check_list(struct checker *c, struct node *node)
{
	const struct expr_type *of = &type_free;
	bool differ = false;
	for (struct node *kid = node->first; kid != NULL; kid = kid->next)
		of = type_join(c->mem, of, item_type(c, kid), &differ);
	check_fold_items(c, node);
	return expr_list_of(c->mem, of);
}

static void
check_key(struct checker *c, const struct node *key)
{
	const struct expr_type *type = key->type;
	if (!type->dyn && type->kind != V_STRING && type->kind != V_BOOL
		&& type->kind != V_INT && type->kind != V_UINT)
		check_complain(c, key->from, key->to, ERR_TYPE,
			"the key of a map cannot be %s",
			expr_type_name(c->scratch, type));
}

static const struct expr_type *
check_map(struct checker *c, struct node *node)
{
	const struct expr_type *key = &type_free, *of = &type_free;
	bool differ = false;
	for (struct node *kid = node->first; kid != NULL; kid = kid->next->next) {
		bool optional = kid->flags & NODE_ENTRY_OPTIONAL;
		key = type_join(c->mem, key, check_node(c, kid), &differ);
		check_key(c, kid);
		if (optional)
			kid->next->flags |= NODE_ENTRY_OPTIONAL;
		of = type_join(c->mem, of, item_type(c, kid->next), &differ);
	}
	check_fold_items(c, node);
	return type_map(c->mem, key, of);
}

/* Terms from left to right; each may rely on what those before it made sure of. */
static const struct expr_type *
check_terms(struct checker *c, struct node *node)
{
	const struct fact *facts = c->facts;
	for (struct node *kid = node->first; kid != NULL; kid = kid->next) {
		check_node(c, kid);
		check_bool(c, kid, node->kind == NODE_AND ? "&&" : "||");
		facts_learn(c, kid, node->kind == NODE_AND);
	}
	c->facts = facts;
	return &expr_bool;
}

static const struct expr_type *
check_choice(struct checker *c, struct node *node)
{
	struct node *condition = node->first, *yes = condition->next, *no = yes->next;
	const struct fact *facts = c->facts;
	bool differ = false;
	check_node(c, condition);
	check_bool(c, condition, "?");
	facts_learn(c, condition, true);
	const struct expr_type *a = check_node(c, yes);
	c->facts = facts;
	facts_learn(c, condition, false);
	const struct expr_type *b = check_node(c, no),
			       *type = type_join(c->mem, a, b, &differ);
	c->facts = facts;
	if (differ) {
		struct err *err = check_complain(c, no->from, no->to, ERR_TYPE,
			"both values of a choice have the same type: these are %s and %s",
			expr_type_name(c->scratch, a), expr_type_name(c->scratch, b));
		err_hint(err, "dyn(x) lets them differ");
	}
	return type;
}

static const struct expr_type *
check_kind(struct checker *c, struct node *node)
{
	static const struct expr_type *const types[] = {
		&expr_null,
		&expr_bool,
		&expr_int,
		&expr_uint,
		&expr_double,
		&expr_string,
		&expr_bytes,
	};
	switch ((enum node_kind)node->kind) {
	case NODE_CONST:
		return node->value.kind <= V_BYTES ? types[node->value.kind] : &expr_dyn;
	case NODE_NAME:
		return check_name(c, node);
	case NODE_SELECT:
		return check_select(c, node);
	case NODE_INDEX:
		return check_index(c, node);
	case NODE_CALL:
		return check_call(c, node);
	case NODE_LIST:
		return check_list(c, node);
	case NODE_MAP:
		return check_map(c, node);
	case NODE_AND: case NODE_OR:
		return check_terms(c, node);
	case NODE_IF:
		return check_choice(c, node);
	default:
		return tree_is_macro(node) ? check_macro(c, node)
					   : check_operator(c, node);
	}
}

const struct expr_type *
check_node(struct checker *c, struct node *node)
{
	node->type = check_kind(c, node);
	return node->type;
}
