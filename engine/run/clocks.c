#include "run/clocks.h"

#include <string.h>

struct clock {
	struct clock *next;
	const char *host;
	int64_t us;
};

static struct clock *
clock_of(const struct clocks *clocks, const char *host)
{
	struct clock *it = clocks->first;
	while (it != NULL && strcmp(it->host, host) != 0)
		it = it->next;
	return it;
}

int64_t
clocks_get(const struct clocks *clocks, const char *host)
{
	const struct clock *clock = clocks == NULL ? NULL : clock_of(clocks, host);
	return clock == NULL ? 0 : clock->us;
}

void
clocks_set(struct clocks *clocks, const char *host, int64_t us)
{
	if (clocks == NULL)
		return;
	struct clock *clock = clock_of(clocks, host);
	if (clock == NULL) {
		clock = arena_new_of(clocks->mem, struct clock);
		*clock = (struct clock){
			.next = clocks->first, .host = arena_strdup(clocks->mem, host)};
		clocks->first = clock;
	}
	clock->us = us;
	if (clocks->learned != NULL)
		clocks->learned(clocks, clock->host, us);
}
