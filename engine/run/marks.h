/* A set of small numbers that gives its next member at once however large it is: which
 * members of a list have something to do. Bits in 64-ary levels; a bit above says that a
 * word below is not empty. */
#ifndef RUN_MARKS_H
#define RUN_MARKS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MARKS_LEVELS = 4 };                            /* 64^4 members */

struct marks {
	uint64_t *level[MARKS_LEVELS];                /* level[0]: the members */
	size_t n;
	unsigned levels;
};

void marks_init(struct marks *marks, struct arena *mem, size_t n);
bool marks_set(struct marks *marks, size_t i);        /* whether it was not there */
void marks_clear(struct marks *marks, size_t i);
bool marks_has(const struct marks *marks, size_t i);
bool marks_is_empty(const struct marks *marks);
/* the first >= from; n: none */
size_t marks_next(const struct marks *marks, size_t from);

#endif
