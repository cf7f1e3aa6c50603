/* What the tests of the store share: a folder that goes away, and calls that wait. */
#ifndef TESTS_UNIT_STORE_H
#define TESTS_UNIT_STORE_H

#include "../unit.h"

#include "../../fake/posting.h"
#include "store/store.h"

struct desk {
	struct arena *mem;
	struct host *host;
	char folder[64], where[80];                /* where: folder/store, not made yet */
};

int desk_set(void **state);                           /* cmocka's setup and teardown */
int desk_set_fast(void **state);                     /* in memory, where a sync is free */
int desk_clear(void **state);

struct store *desk_open(struct desk *desk);           /* fails the test where it cannot */
/* `n` records of which the first is `seq`; 1 is a `run`, the others are intents. */
enum ack desk_append(struct desk *desk, struct store *store, const char *run,
	uint64_t seq, size_t n);
enum ack desk_end(struct desk *desk, struct store *store, const char *run, uint64_t seq);
enum ack desk_batch(struct desk *desk, struct store *store, const struct batch *batch,
	const char **why);
const struct claim_answer *desk_claim(struct desk *desk, struct store *store,
	const char *run, const char *const *locks);
/* Verified; fails the test if it is damaged. */
uint64_t desk_count(struct store *store, const char *run);

#endif
