#include "host/exec_files.h"

#include "host/disk.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char PREFIX[] = "rbx-files-";

enum { TRIES = 10 };

static void
empty(int folder)
{
	DIR *entries = fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 3));
	if (entries == NULL)
		return;
	rewinddir(entries);
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(folder, entry->d_name, 0);
	closedir(entries);
}

/* The lock on a folder says that its rbx lives: no number of a process does, across
 * containers. */
static int
enter(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) == 0)
		return folder;
	if (folder >= 0)
		close(folder);
	return -1;
}

/* What an rbx that was killed could not remove. */
static void
remove_stale(const char *place)
{
	DIR *entries = opendir(place);
	if (entries == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
		char path[4096];
		struct stat stat;
		snprintf(path, sizeof path, "%s/%s", place, entry->d_name);
		if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) != 0
		    || lstat(path, &stat) != 0 || stat.st_uid != geteuid())
			continue;
		int folder = enter(path);
		if (folder < 0)
			continue;
		empty(folder);
		rmdir(path);
		close(folder);
	}
	closedir(entries);
}

/* Between its making and its lock another rbx may take it for stale: then one more is
 * made. */
static bool
make_folder(struct exec_files *files, const char *place)
{
	for (int i = 0; i < TRIES; i++) {
		if (asprintf(&files->path, "%s/%sXXXXXX", place, PREFIX) < 0)
			abort();
		if (mkdtemp(files->path) != NULL) {
			files->folder = enter(files->path);
			if (files->folder >= 0 && access(files->path, X_OK) == 0)
				return true;
		}
		int number = errno;
		rmdir(files->path);
		exec_files_remove(files);
		errno = number;
		if (number != ENOENT && number != EWOULDBLOCK)
			break;
	}
	return false;
}

static bool
find_place(struct exec_files *files, struct err *err)
{
	const char *places[] = {
		getenv("XDG_RUNTIME_DIR"), "/dev/shm", getenv("TMPDIR"), "/tmp",
	};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (places[i] == NULL || places[i][0] != '/')
			continue;
		remove_stale(places[i]);
		if (make_folder(files, places[i]))
			return true;
	}
	return err_errno(err, errno, "no place for the files of a program");
}

static bool
is_variable(const char *name)
{
	if (name[0] == '\0' || isdigit((unsigned char)name[0]))
		return false;
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

static bool
write_file(const struct exec_files *files, const struct exec_file *file, struct err *err)
{
	if (!is_variable(file->variable))
		return err_set(err, ERR_VALUE, "'%s': not the name of a variable",
			file->variable);
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(files->folder, file->variable, flags, 0600);
	if (fd < 0)
		return err_errno(err, errno, "%s/%s", files->path, file->variable);
	struct str text = file->text;
	if (file->content != NULL)
		text = secret_reveal(file->content);
	bool ok = disk_write(fd, text.p, text.n, file->variable, err);
	close(fd);
	return ok;
}

static bool
is_of(const char *entry, const struct exec_ask *ask)
{
	for (size_t i = 0; i < ask->n_files; i++) {
		size_t n = strlen(ask->files[i].variable);
		if (strncmp(entry, ask->files[i].variable, n) == 0 && entry[n] == '=')
			return true;
	}
	return false;
}

static const char *const *
with_paths(struct arena *mem, const struct exec_ask *ask, const char *folder)
{
	size_t n = 0, at = 0;
	while (ask->env != NULL && ask->env[n] != NULL)
		n++;
	const char **env = arena_array(mem, const char *, n + ask->n_files + 1);
	for (size_t i = 0; i < n; i++)
		if (!is_of(ask->env[i], ask))
			env[at++] = ask->env[i];
	for (size_t i = 0; i < ask->n_files; i++) {
		const char *name = ask->files[i].variable;
		env[at++] = arena_printf(mem, "%s=%s/%s", name, folder, name);
	}
	return env;
}

bool
exec_files_make(struct exec_files *files, struct arena *mem, const struct exec_ask *ask,
	const char *const **env, struct err *err)
{
	*files = (struct exec_files){.folder = -1};
	*env = ask->env;
	if (ask->n_files == 0)
		return true;
	if (!find_place(files, err))
		return false;
	for (size_t i = 0; i < ask->n_files; i++)
		if (!write_file(files, &ask->files[i], err)) {
			exec_files_remove(files);
			return false;
		}
	*env = with_paths(mem, ask, files->path);
	return true;
}

void
exec_files_remove(struct exec_files *files)
{
	if (files->folder >= 0) {
		empty(files->folder);
		rmdir(files->path);
		close(files->folder);
	}
	free(files->path);
	*files = (struct exec_files){.folder = -1};
}
