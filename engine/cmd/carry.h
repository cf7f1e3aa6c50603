/* What run, drill, resume and undo share: who watches, and how a run's end is told. */
#ifndef CMD_CARRY_H
#define CMD_CARRY_H

#include "base/digest.h"
#include "cmd/load.h"
#include "run/run.h"
#include "show/summary.h"

/* Fills in the observer and whether a person can answer here. The store is open. */
void carry_prepare(struct cmd *cmd, const struct playbook *book,
	struct run_options *options);
/* After run_start or run_resume: the view is closed, the end or the error is told;
 * returns `code`. */
int carry_finish(struct cmd *cmd, const struct run_options *options,
	const struct playbook *book, const char *run, int code, const struct err *err);

/* The folded run with all that a summary needs; false: told. */
bool summary_load(struct cmd *cmd, const char *run, struct summary *out);
/* Of it, only which run undoes this one. */
bool undoing_load(struct cmd *cmd, const char *run, struct summary *out);

#endif
