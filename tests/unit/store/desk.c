#include "store.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

static int
set_in(void **state, const char *parent)
{
	struct arena *mem = arena_new();
	struct desk *desk = arena_new_of(mem, struct desk);
	desk->mem = mem;
	desk->host = posting_new(mem);
	snprintf(desk->folder, sizeof desk->folder, "%s/rbx-store-XXXXXX", parent);
	if (mkdtemp(desk->folder) == NULL)
		return 1;
	snprintf(desk->where, sizeof desk->where, "%s/store", desk->folder);
	*state = desk;
	return 0;
}

int
desk_set(void **state)
{
	return set_in(state, "/tmp");
}

int
desk_set_fast(void **state)
{
	return set_in(state, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static int
drop(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

int
desk_clear(void **state)
{
	struct desk *desk = *state;
	nftw(desk->folder, drop, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(desk->mem);
	return 0;
}

struct store *
desk_open(struct desk *desk)
{
	struct store *store;
	struct err err;
	assert_ok(store_open(&store, desk->host, desk->where, &err));
	return store;
}

enum ack
desk_batch(struct desk *desk, struct store *store, const struct batch *batch,
	const char **why)
{
	struct op op = {.kind = OP_POSTED, .mem = desk->mem};
	store_append(store, batch, &op);
	assert_ptr_equal(posting_wait(desk->host), &op);
	const struct append_answer *answer = op.answer;
	if (why != NULL)
		*why = answer->why;
	return answer->ack;
}

static struct record
record_of(struct desk *desk, uint64_t seq)
{
	struct now now = desk->host->type->now(desk->host);
	struct record record = {.seq = seq,
		.at = now.wall,
		.boot = now.boot,
		.path = "deploy/dump",
		.kind = REC_INTENT,
		.attempt = 1,
		.body = STR("{\"v\":1,\"key\":\"k\"}")};
	if (seq == 1) {
		record.kind = REC_RUN;
		record.path = "";
		record.body = STR("{\"v\":1,\"name\":\"failover\",\"mode\":\"run\"}");
	}
	return record;
}

enum ack
desk_append(
	struct desk *desk, struct store *store, const char *run, uint64_t seq, size_t n)
{
	struct record *records = arena_array(desk->mem, struct record, n);
	for (size_t i = 0; i < n; i++)
		records[i] = record_of(desk, seq + i);
	return desk_batch(desk, store,
		&(struct batch){.run = run, .records = records, .n_records = n}, NULL);
}

enum ack
desk_end(struct desk *desk, struct store *store, const char *run, uint64_t seq)
{
	struct record record = record_of(desk, seq);
	record.kind = REC_END;
	record.path = "";
	record.body = STR("{\"v\":1,\"state\":\"ok\",\"exit\":0}");
	return desk_batch(desk, store,
		&(struct batch){.run = run, .records = &record, .n_records = 1}, NULL);
}

const struct claim_answer *
desk_claim(
	struct desk *desk, struct store *store, const char *run, const char *const *locks)
{
	struct op op = {.kind = OP_POSTED, .mem = desk->mem};
	store_claim(store, run, locks, &op);
	assert_ptr_equal(posting_wait(desk->host), &op);
	assert_int_equal(op.err.code, ERR_NONE);
	return op.answer;
}

uint64_t
desk_count(struct store *store, const char *run)
{
	struct arena *mem = arena_new();
	struct err err;
	uint64_t n;
	char *head;
	assert_ok(store_verify(store, run, mem, &head, &n, &err));
	arena_free(mem);
	return n;
}
