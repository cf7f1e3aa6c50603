/* One object from a stream of unknown length: parts of equal size (some stores demand
 * it), each kept in memory until it is acknowledged, several in flight; nothing appears
 * before upload_finish. A stream that fits into one part is one PUT. The step that uses
 * it owns slots [first_slot, first_slot + parallel + 1): the first for control, the
 * others for parts. */
#ifndef STEPS_AWS_UPLOAD_H
#define STEPS_AWS_UPLOAD_H

#include "../steps/aws/s3.h"

enum { UPLOAD_LEAST_PART = 5 << 20, UPLOAD_MOST_PARTS = 10000, UPLOAD_PARALLEL = 8 };

enum upload_state {
	UPLOAD_EMPTY,
	UPLOAD_CREATING,
	UPLOAD_SAVING,
	UPLOAD_OPEN,
	UPLOAD_COMPLETING,
	UPLOAD_ABORTING,
	UPLOAD_DONE,
	UPLOAD_FAILED
};

struct upload_part {
	char *bytes;
	size_t n;
	unsigned number;                              /* from 1; 0: free */
	bool sending;
};

struct upload {
	struct s3_place place;
	const struct header *headers; /* of the object: content type, metadata */
	size_t n_headers;
	unsigned first_slot, parallel;
	size_t part_size;
	enum upload_state state;
	struct str id;
	struct upload_part parts[UPLOAD_PARALLEL];
	struct upload_part
		*filling; /* the one that bytes go into; NULL: all are in flight */
	unsigned sent, acknowledged;
	const char *etags[UPLOAD_MOST_PARTS];
	bool ended; /* no more bytes; upload_finish was called */
	enum verdict failed_as; /* what the step ends with after an abort */
	struct err failed_with;
	bool completing_sent;
	struct s3_object object;                      /* after DONE */
};

/* part_size and parallel from `memory` bytes of buffers and the expected size of the
 * stream (0: unknown). */
void upload_begin(struct upload *upload, struct arena *mem, struct s3_place place,
	size_t memory, uint64_t expected, unsigned first_slot);
/* Where the next bytes go and how many fit; *room 0: none now, wait for a part to be
 * acknowledged. */
char *upload_room(struct upload *upload, size_t *room);
/* n bytes were put there. Starts what can be started: STEP_WAIT; STEP_DONE: nothing is in
 * flight; else failed. */
enum verdict
upload_filled(struct step *step, struct upload *upload, struct now now, size_t n);
enum verdict upload_finish(struct step *step, struct upload *upload, struct now now);
/* Give up: what was begun is removed. Ends with `verdict` and a copy of step->err. */
enum verdict upload_abort(
	struct step *step, struct upload *upload, struct now now, enum verdict verdict);
/* After EV_CANCEL, when nothing is in flight any more: give up as above. */
enum verdict upload_cancel(
	struct step *step, struct upload *upload, struct now now, enum verdict verdict);
/* Hand on every event of the slots of the upload, and EV_SAVED. STEP_DONE once the object
 * is there: upload->object; STEP_WAIT before; else as failed. */
enum verdict
upload_event(struct step *step, struct upload *upload, const struct event *event);
bool upload_owns(const struct upload *upload, const struct event *event);

/* Abort an upload of an earlier attempt, as step->saved names it. STEP_WAIT: one request
 * in `slot` is under way. */
enum verdict upload_abort_saved(struct step *step, struct now now, unsigned slot);

#endif
