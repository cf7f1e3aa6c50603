/* One multipart upload: made, its id saved before the first part, completed or given up.
 * Whoever uses it sends the parts (UploadPart, UploadPartCopy) and owns `slot` for the
 * rest. The saved value is {upload_id, bucket, key, region?, …more}, by which a resume
 * finds it and `rbx gc` removes what nobody completed. */
#ifndef STEPS_AWS_MULTIPART_H
#define STEPS_AWS_MULTIPART_H

#include "../steps/aws/s3.h"

enum { MULTIPART_MOST = 10000 };                      /* parts */

enum multipart_state {
	MULTIPART_NONE,
	MULTIPART_CREATING,
	MULTIPART_SAVING,
	MULTIPART_OPEN,                               /* parts may be sent */
	MULTIPART_COMPLETING,
	MULTIPART_LOOKING, /* whether the object is there after all */
	MULTIPART_ABORTING,
	MULTIPART_DONE,
	MULTIPART_FAILED,
};

struct multipart {
	struct s3_place place;
	unsigned slot;
	struct arena *mem;                            /* of its requests and answers */
	const struct header *headers;                 /* of the object */
	size_t n_headers;
	const struct header *conditions; /* of its completion: If-None-Match, checksum */
	size_t n_conditions;
	struct map_builder more;                      /* saved beside the id */
	enum multipart_state state;
	struct str id;
	const char **etags;                           /* by part number - 1 */
	unsigned n;                                   /* parts, when it is completed */
	enum verdict failed_as;
	struct err failed_with;
	bool is_taken; /* another object stands there, and If-None-Match was asked */
	struct s3_object object;                      /* after DONE */
};

void multipart_begin(struct multipart *multi, struct arena *mem, struct s3_place place,
	unsigned slot);
enum verdict multipart_create(struct step *step, struct multipart *multi, struct now now);
/* Go on with one that an earlier attempt made. */
void multipart_reopen(struct multipart *multi, struct str id);
/* What a part is asked of: PUT with partNumber and uploadId. */
struct aws_call
multipart_part(struct arena *mem, const struct multipart *multi, unsigned number);
/* The parts 1 to n are there, each with its ETag. */
enum verdict multipart_complete(
	struct step *step, struct multipart *multi, struct now now, unsigned n);
/* Give up, when no part is in flight any more; ends with `verdict` and step->err as it is
 * now. */
enum verdict multipart_abort(struct step *step, struct multipart *multi, struct now now,
	enum verdict verdict);
bool multipart_owns(const struct multipart *multi, const struct event *event);
/* STEP_DONE: it is OPEN, or DONE. STEP_WAIT, or how the step ends. */
enum verdict multipart_event(
	struct step *step, struct multipart *multi, const struct event *event);

/* The ETag that S3 gives the whole: the MD5 of the parts' MD5s, "-", their number. Empty:
 * an ETag is no MD5 (encryption by KMS), or there is no MD5 (FIPS). */
struct str multipart_etag(struct arena *mem, const char *const *etags, unsigned n);

/* The id of the upload to this place that an earlier attempt saved; empty: none. */
struct str multipart_saved(const struct step *step, const struct s3_place *place);
/* Give up the upload of an earlier attempt, as step->saved names it. STEP_WAIT: one
 * request in `slot` is under way; STEP_DONE: there is none. */
enum verdict multipart_abort_saved(struct step *step, struct now now, unsigned slot);
/* `leftover` and `sweep` of the step types that upload. */
enum verdict multipart_leftover(struct step *step, const struct event *event);
/* All uploads to the very object that `to` names. */
enum verdict multipart_astray(struct step *step, const struct event *event);
enum verdict multipart_sweep(struct step *step, const struct event *event);

#endif
