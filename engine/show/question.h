/* The questions of a run at its terminal: which one stands, what is typed, what message
 * it makes. Pure: bytes in, a body of a message out. */
#ifndef SHOW_QUESTION_H
#define SHOW_QUESTION_H

#include "show/style.h"

enum { QUESTION_FIELDS = 16, QUESTION_TYPED = 256 };

struct question_state {
	const struct path_state *path; /* the one that is asked; NULL: none */
	uint64_t ask;                                 /* its number when it was asked */
	enum { Q_ANSWER, Q_FIELD, Q_REASON } step;
	const struct value *fields;                   /* `ask` of a manual: {name: {type, help, …}}; NULL: none */
	size_t n_answers;
	char answers[QUESTION_FIELDS][QUESTION_TYPED];
	enum choice choice;                           /* chosen, a reason is asked for */
	char typed[QUESTION_TYPED];
	size_t n;
};

/* The first question that stands, when none is asked or the one that was is answered.
 * true: another one than before. */
bool question_choose(struct question_state *q, const struct run_state *state,
	const struct playbook *book);
/* "Point app… at Staging? [y/n] " */
void question_write(
	struct buf *out, const struct style *style, const struct question_state *q);
/* A line was typed. true: `body` is a message for the owner. */
bool question_typed(
	struct question_state *q, struct str line, struct arena *mem, struct str *body);

#endif
