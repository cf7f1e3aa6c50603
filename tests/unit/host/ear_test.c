#include "real_host.h"

#include "host/real.h"

#include <fcntl.h>
#include <unistd.h>

struct heard {
	struct ear ear;                               /* first */
	struct real *real;
	struct heard *ends;                           /* closed when this one hears */
	unsigned times;
	uint32_t events;
	int theirs;
};

static void
note(struct ear *ear, uint32_t events)
{
	struct heard *heard = (struct heard *)ear;
	heard->times++;
	heard->events = events;
	if (heard->ends != NULL)
		ear_close(heard->real, &heard->ends->ear);
}

static void
listen_to_pipe(struct world *world, struct heard *heard)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	*heard = (struct heard){.ear = {.fd = fds[0], .heard = note},
		.real = (struct real *)world->host, .theirs = fds[1]};
	ear_listen(heard->real, &heard->ear, EPOLLIN);
}

static void
turn(struct world *world)
{
	world->host->type->wait(world->host, in_ns(world, NS_MS), NULL);
}

static void
end(struct heard *heard)
{
	ear_close(heard->real, &heard->ear);
	close(heard->ear.fd);
	close(heard->theirs);
}

static void
what_is_not_wanted_is_not_told(void **state)
{
	struct world *world = *state;
	struct heard heard;
	listen_to_pipe(world, &heard);
	ear_listen(heard.real, &heard.ear, 0);
	assert_int_equal(heard.ear.known, EPOLLIN);   /* nothing was asked of the kernel */
	assert_int_equal(write(heard.theirs, "x", 1), 1);
	turn(world);
	assert_int_equal(heard.times, 0);
	assert_int_equal(heard.ear.known, 0);         /* now it was */
	ear_listen(heard.real, &heard.ear, EPOLLIN);
	turn(world);
	assert_true(heard.times > 0);                  /* as often as it is looked */
	assert_int_equal(heard.events, EPOLLIN);
	end(&heard);
}

static void
the_end_of_a_pipe_is_told(void **state)
{
	struct world *world = *state;
	struct heard heard;
	listen_to_pipe(world, &heard);
	close(heard.theirs);
	turn(world);
	assert_true(heard.times > 0);
	assert_int_equal(heard.events, EPOLLHUP);
	heard.theirs = -1;
	end(&heard);
}

/* Both came at once; the first one told closes the other. */
static void
a_closed_one_hears_nothing(void **state)
{
	struct world *world = *state;
	struct heard two[2];
	for (int i = 0; i < 2; i++) {
		listen_to_pipe(world, &two[i]);
		two[i].ends = &two[1 - i];
		assert_int_equal(write(two[i].theirs, "x", 1), 1);
	}
	turn(world);
	turn(world);
	assert_true(two[0].times == 0 || two[1].times == 0);
	assert_true(two[0].times > 0 || two[1].times > 0);
	end(&two[0]);
	end(&two[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_world(what_is_not_wanted_is_not_told),
		on_world(the_end_of_a_pipe_is_told),
		on_world(a_closed_one_hears_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
