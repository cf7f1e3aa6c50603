#include "data/expr_eval.h"

#include "data/expr_type.h"

/* A macro that runs over a list or map. */
struct loop {
	struct eval *e;
	const struct code *c, *body; /* body: the first expression over the variables */
	const struct value *range;
	size_t n, i;
	bool secret; /* what the result as a whole owes to secrets */
	struct value var, var2;
	struct value unknown; /* kind UNKNOWN: the first that was seen */
};

/* Put the variables on item i. */
static void
place(struct loop *l)
{
	const struct value *one, *two = NULL;
	bool pair = l->c->vars == 2;
	if (l->range->kind == V_LIST) {
		one = two = &l->range->list.items[l->i];
		if (pair) {
			l->var = value_int((int64_t)l->i);
			one = &l->var;
		}
	} else {
		one = &l->range->map->members[l->i].key;
		two = &l->range->map->members[l->i].value;
	}
	if (l->range->flags & VALUE_SECRET) {
		one = eval_secret(one, &l->var);
		two = eval_secret(two, &l->var2);
	}
	l->e->locals[l->c->number] = one;
	if (pair)
		l->e->locals[l->c->number + 1] = two;
}

/* The condition on item i: 1, 0, -1 unknown, -2 error. */
static int
condition(struct loop *l)
{
	struct value own;
	const struct value *v = eval_code(l->e, l->body, &own);
	if (v != NULL && v->kind != V_BOOL && v->kind != V_UNKNOWN)
		v = eval_not_bool(l->e, l->body, v, "the condition");
	if (v == NULL)
		return -2;
	l->secret = l->secret || (v->flags & VALUE_SECRET);
	if (v->kind != V_UNKNOWN)
		return v->b;
	if (l->unknown.kind != V_UNKNOWN)
		l->unknown = *v;
	return -1;
}

static const struct value *
finish(struct loop *l, struct value v, struct value *room)
{
	*room = v;
	room->flags |= l->secret ? VALUE_SECRET : 0;
	return room;
}

/* all, exists: as && and || over the items. */
static const struct value *
decide(struct loop *l, struct value *room)
{
	bool decides = l->c->kind == NODE_EXISTS, failed = false;
	struct err *first = NULL;
	for (l->i = 0; l->i < l->n; l->i++) {
		place(l);
		int holds = condition(l);
		if (holds == decides)
			return finish(l, value_bool(decides), room);
		if (holds != -2)
			continue;
		if (l->e->err->code == ERR_LIMIT)
			return NULL;
		if (!failed) {
			first = arena_new_of(l->e->mem, struct err);
			*first = *l->e->err;
		}
		failed = true;
	}
	if (l->unknown.kind == V_UNKNOWN)
		return finish(l, l->unknown, room);
	if (failed) {
		*l->e->err = *first;
		return NULL;
	}
	return finish(l, value_bool(!decides), room);
}

static const struct value *
count_one(struct loop *l, struct value *room)
{
	size_t found = 0;
	for (l->i = 0; l->i < l->n; l->i++) {
		place(l);
		int holds = condition(l);
		if (holds == -2)
			return NULL;
		found += holds == 1;
	}
	if (l->unknown.kind == V_UNKNOWN)
		return finish(l, l->unknown, room);
	return finish(l, value_bool(found == 1), room);
}

static const struct value *
filter(struct loop *l, struct value *room)
{
	struct list_builder kept = {.mem = l->e->mem};
	for (l->i = 0; l->i < l->n; l->i++) {
		place(l);
		int holds = condition(l);
		if (holds == -2 || !eval_charge(l->e, 0))
			return NULL;
		if (holds == 1)
			list_push(&kept, *l->e->locals[l->c->number]);
	}
	return finish(
		l, l->unknown.kind == V_UNKNOWN ? l->unknown : list_done(&kept), room);
}

/* Whether item i is taken, where a condition stands in front of the expression: as
 * condition(). */
static int
is_taken(struct loop *l)
{
	return l->c->n == 3 ? condition(l) : 1;
}

static const struct value *
to_list(struct loop *l, struct value *room)
{
	const struct code *item = &l->e->code[l->c->first + l->c->n - 1];
	struct list_builder made = {.mem = l->e->mem};
	struct value own;
	for (l->i = 0; l->i < l->n; l->i++) {
		place(l);
		int taken = is_taken(l);
		const struct value *v = taken == 1 ? eval_code(l->e, item, &own) : NULL;
		if (taken == -2 || (taken == 1 && v == NULL) || !eval_charge(l->e, 1))
			return NULL;
		if (taken == 1)
			list_push(&made, *v);
	}
	return finish(
		l, l->unknown.kind == V_UNKNOWN ? l->unknown : list_done(&made), room);
}

struct table {
	struct member *members;
	size_t n, cap;
};

static bool
table_put(struct loop *l, struct table *table, const struct value *key,
	const struct value *value)
{
	char text[SHORT_SIZE];
	struct map so_far = {.n = table->n, .members = table->members};
	struct value other;
	if (eval_find_key(&so_far, key, &other) != NULL)
		return eval_fail(l->e, l->c, ERR_VALUE, "the key %s is made twice",
			       eval_short(key, text))
			!= NULL;
	if (table->n == table->cap) {
		size_t cap = table->cap == 0 ? 8 : table->cap * 2;
		struct member *members = arena_array(l->e->mem, struct member, cap);
		if (table->n > 0)
			memcpy(members, table->members, table->n * sizeof *members);
		table->members = members;
		table->cap = cap;
	}
	table->members[table->n++] = (struct member){*key, *value};
	return eval_charge(l->e, 2 + table->n / 8);
}

static bool
table_add_all(struct loop *l, struct table *table, const struct value *entries)
{
	char text[SHORT_SIZE];
	if (entries->kind != V_MAP)
		return eval_fail(l->e, l->c, ERR_TYPE,
			       "transformMapEntry wants a map, this is %s (%s)",
			       type_kind_name(entries->kind), eval_short(entries, text))
			!= NULL;
	l->secret = l->secret || (entries->flags & VALUE_SECRET);
	for (size_t i = 0; i < entries->map->n; i++) {
		const struct member *member = &entries->map->members[i];
		if (!table_put(l, table, &member->key, &member->value))
			return false;
	}
	return true;
}

static const struct value *
to_map(struct loop *l, struct value *room)
{
	const struct code *item = &l->e->code[l->c->first + l->c->n - 1];
	struct table table = {.n = 0};
	struct value own;
	for (l->i = 0; l->i < l->n; l->i++) {
		place(l);
		int taken = is_taken(l);
		if (taken == -2)
			return NULL;
		if (taken != 1)
			continue;
		const struct value *v = eval_code(l->e, item, &own);
		if (v == NULL)
			return NULL;
		if (l->c->kind == NODE_TO_MAP) {
			const struct value *key = l->e->locals[l->c->number];
			l->secret = l->secret || (key->flags & VALUE_SECRET);
			if (!table_put(l, &table, key, v))
				return NULL;
		} else if (v->kind == V_UNKNOWN) {
			l->unknown = *v;
		} else if (!table_add_all(l, &table, v)) {
			return NULL;
		}
	}
	if (l->unknown.kind == V_UNKNOWN)
		return finish(l, l->unknown, room);
	return finish(l, value_map(l->e->mem, table.members, table.n), room);
}

struct keyed {
	struct value key;
	const struct value *item;
};

/* Merge sort, which keeps the order of items with the same key. */
static bool
sort(struct eval *e, struct keyed *rows, struct keyed *other, size_t n)
{
	if (n < 2)
		return true;
	size_t half = n / 2, a = 0, b = half, to = 0;
	if (!eval_charge(e, n) || !sort(e, rows, other, half)
		|| !sort(e, rows + half, other, n - half))
		return false;
	while (a < half && b < n)
		other[to++] = value_order(&rows[b].key, &rows[a].key) == -1 ? rows[b++]
									    : rows[a++];
	while (a < half)
		other[to++] = rows[a++];
	memcpy(rows, other, to * sizeof *rows);
	return true;
}

static const struct value *
sort_by(struct loop *l, struct value *room)
{
	struct eval *e = l->e;
	struct keyed *rows = arena_array(e->mem, struct keyed, l->n),
		     *other = arena_array(e->mem, struct keyed, l->n);
	struct value *items = arena_array(e->mem, struct value, l->n), own;
	for (l->i = 0; l->i < l->n; l->i++) {
		place(l);
		rows[l->i].item = &l->range->list.items[l->i];
		const struct value *key = eval_code(e, l->body, &own);
		if (key == NULL)
			return NULL;
		l->secret = l->secret || (key->flags & VALUE_SECRET);
		if (key->kind == V_UNKNOWN)
			return finish(l, *key, room);
		rows[l->i].key = *key;
		if (value_order(&rows[0].key, key) == 2)
			return eval_no_operator(e, l->body, "<", &rows[0].key, key);
	}
	if (!sort(e, rows, other, l->n))
		return NULL;
	for (size_t i = 0; i < l->n; i++)
		items[i] = *rows[i].item;
	return finish(l, value_list(items, l->n), room);
}

static const struct value *
run(struct loop *l, struct value *room)
{
	switch ((enum node_kind)l->c->kind) {
	case NODE_ALL: case NODE_EXISTS:
		return decide(l, room);
	case NODE_EXISTS_ONE:
		return count_one(l, room);
	case NODE_FILTER:
		return filter(l, room);
	case NODE_TO_LIST:
		return to_list(l, room);
	case NODE_SORT_BY:
		return sort_by(l, room);
	default:
		return to_map(l, room);
	}
}

const struct value *
eval_loop(struct eval *e, const struct code *c, struct value *room)
{
	struct value own;
	char text[SHORT_SIZE];
	const struct code *kid = &e->code[c->first];
	const struct value *range = eval_code(e, kid, &own);
	if (range == NULL)
		return NULL;
	if (range->kind == V_UNKNOWN) {
		*room = *range;
		return room;
	}
	bool list = range->kind == V_LIST,
	     map = range->kind == V_MAP && c->kind != NODE_SORT_BY;
	if (!list && !map)
		return eval_fail(e, kid, ERR_TYPE, "want a list%s here, this is %s (%s)",
			c->kind == NODE_SORT_BY ? "" : " or a map",
			type_kind_name(range->kind), eval_short(range, text));
	if (map && range->map->members == NULL && range->map->n > 0)
		return eval_fail(e, kid, ERR_TYPE,
			"this map cannot be gone through: name its members");
	struct loop l = {
		.e = e,
		.c = c,
		.body = kid + 1,
		.range = range,
		.secret = range->flags & VALUE_SECRET,
		.n = list ? range->list.n : range->map->n,
	};
	if (!eval_charge(e, l.n / 8))
		return NULL;
	return run(&l, room);
}
