/* A scenario of the executable specification (model/README.md): a playbook as nodes with
 * scripted answers, a world that says what each operation comes to, and events. */
#ifndef TESTS_MODEL_SCENARIO_H
#define TESTS_MODEL_SCENARIO_H

#include "model/playbook.h"
#include "run/state.h"

/* what the expressions of a node would say, by node->number */
struct script {
	/* a word, a bool, or a list of them, one for each asking */
	const struct value *when;
	int64_t each;
	const struct value *reads;                    /* ids; NULL */
	const struct value *branches;                 /* of choose: `when` of each */
};

struct scenario {
	const char *name;
	struct playbook book;
	const struct script *scripts;
	const struct value *world, *events;
	const struct value *by; /* who asks for it, {person}; NULL */
	enum mode mode;
	bool tty;
	const char *const *overrides;                 /* NULL-ended */
};

void scenario_read(struct arena *mem, const struct value *from, struct scenario *out);

#endif
