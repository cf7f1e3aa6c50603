/* The one way to an AWS service: endpoint, credentials, signature, retry set, error body.
 * Every step that speaks to AWS stands on it. */
#ifndef STEPS_AWS_AWS_H
#define STEPS_AWS_AWS_H

#include "../steps/aws/endpoint.h"
#include "../steps/aws/sigv4.h"

/* access_key_id, secret_access_key, token, region, account, arn, valid_until: from the
 * standard chain (environment, profile with assumed roles, web identity, process,
 * container, instance), then `role` where the step names one; identity: whose they are
 * (sts:GetCallerIdentity, asked once), or that it is unknown. */
extern const struct provider aws_credentials;

struct aws_call {
	const struct aws_service *service;
	const char *method;
	struct str path; /* already encoded; without the bucket */
	struct str query;                             /* already encoded; empty: none */
	const char *bucket; /* S3: in the host name, or before the path at an endpoint of
			       one's own */
	const char *host,
		*host_prefix; /* of the operation's model; NULL: the service's */
	bool is_unsigned; /* needs no credentials */
	const char *region; /* NULL: of the step, the profile, the environment */
	/* found before, for many calls in a row; NULL: for the service and region */
	const struct endpoint *endpoint;
	const struct header *headers; /* besides Host, X-Amz-*, Content-Type */
	size_t n_headers;
	const char *content_type;
	struct str body;
	const char
		*payload; /* hex SHA-256 of the body where it is known; NULL: computed */
	size_t most;                                  /* bytes of the answer; 0: 16 MiB */
	bool stream_out;
};

/* Of what the provider gave. */
struct sigv4_keys aws_keys(const struct step *step);

/* Sign and start. What is refused because of our clock or of a session that has ended is
 * signed again and sent once more (mend.h). Without credentials yet (step->got NULL) it is a bug. Returns
 * STEP_WAIT, or STEP_FAIL with err. */
enum verdict
aws_send(struct step *step, struct how how, struct now now, const struct aws_call *call);

/* The URL by which whoever holds it makes this very call with the step's credentials, for
 * `expires` seconds: PreSignedUrl of RDS and EC2, where the region that copies asks the
 * one that it copies from. Nothing is sent. NULL: step->err is set. */
const char *aws_presign(struct step *step, struct now now, const struct aws_call *call,
	int64_t expires);

/* What an answer says. */
struct aws_error {
	int status;
	struct str code, message, request_id; /* code empty: a 2xx with no error in it */
	bool transient; /* of the standard retry set: 5xx, throttles, timeouts */
	const char *action; /* as policies name it: "rds:DeleteDBInstance"; NULL: read off
			       the request */
};
bool aws_error_is_transient(const struct aws_error *error);

/* false: the operation failed, or the service answered with an error: *error and
 * step->err are set ("route53: AccessDenied: …"). `quiet` leaves step->err alone for an
 * error that was answered (a 404 that means "not there"). */
bool
aws_answered(struct step *step, const struct op *op, bool quiet, struct aws_error *error);
enum verdict
aws_fail(struct step *step, const struct op *op, const struct aws_error *error);

const struct header *
aws_header(const struct http_answer *answer, const char *name); /* NULL: not there */

/* The profile's and the environment's values that the chain and the endpoints read. */
const char *aws_home_file(struct step *step, const char *variable, const char *name);

#endif
