#include "model/schema.h"

#include <stdio.h>

#include "../steps/steps.h"
#include "cmd/load.h"
#include "data/json.h"

static int
print(struct cmd *cmd, struct value schema)
{
	struct buf out = buf_in(cmd->mem);
	json_write(&out, &schema, JSON_INDENT);
	buf_putc(&out, '\n');
	cmd_print(cmd, &out);
	return EXIT_DONE;
}

static int
of_step(struct cmd *cmd, const char *name)
{
	const struct step_type *type = step_type_find(step_types, str_of(name));
	if (type != NULL)
		return print(cmd, schema_step(cmd->mem, type));
	cmd_say("rbx schema: there is no step type '%s'; rbx steps lists them\n", name);
	return EXIT_WRONG;
}

static int
run(struct cmd *cmd)
{
	struct diags diags = {.mem = cmd->mem};
	const char *step = cmd_value(cmd, "step");
	if (step != NULL)
		return of_step(cmd, step);
	if (cmd->n_words == 0)
		return print(cmd, schema_playbook(cmd->mem, step_types));
	const struct playbook *book = book_read(cmd, cmd->words[0], &diags);
	if (book != NULL)
		return print(cmd, schema_inputs(cmd->mem, book));
	cmd_diags(cmd, &diags);
	return EXIT_WRONG;
}

static const struct option_row options[] = {
	{"step", 0, "TYPE", "of the arguments and results of a step type"},
	{NULL, 0, NULL, NULL},
};

const struct command schema_command = {
	.name = "schema",
	.summary = "print the JSON Schema that editors check playbooks by",
	.words = "[PLAYBOOK]",
	.text = "Of a PLAYBOOK: the schema of its inputs.",
	.example = "  rbx schema >playbook.json\n"
		   "  rbx schema playbooks/emergency-failover.yaml",
	.options = options,
	.least = 0,
	.most = 1,
	.guard = GUARD_ALL,
	.run = run,
};
