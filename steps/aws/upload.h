/* One object from a stream: parts of equal size (some stores demand it), each kept in
 * memory until it is acknowledged, several in flight; nothing appears before
 * upload_finish. A stream that fits into one part is one PUT. The step that uses it owns
 * slots [first_slot, first_slot + parallel + 1): the first for control, the others for
 * parts.
 *
 * What is sent is checked twice: the signature covers the SHA-256 of each part, and S3
 * itself compares Content-MD5, or at amazonaws.com CRC64NVME, of parts and whole. The
 * ETag of a part is compared with its MD5. */
#ifndef STEPS_AWS_UPLOAD_H
#define STEPS_AWS_UPLOAD_H

#include "../steps/aws/crc64.h"
#include "../steps/aws/multipart.h"

enum { UPLOAD_LEAST_PART = 5 << 20, UPLOAD_PARALLEL = 8, UPLOAD_MOST_HEADERS = 48 };

enum upload_state {
	UPLOAD_EMPTY,
	UPLOAD_LISTING, /* the parts that are there already */
	UPLOAD_MULTI, /* parts; see multi.state */
	UPLOAD_WHOLE, /* one PUT is in flight */
	UPLOAD_ABORTING,
	UPLOAD_DONE,
	UPLOAD_FAILED,
};

struct upload_part {
	char *bytes;
	size_t n;
	unsigned number;                              /* from 1; 0: free */
	bool sending;
	unsigned tried;
	struct digest *sha256, *md5; /* of what is in it; md5 NULL: none */
	uint8_t sha256_sum[SHA256_SIZE], md5_sum[SHA256_SIZE];
};

struct upload_had { uint64_t size; const char *etag; }; /* etag NULL: no such part */

struct upload {
	struct arena *mem;
	struct multipart multi;
	const struct header *headers; /* of the object: content type, metadata */
	size_t n_headers;
	const struct header *condition;               /* If-None-Match, or NULL */
	unsigned first_slot, parallel;
	size_t part_size;
	/* The stream can be read again: an upload that broke off is kept, so that the
	 * next attempt goes on with it. */
	bool resumes;
	bool lost; /* after upload_resume: there is no such upload any more */
	enum upload_state state;
	struct upload_part parts[UPLOAD_PARALLEL];
	struct upload_part
		*filling; /* the one that bytes go into; NULL: all are in flight */
	unsigned sent, acknowledged;
	uint64_t bytes_done;                          /* acknowledged */
	struct upload_had *had; /* by number - 1; NULL: a new upload */
	struct str next_had;
	bool is_aws, ended; /* ended: no more bytes; upload_finish was called */
	struct crc64 *crc;
	uint64_t crc_all;
	struct header object_headers[UPLOAD_MOST_HEADERS], conditions[3];
	enum verdict failed_as; /* what the step ends with after an abort */
	struct err failed_with;
	bool completing_sent;
	bool is_taken; /* another object stands there (412) */
	struct s3_object object;                      /* after DONE */
};

/* part_size and parallel from `memory` bytes of buffers and the expected size of the
 * stream (0: unknown). */
void upload_begin(struct upload *upload, struct arena *mem, struct s3_place place,
	size_t memory, uint64_t expected, unsigned first_slot);
/* Go on with the upload that an earlier attempt made with the same part size: parts that
 * are there with the same MD5 are not sent again. STEP_DONE from upload_event: the stream
 * may begin, or `lost` is set. */
enum verdict upload_resume(
	struct step *step, struct upload *upload, struct now now, struct str id);
/* Where the next bytes go and how many fit; *room 0: none now, wait for a part to be
 * acknowledged. */
char *upload_room(struct upload *upload, size_t *room);
/* n bytes were put there. Starts what can be started: STEP_WAIT; STEP_DONE: nothing is in
 * flight; else failed. */
enum verdict
upload_filled(struct step *step, struct upload *upload, struct now now, size_t n);
enum verdict upload_finish(struct step *step, struct upload *upload, struct now now);
/* Give up: what was begun is removed, unless it is kept to be resumed. Ends with
 * `verdict` and a copy of step->err. */
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

#endif
