#include "host/watch.h"

#include "host/address.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct watch {
	uv_poll_t poll; /* first */
	int fd;
	void (*fn)(void *with, int events);
	void *with;
};

static void
free_watch(uv_handle_t *poll)
{
	free(poll);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = (struct watch *)poll;
	watch->fn(watch->with, status < 0 ? UV_READABLE | UV_WRITABLE : events);
}

struct watch *
watch_open(struct real *real, int fd, void (*fn)(void *with, int events), void *with)
{
	struct watch *watch = calloc(1, sizeof *watch);
	if (watch == NULL)
		abort();
	watch->fd = fd;
	watch->fn = fn;
	watch->with = with;
	if (uv_poll_init(&real->loop, &watch->poll, fd) == 0)
		return watch;
	free(watch);
	return NULL;
}

void
watch_for(struct watch *watch, int events)
{
	if (events == 0)
		uv_poll_stop(&watch->poll);
	else
		uv_poll_start(&watch->poll, events, on_poll);
}

void
watch_end(struct watch *watch)
{
	if (watch == NULL)
		return;
	uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, free_watch);
}

void
watch_close(struct watch *watch)
{
	if (watch == NULL)
		return;
	int fd = watch->fd;
	watch_end(watch);
	close(fd);
}

int
watch_fd(const struct watch *watch)
{
	return watch->fd;
}

int
watch_connect(const struct sockaddr *addr, int type)
{
	int fd = socket(addr->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, addr, address_size(addr)) == 0 || errno == EINPROGRESS)
		return fd;
	int number = errno;
	close(fd);
	errno = number;
	return -1;
}
