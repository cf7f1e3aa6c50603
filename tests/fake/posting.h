/* The smallest host that a store needs: a clock, an identity, and a queue of what was
 * posted. */
#ifndef TESTS_FAKE_POSTING_H
#define TESTS_FAKE_POSTING_H

#include "host/host.h"

struct posting;

struct host *posting_new(struct arena *mem);
/* The next completion, from whatever thread. */
struct op *posting_wait(struct host *host);
void posting_self(struct host *host, struct self self);
/* One variable at a time. */
void posting_env(struct host *host, const char *name, const char *value);

#endif
