#include "run/phase.h"

#include "run/shell.h"

/* Why the engine ended an attempt: the step itself cannot know. */

static bool
is_over(const struct job *job, int64_t deadline_at)
{
	return deadline_at > 0 && shell_time(job->shell) >= deadline_at;
}

/* The deadline that has passed: the step's own, that of a group around it, the run's.
 * NULL: none. */
static const char *
passed_deadline(const struct job *job)
{
	const struct path_state *at = job->state;

	if (at != NULL && is_over(job, at->deadline_at) && job->node->deadline > 0)
		return arena_printf(job->mem, "its deadline of %s",
			duration_text(job->mem, job->node->deadline));
	for (; at != NULL && at->path[0] != '\0'; at = at->parent)
		if (is_over(job, at->deadline_at))
			return arena_printf(job->mem, "the deadline of %s", at->path);
	return is_over(job, job->shell->state.deadline_at) ? "the deadline of the run"
							    : NULL;
}

void
job_say_why(struct job *job)
{
	struct attempt *attempt = &job->attempt;
	bool late =
		job->timeout_boot > 0 && shell_now(job->shell).boot >= job->timeout_boot;
	enum verdict verdict = attempt->verdict;
	if (verdict == STEP_DONE || verdict == STEP_ABSENT || !(job->killed || late))
		return;
	if (attempt->err.code != ERR_CANCELLED && attempt->err.code != ERR_NONE)
		return;
	const char *deadline = passed_deadline(job);
	if (late) {
		err_set(&attempt->err, ERR_TIMEOUT, "not done within its timeout of %s",
			duration_text(job->mem,
				job->doing->timeout > 0 ? job->doing->timeout
							: job->node->timeout));
		err_transient(&attempt->err);
	} else if (deadline != NULL) {
		err_set(&attempt->err, ERR_TIMEOUT, "not done when %s passed", deadline);
	} else {
		err_set(&attempt->err, ERR_CANCELLED, "ended before it was done");
	}
}
