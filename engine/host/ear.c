#include "host/ear.h"

#include "host/real.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* What the kernel knows is to be what is wanted. */
static void
tell(struct real *real, struct ear *ear)
{
	struct epoll_event event = {.events = ear->wanted, .data.ptr = ear};
	int how = ear->known == 0 ? EPOLL_CTL_ADD
		: ear->wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
	if (ear->known == ear->wanted)
		return;
	ear->known = ear->wanted;
	if (epoll_ctl(real->ears, how, ear->fd, &event) == 0)
		return;
	/* Only memory can be missing, or a descriptor be none. */
	assert(errno != EEXIST && errno != ENOENT);
	if (how != EPOLL_CTL_DEL)
		abort();
}

void
ear_listen(struct real *real, struct ear *ear, uint32_t events)
{
	ear->wanted = events;
	if ((ear->known & events) != events)
		tell(real, ear);
}

void
ear_close(struct real *real, struct ear *ear)
{
	ear->wanted = 0;
	tell(real, ear);
	for (int i = real->heard_from; i < real->n_heard; i++)
		if (real->heard[i].data.ptr == ear)
			real->heard[i].data.ptr = NULL;
}

static void
hear(struct real *real, const struct epoll_event *event)
{
	struct ear *ear = event->data.ptr;
	uint32_t unasked = ear->wanted == 0 ? 0 : EPOLLHUP | EPOLLERR;
	uint32_t events = event->events & (ear->wanted | unasked);
	if (events == 0)
		tell(real, ear);
	else
		ear->heard(ear, events);
}

static void
some_heard(uv_poll_t *poll, int status, int events)
{
	struct real *real = poll->data;
	(void)status, (void)events;
	real->n_heard = epoll_wait(real->ears, real->heard, EARS_AT_ONCE, 0);
	for (real->heard_from = 0; real->heard_from < real->n_heard;) {
		const struct epoll_event *event = &real->heard[real->heard_from++];
		if (event->data.ptr != NULL)
			hear(real, event);
	}
	real->n_heard = 0;
}

bool
ears_open(struct real *real)
{
	real->ears = epoll_create1(EPOLL_CLOEXEC);
	if (real->ears < 0)
		return false;
	uv_poll_init(&real->loop, &real->ears_poll, real->ears);
	real->ears_poll.data = real;
	return uv_poll_start(&real->ears_poll, UV_READABLE, some_heard) == 0;
}

void
ears_close(struct real *real)
{
	uv_close((uv_handle_t *)&real->ears_poll, NULL);
	close(real->ears);
}
