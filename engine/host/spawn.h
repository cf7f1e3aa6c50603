/* Starting a child: internal to host/. */
#ifndef HOST_SPAWN_H
#define HOST_SPAWN_H

#include "base/err.h"

#include <signal.h>
#include <sys/types.h>

struct spawn {
	const char *const *argv, *const *env, *dir;   /* dir NULL: ours */
	int files[3];                                 /* become 0, 1 and 2 */
	const sigset_t *altered;      /* signals that are not as they are by default */
};

void spawn_altered(sigset_t *altered);                /* those of this process, now */


/* vfork and exec in the thread that calls, which must live as long as the child is to: in
 * a session of its own, SIGTERM when the thread ends, no signal blocked or ignored, files
 * 0 to 2 alone. -1: err is set, and nothing of the child has run. */
pid_t spawn_child(struct arena *mem, const struct spawn *spawn, struct err *err);

/* the value; NULL: not in it */
const char *env_find(const char *const *env, const char *name);

#endif
