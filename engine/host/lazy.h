/* Libraries that are loaded when the first operation needs them: with those that they stand
 * on, they would take the linker most of the time that `rbx validate` has. lazy.names says
 * which of their functions are called; tools/lazy-stubs makes each of them, under its own
 * name, an entry that jumps into the library. What calls them sees no difference. */
#ifndef HOST_LAZY_H
#define HOST_LAZY_H

#include "base/err.h"

/* Before any other function of the library, in the loop thread; cheap when called again.
 * False: it is not on this machine, or is too old. */
bool lazy_curl(struct err *err);
bool lazy_edit(struct err *err);
bool lazy_ldns(struct err *err);
bool lazy_pq(struct err *err);
bool lazy_ssl(struct err *err);

/* For what tools/lazy-stubs makes: where the functions of these names lie, to at[0..n).
 * files: what the library may be called, then NULL. */
bool lazy_load(const char *const *files, const char *const *names, void **at, size_t n,
	struct err *err);

#endif
