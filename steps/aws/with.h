/* What somebody wants to say to an operation, judged by its model before anything runs. */
#ifndef STEPS_AWS_WITH_H
#define STEPS_AWS_WITH_H

#include "../steps/aws/model.h"

/* `with` is a map by the model's names; UNKNOWN values pass. Errors: an unknown member
 * (with the nearest name), a wrong type, a required member that is missing, a number or a
 * length out of range, more or less than one member of a union. Warnings, since AWS knows
 * more than a model of last month: a word outside of the list, a text that does not fit
 * the pattern, a deprecated operation. false: there was an error. */
bool with_judge(struct service *service, const struct operation *operation,
	const struct value *with, struct mark at, struct diags *diags);

/* The service and the operation of "rds.DescribeDBInstances"; NULL: told, with the
 * nearest name. */
const struct operation *with_call(struct model *model, const struct value *call,
	struct service **service, struct diags *diags);

#endif
