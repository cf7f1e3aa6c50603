#include "store.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/place.h"

static void
file_systems_that_lose_locks_are_refused(void **state)
{
	(void)state;
	struct err err;
	static const struct {
		struct place place;
		bool fits;
	} cases[] = {
		{{0xef53, "ext4", "rw"}, true},
		{{0x58465342, "xfs", "rw"}, true},
		{{0x9123683e, "btrfs", "rw"}, true},
		{{0x01021994, "tmpfs", "rw"}, true},
		{{0x794c7630, "overlay", "rw,lowerdir=/l,upperdir=/u,workdir=/w"}, true},
		{{0x794c7630, "overlay", "rw,lowerdir=/volatile,upperdir=/u"}, true},
		{{0x794c7630, "overlay", "rw,lowerdir=/l,upperdir=/u,volatile"}, false},
		{{0x6969, "nfs4", "rw"}, false},
		{{0xff534d42, "cifs", "rw"}, false},
		{{(long)(int32_t)0xff534d42, "cifs", "rw"}, false},
		{{0xfe534d42, "smb3", "rw"}, false},
		{{0x00c36400, "ceph", "rw"}, false},
		{{0x65735546, "fuse.sshfs", "rw"}, false},
		{{0x65735546, "", ""}, false},
		{{0x65735546, "fuse.fuse-overlayfs", "rw"}, true},
		{{0x65735546, "virtiofs", "rw"}, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		err = (struct err){0};
		if (place_fits(&cases[i].place, &err) != cases[i].fits)
			fail_msg("%s %s: %s", cases[i].place.type, cases[i].place.options,
				err.msg);
		assert_int_equal(err.hint[0] == '\0', cases[i].fits);
	}
}

static bool
opens(struct desk *desk, enum err_code code)
{
	struct err err = {0};
	struct store *store;
	bool ok = store_open(&store, desk->host, desk->where, &err);
	store_close(store);
	assert_int_equal(err.code, code);
	return ok;
}

static void
folders_of_others_are_refused(void **state)
{
	struct desk *desk = *state;
	assert_int_equal(mkdir(desk->where, 0700), 0);
	assert_int_equal(chmod(desk->where, 0702), 0);
	assert_false(opens(desk, ERR_DENIED));
	assert_int_equal(chmod(desk->where, 0700), 0);
	assert_true(opens(desk, ERR_NONE));
	if (getuid() != 0)
		return;
	assert_int_equal(chown(desk->where, 65534, 65534), 0);
	assert_false(opens(desk, ERR_DENIED));
}

static void
files_of_others_are_refused(void **state)
{
	struct desk *desk = *state;
	const char *db = arena_printf(desk->mem, "%s/store.db", desk->where);
	assert_true(opens(desk, ERR_NONE));
	assert_int_equal(chmod(db, 0666), 0);
	assert_false(opens(desk, ERR_DENIED));
	assert_int_equal(chmod(db, 0600), 0);
	assert_int_equal(link(db, arena_printf(desk->mem, "%s/link", desk->folder)), 0);
	assert_false(opens(desk, ERR_DENIED));
	assert_int_equal(unlink(db), 0);
	assert_int_equal(symlink("../link", db), 0);
	assert_false(opens(desk, ERR_DENIED));
	assert_int_equal(unlink(db), 0);
	assert_int_equal(mkfifo(db, 0600), 0);
	assert_false(opens(desk, ERR_DENIED));
}

static void
a_group_of_one_may_write(void **state)
{
	struct desk *desk = *state;
	const struct group *group = getgrgid(getgid());
	assert_true(opens(desk, ERR_NONE));
	if (group == NULL || group->gr_mem[0] != NULL)
		skip();
	assert_int_equal(chmod(desk->where, 0770), 0);
	assert_true(opens(desk, ERR_NONE));
}

static const struct passwd *
user_with_a_bare_first_group(void)
{
	const struct passwd *user;
	setpwent();
	while ((user = getpwent()) != NULL) {
		const struct group *group = getgrgid(user->pw_gid);
		if (user->pw_uid != 0 && user->pw_uid != geteuid() && group != NULL
			&& group->gr_mem[0] == NULL)
			break;
	}
	endpwent();
	return user;
}

/* A first group stands in no list of members. */
static void
a_first_group_has_members_too(void **state)
{
	(void)state;
	const struct passwd *user = user_with_a_bare_first_group();
	struct err err = {0};
	if (user == NULL)
		skip();
	struct stat st = {.st_mode = S_IFREG | 0664, .st_uid = 0, .st_gid = user->pw_gid};
	assert_false(place_owned(&st, &err));
	assert_int_equal(err.code, ERR_DENIED);
	st.st_mode = S_IFREG | 0644;
	assert_true(place_owned(&st, &err));
}

/* The owner is root, and nobody but the caller is in the group. */
static void
the_caller_is_no_other(void **state)
{
	(void)state;
	int status;
	const struct passwd *user = user_with_a_bare_first_group();
	if (getuid() != 0 || user == NULL)
		skip();
	gid_t gid = user->pw_gid;
	uid_t uid = user->pw_uid;
	setpwent();
	for (const struct passwd *other; (other = getpwent()) != NULL;)
		if (other->pw_gid == gid && other->pw_uid != uid)
			skip();
	pid_t child = fork();
	if (child == 0) {
		struct stat st = {.st_mode = S_IFREG | 0664, .st_uid = 0, .st_gid = gid};
		struct err err;
		if (setuid(uid) != 0)
			_exit(2);
		_exit(place_owned(&st, &err) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Root may write anywhere, so a child of another user tries. */
static void
a_folder_without_write_permission_is_told(void **state)
{
	struct desk *desk = *state;
	int status;
	assert_int_equal(mkdir(desk->where, 0755), 0);
	assert_int_equal(chmod(desk->where, 0555), 0);
	assert_int_equal(chmod(desk->folder, 0755), 0);
	pid_t child = fork();
	if (child == 0) {
		if (getuid() == 0
			&& (setgroups(0, NULL) != 0 || setgid(65534) != 0
				|| setuid(65534) != 0))
			_exit(2);
		struct err err = {0};
		struct store *store;
		bool told = !store_open(&store, desk->host, desk->where, &err)
			&& err.code == ERR_DENIED
			&& strstr(err.msg, "store.lock") != NULL;
		_exit(told ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	chmod(desk->where, 0700);
}

static void
change(struct desk *desk, const char *text)
{
	sqlite3 *sqlite;
	assert_int_equal(sqlite3_open(arena_printf(desk->mem, "%s/store.db", desk->where),
				 &sqlite),
		0);
	assert_int_equal(sqlite3_exec(sqlite, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
}

static void
what_another_wrote_is_refused(void **state)
{
	struct desk *desk = *state;
	assert_true(opens(desk, ERR_NONE));
	change(desk, "PRAGMA user_version=99");
	assert_false(opens(desk, ERR_VERSION));
	change(desk, "PRAGMA user_version=1; PRAGMA application_id=7");
	assert_false(opens(desk, ERR_VALUE));
	unlink(arena_printf(desk->mem, "%s/store.db", desk->where));
	change(desk, "CREATE TABLE t (x)");
	assert_int_equal(
		chmod(arena_printf(desk->mem, "%s/store.db", desk->where), 0600), 0);
	assert_false(opens(desk, ERR_VALUE));
}

static void
a_text_is_no_database(void **state)
{
	struct desk *desk = *state;
	assert_int_equal(mkdir(desk->where, 0700), 0);
	int fd = open(arena_printf(desk->mem, "%s/store.db", desk->where),
		O_CREAT | O_WRONLY, 0600);
	for (int i = 0; i < 200; i++)
		assert_int_equal(write(fd, "not a database\n", 15), 15);
	close(fd);
	assert_false(opens(desk, ERR_VALUE));
}

static void
other_places_are_told(void **state)
{
	struct desk *desk = *state;
	struct err err;
	struct store *store;
	assert_false(store_open(&store, desk->host, "postgresql://db/x", &err));
	assert_int_equal(err.code, ERR_UNSUPPORTED);
	assert_null(store);
	assert_false(store_open(&store, desk->host, "", &err));
	assert_false(store_open(&store, desk->host, "/proc/store", &err));
	assert_false(store_open(&store, desk->host, "/etc/passwd", &err));
}

static void
parents_are_made_private(void **state)
{
	struct desk *desk = *state;
	struct stat st;
	struct err err;
	struct store *store;
	const char *deep = arena_printf(desk->mem, "%s/.local/state/rbx/", desk->folder);
	assert_ok(store_open(&store, desk->host, deep, &err));
	assert_int_equal(
		stat(arena_printf(desk->mem, "%s/.local", desk->folder), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	store_close(store);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, desk_set, desk_clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_systems_that_lose_locks_are_refused),
		DESK_TEST(folders_of_others_are_refused),
		DESK_TEST(files_of_others_are_refused),
		DESK_TEST(a_group_of_one_may_write),
		cmocka_unit_test(a_first_group_has_members_too),
		cmocka_unit_test(the_caller_is_no_other),
		DESK_TEST(a_folder_without_write_permission_is_told),
		DESK_TEST(what_another_wrote_is_refused),
		DESK_TEST(a_text_is_no_database),
		DESK_TEST(other_places_are_told),
		DESK_TEST(parents_are_made_private),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
