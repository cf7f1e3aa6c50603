/* One question to DNS servers over UDP, and TCP where the answer is cut. Internal to
 * host/. */
#ifndef HOST_QUERY_H
#define HOST_QUERY_H

#include "host/real.h"

#include <sys/socket.h>

enum { QUERY_SERVERS = 3 };

struct query_ask {
	struct sockaddr_storage servers[QUERY_SERVERS];
	size_t n_servers;
	const char *name;
	uint16_t type;
	bool recurse;
	int64_t deadline; /* boot ns */
};

/* answer NULL: err is set. `sent`: a query left. The query is over and gone. */
typedef void query_fn(void *with, const struct dns_answer *answer, bool sent,
	const struct err *err);

struct query;

/* Three tries of 1, 2 and 3 s, each with a new id and port, in turn to each server. The
 * ask is copied; the answer is in mem. NULL: err is set, and nothing will be called. */
struct query *query_start(struct real *real, struct arena *mem,
	const struct query_ask *ask, query_fn *done, void *with, struct err *err);
bool query_cancel(struct query
		*query); /* nothing is called any more; whether a query had left */

/* The servers of a text "ip:port", else of the run, else of /etc/resolv.conf. */
bool query_servers(struct query_ask *ask, const char *server,
	const struct host_options *options, struct err *err);

#endif
