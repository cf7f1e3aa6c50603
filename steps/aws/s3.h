/* S3 objects: places, requests, what a HEAD says. Keys are encoded once and signed as
 * they stand (S3 API reference). */
#ifndef STEPS_AWS_S3_H
#define STEPS_AWS_S3_H

#include "../steps/aws/aws.h"

struct s3_place {
	const char *bucket;
	struct str key; /* without the leading slash; empty: the whole bucket */
	bool is_prefix; /* ends in '/', or no key: all objects below */
};

/* "s3://bucket/key". Refuses control characters and bucket names that S3 does not allow.
 */
bool
s3_place_parse(struct arena *mem, struct str text, struct s3_place *out, struct err *err);
bool s3_is_place(struct str text);
struct str s3_path(struct arena *mem, struct str key); /* "/key", encoded */

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
};

/* Start a request for the object. */
enum verdict
s3_head(struct step *step, struct how how, struct now now, const struct s3_place *place);
enum verdict s3_delete_object(struct step *step, struct how how, struct now now,
	const struct s3_place *place, struct str version);

/* What the answer of a HEAD or GET says; a 404 is an object that does not exist. false:
 * step->err is set, end with *verdict. */
bool s3_object_read(struct step *step, const struct op *op, struct s3_object *out,
	enum verdict *verdict);
void s3_object_headers(
	struct arena *mem, const struct http_answer *answer, struct s3_object *out);

struct value s3_object_value(struct arena *mem,
	const struct s3_object *object); /* for previews: {exists, bytes, …} */

#endif
