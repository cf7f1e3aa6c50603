/* What is said in the clear before TLS begins. Internal to host/. */
#ifndef HOST_STARTTLS_H
#define HOST_STARTTLS_H

#include "host/host.h"

struct starttls {
	bool smtp; /* else PostgreSQL */
	unsigned step;
	char in[4096]; /* what came and is not yet understood */
	size_t n;
};

enum starttls_wants { STARTTLS_READ, STARTTLS_SEND, STARTTLS_TLS, STARTTLS_FAILED };

bool starttls_open(struct starttls *talk, const char *protocol,
	struct err *err); /* "postgres" or "smtp" */

/* At first with nothing, then with each piece that came. SEND: *out is to be sent, then
 * call it again. */
enum starttls_wants starttls_next(struct starttls *talk, struct str came, struct str *out,
	const char *where, struct err *err);

#endif
