/* From a name to addresses, for what connects by itself. Internal to host/. */
#ifndef HOST_NAMES_H
#define HOST_NAMES_H

#include "host/real.h"

#include <sys/socket.h>

enum { NAMES_MOST = 16 };

struct names {
	struct sockaddr_storage list[NAMES_MOST]; /* with the port */
	size_t n; /* at least 1 */
};

/* names NULL: err is set (ERR_RESOLVE). Called from the loop, never from within
 * names_find; the lookup is over and gone then. */
typedef void names_fn(void *with, const struct names *names, const struct err *err);

struct lookup;

/* resolver: "ip:port"; NULL: the run's, else the system's (getaddrinfo, off the loop). An
 * address as host needs no server. mem lasts until it is over. NULL: err is set. */
struct lookup *names_find(struct real *real, struct arena *mem, const char *host,
	const char *port, const char *resolver, int64_t deadline, names_fn *done,
	void *with, struct err *err);
/* In room, those that may be reached (address_allowed). NULL: there are none, and err says
 * why not; names NULL: err is left as it is. */
const struct names *names_allow(const struct names *names,
	const struct addresses *limits, struct names *room, struct err *err);
void names_cancel(struct lookup *lookup); /* accepts NULL */

#endif
