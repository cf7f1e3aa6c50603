#include "data/expr_check.h"

#include "data/expr_eval.h"

enum { MOST_FOLDED = 4096 }; /* items of a folded list or map; bytes of a folded text */

/* math.abs(x): the receiver is a namespace and no value. The node becomes a call of
 * "math.abs". */
static void
resolve_namespace(struct checker *c, struct node *node)
{
	const struct node *space = node->first;
	size_t n;
	if (space->kind != NODE_NAME)
		return;
	struct str name = {arena_printf(c->scratch, "%.*s.%.*s", STR_FMT(space->name),
				   STR_FMT(node->name)),
		space->name.n + 1 + node->name.n};
	if (func_rows(name, &n) == NULL)
		return;
	for (const struct local *local = c->locals; local != NULL; local = local->outer)
		if (str_eq(local->name, space->name))
			return;
	node->name = name;
	node->name_from = space->from;
	node->first = space->next;
	node->n--;
	if (node->n == 0)
		node->last = NULL;
	node->flags &= (uint8_t)~NODE_METHOD;
}

static bool
is_namespace(struct arena *mem, const struct node *node)
{
	if (node->kind != NODE_NAME)
		return false;
	struct str prefix = str_of(arena_printf(mem, "%.*s.", STR_FMT(node->name)));
	size_t n;
	const struct expr_function *rows = expr_functions(&n);
	for (size_t i = 0; i < n; i++)
		if (str_starts(str_of(rows[i].name), prefix))
			return true;
	return false;
}

struct foreign {
	const char *name, *hint;
};

/* Functions of other languages. */
static const struct foreign foreigners[] = {
	{"default", "x.?name.orValue(d)"},
	{"coalesce", "x.?name.orValue(d)"},
	{"len", "size(x)"},
	{"length", "size(x)"},
	{"count", "size(x), or size(xs.filter(x, …))"},
	{"str", "string(x)"},
	{"tostring", "string(x)"},
	{"toString", "string(x)"},
	{"float", "double(x)"},
	{"number", "double(x)"},
	{"lower", "x.lowerAscii()"},
	{"toLowerCase", "x.lowerAscii()"},
	{"upper", "x.upperAscii()"},
	{"toUpperCase", "x.upperAscii()"},
	{"any", "xs.exists(x, …)"},
	{"every", "xs.all(x, …)"},
	{"some", "xs.exists(x, …)"},
	{"includes", "x in xs, or text.contains(part)"},
	{"toJSON", "json.marshal(x)"},
	{"fromJSON", "json.unmarshal(text)"},
	{"tojson", "json.marshal(x)"},
	{"fromjson", "json.unmarshal(text)"},
	{"date", "timestamp(text)"},
	{"strip", "x.trim()"},
	{"success", "steps.x.status == 'done'"},
	{"failure", "steps.x.status == 'failed'"},
	{"always", "leave `when` out"},
	{"match", "x.matches('…')"},
	{"test", "x.matches('…')"},
};

static void
hint_function(struct checker *c, const struct node *node, struct err *err)
{
	size_t n;
	bool method = node->flags & NODE_METHOD;
	const struct expr_function *rows = func_rows(node->name, &n);
	if (rows != NULL && !method) {
		err_hint(err, "it is called as %s", rows->signature);
		return;
	}
	if (rows != NULL) {
		err_hint(err, "it is called as %s", rows->signature);
		return;
	}
	for (size_t i = 0; i < sizeof foreigners / sizeof *foreigners; i++)
		if (str_is(node->name, foreigners[i].name)) {
			err_hint(err, "here it is %s", foreigners[i].hint);
			return;
		}
	for (size_t i = 0; i < c->env->n_roots && !method; i++)
		if (str_is(node->name, c->env->roots[i].name)) {
			err_hint(err, "%s is a value: write it without ()",
				c->env->roots[i].name);
			return;
		}
	const char *near = near_name(node->name, func_names(c->scratch, method));
	if (near == NULL)
		near = near_name(node->name, func_names(c->scratch, !method));
	if (near != NULL)
		err_hint(err, "did you mean %s?", near);
}

static void
no_function(struct checker *c, const struct node *node)
{
	bool space = (node->flags & NODE_METHOD) && is_namespace(c->scratch, node->first);
	struct str name = node->name;
	if (space)
		name = str_of(arena_printf(c->scratch, "%.*s.%.*s",
			STR_FMT(node->first->name), STR_FMT(name)));
	struct err *err = check_complain(c, space ? node->first->from : node->name_from,
		node->name_to, ERR_UNKNOWN_NAME, "there is no function %.*s",
		name.n > 80 ? 80 : STR_FMT(name));
	struct node full = *node;
	if (space) {
		full.name = name;
		full.flags &= (uint8_t)~NODE_METHOD;
	}
	hint_function(c, &full, err);
}

static void
no_overload(struct checker *c, const struct node *node, const struct expr_function *rows,
	size_t n)
{
	struct buf types = buf_in(c->scratch), takes = buf_in(c->scratch);
	const struct node *kid = node->first;
	bool method = node->flags & NODE_METHOD;
	if (method) {
		buf_puts(&types, expr_type_name(c->scratch, kid->type));
		buf_putc(&types, '.');
		kid = kid->next;
	}
	buf_printf(&types, "%.*s(", STR_FMT(node->name));
	for (const char *comma = ""; kid != NULL; kid = kid->next, comma = ", ")
		buf_printf(&types, "%s%s", comma, expr_type_name(c->scratch, kid->type));
	buf_putc(&types, ')');
	size_t told = 0;
	for (size_t i = 0; i < n && told < 4; i++)
		if (func_is_method(&rows[i]) == method)
			buf_printf(&takes, "%s%s", told++ > 0 ? "; " : "",
				rows[i].signature);
	struct err *err = check_complain(c, node->name_from, node->name_to, ERR_TYPE,
		"no overload of %.*s takes this: %s", STR_FMT(node->name),
		buf_cstr(&types));
	if (told > 0)
		err_hint(err, "%s", buf_cstr(&takes));
	else if (n > 0)
		err_hint(err, "it is called as %s", rows->signature);
}

/* Whether the arguments fit a row; *result is then what it gives. */
static bool
row_fits(struct checker *c, const struct node *node, const struct func_sig *sig,
         const struct expr_type **result)
{
	const struct expr_type *bound[2] = {NULL, NULL};
	size_t i = 0;
	if (node->n != sig->n && !(sig->variadic && node->n > sig->n))
		return false;
	for (const struct node *kid = node->first; kid != NULL; kid = kid->next, i++) {
		const struct expr_type *param = sig->args[i < sig->n ? i : sig->n - 1];
		if (!c->env->unchecked && !type_fits(c->mem, param, kid->type, bound))
			return false;
	}
	*result = type_filled(c->mem, sig->result, bound);
	return true;
}

/* What the overloads that fit give: their type if all agree, else dyn. */
static const struct expr_type *
choose(struct checker *c, struct node *node, const struct expr_function *rows, size_t n)
{
	const struct expr_type *type = NULL, *one;
	struct overload *overloads = arena_array(c->mem, struct overload, n);
	struct func_sig sig;
	for (size_t i = 0; i < n; i++) {
		if (func_is_method(&rows[i]) != ((node->flags & NODE_METHOD) != 0))
			continue;
		func_signature(c->scratch, &rows[i], &sig);
		if (!row_fits(c, node, &sig, &one))
			continue;
		func_overload(&rows[i], &sig, &overloads[node->n_overloads++]);
		if (type == NULL)
			type = one;
		else if (type->dyn || one->dyn || type->kind != one->kind)
			type = &expr_dyn;
	}
	node->overloads = overloads;
	return type;
}

/* Give the chosen function its constants, so that bad ones are found now, and call it if
 * all are. */
static void
prepare(struct checker *c, struct node *node)
{
	const struct value *args[16] = {NULL};
	const struct expr_function *row = node->overloads[0].row;
	bool constant = node->n <= 16;
	size_t i = 0;
	struct err err;
	if (node->n_overloads != 1 || node->n > 16)
		return;
	for (const struct node *kid = node->first; kid != NULL; kid = kid->next, i++) {
		args[i] = kid->kind == NODE_CONST ? &kid->value : NULL;
		constant = constant && args[i] != NULL;
	}
	if (row->prepare != NULL
		&& !row->prepare(c->mem, args, node->n, &node->prepared, &err)) {
		struct err *told =
			check_complain(c, node->from, node->to, err.code, "%s", err.msg);
		memcpy(told->hint, err.hint, sizeof err.hint);
		return;
	}
	struct value out;
	if (!constant || (row->flags & FUNC_NO_FOLD)
		|| !overload_takes(&node->overloads[0], args, node->n))
		return;
	if (!eval_constant_call(c->mem, &node->overloads[0], node->prepared, args,
		    node->n, &out, &err)) {
		struct err *told =
			check_complain(c, node->from, node->to, err.code, "%s", err.msg);
		memcpy(told->hint, err.hint, sizeof err.hint);
	} else if (out.kind != V_LIST && out.kind != V_MAP && out.kind != V_OPTIONAL
		&& !((out.kind == V_STRING || out.kind == V_BYTES)
			&& out.str.n > MOST_FOLDED)) {
		check_becomes(node, out);
	}
}

const struct expr_type *
check_call(struct checker *c, struct node *node)
{
	size_t n = 0, of_style = 0;
	if (node->flags & NODE_METHOD)
		resolve_namespace(c, node);
	const struct expr_function *rows = func_rows(node->name, &n);
	for (size_t i = 0; i < n; i++)
		of_style +=
			func_is_method(&rows[i]) == ((node->flags & NODE_METHOD) != 0);
	bool space = (node->flags & NODE_METHOD) && of_style == 0
		&& is_namespace(c->scratch, node->first);
	for (struct node *kid = node->first; kid != NULL; kid = kid->next)
		if (!space || kid != node->first || c->env->unchecked)
			check_node(c, kid);
	if (of_style == 0) {
		no_function(c, node);
		return &expr_dyn;
	}
	const struct expr_type *type = choose(c, node, rows, n);
	if (type == NULL) {
		no_overload(c, node, rows, n);
		return &expr_dyn;
	}
	if (str_is(node->name, "secret"))
		c->secret = true;
	prepare(c, node);
	return type;
}

static bool
has_duplicate(const struct value *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (value_equal(&keys[i], &keys[k]))
				return true;
	return false;
}

void
check_fold_items(struct checker *c, struct node *node)
{
	size_t i = 0;
	for (const struct node *kid = node->first; kid != NULL; kid = kid->next)
		if (kid->kind != NODE_CONST || (kid->flags & NODE_ENTRY_OPTIONAL))
			return;
	if (node->n > MOST_FOLDED || (node->kind == NODE_MAP && node->n > 128))
		return;
	struct value *items = arena_array(c->mem, struct value, node->n);
	struct member *members = arena_array(c->mem, struct member, node->n);
	for (const struct node *kid = node->first; kid != NULL; kid = kid->next, i++)
		*(node->kind == NODE_LIST    ? &items[i]
				: i % 2 == 0 ? &items[i / 2]
					     : &members[i / 2].value) = kid->value;
	if (node->kind == NODE_LIST) {
		check_becomes(node, value_list(items, i));
		return;
	}
	for (size_t k = 0; k < i / 2; k++) {
		members[k].key = items[k];
		if (items[k].kind == V_DOUBLE || items[k].kind > V_STRING
			|| items[k].kind == V_NULL)
			return;
	}
	if (!has_duplicate(items, i / 2))
		check_becomes(node, value_map(c->mem, members, i / 2));
}
