/* Services that answer a repeated token with an error instead of what they answered at
 * first: the change is done, and was ours. */
#ifndef STEPS_AWS_REPEAT_H
#define STEPS_AWS_REPEAT_H

#include "../steps/aws/call.h"

/* Whether the error that the service answered with says so. call->result is then what is
 * known of the first answer, by the members of the operation's result, and the error is
 * taken away. */
bool repeat_is_told(struct arena *mem, struct call *call);

#endif
