/* S3 objects: places, requests, what a HEAD says. Keys are encoded once and signed as
 * they stand (S3 API reference). */
#ifndef STEPS_AWS_S3_H
#define STEPS_AWS_S3_H

#include "../steps/aws/aws.h"

struct s3_place {
	const char *bucket;
	struct str key; /* without the leading slash; empty: the whole bucket */
	bool is_prefix; /* ends in '/', or no key: all objects below */
	const char *region; /* of the bucket; NULL: the step's */
	bool moved; /* it answered that it is in that region */
	/* found before, for many requests in a row; NULL: looked up by each */
	const struct endpoint *endpoint;
};

/* "s3://bucket/key". Refuses control characters and bucket names that S3 does not allow.
 */
bool
s3_place_parse(struct arena *mem, struct str text, struct s3_place *out, struct err *err);
bool s3_is_place(struct str text);
struct str s3_path(struct arena *mem, struct str key); /* "/key", encoded */

/* Finds where its requests go, once for all of them: place->endpoint. */
bool s3_find(struct step *step, struct s3_place *place);
/* A request for the place, to be completed and given to aws_send. */
struct aws_call
s3_call(struct arena *mem, const struct s3_place *place, const char *method);
/* The bucket is in another region, and this answer says in which (301 or 400 with
 * x-amz-bucket-region): the place knows it from now on, it was said, and the same is to
 * be asked again. Once. */
bool s3_moved(struct step *step, const struct op *op, struct s3_place *place);
/* "/bucket/key?versionId=…": the value of x-amz-copy-source. */
const char *
s3_source(struct arena *mem, const struct s3_place *place, struct str version);

/* What rbx writes: the digest of the content in base64. S3 gives none of its own for an
 * object of several parts, and S3-like stores give none at all. */
#define S3_OUR_DIGEST "x-amz-meta-rbx-sha256"

struct s3_object {
	bool exists;
	uint64_t size;
	int64_t modified;                             /* us; 0: not said */
	struct str etag, version;                     /* etag without its quotes */
	struct str sha256; /* x-amz-checksum-sha256, base64; empty: not said */
	struct value metadata; /* x-amz-meta-*, names without that */
	bool is_encrypted; /* by KMS or a customer's key: its ETag is no MD5 */
	bool is_marker; /* it does not exist because a delete marker stands there */
};

/* Start a request for the object. */
enum verdict
s3_head(struct step *step, struct how how, struct now now, const struct s3_place *place);
/* Its bytes as a stream, in slot: those that a HEAD told of, and nothing that has taken
 * their place since. */
enum verdict s3_stream(struct step *step, unsigned slot, struct now now,
	const struct s3_place *place, const struct s3_object *object);
enum verdict s3_delete_object(struct step *step, struct how how, struct now now,
	const struct s3_place *place, struct str version);
/* A former version over what is there now: a copy within the bucket. */
enum verdict s3_put_back(struct step *step, struct how how, struct now now,
	const struct s3_place *place, struct str version);

/* Undo of a step that `did` ("wrote") the object that is there now: nothing to do where it
 * is what the preview saw (step->was): STEP_DONE; refused where it is neither that nor
 * `ours`; else what was not there is removed, and a former version put back: STEP_WAIT. */
enum verdict s3_go_back(struct step *step, struct now now, const struct s3_place *place,
	const struct s3_object *there, bool ours, const char *did);

/* What the answer of a HEAD or GET says; a 404 is an object that does not exist. false:
 * step->err is set, end with *verdict. */
bool s3_object_read(struct step *step, const struct op *op, struct s3_object *out,
	enum verdict *verdict);
void s3_object_headers(
	struct arena *mem, const struct http_answer *answer, struct s3_object *out);

struct value s3_object_value(struct arena *mem,
	const struct s3_object *object); /* for previews: {exists, bytes, …} */
/* Whether both have the same content, as far as can be said without reading it: the same
 * length, and the same SHA-256, or the same ETag where one of them has no SHA-256. */
bool s3_object_same(const struct s3_object *a, const struct s3_object *b);
/* Whether it is what a preview saw, as s3_object_value told it. */
bool s3_object_was(const struct value *was, const struct s3_object *object);
/* The time of the server's clock when it answered; 0: not said. */
int64_t s3_date(const struct op *op);

#endif
