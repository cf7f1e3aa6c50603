/* The processes that belong to a child or to a key, found in /proc and signalled.
 * Internal to host/; it reads files, so it runs in the pool. */
#ifndef HOST_SWEEP_H
#define HOST_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Belonging: being in the group or session `group`; holding RBX_KEY=key in the
 * environment; descending from such a process, or being of its group or session. The last
 * is how a process is found that sudo gave another environment. Never this process and
 * what it descends from. */
struct sweep_known { /* a process, whatever its number is given to later */
	pid_t pid;
	uint64_t started;
};

struct sweep {
	pid_t group;                  /* a leader that is not reaped; 0: none */
	const char *key;              /* NULL: none */
	const pid_t *spared;          /* sessions of others */
	size_t n_spared;
	int signal;                   /* 0: only count */
	/* Malloced: what an earlier sweep found still belongs when whatever linked it has
	 * died. */
	struct sweep_known *known;
	size_t found;                 /* of known; they belong and live; zombies do not */
};

void sweep_run(struct sweep *sweep);

#endif
