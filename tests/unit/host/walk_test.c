#include "real_host.h"

#include "base/digest.h"

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
		in_folder(missing_folders_are_made_below_the_root),
		in_folder(each_part_has_its_md5),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
