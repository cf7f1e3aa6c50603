#include "host/person.h"
#include "host/real.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
load(const char *path, char *text, size_t size, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
	int number = errno;
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return err_errno(err, number, "%s", path);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

/* The 22nd field of /proc/PID/stat (proc(5)); the second, the name, may hold blanks and
 * parentheses. */
bool
self_started(const char *stat, uint64_t *started)
{
	const char *p = strrchr(stat, ')');
	for (int field = 2; p != NULL && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p == NULL)
		return false;
	*started = strtoull(p + 1, NULL, 10);
	return true;
}

static char *
copy(const char *text)
{
	char *p = text == NULL ? NULL : strdup(text);
	if (p == NULL && text != NULL)
		abort();
	return p;
}

/* /proc/self/loginuid may be missing: a kernel without audit. */
static void
find_person(struct self *self)
{
	char login[32];
	struct err ignored;
	if (!load("/proc/self/loginuid", login, sizeof login, &ignored))
		login[0] = '\0';
	struct person person = person_judge(self->uid, login, getenv("SUDO_UID"));
	if (person.known_by == NULL)
		return;
	struct arena *mem = arena_new();
	self->person = copy(person_name(mem, person.uid));
	self->known_by = person.known_by;
	arena_free(mem);
}

bool
self_open(struct self *self, struct err *err)
{
	char text[1024], name[256] = "";
	if (!load("/proc/self/stat", text, sizeof text, err))
		return false;
	if (!self_started(text, &self->started))
		return err_set(err, ERR_PROTOCOL, "/proc/self/stat: not understood");
	if (!load("/proc/sys/kernel/random/boot_id", text, sizeof text, err))
		return false;
	self->boot_id = copy(text);
	gethostname(name, sizeof name - 1);
	self->host = copy(name);
	self->uid = getuid();
	self->pid = (uint32_t)getpid();
	const struct passwd *user = getpwuid(self->uid);
	if (user == NULL)
		snprintf(name, sizeof name, "%u", self->uid);
	self->user = copy(user == NULL ? name : user->pw_name);
	find_person(self);
	self->tty = ttyname_r(0, text, sizeof text) == 0 ? copy(text) : NULL;
	return true;
}

void
self_close(struct self *self)
{
	free((void *)self->host);
	free((void *)self->boot_id);
	free((void *)self->user);
	free((void *)self->tty);
	free((void *)self->person);
}
