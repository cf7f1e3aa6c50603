/* The one tree that YAML, JSON, SQL rows and expressions share. Values are immutable, lie
 * in an arena and are shared freely. A value knows the place where somebody wrote it, and
 * two bits travel with it: secret, and the kind UNKNOWN. */
#ifndef DATA_VALUE_H
#define DATA_VALUE_H

#include "base/err.h"
#include "base/time.h"

enum value_kind {
	V_NULL,
	V_BOOL,
	V_INT,
	V_UINT,
	V_DOUBLE,
	V_STRING,
	V_BYTES,
	V_LIST,
	V_MAP,
	V_TIMESTAMP,
	V_DURATION,
	V_TYPE,
	V_OPTIONAL,
	V_UNKNOWN, /* what only a real run could give; str: why and from which step */
};

enum { VALUE_SECRET = 1, VALUE_PLAIN = 2 }; /* PLAIN: a YAML scalar without quotes */

struct value {
	uint8_t kind, flags;
	uint32_t from,
		to; /* bytes of the source; from = to = 0 with source NULL: no place */
	const struct source *source;
	union {
		struct {
			union {
				bool b;
				int64_t i;
				uint64_t u;
				double d;
			};
			const char *raw;
		}; /* raw: as it was written, or NULL */
		struct str str; /* STRING, BYTES, UNKNOWN, TYPE (its name) */
		struct span span;                     /* TIMESTAMP, DURATION */
		struct { const struct value *items; size_t n; } list;
		const struct map *map;
		const struct value *opt;              /* OPTIONAL: NULL is none */
	};
};

struct member {
	struct value key, value; /* keys of playbooks and JSON are strings; CEL has int,
				    uint, bool too */
};

/* Members in the order in which they were written. Where `find` is set the members are
 * made when they are asked for (the root `steps` of a run with many steps) and `members`
 * may be NULL. */
struct map {
	size_t n;
	const struct member *members;
	const uint32_t
		*index; /* a hash table of 2^bits places, 0 empty; NULL for a small map */
	unsigned bits;
	bool (*find)(const struct map *map, struct str key, struct value *out);
};

/* Making. The map takes the members as they are; duplicates are the caller's to refuse
 * (map_builder does). */
struct value value_null(void);
struct value value_bool(bool b);
struct value value_int(int64_t i);
struct value value_uint(uint64_t u);
struct value value_double(double d);
struct value value_str(struct str text);              /* not copied */
struct value value_text(struct arena *mem, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct value value_bytes(struct str bytes);
struct value value_list(const struct value *items, size_t n);
struct value value_map(struct arena *mem, const struct member *members, size_t n);
struct value value_timestamp(struct span time);
struct value value_time_us(int64_t us);
struct value value_duration_ns(int64_t ns);
struct value value_unknown(struct str why);

struct list_builder { struct arena *mem; struct value *items; size_t n, cap; };
struct map_builder {
	struct arena *mem;
	struct member *members;
	size_t n, cap;
	uint32_t *places; /* a hash table of `room` places, 0 empty; NULL while small */
	size_t room;
};
void list_push(struct list_builder *list, struct value item);
struct value list_done(struct list_builder *list);
void map_put(struct map_builder *map, const char *key,
	struct value value); /* a key that stands already is replaced */
void map_put_str(struct map_builder *map, struct str key, struct value value);
struct value map_done(struct map_builder *map);

/* Reading. */
const struct value *
value_get(const struct value *map, const char *key); /* NULL: not a map, or no such key */
/* the members in the order of their names; n of them, in mem */
const struct member *const *members_by_key(
	struct arena *mem, const struct member *members, size_t n);
bool map_find(const struct map *map, struct str key,
	struct value *out); /* also where `find` makes members */
const struct value *
map_at(const struct map *map, struct str key); /* NULL; not for maps with `find` */
struct str value_get_str(const struct value *map,
	const char *key); /* empty with p NULL: absent or no string */
int64_t value_get_int(const struct value *map, const char *key, int64_t otherwise);
bool value_get_bool(const struct value *map, const char *key, bool otherwise);
bool value_is_secret(const struct value *v);          /* it, or anything in it */
bool value_has_unknown(const struct value *v, struct str *why);
bool value_equal(const struct value *a,
	const struct value *b); /* as CEL's ==: numbers by value; maps in any order */
struct mark value_mark(const struct value *v);
int64_t span_ns(struct span span);                    /* saturates */
int64_t span_us(struct span span);
const char *
kind_name(enum value_kind kind); /* for people: "text", "integer", "list", ... */
size_t value_count(const struct value *v);            /* nodes in it */

/* A short form for messages, at most `most` characters, secrets as ***, control
 * characters escaped. */
char *value_short(struct arena *mem, const struct value *v, size_t most);
struct value
value_copy(struct arena *mem, const struct value *v); /* deep; drops places */

#endif
