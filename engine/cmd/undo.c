#include "cmd/carry.h"

#include <stdio.h>
#include <unistd.h>


/* The changes that are taken back, the last one first. */
static size_t
write_list(struct cmd *cmd, const struct run_state *state, struct buf *out)
{
	const struct path_state **changed =
		arena_array(cmd->mem, const struct path_state *, state->n_paths + 1);
	size_t n = 0;
	for (const struct path_state *p = state->first; p != NULL; p = p->next)
		if (p->intents > 0 && p->fate != FATE_NONE && p->how != WAY_UNCHANGED
			&& !path_is_handler(p->path) && !path_is_undone(state, p))
			changed[n++] = p;
	for (size_t i = n; i-- > 0;)
		buf_printf(out, "  %s\n", changed[i]->path);
	return n;
}

/* Undo asks first, with all that it will undo; --yes where nobody can be asked. */
static bool
is_wanted(struct cmd *cmd, const char *of, const struct run_state *state)
{
	struct buf out = buf_in(cmd->mem);
	char line[64];
	buf_printf(&out, "run %s changed, the last one first:\n", of);
	size_t n = write_list(cmd, state, &out);
	if (cmd_flag(cmd, "yes") || n == 0)
		return true;
	fputs(buf_cstr(&out), stderr);
	if (!isatty(STDIN_FILENO)) {
		fputs("rbx undo: nobody can be asked here; --yes answers\n", stderr);
		return false;
	}
	fputs("Take it back? [y/N] ", stderr);
	return fgets(line, sizeof line, stdin) != NULL
		&& (line[0] == 'y' || line[0] == 'Y');
}

/* Not while somebody carries it out, and not twice. */
static int
refuse(struct cmd *cmd, const char *of, const struct summary *summary)
{
	struct err err;
	if (summary->holder != NULL) {
		err_set(&err, ERR_BUSY, "run %s is carried out on %s (pid %u)", of,
			summary->holder->host, summary->holder->pid);
		err_hint(&err, "rbx cancel %s stops it", of);
		return cmd_error(cmd, EXIT_HELD, &err);
	}
	if (summary->state->mode == MODE_UNDO) {
		err_set(&err, ERR_VALUE, "run %s took another one back itself", of);
		err_hint(&err,
			"rbx list names the runs; what it undid is done again by running "
			"the playbook");
		return cmd_error(cmd, EXIT_WRONG, &err);
	}
	if (summary->undoing == NULL)
		return EXIT_DONE;
	struct str other = summary->undoing->id;
	err_set(&err, ERR_EXISTS, "run %.*s undoes it already: %s", STR_FMT(other),
		summary->undoing_word);
	if (strcmp(summary->undoing_word, "done") != 0)
		err_hint(&err, "go on with: rbx resume %.*s", STR_FMT(other));
	return cmd_error(cmd, EXIT_WRONG, &err);
}

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
	struct summary summary;
	if (!summary_load(cmd, of, &summary))
		return EXIT_FAILED;
	int refused = refuse(cmd, of, &summary);
	if (refused != EXIT_DONE)
		return refused;
	if (!is_wanted(cmd, of, summary.state))
		return isatty(STDIN_FILENO) ? EXIT_CANCELLED : EXIT_WAITS;
	options.of = of;
	carry_prepare(cmd, book, &options);
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
	.secrets = true,
	.run = run,
};
