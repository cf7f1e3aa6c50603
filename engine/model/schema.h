/* JSON Schema 2020-12 of the language and of a playbook's inputs, made of the tables
 * that the loader reads. Editors complete and check by it; what only the loader sees
 * (references, types of expressions) it does not say. */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include "model/playbook.h"

struct value schema_playbook(struct arena *mem, const struct step_type *const *types);
/* of its arguments and results */
struct value schema_step(struct arena *mem, const struct step_type *type);
struct value schema_inputs(struct arena *mem, const struct playbook *book);

#endif
