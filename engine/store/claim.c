#include "store/local.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/json.h"
#include "store/lock.h"

struct claim {
	struct arena *mem;
	const char *run;
	int fd; /* of owners/RUN, locked */
};

struct claim_job {
	struct job job;
	const char *run;
	const char *const *locks;
	struct claim_answer answer;
	struct arena *mem;
};

bool
run_id_fits(const char *run)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(run);
	return n >= 1 && n <= 64 && run[0] != '.' && strspn(run, allowed) == n;
}

/* Who it is stands in the lock file itself: it is read when the lock is found taken, and
 * after a crash, when a named lock still belongs to the run. */
static bool
write_holder(struct store *store, int fd)
{
	const struct self *self = store->host->type->self(store->host);
	struct arena *mem = arena_new();
	struct buf text = buf_in(mem);
	buf_puts(&text, "{\"host\":");
	json_write_str(&text, str_of(self->host));
	buf_puts(&text, ",\"user\":");
	json_write_str(&text, str_of(self->user));
	buf_printf(&text, ",\"pid\":%u,\"since\":%lld}\n", self->pid,
		(long long)store->host->type->now(store->host).wall);
	bool ok =
		ftruncate(fd, 0) == 0 && pwrite(fd, text.p, text.n, 0) == (ssize_t)text.n;
	arena_free(mem);
	return ok;
}

static struct value
read_file(struct arena *mem, int fd)
{
	struct err err;
	struct value v;
	char *text = arena_alloc(mem, 4096);
	ssize_t n = fd < 0 ? 0 : pread(fd, text, 4096, 0);
	if (n <= 0 || !json_parse(mem, (struct str){text, (size_t)n}, NULL, &v, &err))
		return value_null();
	return v;
}

static const char *
last_step(struct store *store, const char *run, struct arena *mem)
{
	const char *step = "";
	sqlite3_stmt *last = db_query(&store->db, Q_LAST_STEP);
	if (last == NULL)
		return step;
	db_bind(last, 1, str_of(run));
	if (sqlite3_step(last) == SQLITE_ROW)
		step = str_cstr(mem, db_column(last, 0));
	sqlite3_reset(last);
	return step;
}

const struct holder *
holder_of(struct store *store, const char *run, struct arena *mem)
{
	int fd = openat(
		store->owners, run, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct value file = read_file(mem, fd);
	struct holder *holder = arena_new_of(mem, struct holder);
	*holder = (struct holder){
		.run = arena_strdup(mem, run),
		.playbook = run_playbook(store, run, mem),
		.host = str_cstr(mem, value_get_str(&file, "host")),
		.user = str_cstr(mem, value_get_str(&file, "user")),
		.step = last_step(store, run, mem),
		.pid = (uint32_t)value_get_int(&file, "pid", 0),
		.since = value_get_int(&file, "since", 0),
		.alive = fd >= 0 && lock_is_held(fd),
	};
	if (fd >= 0)
		close(fd);
	return holder;
}

/* A released lock's file is removed while it is locked; who opened it before that and
 * locks it then has a file without a name, and asks again. */
static enum lock_result
lock_run(struct store *store, const char *run, int *fd, struct err *err)
{
	for (;;) {
		struct stat st;
		*fd = lock_open(store->owners, run, err);
		if (*fd < 0)
			return LOCK_ERROR;
		/* Its readers ask who carries the run out. */
		if (store->letters >= 0)
			fchmod(*fd, 0640);
		enum lock_result result = lock_try(*fd);
		if (result == LOCK_TAKEN && fstat(*fd, &st) == 0 && st.st_nlink > 0)
			return LOCK_TAKEN;
		if (result == LOCK_ERROR)
			err_errno(err, errno, "owners/%s", run);
		close(*fd);
		*fd = -1;
		if (result != LOCK_TAKEN)
			return result;
	}
}

/* Killed between taking its locks and its first record: nothing of it can be resumed, and
 * nothing was begun. */
static bool
never_began(struct store *store, const char *run, struct arena *mem)
{
	sqlite3_stmt *count = db_query(&store->db, Q_RECORD_COUNT);
	if (count == NULL)
		return false;
	db_bind(count, 1, str_of(run));
	int code = sqlite3_step(count);
	bool none = code == SQLITE_DONE
		|| (code == SQLITE_ROW && sqlite3_column_int64(count, 0) == 0);
	sqlite3_reset(count);
	return none && !holder_of(store, run, mem)->alive;
}

/* The run that a named lock belongs to, unless it has ended or never began; NULL: it is
 * free. */
static const char *
lock_owner(struct store *store, const char *name, struct arena *mem)
{
	const char *run = NULL;
	sqlite3_stmt *lock = db_query(&store->db, Q_LOCK);
	if (lock == NULL)
		return NULL;
	db_bind(lock, 1, str_of(name));
	if (sqlite3_step(lock) == SQLITE_ROW)
		run = str_cstr(mem, db_column(lock, 0));
	sqlite3_reset(lock);
	bool is_free = run != NULL
		&& (run_ended(store, run) || never_began(store, run, mem));
	return is_free ? NULL : run;
}

static bool
add_lock(struct store *store, const char *name, const char *run, int64_t now)
{
	sqlite3_stmt *add = db_query(&store->db, Q_ADD_LOCK);
	if (add == NULL)
		return false;
	db_bind(add, 1, str_of(name));
	db_bind(add, 2, str_of(run));
	sqlite3_bind_int64(add, 3, now);
	return db_run(&store->db, add) == SQLITE_DONE;
}

/* True with answer.held unset: all are ours. */
static bool
take_named(struct store *store, struct claim_job *self, struct err *err)
{
	int64_t now = store->host->type->now(store->host).wall;
	bool ok = true;
	if (self->locks == NULL || self->locks[0] == NULL)
		return true;
	if (!write_begin(store, err))
		return false;
	for (size_t i = 0; ok && self->answer.held == NULL && self->locks[i] != NULL;
		i++) {
		const char *owner = lock_owner(store, self->locks[i], self->mem);
		if (owner != NULL && strcmp(owner, self->run) != 0) {
			self->answer.held = holder_of(store, owner, self->mem);
			self->answer.what =
				arena_printf(self->mem, "lock %s", self->locks[i]);
		} else if (!add_lock(store, self->locks[i], self->run, now)) {
			ok = db_fail(&store->db, err, store->where);
		}
	}
	struct err end;
	if (!write_end(store, ok && self->answer.held == NULL, &end)) {
		*err = end;
		return false;
	}
	return ok;
}

static bool
finish(struct store *store, struct claim_job *self, int fd, struct err *err)
{
	bool ok = take_named(store, self, err);
	if (ok && self->answer.held == NULL && !write_holder(store, fd))
		ok = err_errno(
			err, errno, "store %s: owners/%s", store->where, self->run);
	if (!ok || self->answer.held != NULL) {
		unlinkat(store->owners, self->run, 0);
		close(fd);
		return ok;
	}
	struct arena *mem = arena_new();
	struct claim *claim = arena_new_of(mem, struct claim);
	*claim =
		(struct claim){.mem = mem, .run = arena_strdup(mem, self->run), .fd = fd};
	self->answer.claim = claim;
	return true;
}

static bool
work(struct store *store, struct job *job)
{
	struct claim_job *self = (struct claim_job *)job;
	int fd;
	enum lock_result result = lock_run(store, self->run, &fd, &job->op->err);
	if (result == LOCK_ERROR)
		return err_wrap(&job->op->err, "store %s", store->where);
	if (result == LOCK_HELD) {
		self->answer.held = holder_of(store, self->run, self->mem);
		self->answer.what = arena_printf(self->mem, "run %s", self->run);
	} else if (!finish(store, self, fd, &job->op->err)) {
		return false;
	}
	job->op->answer = &self->answer;
	return true;
}

static void
free_arena(void *mem)
{
	arena_free(mem);
}

void
store_claim(
	struct store *store, const char *run, const char *const *locks, struct op *posted)
{
	struct claim_job *self = arena_new_of(posted->mem, struct claim_job);
	assert(run_id_fits(run));
	self->job = (struct job){.op = posted, .work = work};
	self->run = run;
	self->locks = locks;
	self->mem = arena_new();
	arena_defer(posted->mem, free_arena, self->mem);
	store_queue(store, &self->job);
}

static void
drop_named(struct store *store, const char *run)
{
	struct err err;
	if (!write_begin(store, &err))
		return;
	sqlite3_stmt *drop = db_query(&store->db, Q_DROP_LOCKS);
	if (drop != NULL)
		db_bind(drop, 1, str_of(run));
	write_end(store, db_run(&store->db, drop) == SQLITE_DONE, &err);
}

/* A run that goes on later leaves its file: it says who held the named locks last. */
void
store_release(struct store *store, struct claim *claim, bool locks_too)
{
	if (claim == NULL)
		return;
	pthread_mutex_lock(&store->busy);
	if (locks_too)
		drop_named(store, claim->run);
	if (locks_too || run_ended(store, claim->run))
		unlinkat(store->owners, claim->run, 0);
	pthread_mutex_unlock(&store->busy);
	close(claim->fd);
	arena_free(claim->mem);
}
