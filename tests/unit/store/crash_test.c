/* A process is killed, or the power is cut, at every write and every sync that it makes
 * while it appends: whatever it was told to be durable must be there, and the chain
 * whole. */
#include "store.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../fake/disk.h"

enum { BATCHES = 8 };

static size_t
size_of(uint64_t batch)
{
	return 1 + batch % 3;
}

/* Tells over the pipe the last seq of each batch, when it is acknowledged; the negative
 * control tells it before. */
static void
append_and_tell(struct desk *desk, int pipe, bool too_early)
{
	uint64_t seq = 1;
	struct err err;
	struct store *store;
	if (!store_open(&store, desk->host, desk->where, &err))
		_exit(2);
	for (uint64_t i = 0; i < BATCHES; i++) {
		uint64_t last = seq + size_of(i) - 1;
		if (too_early && write(pipe, &last, sizeof last) != sizeof last)
			_exit(3);
		if (desk_append(desk, store, "r1", seq, size_of(i)) != ACK_DURABLE)
			_exit(4);
		if (!too_early && write(pipe, &last, sizeof last) != sizeof last)
			_exit(3);
		seq = last + 1;
	}
	store_close(store);
	_exit(0);
}

/* The last seq that the child told; whether it was killed. */
static bool
die(struct desk *desk, struct disk how, bool too_early, uint64_t *told)
{
	int ends[2], status;
	*told = 0;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		disk = how;
		append_and_tell(desk, ends[1], too_early);
	}
	close(ends[1]);
	while (read(ends[0], told, sizeof *told) == sizeof *told)
		;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFSIGNALED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

/* The records that are there with their chain; none where the store is damaged. */
static uint64_t
survivors(struct desk *desk, bool may_break)
{
	struct err err = {0};
	struct store *store;
	char *head;
	uint64_t n = 0;
	if (!store_open(&store, desk->host, desk->where, &err)
		|| !store_verify(store, "r1", desk->mem, &head, &n, &err))
		n = 0;
	if (!may_break && err.code != ERR_NONE && err.code != ERR_NOT_FOUND)
		fail_msg("%s", err.msg);
	store_close(store);
	return n;
}

static bool
is_batch_end(uint64_t n)
{
	uint64_t seq = 0;
	for (uint64_t i = 0; seq < n; i++)
		seq += size_of(i);
	return seq == n;
}

/* Points at which something acknowledged was lost. A damaged store has lost all. */
static unsigned
sweep(struct disk how, bool too_early, unsigned *points)
{
	unsigned lost = 0;
	bool killed = true;
	for (*points = 0; killed; ++*points) {
		void *state;
		uint64_t told;
		desk_set_fast(&state);
		how.die_at = *points + 1;
		killed = die(state, how, too_early, &told);
		uint64_t found = survivors(state, how.lies);
		lost += found < told;
		assert_true(is_batch_end(found));
		desk_clear(&state);
	}
	return lost;
}

static void
what_was_acknowledged_survives(void **state)
{
	(void)state;
	unsigned points;
	assert_int_equal(sweep((struct disk){0}, false, &points), 0);
	print_message("# killed at each of %u points\n", points - 1);
	assert_true(points > 3 * BATCHES);
}

static void
an_early_acknowledgement_is_caught(void **state)
{
	(void)state;
	unsigned points;
	assert_true(sweep((struct disk){0}, true, &points) > 0);
}

static void
what_was_acknowledged_survives_a_power_cut(void **state)
{
	(void)state;
	unsigned points;
	assert_int_equal(sweep((struct disk){.power_cut = true}, false, &points), 0);
}

static void
a_disk_that_does_not_sync_is_caught(void **state)
{
	(void)state;
	unsigned points;
	assert_true(sweep((struct disk){.power_cut = true, .lies = true}, false, &points)
		> 0);
}

static void
a_new_store_costs_one_sync(void **state)
{
	struct desk *desk = *state;
	disk = (struct disk){0};
	struct store *store = desk_open(desk);
	assert_int_equal(disk.syncs, 1);
	assert_int_equal(disk.wal_syncs, 0);
	store_close(store);
	disk = (struct disk){0};
	store = desk_open(desk);
	assert_int_equal(disk.calls, 0);
	store_close(store);
}

static void
leave(struct desk *desk, const char *name, const char *text)
{
	FILE *file = fopen(arena_printf(desk->mem, "%s/%s", desk->where, name), "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* A store that died before it was whole has no records: the next one begins anew, and
 * takes nothing of what lies about for its own. */
static void
half_a_store_is_made_anew(void **state)
{
	struct desk *desk = *state;
	struct stat st;
	assert_int_equal(mkdir(desk->where, 0700), 0);
	leave(desk, "store.db", "");
	leave(desk, "store.db.new", "half");
	leave(desk, "store.db-wal", "of another database");
	leave(desk, "store.db-journal", "of another database");
	struct store *store = desk_open(desk);
	assert_int_equal(desk_append(desk, store, "r1", 1, 2), ACK_DURABLE);
	store_close(store);
	store = desk_open(desk);
	assert_int_equal(desk_count(store, "r1"), 2);
	store_close(store);
	assert_int_not_equal(
		stat(arena_printf(desk->mem, "%s/store.db.new", desk->where), &st), 0);
}

static void
a_batch_costs_one_sync(void **state)
{
	struct desk *desk = *state;
	disk = (struct disk){0};
	struct store *store = desk_open(desk);
	desk_append(desk, store, "r1", 1, 1);
	disk = (struct disk){0};
	for (uint64_t seq = 2; seq < 102; seq++)
		desk_append(desk, store, "r1", seq, 1);
	assert_int_equal(disk.syncs, 100);
	assert_int_equal(disk.wal_syncs, disk.syncs);
	store_close(store);
}

static void
a_failed_sync_is_final(void **state)
{
	struct desk *desk = *state;
	const char *why;
	struct record record = {.seq = 2, .path = "", .body = STR("{}")};
	struct batch batch = {.run = "r1", .records = &record, .n_records = 1};
	disk = (struct disk){0};
	struct store *store = desk_open(desk);
	assert_int_equal(desk_append(desk, store, "r1", 1, 1), ACK_DURABLE);
	disk.sync_answer = 10 | 4 << 8; /* SQLITE_IOERR_FSYNC */
	assert_int_equal(desk_batch(desk, store, &batch, &why), ACK_BROKEN);
	assert_non_null(strstr(why, "disk I/O error"));
	disk.sync_answer = 0;
	assert_int_equal(desk_batch(desk, store, &batch, &why), ACK_BROKEN);
	store_close(store);
}

/* The zeros that a long run puts behind its WAL are no records, also to who opens it
 * next. */
static void
a_long_run_dies_with_room_in_its_wal(void **state)
{
	struct desk *desk = *state;
	struct stat st;
	pid_t child = fork();
	if (child == 0) {
		struct store *store = desk_open(desk);
		for (uint64_t seq = 1; seq <= 60; seq++)
			desk_append(desk, store, "r1", seq, 1);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	assert_int_equal(
		stat(arena_printf(desk->mem, "%s/store.db-wal", desk->where), &st), 0);
	assert_true(st.st_size >= 4 << 20);
	struct store *store = desk_open(desk);
	assert_int_equal(desk_count(store, "r1"), 60);
	assert_int_equal(desk_append(desk, store, "r1", 61, 1), ACK_DURABLE);
	store_close(store);
	assert_int_equal(
		stat(arena_printf(desk->mem, "%s/store.db-wal", desk->where), &st), 0);
	assert_int_equal(st.st_size, 0);
}

/* Checkpoints fall into it, and what is read stays whole. */
static void
a_run_of_many_megabytes_is_whole(void **state)
{
	struct desk *desk = *state;
	static char body[200000];
	struct stat st;
	struct store *store = desk_open(desk);
	memset(body, 'x', sizeof body);
	for (uint64_t seq = 1; seq <= 50; seq++) {
		struct record record = {
			.seq = seq, .path = "", .body = {body, sizeof body}};
		struct batch batch = {.run = "r1", .records = &record, .n_records = 1};
		assert_int_equal(desk_batch(desk, store, &batch, NULL), ACK_DURABLE);
	}
	assert_int_equal(desk_count(store, "r1"), 50);
	assert_int_equal(
		stat(arena_printf(desk->mem, "%s/store.db-wal", desk->where), &st), 0);
	assert_true(st.st_size < 8 << 20);
	store_close(store);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, desk_set_fast, desk_clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_survives),
		cmocka_unit_test(an_early_acknowledgement_is_caught),
		cmocka_unit_test(what_was_acknowledged_survives_a_power_cut),
		cmocka_unit_test(a_disk_that_does_not_sync_is_caught),
		DESK_TEST(a_new_store_costs_one_sync),
		DESK_TEST(half_a_store_is_made_anew),
		DESK_TEST(a_batch_costs_one_sync),
		DESK_TEST(a_failed_sync_is_final),
		DESK_TEST(a_long_run_dies_with_room_in_its_wal),
		DESK_TEST(a_run_of_many_megabytes_is_whole),
	};
	disk_use();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
