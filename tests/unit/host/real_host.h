/* The real host in unit tests: opened for each case, with a short grace, and a bound on
 * every wait that only a hang reaches. */
#ifndef TESTS_UNIT_HOST_REAL_HOST_H
#define TESTS_UNIT_HOST_REAL_HOST_H

#include "../unit.h"

#include "host/host.h"

struct world {
	struct host *host;
	struct arena *mem;
};

enum { HANG_S = 30 };

static inline int64_t
in_ns(struct world *world, int64_t ns)
{
	return world->host->type->now(world->host).boot + ns;
}

static inline int
world_open(void **state)
{
	struct err err = {0};
	struct world *world = calloc(1, sizeof *world);
	struct host_options options = {.grace = 200 * NS_MS};
	world->mem = arena_new();
	world->host = host_open(&options, &err);
	assert_non_null(world->host);
	*state = world;
	return 0;
}

static inline int
world_close(void **state)
{
	struct world *world = *state;
	assert_true(host_close(world->host));
	arena_free(world->mem);
	free(world);
	return 0;
}

static inline struct op *
op_start(struct world *world, enum op_kind kind, const void *ask, int64_t deadline_ns)
{
	struct op *op = arena_new_of(world->mem, struct op);
	op->kind = kind;
	op->ask = ask;
	op->mem = world->mem;
	op->deadline = in_ns(world, deadline_ns);
	world->host->type->start(world->host, op);
	return op;
}

/* The next completion; fails the case when none comes. */
static inline struct op *
op_next(struct world *world)
{
	int signal;
	int64_t until = in_ns(world, HANG_S * NS_S);
	struct op *op = world->host->type->wait(world->host, until, &signal);
	assert_int_equal(signal, 0);
	assert_non_null(op);
	return op;
}

static inline struct op *
op_run(struct world *world, enum op_kind kind, const void *ask)
{
	struct op *op = op_start(world, kind, ask, HANG_S * NS_S);
	assert_ptr_equal(op_next(world), op);
	return op;
}

/* Nothing completes meanwhile. */
static inline void
op_none_for(struct world *world, int64_t ns)
{
	assert_null(world->host->type->wait(world->host, in_ns(world, ns), NULL));
}

static inline void
op_none(struct world *world)
{
	op_none_for(world, 0);
}

#define on_world(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

#endif
