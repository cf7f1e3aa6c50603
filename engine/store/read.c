#include "store/local.h"

#include "data/json.h"
#include "store/chain.h"

/* A walk over the records of one run that follows their chain. */
struct walk {
	struct store *store;
	struct arena *mem; /* of one record */
	struct digest *digest;
	const char *run;
	uint64_t next; /* the seq that must come */
	uint64_t records; /* how many the run has: the chain alone would not miss its end
			   */
	uint8_t head[SHA256_SIZE];
	bool (*each)(
		const struct record *, void *); /* NULL: only the chain is followed */
	void *with;
	bool more;
};

static bool
read_blob(struct store *store, const uint8_t digest[32], struct arena *mem,
	struct str *out, struct err *err)
{
	uint8_t found[SHA256_SIZE];
	sqlite3_stmt *get = db_query(&store->db, Q_BLOB);
	if (get == NULL)
		return db_fail(&store->db, err, store->where);
	db_bind_bytes(get, 1, (struct str){(const char *)digest, SHA256_SIZE});
	int result = sqlite3_step(get);
	bool ok = result == SQLITE_ROW;
	if (ok)
		*out = str_copy(mem, db_column(get, 0));
	else if (result == SQLITE_DONE)
		err_set(err, ERR_NOT_FOUND, "no bytes with the digest %s",
			hex_text(mem, digest, SHA256_SIZE));
	else
		db_fail(&store->db, err, store->where);
	sqlite3_reset(get);
	if (!ok)
		return false;
	sha256(*out, found);
	return memcmp(found, digest, SHA256_SIZE) == 0
		|| err_set(err, ERR_IO, "the bytes with the digest %s are damaged",
			hex_text(mem, digest, SHA256_SIZE));
}

static bool
check_blob(struct walk *walk, const struct record *record, const char *of, struct str hex,
	struct err *err)
{
	uint8_t digest[SHA256_SIZE];
	struct str bytes;
	if (!hex_parse(hex, digest, sizeof digest)
		|| read_blob(walk->store, digest, walk->mem, &bytes, err))
		return true;
	return err_wrap(err, "run %s: the %s of record %llu", walk->run, of,
		(unsigned long long)record->seq);
}

/* The chain holds the digests of what is too big for a record, and of the playbook: their
 * bytes must be there, and be those. */
static bool
has_blobs(struct walk *walk, const struct record *record, struct err *err)
{
	struct value body;
	struct err ignored;
	if (!json_parse(walk->mem, record->body, NULL, &body, &ignored))
		return true;
	const struct value *names = value_get(&body, "blobs");
	bool has = value_get_int(&body, "v", 0) == 2 && names != NULL
		&& names->kind == V_MAP;
	for (size_t i = 0; has && i < names->map->n; i++) {
		const struct member *name = &names->map->members[i];
		const char *of = str_cstr(walk->mem, name->key.str);
		struct str hex = value_get_str(&name->value, "digest");
		if (!check_blob(walk, record, of, hex, err))
			return false;
	}
	if (record->kind == REC_RUN)
		return check_blob(walk, record, "playbook",
			value_get_str(&body, "playbook"), err);
	return record->kind != REC_REBASE
		|| check_blob(walk, record, "playbook", value_get_str(&body, "to"), err);
}

static bool
read_record(struct walk *walk, sqlite3_stmt *row, struct err *err)
{
	uint8_t hash[SHA256_SIZE];
	struct str word = str_copy(walk->mem, db_column(row, 3)),
		   kept = db_column(row, 7);
	struct record record = {
		.seq = (uint64_t)sqlite3_column_int64(row, 0),
		.at = sqlite3_column_int64(row, 1),
		.boot = sqlite3_column_int64(row, 2),
		.path = str_cstr(walk->mem, db_column(row, 4)),
		.attempt = (uint32_t)sqlite3_column_int64(row, 5),
		.body = db_column(row, 6),
	};
	if (record.seq != walk->next)
		return err_set(err, ERR_IO, "run %s: record %llu is missing", walk->run,
			(unsigned long long)walk->next);
	chain_hash(walk->digest, walk->run, walk->head, &record, word, hash);
	if (kept.n != SHA256_SIZE || memcmp(kept.p, hash, SHA256_SIZE) != 0)
		return err_set(err, ERR_IO,
			"run %s: record %llu is damaged: its hash does not fit",
			walk->run, (unsigned long long)record.seq);
	memcpy(walk->head, hash, SHA256_SIZE);
	memcpy(record.hash, hash, SHA256_SIZE);
	walk->next++;
	bool known = kind_parse(word, &record.kind);
	if (walk->each == NULL)
		return !known || has_blobs(walk, &record, err);
	if (!known)
		return err_set(err, ERR_VERSION,
			"run %s: record %llu is of the kind '%.20s', which "
			"this rbx does not know",
			walk->run, (unsigned long long)record.seq, word.p);
	walk->more = walk->each(&record, walk->with);
	return true;
}

/* Each walk has a statement of its own, for `each` may read too. */
static bool
walk_records(struct walk *walk, uint64_t from, struct err *err)
{
	struct db *db = &walk->store->db;
	sqlite3_stmt *rows = NULL;
	if (!db_prepare(db, Q_RECORDS, &rows))
		return db_fail(db, err, walk->store->where);
	db_bind(rows, 1, str_of(walk->run));
	sqlite3_bind_int64(rows, 2, (sqlite3_int64)from);
	int result = SQLITE_DONE;
	bool ok = true;
	while (ok && walk->more && (result = sqlite3_step(rows)) == SQLITE_ROW) {
		ok = read_record(walk, rows, err);
		arena_reset(walk->mem);
	}
	if (ok && walk->more && result != SQLITE_DONE) {
		db_fail(db, err, walk->store->where);
		ok = err_wrap(err, "run %s: record %llu cannot be read", walk->run,
			(unsigned long long)walk->next);
	}
	sqlite3_finalize(rows);
	if (ok && walk->more && walk->next <= walk->records)
		return err_set(err, ERR_IO, "run %s: record %llu is missing", walk->run,
			(unsigned long long)walk->next);
	return ok;
}

static bool
hash_before(struct walk *walk, uint64_t from, struct err *err)
{
	struct db *db = &walk->store->db;
	if (from <= 1)
		return true;
	sqlite3_stmt *hash = db_query(db, Q_HASH);
	if (hash == NULL)
		return db_fail(db, err, walk->store->where);
	db_bind(hash, 1, str_of(walk->run));
	sqlite3_bind_int64(hash, 2, (sqlite3_int64)from - 1);
	bool found =
		sqlite3_step(hash) == SQLITE_ROW && db_column(hash, 0).n == SHA256_SIZE;
	if (found)
		memcpy(walk->head, db_column(hash, 0).p, SHA256_SIZE);
	sqlite3_reset(hash);
	return found
		|| err_set(err, ERR_IO, "run %s: record %llu is missing", walk->run,
			(unsigned long long)from - 1);
}

/* What was found stands in *walk; its arenas are gone. */
static bool
walk_run(struct walk *walk, uint64_t from, struct err *err)
{
	struct arena *mem = arena_new();
	walk->mem = arena_new();
	walk->digest = digest_new(mem);
	walk->next = from = from == 0 ? 1 : from;
	walk->more = true;
	pthread_mutex_lock(&walk->store->busy);
	bool ok = run_count(walk->store, walk->run, &walk->records, err)
		&& hash_before(walk, from, err) && walk_records(walk, from, err);
	pthread_mutex_unlock(&walk->store->busy);
	arena_free(walk->mem);
	arena_free(mem);
	return ok;
}

bool
store_read(struct store *store, const char *run, uint64_t from,
	bool (*each)(const struct record *, void *), void *with, struct err *err)
{
	struct walk walk = {.store = store, .run = run, .each = each, .with = with};
	return walk_run(&walk, from, err);
}

bool
store_verify(struct store *store, const char *run, struct arena *mem, char **head,
	uint64_t *records, struct err *err)
{
	struct walk walk = {.store = store, .run = run};
	if (!walk_run(&walk, 1, err))
		return false;
	*records = walk.next - 1;
	*head = hex_text(mem, walk.head, sizeof walk.head);
	return walk.next > 1 || err_set(err, ERR_IO, "run %s: record 1 is missing", run);
}

static bool
read_newest(struct store *store, const char *run, enum kind kind, struct arena *mem,
	struct str *body, struct err *err)
{
	sqlite3_stmt *get = db_query(&store->db, Q_NEWEST_OF);
	if (get == NULL)
		return db_fail(&store->db, err, store->where);
	db_bind(get, 1, str_of(run));
	db_bind(get, 2, str_of(kind_word(kind)));
	int result = sqlite3_step(get);
	*body = (struct str){NULL, 0};
	if (result == SQLITE_ROW)
		*body = str_copy(mem, db_column(get, 0));
	bool ok = result == SQLITE_ROW || result == SQLITE_DONE
		|| db_fail(&store->db, err, store->where);
	sqlite3_reset(get);
	return ok;
}

bool
store_newest(struct store *store, const char *run, enum kind kind, struct arena *mem,
	struct str *body, struct err *err)
{
	pthread_mutex_lock(&store->busy);
	bool ok = read_newest(store, run, kind, mem, body, err);
	pthread_mutex_unlock(&store->busy);
	return ok;
}

bool
store_blob(struct store *store, const uint8_t digest[32], struct arena *mem,
	struct str *out, struct err *err)
{
	pthread_mutex_lock(&store->busy);
	bool ok = read_blob(store, digest, mem, out, err);
	pthread_mutex_unlock(&store->busy);
	return ok;
}

static bool
read_chunk(sqlite3_stmt *row, bool (*each)(const struct chunk *, uint64_t, void *),
	void *with)
{
	struct arena *mem = arena_new();
	struct chunk chunk = {
		.path = str_cstr(mem, db_column(row, 1)),
		.attempt = (uint32_t)sqlite3_column_int64(row, 2),
		.number = (uint32_t)sqlite3_column_int64(row, 3),
		.text = db_column(row, 4),
	};
	bool more = each(&chunk, (uint64_t)sqlite3_column_int64(row, 0), with);
	arena_free(mem);
	return more;
}

bool
store_chunks(struct store *store, const char *run, const char *path, uint64_t after,
	bool (*each)(const struct chunk *, uint64_t id, void *), void *with,
	struct err *err)
{
	sqlite3_stmt *rows = NULL;
	pthread_mutex_lock(&store->busy);
	bool ok = db_prepare(&store->db, Q_CHUNKS, &rows);
	if (ok) {
		db_bind(rows, 1, str_of(run));
		sqlite3_bind_int64(rows, 2, (sqlite3_int64)after);
		if (path != NULL)
			db_bind(rows, 3, str_of(path));
		int result;
		while ((result = sqlite3_step(rows)) == SQLITE_ROW)
			if (!read_chunk(rows, each, with))
				break;
		ok = result == SQLITE_ROW || result == SQLITE_DONE;
	}
	if (!ok)
		db_fail(&store->db, err, store->where);
	sqlite3_finalize(rows);
	pthread_mutex_unlock(&store->busy);
	return ok;
}
