/* The operations of one attempt. A slot holds one operation at a time: it is started, perhaps sent again after a pause,
 * completes, and stays open where the operation is a stream that others read or write. */
#ifndef RUN_SLOT_H
#define RUN_SLOT_H

#include "run/step.h"

enum { SLOTS = 16, MOST_SLOTS = 32 };                 /* of a type that says no more; of any */

/* Whoever starts an operation puts one of these into op->owner, so that the loop needs to know nobody by name. */
struct waiter {
	void (*done)(struct waiter *waiter, struct op *op);
};

enum slot_use {
	SLOT_FREE,
	SLOT_FLYING,                                  /* the operation is the host's */
	SLOT_PAUSED,                                  /* waits before the same bytes are sent again */
	SLOT_RENEWING,                                /* waits for what the provider gives anew */
	SLOT_OPEN,                                    /* complete, and a stream that may be read or written */
};

struct attempt;

struct slot {
	struct waiter waiter;
	struct attempt *attempt;
	enum slot_use use;
	struct op op;                                 /* what the step sees */
	struct op pause;
	bool effect;                                  /* not only a read */
	bool stopped;                                 /* a completion was asked for: nothing is sent again */
	bool was_sent;                                /* a try before this one may have arrived */
	unsigned tries, tried;
	mend_fn *mend;
	bool was_mended, was_renewed;
	const char *title;
	struct masker *masks[2];                      /* of a child's standard output and error */
	bool keep_log;
};

/* Starts `kind` in how.slot of the attempt. `ask` is copied; `size` is that of its struct. */
enum verdict slot_start(struct attempt *attempt, struct how how, enum op_kind kind, const void *ask,
	size_t size, bool effect);
/* Asks for its completion; nothing where it is NULL, free or open. */
void slot_stop(struct slot *slot);
/* What it may wait for was fetched again, or could not be. NULL is accepted. */
void slot_renewed(struct slot *slot);
/* A stream that stayed open is given up; the slot is free. Nothing completes by it. NULL is accepted. */
void slot_close(struct slot *slot);
/* When the pause of a try may end, from SHA-256(key, attempt, slot, try): ns. `after`: what the far side asked for. */
int64_t slot_pause(const struct slot *slot, int64_t after);

#endif
