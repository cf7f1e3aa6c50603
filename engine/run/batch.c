/* Records on their way to the store: what is decided while one batch is in flight is the
 * next one; acts start when theirs is durable. What only reads changes nothing and is on
 * no record: it need not wait for those that happen to go with it, only for what it
 * follows from. */
#include "run/loop.h"

#include <assert.h>

enum { CHUNKS_MOST = 64 * 1024 };
static const int64_t chunk_age = NS_S;

struct chunk_list {
	struct arena *mem;
	struct chunk *items;
	size_t n, cap, bytes;
	int64_t oldest;                               /* boot ns */
};

/* One batch: what it consists of lives in its own memory. */
struct pending {
	struct arena *mem;
	struct record *records;
	struct act *acts;
	struct blob *blobs;
	size_t n_records, records_cap, n_acts, acts_cap, n_blobs, blobs_cap;
	bool leaves;                                  /* nothing is decided after it */
	struct chunk_list *chunks;
};

static struct pending *
pending_new(void)
{
	struct arena *mem = arena_new();
	struct pending *pending = arena_new_of(mem, struct pending);
	pending->mem = mem;
	return pending;
}

struct arena *
batch_mem(struct shell *shell)
{
	if (shell->next == NULL)
		shell->next = pending_new();
	return shell->next->mem;
}

static void *
grown(struct arena *mem, void *items, size_t n, size_t *cap, size_t more, size_t size)
{
	if (n + more <= *cap)
		return items;
	*cap = 2 * (n + more);
	char *out = arena_alloc(mem, *cap * size);
	if (n > 0)
		memcpy(out, items, n * size);
	return out;
}

static void
push_blob(struct pending *next, const struct blob *blob)
{
	next->blobs = grown(next->mem, next->blobs, next->n_blobs, &next->blobs_cap, 1,
		sizeof *next->blobs);
	next->blobs[next->n_blobs++] = *blob;
}

/* seq of the last record that is known to be durable. */
static uint64_t
durable(const struct shell *shell)
{
	const struct pending *first = shell->flying;
	if (first == NULL || first->n_records == 0)
		first = shell->next;
	return first == NULL || first->n_records == 0 ? shell->state.seq
						      : first->records[0].seq - 1;
}

/* By its type, not by the author's word: `exec` with `effect: pure` may be anything. */
static bool
may_start(const struct shell *shell, const struct act *act)
{
	return act->kind == ACT_OP && act->phase == PHASE_RUN
		&& (act->node->type == NULL || act->node->type->effect == PURE)
		&& act->after <= durable(shell);
}

bool
batch_leaves(const struct shell *shell)
{
	return (shell->flying != NULL && shell->flying->leaves)
		|| (shell->next != NULL && shell->next->leaves);
}

static void
take_act(struct shell *shell, const struct act *act, struct now now)
{
	struct pending *next = shell->next;
	/* What is in flight is ended at once; what starts with this batch is ended when
	 * it has started. */
	if (act->kind == ACT_KILL && phase_kill(shell, act->path))
		return;
	next->leaves |= act->kind == ACT_EXIT;
	if (may_start(shell, act))
		phase_start(shell, act, now.boot);
	else {
		next->acts[next->n_acts] = *act;
		next->acts[next->n_acts++].decided = now.boot;
	}
}

void
batch_turn(struct shell *shell, const struct turn *turn, struct now now)
{
	struct pending *next = shell->next;
	next->records = grown(next->mem, next->records, next->n_records,
		&next->records_cap, turn->n_records, sizeof *next->records);
	next->acts = grown(next->mem, next->acts, next->n_acts, &next->acts_cap,
		turn->n_acts, sizeof *next->acts);
	for (size_t i = 0; i < turn->n_records; i++)
		next->records[next->n_records++] = turn->records[i];
	for (size_t i = 0; i < turn->n_acts; i++)
		take_act(shell, &turn->acts[i], now);
	for (size_t i = 0; i < turn->n_blobs; i++)
		push_blob(next, &turn->blobs[i]);
}

void
batch_blob(struct shell *shell, struct str bytes)
{
	struct blob blob = {.bytes = bytes};
	batch_mem(shell);
	sha256(bytes, blob.digest);
	push_blob(shell->next, &blob);
}

void
shell_chunk(struct shell *shell, const struct chunk *chunk)
{
	struct chunk_list *list = shell->chunks;
	if (list == NULL) {
		struct arena *mem = arena_new();
		list = shell->chunks = arena_new_of(mem, struct chunk_list);
		list->mem = mem;
		list->oldest = shell_now(shell).boot;
	}
	list->items = grown(
		list->mem, list->items, list->n, &list->cap, 1, sizeof *list->items);
	list->items[list->n++] =
		(struct chunk){.path = arena_strdup(list->mem, chunk->path),
			.attempt = chunk->attempt,
			.number = chunk->number,
			.text = str_copy(list->mem, chunk->text)};
	list->bytes += chunk->text.n;
}

size_t
shell_chunks(const struct shell *shell)
{
	return shell->chunks == NULL ? 0 : shell->chunks->bytes;
}

/* Output goes with the next records, or by itself when it is much or old. */
static bool
chunks_are_due(const struct shell *shell)
{
	const struct chunk_list *list = shell->chunks;
	return list != NULL && (list->bytes >= CHUNKS_MOST || shell->leaving ||
		shell_now(shell).boot - list->oldest >= chunk_age);
}

int64_t
batch_due(const struct shell *shell)
{
	return shell->chunks == NULL || shell->flying != NULL
		? INT64_MAX
		: shell->chunks->oldest + chunk_age;
}

static void
start_acts(struct shell *shell, struct pending *batch)
{
	for (size_t i = 0; i < batch->n_acts; i++) {
		const struct act *act = &batch->acts[i];
		if (act->kind == ACT_OP)
			phase_start(shell, act, act->decided);
		else if (act->kind == ACT_SAVED)
			phase_saved(shell, act->path);
		else if (act->kind == ACT_KILL)
			phase_kill(shell, act->path);
		else if (!shell->leaving) {
			shell->leaving = true;
			shell->exit = act->code;
		}
	}
}

static void
batch_free(struct pending *batch)
{
	if (batch->chunks != NULL)
		arena_free(batch->chunks->mem);
	arena_free(batch->mem);
}

static void
acknowledged(
	struct shell *shell, struct pending *batch, const struct append_answer *answer)
{
	struct observer *observer = shell->observer;
	if (answer->ack == ACK_FENCED || answer->ack == ACK_BROKEN) {
		shell_lost(shell, answer->ack == ACK_FENCED ? 75 : 1, answer->why);
		return;
	}
	if (answer->ack == ACK_FULL && !shell->full)
		shell_fill(shell, answer->why);
	/* What is shown costs time, and what starts needs none of it. */
	start_acts(shell, batch);
	for (size_t i = 0;
		observer != NULL && observer->record != NULL && i < batch->n_records; i++)
		observer->record(observer, &batch->records[i]);
}

static void
appended(struct waiter *waiter, struct op *op)
{
	struct shell *shell =
		(struct shell *)((char *)waiter - offsetof(struct shell, append_done));
	struct pending *batch = shell->flying;
	shell->flying = NULL;
	acknowledged(shell, batch, op->answer);
	batch_free(batch);
}

void
batch_send(struct shell *shell)
{
	struct pending *next = shell->next;
	bool chunks = chunks_are_due(shell);
	assert(shell->flying == NULL);
	if (next == NULL && !chunks)
		return;
	if (next == NULL)
		next = pending_new();
	shell->next = NULL;
	if (next->n_records == 0 && next->n_blobs == 0 && !chunks) {
		start_acts(shell, next);
		batch_free(next);
		return;
	}
	next->chunks = shell->chunks;
	shell->chunks = NULL;
	struct batch *batch = arena_new_of(next->mem, struct batch);
	*batch = (struct batch){.run = str_cstr(next->mem, shell->state.id),
		.records = next->records,
		.blobs = next->blobs,
		.n_records = next->n_records,
		.n_blobs = next->n_blobs,
		.chunks = next->chunks == NULL ? NULL : next->chunks->items,
		.n_chunks = next->chunks == NULL ? 0 : next->chunks->n};
	shell->flying = next;
	shell->append_done.done = appended;
	shell->append = (struct op){.kind = OP_POSTED,
		.mem = next->mem,
		.owner = &shell->append_done,
		.deadline = INT64_MAX};
	store_append(shell->store, batch, &shell->append);
}

void
batch_drop(struct shell *shell)
{
	if (shell->next != NULL)
		batch_free(shell->next);
	if (shell->flying != NULL)
		batch_free(shell->flying);
	if (shell->chunks != NULL)
		arena_free(shell->chunks->mem);
	shell->next = shell->flying = NULL;
	shell->chunks = NULL;
}
