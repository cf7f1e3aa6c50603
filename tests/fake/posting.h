/* The smallest host that a store needs: a clock, an identity, and a queue of what was posted. */
#ifndef TESTS_FAKE_POSTING_H
#define TESTS_FAKE_POSTING_H

#include "host/host.h"

struct posting;

struct host *posting_new(struct arena *mem);
struct op *posting_wait(struct host *host);           /* the next completion, from whatever thread */
void posting_self(struct host *host, struct self self);
void posting_env(struct host *host, const char *name, const char *value);  /* one at a time */

#endif
