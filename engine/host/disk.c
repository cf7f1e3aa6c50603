#include "host/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HIDDEN_NAME = 200, NAME_TRIES = 100 };

bool
disk_fails(struct err *err, int number, const char *path)
{
	err_errno(err, number, "%s", path);
	err->transient = number == EMFILE || number == ENFILE || number == ENOMEM
		|| number == EAGAIN || number == EBUSY || number == ESTALE
		|| number == ETIMEDOUT;
	return false;
}

static const char *
sort_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return "a folder";
	case S_IFIFO: return "a FIFO";
	case S_IFLNK: return "a symbolic link";
	case S_IFSOCK: return "a socket";
	default: return "a device";
	}
}

static int
open_below(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* One part of the path after the other, so that no link is passed on the way. */
static int
enter_parts(int folder, char *parts, bool make, struct err *err)
{
	for (char *rest = parts, *part; folder >= 0 && rest != NULL && *rest != '\0';) {
		part = strsep(&rest, "/");
		if (make && mkdirat(folder, part, 0700) != 0 && errno != EEXIST) {
			disk_fails(err, errno, part);
			close(folder);
			return -1;
		}
		int next = open_below(folder, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (next < 0)
			disk_fails(err, errno, part);
		close(folder);
		folder = next;
	}
	return folder;
}

int
disk_folder(const char *root, const char *path, bool make, const char **name,
	struct err *err)
{
	const char *slash = strrchr(path, '/');
	*name = slash == NULL ? path : slash + 1;
	if (path[0] == '/' || **name == '\0')
		return err_set(err, ERR_VALUE, "%s: is not the name of a file below %s",
			       path, root), -1;
	int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return disk_fails(err, errno, root), -1;
	char *parts = strndup(path, slash == NULL ? 0 : (size_t)(slash - path));
	if (parts == NULL)
		abort();
	folder = enter_parts(folder, parts, make, err);
	free(parts);
	return folder;
}

/* O_NONBLOCK: opening a FIFO for reading would else wait for a writer. */
static int
open_unmagic(const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
	if (fd < 0 && errno == ENOSYS)
		fd = open(path, (int)how.flags);
	return fd;
}

static int
open_rooted(const char *root, const char *path, struct err *err)
{
	const char *name;
	int folder = disk_folder(root, path, false, &name, err);
	if (folder < 0)
		return -1;
	int fd = open_below(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		disk_fails(err, errno, path);
	close(folder);
	return fd;
}

int
disk_open(const char *root, const char *path, struct stat *stat, struct err *err)
{
	int fd = root == NULL ? open_unmagic(path) : open_rooted(root, path, err);
	if (fd < 0) {
		if (root == NULL)
			disk_fails(err, errno, path);
		return -1;
	}
	if (fstat(fd, stat) != 0)
		disk_fails(err, errno, path);
	else if (!S_ISREG(stat->st_mode))
		err_set(err, ERR_DENIED, "%s: is %s, not a plain file", path,
			sort_of(stat->st_mode));
	else
		return fd;
	close(fd);
	return -1;
}

ssize_t
disk_read(int fd, void *into, size_t n)
{
	ssize_t got;
	do
		got = read(fd, into, n);
	while (got < 0 && errno == EINTR);
	return got;
}

bool
disk_write(int fd, const char *bytes, size_t n, const char *path, struct err *err)
{
	while (n > 0) {
		ssize_t put = write(fd, bytes, n);
		if (put < 0 && errno != EINTR)
			return disk_fails(err, errno, path);
		if (put > 0) {
			bytes += put;
			n -= (size_t)put;
		}
	}
	return true;
}

static char *
copy(const char *text, size_t n)
{
	char *p = strndup(text, n);
	if (p == NULL)
		abort();
	return p;
}

/* Sets name, opens the folder. */
static bool
enter(struct draft *draft, const char *root, struct err *err)
{
	if (root != NULL) {
		const char *name;
		draft->folder = disk_folder(root, draft->path, true, &name, err);
		draft->name = copy(name, strlen(name));
		return draft->folder >= 0;
	}
	const char *path = draft->path, *slash = strrchr(path, '/');
	draft->name = copy(slash == NULL ? path : slash + 1, SIZE_MAX - 1);
	if (draft->name[0] == '\0' || strcmp(draft->name, ".") == 0
	    || strcmp(draft->name, "..") == 0)
		return err_set(err, ERR_VALUE, "%s: is not the name of a file", path);
	char *folder = slash == NULL ? copy(".", 1)
		: copy(path, slash == path ? 1 : (size_t)(slash - path));
	draft->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (draft->folder < 0)
		disk_fails(err, errno, folder);
	free(folder);
	return draft->folder >= 0;
}

static void
name_hidden(struct draft *draft)
{
	uint64_t salt = 0;
	if (getrandom(&salt, sizeof salt, 0) != sizeof salt)
		abort();
	free(draft->hidden);
	if (asprintf(&draft->hidden, ".%.*s.%016" PRIx64, HIDDEN_NAME, draft->name,
	             salt) < 0)
		abort();
}

static void
forget_hidden(struct draft *draft)
{
	free(draft->hidden);
	draft->hidden = NULL;
}

/* EISDIR is what kernels and file systems that do not know O_TMPFILE say. */
static bool
make(struct draft *draft, struct err *err)
{
	int flags = O_WRONLY | O_CLOEXEC;
	draft->fd = openat(draft->folder, ".", flags | O_TMPFILE, 0600);
	if (draft->fd >= 0)
		return true;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)
		return disk_fails(err, errno, draft->path);
	flags |= O_CREAT | O_EXCL | O_NOFOLLOW;
	for (int i = 0; i < NAME_TRIES; i++) {
		name_hidden(draft);
		draft->fd = openat(draft->folder, draft->hidden, flags, 0600);
		if (draft->fd >= 0)
			return true;
		if (errno != EEXIST)
			break;
	}
	int number = errno;
	forget_hidden(draft);                 /* what has that name is not ours */
	return disk_fails(err, number, draft->path);
}

bool
draft_open(struct draft *draft, const char *root, const char *path, struct err *err)
{
	*draft = (struct draft){.folder = -1, .fd = -1, .path = copy(path, strlen(path))};
	if (!enter(draft, root, err))
		return false;
	int n = fstatat(draft->folder, draft->name, &draft->was, AT_SYMLINK_NOFOLLOW);
	draft->exists = n == 0;
	if (n != 0 && errno != ENOENT)
		return disk_fails(err, errno, path);
	if (draft->exists && !S_ISREG(draft->was.st_mode))
		return err_set(err, ERR_DENIED, "%s: is %s, not a plain file", path,
			sort_of(draft->was.st_mode));
	return make(draft, err);
}

/* A name for what has none: link does not replace, so that it gets a hidden one first. */
static bool
link_hidden(struct draft *draft, struct err *err)
{
	char from[40];
	snprintf(from, sizeof from, "/proc/self/fd/%d", draft->fd);
	for (int i = 0; i < NAME_TRIES; i++) {
		name_hidden(draft);
		if (linkat(AT_FDCWD, from, draft->folder, draft->hidden,
		           AT_SYMLINK_FOLLOW) == 0)
			return true;
		if (errno != EEXIST)
			break;
	}
	int number = errno;
	forget_hidden(draft);
	return disk_fails(err, number, draft->path);
}

static bool
keep_owner(const struct draft *draft, struct err *err)
{
	if (!draft->exists)
		return true;
	if (fchown(draft->fd, draft->was.st_uid, draft->was.st_gid) != 0
	    || fchmod(draft->fd, draft->was.st_mode & 0777) != 0)
		return disk_fails(err, errno, draft->path)
			|| err_wrap(err, "cannot keep the owner");
	return true;
}

bool
draft_end(struct draft *draft, bool *done, struct err *err)
{
	*done = false;
	if (!keep_owner(draft, err))
		return false;
	if (fsync(draft->fd) != 0)
		return disk_fails(err, errno, draft->path);
	if (draft->hidden == NULL && !link_hidden(draft, err))
		return false;
	if (renameat(draft->folder, draft->hidden, draft->folder, draft->name) != 0)
		return disk_fails(err, errno, draft->path);
	*done = true;
	forget_hidden(draft);
	/* EINVAL: it knows no such thing */
	if (fsync(draft->folder) != 0 && errno != EINVAL)
		return disk_fails(err, errno, draft->path);
	return true;
}

void
draft_drop(struct draft *draft)
{
	if (draft->hidden != NULL)
		unlinkat(draft->folder, draft->hidden, 0);
	if (draft->fd >= 0)
		close(draft->fd);
	if (draft->folder >= 0)
		close(draft->folder);
	free(draft->path);
	free(draft->name);
	free(draft->hidden);
	*draft = (struct draft){.folder = -1, .fd = -1};
}
