#include "../unit.h"

#include "host/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

/* In a child, for a guard is for good. Its exit is the number of the row that was wrong.
 */
static int
guarded(int (*fn)(const char *inside, const char *outside))
{
	char inside[80], outside[80];
	int status;
	snprintf(inside, sizeof inside, "%s/in", folder);
	snprintf(outside, sizeof outside, "%s/out", folder);
	mkdir(inside, 0700);
	mkdir(outside, 0700);
	pid_t child = fork();
	if (child == 0) {
		guard_process(inside);
		_exit(fn(inside, outside));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool
refused(long result, int number)
{
	return result < 0 && errno == number;
}

static int
calls(const char *inside, const char *outside)
{
	char *argv[] = {(char *)"true", NULL};
	(void)inside;
	(void)outside;
	const bool good[] = {true,
		refused(socket(AF_INET, SOCK_STREAM, 0), EPERM),
		refused(socket(AF_UNIX, SOCK_STREAM, 0), EPERM),
		refused(socket(AF_NETLINK, SOCK_RAW, 0), EPERM),
		refused(execv("/bin/true", argv), EPERM),
		refused(syscall(SYS_io_uring_setup, 1, NULL), EPERM),
		refused(ioctl(0, TIOCSTI, "x"), EPERM),
		prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
		getpid() > 0,
		!refused(ioctl(0, FIONREAD, &(int){0}), EPERM),
	};
	for (size_t i = 0; i < sizeof good; i++)
		if (!good[i])
			return (int)i;
	return 0;
}

static int
try_open(const char *in, const char *name, int flags)
{
	char path[120];
	snprintf(path, sizeof path, "%s/%s", in, name);
	return open(path, flags, 0600);
}

static int
files(const char *inside, const char *outside)
{
	char path[120], to[120];
	snprintf(path, sizeof path, "%s/old", outside);
	snprintf(to, sizeof to, "%s/moved", outside);
	const bool good[] = {true,
		try_open(inside, "new", O_RDWR | O_CREAT) >= 0,
		refused(try_open(outside, "new", O_RDWR | O_CREAT), EACCES),
		refused(try_open(outside, "old", O_WRONLY), EACCES),
		try_open(outside, "old", O_RDONLY) >= 0,
		refused(unlink(path), EACCES),
		refused(rename(path, to), EACCES),
		refused(mkdir(to, 0700), EACCES),
		refused(symlink("x", to), EACCES),
		try_open("/etc", "passwd", O_RDONLY) >= 0,
	};
	for (size_t i = 0; i < sizeof good; i++)
		if (!good[i])
			return (int)i;
	return 0;
}

static void
no_socket_and_no_program_is_to_be_had(void **state)
{
	(void)state;
#if !defined __x86_64__ && !defined __aarch64__
	skip();
#endif
	assert_int_equal(guarded(calls), 0);
}

static void
only_the_folder_is_written(void **state)
{
	(void)state;
	char path[80];
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
		< 1)
		skip();
	snprintf(path, sizeof path, "%s/out", folder);
	mkdir(path, 0700);
	close(try_open(path, "old", O_WRONLY | O_CREAT));
	assert_int_equal(guarded(files), 0);
}

static int
make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/rbx-guard-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int
drop_folder(void **state)
{
	(void)state;
	char command[100];
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_socket_and_no_program_is_to_be_had),
		cmocka_unit_test(only_the_folder_is_written),
	};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
