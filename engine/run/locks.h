/* The locks of a playbook and of those that it calls, as they are when the run begins:
 * they are taken together, before the first check. */
#ifndef RUN_LOCKS_H
#define RUN_LOCKS_H

#include "run/shell.h"

struct wanted_lock {
	const char *name;
	const struct playbook *book;                  /* that asks for it */
	struct value to; /* a connection; of those in a database */
};

/* in_database: those, else those of the store. False: err, also where a name would be
 * known later only. */
bool locks_wanted(struct shell *shell, bool in_database, const struct wanted_lock **out,
	size_t *n, struct err *err);

#endif
