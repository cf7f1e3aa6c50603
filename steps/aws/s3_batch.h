/* Deleting many objects, or versions of them, a thousand a request (DeleteObjects),
 * several requests in flight. What the server could not delete for now is asked for
 * again. The step that uses it owns the slots [first_slot, first_slot + S3_BATCH_LANES).
 */
#ifndef STEPS_AWS_S3_BATCH_H
#define STEPS_AWS_S3_BATCH_H

#include "../steps/aws/s3.h"

enum { S3_BATCH_LANES = 3, S3_BATCH_KEYS = 1000 };

struct s3_doomed {
	struct str key, version; /* the adder's, as long as the step */
	unsigned tried;
};

struct s3_batch_lane {
	struct arena *mem;
	size_t from, n;                               /* of keys; n 0: free */
	bool alone;                                   /* one key, by DELETE */
};

struct s3_batch {
	struct s3_place place;                        /* the bucket */
	unsigned first_slot;
	struct s3_doomed *keys;
	size_t n, cap, next;
	bool ended;                                   /* no more keys are added */
	struct s3_batch_lane lanes[S3_BATCH_LANES];
	uint64_t deleted, failed;
	struct err first;                             /* why the first that failed did */
	int64_t date; /* server's clock, last answer; us */
};

void s3_batch_begin(struct s3_batch *batch, struct arena *mem, struct s3_place place,
	unsigned first_slot);
void s3_batch_add(
	struct s3_batch *batch, struct arena *mem, struct str key, struct str version);
/* Start what can be started. STEP_WAIT: requests are in flight. STEP_DONE: none is, and
 * none can be started: after `ended`, all were answered. */
enum verdict s3_batch_go(struct step *step, struct s3_batch *batch, struct now now);
bool s3_batch_owns(const struct s3_batch *batch, const struct event *event);
/* As s3_batch_go after the event was taken; STEP_PARTIAL, STEP_FAIL, STEP_DOUBT:
 * step->err is set. Some keys that failed are STEP_PARTIAL once all was answered. */
enum verdict s3_batch_event(
	struct step *step, struct s3_batch *batch, const struct event *event);

#endif
