/* A step's arguments in their final form, and the way from what was recorded of them back to that. */
#ifndef RUN_ARGS_H
#define RUN_ARGS_H

#include "run/scope.h"

/* By the type's table and its own check; what cannot be said by a table, too: an item of argv that is written as an
 * expression and comes out as an option. The first error is err. */
bool args_judge(const struct node *node, const struct value *given, struct arena *mem,
	struct value *out, struct err *err);
/* `recorded` with its expressions evaluated again: secrets are fresh, `now` is that of the record. */
bool args_restore(struct scope *scope, const struct node *node, const struct value *recorded,
	struct value *out, struct err *err);

/* objectives.c: members of the body of `end`. */
void asker_end(const struct asker *asker, enum ending ending, struct arena *mem,
	struct value *members, bool *green);

#endif
