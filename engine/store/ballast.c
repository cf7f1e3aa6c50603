#include "store/local.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "store/lock.h"

static const char name[] = "ballast";

static bool
is_there(struct store *store)
{
	struct stat st;
	return fstatat(store->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0
		&& S_ISREG(st.st_mode) && st.st_size >= BALLAST;
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
	int fd = openat(
		store->folder, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
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

/* A commit into blocks that the file already has costs one sync of data alone; a file
 * that grows costs one of the file system's journal too (ext4: 0.42 against 0.25 ms). A
 * run of a few steps never comes here, for the zeros cost as much as 30 commits save.
 * SQLite takes zeros for the end of the WAL. Closing the file here drops no lock:
 * SQLite's are on store.db and store.db-shm. Without room the WAL grows as it is written.
 */
void
wal_fill(struct store *store)
{
	static const char zeros[1 << 16];
	struct stat st;
	if (lock_take(store->write_lock, NS_S) != LOCK_TAKEN)
		return;
	int fd = openat(store->folder, "store.db-wal", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && fstat(fd, &st) == 0)
		for (off_t at = st.st_size; at < WAL_ROOM; at += (off_t)sizeof zeros)
			if (pwrite(fd, zeros, sizeof zeros, at) != (ssize_t)sizeof zeros)
				break;
	if (fd >= 0)
		close(fd);
	lock_drop(store->write_lock);
}
