#include "data/expr_eval.h"

#include "data/expr_type.h"

/* ---- reading */

static const struct value *
absent(struct eval *e, const struct code *c, const struct value *in,
	const struct value *key)
{
	char text[SHORT_SIZE];
	bool name = key->kind == V_STRING && !(key->flags & VALUE_SECRET);
	e->absent_in = value_null();
	if (name && key->str.n < 80) {
		e->absent_in = *in;
		e->absent = key->str;
		return eval_fail(e, c, ERR_ABSENT_KEY, "there is no '%.*s' in the map",
			STR_FMT(key->str));
	}
	return eval_fail(e, c, ERR_ABSENT_KEY, "there is no key %s in the map",
		eval_short(key, text));
}

static const struct value *
out_of_list(struct eval *e, const struct code *c, const struct value *in,
	const struct value *key)
{
	char text[SHORT_SIZE];
	e->absent_in = value_null();
	if (in->flags & VALUE_SECRET)
		return eval_fail(e, c, ERR_ABSENT_KEY, "the list has no such item");
	eval_fail(e, c, ERR_ABSENT_KEY, "the list has no item %s: it has %zu",
		eval_short(key, text), in->list.n);
	err_hint(e->err, "where it may be absent: x[?0].orValue(…)");
	return NULL;
}

/* The index that a number means; SIZE_MAX: none. */
static size_t
index_of(const struct value *key, bool *bad)
{
	*bad = false;
	if (key->kind == V_INT)
		return key->i < 0 ? SIZE_MAX : (size_t)key->i;
	if (key->kind == V_UINT)
		return (size_t)key->u;
	*bad = key->kind != V_DOUBLE || key->d != (double)(int64_t)key->d;
	return *bad || key->d < 0 ? SIZE_MAX : (size_t)key->d;
}

/* The item of `in` under `key`; NULL without an error where *missing is set. */
static const struct value *
find_item(struct eval *e, const struct code *c, const struct value *in,
	const struct value *key, struct value *room, bool *missing)
{
	char text[SHORT_SIZE];
	bool bad;
	*missing = false;
	if (in->kind == V_MAP) {
		const struct value *found = eval_find_key(in->map, key, room);
		*missing = found == NULL;
		return found;
	}
	if (in->kind != V_LIST) {
		eval_fail(e, c, ERR_TYPE,
			c->kind == NODE_SELECT ? "%s has no members (%s)"
					       : "%s has no items (%s)",
			type_kind_name(in->kind), eval_short(in, text));
		if (in->kind == V_NULL)
			err_hint(e->err,
				"null is there but empty: compare with != null in front");
		return NULL;
	}
	if (c->kind == NODE_SELECT) {
		eval_fail(e, c, ERR_TYPE, "list has no members");
		err_hint(e->err, "take an item, x[0].%.*s, or all: x.map(i, i.%.*s)",
			STR_FMT(c->name), STR_FMT(c->name));
		return NULL;
	}
	size_t i = index_of(key, &bad);
	if (bad)
		return eval_fail(e, c, ERR_TYPE,
			"the index of a list is an integer, this is %s (%s)",
			type_kind_name(key->kind), eval_short(key, text));
	*missing = i >= in->list.n;
	return *missing ? NULL : &in->list.items[i];
}

static const struct value *
optional_of(struct eval *e, const struct value *v, struct value *room)
{
	if (v != NULL && v->kind == V_OPTIONAL) {
		*room = *v;
		return room;
	}
	struct value *kept = NULL;
	if (v != NULL) {
		kept = arena_new_of(e->mem, struct value);
		*kept = *v;
	}
	*room = (struct value){.kind = V_OPTIONAL, .opt = kept};
	return room;
}

/* A member or item, with all that ? and has() make of it. */
static const struct value *
read_item(struct eval *e, const struct code *c, const struct value *in,
	const struct value *key, struct value *room)
{
	bool missing = false, chained = in->kind == V_OPTIONAL,
	     secret = (in->flags | key->flags) & VALUE_SECRET;
	struct value own;
	const struct value *v = NULL;
	if (chained && in->opt == NULL) {
		missing = true;
	} else {
		in = chained ? in->opt : in;
		if (in->kind == V_UNKNOWN || key->kind == V_UNKNOWN)
			v = in->kind == V_UNKNOWN ? in : key;
		else
			v = find_item(e, c, in, key, &own, &missing);
		secret = secret || (in->flags & VALUE_SECRET);
		if (v == NULL && !missing)
			return NULL;
	}
	if (v != NULL && v->kind == V_UNKNOWN
		&& (in->kind == V_UNKNOWN || key->kind == V_UNKNOWN
			|| !(c->flags & NODE_HAS)))
		*room = *v;
	else if (c->flags & NODE_HAS)
		*room = value_bool(v != NULL);
	else if (chained || (c->flags & NODE_OPTIONAL))
		optional_of(e, v, room);
	else if (missing)
		return in->kind == V_LIST ? out_of_list(e, c, in, key)
					  : absent(e, c, in, key);
	else if (v != &own && !secret)
		return v;
	else
		*room = *v;
	room->flags |= secret ? VALUE_SECRET : 0;
	return room;
}

const struct value *
eval_select(struct eval *e, const struct code *c, struct value *room)
{
	struct value own;
	const struct value *in = eval_operand(e, &e->code[c->first], &own), *v;
	if (in == NULL)
		return NULL;
	if (in->kind == V_MAP && in->map->find == NULL
		&& !((c->flags & ~NODE_SECRET) | (in->flags & VALUE_SECRET))
		&& (v = map_at(in->map, c->name)) != NULL)
		return c->flags & NODE_SECRET ? eval_secret(v, room) : v;
	struct value key = value_str(c->name);
	v = read_item(e, c, in, &key, room);
	return v != NULL && (c->flags & NODE_SECRET) ? eval_secret(v, room) : v;
}

const struct value *
eval_index(struct eval *e, const struct code *c, struct value *room)
{
	struct value own, by;
	const struct code *kid = &e->code[c->first];
	const struct value *in = eval_code(e, kid, &own), *key;
	if (in == NULL || (key = eval_code(e, kid + 1, &by)) == NULL)
		return NULL;
	const struct value *v = read_item(e, c, in, key, room);
	return v != NULL && (c->flags & NODE_SECRET) ? eval_secret(v, room) : v;
}

/* ---- making */

/* An item of a literal: evaluated, or taken out of its optional; *skip where that is
 * empty. */
static bool
make_item(struct eval *e, const struct code *c, struct value *out, bool *skip)
{
	struct value own;
	const struct value *v = eval_code(e, c, &own);
	*skip = false;
	if (v == NULL)
		return false;
	*out = *v;
	if (!(c->flags & NODE_ENTRY_OPTIONAL) || v->kind == V_UNKNOWN)
		return true;
	if (v->kind != V_OPTIONAL)
		return eval_fail(e, c, ERR_TYPE,
			       "? in front wants an optional, this is %s",
			       type_kind_name(v->kind))
			!= NULL;
	*skip = v->opt == NULL;
	if (!*skip)
		*out = *(v->flags & VALUE_SECRET ? eval_secret(v->opt, out) : v->opt);
	return true;
}

const struct value *
eval_list(struct eval *e, const struct code *c, struct value *room)
{
	struct value *items = arena_array(e->mem, struct value, c->n);
	size_t n = 0;
	bool skip;
	for (uint32_t i = 0; i < c->n; i++) {
		if (!make_item(e, &e->code[c->first + i], &items[n], &skip))
			return NULL;
		n += !skip;
	}
	*room = value_list(items, n);
	return room;
}

static bool
is_key(const struct value *v)
{
	return v->kind == V_STRING || v->kind == V_BOOL || v->kind == V_INT
		|| v->kind == V_UINT;
}

const struct value *
eval_map(struct eval *e, const struct code *c, struct value *room)
{
	struct member *members = arena_array(e->mem, struct member, c->n / 2);
	struct map so_far = {.members = members};
	struct value own;
	char text[SHORT_SIZE];
	bool skip, secret = false;
	for (uint32_t i = 0; i < c->n; i += 2) {
		const struct code *key = &e->code[c->first + i];
		const struct value *k = eval_code(e, key, &own);
		if (k == NULL || !make_item(e, key + 1, &members[so_far.n].value, &skip))
			return NULL;
		if (k->kind == V_UNKNOWN) {
			*room = *k;
			return room;
		}
		if (!is_key(k))
			return eval_fail(e, key, ERR_TYPE,
				"the key of a map cannot be %s (%s)",
				type_kind_name(k->kind), eval_short(k, text));
		struct value other;
		if (eval_find_key(&so_far, k, &other) != NULL)
			return eval_fail(e, key, ERR_VALUE, "the key %s stands twice",
				eval_short(k, text));
		secret = secret || (k->flags & VALUE_SECRET);
		members[so_far.n].key = *k;
		so_far.n += !skip;
		e->steps += so_far.n / 8;
	}
	*room = value_map(e->mem, members, so_far.n);
	room->flags = secret ? VALUE_SECRET : 0;
	return room;
}
