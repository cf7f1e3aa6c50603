/* Files, as the threads of the pool handle them: every function here may block. Internal
 * to host/. */
#ifndef HOST_DISK_H
#define HOST_DISK_H

#include "base/err.h"

#include <sys/stat.h>
#include <sys/types.h>

/* Opens a plain file for reading. Symbolic links are followed, magic links (/proc/PID/fd,
 * /proc/PID/root) are not; a FIFO, a device or a folder is refused without waiting for
 * it. With a root, path lies below it and no link is followed. -1: err is set. */
int disk_open(
	const char *root, const char *path, struct stat *stat, struct err *err);
/* The folder of path below root, -1: err is set; `make`: folders that are missing. *name:
 * the last part of path. */
int disk_folder(const char *root, const char *path, bool make, const char **name,
	struct err *err);
/* err_errno, and transient */
bool disk_fails(struct err *err, int number, const char *path);
ssize_t disk_read(int fd, void *into, size_t n); /* read(2), again after a signal */
bool disk_write(int fd, const char *bytes, size_t n, const char *path, struct err *err);

/* A file that is being written, unseen until it is whole. It lies in the folder where it
 * will stand, nameless (O_TMPFILE) where the file system can, else under a hidden name;
 * mode 0600. */
struct draft {
	int folder, fd;
	char *path, *name, *hidden;           /* hidden: NULL while it is nameless */
	bool exists; /* then mode, uid and gid of what will be replaced are kept */
	struct stat was;
};

/* Refuses a path at which something other than a plain file is: a link, FIFO, device or
 * folder. With a root, missing folders below it are made, and no link is followed. */
bool draft_open(
	struct draft *draft, const char *root, const char *path, struct err *err);
/* fsync of the file, rename, fsync of the folder. On false *done says whether the rename
 * has taken place. */
bool draft_end(struct draft *draft, bool *done, struct err *err);
void draft_drop(struct draft *draft); /* after either; removes what was not ended */

#endif
