#include "data/expr_eval.h"

#include <math.h>

enum { COST_OF_BYTES = 10 };

static bool
is_number(const struct value *v)
{
	return v->kind == V_INT || v->kind == V_UINT || v->kind == V_DOUBLE;
}

/* ---- order */

static int
order_double(double a, double b)
{
	return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2;
}

/* An integer beside a double counts as the nearest double (official cases); == is exact.
 */
static int
order_mixed(const struct value *a, double d)
{
	return order_double(a->kind == V_INT ? (double)a->i : (double)a->u, d);
}

static int
order_numbers(const struct value *a, const struct value *b)
{
	if (a->kind == V_DOUBLE && b->kind == V_DOUBLE)
		return order_double(a->d, b->d);
	if (b->kind == V_DOUBLE)
		return order_mixed(a, b->d);
	if (a->kind == V_DOUBLE) {
		int order = order_mixed(b, a->d);
		return order == 2 ? 2 : -order;
	}
	if (a->kind == b->kind && a->kind == V_INT)
		return a->i < b->i ? -1 : a->i > b->i;
	if (a->kind == V_INT && a->i < 0)
		return -1;
	if (b->kind == V_INT && b->i < 0)
		return 1;
	return a->u < b->u ? -1 : a->u > b->u;
}

int
value_order(const struct value *a, const struct value *b)
{
	if (is_number(a) && is_number(b))
		return order_numbers(a, b);
	if (a->kind != b->kind)
		return 2;
	switch ((enum value_kind)a->kind) {
	case V_BOOL:
		return (int)a->b - (int)b->b;
	case V_STRING: case V_BYTES: {
		int order = str_cmp(a->str, b->str);
		return order < 0 ? -1 : order > 0;
	}
	case V_TIMESTAMP: case V_DURATION:
		if (a->span.s != b->span.s)
			return a->span.s < b->span.s ? -1 : 1;
		return a->span.ns < b->span.ns ? -1 : a->span.ns > b->span.ns;
	default:
		return 2;
	}
}

/* ---- equality */

const struct value *
eval_find_key(const struct map *map, const struct value *key, struct value *room)
{
	if (key->kind == V_STRING) {
		if (map->find == NULL)
			return map_at(map, key->str);
		return map->find(map, key->str, room) ? room : NULL;
	}
	if (key->kind != V_BOOL && !is_number(key))
		return NULL;
	for (size_t i = 0; map->members != NULL && i < map->n; i++)
		if (map->members[i].key.kind != V_STRING
			&& value_equal(&map->members[i].key, key))
			return &map->members[i].value;
	return NULL;
}

static int
equal_lists(struct eval *e, const struct value *a, const struct value *b, bool *secret,
            const struct value **unknown)
{
	int all = 1;
	if (a->list.n != b->list.n)
		return 0;
	for (size_t i = 0; i < a->list.n && all != 0 && all != -2; i++) {
		int one = eval_equal(
			e, &a->list.items[i], &b->list.items[i], secret, unknown);
		all = one == 1 ? all : one;
	}
	return all;
}

static int
equal_maps(struct eval *e, const struct map *a, const struct map *b, bool *secret,
           const struct value **unknown)
{
	int all = 1;
	struct value room;
	if (a->n != b->n)
		return 0;
	for (size_t i = 0; a->members != NULL && i < a->n && all != 0 && all != -2; i++) {
		const struct value *other = eval_find_key(b, &a->members[i].key, &room);
		int one = other == NULL ? 0
			: eval_equal(e, &a->members[i].value, other, secret, unknown);
		all = one == 1 ? all : one;
	}
	return all;
}

int
eval_equal(struct eval *e, const struct value *a, const struct value *b, bool *secret,
           const struct value **unknown)
{
	*secret = *secret || ((a->flags | b->flags) & VALUE_SECRET);
	if (!eval_charge(e, 1))
		return -2;
	if (a->kind == V_UNKNOWN || b->kind == V_UNKNOWN) {
		*unknown = a->kind == V_UNKNOWN ? a : b;
		return -1;
	}
	if (a->kind != b->kind)
		return value_equal(a, b);
	switch ((enum value_kind)a->kind) {
	case V_LIST:
		return equal_lists(e, a, b, secret, unknown);
	case V_MAP:
		return equal_maps(e, a->map, b->map, secret, unknown);
	case V_OPTIONAL:
		if (a->opt == NULL || b->opt == NULL)
			return a->opt == b->opt;
		return eval_equal(e, a->opt, b->opt, secret, unknown);
	case V_STRING: case V_BYTES:
		e->steps += a->str.n / COST_OF_BYTES;
		return str_eq(a->str, b->str);
	default:
		return value_equal(a, b);
	}
}

/* ---- calculation */

static const struct value *
overflow(struct eval *e, const struct code *c, const char *sign, const struct value *a,
	const struct value *b)
{
	char left[SHORT_SIZE], right[SHORT_SIZE];
	return eval_fail(e, c, ERR_RANGE, "%s %s %s is out of range", eval_short(a, left),
		sign, eval_short(b, right));
}

static const struct value *
by_zero(struct eval *e, const struct code *c, const struct value *a)
{
	char left[SHORT_SIZE];
	return eval_fail(e, c, ERR_RANGE, "%s is divided by zero", eval_short(a, left));
}

static const char *
sign_of(enum node_kind kind)
{
	static const char *const signs[] = {
		"+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in"};
	return signs[kind - NODE_ADD];
}

static const struct value *
calculate_int(struct eval *e, const struct code *c, const struct value *a,
	const struct value *b, struct value *room)
{
	int64_t i = 0;
	bool over = false;
	switch ((enum node_kind)c->kind) {
	case NODE_ADD:
		over = __builtin_add_overflow(a->i, b->i, &i);
		break;
	case NODE_SUB:
		over = __builtin_sub_overflow(a->i, b->i, &i);
		break;
	case NODE_MUL:
		over = __builtin_mul_overflow(a->i, b->i, &i);
		break;
	default:
		if (b->i == 0)
			return by_zero(e, c, a);
		over = a->i == INT64_MIN && b->i == -1;
		i = over ? 0 : c->kind == NODE_DIV ? a->i / b->i : a->i % b->i;
		break;
	}
	*room = value_int(i);
	return over ? overflow(e, c, sign_of(c->kind), a, b) : room;
}

static const struct value *
calculate_uint(struct eval *e, const struct code *c, const struct value *a,
	const struct value *b, struct value *room)
{
	uint64_t u = 0;
	bool over = false;
	switch ((enum node_kind)c->kind) {
	case NODE_ADD:
		over = __builtin_add_overflow(a->u, b->u, &u);
		break;
	case NODE_SUB:
		over = __builtin_sub_overflow(a->u, b->u, &u);
		break;
	case NODE_MUL:
		over = __builtin_mul_overflow(a->u, b->u, &u);
		break;
	default:
		if (b->u == 0)
			return by_zero(e, c, a);
		u = c->kind == NODE_DIV ? a->u / b->u : a->u % b->u;
		break;
	}
	*room = value_uint(u);
	return over ? overflow(e, c, sign_of(c->kind), a, b) : room;
}

static const struct value *
calculate_double(struct eval *e, const struct code *c, const struct value *a,
	const struct value *b, struct value *room)
{
	switch ((enum node_kind)c->kind) {
	case NODE_ADD:
		*room = value_double(a->d + b->d);
		return room;
	case NODE_SUB:
		*room = value_double(a->d - b->d);
		return room;
	case NODE_MUL:
		*room = value_double(a->d * b->d);
		return room;
	case NODE_DIV:
		*room = value_double(a->d / b->d);
		return room;
	default:
		return eval_no_operator(e, c, sign_of(c->kind), a, b);
	}
}

static const struct value *
join_text(
	struct eval *e, const struct value *a, const struct value *b, struct value *room)
{
	size_t n = a->str.n + b->str.n;
	if (!eval_charge(e, n / COST_OF_BYTES))
		return NULL;
	char *text = arena_alloc(e->mem, n + 1);
	if (a->str.n > 0)
		memcpy(text, a->str.p, a->str.n);
	if (b->str.n > 0)
		memcpy(text + a->str.n, b->str.p, b->str.n);
	*room = (struct value){.kind = a->kind, .str = {text, n}};
	return room;
}

static const struct value *
join_lists(
	struct eval *e, const struct value *a, const struct value *b, struct value *room)
{
	size_t n = a->list.n + b->list.n;
	if (!eval_charge(e, n))
		return NULL;
	struct value *items = arena_array(e->mem, struct value, n);
	if (a->list.n > 0)
		memcpy(items, a->list.items, a->list.n * sizeof *items);
	if (b->list.n > 0)
		memcpy(items + a->list.n, b->list.items, b->list.n * sizeof *items);
	*room = value_list(items, n);
	return room;
}

/* Years 1 to 9999; lengths within int64 nanoseconds. */
static bool
span_fits(const struct value *v)
{
	if (v->kind == V_TIMESTAMP)
		return v->span.s >= -INT64_C(62135596800)
			&& v->span.s <= INT64_C(253402300799);
	int64_t ns;
	return !__builtin_mul_overflow(v->span.s, NS_S, &ns)
		&& !__builtin_add_overflow(ns, v->span.ns, &ns);
}

static const struct value *
calculate_time(struct eval *e, const struct code *c, const struct value *a,
	const struct value *b, struct value *room)
{
	bool adds = c->kind == NODE_ADD, both = a->kind == b->kind;
	bool times = a->kind == V_TIMESTAMP || b->kind == V_TIMESTAMP;
	bool sound = adds ? !both || !times : both || a->kind == V_TIMESTAMP;
	if ((c->kind != NODE_ADD && c->kind != NODE_SUB) || !sound)
		return eval_no_operator(e, c, sign_of(c->kind), a, b);
	int64_t s, ns = a->span.ns + (adds ? (int64_t)b->span.ns : -(int64_t)b->span.ns);
	bool over = adds ? __builtin_add_overflow(a->span.s, b->span.s, &s)
		: __builtin_sub_overflow(a->span.s, b->span.s, &s);
	int64_t carry = ns < 0 ? -1 : ns >= NS_S;
	over = over || __builtin_add_overflow(s, carry, &s);
	*room = (struct value){.kind = times && !both ? V_TIMESTAMP : V_DURATION};
	room->span = (struct span){s, (int32_t)(ns - carry * NS_S)};
	return over || !span_fits(room) ? overflow(e, c, sign_of(c->kind), a, b) : room;
}

static bool
is_time(const struct value *v)
{
	return v->kind == V_TIMESTAMP || v->kind == V_DURATION;
}

static const struct value *
calculate(struct eval *e, const struct code *c, const struct value *a,
	const struct value *b, struct value *room)
{
	if (is_time(a) && is_time(b))
		return calculate_time(e, c, a, b, room);
	if (a->kind != b->kind)
		return eval_no_operator(e, c, sign_of(c->kind), a, b);
	if (a->kind == V_INT)
		return calculate_int(e, c, a, b, room);
	if (a->kind == V_UINT)
		return calculate_uint(e, c, a, b, room);
	if (a->kind == V_DOUBLE)
		return calculate_double(e, c, a, b, room);
	if (c->kind == NODE_ADD && (a->kind == V_STRING || a->kind == V_BYTES))
		return join_text(e, a, b, room);
	if (c->kind == NODE_ADD && a->kind == V_LIST)
		return join_lists(e, a, b, room);
	return eval_no_operator(e, c, sign_of(c->kind), a, b);
}

static const struct value *
compare(struct eval *e, const struct code *c, const struct value *a,
	const struct value *b, struct value *room)
{
	bool numbers = is_number(a) && is_number(b);
	int order = value_order(a, b);
	if (order == 2 && !numbers)
		return eval_no_operator(e, c, sign_of(c->kind), a, b);
	bool holds = c->kind == NODE_LT ? order == -1
		: c->kind == NODE_LE    ? order == -1 || order == 0
		: c->kind == NODE_GT    ? order == 1
					: order == 1 || order == 0;
	*room = value_bool(holds);
	return room;
}

static const struct value *
eval_same(struct eval *e, const struct code *c, const struct value *a,
	const struct value *b, struct value *room)
{
	bool secret = false;
	const struct value *unknown = NULL;
	int equal = eval_equal(e, a, b, &secret, &unknown);
	if (equal == -2)
		return NULL;
	*room = equal == -1 ? *unknown : value_bool(equal == (c->kind == NODE_EQ));
	room->flags = secret ? VALUE_SECRET : 0;
	return room;
}

static const struct value *
eval_in(struct eval *e, const struct code *c, const struct value *a,
	const struct value *b, struct value *room)
{
	bool secret = false, found = false;
	const struct value *unknown = NULL;
	struct value own;
	if (b->kind == V_MAP) {
		found = eval_find_key(b->map, a, &own) != NULL;
	} else if (b->kind != V_LIST) {
		return eval_no_operator(e, c, "in", a, b);
	}
	for (size_t i = 0; b->kind == V_LIST && i < b->list.n && !found; i++) {
		int equal = eval_equal(e, a, &b->list.items[i], &secret, &unknown);
		if (equal == -2)
			return NULL;
		found = equal == 1;
	}
	*room = !found && unknown != NULL ? *unknown : value_bool(found);
	room->flags = secret ? VALUE_SECRET : 0;
	return room;
}

static const struct value *
negate(struct eval *e, const struct code *c, const struct value *v, struct value *room)
{
	char text[SHORT_SIZE];
	if (c->kind == NODE_NOT) {
		if (v->kind != V_BOOL)
			return eval_not_bool(e, c, v, "!");
		*room = value_bool(!v->b);
	} else if (v->kind == V_DOUBLE) {
		*room = value_double(-v->d);
	} else if (v->kind != V_INT) {
		return eval_fail(e, c, ERR_TYPE, "- wants a number, this is %s",
			eval_short(v, text));
	} else if (v->i == INT64_MIN) {
		return eval_fail(
			e, c, ERR_RANGE, "-(%s) is out of range", eval_short(v, text));
	} else {
		*room = value_int(-v->i);
	}
	return room;
}

/* Kept apart, because its many cases want a large frame. */
static const struct value *__attribute__((noinline))
apply(struct eval *e, const struct code *c, const struct value *a, const struct value *b,
	struct value *room)
{
	if (c->kind == NODE_EQ || c->kind == NODE_NE)
		return eval_same(e, c, a, b, room);
	if (a->kind == V_UNKNOWN || (b != NULL && b->kind == V_UNKNOWN)) {
		*room = a->kind == V_UNKNOWN ? *a : *b;
		return room;
	}
	if (b == NULL)
		return negate(e, c, a, room);
	if (c->kind == NODE_IN)
		return eval_in(e, c, a, b, room);
	return c->kind <= NODE_MOD ? calculate(e, c, a, b, room)
				   : compare(e, c, a, b, room);
}

/* == of two scalars of one kind, by far the most frequent operation; -1: it is none. */
static int
same_scalar(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return -1;
	if (a->kind == V_STRING && a->str.n < 100)
		return str_eq(a->str, b->str);
	if (a->kind == V_INT || a->kind == V_UINT)
		return a->i == b->i;
	return a->kind == V_BOOL ? a->b == b->b : -1;
}

const struct value *
eval_operator(struct eval *e, const struct code *c, struct value *room)
{
	struct value left, right;
	const struct code *kid = &e->code[c->first];
	const struct value *a = eval_operand(e, kid, &left), *b = NULL;
	if (a == NULL || (c->n > 1 && (b = eval_operand(e, kid + 1, &right)) == NULL))
		return NULL;
	if (c->kind == NODE_EQ || c->kind == NODE_NE) {
		int same = same_scalar(a, b);
		if (same >= 0) {
			*room = (struct value){
				.kind = V_BOOL, .b = same == (c->kind == NODE_EQ),
				.flags = (a->flags | b->flags) & VALUE_SECRET,
			};
			return room;
		}
	}
	unsigned secret = (a->flags | (b == NULL ? 0U : b->flags)) & VALUE_SECRET;
	const struct value *v = apply(e, c, a, b, room);
	if (v != NULL)
		room->flags = (uint8_t)((room->flags & VALUE_SECRET) | secret);
	return v;
}
