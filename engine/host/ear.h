/* Listening to descriptors, for less than uv_poll: that asks the kernel four times before
 * a pipe is heard and twice when it is closed. All ears hang on one epoll of their own,
 * which the loop watches. Internal to host/; in the loop thread. */
#ifndef HOST_EAR_H
#define HOST_EAR_H

#include <stdint.h>
#include <sys/epoll.h>

struct real;
struct ear;

/* events: EPOLLIN and so on, of those that are wanted; EPOLLHUP and EPOLLERR come unasked
 * as long as any is. It may close this ear or any other. */
typedef void ear_fn(struct ear *ear, uint32_t events);

struct ear {
	int fd;
	uint32_t wanted, known;                       /* known: to the kernel */
	ear_fn *heard;
};

/* From now on for these events; 0: for none. The kernel is told only what it must know:
 * one that is not wanted any more is taken back when it comes. */
void ear_listen(struct real *real, struct ear *ear, uint32_t events);
/* Before its descriptor is closed or its memory given back. Also one that never listened;
 * the descriptor may be listened to again. */
void ear_close(struct real *real, struct ear *ear);

#endif
