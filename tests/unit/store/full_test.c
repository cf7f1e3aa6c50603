/* A disk that fills up: a file system of 9 MiB in a mount namespace of the test's own. */
#include "store.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	bool ok = file != NULL && fputs(text, file) >= 0;
	return file != NULL && fclose(file) == 0 && ok;
}

/* False where the kernel does not let us. */
static bool
mount_small(struct desk *desk)
{
	unsigned uid = getuid();
	char map[40];
	snprintf(map, sizeof map, "0 %u 1", uid);
	if (unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0)
		return false;
	if (uid != 0 && !write_text("/proc/self/uid_map", map))
		return false;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	assert_int_equal(mkdir(desk->where, 0700), 0);
	return mount("small", desk->where, "tmpfs", 0, "size=9m,mode=0700") == 0;
}

static enum ack
append_large(struct desk *desk, struct store *store, uint64_t seq, const char **why)
{
	static char body[100000];
	memset(body, 'x', sizeof body);
	struct record record = {.seq = seq,
		.path = "",
		.kind = seq == 1 ? REC_RUN : REC_SAVE,
		.body = {body, sizeof body}};
	return desk_batch(desk, store,
		&(struct batch){.run = "r1", .records = &record, .n_records = 1}, why);
}

/* Appends until the answer is another one; the first seq that got it. */
static uint64_t
fill(struct desk *desk, struct store *store, uint64_t seq, enum ack *ack,
	const char **why)
{
	enum ack first = append_large(desk, store, seq, why);
	do
		*ack = append_large(desk, store, ++seq, why);
	while (*ack == first);
	return seq;
}

static bool
has_ballast(struct desk *desk)
{
	return access(arena_printf(desk->mem, "%s/ballast", desk->where), F_OK) == 0;
}

static void
the_reserve_records_what_runs(void **state)
{
	struct desk *desk = *state;
	enum ack ack;
	const char *why;
	struct err err;
	if (!mount_small(desk))
		skip();
	struct store *store = desk_open(desk);
	assert_true(has_ballast(desk));
	uint64_t full = fill(desk, store, 1, &ack, &why);
	assert_int_equal(ack, ACK_FULL);
	assert_non_null(strstr(why, "full"));
	assert_false(has_ballast(desk));
	uint64_t broken = fill(desk, store, full + 1, &ack, &why);
	assert_int_equal(ack, ACK_BROKEN);
	assert_true(broken > full + 40); /* 8 MiB for records of 100 kB */
	assert_int_equal(desk_count(store, "r1"), broken - 1);
	store_close(store);
	assert_ok(store_open(&store, desk->host, desk->where, &err));
	assert_int_equal(desk_count(store, "r1"), broken - 1);
	assert_int_not_equal(append_large(desk, store, broken, &why), ACK_DURABLE);
	store_close(store);
	umount(desk->where);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, desk_set, desk_clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(the_reserve_records_what_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
