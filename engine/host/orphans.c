/* OP_ORPHANS: what an earlier owner of a run, which is dead, left running is ended before
 * anything is repeated: TERM, the grace, KILL, and a last second. */
#include "host/real.h"
#include "host/sweep.h"

#include <signal.h>
#include <stdlib.h>

static const int64_t LOOK = 50 * NS_MS, LAST = NS_S;

struct orphans_job {
	struct job job;
	struct sweep sweep;
	char *key;
};

struct orphans {
	struct handle handle;
	struct orphans_job *job;              /* NULL: between two looks */
	struct timer look;
	struct sweep_known *known;
	size_t n_known;
	int64_t kill_at, end_at;
	unsigned found;
	bool looked;
};

static void look(struct orphans *orphans, int number);

static void
finish(struct orphans *orphans, unsigned left)
{
	struct op *op = orphans->handle.op;
	struct real *real = orphans->handle.real;
	struct orphans_answer *answer = arena_new_of(op->mem, struct orphans_answer);
	*answer = (struct orphans_answer){orphans->found, left};
	real_timer_stop(real, &orphans->look);
	free(orphans->known);
	handle_free(orphans);
	real_answer(real, op, answer);
}

static void
look_again(void *with)
{
	struct orphans *orphans = with;
	look(orphans, real_now() >= orphans->kill_at ? SIGKILL : 0);
}

static void
job_work(struct job *with)
{
	sweep_run(&((struct orphans_job *)with)->sweep);
}

static void
job_done(struct job *with)
{
	struct orphans_job *job = (struct orphans_job *)with;
	unsigned left = (unsigned)job->sweep.found;
	free(job->key);
	if (with->op == NULL) {
		free(job->sweep.known);
		return;
	}
	struct orphans *orphans = with->op->handle;
	int64_t now = real_now();
	orphans->job = NULL;
	orphans->known = job->sweep.known;
	orphans->n_known = left;
	if (!orphans->looked)
		orphans->found = left;
	orphans->looked = true;
	if (left == 0 || now >= orphans->end_at)
		finish(orphans, left);
	else
		real_timer(with->real, &orphans->look, now + LOOK, look_again, orphans);
}

static void
look(struct orphans *orphans, int number)
{
	const struct orphans_ask *ask = orphans->handle.op->ask;
	struct handle *handle = &orphans->handle;
	struct orphans_job *job = job_new(handle->real, handle->op, sizeof *job);
	job->key = strdup(ask->key);
	if (job->key == NULL)
		abort();
	job->sweep = (struct sweep){.key = job->key, .signal = number,
		.known = orphans->known, .found = orphans->n_known};
	orphans->known = NULL;                /* the job's meanwhile */
	orphans->job = job;
	real_blocking(&job->job, job_work, job_done);
}

static void
give_up(struct orphans *orphans, enum err_code code, const char *why)
{
	struct op *op = orphans->handle.op;
	struct real *real = orphans->handle.real;
	if (orphans->job != NULL)
		orphans->job->job.op = NULL;
	real_timer_stop(real, &orphans->look);
	free(orphans->known);
	handle_free(orphans);
	real_fail(real, op, REACH_SENT, code, "what an earlier attempt left: %s", why);
}

static void
orphans_late(void *handle)
{
	give_up(handle, ERR_TIMEOUT, "not done before the deadline");
}

static void
orphans_cancel(struct real *real, struct op *op)
{
	(void)real;
	give_up(op->handle, ERR_CANCELLED, "cancelled");
}

static void
orphans_start(struct real *real, struct op *op)
{
	const struct orphans_ask *ask = op->ask;
	struct orphans *orphans = handle_new(real, op, sizeof *orphans);
	orphans->kill_at = real_now() + ask->grace;
	orphans->end_at = orphans->kill_at + LAST;
	handle_deadline(orphans, orphans_late);
	look(orphans, SIGTERM);
}

const struct real_kind real_orphans = {.start = orphans_start, .cancel = orphans_cancel};
