#include "store/local.h"

#include <assert.h>
#include <stdio.h>

#include "base/digest.h"

struct append {
	struct job job;
	const struct batch *batch;
	struct append_answer answer;
	char why[320];
};

enum { MOST_BODY = 256 << 10 };

/* How a batch went: FENCED where (run, seq) is taken, FULL where there was no room. */
enum written { WRITTEN, TAKEN, NO_ROOM, FAILED };

static enum written
outcome_of(struct store *store, int result, struct err *err)
{
	if (result == SQLITE_DONE)
		return WRITTEN;
	db_fail(&store->db, err, store->where);
	if (result == SQLITE_CONSTRAINT_PRIMARYKEY)
		return TAKEN;
	return (result & 0xff) == SQLITE_FULL || err->code == ERR_FULL ? NO_ROOM : FAILED;
}

static int
add_record(struct store *store, const char *run, const struct record *record)
{
	sqlite3_stmt *add = db_query(&store->db, Q_ADD_RECORD);
	if (add == NULL)
		return SQLITE_ERROR;
	db_bind(add, 1, str_of(run));
	sqlite3_bind_int64(add, 2, (sqlite3_int64)record->seq);
	sqlite3_bind_int64(add, 3, record->at);
	sqlite3_bind_int64(add, 4, record->boot);
	db_bind(add, 5, str_of(kind_word(record->kind)));
	db_bind(add, 6, str_of(record->path));
	sqlite3_bind_int64(add, 7, record->attempt);
	db_bind(add, 8, record->body);
	db_bind_bytes(add, 9, (struct str){(const char *)record->hash, SHA256_SIZE});
	return db_run(&store->db, add);
}

/* The run's own line counts its records, so that a lost end of the chain is seen too. */
static int
count_records(struct store *store, const struct batch *batch)
{
	const struct record *first = &batch->records[0];
	sqlite3_stmt *count =
		db_query(&store->db, first->seq == 1 ? Q_ADD_RUN : Q_GROW_RUN);
	if (count == NULL)
		return SQLITE_ERROR;
	db_bind(count, 1, str_of(batch->run));
	if (first->seq == 1)
		sqlite3_bind_int64(count, 2, first->at);
	sqlite3_bind_int64(count, first->seq == 1 ? 3 : 2,
		(sqlite3_int64)(first->seq + batch->n_records - 1));
	return db_run(&store->db, count);
}

static int
drop_locks(struct store *store, const char *run)
{
	sqlite3_stmt *drop = db_query(&store->db, Q_DROP_LOCKS);
	if (drop == NULL)
		return SQLITE_ERROR;
	db_bind(drop, 1, str_of(run));
	return db_run(&store->db, drop);
}

static int
add_records(struct store *store, const struct batch *batch)
{
	int result = SQLITE_DONE;
	bool ended = false;
	for (size_t i = 0; i < batch->n_records && result == SQLITE_DONE; i++) {
		assert(i == 0 || batch->records[i].seq == batch->records[i - 1].seq + 1);
		assert(batch->records[i].body.n <= MOST_BODY);
		result = add_record(store, batch->run, &batch->records[i]);
		ended = batch->records[i].kind == REC_END;
	}
	if (result == SQLITE_DONE && batch->n_records > 0)
		result = count_records(store, batch);
	return result == SQLITE_DONE && ended ? drop_locks(store, batch->run) : result;
}

static int
add_blob(struct store *store, const struct blob *blob)
{
	sqlite3_stmt *add = db_query(&store->db, Q_ADD_BLOB);
	if (add == NULL)
		return SQLITE_ERROR;
	db_bind_bytes(add, 1, (struct str){(const char *)blob->digest, SHA256_SIZE});
	db_bind_bytes(add, 2, blob->bytes);
	return db_run(&store->db, add);
}

static int
add_chunk(struct store *store, const char *run, const struct chunk *chunk)
{
	sqlite3_stmt *add = db_query(&store->db, Q_ADD_CHUNK);
	if (add == NULL)
		return SQLITE_ERROR;
	db_bind(add, 1, str_of(run));
	db_bind(add, 2, str_of(chunk->path));
	sqlite3_bind_int64(add, 3, chunk->attempt);
	sqlite3_bind_int64(add, 4, chunk->number);
	db_bind(add, 5, chunk->text);
	return db_run(&store->db, add);
}

static int
add_all(struct store *store, const struct batch *batch)
{
	int result = add_records(store, batch);
	for (size_t i = 0; i < batch->n_blobs && result == SQLITE_DONE; i++)
		result = add_blob(store, &batch->blobs[i]);
	for (size_t i = 0; i < batch->n_chunks && result == SQLITE_DONE; i++)
		result = add_chunk(store, batch->run, &batch->chunks[i]);
	return result;
}

/* The hash that the batch goes on from. The run's records are only ever appended, so
 * where it is missing somebody took records away: the store is broken, not fenced. */
static bool
read_before(struct store *store, const struct batch *batch, uint8_t before[SHA256_SIZE],
	struct err *err)
{
	memset(before, 0, SHA256_SIZE);
	if (batch->n_records == 0 || batch->records[0].seq == 1)
		return true;
	sqlite3_stmt *hash = db_query(&store->db, Q_HASH);
	if (hash == NULL)
		return db_fail(&store->db, err, store->where);
	db_bind(hash, 1, str_of(batch->run));
	sqlite3_bind_int64(hash, 2, (sqlite3_int64)batch->records[0].seq - 1);
	bool found =
		sqlite3_step(hash) == SQLITE_ROW && db_column(hash, 0).n == SHA256_SIZE;
	if (found)
		memcpy(before, db_column(hash, 0).p, SHA256_SIZE);
	sqlite3_reset(hash);
	return found
		|| err_set(err, ERR_IO,
			"run %s: record %llu, which should be the last, is missing",
			batch->run, (unsigned long long)batch->records[0].seq - 1);
}

static enum written
write_batch(struct store *store, const struct batch *batch, struct err *err)
{
	uint8_t before[SHA256_SIZE];
	if (!write_begin(store, err))
		return err->code == ERR_FULL ? NO_ROOM : FAILED;
	if (!read_before(store, batch, before, err)) {
		write_end(store, false, err);
		return FAILED;
	}
	record_chain(batch->run, before, batch->records, batch->n_records);
	enum written written = outcome_of(store, add_all(store, batch), err);
	struct err end;
	if (!write_end(store, written == WRITTEN, &end)) {
		*err = end;
		return end.code == ERR_FULL ? NO_ROOM : FAILED;
	}
	return written;
}

/* The reserve is given up at the first sign of a full disk, and the batch written again:
 * what runs can then still be recorded. */
static enum ack
append(struct store *store, const struct batch *batch, struct err *err)
{
	enum written written = write_batch(store, batch, err);
	if (written == NO_ROOM && !store->full) {
		ballast_drop(store);
		written = write_batch(store, batch, err);
	}
	if (written == WRITTEN) {
		store->batches++;
		return store->full ? ACK_FULL : ACK_DURABLE;
	}
	if (written == TAKEN) {
		err_set(err, ERR_BUSY, "another owner has written record %llu of run %s",
			(unsigned long long)batch->records[0].seq, batch->run);
		return ACK_FENCED;
	}
	store_break(store, err);
	return ACK_BROKEN;
}

static bool
work(struct store *store, struct job *job)
{
	struct append *self = (struct append *)job;
	struct err err = {0};
	self->answer.ack = append(store, self->batch, &err);
	if (self->answer.ack == ACK_FULL)
		snprintf(self->why, sizeof self->why, "%s", store->why);
	else if (self->answer.ack != ACK_DURABLE)
		snprintf(self->why, sizeof self->why, "%.300s", err.msg);
	self->answer.why = self->why;
	job->op->answer = &self->answer;
	return true;
}

void
store_append(struct store *store, const struct batch *batch, struct op *posted)
{
	struct append *self = arena_new_of(posted->mem, struct append);
	assert(run_id_fits(batch->run));
	self->job = (struct job){.op = posted, .work = work};
	self->batch = batch;
	store_queue(store, &self->job);
}
