/* OP_OPEN: a file as a stream. Each part is a job of the pool on the stream's disk half,
 * which outlives the stream when a part is given up: the thread that hangs holds it, and
 * its end closes it. */
#include "host/disk.h"
#include "host/real.h"

#include "base/digest.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 1024 * 1024 };

struct disk { /* touched by one job at a time, and by nobody else */
	int fd;
	bool write;
	char *root, *path, *piece; /* root: NULL or of open_ask */
	struct draft draft;
};

struct file_job {
	struct job job;
	struct disk *disk;
	const struct op *part;
	pthread_mutex_t lock;
	bool gone; /* under lock: what belongs to the part must not be touched */
	struct open_answer opened;
	size_t got;
	bool end;
	struct err err;
	enum reach reach;
};

struct stream {
	struct handle handle;                 /* op: the OP_OPEN */
	struct disk *disk;
	struct file_job *job;                 /* NULL: nothing in flight */
	struct cell *cell;
};

struct cell { /* in op->mem: closes what is still open when that ends */
	struct stream *stream;
};

static void
disk_close(struct disk *disk)
{
	if (disk->fd >= 0)
		close(disk->fd);
	if (disk->write)
		draft_drop(&disk->draft);
	free(disk->root);
	free(disk->path);
	free(disk->piece);
	free(disk);
}

static void
close_work(struct job *with)
{
	disk_close(((struct file_job *)with)->disk);
}

static void
close_done(struct job *with)
{
	(void)with;
}

/* Also close(2) and unlink(2) may hang. */
static void
disk_leave(struct real *real, struct disk *disk)
{
	struct file_job *job = job_new(real, NULL, sizeof *job);
	job->disk = disk;
	real_blocking(&job->job, close_work, close_done);
}

static void
job_give_up(struct file_job *job)
{
	pthread_mutex_lock(&job->lock);
	job->gone = true;
	pthread_mutex_unlock(&job->lock);
	job->job.op = NULL;
}

static void
stream_close(struct stream *stream)
{
	stream->cell->stream = NULL;
	if (stream->job != NULL)
		job_give_up(stream->job);     /* its end closes the disk half */
	else
		disk_leave(stream->handle.real, stream->disk);
	handle_free(stream);
}

static void
memory_ends(void *with)
{
	struct cell *cell = with;
	if (cell->stream == NULL)
		return;
	cell->stream->handle.op = NULL;       /* it may be gone before its memory */
	stream_close(cell->stream);
}

static void
job_end(struct file_job *job)
{
	pthread_mutex_destroy(&job->lock);
	if (job->job.op == NULL)
		disk_close(job->disk);
}

static void
job_start(struct stream *stream, struct op *op, void (*work)(struct job *),
	void (*done)(struct job *))
{
	struct file_job *job = job_new(stream->handle.real, op, sizeof *job);
	job->disk = stream->disk;
	job->part = op;
	pthread_mutex_init(&job->lock, NULL);
	stream->job = job;
	real_blocking(&job->job, work, done);
}

static void
open_work(struct job *with)
{
	struct file_job *job = (struct file_job *)with;
	struct disk *disk = job->disk;
	struct stat stat = {0};
	if (disk->write) {
		draft_open(&disk->draft, disk->root, disk->path, &job->err);
		return;
	}
	disk->fd = disk_open(disk->root, disk->path, &stat, &job->err);
	job->opened.size = (uint64_t)stat.st_size;
	job->opened.modified = stat.st_mtim.tv_sec * INT64_C(1000000)
		+ stat.st_mtim.tv_nsec / 1000;
}

static void
open_done(struct job *with)
{
	struct file_job *job = (struct file_job *)with;
	struct op *op = with->op;
	job_end(job);
	if (op == NULL)
		return;
	struct stream *stream = op->handle;
	stream->job = NULL;
	real_timer_stop(with->real, &stream->handle.deadline);
	if (job->err.code != ERR_NONE) {
		stream_close(stream);
		op->err = job->err;
		real_complete(with->real, op);
		return;
	}
	struct open_answer *answer = arena_new_of(op->mem, struct open_answer);
	*answer = job->opened;
	real_answer(with->real, op, answer);
}

static void
open_fail(struct stream *stream, enum err_code code, const char *why)
{
	struct op *op = stream->handle.op;
	struct real *real = stream->handle.real;
	const char *path = ((const struct open_ask *)op->ask)->path;
	stream_close(stream);
	real_fail(real, op, REACH_NONE, code, "%s: %s", path, why);
}

static void
open_late(void *handle)
{
	open_fail(handle, ERR_TIMEOUT, "the disk did not answer before the deadline");
}

/* How far the thread is cannot be asked: the rename of the last write may have
 * happened. */
static enum reach
reach_of(const struct op *part)
{
	bool last = part->kind == OP_WRITE && ((const struct write_ask *)part->ask)->end;
	return last ? REACH_SENT : REACH_NONE;
}

/* In flight while the timer of its deadline stands; then it is a stream to be closed,
 * with nothing to complete. */
static void
open_cancel(struct real *real, struct op *op)
{
	struct stream *stream = op->handle;
	if (stream->handle.deadline.place != 0) {
		open_fail(stream, ERR_CANCELLED, "cancelled");
		return;
	}
	struct op *part = stream->job == NULL ? NULL : stream->job->job.op;
	if (part != NULL)
		part->reach = reach_of(part);
	stream_close(stream);
	if (part != NULL)
		real_fail(real, part, part->reach, ERR_CANCELLED, "cancelled");
}

static void
open_start(struct real *real, struct op *op)
{
	const struct open_ask *ask = op->ask;
	struct stream *stream = handle_new(real, op, sizeof *stream);
	struct disk *disk = calloc(1, sizeof *disk);
	if (disk == NULL || (disk->path = strdup(ask->path)) == NULL
	    || (disk->piece = malloc(PIECE)) == NULL)
		abort();
	if (ask->root != NULL && (disk->root = strdup(ask->root)) == NULL)
		abort();
	disk->fd = -1;
	disk->write = ask->write;
	disk->draft = (struct draft){.folder = -1, .fd = -1};
	stream->disk = disk;
	stream->cell = arena_new_of(op->mem, struct cell);
	stream->cell->stream = stream;
	arena_defer(op->mem, memory_ends, stream->cell);
	handle_deadline(stream, open_late);
	job_start(stream, op, open_work, open_done);
}

/* False: the part was given up. */
static bool
take(struct file_job *job, const struct read_ask *ask, size_t n)
{
	pthread_mutex_lock(&job->lock);
	bool there = !job->gone;
	if (there) {
		memcpy((char *)ask->into + job->got, job->disk->piece, n);
		if (ask->digest != NULL)
			digest_add(ask->digest, (struct str){job->disk->piece, n});
		job->got += n;
	}
	pthread_mutex_unlock(&job->lock);
	return there;
}

/* The ask is the owner's, so it is copied while the part is certainly there. */
static bool
ask_of(struct file_job *job, void *ask, size_t size)
{
	pthread_mutex_lock(&job->lock);
	bool there = !job->gone;
	if (there)
		memcpy(ask, job->part->ask, size);
	pthread_mutex_unlock(&job->lock);
	return there;
}

static void
read_work(struct job *with)
{
	struct file_job *job = (struct file_job *)with;
	struct disk *disk = job->disk;
	struct read_ask ask;
	if (!ask_of(job, &ask, sizeof ask))
		return;
	while (job->got < ask.want) {
		size_t want = ask.want - job->got < PIECE ? ask.want - job->got : PIECE;
		ssize_t n = disk_read(disk->fd, disk->piece, want);
		if (n < 0)
			disk_fails(&job->err, errno, disk->path);
		job->end = n == 0;
		if (n <= 0 || !take(job, &ask, (size_t)n))
			return;
	}
}

static bool
give(struct file_job *job, struct str bytes)
{
	pthread_mutex_lock(&job->lock);
	bool there = !job->gone;
	if (there)
		memcpy(job->disk->piece, bytes.p, bytes.n);
	pthread_mutex_unlock(&job->lock);
	return there;
}

static void
write_work(struct job *with)
{
	struct file_job *job = (struct file_job *)with;
	struct disk *disk = job->disk;
	struct write_ask ask;
	bool done = false;
	if (!ask_of(job, &ask, sizeof ask))
		return;
	while (ask.bytes.n > 0) {
		size_t n = ask.bytes.n < PIECE ? ask.bytes.n : PIECE;
		struct str piece = {ask.bytes.p, n};
		if (!give(job, piece) || !disk_write(disk->draft.fd, disk->piece, piece.n,
		                                     disk->path, &job->err))
			return;
		ask.bytes = str_from(ask.bytes, piece.n);
	}
	if (ask.end && !give(job, STR("")))
		return;
	if (ask.end && !draft_end(&disk->draft, &done, &job->err))
		job->reach = done ? REACH_SENT : REACH_NONE;
	job->end = ask.end;
}

static void
part_done(struct job *with)
{
	struct file_job *job = (struct file_job *)with;
	struct op *part = with->op;
	job_end(job);
	if (part == NULL)
		return;
	bool reads = part->kind == OP_READ;
	const struct read_ask *read = part->ask;
	const struct write_ask *write = part->ask;
	struct stream *stream = (reads ? read->from : write->to)->handle;
	stream->job = NULL;
	if (job->err.code != ERR_NONE || job->end)
		stream_close(stream);
	part->err = job->err;
	part->reach = job->err.code == ERR_NONE ? REACH_ANSWERED : job->reach;
	if (reads) {
		struct read_answer *answer = arena_new_of(part->mem, struct read_answer);
		*answer = (struct read_answer){job->got, job->end};
		part->answer = answer;
	}
	real_complete(with->real, part);
}

static void
part_start(struct real *real, struct op *op, struct op *part, bool write)
{
	struct stream *stream = op->handle;
	if (stream->disk->write != write || stream->job != NULL)
		real_fail(real, part, REACH_NONE, ERR_IO, "%s: the stream cannot be %s",
			stream->disk->path, write ? "written" : "read");
	else
		job_start(stream, part, write ? write_work : read_work, part_done);
}

static void
open_read(struct real *real, struct op *op, struct op *part)
{
	part_start(real, op, part, false);
}

static void
open_write(struct real *real, struct op *op, struct op *part)
{
	part_start(real, op, part, true);
}

static void
open_stop(struct real *real, struct op *op, struct op *part)
{
	(void)real;
	part->reach = reach_of(part);
	stream_close(op->handle);
}

const struct real_kind real_open = {
	.start = open_start,
	.cancel = open_cancel,
	.read = open_read,
	.write = open_write,
	.stop = open_stop,
};
