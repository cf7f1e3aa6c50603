#include "host/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum stage { STAGE_NONE, STAGE_SETUP, STAGE_DIR, STAGE_EXEC };

struct failure {
	int number;                           /* errno of what failed */
	enum stage stage;
};

/* What the child, which runs in our memory until it execs, is told. It tells by a pipe
 * that closes on exec, not by memory: tools that watch a program make a fork of the
 * vfork. */
struct birth {
	const struct spawn *spawn;
	const char *program;
	pid_t parent;
	int tell;
};

const char *
env_find(const char *const *env, const char *name)
{
	size_t n = strlen(name);
	for (; env != NULL && *env != NULL; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

void
spawn_altered(sigset_t *altered)
{
	sigemptyset(altered);
	for (int i = 1; i <= SIGRTMAX; i++) {
		struct sigaction now;
		if (sigaction(i, NULL, &now) == 0 && now.sa_handler != SIG_DFL)
			sigaddset(altered, i);
	}
}

/* Empty and relative parts of PATH would mean whatever folder we happen to be in. */
static const char *
program_find(struct arena *mem, const struct spawn *spawn, struct err *err)
{
	const char *name = spawn->argv[0];
	if (strchr(name, '/') != NULL)
		return name;
	struct str rest = str_of(env_find(spawn->env, "PATH"));
	int number = ENOENT;
	while (rest.n > 0) {
		struct str folder = str_cut(rest, ':', &rest);
		if (folder.n == 0 || folder.p[0] != '/')
			continue;
		const char *path = arena_printf(mem, "%.*s/%s", STR_FMT(folder), name);
		struct stat found;
		if (stat(path, &found) != 0 || !S_ISREG(found.st_mode))
			continue;
		if (access(path, X_OK) == 0)
			return path;
		number = errno;
	}
	if (number == ENOENT)
		err_set(err, ERR_NOT_FOUND, "%s: no such program in PATH", name);
	else
		err_errno(err, number, "%s", name);
	return NULL;
}

/* In the child: only calls that are safe in it (vfork(2), signal-safety(7)). */
static void
fail_child(struct birth *birth, enum stage stage)
{
	struct failure failure = {errno, stage};
	if (write(birth->tell, &failure, sizeof failure) < 0)
		_exit(126);
	_exit(127);
}

/* Each signal would be a call into the kernel. */
static void
reset_signals(const sigset_t *altered)
{
	struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t none;
	for (int i = 1; i <= SIGRTMAX; i++)
		if (sigismember(altered, i))
			sigaction(i, &normal, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
run_child(struct birth *birth)
{
	const struct spawn *spawn = birth->spawn;
	if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		fail_child(birth, STAGE_SETUP);
	if (getppid() != birth->parent)
		_exit(127);
	if (spawn->dir != NULL && chdir(spawn->dir) != 0)
		fail_child(birth, STAGE_DIR);
	for (int i = 0; i < 3; i++)
		if (dup2(spawn->files[i], i) < 0)
			fail_child(birth, STAGE_SETUP);
	/* All of ours close on exec; this is for what a library may have opened
	 * otherwise. */
	syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
	reset_signals(spawn->altered);
	execve(birth->program, (char *const *)spawn->argv, (char *const *)spawn->env);
	fail_child(birth, STAGE_EXEC);
}

/* All signals wait meanwhile: a handler of ours that ran in the child would act on our
 * memory. */
__attribute__((noinline)) static pid_t
give_birth(struct birth *birth)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = vfork();
	if (pid == 0)
		run_child(birth);
	int number = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = number;
	return pid;
}

static pid_t
fail(const struct spawn *spawn, struct failure failure, struct err *err)
{
	const char *name = spawn->argv[0];
	int number = failure.number;
	if (failure.stage == STAGE_DIR)
		err_errno(err, number, "%s: folder %s", name, spawn->dir);
	else
		err_errno(err, number, "%s", name);
	err->transient = number == EAGAIN || number == ENOMEM || number == ETXTBSY
		|| number == EMFILE || number == ENFILE;
	return -1;
}

/* Nothing comes when the exec took place; then the other end is closed. */
static struct failure
listen_to(int fd)
{
	struct failure failure = {0};
	ssize_t n;
	do
		n = read(fd, &failure, sizeof failure);
	while (n < 0 && errno == EINTR);
	return n == sizeof failure ? failure : (struct failure){0};
}

pid_t
spawn_child(struct arena *mem, const struct spawn *spawn, struct err *err)
{
	static const char *const no_env[] = {NULL};
	struct spawn with = *spawn;
	if (with.env == NULL)
		with.env = no_env;
	struct birth birth = {.spawn = &with, .parent = getpid()};
	birth.program = program_find(mem, &with, err);
	if (birth.program == NULL)
		return -1;
	int told[2];
	if (pipe2(told, O_CLOEXEC) != 0)
		return fail(&with, (struct failure){errno, STAGE_SETUP}, err);
	birth.tell = told[1];
	pid_t pid = give_birth(&birth);
	struct failure failure = {errno, STAGE_SETUP};
	close(told[1]);
	if (pid >= 0)
		failure = listen_to(told[0]);
	close(told[0]);
	if (pid >= 0 && failure.stage == STAGE_NONE)
		return pid;
	while (pid >= 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return fail(&with, failure, err);
}
