/* JSON (RFC 8259) straight into the value tree and back. Strict: UTF-8 only, no duplicate
 * keys, no lone surrogates, depth at most 64, numbers kept as they were written (raw) and
 * typed by expressions.md: an integer token in int64 is an int, up to 2^64-1 a uint, all
 * else a double; one that no double can hold is refused. */
#ifndef DATA_JSON_H
#define DATA_JSON_H

#include "data/value.h"

enum { JSON_DEPTH = 64 };

/* `source` gives the values their places; NULL: none. The whole text must be one value.
 * Strings that hold no escape are views of the text, which must then live as long as the
 * value. */
bool json_parse(struct arena *mem, struct str text, const struct source *source,
	struct value *out, struct err *err);

enum json_flags {
	JSON_COMPACT = 0,
	JSON_INDENT = 1, /* two blanks, one member a line */
	JSON_MASK = 2, /* secret values as "***" */
	JSON_SORT = 4, /* members by key: for digests */
	JSON_ASCII =
		8, /* \u for everything beyond ASCII and for control characters of C1 */
};

/* bytes as base64, times and durations as text, unknown as {"$unknown": why}, an optional
 * as its value or null, keys that are no strings as text; infinities and NaN as null.
 * Numbers with `raw` are written as that. */
void json_write(struct buf *out, const struct value *v, unsigned flags);
char *json_text(struct arena *mem, const struct value *v, unsigned flags);
void json_write_str(struct buf *out, struct str text); /* with the quotes */

#endif
