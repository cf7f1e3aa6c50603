#include "store/local.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char name[] = "ballast";

static bool
is_there(struct store *store)
{
	struct stat st;
	return fstatat(store->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)
		&& st.st_size >= BALLAST;
}

static void
now_full(struct store *store)
{
	struct err err;
	err_set(&err, ERR_FULL, "the disk of %s is full", store->where);
	store->full = true;
	memcpy(store->why, err.msg, sizeof store->why);
	store->why[sizeof store->why - 1] = '\0';
}

void
ballast_make(struct store *store)
{
	if (is_there(store))
		return;
	int fd = openat(store->folder, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int result = fd < 0 ? errno : posix_fallocate(fd, 0, BALLAST);
	if (fd >= 0)
		close(fd);
	if (result == ENOSPC || result == EDQUOT) {
		unlinkat(store->folder, name, 0);
		now_full(store);
	}
}

void
ballast_drop(struct store *store)
{
	unlinkat(store->folder, name, 0);
	now_full(store);
}
