#include "cmd/carry.h"

#include <stdio.h>


static bool
read_deadline(struct cmd *cmd, int64_t *out)
{
	const char *text = cmd_value(cmd, "deadline");
	struct err err;
	*out = 0;
	if (text == NULL || duration_parse(str_of(text), out, &err))
		return true;
	cmd_error(cmd, EXIT_WRONG, &err);
	return false;
}

static const struct playbook *
stored_book(struct cmd *cmd, const char *run)
{
	struct diags diags = {.mem = cmd->mem};
	struct err err = {0};
	const struct playbook *book =
		run_book(cmd->store, run, cmd_types(cmd), cmd->mem, &diags, &err);
	if (book == NULL && err.code != ERR_NONE)
		cmd_error(cmd, EXIT_WRONG, &err);
	if (book == NULL)
		cmd_diags(cmd, &diags);
	return book;
}

/* The stored one is used, whatever stands in the file now; that is said. */
static void
tell_change(struct cmd *cmd, const struct playbook *stored)
{
	struct str now, was = stored->source->text;
	const char *slash = strrchr(stored->file, '/');
	const char *path = arena_printf(cmd->mem, "%s/%s", stored->folder,
		slash == NULL ? stored->file : slash + 1);
	struct err ignored;
	if (!file_read(cmd->mem, path, &now, NULL, &ignored) || str_eq(now, was))
		return;
	cmd_say("%s has changed since: it was %.12s and is %.12s; the run goes on as it "
		"was stored (--playbook FILE takes another)\n",
		path, sha256_hex(cmd->mem, was), sha256_hex(cmd->mem, now));
}

/* That of the run, or the one that shall take its place. NULL: told. */
static const struct playbook *
book_of(struct cmd *cmd, const char *run, struct run_options *options)
{
	const char *file = cmd_value(cmd, "playbook");
	const struct playbook *stored = stored_book(cmd, run), *book;
	struct diags diags = {.mem = cmd->mem};
	if (stored == NULL || file == NULL) {
		if (stored != NULL)
			tell_change(cmd, stored);
		return stored;
	}
	book = book_read(cmd, file, &diags);
	if (book != NULL)
		playbook_unsupported(book, &diags, DIAG_ERROR);
	diags_sort(&diags);
	cmd_diags(cmd, &diags);
	options->instead_of = stored;
	options->diags = arena_new_of(cmd->mem, struct diags);
	options->diags->mem = cmd->mem;
	return diags.errors > 0 ? NULL : book;
}

static int
run(struct cmd *cmd)
{
	struct run_options options = {.yes = cmd_flag(cmd, "yes"),
		.no_wait = cmd_flag(cmd, "no-wait"),
		.wait_for_locks = cmd_flag(cmd, "wait"),
		.reason = cmd_value(cmd, "reason")};
	struct err err = {0};
	const char *run = cmd_run(cmd, cmd->words[0]);
	if (run == NULL || !read_deadline(cmd, &options.deadline))
		return EXIT_WRONG;
	struct summary summary = {0};
	if (!undoing_load(cmd, run, &summary))
		return EXIT_FAILED;
	if (summary.undoing != NULL) {
		err_set(&err, ERR_EXISTS,
			"run %.*s undoes it: %s; what was done is not there any more",
			STR_FMT(summary.undoing->id), summary.undoing_word);
		return cmd_error(cmd, EXIT_WRONG, &err);
	}
	const struct playbook *book = book_of(cmd, run, &options);
	if (book == NULL)
		return EXIT_WRONG;
	carry_prepare(cmd, book, &options);
	int code = run_resume(cmd->host, cmd->store, run, book, &options, cmd->mem, &err);
	if (options.diags != NULL) {
		diags_sort(options.diags);
		cmd_diags(cmd, options.diags);
	}
	return carry_finish(
		cmd, &options, book, err.code == ERR_NONE ? run : NULL, code, &err);
}

static const struct option_row options[] = {
	{"deadline", 0, "DURATION", "a new deadline for a run that is past its own"},
	{"yes", 'y', NULL, "answer the questions that want no word and no group"},
	{"no-wait", 0, NULL, "end with 4 instead of waiting for a person"},
	{"wait", 0, NULL, "wait for locks that another run holds"},
	{"playbook", 0, "FILE", "go on with this one instead of the stored one"},
	{"reason", 0, "TEXT", "stands in the record"},
	{NULL, 0, NULL, NULL},
};

const struct command resume_command = {
	.name = "resume",
	.summary = "go on with a run that crashed, failed, was cancelled or waits",
	.words = "RUN",
	.text = "What is done stays done. What may have happened is looked for first, and a person is asked where nobody can know. The\n"
		"playbook is the stored one, whatever stands in its file now, unless --playbook brings another. In that, what has begun\n"
		"must stand as it was, in its place and with its arguments, and nothing new before it; what failed before anything was\n"
		"sent may be corrected, and so may all that is still to come. Inputs, vars and locks stay those of the start.",
	.example = "  rbx resume last\n"
		   "  rbx resume last --playbook corrected.yaml --reason 'the address was wrong'",
	.options = options,
	.least = 1,
	.most = 1,
	.secrets = true,
	.run = run,
};
