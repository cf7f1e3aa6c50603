/* Errors are values. `bool f(..., struct err *err)`: false means that err is set.
 * Messages are lowercase, without a final stop, complete enough to print as they are;
 * what failed below stays, words are put in front of it. Library code never prints. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* A text that people wrote, kept whole as long as a mark may point into it. */
struct source {
	const char *name; /* as the user named it: a path, "-i zone_id", "expression" */
	struct str text;
	const uint32_t
		*lines; /* offset of the start of each line; NULL: counted when asked */
	size_t n_lines;
	uint32_t first_line; /* number of the text's first line, less 1 (0 for a whole
				file) */
};

/* A place: bytes [from, to) of a source. source NULL: no place. */
struct mark {
	const struct source *source;
	uint32_t from, to;
};

void mark_place(struct mark at, uint32_t *line,
	uint32_t *column); /* from 1; the column counts code points */

enum err_code {
	ERR_NONE,
	ERR_SYNTAX,
	ERR_TYPE,
	ERR_RANGE,
	ERR_UNKNOWN_NAME,
	ERR_LIMIT,
	ERR_VALUE, /* what somebody wrote is wrong */
	ERR_ABSENT_KEY, /* an expression: no such key or index ("not yet" under every) */
	ERR_NOT_FOUND,
	ERR_EXISTS,
	ERR_DENIED,
	ERR_FULL,
	ERR_IO, /* the system */
	ERR_RESOLVE,
	ERR_CONNECT,
	ERR_TLS,
	ERR_NETWORK,
	ERR_TIMEOUT,
	ERR_PROTOCOL, /* the net */
	ERR_CANCELLED,
	ERR_ANSWER, /* ANSWER: the other side refused */
	ERR_BUSY, /* somebody else holds it */
	ERR_VERSION, /* made by a newer rbx */
	ERR_SECRET, /* a secret is missing */
	ERR_UNSUPPORTED, /* known, not in this version */
};

struct err {
	enum err_code code;
	bool transient; /* the same may go well in a moment: the retry policy reads it */
	struct mark at;
	char msg[480];
	char hint[240]; /* what to do, one sentence; empty: none */
};

bool err_set(struct err *err, enum err_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool err_errno(struct err *err, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool err_wrap(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3))); /* "words: " + msg */
bool
err_hint(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool err_at(struct err *err, struct mark at); /* unless a place is already there */
bool err_transient(struct err *err); /* sets the bit. All of these return false */

#endif
