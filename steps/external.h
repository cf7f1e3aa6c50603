/* Third parties' step types: an executable rbx-step-NAME in a folder of the plug-in path. It answers `describe` with its
 * fields and effect, and `run`, `preview`, `probe`, `undo` with JSON on standard input and output (docs/plugins.md). */
#ifndef STEPS_EXTERNAL_H
#define STEPS_EXTERNAL_H

#include "run/step.h"

/* `built_in` and what is found in the folders of `path` (absolute, parted by colons), sorted by name. A folder or a file
 * that others than root and the user may write is refused (resilience.md C7) and told as a warning; so is a plug-in that
 * cannot be asked. Blocks until each has answered. */
const struct step_type *const *external_types(struct arena *mem, struct host *host,
	const struct step_type *const *built_in, const char *path, struct diags *diags);

/* One type from what it answered to `describe`; NULL: err. For external_types and tests. */
const struct step_type *external_type(struct arena *mem, const char *name, const char *program, struct str described,
	struct err *err);

#endif
