#include "store/local.h"

#include <unistd.h>

struct inbox_job {
	struct job job;
	const char *run;
	uint64_t after;
	struct inbox_answer answer;
	struct arena *mem;
};

static bool
add_person(struct store *store, uint64_t message, const struct sender *sender,
	struct err *err)
{
	if (sender->person == NULL)
		return true;
	if (!db_add_persons(&store->db, err))
		return false;
	sqlite3_stmt *add = db_query(&store->db, Q_ADD_PERSON);
	if (add == NULL)
		return db_fail(&store->db, err, store->where);
	sqlite3_bind_int64(add, 1, (sqlite3_int64)message);
	db_bind(add, 2, str_of(sender->person));
	db_bind(add, 3, str_of(sender->known_by));
	return db_run(&store->db, add) == SQLITE_DONE
		|| db_fail(&store->db, err, store->where);
}

static bool
add_message(struct store *store, const char *run, struct str body,
	const struct sender *sender, uint64_t *id, struct err *err)
{
	sqlite3_stmt *add = db_query(&store->db, Q_ADD_MESSAGE);
	if (add == NULL)
		return db_fail(&store->db, err, store->where);
	db_bind(add, 1, str_of(run));
	sqlite3_bind_int64(add, 2, sender->at);
	sqlite3_bind_int64(add, 3, sender->uid);
	db_bind(add, 4, str_of(sender->user));
	db_bind(add, 5, str_of(sender->host));
	db_bind(add, 6, body);
	if (db_run(&store->db, add) != SQLITE_DONE)
		return db_fail(&store->db, err, store->where);
	*id = (uint64_t)sqlite3_last_insert_rowid(store->db.sqlite);
	return add_person(store, *id, sender, err);
}

bool
message_add(struct store *store, const char *run, struct str body,
	const struct sender *sender, uint64_t *id, struct err *err)
{
	struct err end;
	if (!write_begin(store, err))
		return false;
	bool ok = add_message(store, run, body, sender, id, err);
	if (write_end(store, ok, &end))
		return ok;
	*err = end;
	return false;
}

static bool
send_locked(struct store *store, const char *run, struct str body, uint64_t *id,
	struct err *err)
{
	const struct self *self = store->host->type->self(store->host);
	struct sender sender = {
		.at = store->host->type->now(store->host).wall,
		.uid = getuid(),
		.user = self->user,
		.host = self->host,
		.person = self->person,
		.known_by = self->known_by,
	};
	uint64_t records;
	*id = 0;
	if (!run_count(store, run, &records, err))
		return false;
	return letters_is_reader(store)
		? letters_put(store, run, body, err)
		: message_add(store, run, body, &sender, id, err);
}

bool
store_send(struct store *store, const char *run, struct str body, uint64_t *id,
	struct err *err)
{
	pthread_mutex_lock(&store->busy);
	bool ok = send_locked(store, run, body, id, err);
	pthread_mutex_unlock(&store->busy);
	return ok;
}

static void
push(struct inbox_job *self, size_t *room, const struct message *message)
{
	struct message *messages = (struct message *)self->answer.messages;
	if (self->answer.n == *room) {
		*room = *room == 0 ? 4 : *room * 2;
		struct message *more = arena_array(self->mem, struct message, *room);
		if (self->answer.n > 0)
			memcpy(more, messages, self->answer.n * sizeof *more);
		messages = more;
	}
	messages[self->answer.n++] = *message;
	self->answer.messages = messages;
}

static bool
work(struct store *store, struct job *job)
{
	struct inbox_job *self = (struct inbox_job *)job;
	size_t room = 0;
	int result;
	if (!letters_take(store, self->run, &job->op->err))
		return false;
	sqlite3_stmt *get = db_query(&store->db, Q_INBOX);
	if (get == NULL)
		get = db_query(&store->db, Q_INBOX_OLD);
	if (get == NULL)
		return db_fail(&store->db, &job->op->err, store->where);
	db_bind(get, 1, str_of(self->run));
	sqlite3_bind_int64(get, 2, (sqlite3_int64)self->after);
	while ((result = sqlite3_step(get)) == SQLITE_ROW) {
		struct message message = {
			.id = (uint64_t)sqlite3_column_int64(get, 0),
			.at = sqlite3_column_int64(get, 1),
			.uid = (uint32_t)sqlite3_column_int64(get, 2),
			.user = str_cstr(self->mem, db_column(get, 3)),
			.host = str_cstr(self->mem, db_column(get, 4)),
			.body = str_copy(self->mem, db_column(get, 5)),
		};
		if (sqlite3_column_type(get, 6) != SQLITE_NULL) {
			message.person = str_cstr(self->mem, db_column(get, 6));
			message.known_by = str_cstr(self->mem, db_column(get, 7));
		}
		push(self, &room, &message);
	}
	bool ok =
		result == SQLITE_DONE || db_fail(&store->db, &job->op->err, store->where);
	sqlite3_reset(get);
	if (ok)
		job->op->answer = &self->answer;
	return ok;
}

static void
free_arena(void *mem)
{
	arena_free(mem);
}

void
store_inbox(struct store *store, const char *run, uint64_t after, struct op *posted)
{
	struct inbox_job *self = arena_new_of(posted->mem, struct inbox_job);
	self->job = (struct job){.op = posted, .work = work};
	self->run = run;
	self->after = after;
	self->mem = arena_new();
	arena_defer(posted->mem, free_arena, self->mem);
	store_queue(store, &self->job);
}
