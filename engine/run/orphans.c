#include "run/phase.h"

/* What an attempt has left running is ended before the world is asked, or changed again. */

enum { ORPHANS_GRACE_S = 5 };

static void
orphans_ended(struct waiter *waiter, struct op *op)
{
	struct job *job =
		(struct job *)((char *)waiter - offsetof(struct job, orphans_done));
	const struct orphans_answer *answer = op->answer;
	job->result = (struct result){.verdict = STEP_DONE, .reach = REACH_ANSWERED};
	if (answer != NULL)
		job->result.left = answer->left;
	else
		job->result.left = 1;
	if (job->result.left > 0) {
		err_set(&job->err, ERR_DENIED, "%u of its processes cannot be ended",
			job->result.left);
		if (op->err.code != ERR_NONE)
			job->err = op->err;
		job->result.err = &job->err;
	}
	job_answer(job);
}

/* Processes of another machine are out of reach; a boot of this one has ended them. NULL:
 * it was this machine. */
static const char *
made_elsewhere(struct shell *shell, const struct path_state *of, struct arena *mem)
{
	const struct self *self = shell->host->type->self(shell->host);
	const struct value *made = of->made_by;
	const struct value *by = made == NULL ? NULL : value_get(made, "by");
	if (by == NULL)
		return NULL;
	struct str host = value_get_str(by, "host"), boot = value_get_str(by, "boot_id");
	if (host.p == NULL || str_is(host, self->host)
		|| (boot.n > 0 && str_is(boot, self->boot_id)))
		return NULL;
	return str_cstr(mem, host);
}

static void
leave_orphans(struct job *job, const char *host)
{
	job->result = (struct result){
		.verdict = STEP_DONE, .reach = REACH_ANSWERED, .left = 1};
	err_set(&job->err, ERR_DENIED,
		"it was begun on %s: whether something of it still runs there cannot be "
		"seen from here", host);
	job->result.err = &job->err;
	job_answer(job);
}

void
job_end_orphans(struct job *job)
{
	struct shell *shell = job->shell;
	/* What a step left before its undo may be of another run, and has the key of
	 * that. */
	const struct run_state *run =
		job->undone != NULL && shell->of != NULL ? shell->of : &shell->state;
	const struct path_state *of = job->undone != NULL ? job->undone : job->state;
	const char *elsewhere = made_elsewhere(shell, of, job->mem);
	if (elsewhere != NULL) {
		leave_orphans(job, elsewhere);
		return;
	}
	struct orphans_ask *ask = arena_new_of(job->mem, struct orphans_ask);
	*ask = (struct orphans_ask){
		.key = path_key(job->mem, run, of), .grace = ORPHANS_GRACE_S * NS_S};
	job->orphans_done.done = orphans_ended;
	job->orphans = (struct op){.kind = OP_ORPHANS,
		.ask = ask,
		.mem = job->mem,
		.owner = &job->orphans_done,
		.deadline = shell_now(shell).boot + 2 * ORPHANS_GRACE_S * NS_S};
	shell->host->type->start(shell->host, &job->orphans);
}
