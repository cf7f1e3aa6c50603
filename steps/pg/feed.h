/* A dump that goes from an open stream, an object or a file, into the standard input of a
 * tool: one that broke off never looks like a good end to it. Part of a step that has it
 * in its state, and that starts the source and the tool. */
#ifndef STEPS_PG_FEED_H
#define STEPS_PG_FEED_H

#include "run/step.h"

enum { FEED_TAIL = 4096 };

struct feed {
	/* given */
	unsigned source_slot, read_slot, write_slot, tool_slot;
	uint64_t expected;                            /* bytes of the source */
	bool is_script; /* what pg_dump writes as SQL says at its end that it is whole */

	/* found */
	bool has_begun; /* the first piece came: the tool may be started */
	uint64_t bytes;
	struct err error;                             /* of the source */
	const struct exec_answer *ended;              /* the tool */

	/* its own */
	char *piece, tail[FEED_TAIL];
	size_t got, n_tail;
	bool has_header, tool_runs, reading, writing, at_end, answered, closed;
};

/* The source has been started. */
enum verdict feed_begin(struct step *step, struct feed *feed);
/* The source is good, as its own answer says. Without that the tool gets no end. */
void feed_answered(struct feed *feed);
void feed_failed(struct feed *feed, const struct err *err);
/* The tool has been started. */
enum verdict feed_tool(struct step *step, struct feed *feed);
/* Of the read, write and tool slots, and after feed_answered and feed_failed. STEP_DONE:
 * the tool has ended. */
enum verdict feed_event(struct step *step, struct feed *feed, const struct event *event);

#endif
