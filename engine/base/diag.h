/* All that is wrong with a file, gathered so that it can be told at once. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/err.h"

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag {
	struct diag *next;
	enum diag_level level;
	struct err err;
	struct mark also;                             /* a second place, "also here" */
};

struct diags {
	struct arena *mem;
	struct diag *first, *last;
	size_t errors, warnings;
};

/* Each adds one and returns its err, so that a hint can follow. At most 100 errors are
 * kept; the rest are counted. */
struct err *diag_error(struct diags *diags, struct mark at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
struct err *diag_warning(struct diags *diags, struct mark at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
struct err *diag_note(struct diags *diags, struct mark at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
struct err *diag_add(struct diags *diags, enum diag_level level, const struct err *err);
void diags_sort(struct diags
		*diags); /* by file and place, errors first where places are the same */

/* "file:line:col: error: message, the line, a caret, the hint" as design.md shows it. */
void
diag_print(struct buf *out, enum diag_level level, const struct err *err, bool colour);
void diags_print(struct buf *out, const struct diags *diags, bool colour);

/* The nearest of `names` (NULL-ended) to `name`, NULL if none is near:
 * Damerau-Levenshtein distance at most a third of the longer length, at least 1. */
const char *near_name(struct str name, const char *const *names);
unsigned near_distance(struct str a, struct str b);

#endif
