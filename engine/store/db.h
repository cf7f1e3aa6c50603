/* The connection to store.db: opened with what durability needs and read back, its
 * schema, and its statements, each prepared once. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>

#include "base/err.h"

enum {
	DB_VERSION = 1,                        /* user_version; a higher one is refused */
	DB_PAGE = 4096,
};

enum query {
	Q_BEGIN, Q_COMMIT, Q_ROLLBACK,
	Q_ADD_RUN, Q_GROW_RUN, Q_ADD_RECORD, Q_ADD_BLOB, Q_ADD_CHUNK, Q_ADD_MESSAGE,
	Q_ADD_PERSON, Q_ADD_LOCK, Q_DROP_LOCKS, Q_LOCK, Q_RECORD_COUNT, Q_HASH, Q_LAST,
	Q_LAST_STEP, Q_FIRST, Q_NEWEST_OF, Q_RECORDS, Q_INBOX, Q_INBOX_OLD,
	Q_SAME_MESSAGE, Q_BLOB, Q_CHUNKS, Q_RUNS, Q_RUNS_LIKE, Q_NEWEST,
	Q_COUNT,
};

struct db {
	sqlite3 *sqlite;                              /* NULL: closed */
	sqlite3_stmt *kept[Q_COUNT];
};

/* reads: nothing is ever written, and the WAL of others is read. */
bool db_open(struct db *db, const char *path, bool reads, struct err *err);
/* ERR_VERSION for a newer one, ERR_VALUE for what is no store. */
bool db_check(struct db *db, struct err *err);
/* The schema and the mode WAL, in an empty file that nobody else has open; synced once.
 * A crash leaves a file that is none: the caller gives it its name afterwards. */
bool db_make(const char *path, const char *uuid, struct err *err);
/* WAL and synchronous=FULL, read back; refused where they did not take. */
bool db_harden(struct db *db, struct err *err);
/* The table of persons, in a store that was made before there was one. */
bool db_add_persons(struct db *db, struct err *err);
void db_close(struct db *db);               /* never a checkpoint; accepts a closed one */

/* The statement, reset and without values. NULL: it cannot be prepared. */
sqlite3_stmt *db_query(struct db *db, enum query query);
/* One more of it, for a walk during which others may use the kept one; to be
 * finalized. */
bool db_prepare(struct db *db, enum query query, sqlite3_stmt **out);
/* Bound text and bytes live until the reset. */
void db_bind(sqlite3_stmt *statement, int at, struct str text);
void db_bind_bytes(sqlite3_stmt *statement, int at, struct str bytes);
struct str db_column(sqlite3_stmt *statement, int at);     /* valid until the next step */
/* To its end, and reset: SQLITE_DONE or an error. */
int db_run(struct db *db, sqlite3_stmt *statement);
int db_do(struct db *db, enum query query);           /* one without values */
/* What SQLite says; false. */
bool db_fail(struct db *db, struct err *err, const char *what);

#endif
