/* Third parties' step types: an executable rbx-step-NAME in a folder of the plug-in path.
 * It answers `describe` with its fields and effect, and `run`, `preview`, `probe`, `undo`
 * with JSON on standard input and output (docs/plugins.md). */
#ifndef STEPS_EXTERNAL_H
#define STEPS_EXTERNAL_H

#include "run/step.h"

struct stat;
/* Whether a file or folder is root's or the caller's and nobody else may write it. */
typedef bool external_owned(const struct stat *st, struct err *err);

/* `built_in` and what is found in the folders of `path` (absolute, parted by colons),
 * sorted by name. What others may put in its place, itself or by a folder above it, is
 * refused (resilience.md C7, C28) and told as a warning; so is a plug-in that cannot be
 * asked. Blocks until each has answered. */
const struct step_type *const *external_types(struct arena *mem, struct host *host,
	const struct step_type *const *built_in, const char *path, external_owned *owned,
	struct diags *diags);

/* One type from what it answered to `describe`; NULL: err. For external_types and tests.
 */
const struct step_type *external_type(struct arena *mem, const char *name,
	const char *program, struct str described, struct err *err);

#endif
