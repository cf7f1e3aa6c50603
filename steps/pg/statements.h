/* What a text of SQL would do to the transaction that it stands in. Pure. */
#ifndef STEPS_PG_STATEMENTS_H
#define STEPS_PG_STATEMENTS_H

#include "run/step.h"

/* The first statement that ends a transaction (COMMIT, END, ROLLBACK, ABORT, PREPARE
 * TRANSACTION; not ROLLBACK TO, and nothing in quotes, comments or bodies of functions):
 * its first word, which lies in `text`. Empty: there is none. */
struct str statements_end(struct str text);

#endif
