/* What is refused because of when it was signed, and by which keys, is signed again and
 * sent once more: with the time of the service where our clock is off, with fresh keys
 * where a session has ended. Such a refusal changed nothing over there. */
#ifndef STEPS_AWS_MEND_H
#define STEPS_AWS_MEND_H

#include "run/step.h"

enum mend aws_mend(struct step *step, const struct op *op, struct now now, bool renewed,
	struct http_ask *ask);

#endif
