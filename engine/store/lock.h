/* Locks of an open file description (fcntl(2), F_OFD_SETLK): they end with the
 * descriptor, however the process ends, and another descriptor of the same process is
 * somebody else. */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "base/err.h"

enum lock_result { LOCK_TAKEN, LOCK_HELD, LOCK_ERROR };

/* A lock file of the folder, made 0600 if it is missing. A file descriptor, -1 on
 * error. */
int lock_open(int folder, const char *name, struct err *err);

enum lock_result lock_try(int fd);
/* Asks again until `patience` ns have passed: no wait of the store is for ever, not even
 * for a process that was stopped while it held the lock. */
enum lock_result lock_take(int fd, int64_t patience);
void lock_drop(int fd);
bool lock_is_held(int fd);                            /* by another descriptor */

#endif
