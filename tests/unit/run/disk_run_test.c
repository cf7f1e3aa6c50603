/* A whole run over a disk that fails: what it does, what it says, how it ends. The host,
 * the store and the steps are the real ones; only what reaches the disk is not. */
#include "../unit.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../fake/disk.h"
#include "../model/load.h"
#include "run/run.h"

struct lap {
	struct observer observer;                     /* first */
	struct arena *mem;
	struct host *host;
	struct store *store;
	char folder[64];
	const char *break_at;               /* a record of this kind; and of this path */
	const char *path;
	int sync_answer, write_answer;                /* what the disk says from then on */
};

static void
saw(struct observer *observer, const struct record *record)
{
	struct lap *lap = (struct lap *)observer;
	if (strcmp(kind_word(record->kind), lap->break_at) != 0
		|| strcmp(record->path, lap->path) != 0)
		return;
	disk.sync_answer = lap->sync_answer;
	disk.write_answer = lap->write_answer;
}

static int
setup(void **state)
{
	struct err err = {0};
	struct host_options options = {.grace = 200 * NS_MS};
	struct lap *lap = calloc(1, sizeof *lap);
	lap->mem = arena_new();
	lap->observer.record = saw;
	lap->host = host_open(&options, &err);
	snprintf(lap->folder, sizeof lap->folder, "/tmp/rbx-loop-XXXXXX");
	if (lap->host == NULL || mkdtemp(lap->folder) == NULL)
		return 1;
	disk = (struct disk){0};
	disk_use();
	*state = lap;
	return 0;
}

static int
drop(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int
teardown(void **state)
{
	struct lap *lap = *state;
	disk = (struct disk){0};
	assert_true(host_close(lap->host));
	nftw(lap->folder, drop, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(lap->mem);
	free(lap);
	return 0;
}

static const char *
at(const struct lap *lap, const char *name)
{
	return arena_printf(lap->mem, "%s/%s", lap->folder, name);
}

static bool
is_there(const struct lap *lap, const char *name)
{
	return access(at(lap, name), F_OK) == 0;
}

static void
open_store(struct lap *lap)
{
	struct err err;
	disk = (struct disk){0};
	assert_ok(store_open(&lap->store, lap->host, at(lap, "store"), &err));
}

/* Two changes, the second after the first. */
static const struct playbook *
book(struct lap *lap)
{
	struct diags diags = {0};
	FILE *file = fopen(at(lap, "book.yaml"), "w");
	fprintf(file, "rbx: 1\nname: t\nsteps:\n"
		"  - {id: a, exec: {argv: [touch, %s]}, effect: idempotent, undo: none}\n"
		"  - {id: b, exec: {argv: [touch, %s]}, effect: idempotent, undo: none}\n",
		at(lap, "a"), at(lap, "b"));
	fclose(file);
	const struct playbook *book =
		plain_load(lap->mem, at(lap, "book.yaml"), &diags);
	assert_non_null(book);
	return book;
}

static int
carry_out(struct lap *lap, const char **run, struct err *err)
{
	struct value inputs = value_map(lap->mem, NULL, 0);
	struct run_options options = {.mode = MODE_RUN, .inputs = &inputs,
		.observer = &lap->observer};
	*err = (struct err){0};
	return run_start(lap->host, lap->store, book(lap), &options, lap->mem, run, err);
}

static int
go_on(struct lap *lap, const char *run, struct err *err)
{
	struct run_options options = {.observer = &lap->observer};
	*err = (struct err){0};
	lap->break_at = "";
	return run_resume(lap->host, lap->store, run, book(lap), &options, lap->mem, err);
}

/* What it did is not on record: it ends as failed, says why, and starts nothing more.
 * When the disk is well again, resume brings it to its end. */
static void
breaks_at(struct lap *lap, const char *kind, const char *path, bool a, bool b)
{
	const char *run = NULL;
	struct err err;
	lap->break_at = kind;
	lap->path = path;
	open_store(lap);
	assert_int_equal(carry_out(lap, &run, &err), 1);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.hint, "rbx resume"));
	assert_int_equal(is_there(lap, "a"), a);
	assert_int_equal(is_there(lap, "b"), b);
	store_close(lap->store);
	open_store(lap);
	assert_int_equal(go_on(lap, run, &err), 0);
	assert_true(is_there(lap, "a") && is_there(lap, "b"));
	store_close(lap->store);
}

static void
a_sync_that_fails_ends_the_run(void **state)
{
	struct lap *lap = *state;
	lap->sync_answer = SQLITE_IOERR_FSYNC;
	breaks_at(lap, "intent", "a", true, false);
}

static void
a_write_that_fails_ends_the_run(void **state)
{
	struct lap *lap = *state;
	lap->write_answer = SQLITE_IOERR_WRITE;
	breaks_at(lap, "intent", "b", true, true);
}

/* No intent is durable: nothing may have begun. */
static void
nothing_begins_on_a_dead_disk(void **state)
{
	struct lap *lap = *state;
	const char *run = NULL;
	struct err err;
	lap->break_at = "";
	open_store(lap);
	disk.sync_answer = SQLITE_IOERR_FSYNC;
	assert_int_not_equal(carry_out(lap, &run, &err), 0);
	assert_int_equal(err.code, ERR_IO);
	assert_false(is_there(lap, "a"));
	store_close(lap->store);
}

/* The control: on a disk that is well both are made. */
static void
a_disk_that_is_well_keeps_all(void **state)
{
	struct lap *lap = *state;
	const char *run = NULL;
	struct err err;
	lap->break_at = "";
	open_store(lap);
	assert_int_equal(carry_out(lap, &run, &err), 0);
	assert_int_equal(err.code, ERR_NONE);
	assert_true(is_there(lap, "a") && is_there(lap, "b"));
	store_close(lap->store);
}

#define lap(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		lap(a_sync_that_fails_ends_the_run),
		lap(a_write_that_fails_ends_the_run),
		lap(nothing_begins_on_a_dead_disk),
		lap(a_disk_that_is_well_keeps_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
