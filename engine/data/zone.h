/* Time zones by name ("America/New_York") or offset ("+02:00"), read from the system's
 * TZif files (RFC 8536). */
#ifndef DATA_ZONE_H
#define DATA_ZONE_H

#include "base/err.h"

struct zone;

/* ERR_VALUE: there is no such zone. The zone lives in mem. */
bool zone_load(
	struct arena *mem, struct str name, const struct zone **out, struct err *err);

/* Seconds east of UTC at a time in seconds since 1970. */
int32_t zone_offset(const struct zone *zone, int64_t utc);

#endif
