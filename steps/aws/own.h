/* Models of one's own: files of the form that tools/aws-models writes, named by
 * RBX_AWS_MODELS ("pinger.model:/etc/rbx/other.model"). A file's name without ".model" is
 * that of its service; it stands for a service of that name that comes with rbx. */
#ifndef STEPS_AWS_OWN_H
#define STEPS_AWS_OWN_H

#include "../steps/aws/facts.h"

/* Adds what the variable names. ERR_NOT_FOUND, ERR_IO, ERR_LIMIT, ERR_SYNTAX: a file cannot
 * be read, or is no model. */
bool own_models_add(struct facts *facts, struct arena *mem, struct err *err);

#endif
