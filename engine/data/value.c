#include "data/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scrub.h"
#include "data/json.h"

enum { SMALL_BUILDER = 32 }; /* so many members are looked through one by one */

enum { INDEX_LEAST = 12 };

struct value
value_null(void)
{
	return (struct value){.kind = V_NULL};
}

struct value
value_bool(bool b)
{
	return (struct value){.kind = V_BOOL, .b = b};
}

struct value
value_int(int64_t i)
{
	return (struct value){.kind = V_INT, .i = i};
}

struct value
value_uint(uint64_t u)
{
	return (struct value){.kind = V_UINT, .u = u};
}

struct value
value_double(double d)
{
	return (struct value){.kind = V_DOUBLE, .d = d};
}

struct value
value_str(struct str text)
{
	return (struct value){.kind = V_STRING, .str = text};
}

struct value
value_text(struct arena *mem, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(mem, format, args);
	va_end(args);
	return value_str(str_of(text));
}

struct value
value_bytes(struct str bytes)
{
	return (struct value){.kind = V_BYTES, .str = bytes};
}

struct value
value_list(const struct value *items, size_t n)
{
	return (struct value){.kind = V_LIST, .list = {items, n}};
}

struct value
value_timestamp(struct span time)
{
	return (struct value){.kind = V_TIMESTAMP, .span = time};
}

static struct span
span_of(int64_t count, int64_t per_second)
{
	int64_t s = count / per_second, rest = count % per_second;
	if (rest < 0) {
		rest += per_second;
		s--;
	}
	return (struct span){s, (int32_t)(rest * (NS_S / per_second))};
}

struct value
value_time_us(int64_t us)
{
	return value_timestamp(span_of(us, 1000000));
}

struct value
value_duration_ns(int64_t ns)
{
	return (struct value){.kind = V_DURATION, .span = span_of(ns, NS_S)};
}

struct value
value_unknown(struct str why)
{
	return (struct value){.kind = V_UNKNOWN, .str = why};
}

int64_t
span_ns(struct span span)
{
	int64_t ns;
	if (__builtin_mul_overflow(span.s, NS_S, &ns)
		|| __builtin_add_overflow(ns, span.ns, &ns))
		return span.s < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

int64_t
span_us(struct span span)
{
	int64_t us;
	if (__builtin_mul_overflow(span.s, 1000000, &us)
		|| __builtin_add_overflow(us, span.ns / 1000, &us))
		return span.s < 0 ? INT64_MIN : INT64_MAX;
	return us;
}

/* A table of offsets into the members, open addressing, at most half full. */
static void
build_index(struct arena *mem, struct map *map)
{
	for (map->bits = 4; (size_t)1 << map->bits < map->n * 2; map->bits++)
		;
	uint32_t *index = arena_array(mem, uint32_t, (size_t)1 << map->bits);
	for (size_t i = 0; i < map->n; i++) {
		if (map->members[i].key.kind != V_STRING)
			return;
		uint64_t at = str_hash(map->members[i].key.str) >> (64 - map->bits);
		while (index[at] != 0)
			at = (at + 1) & (((uint64_t)1 << map->bits) - 1);
		index[at] = (uint32_t)i + 1;
	}
	map->index = index;
}

struct value
value_map(struct arena *mem, const struct member *members, size_t n)
{
	struct map *map = arena_new_of(mem, struct map);
	*map = (struct map){.n = n, .members = members};
	if (n >= INDEX_LEAST)
		build_index(mem, map);
	return (struct value){.kind = V_MAP, .map = map};
}

static int
by_key(const void *a, const void *b)
{
	const struct member *x = *(const struct member *const *)a,
			    *y = *(const struct member *const *)b;
	return str_cmp(x->key.str, y->key.str);
}

const struct member *const *
members_by_key(struct arena *mem, const struct member *members, size_t n)
{
	const struct member **sorted = arena_array(mem, const struct member *, n);
	for (size_t i = 0; i < n; i++)
		sorted[i] = &members[i];
	qsort(sorted, n, sizeof *sorted, by_key);
	return sorted;
}

const struct value *
map_at(const struct map *map, struct str key)
{
	if (map->index == NULL) {
		for (size_t i = 0; map->members != NULL && i < map->n; i++)
			if (map->members[i].key.kind == V_STRING
				&& str_eq(map->members[i].key.str, key))
				return &map->members[i].value;
		return NULL;
	}
	uint64_t most = ((uint64_t)1 << map->bits) - 1;
	for (uint64_t at = str_hash(key) >> (64 - map->bits); map->index[at] != 0;
		at = (at + 1) & most) {
		const struct member *member = &map->members[map->index[at] - 1];
		if (str_eq(member->key.str, key))
			return &member->value;
	}
	return NULL;
}

bool
map_find(const struct map *map, struct str key, struct value *out)
{
	if (map->find != NULL)
		return map->find(map, key, out);
	const struct value *found = map_at(map, key);
	if (found != NULL)
		*out = *found;
	return found != NULL;
}

void
list_push(struct list_builder *list, struct value item)
{
	if (list->n == list->cap) {
		size_t cap = list->cap == 0 ? 4 : list->cap * 2;
		struct value *items = arena_array(list->mem, struct value, cap);
		if (list->n > 0)
			memcpy(items, list->items, list->n * sizeof *items);
		list->items = items;
		list->cap = cap;
	}
	list->items[list->n++] = item;
}

struct value
list_done(struct list_builder *list)
{
	return value_list(list->items, list->n);
}

/* Where the key stands in the table, or would stand. */
static uint32_t *
builder_place(struct map_builder *map, struct str key)
{
	size_t at = str_hash(key) & (map->room - 1);
	while (map->places[at] != 0
		&& !str_eq(map->members[map->places[at] - 1].key.str, key))
		at = (at + 1) & (map->room - 1);
	return &map->places[at];
}

static void
builder_index(struct map_builder *map)
{
	map->room = map->room == 0 ? 8 * SMALL_BUILDER : 4 * map->room;
	map->places = arena_array(map->mem, uint32_t, map->room);
	for (size_t i = 0; i < map->n; i++)
		*builder_place(map, map->members[i].key.str) = (uint32_t)i + 1;
}

static struct member *
builder_find(struct map_builder *map, struct str key)
{
	if (map->places != NULL) {
		uint32_t at = *builder_place(map, key);
		return at == 0 ? NULL : &map->members[at - 1];
	}
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->members[i].key.str, key))
			return &map->members[i];
	return NULL;
}

void
map_put_str(struct map_builder *map, struct str key, struct value value)
{
	struct member *member = builder_find(map, key);
	if (member != NULL) {
		member->value = value;
		return;
	}
	if (map->n == map->cap) {
		size_t cap = map->cap == 0 ? 4 : map->cap * 2;
		struct member *members = arena_array(map->mem, struct member, cap);
		if (map->n > 0)
			memcpy(members, map->members, map->n * sizeof *members);
		map->members = members;
		map->cap = cap;
	}
	map->members[map->n++] = (struct member){value_str(key), value};
	if (map->places != NULL)
		*builder_place(map, key) = (uint32_t)map->n;
	if (map->n >= SMALL_BUILDER && 2 * map->n >= map->room)
		builder_index(map);
}

void
map_put(struct map_builder *map, const char *key, struct value value)
{
	map_put_str(map, str_of(key), value);
}

struct value
map_done(struct map_builder *map)
{
	return value_map(map->mem, map->members, map->n);
}

const struct value *
value_get(const struct value *map, const char *key)
{
	return map == NULL || map->kind != V_MAP ? NULL : map_at(map->map, str_of(key));
}

struct str
value_get_str(const struct value *map, const char *key)
{
	const struct value *v = value_get(map, key);
	return v != NULL && v->kind == V_STRING ? v->str : (struct str){NULL, 0};
}

int64_t
value_get_int(const struct value *map, const char *key, int64_t otherwise)
{
	const struct value *v = value_get(map, key);
	return v != NULL && v->kind == V_INT ? v->i : otherwise;
}

bool
value_get_bool(const struct value *map, const char *key, bool otherwise)
{
	const struct value *v = value_get(map, key);
	return v != NULL && v->kind == V_BOOL ? v->b : otherwise;
}

/* Whether `is` holds of v or of anything in it. Depth is bounded by who made the value
 * (64, or 250 in expressions). */
static const struct value *
find_in(const struct value *v, bool (*is)(const struct value *v))
{
	const struct value *found = is(v) ? v : NULL;
	if (v->kind == V_LIST)
		for (size_t i = 0; i < v->list.n && found == NULL; i++)
			found = find_in(&v->list.items[i], is);
	else if (v->kind == V_MAP && v->map->members != NULL)
		for (size_t i = 0; i < v->map->n && found == NULL; i++)
			found = find_in(&v->map->members[i].value, is);
	else if (v->kind == V_OPTIONAL && v->opt != NULL && found == NULL)
		found = find_in(v->opt, is);
	return found;
}

static bool
is_secret(const struct value *v)
{
	return v->flags & VALUE_SECRET;
}

static bool
is_unknown(const struct value *v)
{
	return v->kind == V_UNKNOWN;
}

bool
value_is_secret(const struct value *v)
{
	return find_in(v, is_secret) != NULL;
}

bool
value_has_unknown(const struct value *v, struct str *why)
{
	const struct value *found = find_in(v, is_unknown);
	if (found != NULL && why != NULL)
		*why = found->str;
	return found != NULL;
}

static bool
is_number(const struct value *v)
{
	return v->kind == V_INT || v->kind == V_UINT || v->kind == V_DOUBLE;
}

/* Exact: an integer equals a double only if the double is that integer. */
static bool
numbers_equal(const struct value *a, const struct value *b)
{
	if (a->kind == b->kind)
		return a->kind == V_DOUBLE ? a->d == b->d : a->i == b->i;
	if (a->kind == V_DOUBLE)
		return numbers_equal(b, a);
	if (b->kind == V_DOUBLE) {
		if (a->kind == V_INT)
			return b->d >= -0x1p63 && b->d < 0x1p63 && b->d == trunc(b->d)
				&& (int64_t)b->d == a->i;
		return b->d >= 0 && b->d < 0x1p64 && b->d == trunc(b->d)
			&& (uint64_t)b->d == a->u;
	}
	int64_t i = a->kind == V_INT ? a->i : b->i;
	uint64_t u = a->kind == V_UINT ? a->u : b->u;
	return i >= 0 && (uint64_t)i == u;
}

static const struct value *
find_key(const struct map *map, const struct value *key)
{
	if (key->kind == V_STRING)
		return map_at(map, key->str);
	for (size_t i = 0; i < map->n; i++)
		if (value_equal(&map->members[i].key, key))
			return &map->members[i].value;
	return NULL;
}

static bool
maps_equal(const struct map *a, const struct map *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct value *other = find_key(b, &a->members[i].key);
		if (other == NULL || !value_equal(&a->members[i].value, other))
			return false;
	}
	return true;
}

static bool
lists_equal(const struct value *a, const struct value *b)
{
	if (a->list.n != b->list.n)
		return false;
	for (size_t i = 0; i < a->list.n; i++)
		if (!value_equal(&a->list.items[i], &b->list.items[i]))
			return false;
	return true;
}

bool
value_equal(const struct value *a, const struct value *b)
{
	if (is_number(a) && is_number(b))
		return numbers_equal(a, b);
	if (a->kind != b->kind)
		return false;
	switch ((enum value_kind)a->kind) {
	case V_NULL:
		return true;
	case V_BOOL:
		return a->b == b->b;
	case V_STRING: case V_BYTES: case V_TYPE: case V_UNKNOWN:
		return str_eq(a->str, b->str);
	case V_TIMESTAMP: case V_DURATION:
		return a->span.s == b->span.s && a->span.ns == b->span.ns;
	case V_LIST:
		return lists_equal(a, b);
	case V_MAP:
		return maps_equal(a->map, b->map);
	case V_OPTIONAL:
		return a->opt == NULL || b->opt == NULL ? a->opt == b->opt
							: value_equal(a->opt, b->opt);
	case V_INT: case V_UINT: case V_DOUBLE:
		break;
	}
	return false;
}

struct mark
value_mark(const struct value *v)
{
	return (struct mark){v->source, v->from, v->to};
}

const char *
kind_name(enum value_kind kind)
{
	static const char *const names[] = {
		"null", "true or false", "an integer", "an unsigned integer", "a number", "text", "bytes", "a list", "a map",
		"a timestamp", "a duration", "a type", "an optional", "unknown",
	};
	return names[kind];
}

size_t
value_count(const struct value *v)
{
	size_t n = 1;
	if (v->kind == V_LIST)
		for (size_t i = 0; i < v->list.n; i++)
			n += value_count(&v->list.items[i]);
	else if (v->kind == V_MAP && v->map->members != NULL)
		for (size_t i = 0; i < v->map->n; i++)
			n += 1 + value_count(&v->map->members[i].value);
	return n;
}

char *
value_short(struct arena *mem, const struct value *v, size_t most)
{
	struct buf text = buf_in(mem), out = buf_in(mem);
	if (v->flags & VALUE_SECRET)
		return arena_strdup(mem, "***");
	if (v->kind == V_UNKNOWN)
		return arena_strdup(mem, "unknown");
	json_write(&text, v, JSON_MASK);
	buf_safe(&out, scrub_text(mem, buf_str(&text), NULL, 0), false);
	struct str rest = buf_str(&out);
	size_t n, seen = 0;
	for (; rest.n > 0 && seen < most; seen++, rest = str_from(rest, n))
		str_rune(rest, &n);
	if (rest.n > 0) {
		buf_cut(&out, out.n - rest.n);
		buf_puts(&out, "…");
	}
	return arena_strdup(mem, buf_cstr(&out));
}

static struct value
copy_list(struct arena *mem, const struct value *v)
{
	struct value *items = arena_array(mem, struct value, v->list.n + 1);
	for (size_t i = 0; i < v->list.n; i++)
		items[i] = value_copy(mem, &v->list.items[i]);
	return value_list(items, v->list.n);
}

static struct value
copy_map(struct arena *mem, const struct value *v)
{
	size_t n = v->map->members == NULL ? 0 : v->map->n;
	struct member *members = arena_array(mem, struct member, n + 1);
	for (size_t i = 0; i < n; i++) {
		members[i].key = value_copy(mem, &v->map->members[i].key);
		members[i].value = value_copy(mem, &v->map->members[i].value);
	}
	return value_map(mem, members, n);
}

struct value
value_copy(struct arena *mem, const struct value *v)
{
	struct value copy = *v;
	switch ((enum value_kind)v->kind) {
	case V_STRING: case V_BYTES: case V_TYPE: case V_UNKNOWN:
		copy.str = str_copy(mem, v->str);
		break;
	case V_NULL: case V_BOOL: case V_INT: case V_UINT: case V_DOUBLE:
		copy.raw = v->raw == NULL ? NULL : arena_strdup(mem, v->raw);
		break;
	case V_LIST:
		copy = copy_list(mem, v);
		break;
	case V_MAP:
		copy = copy_map(mem, v);
		break;
	case V_OPTIONAL:
		if (v->opt != NULL) {
			struct value *inner = arena_new_of(mem, struct value);
			*inner = value_copy(mem, v->opt);
			copy.opt = inner;
		}
		break;
	case V_TIMESTAMP: case V_DURATION:
		break;
	}
	copy.flags = v->flags;
	copy.source = NULL;
	copy.from = copy.to = 0;
	return copy;
}
