/* One object copied by the server: CopyObject, and above 5 GiB, which that refuses, part
 * by part (UploadPartCopy), several in flight. The source is pinned by its ETag, so that
 * no copy is made of two objects. The step that uses it owns the slots
 * [first_slot, first_slot + 1 + COPY_PARALLEL): the first for control. */
#ifndef STEPS_AWS_COPY_H
#define STEPS_AWS_COPY_H

#include "../steps/aws/multipart.h"

enum { COPY_PARALLEL = 6, COPY_MOST_HEADERS = 48 };
#define COPY_MOST_WHOLE (UINT64_C(5) << 30)           /* bytes; S3 API, CopyObject */

enum copy_state {
	COPY_NONE,
	COPY_ABORT_SAVED,
	COPY_SOURCE,
	COPY_WHOLE,
	COPY_PARTS,
	COPY_CHECK
};

struct copy {
	struct s3_place from, to;
	unsigned first_slot;
	enum copy_state state;
	struct s3_object source;                      /* known after COPY_SOURCE */
	const char *source_name;
	struct header headers[COPY_MOST_HEADERS];     /* of the object, for its parts */
	size_t n_headers;
	struct multipart multi;
	uint64_t part_size, copied;
	unsigned parts, next, acknowledged, tried;
	unsigned flying[COPY_PARALLEL];               /* part number; 0: free */
	struct s3_object object;                      /* after DONE */
};

void copy_begin(
	struct copy *copy, struct s3_place from, struct s3_place to, unsigned first_slot);
/* First what an earlier attempt began is given up. */
enum verdict copy_start(struct step *step, struct copy *copy, struct now now);
bool copy_owns(const struct copy *copy, const struct event *event);
/* STEP_DONE: copy->object stands there. */
enum verdict copy_event(struct step *step, struct copy *copy, const struct event *event);
/* After EV_CANCEL: what was begun is given up. */
enum verdict copy_cancel(struct step *step, struct copy *copy, struct now now);

#endif
