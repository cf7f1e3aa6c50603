/* The inputs of a run as the command line gives them: -i NAME=VALUE, --inputs FILE, and
 * at a terminal what is still missing is asked for. */
#ifndef CMD_GIVEN_H
#define CMD_GIVEN_H

#include "cmd/load.h"
#include "run/run.h"

/* Sets options->inputs and options->id; the mode is there already. `more`: of a drill,
 * weaker than what the command line gives. false: errors were told. */
bool inputs_gather(struct cmd *cmd, const struct playbook *book,
	const struct named_template *more, size_t n_more, struct run_options *options);

#endif
