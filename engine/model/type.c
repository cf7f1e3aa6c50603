#include "model/type.h"

const struct step_type *
step_type_find(const struct step_type *const *types, struct str name)
{
	for (; *types != NULL; types++)
		if (str_is(name, (*types)->name))
			return *types;
	return NULL;
}
