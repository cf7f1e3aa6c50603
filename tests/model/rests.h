#ifndef TESTS_MODEL_RESTS_H
#define TESTS_MODEL_RESTS_H

#include "run/decide.h"

/* Whether every step that this one needs, or that stands above it in its list, had ended
 * by record act->after. */
bool rests_on_ended(const struct playbook *book, const struct act *act,
	const struct record *records, size_t n);

#endif
