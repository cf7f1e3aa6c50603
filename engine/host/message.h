/* DNS messages (RFC 1035, 6891), by ldns. Internal to host/. */
#ifndef HOST_MESSAGE_H
#define HOST_MESSAGE_H

#include "host/host.h"

enum { MESSAGE_MOST = 65535 };

/* A query with EDNS0 (1232 bytes, DNS flag day 2020) in mem. */
bool message_query(struct arena *mem, const char *name, uint16_t type, bool recurse,
	uint16_t id, struct str *out, struct err *err);

/* False: not an answer to that query (other id or question, or no message at all);
 * whoever forged it did not know them. cut: the server asks for TCP. */
bool message_parse(struct arena *mem, struct str bytes, struct str query,
	struct dns_answer *out, bool *cut);

/* A name for people and for comparing: lower case, without the final dot; "." is the
 * root. */
char *message_name(struct arena *mem, const char *name);

#endif
