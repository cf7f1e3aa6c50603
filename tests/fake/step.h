/* One phase of a step type on the scripted host: what the unit tests of steps/ are made of. */
#ifndef TESTS_FAKE_STEP_H
#define TESTS_FAKE_STEP_H

#include "host.h"
#include "run/step.h"

struct trial {
	/* to be set before; the rest has defaults */
	const struct step_type *type;
	const char *in;                               /* the arguments as JSON, judged by the type's table */
	const char *was, *saved, *got, *accept;       /* as JSON; NULL: none */
	bool drill;
	int64_t began;                                /* us; see struct step */
	bool vouched;                                 /* the author wrote `effect: pure` or the like: effects are let through */
	const char *said;                             /* by the person at the terminal; NULL: nobody is there */
	int64_t cancel_after;                         /* ns; 0: no cancel */
	int64_t timeout;                              /* ns; 0: 10 minutes */
	/* set when it has ended */
	enum verdict verdict;
	enum reach reach;
	bool any_effect;
	struct err err;
	const struct value *out;
	char *out_text;                               /* as compact JSON, secrets shown; "" without out */
	char *output;                                 /* what a child printed, masked */
	const char *asked;                            /* of the person, the last question; NULL: nothing */
	unsigned saves;
	char *last_saved;                             /* JSON; NULL: nothing was saved */
};

/* phase: "run", "preview", "probe", "settle", "undo". Fails the test where the arguments are wrong or an expectation is
 * not met. */
void trial_run(struct fake *fake, struct arena *mem, const char *phase, struct trial *trial);

#endif
