#include "../steps/steps.h"

const struct step_type *const step_types[] = {
	NULL,
};
