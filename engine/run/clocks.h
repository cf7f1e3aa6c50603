/* How far the clocks of far sides are from ours, learned from their answers, for a run. A signature that carries a time is
 * made by their clock. */
#ifndef RUN_CLOCKS_H
#define RUN_CLOCKS_H

#include "base/arena.h"

#include <stdint.h>

struct clocks {
	struct arena *mem;
	struct clock *first;
	/* Another one than before; NULL: nobody listens. */
	void (*learned)(struct clocks *clocks, const char *host, int64_t us);
};

int64_t clocks_get(const struct clocks *clocks, const char *host);      /* us to be added to ours; 0: none is known */
void clocks_set(struct clocks *clocks, const char *host, int64_t us);

#endif
