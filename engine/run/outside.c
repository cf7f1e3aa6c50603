/* What an attempt of a job asks of the world around it. */
#include "run/phase.h"

enum { LATE_S = 30 };

/* What is kept of the output of an attempt, and of all that waits for the store: programs
 * print faster than disks write. */
enum { LOG_MOST = 16 << 20, WAITING_MOST = 16 << 20 };

static void
attempt_saves(struct attempt *attempt, const struct value *value)
{
	struct job *job = (struct job *)attempt;
	struct result *result = arena_new_of(job->mem, struct result);
	*result = (struct result){.save = true, .saved = value};
	shell_tell(job->shell,
		(struct news){.kind = NEWS_OP, .path = job->path, .result = result},
		NULL);
}

static void
keep_output(struct job *job, struct str text)
{
	static const char cut[] = "\n[the rest of what it printed is not kept: it was too "
		"much]\n";
	size_t room = LOG_MOST - (size_t)job->log_bytes;
	if (job->log == NULL)
		job->log = digest_new(job->mem);
	job->log_is_full = text.n > room || shell_chunks(job->shell) > WAITING_MOST;
	if (job->log_is_full)
		text = (struct str){cut, sizeof cut - 1};
	digest_add(job->log, text);
	job->log_bytes += text.n;
	shell_chunk(job->shell,
		&(struct chunk){.path = job->path,
			.attempt = job->number,
			.number = ++job->chunks,
			.text = text});
}

static void
attempt_prints(struct attempt *attempt, int fd, struct str text, bool keep)
{
	struct job *job = (struct job *)attempt;
	struct shell *shell = job->shell;
	if (keep && !job->log_is_full)
		keep_output(job, text);
	if (shell->observer != NULL && shell->observer->output != NULL)
		shell->observer->output(shell->observer, job->path, fd, text);
}

static void
attempt_moves(struct attempt *attempt)
{
	struct job *job = (struct job *)attempt;
	struct observer *observer = job->shell->observer;
	if (observer != NULL && observer->progress != NULL)
		observer->progress(observer, job->path, attempt->title, attempt->done,
			attempt->total, attempt->unit);
}

static void
attempt_notes(struct attempt *attempt, const char *text)
{
	shell_note(((struct job *)attempt)->shell, "warning", text, NULL);
}

/* Before an effect starts the owner looks at the boot clock: what was decided long ago,
 * before a sleep, is not started. */
static bool
attempt_may(struct attempt *attempt, struct err *err)
{
	struct job *job = (struct job *)attempt;
	if (job->effect_begun)
		return true;
	if (job->shell->full) {
		job->refused = job->shell->refused = true;
		err_set(err, ERR_FULL,
			"the store's disk is full: no new effect is started");
		return false;
	}
	bool tells = path_is_handler(job->path) && attempt->step.effect == REPEATABLE;
	if (job->shell->unlocked != NULL && !tells)
		return err_set(err, ERR_BUSY, "not started: %s", job->shell->unlocked);
	if (attempt_now(attempt).boot - job->decided_boot > LATE_S * NS_S
		&& job->at == 0) {
		err_set(err, ERR_TIMEOUT,
			"not started: more than %d s passed since it was decided",
			LATE_S);
		return err_transient(err);
	}
	job->effect_begun = true;
	return true;
}

static void
job_renewed(struct want *want, const struct value *got, const struct err *err)
{
	struct job *job = (struct job *)((char *)want - offsetof(struct job, renewal));
	(void)got, (void)err;
	provide_drop(want);
	attempt_renewed(&job->attempt);
}

static bool
attempt_renews(struct attempt *attempt)
{
	struct job *job = (struct job *)attempt;
	if (job->want.grant == NULL)
		return false;
	job->renewal.given = job_renewed;
	if (!job->renewal.waits)
		provide_again(job->shell, &job->renewal, &job->want);
	return true;
}

const struct attempt_type job_outside = {
	.ended = job_attempt_ended, .saved = attempt_saves, .output = attempt_prints,
	.progress = attempt_moves, .notes = attempt_notes, .may_start = attempt_may, .renews = attempt_renews,
};
