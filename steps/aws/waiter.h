/* Waiters of the models: an operation is asked again and again until its answer says that
 * something is so, or never will be (botocore waiters-2; their JMESPath comes as
 * expressions over `result`). */
#ifndef STEPS_AWS_WAITER_H
#define STEPS_AWS_WAITER_H

#include "../steps/aws/model.h"

struct waiter {
	const char *name, *operation;
	int64_t delay;                                /* ns between two questions */
	const struct value *acceptors;
};

enum waiter_says { WAITER_AGAIN, WAITER_SUCCESS, WAITER_FAILURE };

/* NULL: the service has none of that name. */
const struct waiter *waiter_find(struct service *service, struct str name);
/* Names of the waiters that ask the operation; all where it is NULL. NULL-ended. */
const char *const *waiter_names(struct service *service, const char *operation);

/* What an answer means: `result` of a good one, or the code of an error (empty: none) and
 * its status. An error that no acceptor expects is a failure. *why: what was seen, for
 * people: "DBInstanceStatus is 'creating'". */
enum waiter_says waiter_judge(struct arena *mem, const struct waiter *waiter,
	const struct value *result, struct str code, int status, const char **why);

/* What the waiter's operation is asked with after the change `begun`: members of the same
 * name in what was given, a "service" in the place of "services", and what the answer of
 * the change names. `result` NULL: there is none yet, and what it will name is UNKNOWN.
 * *named: something in it says which thing is meant. */
struct value waiter_input(struct arena *mem, struct service *service,
	const struct waiter *waiter, const struct operation *begun,
	const struct value *with, const struct value *result, bool *named);

#endif
