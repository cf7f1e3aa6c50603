/* The database that a restore makes: under a name of the step's own, marked, then named
 * as it shall be. So one of that name is always marked, and what a crash left half made
 * is known by its name. Part of a step that has it in its state. */
#ifndef STEPS_PG_DATABASE_H
#define STEPS_PG_DATABASE_H

#include "run/step.h"

struct pg_database {
	const char *name;                             /* as it shall be called */
	unsigned slot;                                /* for the statements */

	/* found by pg_database_look */
	bool exists, is_ours;
	int64_t bytes; /* -1: not there, or not to be known */
	const char *server_version;

	bool changed; /* a statement that changes something has been sent */

	/* its own */
	enum {
		DATABASE_LOOK,
		DATABASE_CLEAR,
		DATABASE_DROP,
		DATABASE_CREATE,
		DATABASE_COMMENT,
		DATABASE_RENAME,
	} state;
	bool half_made;
};

/* Reads. */
enum verdict pg_database_look(struct step *step, struct pg_database *database);
/* STEP_DONE: what was asked for is known, or the database is there, empty. STEP_WAIT, or
 * how the step ends. */
enum verdict pg_database_event(
	struct step *step, struct pg_database *database, const struct event *event);
/* After a look. Refuses one that exists and that rbx did not make; this alone tells it
 * without doing anything. */
bool pg_database_may_go(struct step *step, const struct pg_database *database);
enum verdict pg_database_make(struct step *step, struct pg_database *database);

#endif
