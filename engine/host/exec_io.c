#include "host/exec.h"

#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PIPE_SIZE = 1024 * 1024 };

static void out_ready(uv_poll_t *poll, int status, int events);
static void in_ready(uv_poll_t *poll, int status, int events);

/* Our end does not block; the child's does, for programs expect that. */
static bool
pipe_open(struct exec *exec, int which, int *theirs, struct err *err)
{
	int fds[2], ours = which == EXEC_IN ? 1 : 0;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe") || err_transient(err);
	fcntl(fds[ours], F_SETFL, O_NONBLOCK);
	if (which == EXEC_OUT && exec->stream_out)
		fcntl(fds[ours], F_SETPIPE_SZ, PIPE_SIZE);
	exec->pipes[which].fd = fds[ours];
	*theirs = fds[1 - ours];
	return true;
}

static bool
null_open(int *theirs, struct err *err)
{
	*theirs = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return *theirs >= 0 || err_errno(err, errno, "/dev/null");
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
	return (fed ? pipe_open(exec, EXEC_IN, &theirs[EXEC_IN], err)
	            : null_open(&theirs[EXEC_IN], err))
		&& pipe_open(exec, EXEC_OUT, &theirs[EXEC_OUT], err)
		&& pipe_open(exec, EXEC_ERR, &theirs[EXEC_ERR], err);
}

void
exec_io_start(struct exec *exec, struct str in)
{
	uv_loop_t *loop = &exec->handle.real->loop;
	exec->rest = in;
	for (int i = 0; i < 3; i++) {
		struct exec_pipe *pipe = &exec->pipes[i];
		if (pipe->fd < 0)
			continue;
		uv_poll_init(loop, &pipe->poll, pipe->fd);
		pipe->poll.data = pipe;
		exec->closing++;
	}
	if (exec->pipes[EXEC_IN].fd >= 0 && !exec->stream_in)
		uv_poll_start(&exec->pipes[EXEC_IN].poll, UV_WRITABLE, in_ready);
	if (!exec->stream_out)
		uv_poll_start(&exec->pipes[EXEC_OUT].poll, UV_READABLE, out_ready);
	uv_poll_start(&exec->pipes[EXEC_ERR].poll, UV_READABLE, out_ready);
}

static void
pipe_closed(uv_handle_t *handle)
{
	struct exec_pipe *pipe = handle->data;
	pipe->exec->closing--;
	exec_free(pipe->exec);
}

/* libuv aborts the process when a file that it polls is closed: it is told first. */
void
exec_io_close(struct exec *exec, int which)
{
	struct exec_pipe *pipe = &exec->pipes[which];
	if (pipe->fd < 0)
		return;
	int fd = pipe->fd;
	pipe->fd = -1;
	if (pipe->poll.data != NULL)
		uv_close((uv_handle_t *)&pipe->poll, pipe_closed);
	close(fd);
}

static void
read_over(struct exec *exec, bool end)
{
	struct op *part = exec->read;
	struct read_answer *answer = arena_new_of(part->mem, struct read_answer);
	*answer = (struct read_answer){exec->got, end};
	exec->read = NULL;
	if (exec->pipes[EXEC_OUT].fd >= 0)
		uv_poll_stop(&exec->pipes[EXEC_OUT].poll);
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
out_ready(uv_poll_t *poll, int status, int events)
{
	struct exec_pipe *pipe = poll->data;
	struct exec *exec = pipe->exec;
	int which = (int)(pipe - exec->pipes);
	struct real *real = exec->handle.real;
	(void)status, (void)events;
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
	uv_poll_start(&exec->pipes[EXEC_OUT].poll, UV_READABLE, out_ready);
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
		uv_poll_stop(&exec->pipes[EXEC_IN].poll);
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
in_ready(uv_poll_t *poll, int status, int events)
{
	struct exec_pipe *pipe = poll->data;
	struct exec *exec = pipe->exec;
	(void)status, (void)events;
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
		uv_poll_start(&exec->pipes[EXEC_IN].poll, UV_WRITABLE, in_ready);
}

void
exec_io_break(struct exec *exec, enum err_code code, const char *why)
{
	struct op *parts[] = {exec->read, exec->write};
	exec->read = exec->write = NULL;
	exec->rest = STR("");
	if (exec->stream_out && exec->pipes[EXEC_OUT].fd >= 0)
		uv_poll_start(&exec->pipes[EXEC_OUT].poll, UV_READABLE, out_ready);
	if (exec->pipes[EXEC_IN].fd >= 0)
		uv_poll_stop(&exec->pipes[EXEC_IN].poll);
	for (int i = 0; i < 2; i++)
		if (parts[i] != NULL)
			real_fail(exec->handle.real, parts[i], REACH_SENT, code, "%s",
				why);
}
