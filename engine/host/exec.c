#include "host/exec.h"

#include "host/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* DRAIN: how long a pipe that somebody else holds is read after the child's end. LOOK:
 * how often it is looked whether a child that is being ended is gone. LAST: how long
 * after KILL. */
static const int64_t DRAIN = 2 * NS_S, LOOK = 50 * NS_MS, LAST = NS_S;

static void look(struct exec *exec, int number);

void
exec_free(struct exec *exec)
{
	if (exec->looking || exec->handle.op != NULL)
		return;
	if (!exec->reaped && exec->pid > 0)
		return;
	for (int i = 0; i < 3; i++)
		capture_free(&exec->pipes[i].capture);
	free(exec->known);
	handle_free(exec);
}

/* From here on its number may be another's. One that KILL did not end stays on the
 * list. */
static void
reap(struct exec *exec)
{
	if (exec->reaped || exec->pid <= 0
	    || waitpid(exec->pid, NULL, WNOHANG) != exec->pid)
		return;
	exec->reaped = true;
	list_remove(&exec->child);
}

static void
detach(struct exec *exec)
{
	struct real *real = exec->handle.real;
	real_timer_stop(real, &exec->drain);
	real_timer_stop(real, &exec->grace);
	real_timer_stop(real, &exec->look);
	real_timer_stop(real, &exec->handle.deadline);
	for (int i = 0; i < 3; i++)
		exec_io_close(exec, i);
	exec_files_remove(&exec->files);
	if (!exec->looking)
		reap(exec);
	exec->handle.op->handle = NULL;
	exec->handle.op = NULL;
	exec_free(exec);
}

static void
finish_answer(struct exec *exec)
{
	struct op *op = exec->handle.op;
	struct real *real = exec->handle.real;
	struct exec_answer *answer = arena_new_of(op->mem, struct exec_answer);
	struct capture *out = &exec->pipes[EXEC_OUT].capture;
	struct capture *err = &exec->pipes[EXEC_ERR].capture;
	*answer = (struct exec_answer){
		.code = exec->code,
		.signal = exec->signal,
		.out = capture_text(op->mem, out),
		.err = capture_text(op->mem, err),
		.cut = capture_is_cut(out) || capture_is_cut(err)
			|| (exec->stream_out && exec->pipes[EXEC_OUT].fd >= 0),
		.left_children = exec->held || exec->left > 0,
	};
	exec_io_break(exec, ERR_IO, "the program has ended");
	detach(exec);
	real_answer(real, op, answer);
}

static void
finish_ended(struct exec *exec)
{
	struct op *op = exec->handle.op;
	struct real *real = exec->handle.real;
	const char *name = ((const struct exec_ask *)op->ask)->argv[0];
	enum err_code why = exec->why;
	size_t left = exec->left;
	detach(exec);
	op->reach = REACH_SENT;
	err_set(&op->err, why, "%s: %s", name,
		why == ERR_TIMEOUT ? "ended at its deadline" : "cancelled");
	op->left = (unsigned)left;
	if (left > 0)
		err_hint(&op->err, "%zu of its processes could not be ended", left);
	real_complete(real, op);
}

static void
finish_end(struct exec *exec)
{
	if (exec->by_itself)
		finish_answer(exec);
	else
		finish_ended(exec);
}

static void
drain_over(void *with)
{
	struct exec *exec = with;
	/* What is in the pipe may only wait to be asked for. */
	bool unread = exec->stream_out && exec->read == NULL
		&& exec->pipes[EXEC_OUT].fd >= 0;
	exec->held = exec->held || !unread || exec->pipes[EXEC_ERR].fd >= 0;
	exec_io_close(exec, EXEC_ERR);
	if (unread)
		return;
	exec_io_close(exec, EXEC_OUT);
	if (exec->read != NULL) {
		struct op *part = exec->read;
		exec->read = NULL;
		exec_io_read(exec, part);     /* answers with the end */
	}
	exec_check(exec);
}

void
exec_drain(struct exec *exec)
{
	real_timer(exec->handle.real, &exec->drain, real_now() + DRAIN, drain_over, exec);
}

/* Finished: it has ended, and nobody holds its pipes. Being ended: nothing of it is
 * left. */
void
exec_check(struct exec *exec)
{
	if (exec->handle.op == NULL || !exec->dead)
		return;
	if (exec->why != ERR_NONE) {
		look(exec, 0);
		return;
	}
	if (exec->pipes[EXEC_OUT].fd < 0 && exec->pipes[EXEC_ERR].fd < 0)
		finish_answer(exec);
	else if (exec->drain.place == 0 && !exec->held)
		exec_drain(exec);
}

/* Looks for what belongs to a child that is being ended, in the pool: /proc may be
 * large. */
struct look_job {
	struct job job;
	struct exec *exec;
	struct sweep sweep;
	char *key;
	pid_t spared[];
};

static void
look_work(struct job *with)
{
	sweep_run(&((struct look_job *)with)->sweep);
}

static void
look_again(void *with)
{
	struct exec *exec = with;
	look(exec, exec->killing ? SIGKILL : 0);
}

static void
look_done(struct job *with)
{
	struct look_job *job = (struct look_job *)with;
	struct exec *exec = job->exec;
	exec->looking = false;
	exec->known = job->sweep.known;
	exec->left = job->sweep.found;
	free(job->key);
	if (exec->handle.op == NULL) {
		reap(exec);
		exec_free(exec);
	} else if (exec->dead && exec->left == 0)
		finish_end(exec);
	else
		real_timer(exec->handle.real, &exec->look, real_now() + LOOK, look_again,
			exec);
}

static void
look(struct exec *exec, int number)
{
	struct real *real = exec->handle.real;
	struct link *link;
	size_t n = 0;
	if (exec->looking)
		return;
	for (link = real->children.next; link != &real->children; link = link->next)
		n++;
	struct look_job *job = job_new(real, NULL, sizeof *job + n * sizeof *job->spared);
	const struct exec_ask *ask = exec->handle.op->ask;
	const char *key = env_find(ask->env, "RBX_KEY");
	job->exec = exec;
	job->key = key == NULL ? NULL : strdup(key);
	job->sweep = (struct sweep){.group = exec->pid, .key = job->key,
		.spared = job->spared, .signal = number, .known = exec->known,
		.found = exec->left};
	exec->known = NULL;                   /* the job's meanwhile */
	for (link = real->children.next; link != &real->children; link = link->next) {
		struct exec *other = list_item(link, struct exec, child);
		if (other != exec)
			job->spared[job->sweep.n_spared++] = other->pid;
	}
	exec->looking = true;
	real_blocking(&job->job, look_work, look_done);
}

static void
last_over(void *with)
{
	struct exec *exec = with;
	if (exec->left == 0)
		exec->left = 1;               /* not even the look came back */
	finish_end(exec);
}

static void
grace_over(void *with)
{
	struct exec *exec = with;
	struct real *real = exec->handle.real;
	exec->killing = true;
	kill(-exec->pid, SIGKILL);
	real_timer(real, &exec->grace, real_now() + LAST, last_over, exec);
	look(exec, SIGKILL);
}

/* TERM to the group and to what escaped from it, KILL after the grace. */
static void
end(struct exec *exec, enum err_code why)
{
	struct real *real = exec->handle.real;
	if (exec->why != ERR_NONE)
		return;
	exec->why = why;
	exec->by_itself = exec->dead;
	real_timer_stop(real, &exec->handle.deadline);
	real_timer_stop(real, &exec->drain);
	exec_io_break(exec, why, why == ERR_TIMEOUT ? "the program ran into its deadline"
	                                            : "cancelled");
	exec_io_close(exec, EXEC_IN);
	kill(-exec->pid, SIGTERM);
	int64_t grace = real->options.grace;
	real_timer(real, &exec->grace, real_now() + grace, grace_over, exec);
	look(exec, SIGTERM);
}

static void
exec_late(void *handle)
{
	end(handle, ERR_TIMEOUT);
}

static void
exec_cancel(struct real *real, struct op *op)
{
	(void)real;
	end(op->handle, ERR_CANCELLED);
}


static bool
is_ours(const struct real *real, pid_t pid)
{
	const struct link *link = real->children.next;
	for (; link != &real->children; link = link->next)
		if (list_item(link, struct exec, child)->pid == pid)
			return true;
	return false;
}

/* Processes that a child left behind come to us (PR_SET_CHILD_SUBREAPER), and nobody else
 * reaps them. */
static void
reap_strangers(const struct real *real)
{
	char text[4096];
	ssize_t n = pread(real->strangers, text, sizeof text - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	for (char *end, *p = text; ; p = end) {
		pid_t pid = (pid_t)strtol(p, &end, 10);
		if (end == p || *end == '\0')
			return;               /* a number may be cut off: next time */
		if (!is_ours(real, pid))
			waitpid(pid, NULL, WNOHANG);
	}
}

static void
child_look(struct exec *exec)
{
	siginfo_t info = {0};
	int how = WEXITED | WNOHANG | WNOWAIT;
	if (exec->dead || waitid(P_PID, (id_t)exec->pid, &info, how) != 0
	    || info.si_pid != exec->pid)
		return;
	exec->dead = true;
	exec->code = info.si_code == CLD_EXITED ? info.si_status : 0;
	exec->signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
	exec_io_close(exec, EXEC_IN);
}

static void
exec_reap(struct real *real)
{
	struct link *link, *next;
	reap_strangers(real);
	for (link = real->children.next; link != &real->children; link = next) {
		struct exec *exec = list_item(link, struct exec, child);
		next = link->next;
		child_look(exec);
		if (exec->handle.op != NULL)
			exec_check(exec);
		else if (exec->dead && !exec->looking) {
			reap(exec);
			exec_free(exec);
		}
	}
}

static void
some_died(struct ear *ear, uint32_t events)
{
	struct signalfd_siginfo info[16];
	(void)events;
	if (read(ear->fd, info, sizeof info) > 0)
		exec_reap(list_item(ear, struct real, deaths));
}

/* A handler of SIGCHLD would be five calls into the kernel for each child. proc(5): the
 * children of our first thread, to whom those of a subreaper come, are read whenever one
 * ends. */
bool
exec_open(struct real *real)
{
	char path[64];
	sigset_t deaths;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	real->strangers = open(path, O_RDONLY | O_CLOEXEC);
	real->nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigemptyset(&deaths);
	sigaddset(&deaths, SIGCHLD);
	signal(SIGCHLD, SIG_DFL);             /* ignored, they would leave no status */
	pthread_sigmask(SIG_BLOCK, &deaths, NULL);
	real->deaths = (struct ear){.heard = some_died,
		.fd = signalfd(-1, &deaths, SFD_NONBLOCK | SFD_CLOEXEC)};
	if (real->deaths.fd < 0 || real->nothing < 0)
		return false;
	ear_listen(real, &real->deaths, EPOLLIN);
	return true;
}

/* What could not be ended lives on, and is nobody's to wait for. */
static void
leave_children(struct real *real)
{
	while (!list_is_empty(&real->children)) {
		struct exec *exec = list_item(real->children.next, struct exec, child);
		list_remove(&exec->child);
		exec->reaped = true;
		exec_free(exec);
	}
}

void
exec_close(struct real *real)
{
	sigset_t deaths;
	leave_children(real);
	sigemptyset(&deaths);
	sigaddset(&deaths, SIGCHLD);
	ear_close(real, &real->deaths);
	close(real->deaths.fd);
	pthread_sigmask(SIG_UNBLOCK, &deaths, NULL);
	close(real->nothing);
	if (real->strangers >= 0)
		close(real->strangers);
}

static void
exec_fail(struct exec *exec)
{
	struct op *op = exec->handle.op;
	struct real *real = exec->handle.real;
	detach(exec);
	op->reach = REACH_NONE;
	real_complete(real, op);
}

static void
exec_start(struct real *real, struct op *op)
{
	const struct exec_ask *ask = op->ask;
	struct exec *exec = handle_new(real, op, sizeof *exec);
	struct spawn spawn = {
		.argv = ask->argv, .dir = ask->dir, .altered = &real->altered};
	exec->files.folder = -1;
	list_init(&exec->child);
	if (exec_io_open(exec, ask, spawn.files, &op->err)
	    && exec_files_make(&exec->files, op->mem, ask, &spawn.env, &op->err))
		exec->pid = spawn_child(op->mem, &spawn, &op->err);
	for (int i = 0; i < 3; i++)
		if (spawn.files[i] >= 0 && spawn.files[i] != real->nothing)
			close(spawn.files[i]);
	if (exec->pid <= 0) {
		exec_fail(exec);
		return;
	}
	list_append(&real->children, &exec->child);
	exec_io_start(exec, ask->in);
	handle_deadline(exec, exec_late);
}

static void
exec_read(struct real *real, struct op *op, struct op *part)
{
	struct exec *exec = op->handle;
	if (!exec->stream_out || exec->read != NULL)
		real_fail(real, part, REACH_NONE, ERR_IO, "not a stream to read");
	else if (exec->why != ERR_NONE)
		real_fail(real, part, REACH_NONE, exec->why, "the program must end");
	else
		exec_io_read(exec, part);
}

static void
exec_write(struct real *real, struct op *op, struct op *part)
{
	struct exec *exec = op->handle;
	if (!exec->stream_in || exec->write != NULL)
		real_fail(real, part, REACH_NONE, ERR_IO, "not a stream to write");
	else if (exec->why != ERR_NONE)
		real_fail(real, part, REACH_NONE, exec->why, "the program must end");
	else
		exec_io_write(exec, part);
}

static void
exec_stop(struct real *real, struct op *op, struct op *part)
{
	struct exec *exec = op->handle;
	(void)real;
	part->reach = REACH_SENT;
	int which = part == exec->read ? EXEC_OUT : EXEC_IN;
	if (part == exec->read)
		exec->read = NULL;
	else
		exec->write = NULL;
	if (which == EXEC_IN)
		exec->rest = STR("");
	if (exec->pipes[which].fd >= 0)
		ear_listen(exec->handle.real, &exec->pipes[which].ear, 0);
}

const struct real_kind real_exec = {
	.start = exec_start,
	.cancel = exec_cancel,
	.read = exec_read,
	.write = exec_write,
	.stop = exec_stop,
};
