#include "host/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum stage { STAGE_NONE, STAGE_SETUP, STAGE_DIR, STAGE_EXEC };

/* What the child, which runs in our memory until it execs, is told and tells. */
struct birth {
	const struct spawn *spawn;
	const char *program;
	pid_t parent;
	volatile int number;                          /* errno of what failed */
	volatile enum stage stage;
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
	birth->number = errno;
	birth->stage = stage;
	_exit(127);
}

static void
reset_signals(void)
{
	struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t none;
	for (int i = 1; i <= SIGRTMAX; i++)
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
	/* All of ours close on exec; this is for what a library may have opened otherwise. */
	syscall(SYS_close_range, 3, ~0U, 0);
	reset_signals();
	execve(birth->program, (char *const *)spawn->argv, (char *const *)spawn->env);
	fail_child(birth, STAGE_EXEC);
}

/* All signals wait meanwhile: a handler of ours that ran in the child would act on our memory. */
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

static bool
tell(const struct birth *birth, struct err *err)
{
	const char *name = birth->spawn->argv[0];
	if (birth->stage == STAGE_DIR)
		return err_errno(err, birth->number, "%s: folder %s", name, birth->spawn->dir);
	err_errno(err, birth->number, "%s", name);
	err->transient = birth->number == EAGAIN || birth->number == ENOMEM
		|| birth->number == ETXTBSY || birth->number == EMFILE
		|| birth->number == ENFILE;
	return false;
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
	pid_t pid = give_birth(&birth);
	if (pid < 0) {
		birth.number = errno;
		tell(&birth, err);
		return -1;
	}
	if (birth.stage == STAGE_NONE)
		return pid;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	tell(&birth, err);
	return -1;
}
