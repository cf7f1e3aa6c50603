/* How things look: marks, colours and words that every view shares. ASCII where the
 * locale is not UTF-8. */
#ifndef SHOW_STYLE_H
#define SHOW_STYLE_H

#include "run/decide.h"

struct style {
	bool colour, ascii;
	unsigned width; /* of the terminal; 0: no terminal */
};

enum tone {
	TONE_PLAIN,
	TONE_GOOD,
	TONE_BAD,
	TONE_WARN,
	TONE_ASK,
	TONE_DIM,
	TONE_BOLD,
	TONE_WORK
};

struct style style_of(bool colour); /* width from the terminal of standard output */
void style_on(struct buf *out, const struct style *style, enum tone tone);
void style_off(struct buf *out, const struct style *style);
void
style_text(struct buf *out, const struct style *style, enum tone tone, const char *text);

/* "✓" and its tone for how a step ended or stands. */
const char *
style_mark(const struct style *style, const struct path_state *path, enum tone *tone);
const char *style_state(const struct run_state *state,
	const struct path_state *path); /* "done", "in doubt", "predicted" … */

/* Columns that a text takes (East Asian wide 2, combining 0), and the text cut to `most`
 * of them with an ellipsis. */
unsigned text_columns(struct str text);
struct str text_cut(struct arena *mem, struct str text, unsigned most, bool ascii);

/* An objective beside what was measured of it: met, missed or not measured. */
struct objective_state {
	const struct objective *objective;
	bool measured, met;
	double number;                                /* ns for durations */
};
size_t objectives_of(struct arena *mem, const struct playbook *book,
	const struct run_state *state, struct objective_state **out);
char *objective_text(struct arena *mem, const struct objective *objective, double number);

#endif
