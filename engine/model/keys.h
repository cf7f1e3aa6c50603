/* The keys of the language (language.md, "Top level" and "Keys of a step") as tables:
 * the loader and the schema read them. Steps stand in them as DATA; the loader looks
 * into those itself. */
#ifndef MODEL_KEYS_H
#define MODEL_KEYS_H

#include "data/field.h"

extern const struct field playbook_keys[], input_keys[], secret_keys[], limit_keys[],
	lock_keys[], drill_keys[], start_keys[], retry_keys[], sample_keys[],
	confirm_keys[], each_keys[], call_keys[], branch_keys[], assert_keys[];

/* On what a key may stand: checks, changes, groups, calls of playbooks. */
enum { ON_CHECK = 1, ON_CHANGE = 2, ON_GROUP = 4, ON_CALL = 8, ON_ALL = 15 };

struct step_key {
	unsigned on;
	struct field row;
};

extern const struct step_key step_keys[];             /* ends with row.name NULL */
const struct step_key *step_key_find(struct str name);

/* The names of an input's types, NULL-ended. */
extern const char *const input_types[];
/* block, parallel, choose, playbook */
extern const char *const group_names[];

#endif
