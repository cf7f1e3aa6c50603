/* limits.addresses as the host reads them: CIDR ranges, IPv4 as ::ffff:a.b.c.d. */
#ifndef RUN_LIMITS_H
#define RUN_LIMITS_H

#include "data/value.h"
#include "host/host.h"

/* NULL in *out where the limits name no addresses. */
bool limits_addresses(const struct value *limits, struct arena *mem, const struct addresses **out,
	struct err *err);

#endif
