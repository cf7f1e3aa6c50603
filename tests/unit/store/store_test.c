#include "store.h"

#include <sqlite3.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"

static bool
count_each(const struct record *record, void *with)
{
	uint64_t *n = with;
	assert_int_equal(record->seq, *n + 1);
	++*n;
	return true;
}

static void
what_was_appended_is_read(void **state)
{
	struct desk *desk = *state;
	struct err err;
	uint64_t n = 0;
	struct store *store = desk_open(desk);
	assert_int_equal(desk_append(desk, store, "r1", 1, 3), ACK_DURABLE);
	assert_int_equal(desk_append(desk, store, "r1", 4, 1), ACK_DURABLE);
	assert_ok(store_read(store, "r1", 1, count_each, &n, &err));
	assert_int_equal(n, 4);
	n = 2;
	assert_ok(store_read(store, "r1", 3, count_each, &n, &err));
	assert_int_equal(n, 4);
	store_close(store);
	store = desk_open(desk);
	assert_int_equal(desk_count(store, "r1"), 4);
	assert_false(store_read(store, "r2", 1, count_each, &n, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	store_close(store);
}

static void
nobody_else_may_look_in(void **state)
{
	struct desk *desk = *state;
	static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm",
		"store.lock", "ballast", "owners/r1"};
	struct stat st;
	struct store *store = desk_open(desk);
	const struct claim_answer *claim = desk_claim(desk, store, "r1", NULL);
	desk_append(desk, store, "r1", 1, 1);
	assert_int_equal(stat(desk->where, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_int_equal(
			stat(arena_printf(desk->mem, "%s/%s", desk->where, names[i]),
				&st),
			0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	store_release(store, claim->claim, false);
	store_close(store);
}

static void
a_taken_seq_fences(void **state)
{
	struct desk *desk = *state;
	struct store *old = desk_open(desk), *new = desk_open(desk);
	assert_int_equal(desk_append(desk, old, "r1", 1, 2), ACK_DURABLE);
	assert_int_equal(desk_append(desk, new, "r1", 3, 1), ACK_DURABLE);
	assert_int_equal(desk_append(desk, old, "r1", 3, 2), ACK_FENCED);
	assert_int_equal(desk_append(desk, old, "r1", 1, 1), ACK_FENCED);
	assert_int_equal(desk_count(new, "r1"), 3);
	assert_int_equal(desk_append(desk, old, "r2", 1, 1), ACK_DURABLE);
	store_close(old);
	store_close(new);
}

static void
a_missing_record_breaks_the_store(void **state)
{
	struct desk *desk = *state;
	struct store *store = desk_open(desk);
	desk_append(desk, store, "r1", 1, 1);
	assert_int_equal(desk_append(desk, store, "r1", 3, 1), ACK_BROKEN);
	assert_int_equal(desk_append(desk, store, "r1", 2, 1), ACK_BROKEN);
	store_close(store);
}

static bool
one_chunk(const struct chunk *chunk, uint64_t id, void *with)
{
	uint64_t *last = with;
	assert_true(id > *last);
	*last = id;
	assert_str(chunk->text, chunk->number == 1 ? "one\n" : "two\n");
	return true;
}

static void
blobs_and_chunks_go_with_the_batch(void **state)
{
	struct desk *desk = *state;
	struct err err;
	struct str out;
	struct blob blob = {.bytes = {"a: 1\n\0x", 7}};
	struct chunk chunks[] = {
		{.path = "a", .attempt = 1, .number = 1, .text = STR("one\n")},
		{.path = "b", .attempt = 1, .number = 2, .text = STR("two\n")},
	};
	struct record record = {.seq = 1, .path = "", .body = STR("{}")};
	uint64_t last = 0;
	struct batch batch = {.run = "r1",
		.records = &record,
		.n_records = 1,
		.blobs = &blob,
		.n_blobs = 1,
		.chunks = chunks,
		.n_chunks = 2};
	struct store *store = desk_open(desk);
	sha256(blob.bytes, blob.digest);
	assert_int_equal(desk_batch(desk, store, &batch, NULL), ACK_DURABLE);
	batch.n_records = batch.n_chunks = 0;
	assert_int_equal(desk_batch(desk, store, &batch, NULL), ACK_DURABLE);
	assert_ok(store_blob(store, blob.digest, desk->mem, &out, &err));
	assert_true(str_eq(out, blob.bytes));
	assert_ok(store_chunks(store, "r1", NULL, 0, one_chunk, &last, &err));
	assert_true(last > 0);
	uint64_t none = last;
	assert_ok(store_chunks(store, "r1", NULL, last, one_chunk, &none, &err));
	assert_int_equal(none, last);
	blob.digest[0] ^= 1;
	assert_false(store_blob(store, blob.digest, desk->mem, &out, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	store_close(store);
}

static void
messages_wait_for_the_owner(void **state)
{
	struct desk *desk = *state;
	struct err err;
	uint64_t id, second;
	struct op op = {.kind = OP_POSTED, .mem = desk->mem};
	struct store *owner = desk_open(desk), *other = desk_open(desk);
	assert_false(store_send(other, "r1", STR("{}"), &id, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	desk_append(desk, owner, "r1", 1, 1);
	assert_ok(store_send(other, "r1", STR("{\"do\":\"cancel\"}"), &id, &err));
	assert_ok(store_send(other, "r1", STR("{\"do\":\"stop\"}"), &second, &err));
	assert_true(second > id);
	store_inbox(owner, "r1", id, &op);
	assert_ptr_equal(posting_wait(desk->host), &op);
	const struct inbox_answer *inbox = op.answer;
	assert_int_equal(inbox->n, 1);
	assert_str(inbox->messages[0].body, "{\"do\":\"stop\"}");
	assert_int_equal(inbox->messages[0].uid, getuid());
	assert_string_equal(inbox->messages[0].user, "ana");
	assert_null(inbox->messages[0].person);
	store_close(owner);
	store_close(other);
}

static void
forget_persons(struct desk *desk)
{
	sqlite3 *db;
	const char *path = arena_printf(desk->mem, "%s/store.db", desk->where);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "DROP TABLE person", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Also in a store that was made before persons were kept. */
static void
a_message_says_who_sat_there(void **state)
{
	struct desk *desk = *state;
	struct err err;
	uint64_t id;
	struct op op = {.kind = OP_POSTED, .mem = desk->mem};
	posting_self(desk->host, (struct self){.host = "h", .user = "root",
		.person = "bob", .known_by = "sudo"});
	struct store *store = desk_open(desk);
	desk_append(desk, store, "r1", 1, 1);
	store_close(store);
	forget_persons(desk);
	store = desk_open(desk);
	store_inbox(store, "r1", 0, &op);
	posting_wait(desk->host);
	assert_int_equal(op.err.code, ERR_NONE);
	assert_ok(store_send(store, "r1", STR("{\"do\":\"cancel\"}"), &id, &err));
	store_inbox(store, "r1", 0, &op);
	posting_wait(desk->host);
	const struct inbox_answer *inbox = op.answer;
	assert_int_equal(inbox->n, 1);
	assert_string_equal(inbox->messages[0].person, "bob");
	assert_string_equal(inbox->messages[0].known_by, "sudo");
	assert_string_equal(inbox->messages[0].user, "root");
	store_close(store);
}

static void
runs_are_listed_and_found(void **state)
{
	struct desk *desk = *state;
	struct err err;
	const struct run_line *lines;
	const char *run;
	size_t n;
	struct store *store = desk_open(desk);
	assert_false(store_find(store, STR("last"), desk->mem, &run, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	desk_append(desk, store, "abc1", 1, 2);
	desk_append(desk, store, "abd2", 1, 1);
	desk_end(desk, store, "abc1", 3);
	const struct claim_answer *claim = desk_claim(desk, store, "abd2", NULL);
	assert_ok(store_list(store, desk->mem, &lines, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(lines[0].state, "ok");
	assert_string_equal(lines[0].playbook, "failover");
	assert_int_equal(lines[0].records, 3);
	assert_true(lines[0].ended > lines[0].started);
	assert_true(lines[1].alive);
	assert_string_equal(lines[1].state, "running");
	store_release(store, claim->claim, false);
	assert_ok(store_list(store, desk->mem, &lines, &n, &err));
	assert_string_equal(lines[1].state, "interrupted");
	assert_ok(store_find(store, STR("last"), desk->mem, &run, &err));
	assert_string_equal(run, "abd2");
	assert_ok(store_find(store, STR("abc"), desk->mem, &run, &err));
	assert_string_equal(run, "abc1");
	assert_false(store_find(store, STR("ab"), desk->mem, &run, &err));
	assert_int_equal(err.code, ERR_VALUE);
	assert_false(
		store_find(store, STR("x';drop table run;--"), desk->mem, &run, &err));
	assert_false(store_find(store, STR("../abc1"), desk->mem, &run, &err));
	assert_false(store_find(store, STR("%"), desk->mem, &run, &err));
	store_close(store);
}

static void
the_default_place_follows_xdg(void **state)
{
	struct desk *desk = *state;
	struct err err;
	const char *where;
	assert_false(store_default(desk->mem, desk->host, &where, &err));
	posting_env(desk->host, "HOME", "/home/ana");
	assert_ok(store_default(desk->mem, desk->host, &where, &err));
	assert_string_equal(where, "/home/ana/.local/state/rbx");
	posting_env(desk->host, "XDG_STATE_HOME", "/srv/state");
	assert_ok(store_default(desk->mem, desk->host, &where, &err));
	assert_string_equal(where, "/srv/state/rbx");
	posting_env(desk->host, "XDG_STATE_HOME", "relative");
	assert_false(store_default(desk->mem, desk->host, &where, &err));
}

static void
a_backup_is_a_store(void **state)
{
	struct desk *desk = *state;
	struct err err;
	struct store *store = desk_open(desk);
	desk_append(desk, store, "r1", 1, 5);
	const char *other = arena_printf(desk->mem, "%s/other", desk->folder);
	const char *file = arena_printf(desk->mem, "%s/store.db", other);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_ok(store_backup(store, file, &err));
	assert_false(store_backup(store, file, &err));
	assert_int_equal(err.code, ERR_EXISTS);
	store_close(store);
	assert_ok(store_open(&store, desk->host, other, &err));
	assert_int_equal(desk_count(store, "r1"), 5);
	store_close(store);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, desk_set, desk_clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(what_was_appended_is_read),
		DESK_TEST(nobody_else_may_look_in),
		DESK_TEST(a_taken_seq_fences),
		DESK_TEST(a_missing_record_breaks_the_store),
		DESK_TEST(blobs_and_chunks_go_with_the_batch),
		DESK_TEST(messages_wait_for_the_owner),
		DESK_TEST(a_message_says_who_sat_there),
		DESK_TEST(runs_are_listed_and_found),
		DESK_TEST(the_default_place_follows_xdg),
		DESK_TEST(a_backup_is_a_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
