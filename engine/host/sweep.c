#include "host/sweep.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct process {
	pid_t pid, parent, group, session;
	uint64_t started;
	bool spared, holds, belongs;          /* holds: the key is in its environment */
};

struct table {
	struct process *rows;
	size_t n, cap;
};

static size_t
load(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	size_t n = 0;
	for (ssize_t got; n < size && (got = read(fd, text + n, size - n)) != 0;)
		if (got > 0)
			n += (size_t)got;
		else if (errno != EINTR)
			break;
	close(fd);
	return n;
}

/* Fields 7 to 21 of /proc/PID/stat, which are of no interest. */
#define SKIP_7_TO_21 " %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d"

/* proc(5); the name, in parentheses, may hold anything. False: gone, or a zombie. */
static bool
load_process(pid_t pid, struct process *process)
{
	char path[40], text[1024], state;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	size_t n = load(path, text, sizeof text - 1);
	text[n] = '\0';
	const char *rest = strrchr(text, ')');
	*process = (struct process){.pid = pid};
	if (rest == NULL || sscanf(rest + 1, " %c %d %d %d" SKIP_7_TO_21 " %" SCNu64,
	                           &state, &process->parent, &process->group,
	                           &process->session, &process->started) != 5)
		return false;
	return state != 'Z' && state != 'X';
}

static void
load_table(struct table *table)
{
	DIR *proc = opendir("/proc");
	if (proc == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (table->n == table->cap) {
			table->cap = table->cap == 0 ? 512 : table->cap * 2;
			size_t size = table->cap * sizeof *table->rows;
			table->rows = realloc(table->rows, size);
			if (table->rows == NULL)
				abort();
		}
		if (load_process(atoi(entry->d_name), &table->rows[table->n]))
			table->n++;
	}
	closedir(proc);
}

/* An environment is as long as its program's caller made it: it is read in pieces, each
 * with the end of the one before. Only a whole entry counts: NUL before it, or the
 * beginning. */
static bool
holds_key(pid_t pid, const char *entry, size_t n_entry)
{
	char path[40], text[16384];
	snprintf(path, sizeof path, "/proc/%d/environ", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool found = false;
	size_t n = 1;
	text[0] = '\0';
	for (ssize_t got; !found && (got = read(fd, text + n, sizeof text - n)) > 0;) {
		n += (size_t)got;
		found = memmem(text, n, entry, n_entry) != NULL;
		size_t keep = n < n_entry ? n : n_entry;
		memmove(text, text + n - keep, keep);
		n = keep;
	}
	close(fd);
	return found;
}

struct entry {
	char text[256];
	size_t n;
};

/* "\0RBX_KEY=key\0", as it stands between others. */
static bool
entry_of(struct entry *entry, const char *key)
{
	int n = snprintf(entry->text + 1, sizeof entry->text - 1, "RBX_KEY=%s", key);
	entry->text[0] = '\0';
	entry->n = (size_t)n + 2;
	return n >= 0 && entry->n <= sizeof entry->text;
}

static void
mark_holders(struct table *table, const char *key)
{
	struct entry entry;
	if (!entry_of(&entry, key))
		return;
	for (size_t i = 0; i < table->n; i++) {
		struct process *process = &table->rows[i];
		if (!process->spared)
			process->holds = holds_key(process->pid, entry.text, entry.n);
	}
}

/* Most often nobody has it, and then who descends from whom is not asked: that would take
 * as long again. */
static bool
anybody_holds(const char *key)
{
	struct entry entry;
	bool found = false;
	if (!entry_of(&entry, key))
		return false;
	DIR *proc = opendir("/proc");
	if (proc == NULL)
		return false;
	for (struct dirent *next; !found && (next = readdir(proc)) != NULL;)
		found = isdigit((unsigned char)next->d_name[0])
			&& holds_key(atoi(next->d_name), entry.text, entry.n);
	closedir(proc);
	return found;
}

static struct process *
find(const struct table *table, pid_t pid)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->rows[i].pid == pid)
			return &table->rows[i];
	return NULL;
}

/* This process, and all that it descends from, whatever is in their environments. */
static void
spare(struct table *table, const struct sweep *sweep)
{
	struct process *process = find(table, getpid());
	for (size_t i = 0; process != NULL && i < table->n; i++) {
		process->spared = true;
		process = find(table, process->parent);
	}
	for (size_t i = 0; i < table->n; i++)
		for (size_t j = 0; j < sweep->n_spared; j++)
			if (table->rows[i].session == sweep->spared[j])
				table->rows[i].spared = true;
}

static bool
joins(const struct process *process, const struct process *other, pid_t session)
{
	if (process->parent == other->pid)
		return true;
	/* Our own session holds more than a child's; 0 is one outside our namespace. */
	if (other->session == session || other->session == 0 || other->group == 0)
		return false;
	return process->session == other->session || process->group == other->group;
}

static bool
is_known(const struct process *process, const struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->found; i++)
		if (sweep->known[i].pid == process->pid
		    && sweep->known[i].started == process->started)
			return true;
	return false;
}

static void
mark_belonging(struct table *table, const struct sweep *sweep)
{
	pid_t session = getsid(0), group = sweep->group;
	bool more = true;
	for (size_t i = 0; i < table->n; i++) {
		struct process *process = &table->rows[i];
		bool in = process->group == group || process->session == group
			|| process->parent == group;
		in = (group != 0 && in) || process->holds || is_known(process, sweep);
		process->belongs = in && !process->spared;
	}
	while (more) {
		more = false;
		for (size_t i = 0; i < table->n; i++)
			for (size_t j = 0; table->rows[i].belongs && j < table->n; j++) {
				struct process *process = &table->rows[j];
				if (process->belongs || process->spared
				    || !joins(process, &table->rows[i], session))
					continue;
				process->belongs = more = true;
			}
	}
}

/* Through a descriptor, for the number may by now be another process's. */
static void
signal_process(const struct process *process, int number)
{
	struct process again;
	int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	if (fd < 0)
		return;
	if (load_process(process->pid, &again) && again.started == process->started)
		syscall(SYS_pidfd_send_signal, fd, number, NULL, 0);
	close(fd);
}

void
sweep_run(struct sweep *sweep)
{
	struct table table = {0};
	bool by_key = sweep->key != NULL && sweep->group == 0 && sweep->found == 0;
	if (!by_key || anybody_holds(sweep->key))
		load_table(&table);
	spare(&table, sweep);
	if (sweep->key != NULL)
		mark_holders(&table, sweep->key);
	mark_belonging(&table, sweep);
	sweep->found = 0;
	sweep->known = realloc(sweep->known, (table.n + 1) * sizeof *sweep->known);
	if (sweep->known == NULL)
		abort();
	for (size_t i = 0; i < table.n; i++) {
		struct process *process = &table.rows[i];
		if (!process->belongs)
			continue;
		struct sweep_known known = {process->pid, process->started};
		sweep->known[sweep->found++] = known;
		if (sweep->signal != 0)
			signal_process(process, sweep->signal);
	}
	free(table.rows);
}
