#include "real_host.h"

#include "base/digest.h"

#include "host/disk.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	struct world *world;
	char path[64], outside[64];
};

static void
make(struct folder *folder, const char *command)
{
	char line[512];
	snprintf(line, sizeof line, "cd %s && %s", folder->path, command);
	assert_int_equal(system(line), 0);
}

static int
folder_open(void **state)
{
	struct folder *folder = calloc(1, sizeof *folder);
	void *world;
	world_open(&world);
	folder->world = world;
	snprintf(folder->path, sizeof folder->path, "/tmp/rbx-walk-test-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	make(folder,
		"mkdir in out && printf secret >out/secret && mkdir -p in/b/c in/empty "
		"&& printf 12345 >in/b/c/x && printf 1 >in/a && ln -s ../out in/link "
		"&& ln -s ../out/secret in/b/file && mkfifo in/z");
	*state = folder;
	return 0;
}

static int
folder_close(void **state)
{
	struct folder *folder = *state;
	void *world = folder->world;
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", folder->path);
	int removed = system(command);
	free(folder);
	return removed + world_close(&world);
}

static struct op *
ask(struct folder *folder, struct file_ask what)
{
	struct file_ask *copy = arena_new_of(folder->world->mem, struct file_ask);
	const char *in = arena_printf(folder->world->mem, "%s/in", folder->path);
	*copy = what;
	if (what.what == FILE_WALK)
		copy->path = in;
	else
		copy->root = in;
	return op_run(folder->world, OP_FILE, copy);
}

static void
all_below_a_folder_is_told_in_order(void **state)
{
	struct op *op = ask(*state, (struct file_ask){.what = FILE_WALK, .most = 10});
	assert_int_equal(op->err.code, ERR_NONE);
	const struct file_answer *answer = op->answer;
	static const char *const paths[] = {"a", "b/c/x", "b/file", "link", "z"};
	static const int sorts[] = {
		ENTRY_FILE, ENTRY_FILE, ENTRY_LINK, ENTRY_LINK, ENTRY_OTHER};
	assert_int_equal(answer->n_entries, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(answer->entries[i].path, paths[i]);
		assert_int_equal(answer->entries[i].sort, sorts[i]);
	}
	assert_int_equal(answer->entries[1].size, 5);
}

static void
too_many_files_are_refused(void **state)
{
	struct op *op = ask(*state, (struct file_ask){.what = FILE_WALK, .most = 4});
	assert_int_equal(op->err.code, ERR_LIMIT);
}

static void
nothing_outside_the_root_is_reached(void **state)
{
	static const char *const paths[] = {"link/secret", "b/file", "../out/secret",
		"b/../../out/secret", "/etc/passwd"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct op *op = ask(*state,
			(struct file_ask){.what = FILE_LOAD, .path = paths[i]});
		if (op->err.code == ERR_NONE)
			fail_msg("%s was read", paths[i]);
		if (i == 1)
			continue;
		op = ask(*state, (struct file_ask){.what = FILE_REPLACE, .path = paths[i],
			.bytes = STR("bad")});
		if (op->err.code == ERR_NONE)
			fail_msg("%s was written", paths[i]);
		op = ask(
			*state, (struct file_ask){.what = FILE_REMOVE, .path = paths[i]});
		if (op->err.code == ERR_NONE)
			fail_msg("%s was removed", paths[i]);
	}
	make(*state, "grep -q secret out/secret");
}

/* ---- somebody swaps a folder and a link while it is entered */

struct swapping {
	char folder[80], link[80];
	atomic_bool over;
};

static void *
swap(void *with)
{
	struct swapping *s = with;
	while (!s->over)
		renameat2(AT_FDCWD, s->folder, AT_FDCWD, s->link, RENAME_EXCHANGE);
	return NULL;
}

static unsigned
is_outside(int fd, ino_t outside)
{
	struct stat st;
	bool is = fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == outside;
	if (fd >= 0)
		close(fd);
	return is;
}

static void
a_swapped_link_is_never_entered(void **state)
{
	struct folder *folder = *state;
	struct swapping s = {.over = false};
	char in[80], out[80];
	struct stat outside;
	unsigned entered = 0, escaped = 0, control = 0;
	pthread_t thread;
	snprintf(in, sizeof in, "%s/in", folder->path);
	snprintf(out, sizeof out, "%s/out", folder->path);
	snprintf(s.folder, sizeof s.folder, "%s/b", in);
	snprintf(s.link, sizeof s.link, "%s/link", in);
	assert_int_equal(stat(out, &outside), 0);
	assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
	for (int i = 0; i < 10000 || (control == 0 && i < 50000); i++) {
		const char *name;
		struct err err;
		int fd = disk_folder(in, "b/new", true, &name, &err);
		entered += fd >= 0;
		escaped += is_outside(fd, outside.st_ino);
		control += is_outside(open(s.folder, O_PATH), outside.st_ino);
	}
	s.over = true;
	pthread_join(thread, NULL);
	assert_int_equal(escaped, 0);
	assert_true(entered > 0);
	assert_true(control > 0);            /* the swap does lead others outside */
}

static void
missing_folders_are_made_below_the_root(void **state)
{
	struct op *op = ask(*state, (struct file_ask){.what = FILE_REPLACE,
		.path = "new/deep/er", .bytes = STR("x")});
	assert_int_equal(op->err.code, ERR_NONE);
	make(*state, "grep -q x in/new/deep/er");
	op = ask(*state, (struct file_ask){.what = FILE_REMOVE, .path = "new/deep/er"});
	assert_int_equal(op->err.code, ERR_NONE);
	make(*state, "test ! -e in/new/deep/er");
}

static void
each_part_has_its_md5(void **state)
{
	struct op *op = ask(*state, (struct file_ask){.what = FILE_DIGEST,
		.path = "b/c/x", .part = 2});
	assert_int_equal(op->err.code, ERR_NONE);
	const struct file_answer *answer = op->answer;
	static const char *const parts[] = {"12", "34", "5"};
	assert_int_equal(answer->n_md5s, 3);
	for (size_t i = 0; i < 3; i++) {
		uint8_t sum[MD5_SIZE];
		assert_true(md5(str_of(parts[i]), sum));
		assert_memory_equal(answer->md5s[i], sum, MD5_SIZE);
	}
	op = ask(*state, (struct file_ask){.what = FILE_DIGEST, .path = "b/c/x",
		.part = UINT64_MAX});
	assert_int_equal(((const struct file_answer *)op->answer)->n_md5s, 1);
}

int
main(void)
{
#define in_folder(test) cmocka_unit_test_setup_teardown(test, folder_open, folder_close)
	const struct CMUnitTest tests[] = {
		in_folder(all_below_a_folder_is_told_in_order),
		in_folder(too_many_files_are_refused),
		in_folder(nothing_outside_the_root_is_reached),
		in_folder(a_swapped_link_is_never_entered),
		in_folder(missing_folders_are_made_below_the_root),
		in_folder(each_part_has_its_md5),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
