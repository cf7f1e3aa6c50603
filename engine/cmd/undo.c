#include "cmd/carry.h"


static int
run(struct cmd *cmd)
{
	struct run_options options = {.mode = MODE_UNDO,
		.yes = cmd_flag(cmd, "yes"),
		.no_wait = cmd_flag(cmd, "no-wait"),
		.reason = cmd_value(cmd, "reason")};
	struct diags diags = {.mem = cmd->mem};
	struct err err = {0};
	const char *of = cmd_run(cmd, cmd->words[0]), *run = NULL;
	if (of == NULL)
		return EXIT_WRONG;
	const struct playbook *book =
		run_book(cmd->store, of, cmd_types(cmd), cmd->mem, &diags, &err);
	if (book == NULL) {
		cmd_diags(cmd, &diags);
		return err.code != ERR_NONE ? cmd_error(cmd, EXIT_WRONG, &err)
					    : EXIT_WRONG;
	}
	options.of = of;
	carry_prepare(cmd, &options);
	int code = run_start(cmd->host, cmd->store, book, &options, cmd->mem, &run, &err);
	return carry_finish(cmd, &options, book, run, code, &err);
}

static const struct option_row options[] = {
	{"yes", 'y', NULL, "do not ask before"},
	{"no-wait", 0, NULL, "end with 4 instead of waiting for a person"},
	{"reason", 0, "TEXT", "stands in the record"},
	{NULL, 0, NULL, NULL},
};

const struct command undo_command = {
	.name = "undo",
	.summary = "take back what a run changed",
	.words = "RUN",
	.text = "A run of its own, which undoes the changes of the other in reverse. Where the world is no longer as that run left it,\n"
		"it stops and asks.",
	.example = "  rbx undo last",
	.options = options,
	.least = 1,
	.most = 1,
	.run = run,
};
