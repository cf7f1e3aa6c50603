#include "memory.h"

#include <stdlib.h>

#include "base/digest.h"

enum { MOST_APPENDS = 512, MOST_RECORDS = 4096, MOST_BLOBS = 64 };

struct scripted { enum ack ack; const char *why; };

struct claim { int nothing; };

struct store {
	struct arena *mem;
	struct host *host;
	struct scripted scripted[MOST_APPENDS + 1];
	struct batch batches[MOST_APPENDS + 1];
	struct record records[MOST_RECORDS];
	struct blob blobs[MOST_BLOBS];
	size_t n_records, n_blobs;
	unsigned n_appends;
	bool holds;
	struct op *held;
	struct claim claim;
};

struct store *
memory_new(struct arena *mem, struct host *host)
{
	struct store *store = arena_new_of(mem, struct store);
	store->mem = mem;
	store->host = host;
	return store;
}

void
memory_answer(struct store *store, unsigned number, enum ack ack, const char *why)
{
	store->scripted[number] = (struct scripted){ack, why};
}

void
memory_hold(struct store *store)
{
	store->holds = true;
}

void
memory_go(struct store *store)
{
	struct op *op = store->held;
	store->holds = false;
	store->held = NULL;
	if (op != NULL)
		store->host->type->post(store->host, op);
}

unsigned
memory_appends(const struct store *store)
{
	return store->n_appends;
}

const struct batch *
memory_batch(const struct store *store, unsigned number)
{
	return number == 0 || number > store->n_appends ? NULL : &store->batches[number];
}

const struct record *
memory_records(const struct store *store, size_t *n)
{
	*n = store->n_records;
	return store->records;
}

/* ---- store.h */

static struct record
copied(struct arena *mem, const struct record *record)
{
	struct record out = *record;
	out.path = arena_strdup(mem, record->path);
	out.body = str_copy(mem, record->body);
	return out;
}

static struct batch
batch_copy(struct arena *mem, const struct batch *batch)
{
	struct batch out = *batch;
	struct chunk *chunks = arena_array(mem, struct chunk, batch->n_chunks + 1);
	out.records = arena_array(mem, struct record, batch->n_records + 1);
	for (size_t i = 0; i < batch->n_records; i++)
		out.records[i] = copied(mem, &batch->records[i]);
	for (size_t i = 0; i < batch->n_chunks; i++) {
		chunks[i] = batch->chunks[i];
		chunks[i].path = arena_strdup(mem, chunks[i].path);
		chunks[i].text = str_copy(mem, chunks[i].text);
	}
	out.chunks = chunks;
	out.run = arena_strdup(mem, batch->run);
	return out;
}

static void
keep(struct store *store, const struct batch *batch)
{
	if (store->n_records + batch->n_records > MOST_RECORDS
		|| store->n_blobs + batch->n_blobs > MOST_BLOBS)
		abort();
	for (size_t i = 0; i < batch->n_records; i++)
		store->records[store->n_records++] = batch->records[i];
	for (size_t i = 0; i < batch->n_blobs; i++) {
		struct blob blob = batch->blobs[i];
		blob.bytes = str_copy(store->mem, blob.bytes);
		store->blobs[store->n_blobs++] = blob;
	}
}

void
store_append(struct store *store, const struct batch *batch, struct op *posted)
{
	struct append_answer *answer = arena_new_of(store->mem, struct append_answer);
	if (store->n_appends == MOST_APPENDS)
		abort();
	unsigned number = ++store->n_appends;
	const struct scripted *scripted = &store->scripted[number];
	store->batches[number] = batch_copy(store->mem, batch);
	*answer = (struct append_answer){
		scripted->ack, scripted->why == NULL ? "" : scripted->why};
	if (scripted->ack == ACK_DURABLE || scripted->ack == ACK_FULL)
		keep(store, &store->batches[number]);
	posted->answer = answer;
	if (store->holds)
		store->held = posted;
	else
		store->host->type->post(store->host, posted);
}

void
store_claim(struct store *store, const char *run, const char *const *locks,
	struct op *posted)
{
	struct claim_answer *answer = arena_new_of(store->mem, struct claim_answer);
	(void)run;
	(void)locks;
	answer->claim = &store->claim;
	posted->answer = answer;
	store->host->type->post(store->host, posted);
}

void
store_release(struct store *store, struct claim *claim, bool locks_too)
{
	(void)store;
	(void)claim;
	(void)locks_too;
}

void
store_inbox(struct store *store, const char *run, uint64_t after, struct op *posted)
{
	(void)run;
	(void)after;
	posted->answer = arena_new_of(store->mem, struct inbox_answer);
	store->host->type->post(store->host, posted);
}

const char *
store_uuid(const struct store *store)
{
	(void)store;
	return "00000000-0000-4000-8000-000000000000";
}

bool
store_read(struct store *store, const char *run, uint64_t from,
	bool (*each)(const struct record *, void *), void *with, struct err *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < store->n_records; i++)
		if (store->records[i].seq >= from && !each(&store->records[i], with))
			break;
	return true;
}

bool
store_newest(struct store *store, const char *run, enum kind kind, struct arena *mem,
	struct str *body, struct err *err)
{
	(void)run;
	(void)mem;
	(void)err;
	*body = (struct str){NULL, 0};
	for (size_t i = 0; i < store->n_records; i++)
		if (store->records[i].kind == kind)
			*body = store->records[i].body;
	return true;
}

bool
store_blob(struct store *store, const uint8_t digest[32], struct arena *mem,
	struct str *out, struct err *err)
{
	(void)mem;
	for (size_t i = 0; i < store->n_blobs; i++)
		if (memcmp(store->blobs[i].digest, digest, SHA256_SIZE) == 0) {
			*out = store->blobs[i].bytes;
			return true;
		}
	return err_set(err, ERR_NOT_FOUND, "there is no such blob");
}

bool
store_find(struct store *store, struct str text, struct arena *mem, const char **run,
	struct err *err)
{
	(void)store;
	(void)mem;
	(void)run;
	return err_set(err, ERR_NOT_FOUND, "there is no run %.*s", STR_FMT(text));
}

bool
store_list(struct store *store, struct arena *mem, const struct run_line **out, size_t *n,
	struct err *err)
{
	struct run_line *line = arena_new_of(mem, struct run_line);
	(void)err;
	*n = store->n_records > 0;
	*line = (struct run_line){.run = *n > 0 ? store->batches[1].run : "",
		.playbook = "", .mode = "run", .of = "", .state = "interrupted",
		.owner = ""};
	*out = line;
	return true;
}
