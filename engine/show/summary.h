/* The whole of a run: for people as text, for programs as one object. */
#ifndef SHOW_SUMMARY_H
#define SHOW_SUMMARY_H

#include "show/style.h"

/* How a run stands, whoever asks: ok, failed, refused, cancelled, out_of_time; without an
 * end running, waiting (a person is needed) or crashed, by whether its owner is alive. */
const char *run_word(const struct run_state *state, bool alive);

struct summary {
	const struct run_state *state;
	const struct playbook *book;                  /* NULL: could not be read */
	const struct holder *holder;                  /* NULL: nobody carries it out */
	const bool *ticked; /* of each follow-up; NULL: none is */
	const char *head; /* hash of the last record, hex; NULL */
	/* the run that takes it back, folded, and how that stands; NULL: there is none */
	const struct run_state *undoing;
	const char *undoing_word;
};

/* Result, steps, objectives, what is in doubt, what people still have to do, and the
 * command to go on. */
void
summary_write(struct buf *out, const struct style *style, const struct summary *summary);
/* Only the end: for the last lines of `rbx run`. */
void
summary_end(struct buf *out, const struct style *style, const struct summary *summary);

/* {run, playbook, mode, state, exit, started, ended, by, undo: {run, state}, notes,
 * measures, objectives, head, steps: [{path, type, state, how, tries, started, ended,
 * outputs, error}]}. A step that was taken back, by its own run or by another, has the
 * state `undone`; so has none that had failed: what became of its part stands at
 * PATH/undo. */
struct value summary_value(struct arena *mem, const struct summary *summary);

#endif
