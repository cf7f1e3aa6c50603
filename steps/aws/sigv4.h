/* AWS Signature Version 4 (AWS General Reference, "Signing AWS API requests"), in the
 * Authorization header and in the query. Pure: the caller gives the time. The path and
 * query are the bytes that will stand on the wire; whoever sends them must not change
 * them. */
#ifndef STEPS_AWS_SIGV4_H
#define STEPS_AWS_SIGV4_H

#include "run/step.h"

struct sigv4_keys {
	struct str id, secret, token;                 /* token: empty without a session */
};

struct sigv4 {
	const char *method;
	struct str path, query;                       /* "/a%20b", "x=1&y=2" */
	const struct header
		*headers; /* all of them are signed; Host must be among them */
	size_t n_headers;
	const char *payload; /* hex SHA-256 of the body, or "UNSIGNED-PAYLOAD" */
	const char *service, *region;
	int64_t at;                                   /* us since 1970 */
	bool is_s3; /* the path is signed as it stands: neither encoded again nor
		       normalised */
	bool keep_dots; /* not normalised, but encoded again */
	bool sign_payload_header;                     /* adds x-amz-content-sha256 */
	bool token_unsigned; /* the token is added after signing */
	int64_t expires;                              /* seconds, of a signed query */
};

struct sigv4_signed {
	const char *canonical, *to_sign,
		*signature; /* the intermediates, for tests and for error messages */
	const struct header *headers;                 /* to be added to the request */
	size_t n_headers;
	const char *query; /* of a signed query: the whole new query */
};

struct sigv4_signed sigv4_header(
	struct arena *mem, const struct sigv4 *request, const struct sigv4_keys *keys);
struct sigv4_signed sigv4_query(
	struct arena *mem, const struct sigv4 *request, const struct sigv4_keys *keys);

/* RFC 3986: all but unreserved characters as %XX; with keep_slash '/' stays. */
void uri_encode(struct buf *out, struct str text, bool keep_slash);

#endif
