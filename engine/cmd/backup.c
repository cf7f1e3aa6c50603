#include "cmd/command.h"

static int
run(struct cmd *cmd)
{
	struct buf out = buf_in(cmd->mem);
	struct err err;
	if (!cmd_store(cmd))
		return EXIT_WRONG;
	if (!store_backup(cmd->store, cmd->words[0], &err))
		return cmd_error(cmd, EXIT_FAILED, &err);
	buf_printf(&out, "%s: a copy of %s\n", cmd->words[0], store_where(cmd->store));
	cmd_print(cmd, &out);
	return EXIT_DONE;
}

const struct command backup_command = {
	.name = "backup",
	.summary = "copy the store while it is in use",
	.words = "FILE",
	.text = "The copy is one moment of the store, whole, whatever runs meanwhile. A file that exists is not written over.",
	.example = "  rbx backup /backup/rbx-2026-11-28.db",
	.least = 1,
	.most = 1,
	.run = run,
};
