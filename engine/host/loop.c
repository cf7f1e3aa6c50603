/* The real host: one libuv loop, run only inside wait. */
#include "host/person.h"
#include "host/real.h"
#include "host/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 16, TURN_AFTER = 16 };

static const int signal_numbers[HOST_SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};

static struct real *
real_of(struct host *host)
{
	return (struct real *)host;
}

static struct now
host_now(struct host *host)
{
	(void)host;
	struct timespec wall;
	clock_gettime(CLOCK_REALTIME, &wall);
	int64_t us = wall.tv_sec * INT64_C(1000000) + wall.tv_nsec / 1000;
	return (struct now){us, real_now()};
}

static const struct self *
host_self(struct host *host)
{
	return &real_of(host)->self;
}

static bool
host_in_group(struct host *host, const char *person, const char *group)
{
	(void)host;
	return person_in_group(person, group);
}

static void
host_random(struct host *host, void *bytes, size_t n)
{
	(void)host;
	for (char *p = bytes; n > 0;) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

static const char *
host_env(struct host *host, const char *name)
{
	(void)host;
	return getenv(name);
}

static void
host_start(struct host *host, struct op *op)
{
	struct real *real = real_of(host);
	const struct real_kind *kind = real_kinds[op->kind];
	assert(op->mem != NULL || op->kind == OP_SLEEP || op->kind == OP_POSTED);
	op->answer = NULL;
	op->handle = NULL;
	op->reach = REACH_NONE;
	op->err = (struct err){ERR_NONE};
	if (kind == NULL)
		real_fail(real, op, REACH_NONE, ERR_UNSUPPORTED, "not built in");
	else
		kind->start(real, op);
}

static void
host_cancel(struct host *host, struct op *op)
{
	struct handle *handle = op->handle;
	if (handle == NULL || handle->cancelled)
		return; /* it has completed, or somebody else will post it */
	handle->cancelled = true;
	real_kinds[op->kind]->cancel(real_of(host), op);
}

static void
host_post(struct host *host, struct op *op)
{
	struct real *real = real_of(host);
	uv_mutex_lock(&real->posted_lock);
	if (real->n_posted == real->cap_posted) {
		real->cap_posted = real->cap_posted == 0 ? 16 : real->cap_posted * 2;
		size_t size = real->cap_posted * sizeof(struct op *);
		real->posted = realloc(real->posted, size);
		if (real->posted == NULL)
			abort();
	}
	real->posted[real->n_posted++] = op;
	uv_mutex_unlock(&real->posted_lock);
	uv_async_send(&real->async);
}

static void
posted_came(uv_async_t *async)
{
	struct real *real = async->data;
	uv_mutex_lock(&real->posted_lock);
	for (size_t i = 0; i < real->n_posted; i++)
		real_complete(real, real->posted[i]);
	real->n_posted = 0;
	uv_mutex_unlock(&real->posted_lock);
}

static void
signal_came(uv_signal_t *handle, int number)
{
	struct real *real = handle->data;
	(void)number;
	real->pending[handle - real->signals]++;
}

static int
take_signal(struct real *real)
{
	for (int i = 0; i < HOST_SIGNALS; i++)
		if (real->pending[i] > 0) {
			real->pending[i]--;
			return signal_numbers[i];
		}
	return 0;
}

static struct op *
take_ready(struct real *real)
{
	struct op *op = real->ready[real->ready_from];
	real->ready_from = (real->ready_from + 1) % real->ready_cap;
	real->ready_n--;
	return op;
}

static void
until_over(void *with)
{
	*(bool *)with = true;
}

/* What was due may have made something ready, set a timer that is due too, or been the
 * end of the wait: then what else came is only looked at. */
static void
turn(struct real *real, const bool *over)
{
	bool waits = real->ready_n == 0;
	timers_fire(real);
	if (waits && real->ready_n > 0)
		return;
	waits = waits && !*over && timers_arm(real);
	uv_run(&real->loop, waits ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

/* Now and then the loop is turned even when something is ready, so that a stream of
 * completions starves nobody. */
static struct op *
host_wait(struct host *host, int64_t until, int *signal)
{
	struct real *real = real_of(host);
	struct timer alarm = {0};
	bool over = false;
	struct op *op = NULL;
	int number = 0;
	if (until != INT64_MAX)
		real_timer(real, &alarm, until, until_over, &over);
	if (real->ready_n > 0 && ++real->taken % TURN_AFTER == 0)
		turn(real, &over);
	while ((number = take_signal(real)) == 0 && real->ready_n == 0 && !over)
		turn(real, &over);
	real_timer_stop(real, &alarm);
	if (number == 0 && real->ready_n > 0)
		op = take_ready(real);
	if (signal != NULL)
		*signal = number;
	return op;
}

static const struct host_type real_type = {
	.now = host_now,
	.self = host_self,
	.random = host_random,
	.env = host_env,
	.in_group = host_in_group,
	.start = host_start,
	.cancel = host_cancel,
	.post = host_post,
	.wait = host_wait,
};

/* Without 0, 1 and 2 the next file opened would be taken for one of them. */
static bool
standard_files(struct err *err)
{
	for (int fd; (fd = open("/dev/null", O_RDWR)) <= 2;)
		if (fd < 0)
			return err_errno(err, errno, "/dev/null");
		else if (fd == 2)
			return true;
	return true;
}

static bool
loop_open(struct real *real, struct err *err)
{
	int n = uv_loop_init(&real->loop);
	if (n != 0)
		return err_set(err, ERR_IO, "event loop: %s", uv_strerror(n));
	uv_mutex_init(&real->posted_lock);
	real->async.data = real;
	n = uv_async_init(&real->loop, &real->async, posted_came);
	for (int i = 0; i < HOST_SIGNALS && n == 0; i++) {
		real->signals[i].data = real;
		n = uv_signal_init(&real->loop, &real->signals[i]);
		if (n == 0)
			n = uv_signal_start(&real->signals[i], signal_came,
				signal_numbers[i]);
	}
	if (n != 0)
		return err_set(err, ERR_IO, "event loop: %s", uv_strerror(n));
	if (!timers_open(real) || !ears_open(real) || !exec_open(real))
		return err_errno(err, errno, "event loop");
	spawn_altered(&real->altered);
	return true;
}

struct host *
host_open(const struct host_options *options, struct err *err)
{
	if (!standard_files(err))
		return NULL;
	struct real *real = calloc(1, sizeof *real);
	if (real == NULL)
		abort();
	real->host.type = &real_type;
	if (options != NULL)
		real->options = *options;
	if (real->options.grace == 0)
		real->options.grace = 5 * NS_S;
	list_init(&real->open);
	list_init(&real->children);
	/* A hanging disk takes a thread for each operation; four are soon gone. */
	char workers[16];
	snprintf(workers, sizeof workers, "%d", WORKERS);
	setenv("UV_THREADPOOL_SIZE", workers, 0);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (!self_open(&real->self, err) || !loop_open(real, err)) {
		free(real);
		return NULL;
	}
	return &real->host;
}

static void
cancel_all(struct real *real)
{
	for (struct link *link = real->open.next; link != &real->open;) {
		struct handle *handle = list_item(link, struct handle, open);
		if (handle->op == NULL || handle->cancelled) {
			link = link->next;
			continue;
		}
		handle->cancelled = true;
		real_kinds[handle->op->kind]->cancel(real, handle->op);
		link = real->open.next;               /* more than one may be gone */
	}
}

static bool
has_children(const struct real *real)
{
	return !list_is_empty(&real->children) || !list_is_empty(&real->open);
}

static void
close_handle(uv_handle_t *handle, void *with)
{
	(void)with;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void
close_kinds(struct real *real)
{
	for (size_t i = 0; i <= OP_POSTED; i++)
		if (real_kinds[i] != NULL && real_kinds[i]->close != NULL)
			real_kinds[i]->close(real);
}

bool
host_close(struct host *host)
{
	if (host == NULL)
		return true;
	struct real *real = real_of(host);
	int64_t last = real_now() + real->options.grace + 2 * NS_S;
	cancel_all(real);
	while (has_children(real) && real_now() < last)
		(void)host_wait(host, real_now() + 20 * NS_MS, NULL);
	close_kinds(real);
	timers_close(real);
	exec_close(real);
	ears_close(real);
	uv_walk(&real->loop, close_handle, NULL);
	for (int i = 0; i < 20 && uv_loop_alive(&real->loop); i++) {
		uv_run(&real->loop, UV_RUN_NOWAIT);
		if (real->jobs > 0)
			uv_sleep(10);
	}
	if (uv_loop_close(&real->loop) != 0)
		return false;                 /* a job of the pool still points here */
	uv_mutex_destroy(&real->posted_lock);
	self_close(&real->self);
	free(real->posted);
	free(real->ready);
	free(real);
	return true;
}
