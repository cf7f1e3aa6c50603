/* The list of all step types: the only place where they are named together. Sorted by name, ended by NULL. */
#ifndef STEPS_STEPS_H
#define STEPS_STEPS_H

#include "model/type.h"

extern const struct step_type *const step_types[];

#endif
