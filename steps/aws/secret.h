/* Secrets of a playbook that AWS keeps: `aws_secret` (Secrets Manager) and
 * `aws_parameter` (Parameter Store) in `secrets`. */
#ifndef STEPS_AWS_SECRET_H
#define STEPS_AWS_SECRET_H

#include "run/step.h"

extern const struct provider *const aws_secrets[];    /* ended by NULL */

#endif
