#include "real_host.h"

#include "base/digest.h"
#include "host/real.h"

#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	struct world *world;
	char path[64];
};

static int
folder_open(void **state)
{
	struct folder *folder = calloc(1, sizeof *folder);
	void *world;
	world_open(&world);
	folder->world = world;
	snprintf(folder->path, sizeof folder->path, "/tmp/rbx-file-test-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
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

static char *
in(struct folder *folder, const char *name)
{
	return arena_printf(folder->world->mem, "%s/%s", folder->path, name);
}

static struct op *
file(struct folder *folder, int what, const char *name, struct str bytes)
{
	struct file_ask *ask = arena_new_of(folder->world->mem, struct file_ask);
	*ask = (struct file_ask){.what = what, .path = in(folder, name), .bytes = bytes};
	return op_run(folder->world, OP_FILE, ask);
}

static const struct file_answer *
answered(struct op *op)
{
	if (op->err.code != ERR_NONE)
		fail_msg("%s", op->err.msg);
	assert_int_equal(op->reach, REACH_ANSWERED);
	assert_non_null(op->answer);
	return op->answer;
}

static unsigned
entries(struct folder *folder)
{
	const struct file_answer *answer = answered(file(folder, FILE_LIST, "", STR("")));
	unsigned n = 0;
	while (answer->names[n] != NULL)
		n++;
	return n;
}

static void
a_file_is_replaced_and_loaded(void **state)
{
	struct folder *folder = *state;
	assert_false(answered(file(folder, FILE_STAT, "a", STR("")))->exists);
	assert_false(answered(file(folder, FILE_REPLACE, "a", STR("one\n")))->exists);
	struct stat stat1, stat2;
	assert_int_equal(stat(in(folder, "a"), &stat1), 0);
	assert_int_equal(stat1.st_mode & 07777, 0600);
	assert_int_equal(chmod(in(folder, "a"), 0640), 0);
	struct op *replace = file(folder, FILE_REPLACE, "a", STR("two, longer\n"));
	assert_true(answered(replace)->exists);
	assert_int_equal(stat(in(folder, "a"), &stat2), 0);
	assert_int_equal(stat2.st_mode & 07777, 0640);
	assert_true(stat1.st_ino != stat2.st_ino);

	const struct file_answer *load = answered(file(folder, FILE_LOAD, "a", STR("")));
	uint8_t sha[32];
	sha256(STR("two, longer\n"), sha);
	assert_str(load->bytes, "two, longer\n");
	assert_memory_equal(load->sha256, sha, sizeof sha);
	assert_int_equal(load->size, 12);
	load = answered(file(folder, FILE_DIGEST, "a", STR("")));
	assert_memory_equal(load->sha256, sha, 32);
	assert_int_equal(entries(folder), 1);

	assert_true(answered(file(folder, FILE_REMOVE, "a", STR("")))->exists);
	assert_false(answered(file(folder, FILE_REMOVE, "a", STR("")))->exists);
	assert_int_equal(entries(folder), 0);
}

static void
a_folder_is_listed_in_order(void **state)
{
	struct folder *folder = *state;
	for (int i = 0; i < 300; i++)
		close(creat(arena_printf(folder->world->mem, "%s/%d", folder->path,
			i * 7 % 300), 0600));
	const struct file_answer *list = answered(file(folder, FILE_LIST, "", STR("")));
	assert_true(list->is_folder);
	for (int i = 0; i < 299; i++)
		assert_true(strcmp(list->names[i], list->names[i + 1]) < 0);
	assert_null(list->names[300]);
}

static void
refused(struct folder *folder, int what, const char *name, enum err_code code)
{
	struct op *op = file(folder, what, name, STR("x"));
	assert_int_equal(op->err.code, code);
	assert_null(op->answer);
	assert_int_equal(op->reach, REACH_NONE);
}

static void
what_is_no_plain_file_is_refused(void **state)
{
	struct folder *folder = *state;
	assert_int_equal(mkfifo(in(folder, "fifo"), 0600), 0);
	assert_int_equal(mkdir(in(folder, "folder"), 0700), 0);
	assert_int_equal(symlink("/etc/passwd", in(folder, "link")), 0);
	assert_int_equal(symlink("nowhere", in(folder, "dangling")), 0);
	assert_int_equal(symlink("/dev/zero", in(folder, "zero")), 0);
	static const char *const names[] = {"fifo", "folder", "zero"};
	for (int i = 0; i < 3; i++) {
		refused(folder, FILE_LOAD, names[i], ERR_DENIED);
		refused(folder, FILE_DIGEST, names[i], ERR_DENIED);
		refused(folder, FILE_REPLACE, names[i], ERR_DENIED);
	}
	refused(folder, FILE_REPLACE, "link", ERR_DENIED);
	refused(folder, FILE_REPLACE, "dangling", ERR_DENIED);
	refused(folder, FILE_REPLACE, "no/folder", ERR_NOT_FOUND);
	refused(folder, FILE_REPLACE, "folder/..", ERR_VALUE);
	refused(folder, FILE_LOAD, "nothing", ERR_NOT_FOUND);
	refused(folder, FILE_LIST, "nothing", ERR_NOT_FOUND);
	assert_int_equal(entries(folder), 5);
	/* A link is followed where nothing is written, and not where it leads through a
	 * process. */
	assert_true(answered(file(folder, FILE_LOAD, "link", STR("")))->bytes.n > 0);
	assert_int_equal(symlink("/proc/self/root/etc/passwd", in(folder, "magic")), 0);
	struct op *magic = file(folder, FILE_LOAD, "magic", STR(""));
	assert_int_not_equal(magic->err.code, ERR_NONE);
}

static void
a_large_file_is_not_loaded(void **state)
{
	struct folder *folder = *state;
	struct world *world = folder->world;
	answered(file(folder, FILE_REPLACE, "a", STR("12345678")));
	struct file_ask ask = {.what = FILE_LOAD, .path = in(folder, "a"), .most = 7};
	assert_int_equal(op_run(world, OP_FILE, &ask)->err.code, ERR_LIMIT);
	ask.most = 8;
	assert_str(answered(op_run(world, OP_FILE, &ask))->bytes, "12345678");
}

/* A limit on the size of files stands in for a disk that fills up while it is written. */
static void
a_write_that_fails_leaves_the_old_file(void **state)
{
	struct folder *folder = *state;
	struct rlimit was, small = {4, 4};
	answered(file(folder, FILE_REPLACE, "a", STR("old")));
	getrlimit(RLIMIT_FSIZE, &was);
	small.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	struct op *op = file(folder, FILE_REPLACE, "a", STR("new and longer"));
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_not_equal(op->err.code, ERR_NONE);
	assert_int_equal(op->reach, REACH_NONE);
	assert_str(answered(file(folder, FILE_LOAD, "a", STR("")))->bytes, "old");
	assert_int_equal(entries(folder), 1);
}

static struct op *
open_stream(struct folder *folder, const char *name, bool write)
{
	struct open_ask *ask = arena_new_of(folder->world->mem, struct open_ask);
	*ask = (struct open_ask){in(folder, name), write};
	struct op *op = op_run(folder->world, OP_OPEN, ask);
	if (op->err.code != ERR_NONE)
		fail_msg("%s", op->err.msg);
	return op;
}

static struct op *
write_part(struct folder *folder, struct op *to, struct str bytes, bool end)
{
	struct write_ask ask = {.to = to, .bytes = bytes, .end = end};
	return op_run(folder->world, OP_WRITE, &ask);
}

static void
a_stream_appears_when_it_ends(void **state)
{
	struct folder *folder = *state;
	struct world *world = folder->world;
	size_t n = 3 * 1024 * 1024 + 17;
	char *bytes = arena_alloc(world->mem, n);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	struct op *to = open_stream(folder, "a", true);
	for (int i = 0; i < 3; i++) {
		struct op *part = write_part(folder, to, (struct str){bytes, n}, false);
		assert_int_equal(part->err.code, ERR_NONE);
	}
	assert_int_not_equal(access(in(folder, "a"), F_OK), 0);
	assert_int_equal(write_part(folder, to, STR("end"), true)->reach, REACH_ANSWERED);
	assert_int_equal(write_part(folder, to, STR("more"), true)->err.code, ERR_IO);
	assert_int_equal(entries(folder), 1);

	struct op *from = open_stream(folder, "a", false);
	const struct open_answer *opened = from->answer;
	assert_int_equal(opened->size, n * 3 + 3);
	char *got = arena_alloc(world->mem, n);
	struct digest *digest = digest_new(world->mem), *want = digest_new(world->mem);
	for (int i = 0; i < 4; i++) {
		struct read_ask ask = {from, got, n, digest};
		const struct read_answer *read = op_run(world, OP_READ, &ask)->answer;
		assert_int_equal(read->got, i == 3 ? 3 : n);
		assert_int_equal(read->end, i == 3);
		assert_memory_equal(got, i == 3 ? "end" : bytes, read->got);
		digest_add(want, (struct str){got, read->got});
	}
	uint8_t sha1[32], sha2[32];
	digest_end(digest, sha1);
	digest_end(want, sha2);
	assert_memory_equal(sha1, sha2, 32);
}

static void
a_dropped_stream_leaves_nothing(void **state)
{
	struct folder *folder = *state;
	struct world *world = folder->world;
	answered(file(folder, FILE_REPLACE, "a", STR("old")));
	struct op *to = open_stream(folder, "a", true);
	write_part(folder, to, STR("new"), false);
	world->host->type->cancel(world->host, to);
	assert_int_equal(write_part(folder, to, STR("new"), true)->err.code, ERR_IO);
	op_none(world);
	assert_str(answered(file(folder, FILE_LOAD, "a", STR("")))->bytes, "old");

	struct arena *mem = arena_new(); /* a stream ends with its memory */
	struct open_ask ask = {in(folder, "a"), true};
	struct op op = {.kind = OP_OPEN, .ask = &ask, .mem = mem,
		.deadline = in_ns(world, HANG_S * NS_S)};
	world->host->type->start(world->host, &op);
	assert_ptr_equal(op_next(world), &op);
	arena_free(mem);
	op_none(world);
	assert_int_equal(entries(folder), 1);
}

/* The pool is kept busy by as many jobs as it has threads, so that none of the cancelled
 * begins for sure or not: whatever they did, each completes once, and the file is
 * whole. */
static void
a_cancelled_operation_completes_at_once(void **state)
{
	struct folder *folder = *state;
	struct world *world = folder->world;
	answered(file(folder, FILE_REPLACE, "a", STR("old")));
	struct file_ask ask = {.what = FILE_REPLACE, .bytes = STR("new")};
	ask.path = in(folder, "a");
	struct op *ops[40];
	for (int i = 0; i < 40; i++)
		ops[i] = op_start(world, OP_FILE, &ask, HANG_S * NS_S);
	for (int i = 0; i < 40; i++)
		world->host->type->cancel(world->host, ops[i]);
	for (int i = 0; i < 40; i++) {
		struct op *op = op_next(world);
		assert_int_equal(op->err.code, ERR_CANCELLED);
		assert_int_equal(op->reach, REACH_SENT);
	}
	op_none(world);
	struct str now = answered(file(folder, FILE_LOAD, "a", STR("")))->bytes;
	assert_true(str_is(now, "old") || str_is(now, "new"));
}

static sem_t disk;

static void
hang(struct job *job)
{
	(void)job;
	sem_wait(&disk);
}

static void
nothing(struct job *job)
{
	(void)job;
}

/* Every thread of the pool hangs, as on a file server that is gone: operations end by
 * their deadlines, the loop turns. */
static void
a_disk_that_hangs_holds_up_no_deadline(void **state)
{
	struct folder *folder = *state;
	struct world *world = folder->world;
	struct real *real = (struct real *)world->host;
	sem_init(&disk, 0, 0);
	for (int i = 0; i < 64; i++)
		real_blocking(job_new(real, NULL, sizeof(struct job)), hang, nothing);
	struct file_ask load = {.what = FILE_LOAD, .path = in(folder, "a")};
	struct open_ask open = {in(folder, "b"), true};
	struct op *first = op_start(world, OP_FILE, &load, 2 * NS_MS);
	struct op *second = op_start(world, OP_OPEN, &open, 4 * NS_MS);
	struct op *sleep = op_start(world, OP_SLEEP, NULL, 6 * NS_MS);
	assert_ptr_equal(op_next(world), first);
	assert_ptr_equal(op_next(world), second);
	assert_ptr_equal(op_next(world), sleep);
	assert_int_equal(first->err.code, ERR_TIMEOUT);
	assert_int_equal(second->err.code, ERR_TIMEOUT);
	assert_int_equal(second->reach, REACH_NONE);
	for (int i = 0; i < 64; i++)
		sem_post(&disk);
	assert_int_equal(entries(folder), 0); /* also the draft of b is gone */
	op_none(world);
}

int
main(void)
{
#define in_folder(test) cmocka_unit_test_setup_teardown(test, folder_open, folder_close)
	const struct CMUnitTest tests[] = {
		in_folder(a_file_is_replaced_and_loaded),
		in_folder(a_folder_is_listed_in_order),
		in_folder(what_is_no_plain_file_is_refused),
		in_folder(a_large_file_is_not_loaded),
		in_folder(a_write_that_fails_leaves_the_old_file),
		in_folder(a_stream_appears_when_it_ends),
		in_folder(a_dropped_stream_leaves_nothing),
		in_folder(a_cancelled_operation_completes_at_once),
		in_folder(a_disk_that_hangs_holds_up_no_deadline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
