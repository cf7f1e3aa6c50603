#include "host/lazy.h"

#include <dlfcn.h>
#include <string.h>

static bool
fail(const char *library, struct err *err)
{
	const char *why = dlerror();
	return err_set(err, ERR_UNSUPPORTED, "%s cannot be loaded: %s", library,
		why == NULL ? "it lacks a function" : why);
}

/* It stays until the end: OpenSSL's hooks at exit would point into nothing. */
bool
lazy_load(const char *library, const struct lazy_name *names, size_t n, struct err *err)
{
	void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (handle == NULL)
		return fail(library, err);
	for (size_t i = 0; i < n; i++) {
		void *found = dlsym(handle, names[i].name);
		if (found == NULL) {
			fail(library, err);
			dlclose(handle);
			return false;
		}
		memcpy(names[i].at, &found, sizeof found);
	}
	return true;
}
