/* OP_FILE: one thing with one path, in a thread of the pool. */
#include "host/disk.h"
#include "host/real.h"
#include "host/walk.h"

#include "base/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 256 * 1024, MOST = 16 * 1024 * 1024 };

struct file_job {
	struct job job;
	struct file_ask ask;                  /* path and bytes are copies */
	struct file_answer answer;            /* its texts are in mem */
	struct arena *mem;
	struct err err;
	enum reach reach;
};

struct file {
	struct handle handle;
	struct file_job *job;
};

static int64_t
modified_us(const struct stat *stat)
{
	return stat->st_mtim.tv_sec * INT64_C(1000000) + stat->st_mtim.tv_nsec / 1000;
}

static void
describe(struct file_answer *answer, const struct stat *stat)
{
	answer->exists = true;
	answer->is_folder = S_ISDIR(stat->st_mode);
	answer->size = (uint64_t)stat->st_size;
	answer->modified = modified_us(stat);
}

static bool
file_stat(struct file_job *job)
{
	struct stat found;
	if (stat(job->ask.path, &found) == 0)
		describe(&job->answer, &found);
	else if (errno != ENOENT && errno != ENOTDIR)
		return disk_fails(&job->err, errno, job->ask.path);
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
file_list(struct file_job *job)
{
	DIR *folder = opendir(job->ask.path);
	if (folder == NULL)
		return disk_fails(&job->err, errno, job->ask.path);
	struct stat found = {0};
	if (fstat(dirfd(folder), &found) == 0)
		describe(&job->answer, &found);
	size_t n = 0, cap = 64;
	const char **names = arena_array(job->mem, const char *, cap + 1);
	struct dirent *entry;
	for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (n == cap) {
			cap *= 2;
			const char **more = arena_array(job->mem, const char *, cap + 1);
			memcpy(more, names, n * sizeof *names);
			names = more;
		}
		names[n++] = arena_strdup(job->mem, entry->d_name);
	}
	int number = errno;
	closedir(folder);
	if (number != 0)
		return disk_fails(&job->err, number, job->ask.path);
	qsort(names, n, sizeof *names, by_name);
	job->answer.names = names;
	return true;
}

/* The MD5 of each part, as it ends. */
struct parts {
	struct digest *digest;
	uint64_t left;                        /* of the part under way */
	struct buf sums;
};

static void
parts_end(struct parts *parts, uint64_t part)
{
	uint8_t sum[SHA256_SIZE];
	digest_end(parts->digest, sum);
	buf_add(&parts->sums, (struct str){(const char *)sum, MD5_SIZE});
	parts->left = part;
}

static void
parts_add(struct parts *parts, uint64_t part, struct str bytes)
{
	while (bytes.n > 0) {
		if (parts->left == 0)
			parts_end(parts, part);
		size_t n = bytes.n < parts->left ? bytes.n : (size_t)parts->left;
		digest_add(parts->digest, (struct str){bytes.p, n});
		bytes = str_from(bytes, n);
		parts->left -= n;
	}
}

static void
parts_done(struct file_job *job, struct parts *parts)
{
	if (parts->digest == NULL)
		return;
	parts_end(parts, job->ask.part);
	job->answer.md5s = (const uint8_t (*)[MD5_SIZE])(const void *)parts->sums.p;
	job->answer.n_md5s = parts->sums.n / MD5_SIZE;
}

/* Reads to the end whatever size is said: files of /proc and /sys say 0. */
static bool
read_all(struct file_job *job, int fd, struct buf *into, struct digest *digest,
	struct parts *parts)
{
	char *piece = arena_alloc(job->mem, PIECE);
	for (ssize_t n; (n = disk_read(fd, piece, PIECE)) != 0;) {
		if (n < 0)
			return disk_fails(&job->err, errno, job->ask.path);
		struct str bytes = {piece, (size_t)n};
		digest_add(digest, bytes);
		if (parts->digest != NULL)
			parts_add(parts, job->ask.part, bytes);
		if (into == NULL)
			continue;
		if (bytes.n > job->ask.most - into->n)
			return err_set(&job->err, ERR_LIMIT, "%s: larger than %zu bytes",
				job->ask.path, job->ask.most);
		buf_add(into, bytes);
	}
	return true;
}

static bool
file_load(struct file_job *job)
{
	struct stat found;
	int fd = disk_open(job->ask.root, job->ask.path, &found, &job->err);
	if (fd < 0)
		return false;
	describe(&job->answer, &found);
	struct buf text = buf_in(job->mem);
	struct digest *digest = digest_new(job->mem);
	bool load = job->ask.what == FILE_LOAD;
	struct parts parts = {.left = job->ask.part, .sums = buf_in(job->mem)};
	if (job->ask.part > 0)
		parts.digest = digest_new_md5(job->mem);
	bool ok = read_all(job, fd, load ? &text : NULL, digest, &parts);
	digest_end(digest, job->answer.sha256);
	parts_done(job, &parts);
	close(fd);
	job->answer.bytes = buf_str(&text);
	return ok;
}

static bool
file_replace(struct file_job *job)
{
	struct draft draft;
	struct str bytes = job->ask.bytes;
	bool done = false;
	bool ok = draft_open(&draft, job->ask.root, job->ask.path, &job->err)
		&& disk_write(draft.fd, bytes.p, bytes.n, draft.path, &job->err)
		&& draft_end(&draft, &done, &job->err);
	job->answer.exists = draft.exists;
	draft_drop(&draft);
	job->reach = ok ? REACH_ANSWERED : done ? REACH_SENT : REACH_NONE;
	return ok;
}

/* The name is gone for good only when its folder is on the disk. */
static bool
sync_folder(struct file_job *job)
{
	const char *path = job->ask.path, *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
	const char *folder = n == 0 ? "." : arena_strndup(job->mem, path, n);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
	if (!ok)
		disk_fails(&job->err, errno, folder);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool
remove_below(struct file_job *job)
{
	const char *name;
	int folder = disk_folder(job->ask.root, job->ask.path, false, &name, &job->err);
	if (folder < 0)
		return false;
	bool ok = true;
	job->answer.exists = unlinkat(folder, name, 0) == 0;
	if (!job->answer.exists && errno != ENOENT)
		ok = disk_fails(&job->err, errno, job->ask.path);
	if (job->answer.exists)
		job->reach = REACH_SENT;
	if (job->answer.exists && fsync(folder) != 0 && errno != EINVAL)
		ok = disk_fails(&job->err, errno, job->ask.path);
	close(folder);
	return ok;
}

static bool
file_remove(struct file_job *job)
{
	if (job->ask.root != NULL)
		return remove_below(job);
	job->answer.exists = unlink(job->ask.path) == 0;
	if (!job->answer.exists)
		return errno == ENOENT || disk_fails(&job->err, errno, job->ask.path);
	job->reach = REACH_SENT;
	return sync_folder(job);
}

static bool
file_walk(struct file_job *job)
{
	return walk_below(
		job->mem, job->ask.path, job->ask.most, &job->answer, &job->err);
}

static void
file_work(struct job *with)
{
	static bool (*const todo[])(struct file_job *) = {
		[FILE_STAT] = file_stat,
		[FILE_LIST] = file_list,
		[FILE_LOAD] = file_load,
		[FILE_REPLACE] = file_replace,
		[FILE_REMOVE] = file_remove,
		[FILE_DIGEST] = file_load,
		[FILE_WALK] = file_walk,
	};
	struct file_job *job = (struct file_job *)with;
	if (todo[job->ask.what](job))
		job->reach = REACH_ANSWERED;
}

static const struct file_answer *
answer_copy(struct arena *mem, const struct file_answer *from)
{
	struct file_answer *answer = arena_new_of(mem, struct file_answer);
	*answer = *from;
	answer->bytes = str_copy(mem, from->bytes);
	struct str sums = {(const char *)from->md5s, from->n_md5s * MD5_SIZE};
	if (from->md5s != NULL)
		answer->md5s = (const uint8_t (*)[MD5_SIZE])(const void *)
			str_copy(mem, sums).p;
	if (from->entries != NULL)
		answer->entries = walk_copy(mem, from->entries, from->n_entries);
	size_t n = 0;
	if (from->names == NULL)
		return answer;
	while (from->names[n] != NULL)
		n++;
	const char **names = arena_array(mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		names[i] = arena_strdup(mem, from->names[i]);
	answer->names = names;
	return answer;
}

/* They may be a password file. */
static void
wipe(struct str bytes)
{
	if (bytes.n > 0)
		explicit_bzero((char *)bytes.p, bytes.n);
}

static void
file_done(struct job *with)
{
	struct file_job *job = (struct file_job *)with;
	struct op *op = with->op;
	if (op != NULL) {
		handle_free(op->handle);
		op->err = job->err;
		op->reach = job->reach;
		if (op->err.code == ERR_NONE)
			op->answer = answer_copy(op->mem, &job->answer);
		real_complete(with->real, op);
	}
	wipe(job->ask.bytes);
	wipe(job->answer.bytes);
	arena_free(job->mem);
}

/* Whether it has begun cannot be asked of the thread. */
static void
give_up(struct file *file, enum err_code code, const char *why)
{
	struct op *op = file->handle.op;
	struct real *real = file->handle.real;
	const char *path = ((const struct file_ask *)op->ask)->path;
	file->job->job.op = NULL;
	handle_free(file);
	real_fail(real, op, REACH_SENT, code, "%s: %s", path, why);
}

static void
file_late(void *handle)
{
	give_up(handle, ERR_TIMEOUT, "the disk did not answer before the deadline");
}

static void
file_cancel(struct real *real, struct op *op)
{
	(void)real;
	give_up(op->handle, ERR_CANCELLED, "cancelled");
}

static void
file_start(struct real *real, struct op *op)
{
	const struct file_ask *ask = op->ask;
	struct file *file = handle_new(real, op, sizeof *file);
	struct file_job *job = job_new(real, op, sizeof *job);
	job->mem = arena_new();
	job->ask = *ask;
	job->ask.path = arena_strdup(job->mem, ask->path);
	if (ask->root != NULL)
		job->ask.root = arena_strdup(job->mem, ask->root);
	job->ask.bytes = str_copy(job->mem, ask->bytes);
	if (job->ask.most == 0)
		job->ask.most = MOST;
	file->job = job;
	handle_deadline(file, file_late);
	real_blocking(&job->job, file_work, file_done);
}

const struct real_kind real_file = {.start = file_start, .cancel = file_cancel};
