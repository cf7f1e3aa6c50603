#include "cmd/command.h"

#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 16 << 20 };

static bool
judge(const char *path, const struct stat *st, struct err *err)
{
	if (S_ISDIR(st->st_mode))
		return err_set(err, ERR_IO, "%s is a folder", path);
	if (!S_ISREG(st->st_mode))
		return err_set(err, ERR_DENIED, "%s is no regular file", path);
	if (!place_owned(st, err)) {
		err_wrap(err, "%s", path);
		return err_hint(err, "see ls -l %s; chmod go-w takes the right to write", path);
	}
	if (st->st_size > MOST)
		return err_set(err, ERR_LIMIT, "%s is larger than 16 MiB", path);
	return true;
}

static bool
read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	char piece[65536];
	for (;;) {
		ssize_t n = read(fd, piece, sizeof piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "%s", path);
		if (n == 0)
			return true;
		buf_add(out, (struct str){piece, (size_t)n});
		if (out->n > MOST)
			return err_set(err, ERR_LIMIT, "%s is larger than 16 MiB", path);
	}
}

bool
file_read(struct arena *mem, const char *path, struct str *bytes, char **full_path,
	struct err *err)
{
	struct buf out = buf_in(mem);
	struct stat st;
	char full[PATH_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	bool ok = fstat(fd, &st) == 0 ? judge(path, &st, err)
				      : err_errno(err, errno, "%s", path);
	ok = ok && read_all(fd, path, &out, err);
	close(fd);
	if (!ok)
		return false;
	*bytes = (struct str){buf_cstr(&out), out.n};
	if (full_path != NULL) {
		if (realpath(path, full) == NULL)
			return err_errno(err, errno, "%s", path);
		*full_path = arena_strdup(mem, full);
	}
	return true;
}
