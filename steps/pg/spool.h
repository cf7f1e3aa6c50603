/* A dump that is fetched from S3 to a file of its own, because several jobs seek in it.
 * The file's name is durable before there is one, so that what a crash leaves is known
 * (`rbx gc`). Part of a step that has it in its state. */
#ifndef STEPS_PG_SPOOL_H
#define STEPS_PG_SPOOL_H

#include "../steps/aws/fetch.h"

struct spool {
	struct fetch fetch; /* place, object and slots are given */
	bool there;                                   /* the file is to be removed */

	/* its own */
	enum { SPOOL_SAVE, SPOOL_FETCH, SPOOL_REMOVE } state;
	enum verdict verdict;
	struct err err;
};

/* Where it goes: TMPDIR, else /var/tmp. Mode 0600. */
const char *spool_path(struct step *step);
enum verdict spool_begin(struct step *step, struct spool *spool);
/* STEP_DONE: the whole dump is at fetch.path. */
enum verdict
spool_event(struct step *step, struct spool *spool, const struct event *event);
/* Removes the file; its event gives `verdict` and step->err as they are now. */
enum verdict spool_remove(struct step *step, struct spool *spool, enum verdict verdict);

/* `leftover` and `sweep` of the step type. */
enum verdict spool_leftover(struct step *step, const struct event *event);
enum verdict spool_sweep(struct step *step, const struct event *event);

#endif
