/* A record as one line for people: what happened, in the order in which it did. */
#ifndef SHOW_LINE_H
#define SHOW_LINE_H

#include "show/style.h"

/* Adds nothing where a record says nothing to people (a check's begin, a save). The line
 * ends with a newline; texts that a person must read whole (a question, a failure) may
 * take several. */
void line_write(struct buf *out, const struct style *style, const struct run_state *state,
	const struct playbook *book, const struct record *record);

/* Before and after of a change, member by member: "-" what goes, "+" what comes, "~" what
 * stays and has members that differ. */
void diff_write(struct buf *out, const struct style *style, const struct value *before,
	const struct value *after, unsigned indent);

#endif
