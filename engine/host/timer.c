#include "host/real.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int64_t
real_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * NS_S + now.tv_nsec;
}

static void
put(struct real *real, struct timer *timer, size_t place)
{
	real->timers[place] = timer;
	timer->place = place;
}

static void
rise(struct real *real, struct timer *timer, size_t place)
{
	for (; place > 1 && real->timers[place / 2]->at > timer->at; place /= 2)
		put(real, real->timers[place / 2], place);
	put(real, timer, place);
}

static void
sink(struct real *real, struct timer *timer, size_t place)
{
	for (size_t child; (child = place * 2) <= real->n_timers; place = child) {
		if (child < real->n_timers
		    && real->timers[child + 1]->at < real->timers[child]->at)
			child++;
		if (timer->at <= real->timers[child]->at)
			break;
		put(real, real->timers[child], place);
	}
	put(real, timer, place);
}

/* To move the timerfd is dear, and most timers are stopped before they are due: it is
 * moved only before a wait, and only forwards; where it stands too early, the loop wakes
 * once for nothing. A time of zero would disarm it. */
bool
timers_arm(struct real *real)
{
	struct itimerspec when = {0};
	if (real->n_timers == 0)
		return true;
	int64_t at = real->timers[1]->at;
	if (at <= real_now())
		return false;
	if (real->armed != 0 && real->armed <= at)
		return true;
	real->armed = at;
	when.it_value = (struct timespec){at / NS_S, at % NS_S};
	int set = timerfd_settime(real->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	assert(set == 0);
	(void)set;
	return true;
}

static void
take(struct real *real, struct timer *timer)
{
	size_t place = timer->place;
	struct timer *last = real->timers[real->n_timers--];
	timer->place = 0;
	if (last == timer)
		return;
	if (place > 1 && real->timers[place / 2]->at > last->at)
		rise(real, last, place);
	else
		sink(real, last, place);
}

void
real_timer_stop(struct real *real, struct timer *timer)
{
	if (timer->place != 0)
		take(real, timer);
}

void
real_timer(struct real *real, struct timer *timer, int64_t at, void (*fn)(void *with),
	void *with)
{
	if (timer->place != 0)
		take(real, timer);
	timer->at = at;
	timer->fn = fn;
	timer->with = with;
	if (real->n_timers + 1 >= real->cap_timers) {
		real->cap_timers = real->cap_timers == 0 ? 64 : real->cap_timers * 2;
		size_t size = real->cap_timers * sizeof *real->timers;
		real->timers = realloc(real->timers, size);
		if (real->timers == NULL)
			abort();
	}
	rise(real, timer, ++real->n_timers);
}

void
timers_fire(struct real *real)
{
	int64_t now = real->n_timers == 0 ? 0 : real_now();
	while (real->n_timers > 0 && real->timers[1]->at <= now) {
		struct timer *timer = real->timers[1];
		take(real, timer);
		timer->fn(timer->with);
	}
}

/* What is due is done when the loop goes on: host_wait. */
static void
woken(uv_poll_t *poll, int status, int events)
{
	struct real *real = poll->data;
	uint64_t times;
	(void)status, (void)events;
	if (read(real->timer_fd, &times, sizeof times) > 0)
		real->armed = 0;                      /* else it was moved meanwhile */
}

bool
timers_open(struct real *real)
{
	real->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (real->timer_fd < 0)
		return false;
	uv_poll_init(&real->loop, &real->timer_poll, real->timer_fd);
	real->timer_poll.data = real;
	return uv_poll_start(&real->timer_poll, UV_READABLE, woken) == 0;
}

void
timers_close(struct real *real)
{
	uv_close((uv_handle_t *)&real->timer_poll, NULL);
	close(real->timer_fd);
	free(real->timers);
	real->timers = NULL;
}
