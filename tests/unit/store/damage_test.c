/* Bytes that changed below us: told, with the record, and never taken for what was
 * written. */
#include "store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

static void
change(struct desk *desk, const char *text)
{
	sqlite3 *sqlite;
	const char *path = arena_printf(desk->mem, "%s/store.db", desk->where);
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
}

static void
assert_damaged(struct desk *desk, const char *text, const char *message)
{
	struct err err = {0};
	char *head;
	uint64_t n;
	change(desk, text);
	struct store *store = desk_open(desk);
	assert_false(store_verify(store, "r1", desk->mem, &head, &n, &err));
	if (strstr(err.msg, message) == NULL)
		fail_msg("%s: %s", text, err.msg);
	assert_int_equal(desk_count(store, "r2"), 2);
	store_close(store);
}

static void
fill(struct desk *desk)
{
	struct store *store = desk_open(desk);
	desk_append(desk, store, "r1", 1, 5);
	desk_append(desk, store, "r2", 1, 2);
	store_close(store);
}

static void
each_column_is_covered(void **state)
{
	struct desk *desk = *state;
	static const char *const changes[] = {
		"at = at + 1",
		"boot = boot + 1",
		"kind = 'effect'",
		"path = 'deploy/dumq'",
		"attempt = 2",
		"body = replace(body, 'k', 'l')",
		"hash = zeroblob(32)",
		"hash = x'00'",
	};
	fill(desk);
	change(desk, "CREATE TABLE kept AS SELECT * FROM record");
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		assert_damaged(desk,
			arena_printf(desk->mem,
				"UPDATE record SET %s WHERE run = 'r1' AND seq = 3",
				changes[i]),
			"record 3 is damaged");
		change(desk, "DELETE FROM record; INSERT INTO record SELECT * FROM kept");
	}
	assert_damaged(desk, "DELETE FROM record WHERE run = 'r1' AND seq = 5",
		"record 5 is missing");
	assert_damaged(desk, "DELETE FROM record WHERE run = 'r1' AND seq = 3",
		"record 3 is missing");
	assert_damaged(
		desk, "DELETE FROM record WHERE run = 'r1'", "record 1 is missing");
}

static bool
any(const struct record *record, void *with)
{
	(void)record;
	(void)with;
	return true;
}

/* As a newer rbx would write it, its hash and all. */
static void
a_kind_from_the_future_refuses_the_run_alone(void **state)
{
	struct desk *desk = *state;
	struct err err;
	fill(desk);
	change(desk,
		"INSERT INTO run VALUES ('r3', 1, 1);"
		"INSERT INTO record VALUES ('r3', 1, 2, 3, 'deed', '', 0, '{}',"
		" x'b146f7cd88d634345f489130f3bbf3ad65bb84fb8f6970eb0a9e27ba5073094f')");
	struct store *store = desk_open(desk);
	assert_false(store_read(store, "r3", 1, any, NULL, &err));
	assert_int_equal(err.code, ERR_VERSION);
	assert_int_equal(desk_count(store, "r3"), 1);
	assert_ok(store_read(store, "r1", 1, any, NULL, &err));
	store_close(store);
}

/* The whole truth of a store, or nothing. */
static bool
same(struct desk *desk, const char *head)
{
	struct err err;
	char *found = NULL;
	uint64_t n;
	struct store *store;
	if (!store_open(&store, desk->host, desk->where, &err))
		return true;
	bool ok = store_verify(store, "r1", desk->mem, &found, &n, &err);
	store_close(store);
	return !ok || strcmp(found, head) == 0;
}

static void
a_flipped_byte_is_an_error_or_nothing(void **state)
{
	struct desk *desk = *state;
	struct err err;
	struct stat st;
	char *head;
	uint64_t n;
	fill(desk);
	struct store *store = desk_open(desk);
	assert_ok(store_verify(store, "r1", desk->mem, &head, &n, &err));
	store_close(store);
	int fd = open(arena_printf(desk->mem, "%s/store.db", desk->where), O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = 0; at < st.st_size; at += 131) {
		uint8_t byte, flipped;
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		flipped = byte ^ (uint8_t)(1 << at % 8);
		assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
		if (!same(desk, head))
			fail_msg("byte %ld: another history is taken for the run's",
				(long)at);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, desk_set, desk_clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(each_column_is_covered),
		DESK_TEST(a_kind_from_the_future_refuses_the_run_alone),
		DESK_TEST(a_flipped_byte_is_an_error_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
