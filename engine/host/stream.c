/* OP_READ and OP_WRITE: parts of a stream that another operation opened. */
#include "host/real.h"

static struct op *
stream_of(const struct op *part)
{
	return part->kind == OP_READ ? ((const struct read_ask *)part->ask)->from
	                             : ((const struct write_ask *)part->ask)->to;
}

static void
part_over(void *with)
{
	struct handle *handle = with;
	struct real *real = handle->real;
	struct op *part = handle->op, *stream = stream_of(part);
	real_kinds[stream->kind]->stop(real, stream, part);
	if (handle->cancelled)
		real_fail(real, part, part->reach, ERR_CANCELLED, "cancelled");
	else
		real_fail(real, part, part->reach, ERR_TIMEOUT,
			"no data moved before the deadline");
}

static void
part_cancel(struct real *real, struct op *part)
{
	(void)real;
	part_over(part->handle);
}

static void
part_start(struct real *real, struct op *part)
{
	struct op *stream = stream_of(part);
	const struct real_kind *kind = real_kinds[stream->kind];
	void (*move)(struct real *, struct op *, struct op *) = NULL;
	if (kind != NULL)
		move = part->kind == OP_READ ? kind->read : kind->write;
	if (stream->handle == NULL || move == NULL) {
		real_fail(real, part, REACH_NONE, ERR_IO, "the stream is not open");
		return;
	}
	handle_deadline(handle_new(real, part, sizeof(struct handle)), part_over);
	move(real, stream, part);
}

const struct real_kind real_read = {.start = part_start, .cancel = part_cancel};
const struct real_kind real_write = {.start = part_start, .cancel = part_cancel};
