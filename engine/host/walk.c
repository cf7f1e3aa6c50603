#include "host/walk.h"

#include "host/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_DEPTH = 128 };

struct walk {
	struct arena *mem;
	const char *root;
	struct file_entry *entries;
	size_t n, cap, most;
	struct err *err;
};

static bool walk_folder(struct walk *walk, int fd, const char *prefix, unsigned depth);

static bool
fails(struct walk *walk, const char *path)
{
	return disk_fails(
		walk->err, errno, arena_printf(walk->mem, "%s/%s", walk->root, path));
}

static bool
add(struct walk *walk, const char *path, const struct stat *stat)
{
	if (walk->n == walk->most)
		return err_set(walk->err, ERR_LIMIT, "more than %zu files lie below %s",
			walk->most, walk->root);
	if (walk->n == walk->cap) {
		size_t cap = walk->cap == 0 ? 64 : walk->cap * 2;
		struct file_entry *more = arena_array(walk->mem, struct file_entry, cap);
		if (walk->n > 0)
			memcpy(more, walk->entries, walk->n * sizeof *more);
		walk->entries = more;
		walk->cap = cap;
	}
	walk->entries[walk->n++] = (struct file_entry){
		.path = path,
		.sort = S_ISREG(stat->st_mode)   ? ENTRY_FILE
			: S_ISLNK(stat->st_mode) ? ENTRY_LINK
						 : ENTRY_OTHER,
		.size = (uint64_t)stat->st_size,
		.modified = stat->st_mtim.tv_sec * INT64_C(1000000)
			+ stat->st_mtim.tv_nsec / 1000,
	};
	return true;
}

/* A name that has gone since the folder was read is no error. */
static bool
walk_name(struct walk *walk, int folder, const char *prefix, const char *name,
	unsigned depth)
{
	struct stat stat;
	const char *path = arena_printf(walk->mem, "%s%s", prefix, name);
	if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || fails(walk, path);
	if (!S_ISDIR(stat.st_mode))
		return add(walk, path, &stat);
	if (depth == MOST_DEPTH)
		return err_set(walk->err, ERR_LIMIT, "%s/%s: more than %d folders deep",
			walk->root, path, MOST_DEPTH);
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || fails(walk, path);
	return walk_folder(
		walk, fd, arena_printf(walk->mem, "%s/", path), depth + 1);
}

/* Takes the descriptor. */
static bool
walk_folder(struct walk *walk, int fd, const char *prefix, unsigned depth)
{
	DIR *folder = fdopendir(fd);
	bool ok = folder != NULL || fails(walk, prefix);
	if (folder == NULL)
		close(fd);
	while (ok) {
		errno = 0;
		struct dirent *entry = readdir(folder);
		if (entry == NULL) {
			ok = errno == 0 || fails(walk, prefix);
			break;
		}
		const char *name = entry->d_name;
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			ok = walk_name(walk, fd, prefix, name, depth);
	}
	if (folder != NULL)
		closedir(folder);
	return ok;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct file_entry *)a)->path,
		((const struct file_entry *)b)->path);
}

bool
walk_below(struct arena *mem, const char *path, size_t most, struct file_answer *answer,
	struct err *err)
{
	struct walk walk = {.mem = mem, .root = path, .most = most, .err = err};
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0)
		return disk_fails(err, errno, path);
	answer->exists = answer->is_folder = true;
	if (!walk_folder(&walk, fd, "", 0))
		return false;
	if (walk.n > 0)
		qsort(walk.entries, walk.n, sizeof *walk.entries, by_path);
	answer->entries = walk.entries;
	answer->n_entries = walk.n;
	return true;
}

const struct file_entry *
walk_copy(struct arena *mem, const struct file_entry *entries, size_t n)
{
	struct file_entry *copy = arena_array(mem, struct file_entry, n);
	memcpy(copy, entries, n * sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i].path = arena_strdup(mem, entries[i].path);
	return copy;
}
