/* Whole runs in the scripted world, told by the records that they leave: one a line, its
 * kind, its path, and what tells one from the other. Scenarios are written with ' for ".
 */
#ifndef TESTS_UNIT_RUN_TRACES_H
#define TESTS_UNIT_RUN_TRACES_H

#include "../unit.h"
#include "world.h"

struct str trace_of(struct arena *mem, const struct world *world);
/* with the fates of outcomes and retries, what was adopted and what is a repeat */
struct str trace_fates(struct arena *mem, const struct world *world);

const struct scenario *scenario_of(struct arena *mem, const char *text,
	struct scenario *scenario);
/* carried out; `of`: the run that it takes back, NULL */
struct world *world_of(struct arena *mem, const char *text, const struct run_state *of);

void expect(const char *text, const char *trace, int exit);
/* What was sent to a dead owner comes with the claim. */
void expect_late(const char *text, const char *trace);
/* the same, by trace_fates */
void expect_fates(const char *text, const char *trace);

#endif
