/* Files for one child: passwords that its program wants in a file. Internal to host/. */
#ifndef HOST_EXEC_FILES_H
#define HOST_EXEC_FILES_H

#include "host/host.h"

struct exec_files {
	char *path;                           /* of the folder; NULL: there are none */
	int folder;
};

/* Makes ask->files, mode 0600, in a new folder of mode 0700 that lies in memory where
 * there is such a place (XDG_RUNTIME_DIR, /dev/shm, then TMPDIR, /tmp). *env is ask->env
 * with their paths, in mem. False: nothing is left. */
bool exec_files_make(struct exec_files *files, struct arena *mem,
	const struct exec_ask *ask, const char *const **env, struct err *err);
/* Removes the folder and what the program may have put beside them. May be called
 * again. */
void exec_files_remove(struct exec_files *files);

#endif
