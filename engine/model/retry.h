/* How long to wait before another attempt. Pure: the jitter comes from the step's key
 * and the attempt, so that a resumed run waits as the first one would have, and no
 * random number needs a record. */
#ifndef MODEL_RETRY_H
#define MODEL_RETRY_H

#include "model/playbook.h"

extern const struct retry retry_otherwise;            /* what holds without the key */

/* ns before attempt `next` (2, 3, …): delay × backoff^(next - 2), at most max_delay,
 * varied by ± jitter. Never below 0. */
int64_t retry_delay(const struct retry *retry, const char *key, uint32_t next);

#endif
