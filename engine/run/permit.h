/* Who may answer a question: `by`, `at_least` and `not_by` of a confirm (language.md).
 * Pure: who it was, and in which groups, is what the host and the store found out. */
#ifndef RUN_PERMIT_H
#define RUN_PERMIT_H

#include "run/state.h"

struct answerer {
	const char *person;                           /* NULL: cannot be told */
	const char *const *groups;                    /* NULL-ended; NULL: none */
};

/* Whether the open question of `path` takes an answer of this person; false: err says why
 * not. yes: only then does it matter whether the same person has said yes before. */
bool permit_answer(const struct run_state *state, const struct path_state *path,
	const struct answerer *from, bool yes, struct err *err);

/* How many persons still have to say yes; 0: no question is open. */
unsigned permit_missing(const struct path_state *path);

/* "2 persons of the group ops, not ana, who asked for the run; bob has said yes". NULL:
 * anybody may answer, and once is enough. */
char *permit_text(
	struct arena *mem, const struct run_state *state, const struct path_state *path);

/* Who asked for the run; NULL: it cannot be told. */
const char *permit_requester(struct arena *mem, const struct run_state *state);

#endif
