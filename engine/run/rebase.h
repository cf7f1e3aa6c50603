/* Whether a run may go on with another playbook (resilience.md, "Playbook changed between
 * start and resume"). What has begun stays as it was: its place, its type, its arguments
 * as written; nothing new stands before it. A step that failed or was cancelled before it
 * had an intent, and that the resume tries again, may be corrected. So may all that has
 * not begun, and all keys that are asked later: undo, retry, handlers, assertions. Pure.
 */
#ifndef RUN_REBASE_H
#define RUN_REBASE_H

#include "base/diag.h"
#include "model/playbook.h"
#include "run/state.h"

/* reopens: the run has ended, and what failed is open again. False: diags has an error
 * for each place that may not change; in `to` where it is, else in `from`. */
bool rebase_judge(const struct run_state *state, const struct playbook *from,
	const struct playbook *to, bool reopens, struct arena *mem, struct diags *diags);

#endif
