/* OP_SLEEP, which is its deadline, and OP_POSTED, which another thread completes. */
#include "host/real.h"

static void
sleep_over(void *with)
{
	struct handle *handle = with;
	struct real *real = handle->real;
	struct op *op = handle->op;
	handle_free(handle);
	real_answer(real, op, NULL);
}

static void
sleep_start(struct real *real, struct op *op)
{
	handle_deadline(handle_new(real, op, sizeof(struct handle)), sleep_over);
}

static void
sleep_cancel(struct real *real, struct op *op)
{
	handle_free(op->handle);
	real_fail(real, op, REACH_NONE, ERR_CANCELLED, "cancelled");
}

const struct real_kind real_sleep = {.start = sleep_start, .cancel = sleep_cancel};

/* Whoever posts it holds it: neither deadline nor cancel may complete it before. */
static void
posted_start(struct real *real, struct op *op)
{
	(void)real, (void)op;
}

static void
posted_cancel(struct real *real, struct op *op)
{
	(void)real, (void)op;
}

const struct real_kind real_posted = {.start = posted_start, .cancel = posted_cancel};
