/* What must hold in every run, whatever befell it (resilience.md B2), by the records and
 * the ledger of effects alone. */
#ifndef TESTS_SIM_JUDGE_H
#define TESTS_SIM_JUDGE_H

#include "world.h"

/* NULL, or the invariant that does not hold. */
const char *judge_run(struct arena *mem, const struct scenario *scenario,
	const struct world *world);
/* The end of a run with a crash is that of the run without one, or a doubt that is told
 * (I7). */
const char *judge_same(struct arena *mem, const struct scenario *scenario,
	const struct world *base,
	const struct world *world);

#endif
