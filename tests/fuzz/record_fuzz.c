/* A store whose bytes were changed: the input is a list of changes, each two bytes of
 * place, one of value. The records of its run must be what was written or an error, and
 * nothing may crash. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../fake/posting.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { SIZE = 1 << 16 };

/* Made once: a small store, its bytes, and the head of its run. */
static struct {
	struct arena *mem;
	struct host *host;
	const char *where, *head;
	char bytes[SIZE];
	size_t n;
} base;

static void
must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "record_fuzz: %s\n", what);
		abort();
	}
}

static void
write_run(struct store *store)
{
	struct record records[4];
	struct op op = {.kind = OP_POSTED, .mem = base.mem};
	for (unsigned i = 0; i < 4; i++)
		records[i] = (struct record){.seq = i + 1,
			.at = i,
			.boot = i,
			.kind = (enum kind)i,
			.path = "a/b",
			.attempt = i,
			.body = STR("{\"v\":1,\"fate\":\"none\"}")};
	store_append(store,
		&(struct batch){.run = "r1", .records = records, .n_records = 4}, &op);
	posting_wait(base.host);
}

static void
load(void)
{
	const char *path = arena_printf(base.mem, "%s/store.db", base.where);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, base.bytes, sizeof base.bytes);
	close(fd);
	must(n > 0 && n < SIZE, "the store is too large");
	base.n = (size_t)n;
}

static int
drop(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void
clear(void)
{
	nftw(base.where, drop, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(base.mem);
}

static void
make(void)
{
	struct err err = {0};
	struct store *store;
	uint64_t records;
	char *head, folder[40];
	base.mem = arena_new();
	base.host = posting_new(base.mem);
	snprintf(folder, sizeof folder, "%s/rbx-record-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(folder) != NULL, "no folder");
	base.where = arena_strdup(base.mem, folder);
	atexit(clear);
	must(store_open(&store, base.host, base.where, &err), err.msg);
	write_run(store);
	must(store_verify(store, "r1", base.mem, &head, &records, &err), err.msg);
	base.head = head;
	store_close(store);
	load();
}

static void
change(const uint8_t *bytes, size_t n, struct arena *mem)
{
	char *copy = arena_alloc(mem, base.n);
	memcpy(copy, base.bytes, base.n);
	for (size_t i = 0; i + 2 < n; i += 3)
		copy[(bytes[i] << 8 | bytes[i + 1]) % base.n] ^= (char)bytes[i + 2];
	const char *path = arena_printf(mem, "%s/store.db", base.where);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(write(fd, copy, base.n) == (ssize_t)base.n, "the store cannot be written");
	close(fd);
	unlink(arena_printf(mem, "%s/store.db-wal", base.where));
	unlink(arena_printf(mem, "%s/store.db-shm", base.where));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (base.mem == NULL)
		make();
	struct arena *mem = arena_new();
	struct err err;
	struct store *store;
	const struct run_line *lines;
	char *head;
	uint64_t records;
	size_t n_lines;
	change(bytes, n, mem);
	if (store_open(&store, base.host, base.where, &err)) {
		if (store_verify(store, "r1", mem, &head, &records, &err))
			must(strcmp(head, base.head) == 0,
				"another history is taken for the run's");
		store_list(store, mem, &lines, &n_lines, &err);
	}
	store_close(store);
	arena_free(mem);
	return 0;
}
