#include "model/type.h"

const struct step_type *
step_type_find(const struct step_type *const *types, struct str name)
{
	for (; *types != NULL; types++)
		if (str_is(name, (*types)->name))
			return *types;
	return NULL;
}

const struct provider *
secret_source_find(const struct step_type *const *types, struct str name)
{
	for (; *types != NULL; types++) {
		const struct provider *const *it = (*types)->secrets;
		for (; it != NULL && *it != NULL; it++)
			if (str_is(name, (*it)->name))
				return *it;
	}
	return NULL;
}
