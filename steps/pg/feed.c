#include "../steps/pg/feed.h"

enum { PIECE = 256 << 10 };

static enum verdict
read_on(struct step *step, struct feed *feed)
{
	if (feed->reading || feed->writing || feed->at_end || feed->ended != NULL
		|| (feed->has_begun && !feed->tool_runs))
		return STEP_WAIT;
	feed->reading = true;
	return step_read(
		step, feed->read_slot, feed->source_slot, feed->piece, PIECE, NULL);
}

enum verdict
feed_begin(struct step *step, struct feed *feed)
{
	feed->piece = arena_alloc(step->mem, PIECE);
	return read_on(step, feed);
}

static void
keep_tail(struct feed *feed)
{
	size_t n = feed->got < FEED_TAIL ? feed->got : FEED_TAIL,
	       kept = feed->n_tail + n > FEED_TAIL ? FEED_TAIL - n : feed->n_tail;
	memmove(feed->tail, feed->tail + feed->n_tail - kept, kept);
	memcpy(feed->tail + kept, feed->piece + feed->got - n, n);
	feed->n_tail = kept + n;
}

/* pg_dump and pg_dumpall: "-- PostgreSQL database dump" begins, "-- PostgreSQL database
 * dump complete" ends, but for a line or two. */
static bool
is_cut_off(const struct feed *feed)
{
	struct str tail = {feed->tail, feed->n_tail};
	return feed->is_script && feed->has_header
		&& str_find(tail, STR("dump complete")) == tail.n;
}

static void
piece_read(struct step *step, struct feed *feed, const struct op *op)
{
	const struct read_answer *answer = op->answer;
	feed->reading = false;
	if (op->err.code != ERR_NONE) {
		feed_failed(feed, &op->err);
		return;
	}
	feed->got = answer->got;
	if (feed->bytes == 0) {
		struct str head = {feed->piece, feed->got < 256 ? feed->got : 256};
		feed->has_header = str_find(head, STR("-- PostgreSQL database")) < head.n;
	}
	feed->bytes += answer->got;
	feed->at_end = answer->end;
	feed->has_begun = true;
	keep_tail(feed);
	step_progress(step, feed->bytes, feed->expected, "B");
}

void
feed_answered(struct feed *feed)
{
	feed->answered = true;
}

void
feed_failed(struct feed *feed, const struct err *err)
{
	if (feed->error.code == ERR_NONE)
		feed->error = *err;
	feed->at_end = feed->answered = true;
}

static enum verdict
write_on(struct step *step, struct feed *feed)
{
	if (feed->got == 0 || feed->error.code != ERR_NONE)
		return STEP_WAIT;
	feed->writing = true;
	return step_write(step, feed->write_slot, feed->tool_slot,
		(struct str){feed->piece, feed->got}, false);
}

static enum verdict
close_tool(struct step *step, struct feed *feed)
{
	if (!feed->at_end || !feed->answered || feed->writing || feed->closed
		|| !feed->tool_runs || feed->ended != NULL)
		return STEP_WAIT;
	feed->closed = true;
	if (feed->error.code == ERR_NONE && feed->bytes != feed->expected)
		err_set(&feed->error, ERR_PROTOCOL, "%llu bytes came of %llu",
			(unsigned long long)feed->bytes,
			(unsigned long long)feed->expected);
	if (feed->error.code == ERR_NONE && is_cut_off(feed))
		err_set(&feed->error, ERR_VALUE,
			"it does not end as pg_dump ends a script: it was cut off");
	/* To end the tool by force would leave in doubt what it says by itself:
	 * pg_restore misses what is missing, and psql rolls back what is no SQL, wherever
	 * the script broke off, in a COPY too. */
	struct str last = {NULL, 0};
	if (feed->error.code != ERR_NONE && feed->is_script)
		last = STR("\n\\.\n\\rbx_the_script_was_cut_off\n");
	feed->writing = true;
	return step_write(step, feed->write_slot, feed->tool_slot, last, true);
}

static enum verdict
go_on(struct step *step, struct feed *feed)
{
	enum verdict verdict = close_tool(step, feed);
	return verdict == STEP_WAIT ? read_on(step, feed) : verdict;
}

enum verdict
feed_tool(struct step *step, struct feed *feed)
{
	feed->tool_runs = true;
	enum verdict verdict = write_on(step, feed);
	return verdict == STEP_WAIT ? go_on(step, feed) : verdict;
}

enum verdict
feed_event(struct step *step, struct feed *feed, const struct event *event)
{
	unsigned slot = event->op->slot;
	enum verdict verdict = STEP_WAIT;
	if (slot == feed->tool_slot) {
		if (event->op->err.code != ERR_NONE && feed->error.code == ERR_NONE)
			return step_fail_op(step, event->op);
		feed->ended = event->op->answer;
		return STEP_DONE;
	}
	if (slot == feed->read_slot) {
		piece_read(step, feed, event->op);
		if (feed->tool_runs)
			verdict = write_on(step, feed);
	} else if (slot == feed->write_slot) {
		/* One that failed: the tool has ended, and says why. */
		feed->writing = false;
		feed->got = 0;
	}
	return verdict == STEP_WAIT ? go_on(step, feed) : verdict;
}
