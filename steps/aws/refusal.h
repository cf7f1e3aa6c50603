/* What a service that refused is told as: what was asked of which service, its code and
 * words, and whatever helps to go on: whose the credentials are, where the bucket is, how
 * far the clocks are apart. */
#ifndef STEPS_AWS_REFUSAL_H
#define STEPS_AWS_REFUSAL_H

#include "../steps/aws/aws.h"

/* Sets step->err, transient as `error` says. `op` is the HTTP operation that it answers. */
void refusal_tell(struct step *step, const struct op *op, const struct aws_error *error);

/* "s3:PutObject", as IAM policies name it: read off the request. "s3" where the method
 * tells no more. */
const char *refusal_action(struct arena *mem, const struct http_ask *ask);

/* A part of the credential scope of the request's signature: whose key, for where, of
 * what. Empty: it was not signed. */
enum refusal_scope { REFUSAL_KEY = 0, REFUSAL_REGION = 2, REFUSAL_SERVICE = 3 };
struct str refusal_scope(const struct http_ask *ask, enum refusal_scope part);

/* The region that an S3 answer names for its bucket (x-amz-bucket-region, <Region>);
 * empty: none. */
struct str refusal_region(struct arena *mem, const struct http_answer *answer);

#endif
