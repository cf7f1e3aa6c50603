/* What lies ahead of a run, for who watches it: how much of an objective is used up, and
 * how long the rest may take. */
#ifndef RUN_FORECAST_H
#define RUN_FORECAST_H

#include "run/decide.h"

/* objectives.c: the largest on record of each name, as it was evaluated. */
struct value measures_largest(const struct run_state *state, struct arena *mem);

/* What a measure that is a duration has come to at `now`, the largest of that name: as
 * recorded, or as it would be if the steps that are still to give it were done now. */
struct measure_now {
	int64_t ns;
	bool is_final;                            /* nothing of it is still to come */
};
/* false: nobody can tell, for it reads what the run does not know yet. mem: scratch. */
bool measure_now(const struct owner *owner, const char *name, struct now now,
	struct arena *mem, struct measure_now *out);

/* The rest by a former run of the same playbook: what it took from the step that ended
 * last in this run to its end. ns, at least 0; false: they have no step in common. */
bool rest_by(const struct run_state *former, const struct run_state *state,
	int64_t now_us, int64_t *ns);

#endif
