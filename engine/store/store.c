#include "store/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/time.h"
#include "store/lock.h"
#include "store/place.h"

bool
store_default(struct arena *mem, struct host *host, const char **out, struct err *err)
{
	const char *state = host->type->env(host, "XDG_STATE_HOME");
	const char *home = host->type->env(host, "HOME");
	if (state != NULL && state[0] == '/')
		*out = arena_printf(mem, "%s/rbx", state);
	else if (home != NULL && home[0] == '/')
		*out = arena_printf(mem, "%s/.local/state/rbx", home);
	else
		return err_set(err, ERR_NOT_FOUND,
			       "neither XDG_STATE_HOME nor HOME says where the "
			       "store lies")
			|| err_hint(err, "Name a folder with --store.");
	return true;
}

static int
count_pages(void *with, sqlite3 *sqlite, const char *name, int pages)
{
	(void)sqlite;
	(void)name;
	((struct store *)with)->wal_pages = (uint64_t)pages;
	return SQLITE_OK;
}

/* RFC 9562, version 4. */
static const char *
new_uuid(struct store *store)
{
	uint8_t bytes[16];
	store->host->type->random(store->host, bytes, sizeof bytes);
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	const char *hex = hex_text(store->mem, bytes, sizeof bytes);
	return arena_printf(store->mem, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
		hex + 12, hex + 16, hex + 20);
}

/* What is left of a database that lost its file would be taken for this one's. The file is
 * made empty here, for SQLite would give it the umask's mode. */
static bool
make_empty(struct store *store, struct err *err)
{
	static const char *const left[] = {
		"store.db-wal", "store.db-shm", "store.db-journal", "store.db.new"};
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
		unlinkat(store->folder, left[i], 0);
	int fd = openat(store->folder, "store.db.new", flags, 0600);
	if (fd < 0)
		return err_errno(err, errno, "store.db cannot be made");
	close(fd);
	return true;
}

/* It has its name once it is whole and on the disk; the folder is synced with the first
 * commit, when SQLite makes the WAL in it. */
static bool
make(struct store *store, struct err *err)
{
	struct stat st;
	if (fstatat(store->folder, "store.db", &st, AT_SYMLINK_NOFOLLOW) == 0
		&& st.st_size > 0)
		return true;
	const char *path = arena_printf(store->mem, "%s/store.db.new", store->where);
	if (!make_empty(store, err) || !db_make(path, new_uuid(store), err))
		return false;
	return renameat(store->folder, "store.db.new", store->folder, "store.db") == 0
		|| err_errno(err, errno, "store.db cannot be made");
}

static bool
connect_db(struct store *store, struct err *err)
{
	const char *path = arena_printf(store->mem, "%s/store.db", store->where);
	if (!make(store, err) || !db_open(&store->db, path, false, err)
		|| !db_check(&store->db, err) || !db_harden(&store->db, err))
		return false;
	sqlite3_wal_hook(store->db.sqlite, count_pages,
		store); /* wal_autocheckpoint takes it away */
	return true;
}

static bool
read_uuid(struct store *store, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	sqlite3_prepare_v2(store->db.sqlite,
		"SELECT value FROM store WHERE name = 'uuid'", -1, &statement, NULL);
	bool ok =
		sqlite3_step(statement) == SQLITE_ROW && db_column(statement, 0).n == 36;
	if (ok)
		snprintf(store->uuid, sizeof store->uuid, "%.*s",
			STR_FMT(db_column(statement, 0)));
	sqlite3_finalize(statement);
	return ok || err_set(err, ERR_VALUE, "store.db has no identity: it is damaged");
}

static bool
open_files(struct store *store, struct err *err)
{
	static const char *const names[] = {
		"store.db", "store.db-wal", "store.db-shm", "ballast"};
	if (!place_open(store->where, &store->folder, err))
		return false;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!place_file(store->folder, names[i], err))
			return false;
	if (!letters_open(store, err))
		return false;
	bool reads = letters_is_reader(store);
	if (!reads)
		store->write_lock = lock_open(store->folder, "store.lock", err);
	if (store->write_lock < 0 && !reads)
		return false;
	if (!reads && mkdirat(store->folder, "owners", 0700) != 0 && errno != EEXIST)
		return err_errno(err, errno, "owners/ cannot be made");
	store->owners = openat(
		store->folder, "owners", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return store->owners >= 0 || err_errno(err, errno, "owners/ cannot be opened");
}

static bool
open_reader(struct store *store, struct err *err)
{
	const char *path = arena_printf(store->mem, "%s/store.db", store->where);
	if (!db_open(&store->db, path, true, err) || !db_check(&store->db, err)
		|| !read_uuid(store, err))
		return false;
	store->broken = true;
	snprintf(store->why, sizeof store->why,
		"%s is its owner's to write: you may read it, and answer", store->where);
	return true;
}

/* Under store.lock, for the first one makes the schema. */
static bool
open_all(struct store *store, struct err *err)
{
	if (!open_files(store, err))
		return false;
	if (letters_is_reader(store))
		return open_reader(store, err);
	if (lock_take(store->write_lock, 20 * NS_S) != LOCK_TAKEN)
		return err_set(
			err, ERR_BUSY, "another process has held store.lock for 20 s");
	bool ok = connect_db(store, err) && letters_share(store, err);
	lock_drop(store->write_lock);
	if (!ok || !read_uuid(store, err))
		return false;
	ballast_make(store);
	return true;
}

static void
init_mutexes(struct store *store)
{
	pthread_mutexattr_t kind;
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&store->busy, &kind);
	pthread_mutexattr_destroy(&kind);
	pthread_mutex_init(&store->queue, NULL);
	pthread_cond_init(&store->more, NULL);
}

bool
store_open(struct store **out, struct host *host, const char *where, struct err *err)
{
	struct str text = str_of(where);
	*out = NULL;
	if (text.n == 0)
		return err_set(err, ERR_VALUE, "the store's folder has no name");
	while (text.n > 1 && str_ends(text, STR("/")))
		text.n--;
	struct arena *mem = arena_new();
	struct store *store = arena_new_of(mem, struct store);
	*store = (struct store){.host = host,
		.mem = mem,
		.where = str_cstr(mem, text),
		.folder = -1,
		.owners = -1,
		.write_lock = -1,
		.letters = -1};
	store->last = &store->first;
	init_mutexes(store);
	if (!open_all(store, err)) {
		err_wrap(err, "store %s", store->where);
		store_close(store);
		return false;
	}
	*out = store;
	return true;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	store_stop(store);
	if (store->batches > 0)
		store_checkpoint(store, true);
	db_close(&store->db);
	const int files[] = {store->owners, store->write_lock, store->letters,
		store->folder};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (files[i] >= 0)
			close(files[i]);
	pthread_mutex_destroy(&store->busy);
	pthread_mutex_destroy(&store->queue);
	pthread_cond_destroy(&store->more);
	arena_free(store->mem);
}

const char *
store_where(const struct store *store)
{
	return store->where;
}

const char *
store_uuid(const struct store *store)
{
	return store->uuid;
}
