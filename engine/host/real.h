/* The seam between the loop of the real host and the kinds of operations. Each kind is a
 * file with one row (struct real_kind); kinds.c lists them. Internal to host/.
 *
 * Rules of a kind:
 *  - start and cancel run in the loop thread and never block; what may block (disk,
 *    getaddrinfo, PQcancel) goes through real_blocking.
 *  - Each started operation is completed exactly once by real_complete, which only
 *    queues it: also from start and cancel.
 *  - A kind honours op->deadline by itself: a timer on it (real_timer), then ERR_TIMEOUT
 *    with the reach that is true then.
 *  - cancel comes at most once for an operation in flight, and it then completes soon
 *    with ERR_CANCELLED (or, when its answer was already whole, as if nothing had been
 *    said). A child may take the grace plus a second.
 *  - A stream (OP_OPEN, OP_HTTP with stream_out) lives on after its operation completed:
 *    until it was read or written to its end, was cancelled (then nothing completes a
 *    second time), or op->mem ends. */
#ifndef HOST_REAL_H
#define HOST_REAL_H

#include "base/list.h"
#include "host/ear.h"
#include "host/host.h"

#include <signal.h>
#include <uv.h>

struct real;

/* A timer stands in the struct that needs it. at: boot ns (CLOCK_BOOTTIME). All hang on
 * one timerfd. */
struct timer {
	int64_t at;
	size_t place; /* in the heap, from 1; 0: not set */
	void (*fn)(void *with);
	void *with;
};

/* set anew */
void real_timer(struct real *real, struct timer *timer, int64_t at, void (*fn)(void *),
	void *with);
/* also one that is not set */
void real_timer_stop(struct real *real, struct timer *timer);
int64_t real_now(void);                                               /* boot ns */

/* What op->handle points to begins with this, so that whoever has an op finds the host,
 * and the host what is open. */
struct handle {
	struct link open;                             /* in real->open */
	struct real *real;
	struct op *op; /* NULL once it must not be touched any more */
	struct timer deadline;
	bool cancelled; /* cancel was called; it is not called again */
};

/* Zeroed, of `size` bytes that begin with struct handle, as op->handle; free gives back
 * the memory (not at once what uv still closes: call it from the close callback) and
 * clears op->handle where it is still this one. */
void *handle_new(struct real *real, struct op *op, size_t size);
void handle_free(void *handle);
/* a timer on op->deadline */
void handle_deadline(void *handle, void (*fn)(void *handle));

struct real_kind {
	void (*start)(struct real *real, struct op *op);
	/* in flight, or a stream that is open: op->handle is set */
	void (*cancel)(struct real *real, struct op *op);
	/* `part` is an OP_READ or OP_WRITE whose from or to is `stream`, with
	 * stream->handle set; one each at a time. NULL: the kind has no such stream. The
	 * kind completes the part; its deadline and cancel are stream.c's, which calls
	 * stop: forget the part and set part->reach, stream.c completes it. A stream that
	 * ends under a part completes it with an error, before itself. */
	void (*read)(struct real *real, struct op *stream, struct op *part);
	void (*write)(struct real *real, struct op *stream, struct op *part);
	void (*stop)(struct real *real, struct op *stream, struct op *part);
	/* give back real->state[kind], at host_close; NULL: nothing */
	void (*close)(struct real *real);
};

extern const struct real_kind real_sleep, real_exec, real_open, real_read, real_write,
	real_file, real_orphans, real_posted, real_http, real_mail, real_sql,
	real_dns, real_connect;
extern const struct real_kind *const real_kinds[OP_POSTED + 1];

enum { EARS_AT_ONCE = 128, HOST_SIGNALS = 4 };

struct real {
	struct host host; /* first: a struct host * is a struct real * */
	uv_loop_t loop;
	struct host_options options;
	struct self self;
	/* what a kind keeps for all its operations (curl's multi handle) */
	void *state[OP_POSTED + 1];
	struct link open;                             /* every struct handle */

	struct op **ready; /* completed, not yet taken by wait: a ring */
	size_t ready_from, ready_n, ready_cap;
	unsigned taken;

	struct timer **timers; /* a min-heap, timers[1] is the next */
	size_t n_timers, cap_timers;
	int timer_fd;
	int64_t armed; /* what it stands at, 0: nothing; may be too early */
	uv_poll_t timer_poll;

	int ears;                                     /* an epoll of its own: ear.c */
	uv_poll_t ears_poll;
	struct epoll_event heard[EARS_AT_ONCE];
	int heard_from, n_heard;                      /* what is being told */

	uv_async_t async;                             /* OP_POSTED from other threads */
	uv_mutex_t posted_lock;
	struct op **posted;
	size_t n_posted, cap_posted;

	uv_signal_t signals[HOST_SIGNALS];
	unsigned pending[HOST_SIGNALS]; /* how often each came and was not told yet */
	struct ear deaths;                            /* a signalfd of SIGCHLD */
	struct link children; /* exec.c: children that are not reaped */
	int strangers; /* /proc/self/task/PID/children, -1: there is none */
	int nothing;                                  /* /dev/null, to be read */
	sigset_t altered; /* by us: a child has them back as they are by default */
	char piece[32 * 1024]; /* what is read from a child, for the time of a callback */
	unsigned jobs;                                /* in the pool */
};

/* Queue the completion. Before it: op->answer and op->reach, or op->err and op->reach. */
void real_complete(struct real *real, struct op *op);
/* REACH_ANSWERED, and complete */
void real_answer(struct real *real, struct op *op, const void *answer);
void real_fail(struct real *real, struct op *op, enum reach reach, enum err_code code,
	const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Work that may block, in a thread of uv's pool. `job` is malloced, begins with struct
 * job, and holds copies of all that `work` touches: a disk that hangs must not hang the
 * operation, so whoever gives up completes the operation, sets job->op to NULL and leaves
 * the job to itself. done runs in the loop thread, also for a job that was given up; the
 * job is freed after it. */
struct job {
	uv_work_t request;
	struct real *real;
	struct op *op; /* NULL: given up. Only the loop thread looks at it */
	void (*work)(struct job *job);
	void (*done)(struct job *job);
};
void *job_new(struct real *real, struct op *op, size_t size);          /* zeroed */
void real_blocking(struct job *job, void (*work)(struct job *),
	void (*done)(struct job *));

/* Parts of loop.c. */
bool exec_open(struct real *real);
void exec_close(struct real *real);
bool ears_open(struct real *real);
void ears_close(struct real *real);
bool timers_open(struct real *real);
void timers_fire(struct real *real);                   /* what is due is done */
/* Before the loop waits: it is woken for the next one. False: that is due already. */
bool timers_arm(struct real *real);
void timers_close(struct real *real); /* no timer is stopped or set after it */
bool self_open(struct self *self, struct err *err);
void self_close(struct self *self);
/* from the text of /proc/PID/stat */
bool self_started(const char *stat, uint64_t *started);

#endif
