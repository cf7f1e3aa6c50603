/* A store of one run that lives in memory, in the place of the real one: link memory.c into
 * the test itself. Each append is answered when the test wants it to be, and as it wants. */
#ifndef TESTS_FAKE_MEMORY_H
#define TESTS_FAKE_MEMORY_H

#include "store/store.h"

struct store *memory_new(struct arena *mem, struct host *host);
/* The append of that number (1: the first of all) is answered with `ack`; the others are
 * durable. */
void memory_answer(struct store *store, unsigned number, enum ack ack, const char *why);
/* Answers wait until memory_go. */
void memory_hold(struct store *store);
void memory_go(struct store *store);
unsigned memory_appends(const struct store *store);    /* that were begun */
/* Of the append of that number, as it came. NULL: there was none. */
const struct batch *memory_batch(const struct store *store, unsigned number);
/* What is durable. */
const struct record *memory_records(const struct store *store, size_t *n);

#endif
