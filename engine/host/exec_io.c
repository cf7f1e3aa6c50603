#include "host/exec.h"

#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PIPE_SIZE = 1024 * 1024 };

static void out_ready(struct ear *ear, uint32_t events);
static void in_ready(struct ear *ear, uint32_t events);

/* The child's end blocks, for programs expect that. Ours does not where more is read or
 * written than was said to be ready. */
static bool
pipe_open(struct exec *exec, int which, int *theirs, struct err *err)
{
	int fds[2], ours = which == EXEC_IN ? 1 : 0;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe") || err_transient(err);
	bool stream = which == EXEC_OUT && exec->stream_out;
	if (stream || which == EXEC_IN)
		fcntl(fds[ours], F_SETFL, O_NONBLOCK);
	if (stream)
		fcntl(fds[ours], F_SETPIPE_SZ, PIPE_SIZE);
	exec->pipes[which].fd = fds[ours];
	*theirs = fds[1 - ours];
	return true;
}

bool
exec_io_open(struct exec *exec, const struct exec_ask *ask, int theirs[3],
	struct err *err)
{
	for (int i = 0; i < 3; i++) {
		exec->pipes[i] = (struct exec_pipe){.exec = exec, .fd = -1};
		exec->pipes[i].capture.keep = ask->keep;
		theirs[i] = -1;
	}
	exec->stream_in = ask->stream_in;
	exec->stream_out = ask->stream_out;
	bool fed = ask->stream_in || ask->in.n > 0;
	theirs[EXEC_IN] = exec->handle.real->nothing;
	return (!fed || pipe_open(exec, EXEC_IN, &theirs[EXEC_IN], err))
		&& pipe_open(exec, EXEC_OUT, &theirs[EXEC_OUT], err)
		&& pipe_open(exec, EXEC_ERR, &theirs[EXEC_ERR], err);
}

static void
listen_to(struct exec *exec, int which, bool on)
{
	uint32_t events = which == EXEC_IN ? EPOLLOUT : EPOLLIN;
	ear_listen(exec->handle.real, &exec->pipes[which].ear, on ? events : 0);
}

void
exec_io_start(struct exec *exec, struct str in)
{
	exec->rest = in;
	for (int i = 0; i < 3; i++)
		exec->pipes[i].ear = (struct ear){.fd = exec->pipes[i].fd,
			.heard = i == EXEC_IN ? in_ready : out_ready};
	if (exec->pipes[EXEC_IN].fd >= 0 && !exec->stream_in)
		listen_to(exec, EXEC_IN, true);
	if (!exec->stream_out)
		listen_to(exec, EXEC_OUT, true);
	listen_to(exec, EXEC_ERR, true);
}

void
exec_io_close(struct exec *exec, int which)
{
	struct exec_pipe *pipe = &exec->pipes[which];
	if (pipe->fd < 0)
		return;
	ear_close(exec->handle.real, &pipe->ear);
	close(pipe->fd);
	pipe->fd = -1;
}

static void
read_over(struct exec *exec, bool end)
{
	struct op *part = exec->read;
	struct read_answer *answer = arena_new_of(part->mem, struct read_answer);
	*answer = (struct read_answer){exec->got, end};
	exec->read = NULL;
	if (exec->pipes[EXEC_OUT].fd >= 0)
		listen_to(exec, EXEC_OUT, false);
	real_answer(exec->handle.real, part, answer);
}

static void
out_end(struct exec *exec, int which)
{
	exec_io_close(exec, which);
	if (which == EXEC_OUT && exec->read != NULL)
		read_over(exec, true);
	exec_check(exec);
}

/* A program that is being ended may still say something, and must not wait for a
 * reader. */
static void
discard(struct exec *exec)
{
	struct real *real = exec->handle.real;
	ssize_t n = read(exec->pipes[EXEC_OUT].fd, real->piece, sizeof real->piece);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		out_end(exec, EXEC_OUT);
}

/* As much as is there, straight to where it is wanted. */
static void
stream_ready(struct exec *exec)
{
	const struct read_ask *ask = exec->read->ask;
	ssize_t n;
	do {
		char *into = (char *)ask->into + exec->got;
		n = read(exec->pipes[EXEC_OUT].fd, into, ask->want - exec->got);
		if (n <= 0)
			break;
		if (ask->digest != NULL)
			digest_add(ask->digest, (struct str){into, (size_t)n});
		exec->got += (size_t)n;
	} while (exec->got < ask->want);
	if (exec->got == ask->want)
		read_over(exec, false);
	else if (n == 0)
		out_end(exec, EXEC_OUT);
	else if (exec->dead)
		exec_drain(exec);
}

static void
out_ready(struct ear *ear, uint32_t events)
{
	struct exec_pipe *pipe = (struct exec_pipe *)ear;
	struct exec *exec = pipe->exec;
	int which = (int)(pipe - exec->pipes);
	struct real *real = exec->handle.real;
	(void)events;
	if (which == EXEC_OUT && exec->stream_out) {
		(exec->read == NULL ? discard : stream_ready)(exec);
		return;
	}
	ssize_t n = read(pipe->fd, real->piece, sizeof real->piece);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		out_end(exec, which);
		return;
	}
	struct op *op = exec->handle.op;
	const struct exec_ask *ask = op->ask;
	struct str text = {real->piece, (size_t)n};
	capture_add(&pipe->capture, text);
	if (ask->tail != NULL)
		ask->tail(op, which, text);
}

void
exec_io_read(struct exec *exec, struct op *part)
{
	const struct read_ask *ask = part->ask;
	exec->read = part;
	exec->got = 0;
	if (ask->want == 0 || exec->pipes[EXEC_OUT].fd < 0) {
		read_over(exec, exec->pipes[EXEC_OUT].fd < 0);
		return;
	}
	listen_to(exec, EXEC_OUT, true);
	if (exec->dead)
		exec_drain(exec);
}

static void
write_over(struct exec *exec)
{
	struct op *part = exec->write;
	const struct write_ask *ask = part->ask;
	exec->write = NULL;
	if (ask->end)
		exec_io_close(exec, EXEC_IN);
	else
		listen_to(exec, EXEC_IN, false);
	real_answer(exec->handle.real, part, NULL);
}

/* A child may end, or close its input, without reading all of it: that alone is no error
 * of it. */
static void
in_refused(struct exec *exec)
{
	struct op *part = exec->write;
	exec->write = NULL;
	exec_io_close(exec, EXEC_IN);
	if (part != NULL)
		real_fail(exec->handle.real, part, REACH_SENT, ERR_IO,
			"the program closed its standard input");
}

static void
in_ready(struct ear *ear, uint32_t events)
{
	struct exec_pipe *pipe = (struct exec_pipe *)ear;
	struct exec *exec = pipe->exec;
	(void)events;
	while (exec->rest.n > 0) {
		ssize_t n = write(pipe->fd, exec->rest.p, exec->rest.n);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			in_refused(exec);
			return;
		}
		exec->rest = str_from(exec->rest, (size_t)n);
	}
	if (exec->write != NULL)
		write_over(exec);
	else if (!exec->stream_in)
		exec_io_close(exec, EXEC_IN);
}

void
exec_io_write(struct exec *exec, struct op *part)
{
	const struct write_ask *ask = part->ask;
	exec->write = part;
	exec->rest = ask->bytes;
	if (exec->pipes[EXEC_IN].fd < 0)
		in_refused(exec);
	else if (ask->bytes.n == 0)
		write_over(exec);
	else
		listen_to(exec, EXEC_IN, true);
}

void
exec_io_break(struct exec *exec, enum err_code code, const char *why)
{
	struct op *parts[] = {exec->read, exec->write};
	exec->read = exec->write = NULL;
	exec->rest = STR("");
	if (exec->stream_out && exec->pipes[EXEC_OUT].fd >= 0)
		listen_to(exec, EXEC_OUT, true);
	if (exec->pipes[EXEC_IN].fd >= 0)
		listen_to(exec, EXEC_IN, false);
	for (int i = 0; i < 2; i++)
		if (parts[i] != NULL)
			real_fail(exec->handle.real, parts[i], REACH_SENT, code, "%s",
				why);
}
