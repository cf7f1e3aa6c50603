#include "store/local.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* All pages in one go, so that no other writer makes it start again. */
static bool
copy(struct store *store, sqlite3 *into, struct err *err)
{
	sqlite3_backup *backup =
		sqlite3_backup_init(into, "main", store->db.sqlite, "main");
	int result = backup == NULL ? SQLITE_ERROR : sqlite3_backup_step(backup, -1);
	sqlite3_backup_finish(backup);
	if (result == SQLITE_DONE)
		return true;
	return err_set(err, result == SQLITE_FULL ? ERR_FULL : ERR_IO, "%s",
		sqlite3_errstr(result));
}

static bool
sync_folder(struct arena *mem, const char *to, struct err *err)
{
	const char *slash = strrchr(to, '/');
	const char *folder = ".";
	if (slash == to)
		folder = "/";
	else if (slash != NULL)
		folder = arena_strndup(mem, to, (size_t)(slash - to));
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		err_errno(err, errno, "%s", folder);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool
fill(struct store *store, const char *to, struct err *err)
{
	sqlite3 *into = NULL;
	bool ok = sqlite3_open_v2(to, &into, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK;
	if (!ok)
		err_set(err, ERR_IO, "%s", sqlite3_errmsg(into));
	pthread_mutex_lock(&store->busy);
	ok = ok && copy(store, into, err);
	pthread_mutex_unlock(&store->busy);
	sqlite3_close(into);
	return ok;
}

bool
store_backup(struct store *store, const char *to, struct err *err)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, errno, "backup %s", to);
	close(fd);
	struct arena *scratch = arena_new();
	bool ok = fill(store, to, err) && sync_folder(scratch, to, err);
	arena_free(scratch);
	if (!ok) {
		unlink(to);
		return err_wrap(err, "backup %s", to);
	}
	return true;
}
