#include "run/phase.h"

#include <string.h>

/* The jobs under way: found by their path, told that a save is durable, ended, and when
 * one of them is due. */

static struct job *
job_of(const struct shell *shell, const char *path)
{
	for (struct link *it = shell->jobs.next; it != &shell->jobs; it = it->next) {
		struct job *job = list_item(it, struct job, link);
		if (strcmp(job->path, path) == 0)
			return job;
	}
	return NULL;
}

void
phase_saved(struct shell *shell, const char *path)
{
	struct job *job = job_of(shell, path);
	if (job != NULL && job->attempt.saving)
		attempt_saved(&job->attempt, shell_now(shell));
}

static void
kill_job(struct shell *shell, struct job *job)
{
	if (job->killed)
		return;
	job->killed = true;
	struct err err;
	if (job->secrets.waits != NULL) {
		secrets_drop(shell, &job->secrets);
		err_set(&err, ERR_CANCELLED, "ended while it waited for a secret");
		job_fail(job, &err);
	} else if (job->want.waits) {
		provide_drop(&job->want);
		err_set(&err, ERR_CANCELLED, "ended while it waited for %s",
			job->doing->type->uses->name);
		job_fail(job, &err);
	} else if (job->phase == PHASE_ORPHANS) {
		shell->host->type->cancel(shell->host, &job->orphans);
	} else {
		attempt_cancel(&job->attempt);
	}
}

bool
phase_kill(struct shell *shell, const char *path)
{
	struct job *job = job_of(shell, path);
	if (job != NULL)
		kill_job(shell, job);
	return job != NULL;
}

void
phase_kill_link(struct shell *shell, struct link *link)
{
	kill_job(shell, list_item(link, struct job, link));
}

int64_t
phases_due(const struct shell *shell)
{
	int64_t due = provide_due(shell);
	for (struct link *it = shell->jobs.next; it != &shell->jobs; it = it->next) {
		const struct job *job = list_item(it, struct job, link);
		int64_t at = attempt_due(&job->attempt);
		if (at < due)
			due = at;
	}
	return due;
}

void
phases_tick(struct shell *shell)
{
	struct now now = shell_now(shell);
	for (struct link *it = shell->jobs.next, *following; it != &shell->jobs;
		it = following) {
		struct job *job = list_item(it, struct job, link);
		following = it->next;
		if (attempt_due(&job->attempt) <= now.boot)
			attempt_tick(&job->attempt, now);
	}
	provide_tick(shell);
}
