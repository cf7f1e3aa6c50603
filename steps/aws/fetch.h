/* An object of S3 into a file: streamed, held against what S3 says of it, and named only
 * when it is whole. Part of a step that has it in its state. */
#ifndef STEPS_AWS_FETCH_H
#define STEPS_AWS_FETCH_H

#include "../steps/aws/s3.h"

struct fetch {
	/* given */
	struct s3_place place;
	struct s3_object object;                      /* as a HEAD told it */
	const char *path;
	bool staged; /* the file is only on the way to an effect: of `struct how` */
	unsigned get_slot, read_slot, file_slot, write_slot;

	/* found */
	uint64_t bytes;
	const char *sha256;                           /* hex, once all bytes came */

	/* its own */
	enum { FETCH_OPEN, FETCH_STREAM, FETCH_WHOLE, FETCH_NAME } state;
	struct digest *digest, *md5;
	char *piece;
	size_t got;
	bool at_end, answered;
};

enum verdict fetch_begin(struct step *step, struct fetch *fetch);
/* STEP_DONE: all bytes are in a file without a name (sha256 is set), or, after
 * fetch_name, the file is at its path. STEP_WAIT, or how the step ends. */
enum verdict
fetch_event(struct step *step, struct fetch *fetch, const struct event *event);
enum verdict fetch_name(struct step *step, struct fetch *fetch);

#endif
