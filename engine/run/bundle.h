/* A playbook's text with those of all that it includes, as one blob: what a resume reads again. Internal to run/. */
#ifndef RUN_BUNDLE_H
#define RUN_BUNDLE_H

#include "model/playbook.h"

/* JSON {v, file, files: [{path, text}]}: the first is the playbook itself. */
struct str bundle_make(const struct playbook *book, struct arena *mem);
/* Loads the playbook from such a text. */
const struct playbook *bundle_load(struct str text, const struct step_type *const *types, struct arena *mem,
	struct diags *diags, struct err *err);

#endif
