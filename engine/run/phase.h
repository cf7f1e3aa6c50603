/* A job: one act of the owner under way, be it one attempt of a step, its preconditions
 * one after the other, or the end of orphans. Internal to run/: phase.c. */
#ifndef RUN_PHASE_H
#define RUN_PHASE_H

#include "base/list.h"
#include "run/judge.h"
#include "run/provide.h"
#include "run/secrets.h"

struct job {
	struct attempt attempt;                       /* first: an attempt is its job */
	struct link link;                             /* of shell->jobs */
	struct shell *shell;
	struct arena *mem;
	const char *path;
	const struct node *node;                      /* the step */
	struct path_state *state;
	const struct path_state *undone; /* what the step that is undone left; NULL */
	enum phase phase;
	uint32_t number;                              /* of the attempt */
	int64_t decided_boot, timeout_boot;
	const struct value *in;                       /* recorded form */
	bool effect_begun, killed, answered;
	bool refused;                                 /* its effect, for the store is full */
	bool absent; /* the author's probe, asked before the first attempt, says so */

	const struct node *doing; /* whose type is at work: the step, a precondition, a
				     probe, an undo step */
	struct node *const
		*list; /* what is to be done one after the other; NULL: only `doing` */
	size_t at, n;
	struct scope scope;

	const struct value *step_in;                  /* of `doing`, in its final form */
	struct secret_want secrets;                   /* of what its arguments read */
	struct want renewal;                          /* of what was refused */
	struct want
		want; /* of what the type needs: the attempt starts when it is there */

	struct waiter orphans_done;
	struct op orphans;
	struct digest *log;
	uint64_t log_bytes;
	bool log_is_full;
	uint32_t chunks;
	struct result result;
	struct err err;
};

/* The job ends with job->result. */
void job_answer(struct job *job);
void job_fail(struct job *job, const struct err *err);
extern const struct attempt_type job_outside;          /* outside.c */
void job_attempt_ended(struct attempt *attempt); /* its verdict, err and out stand */
int64_t job_until(const struct job *job);
void job_say_why(struct job *job);                     /* why.c: the engine ended it, the step cannot know why */
void job_end_orphans(struct job *job);                 /* orphans.c */

#endif
