/* Where a store lies: a folder of one's own, on a file system that keeps locks and what
 * was synced (resilience.md R9, C28). */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include <sys/stat.h>

#include "base/err.h"

/* What the kernel says about a file system: statfs's f_type, and the type and the options
 * that /proc/self/mountinfo has for its device ("" where it has none). */
struct place {
	long magic;
	const char *type, *options;
};

/* Refuses what loses locks or durability: file systems of the net, FUSE (but fuse-
 * overlayfs and virtiofs, which hand both down), and overlays mounted "volatile", which
 * do not sync. A plain overlay holds: whatever is opened for writing lies in its upper
 * layer. Pure. */
bool place_fits(const struct place *place, struct err *err);

/* The folder, made 0700 with its parents if it is missing, and judged. A file
 * descriptor. The address of a database is refused. */
bool place_open(const char *path, int *folder, struct err *err);

/* Owned by root or the caller, not writable by the world, nor by a group with others in
 * it. */
bool place_owned(const struct stat *st, struct err *err);

/* A file of the folder: regular, no link, owned; absent is fine too. It is not opened. */
bool place_file(int folder, const char *name, struct err *err);

#endif
