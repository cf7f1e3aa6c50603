/* A store of several persons (resilience.md R10): its records belong to root alone, who
 * carries runs out; a group reads them, and answers by letters. A letter is a file in
 * letters/, which the group may write and where nobody takes away another's (sticky). Who
 * wrote it is its owner, whom the kernel names: nothing in it is believed about that. */
#include "store/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LETTER_MOST = 64 << 10, WRITERS = S_IWGRP | S_IXGRP, NAME_MOST = 128 };

bool
letters_open(struct store *store, struct err *err)
{
	struct stat st, own;
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	store->letters = openat(store->folder, "letters", flags);
	if (store->letters < 0)
		return errno == ENOENT || err_errno(err, errno, "letters/");
	if (fstat(store->letters, &st) != 0 || fstat(store->folder, &own) != 0)
		return err_errno(err, errno, "letters/");
	if (st.st_uid == own.st_uid && (st.st_mode & WRITERS) == WRITERS
		&& st.st_mode & S_ISVTX && (st.st_mode & S_IRWXO) == 0) {
		store->readers = st.st_gid;
		return true;
	}
	err_set(err, ERR_DENIED,
		"letters/ is not the store's owner's with mode 3770 (mode %04o)",
		(unsigned)st.st_mode & 07777);
	return err_hint(err, "chmod 3770 %s/letters", store->where);
}

bool
letters_is_reader(const struct store *store)
{
	return store->letters >= 0
		&& faccessat(store->folder, ".", W_OK, AT_EACCESS) != 0;
}

/* SQLite gives its other files the owner, the group and the mode of the database. */
bool
letters_share(const struct store *store, struct err *err)
{
	static const struct {
		const char *name;
		mode_t mode;
	} files[] = {{"owners", 02750}, {"store.db", 0640}, {"store.db-wal", 0640},
		{"store.db-shm", 0640}};
	for (size_t i = 0; store->letters >= 0 && i < sizeof files / sizeof *files; i++) {
		const char *name = files[i].name;
		int flags = AT_SYMLINK_NOFOLLOW;
		if (fchownat(store->folder, name, (uid_t)-1, store->readers, flags) == 0
			&& fchmodat(store->folder, name, files[i].mode, 0) == 0)
			continue;
		if (errno != ENOENT)
			return err_errno(err, errno, "%s for its readers", name);
	}
	return true;
}

/* ---- leaving one */

/* It gets its name when it is whole. */
static bool
put(struct store *store, int fd, const char *name, struct str body, struct err *err)
{
	char from[40];
	snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
	for (struct str rest = body; rest.n > 0;) {
		ssize_t n = write(fd, rest.p, rest.n);
		if (n < 0 && errno != EINTR)
			return err_errno(err, errno, "letters/");
		rest = str_from(rest, n < 0 ? 0 : (size_t)n);
	}
	if (fsync(fd) != 0
		|| linkat(AT_FDCWD, from, store->letters, name, AT_SYMLINK_FOLLOW) != 0
		|| fsync(store->letters) != 0)
		return err_errno(err, errno, "letters/");
	return true;
}

bool
letters_put(struct store *store, const char *run, struct str body, struct err *err)
{
	uint64_t salt;
	char name[NAME_MOST];
	if (body.n > LETTER_MOST)
		return err_set(err, ERR_LIMIT, "a letter holds at most 64 KiB");
	store->host->type->random(store->host, &salt, sizeof salt);
	snprintf(name, sizeof name, "%s:%016llx", run, (unsigned long long)salt);
	int fd = openat(store->letters, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, errno, "letters/");
	bool ok = put(store, fd, name, body, err);
	close(fd);
	return ok;
}

/* ---- taking them */

/* False: it is none, and is left where it lies. */
static bool
open_letter(int folder, const char *name, struct arena *mem, struct stat *st,
	struct str *body)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	char *text = arena_alloc(mem, LETTER_MOST);
	/* A file that others may write says nothing of its owner: it can be filled and moved
	 * here by them. */
	bool good = fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_nlink == 1
		&& (st->st_mode & 07777) == 0600;
	ssize_t n = good ? read(fd, text, LETTER_MOST) : -1;
	close(fd);
	*body = (struct str){text, n < 0 ? 0 : (size_t)n};
	return n > 0 && n == st->st_size;
}

static struct sender
sender_of(struct arena *mem, uid_t uid)
{
	struct passwd entry, *user = NULL;
	char *room = arena_alloc(mem, 4096);
	struct sender sender = {.uid = uid, .user = arena_printf(mem, "%u", uid)};
	if (getpwuid_r(uid, &entry, room, 4096, &user) == 0 && user != NULL)
		sender.user = user->pw_name;
	if (uid != 0) {
		sender.person = sender.user;
		sender.known_by = "file";
	}
	return sender;
}

/* It was read before, and the disk or we went away before it could be removed. */
static bool
is_known(struct store *store, const char *run, const struct sender *sender,
	struct str body)
{
	sqlite3_stmt *same = db_query(&store->db, Q_SAME_MESSAGE);
	if (same == NULL)
		return false;
	db_bind(same, 1, str_of(run));
	sqlite3_bind_int64(same, 2, sender->at);
	sqlite3_bind_int64(same, 3, sender->uid);
	db_bind(same, 4, body);
	bool known = sqlite3_step(same) == SQLITE_ROW;
	sqlite3_reset(same);
	return known;
}

static bool
take(struct store *store, const char *run, const char *name, struct arena *mem,
	struct err *err)
{
	struct stat st;
	struct str body;
	uint64_t id;
	if (!open_letter(store->letters, name, mem, &st, &body))
		return true;
	struct sender sender = sender_of(mem, st.st_uid);
	sender.host = store->host->type->self(store->host)->host;
	sender.at = st.st_ctim.tv_sec * INT64_C(1000000) + st.st_ctim.tv_nsec / 1000;
	if (!is_known(store, run, &sender, body)
		&& !message_add(store, run, body, &sender, &id, err))
		return false;
	unlinkat(store->letters, name, 0);
	return true;
}

bool
letters_take(struct store *store, const char *run, struct err *err)
{
	char prefix[NAME_MOST];
	bool ok = true;
	if (store->letters < 0 || store->broken)
		return true;
	int fd = openat(store->letters, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	if (entries == NULL)
		return err_errno(err, errno, "letters/");
	int n = snprintf(prefix, sizeof prefix, "%s:", run);
	for (struct dirent *entry; ok && (entry = readdir(entries)) != NULL;) {
		if (strncmp(entry->d_name, prefix, (size_t)n) != 0)
			continue;
		struct arena *mem = arena_new();
		ok = take(store, run, entry->d_name, mem, err);
		arena_free(mem);
	}
	closedir(entries);
	return ok;
}
