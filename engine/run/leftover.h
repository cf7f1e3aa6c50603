/* What attempts left behind in the world: begun, saved by step_save, never finished. The
 * step type knows how to look (leftover) and how to remove it (sweep). */
#ifndef RUN_LEFTOVER_H
#define RUN_LEFTOVER_H

#include "run/run.h"

struct leftover {
	const char *run, *path;
	const struct step_type *type;
	/* As they were recorded. saved NULL: of an attempt that saved nothing, from
	 * `since` to `until` (wall us); see leftovers_search. */
	const struct value *in, *saved;
	int64_t since, until;
	const struct value *found; /* what the type says of it: {what, …} */
};

/* What the runs of the store saved that nobody carries out now, and whose step did not
 * end as done with that very value. Nothing is asked of the world. Blocks. */
bool leftovers_saved(struct store *store, const struct step_type *const *types,
	struct arena *mem, struct leftover **out, size_t *n, struct err *err);

/* Takes those out of the list that saved nothing, and asks the world for each what was
 * begun in its time and is on the record of no run of the store; that takes their place.
 * What cannot be asked is told. Runs the host until all is answered. */
void leftovers_search(struct store *store, struct host *host, struct leftover **list,
	size_t *n, struct arena *mem,
	void (*failed)(const struct leftover *leftover, struct err *err, void *with),
	void *with);

enum leftover_end { LEFTOVER_THERE, LEFTOVER_GONE, LEFTOVER_UNKNOWN };

/* Asks the world; THERE sets found. UNKNOWN: err says why. Runs the host until it is
 * answered. */
enum leftover_end leftover_look(struct host *host, struct leftover *leftover,
	struct arena *mem, struct err *err);
bool leftover_sweep(struct host *host, struct leftover *leftover, struct arena *mem,
	struct err *err);

#endif
