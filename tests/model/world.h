/* A scripted world with virtual time: carries out one scenario with the engine's own
 * decisions. Of one instant: scripted events first, then completions in the order of
 * their starts, then what is due. Each is one turn. */
#ifndef TESTS_MODEL_WORLD_H
#define TESTS_MODEL_WORLD_H

#include "run/decide.h"
#include "scenario.h"

#define WORLD_START (INT64_C(1700000000) * 1000000)   /* us: second 0 of a scenario */

struct world;

/* seq of a record; number of a started operation; 0: none */
struct crash { uint64_t before, after; unsigned op; };

/* Rules that a test breaks on purpose, to see that it is seen. */
struct broken {
	/* acts start before their records are durable */
	bool acts_first;
	bool twice;                                   /* an effect takes place twice */
	/* a crash takes acknowledged records with it */
	bool forgets;
	/* acts rest on nothing */
	bool early;
};

struct world *world_new(struct arena *mem, const struct scenario *scenario);
void world_close(struct world *world);                /* what its arenas hold */
void world_break(struct world *world, struct broken broken);
/* What was sent to a dead owner is handed over with the claim, as a store's inbox is. */
void world_has_inbox(struct world *world);
void world_undoes(struct world *world, const struct run_state *of);
void world_crash(struct world *world, const struct crash *crashes, size_t n,
	int64_t resume_after);
/* NULL, or what went wrong in the world's own view: an effect without an intent, a run
 * that does not end. */
const char *world_run(struct world *world);

struct started { const char *path; unsigned n; };
const struct record *world_records(const struct world *world, size_t *n);
const struct run_state *world_state(const struct world *world);
const struct started *world_started(const struct world *world, size_t *n);
unsigned world_crashes(const struct world *world);
unsigned world_ops(const struct world *world);
int world_exit(const struct world *world);            /* 137: crashed, -1: waits */

#endif
