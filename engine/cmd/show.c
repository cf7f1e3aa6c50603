#include "cmd/carry.h"

static int
run(struct cmd *cmd)
{
	struct style style = style_of(cmd->colour);
	struct buf out = buf_in(cmd->mem);
	struct summary summary;
	const char *run = cmd_run(cmd, cmd->words[0]);
	if (run == NULL)
		return EXIT_WRONG;
	if (!summary_load(cmd, run, &summary))
		return EXIT_FAILED;
	if (cmd->json) {
		struct value v = summary_value(cmd->mem, &summary);
		json_write(&out, &v, JSON_INDENT);
		buf_putc(&out, '\n');
	} else {
		summary_write(&out, &style, &summary);
	}
	cmd_print(cmd, &out);
	return EXIT_DONE;
}

const struct command show_command = {
	.name = "show",
	.summary = "what a run did, what it did not, and what is not known",
	.words = "RUN",
	.text = "RUN is an id, the beginning of one, or `last`.",
	.example = "  rbx show last\n  rbx show last --json | jq .objectives",
	.least = 1,
	.most = 1,
	.guard = GUARD_BUT_STORE,
	.run = run,
};
