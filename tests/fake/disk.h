/* A shim below SQLite (its VFS): it counts what reaches the disk, fails calls, and dies
 * at one. */
#ifndef TESTS_FAKE_DISK_H
#define TESTS_FAKE_DISK_H

#include <stdbool.h>

struct disk {
	unsigned calls;                   /* writes, syncs and cuts of database and WAL */
	unsigned syncs, wal_syncs;
	unsigned die_at;          /* SIGKILL before this call, counted from 1; 0: never */
	int sync_answer, write_answer;      /* instead of the real one; 0: the real one */
	bool power_cut;            /* dying, it takes along what the WAL has not synced */
	bool lies;                               /* a sync is answered and does nothing */
};

extern struct disk disk;

void disk_use(void);                              /* for every store opened from now on */

#endif
