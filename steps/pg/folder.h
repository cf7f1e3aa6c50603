/* A dump of format directory, which pg_dump writes by itself: under a name that nobody
 * reads, and at its place when it is whole. Part of a step that has it in its state. */
#ifndef STEPS_PG_FOLDER_H
#define STEPS_PG_FOLDER_H

#include "run/step.h"

struct folder {
	/* given */
	const char *path;
	unsigned slot;

	const char *partial; /* where pg_dump shall write, once it is clear */
	uint64_t bytes;                               /* of all files, once it is whole */

	/* its own */
	enum { FOLDER_CLEAR, FOLDER_MOVE, FOLDER_GIVE_UP } state;
	enum verdict verdict;
	struct err failed_with;
};

/* Refuses what stands at the path and is no dump, before anything is dumped. */
enum verdict folder_begin(struct step *step, struct folder *folder);
/* pg_dump has written all of it. A dump that stood there gives way. */
enum verdict folder_finish(struct step *step, struct folder *folder);
/* What was half made goes; ends with `verdict` and step->err as they are now. */
enum verdict
folder_give_up(struct step *step, struct folder *folder, enum verdict verdict);
/* Of the slot. STEP_DONE: begun, or finished. STEP_WAIT, or how the step ends. */
enum verdict
folder_event(struct step *step, struct folder *folder, const struct event *event);

#endif
