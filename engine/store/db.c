#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* 'rbx1', so that file(1) and we know a store from any other database. */
enum { APPLICATION = 0x72627831 };

/* Apart from `message`, whose form older versions know. */
#define PERSONS "CREATE TABLE IF NOT EXISTS person (message INTEGER PRIMARY KEY," \
	" name TEXT NOT NULL, known_by TEXT NOT NULL);"

static const char schema[] =
	"CREATE TABLE store (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE run (run TEXT PRIMARY KEY, at INTEGER NOT NULL,"
	" records INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE record (run TEXT NOT NULL, seq INTEGER NOT NULL,"
	" at INTEGER NOT NULL, boot INTEGER NOT NULL, kind TEXT NOT NULL,"
	" path TEXT NOT NULL, attempt INTEGER NOT NULL, body TEXT NOT NULL,"
	" hash BLOB NOT NULL, PRIMARY KEY (run, seq)) WITHOUT ROWID;"
	"CREATE TABLE blob (digest BLOB PRIMARY KEY, bytes BLOB NOT NULL);"
	"CREATE TABLE chunk (id INTEGER PRIMARY KEY, run TEXT NOT NULL,"
	" path TEXT NOT NULL, attempt INTEGER NOT NULL, number INTEGER NOT NULL,"
	" text TEXT NOT NULL);"
	"CREATE INDEX chunk_of ON chunk (run);"
	"CREATE TABLE message (id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL,"
	" at INTEGER NOT NULL, uid INTEGER NOT NULL, user TEXT NOT NULL,"
	" host TEXT NOT NULL, body TEXT NOT NULL);"
	"CREATE INDEX message_of ON message (run);"
	"CREATE TABLE lock (name TEXT PRIMARY KEY, run TEXT NOT NULL,"
	" since INTEGER NOT NULL) WITHOUT ROWID;" PERSONS;

static const char *const queries[Q_COUNT] = {
	[Q_BEGIN] = "BEGIN IMMEDIATE",
	[Q_COMMIT] = "COMMIT",
	[Q_ROLLBACK] = "ROLLBACK",
	[Q_ADD_RUN] = "INSERT INTO run VALUES (?1, ?2, ?3)",
	[Q_GROW_RUN] = "UPDATE run SET records = ?2 WHERE run = ?1",
	[Q_ADD_RECORD] = "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[Q_ADD_BLOB] = "INSERT INTO blob VALUES (?1, ?2) ON CONFLICT DO NOTHING",
	[Q_ADD_CHUNK] = "INSERT INTO chunk (run, path, attempt, number, text)"
			" VALUES (?1, ?2, ?3, ?4, ?5)",
	[Q_ADD_MESSAGE] = "INSERT INTO message (run, at, uid, user, host, body)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_ADD_PERSON] = "INSERT INTO person VALUES (?1, ?2, ?3)",
	[Q_ADD_LOCK] = "INSERT INTO lock VALUES (?1, ?2, ?3)"
		       " ON CONFLICT DO UPDATE SET run = ?2, since = ?3",
	[Q_DROP_LOCKS] = "DELETE FROM lock WHERE run = ?1",
	[Q_LOCK] = "SELECT run FROM lock WHERE name = ?1",
	[Q_RECORD_COUNT] = "SELECT records FROM run WHERE run = ?1",
	[Q_HASH] = "SELECT hash FROM record WHERE run = ?1 AND seq = ?2",
	/* A tick may follow the end of a run, which it does not open again. */
	[Q_LAST] = "SELECT seq, at, kind, body FROM record WHERE run = ?1"
		   " AND kind <> 'tick' ORDER BY seq DESC LIMIT 1",
	[Q_LAST_STEP] = "SELECT path FROM record WHERE run = ?1 AND path <> ''"
			" ORDER BY seq DESC LIMIT 1",
	[Q_FIRST] = "SELECT at, body FROM record WHERE run = ?1 AND seq = 1",
	[Q_NEWEST_OF] = "SELECT body FROM record WHERE run = ?1 AND kind = ?2"
			" ORDER BY seq DESC LIMIT 1",
	[Q_RECORDS] = "SELECT seq, at, boot, kind, path, attempt, body, hash FROM record"
		      " WHERE run = ?1 AND seq >= ?2 ORDER BY seq",
	[Q_INBOX] = "SELECT id, at, uid, user, host, body, name, known_by FROM message"
		    " LEFT JOIN person ON message = id"
		    " WHERE run = ?1 AND id > ?2 ORDER BY id",
	[Q_SAME_MESSAGE] = "SELECT 1 FROM message WHERE run = ?1 AND at = ?2 AND uid = ?3"
			   " AND body = ?4",
	[Q_INBOX_OLD] = "SELECT id, at, uid, user, host, body, NULL, NULL FROM message"
			" WHERE run = ?1 AND id > ?2 ORDER BY id",
	[Q_BLOB] = "SELECT bytes FROM blob WHERE digest = ?1",
	[Q_CHUNKS] =
		"SELECT id, path, attempt, number, text FROM chunk"
		" WHERE run = ?1 AND id > ?2 AND (?3 IS NULL OR path = ?3) ORDER BY id",
	[Q_RUNS] = "SELECT run FROM run ORDER BY at, run",
	[Q_RUNS_LIKE] =
		"SELECT run FROM run WHERE run >= ?1 AND substr(run, 1, length(?1)) = ?1"
		" ORDER BY run LIMIT 4",
	[Q_NEWEST] = "SELECT run FROM run ORDER BY at DESC, run DESC LIMIT 1",
};

static enum err_code
code_of(int result)
{
	switch (result & 0xff) {
	case SQLITE_FULL: return ERR_FULL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return ERR_BUSY;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_AUTH: return ERR_DENIED;
	case SQLITE_NOTADB: return ERR_VALUE;
	default: return ERR_IO;
	}
}

bool
db_fail(struct db *db, struct err *err, const char *what)
{
	int result = sqlite3_extended_errcode(db->sqlite),
	    system = sqlite3_system_errno(db->sqlite);
	enum err_code code = code_of(result);
	/* A full disk that met something else than a write; after a failed sync nothing
	 * is known. */
	if ((result & 0xff) == SQLITE_IOERR && result != SQLITE_IOERR_FSYNC
		&& (system == ENOSPC || system == EDQUOT))
		code = ERR_FULL;
	return err_set(err, code, "%s: %s (SQLite %d)", what, sqlite3_errmsg(db->sqlite),
		result);
}

bool
db_prepare(struct db *db, enum query query, sqlite3_stmt **out)
{
	return sqlite3_prepare_v2(db->sqlite, queries[query], -1, out, NULL) == SQLITE_OK;
}

sqlite3_stmt *
db_query(struct db *db, enum query query)
{
	sqlite3_stmt **kept = &db->kept[query];
	if (*kept == NULL
		&& sqlite3_prepare_v3(db->sqlite, queries[query], -1,
			   SQLITE_PREPARE_PERSISTENT, kept, NULL)
			!= SQLITE_OK)
		return NULL;
	sqlite3_reset(*kept);
	sqlite3_clear_bindings(*kept);
	return *kept;
}

void
db_bind(sqlite3_stmt *statement, int at, struct str text)
{
	sqlite3_bind_text64(statement, at, text.p == NULL ? "" : text.p, text.n,
		SQLITE_STATIC, SQLITE_UTF8);
}

void
db_bind_bytes(sqlite3_stmt *statement, int at, struct str bytes)
{
	sqlite3_bind_blob64(
		statement, at, bytes.p == NULL ? "" : bytes.p, bytes.n, SQLITE_STATIC);
}

struct str
db_column(sqlite3_stmt *statement, int at)
{
	const char *p = sqlite3_column_blob(statement, at);
	return (struct str){p, (size_t)sqlite3_column_bytes(statement, at)};
}

int
db_run(struct db *db, sqlite3_stmt *statement)
{
	int result;
	if (statement == NULL)
		return sqlite3_extended_errcode(db->sqlite);
	do
		result = sqlite3_step(statement);
	while (result == SQLITE_ROW);
	sqlite3_reset(statement);
	return result;
}

int
db_do(struct db *db, enum query query)
{
	return db_run(db, db_query(db, query));
}

/* The first column of a PRAGMA's answer, as text. */
static bool
pragma(struct db *db, const char *text, char *answer, size_t room)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(db->sqlite, text, -1, &statement, NULL) != SQLITE_OK)
		return false;
	int result = sqlite3_step(statement);
	const char *value = result == SQLITE_ROW
		? (const char *)sqlite3_column_text(statement, 0)
		: "";
	snprintf(answer, room, "%s", value == NULL ? "" : value);
	sqlite3_finalize(statement);
	return result == SQLITE_ROW || result == SQLITE_DONE;
}

static bool
want(struct db *db, const char *text, const char *wanted, struct err *err)
{
	char answer[40];
	if (!pragma(db, text, answer, sizeof answer))
		return db_fail(db, err, text);
	if (strcmp(answer, wanted) != 0)
		return err_set(err, ERR_UNSUPPORTED, "%s gives '%s' where '%s' is needed",
			text, answer, wanted);
	return true;
}

/* A foreign store is data only: no trigger, view or function of its schema runs. */
static void
shut(sqlite3 *sqlite)
{
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(sqlite, SQLITE_LIMIT_ATTACHED, 0);
}

bool
db_open(struct db *db, const char *path, bool reads, struct err *err)
{
	char answer[40];
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE
		| (reads ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	if (sqlite3_open_v2(path, &db->sqlite, flags, NULL) != SQLITE_OK)
		return db_fail(db, err, "store.db");
	shut(db->sqlite);
	sqlite3_busy_timeout(db->sqlite, 5000);
	if (!pragma(db, "PRAGMA cell_size_check=ON", answer, sizeof answer)
		|| !pragma(db, "PRAGMA temp_store=MEMORY", answer, sizeof answer))
		return db_fail(db, err, "store.db");
	return true;
}

bool
db_check(struct db *db, struct err *err)
{
	char text[40], id[40], mine[40];
	int64_t number;
	if (!pragma(db, "PRAGMA user_version", text, sizeof text)
		|| !pragma(db, "PRAGMA application_id", id, sizeof id))
		return db_fail(db, err, "store.db");
	snprintf(mine, sizeof mine, "%d", APPLICATION);
	if (strcmp(id, mine) != 0 || !str_int(str_of(text), &number) || number < 1)
		return err_set(
			err, ERR_VALUE, "store.db is a database of something else");
	if (number <= DB_VERSION)
		return true;
	err_set(err, ERR_VERSION,
		"store.db is of version %lld, newer than this rbx, which knows "
		"version %d",
		(long long)number, DB_VERSION);
	return err_hint(err, "Use the rbx that wrote it, or a newer one.");
}

/* Nothing can be lost yet, so no journal is written, and the one sync is that of the last
 * write, which turns the file to WAL. */
static bool
fill(struct db *db, const char *uuid, struct err *err)
{
	char text[sizeof schema + 300], answer[40];
	snprintf(text, sizeof text,
		"BEGIN IMMEDIATE; %s INSERT INTO store VALUES ('uuid', '%s');"
		"PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
		schema, uuid, APPLICATION, DB_VERSION);
	if (!pragma(db, "PRAGMA page_size=4096", answer, sizeof answer)
		|| !pragma(db, "PRAGMA synchronous=OFF", answer, sizeof answer)
		|| !pragma(db, "PRAGMA journal_mode=MEMORY", answer, sizeof answer))
		return db_fail(db, err, "store.db cannot be made");
	if (sqlite3_exec(db->sqlite, text, NULL, NULL, NULL) != SQLITE_OK
		|| !pragma(db, "PRAGMA synchronous=FULL", answer, sizeof answer))
		return db_fail(db, err, "store.db cannot be made");
	return want(db, "PRAGMA journal_mode=WAL", "wal", err);
}

bool
db_make(const char *path, const char *uuid, struct err *err)
{
	struct db db = {0};
	bool ok = db_open(&db, path, false, err) && fill(&db, uuid, err);
	db_close(&db);
	return ok;
}

bool
db_harden(struct db *db, struct err *err)
{
	char answer[40];
	if (!pragma(db, "PRAGMA synchronous=FULL", answer, sizeof answer)
		|| !pragma(db, "PRAGMA checkpoint_fullfsync=ON", answer, sizeof answer))
		return db_fail(db, err, "store.db");
	return want(db, "PRAGMA journal_mode=WAL", "wal", err)
		&& want(db, "PRAGMA synchronous", "2", err)
		&& want(db, "PRAGMA wal_autocheckpoint=0", "0", err)
		&& want(db, "PRAGMA journal_size_limit=16777216", "16777216", err);
}

bool
db_add_persons(struct db *db, struct err *err)
{
	return sqlite3_exec(db->sqlite, PERSONS, NULL, NULL, NULL) == SQLITE_OK
		|| db_fail(db, err, "store.db");
}

void
db_close(struct db *db)
{
	for (int i = 0; i < Q_COUNT; i++)
		sqlite3_finalize(db->kept[i]);
	if (db->sqlite != NULL) {
		int result = sqlite3_close(db->sqlite);
		assert(result == SQLITE_OK);
		(void)result;
	}
	*db = (struct db){0};
}
