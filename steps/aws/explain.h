/* What `rbx aws` tells out of the models: services, operations, what goes in and comes
 * out, classes, waiters. */
#ifndef STEPS_AWS_EXPLAIN_H
#define STEPS_AWS_EXPLAIN_H

#include "../steps/aws/model.h"

/* As explain of a step type. */
bool explain_aws(struct arena *mem, const struct asked *asked, struct explained *out,
	struct err *err);

#endif
