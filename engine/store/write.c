#include "store/local.h"

#include <stdio.h>

#include "base/time.h"
#include "store/lock.h"

/* How long a write waits for another process's: beyond it that process was stopped. */
#define PATIENCE (20 * NS_S)

bool
store_break(struct store *store, const struct err *err)
{
	if (!store->broken)
		snprintf(store->why, sizeof store->why, "%.300s", err->msg);
	store->broken = true;
	return false;
}

static bool
lock_fail(struct store *store, enum lock_result result, struct err *err)
{
	if (result == LOCK_ERROR)
		return err_set(
			err, ERR_IO, "store.lock of %s cannot be locked", store->where);
	return err_set(err, ERR_BUSY,
		"another process has held store.lock of %s for 20 s", store->where);
}

bool
write_begin(struct store *store, struct err *err)
{
	if (store->broken)
		return err_set(err, ERR_IO, "%s", store->why);
	enum lock_result result = lock_take(store->write_lock, PATIENCE);
	if (result != LOCK_TAKEN)
		return lock_fail(store, result, err);
	if (db_do(&store->db, Q_BEGIN) == SQLITE_DONE)
		return true;
	db_fail(&store->db, err, store->where);
	lock_drop(store->write_lock);
	return false;
}

bool
write_end(struct store *store, bool commit, struct err *err)
{
	bool ok = true;
	if (commit && db_do(&store->db, Q_COMMIT) != SQLITE_DONE)
		ok = db_fail(&store->db, err, store->where);
	if (!sqlite3_get_autocommit(store->db.sqlite))
		db_do(&store->db, Q_ROLLBACK);
	lock_drop(store->write_lock);
	return ok;
}

/* A reader that holds an old snapshot only makes the checkpoint end early. At the end the
 * WAL is cut, or whoever opens the store next would read all of it. */
void
store_checkpoint(struct store *store, bool whole)
{
	int mode = whole ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	if (store->broken || lock_take(store->write_lock, NS_S) != LOCK_TAKEN)
		return;
	sqlite3_busy_timeout(store->db.sqlite, 0);
	int result = sqlite3_wal_checkpoint_v2(store->db.sqlite, NULL, mode, NULL, NULL);
	sqlite3_busy_timeout(store->db.sqlite, 5000);
	lock_drop(store->write_lock);
	if (result == SQLITE_OK)
		store->wal_pages = 0;
	else if (result != SQLITE_BUSY && (result & 0xff) != SQLITE_FULL) {
		struct err err;
		db_fail(&store->db, &err, store->where);
		store_break(store, &err);
	}
}
