#include "host/lazy.h"

#include <dlfcn.h>

static bool
fail(const char *library, struct err *err)
{
	const char *why = dlerror();
	return err_set(err, ERR_UNSUPPORTED, "%s cannot be loaded: %s", library,
		why == NULL ? "it lacks a function" : why);
}

/* It stays until the end: OpenSSL's hooks at exit would point into nothing. The last
 * pointer is set when all are. */
bool
lazy_load(const char *const *files, const char *const *names, void **at, size_t n,
	struct err *err)
{
	void *handle = NULL;
	if (at[n - 1] != NULL)
		return true;
	for (size_t i = 0; handle == NULL && files[i] != NULL; i++)
		handle = dlopen(files[i], RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (handle == NULL)
		return fail(files[0], err);
	for (size_t i = 0; i < n; i++)
		if ((at[i] = dlsym(handle, names[i])) == NULL) {
			fail(files[0], err);
			dlclose(handle);
			return false;
		}
	return true;
}
