/* Libraries that are loaded when the first operation needs them: with the 27 that they
 * stand on, libcurl and libpq take the linker three quarters of the time that `rbx
 * validate` has. lazy_curl.c and lazy_pq.c define each function of theirs that is used,
 * under its own name, and pass the call on; what calls them sees no difference. Internal
 * to host/. */
#ifndef HOST_LAZY_H
#define HOST_LAZY_H

#include "base/err.h"

/* Before any other function of the library, in the loop thread. False: it is not on this
 * machine, or is too old. */
bool lazy_curl(struct err *err);
bool lazy_pq(struct err *err);

struct lazy_name {
	const char *name;
	void *at;                             /* a pointer to a function: where it goes */
};

bool lazy_load(const char *library, const struct lazy_name *names, size_t n,
	struct err *err);

#endif
