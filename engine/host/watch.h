/* A descriptor in the loop, without libuv's traps: it aborts when one is closed that it
 * still polls, and gives memory back later. Internal to host/. */
#ifndef HOST_WATCH_H
#define HOST_WATCH_H

#include "host/real.h"

struct watch;

/* fn is called with UV_READABLE, UV_WRITABLE; on an error of the descriptor with both.
 * NULL: it cannot be polled. */
struct watch *watch_open(struct real *real, int fd, void (*fn)(void *with, int events),
	void *with);
void watch_for(struct watch *watch, int events); /* 0: nothing for now */
void watch_end(struct watch *watch); /* the descriptor stays open; accepts NULL */
void watch_close(struct watch *watch); /* and closes it; accepts NULL */
int watch_fd(const struct watch *watch);

/* A socket that does not block, connected or connecting to addr; -1 and errno. type:
 * SOCK_STREAM … */
int watch_connect(const struct sockaddr *addr, int type);

#endif
