#include "data/expr_eval.h"

#include <stdarg.h>
#include <stdio.h>

#include "data/expr_check.h"
#include "data/expr_type.h"

enum { COST_OF_ERROR = 10, COST_OF_BYTES = 10 };

/* ---- errors and the budget */

static const struct value *
fail_placed(struct eval *e, const struct code *c)
{
	struct mark at = expr_place(e->expr->at, e->expr->map, c->from, c->to);
	e->steps += COST_OF_ERROR;
	err_at(e->err, at);
	return NULL;
}

const struct value *
eval_fail(
	struct eval *e, const struct code *c, enum err_code code, const char *format, ...)
{
	va_list args;
	*e->err = (struct err){.code = code};
	va_start(args, format);
	vsnprintf(e->err->msg, sizeof e->err->msg, format, args);
	va_end(args);
	return fail_placed(e, c);
}

const struct value *
eval_no_operator(struct eval *e, const struct code *c, const char *sign,
	const struct value *a, const struct value *b)
{
	char left[SHORT_SIZE], right[SHORT_SIZE];
	eval_fail(e, c, ERR_TYPE, "no such operation: %s %s %s (%s %s %s)",
		type_kind_name(a->kind), sign, type_kind_name(b->kind),
		eval_short(a, left), sign, eval_short(b, right));
	bool text = a->kind == V_STRING || b->kind == V_STRING;
	bool one = a->kind >= V_INT && a->kind <= V_DOUBLE,
	     other = b->kind >= V_INT && b->kind <= V_DOUBLE;
	if (a->kind == V_TIMESTAMP || b->kind == V_TIMESTAMP)
		err_hint(e->err, "timestamp(x) makes a time of text or seconds");
	else if (a->kind == V_DURATION || b->kind == V_DURATION)
		err_hint(e->err, "duration(x) makes a length of time of text");
	else if (text && (one || other))
		err_hint(e->err,
			"int(x) or double(x) reads a number from text, string(x) makes "
			"text");
	else if (one && other)
		err_hint(e->err, "double(x) or int(x) makes the numbers alike");
	return NULL;
}

const struct value *
eval_not_bool(
	struct eval *e, const struct code *c, const struct value *v, const char *where)
{
	char room[SHORT_SIZE];
	return eval_fail(e, c, ERR_TYPE, "%s wants true or false, this is %s (%s)", where,
		type_kind_name(v->kind), eval_short(v, room));
}

static bool
spent(struct err *err, const char *what)
{
	err_set(err, ERR_LIMIT, "the expression %s", what);
	return err_hint(err, "work on fewer items, or let a program do it");
}

bool
eval_charge(struct eval *e, uint64_t steps)
{
	e->steps += steps;
	if (e->steps > EXPR_BUDGET)
		return spent(e->err, "takes more than 1000000 steps");
	if (arena_used(e->mem) - e->used > EVAL_MOST_MEMORY)
		return spent(e->err, "needs more than 24 MiB");
	return true;
}

bool
frame_charge(struct expr_frame *f, uint64_t bytes)
{
	return eval_charge(f->eval, bytes / COST_OF_BYTES);
}

/* ---- values in general */

const struct value *
eval_secret(const struct value *v, struct value *room)
{
	if (v->flags & VALUE_SECRET)
		return v;
	*room = *v;
	room->flags |= VALUE_SECRET;
	return room;
}

bool
eval_look(
	struct eval *e, const struct value *v, bool *secret, const struct value **unknown)
{
	*secret = *secret || (v->flags & VALUE_SECRET);
	if (v->kind == V_UNKNOWN && *unknown == NULL)
		*unknown = v;
	if (v->kind == V_OPTIONAL && v->opt != NULL)
		return eval_look(e, v->opt, secret, unknown);
	size_t n = v->kind == V_LIST                          ? v->list.n
		: v->kind == V_MAP && v->map->members != NULL ? v->map->n
							      : 0;
	if (e != NULL && n > 0 && !eval_charge(e, 1 + n / 4))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!eval_look(e,
			    v->kind == V_LIST ? &v->list.items[i]
					      : &v->map->members[i].value,
			    secret, unknown))
			return false;
	return true;
}

static const struct value *
eval_root(struct eval *e, const struct code *c)
{
	const struct root_use *use = &e->expr->roots[c->number];
	const struct value **place = &e->roots[c->number];
	if (*place != NULL)
		return *place;
	const struct value *v =
		e->scope->roots == NULL ? NULL : e->scope->roots[use->number];
	if (v == NULL) {
		if (e->scope->root == NULL)
			return eval_fail(e, c, ERR_ABSENT_KEY, "'%s' has no value here",
				use->name);
		struct value *made = arena_new_of(e->mem, struct value);
		*e->err = (struct err){.code = ERR_NONE};
		if (!e->scope->root(e->scope, use->number, made, e->err))
			return fail_placed(e, c);
		v = made;
	}
	if (use->secret)
		v = eval_secret(v, arena_new_of(e->mem, struct value));
	return *place = v;
}

/* ---- logic: a deciding operand wins over errors, and unknown over errors that only may
 * happen */

static const struct value *
eval_terms(struct eval *e, const struct code *c, struct value *room)
{
	bool decides = c->kind == NODE_OR, failed = false, secret = false;
	const struct code *kid = &e->code[c->first];
	struct value unknown = {.kind = V_NULL};
	struct err *outer = e->err, *first = NULL;
	for (uint32_t i = 0; i < c->n; i++) {
		struct value own;
		const struct value *v = eval_code(e, &kid[i], &own);
		if (v != NULL && v->kind != V_BOOL && v->kind != V_UNKNOWN)
			v = eval_not_bool(e, &kid[i], v, decides ? "||" : "&&");
		if (v == NULL) {
			if (e->err->code == ERR_LIMIT)
				return NULL;
			if (!failed) {
				first = arena_new_of(e->mem, struct err);
				*first = *outer;
			}
			failed = true;
			continue;
		}
		secret = secret || (v->flags & VALUE_SECRET);
		if (v->kind == V_UNKNOWN) {
			unknown = unknown.kind == V_NULL ? *v : unknown;
		} else if (v->b == decides) {
			unknown.kind = V_NULL;
			failed = false;
			*room = value_bool(decides);
			room->flags = secret ? VALUE_SECRET : 0;
			return room;
		}
	}
	if (failed && unknown.kind == V_NULL) {
		*outer = *first;
		return NULL;
	}
	*room = unknown.kind == V_NULL ? value_bool(!decides) : unknown;
	room->flags |= secret ? VALUE_SECRET : 0;
	return room;
}

static const struct value *
eval_choice(struct eval *e, const struct code *c, struct value *room)
{
	struct value own;
	const struct code *kid = &e->code[c->first];
	const struct value *v = eval_code(e, kid, &own);
	if (v == NULL)
		return NULL;
	if (v->kind != V_BOOL && v->kind != V_UNKNOWN)
		return eval_not_bool(e, kid, v, "?");
	if (v->kind == V_UNKNOWN) {
		*room = *v;
		return room;
	}
	bool secret = v->flags & VALUE_SECRET;
	v = eval_code(e, v->b ? kid + 1 : kid + 2, room);
	return v != NULL && secret ? eval_secret(v, room) : v;
}

static const struct value *
eval_bind(struct eval *e, const struct code *c, struct value *room)
{
	struct value own;
	const struct code *kid = &e->code[c->first];
	e->locals[c->number] = eval_code(e, kid, &own);
	if (e->locals[c->number] == NULL)
		return NULL;
	const struct value *v = eval_code(e, kid + 1, room);
	/* The value may lie in this frame, which ends here. */
	if (v == &own) {
		*room = own;
		return room;
	}
	return v;
}

static const struct value *
eval_optional(struct eval *e, const struct code *c, struct value *room)
{
	struct value own, item;
	const struct code *kid = &e->code[c->first];
	const struct value *v = eval_code(e, kid, &own);
	if (v == NULL)
		return NULL;
	if (v->kind == V_UNKNOWN || (v->kind == V_OPTIONAL && v->opt == NULL)) {
		*room = *v;
		return room;
	}
	bool secret = v->flags & VALUE_SECRET;
	if (v->kind != V_OPTIONAL)
		return eval_fail(e, kid, ERR_TYPE, "wants an optional, this is %s",
			type_kind_name(v->kind));
	e->locals[c->number] = secret ? eval_secret(v->opt, &item) : v->opt;
	struct value *made = arena_new_of(e->mem, struct value);
	v = eval_code(e, kid + 1, made);
	if (v == NULL)
		return NULL;
	if (v != made)
		*made = *v;
	if (made->kind == V_UNKNOWN || c->kind == NODE_OPT_FLAT_MAP) {
		if (made->kind != V_UNKNOWN && made->kind != V_OPTIONAL)
			return eval_fail(e, kid + 1, ERR_TYPE,
				"wants an optional, this is %s",
				type_kind_name(made->kind));
		*room = *made;
	} else {
		*room = (struct value){.kind = V_OPTIONAL, .opt = made};
	}
	room->flags |= secret ? VALUE_SECRET : 0;
	return room;
}

const struct value *
eval_code(struct eval *e, const struct code *c, struct value *room)
{
	if (++e->steps > EXPR_BUDGET && !eval_charge(e, 0))
		return fail_placed(e, c);
	switch ((enum node_kind)c->kind) {
	case NODE_CONST:
		return c->value;
	case NODE_ROOT:
		return eval_root(e, c);
	case NODE_LOCAL:
		return e->locals[c->number];
	case NODE_SELECT:
		return eval_select(e, c, room);
	case NODE_INDEX:
		return eval_index(e, c, room);
	case NODE_CALL:
		return eval_call(e, c, room);
	case NODE_LIST:
		return eval_list(e, c, room);
	case NODE_MAP:
		return eval_map(e, c, room);
	case NODE_AND: case NODE_OR:
		return eval_terms(e, c, room);
	case NODE_IF:
		return eval_choice(e, c, room);
	case NODE_BIND:
		return eval_bind(e, c, room);
	case NODE_OPT_MAP: case NODE_OPT_FLAT_MAP:
		return eval_optional(e, c, room);
	case NODE_NAME: case NODE_FAIL:
		return eval_fail(e, c, ERR_UNKNOWN_NAME, "there is no '%.*s' here",
			STR_FMT(c->name));
	default:
		return tree_is_macro(&(struct node){.kind = c->kind})
			? eval_loop(e, c, room)
			: eval_operator(e, c, room);
	}
}
