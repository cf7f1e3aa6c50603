/* The questions of a run at its terminal: which one stands, what is typed, what message
 * it makes. Pure: bytes in, a body of a message out. */
#ifndef SHOW_QUESTION_H
#define SHOW_QUESTION_H

#include "show/style.h"

struct question_state {
	const struct path_state *path; /* the one that is asked; NULL: none */
	uint64_t ask;                                 /* its number when it was asked */
	enum { Q_ANSWER, Q_REASON } step;
	enum choice choice;                           /* chosen, a reason is asked for */
	char typed[256];
	size_t n;
};

/* The first question that stands, when none is asked or the one that was is answered.
 * true: another one than before. */
bool question_choose(struct question_state *q, const struct run_state *state);
/* "Point app… at Staging? [y/N] " */
void question_write(
	struct buf *out, const struct style *style, const struct question_state *q);
/* A line was typed. true: `body` is a message for the owner. */
bool question_typed(
	struct question_state *q, struct str line, struct arena *mem, struct str *body);

#endif
