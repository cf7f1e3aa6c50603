/* Results of operations as playbooks see them: by the model's names, times as RFC 3339
 * text, binary as base64 (language.md, "aws"). */
#ifndef STEPS_AWS_RESULT_H
#define STEPS_AWS_RESULT_H

#include "../steps/aws/model.h"

/* The type of the result of the operation that the arguments of an aws step name: members
 * by the model, and `code`. Reads the model only when a member is asked for. */
const struct expr_type *result_type(struct arena *mem, const struct value *args);

/* Whether what the model calls sensitive is no secret in this answer: parameters of SSM are
 * one only where they were asked for in the clear. */
bool result_is_plain(struct str service, struct str operation, const struct value *with);

/* A value of an answer in the form that playbooks see. */
struct value result_told(struct arena *mem, const struct value *v);

/* What an expression of a model says over `result`; false: nothing, or it has no value. */
bool result_says(
	struct arena *mem, struct str text, const struct value *result, struct value *out);

/* One member of a result that changing operations give: "DBInstance", to be found below a
 * name by whoever waits for it; NULL: not there. */
const struct value *result_find(const struct value *result, struct str name);

#endif
