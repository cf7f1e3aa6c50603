#include "model/graph.h"

#include <stdio.h>

#include "cmd/load.h"
#include "show/style.h"

static bool
form_of(const char *word, enum graph_form *out)
{
	static const char *const words[] = {"text", "dot", "mermaid"};
	for (int i = 0; i < 3; i++)
		if (strcmp(word, words[i]) == 0) {
			*out = (enum graph_form)i;
			return true;
		}
	cmd_say("rbx graph: --as takes text, dot or mermaid\n");
	return false;
}

static int
run(struct cmd *cmd)
{
	struct diags diags = {.mem = cmd->mem};
	struct buf out = buf_in(cmd->mem);
	struct style style = style_of(cmd->colour);
	enum graph_form form = GRAPH_TEXT;
	const char *word = cmd_value(cmd, "as");
	if (word != NULL && !form_of(word, &form))
		return EXIT_WRONG;
	const struct playbook *book = book_read(cmd, cmd->words[0], &diags);
	if (book == NULL) {
		diags_sort(&diags);
		cmd_diags(cmd, &diags);
		return EXIT_WRONG;
	}
	graph_write(&out, book, form, style.ascii);
	cmd_print(cmd, &out);
	return EXIT_DONE;
}

static const struct option_row options[] = {
	{"as", 0, "FORM", "text, dot (Graphviz) or mermaid"},
	{NULL, 0, NULL, NULL},
};

const struct command graph_command = {
	.name = "graph",
	.summary = "draw the steps of a playbook and what waits for what",
	.words = "PLAYBOOK",
	.text = "Steps that change something are marked.",
	.example = "  rbx graph playbooks/emergency-failover.yaml\n"
		   "  rbx graph playbooks/db-sync.yaml --as dot | dot -Tsvg > db-sync.svg",
	.options = options,
	.least = 1,
	.most = 1,
	.guard = GUARD_ALL,
	.run = run,
};
