#include "cmd/command.h"

#include <stdio.h>

#include "cmd/complete.h"
#include "cmd/topics.h"
#include "model/type.h"
#include "../steps/steps.h"

static void
write_options(struct buf *out, const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		char left[64];
		snprintf(left, sizeof left, "%s%c%s--%s%s%s",
			rows->letter != 0 ? "-" : " ",
			rows->letter != 0 ? rows->letter : ' ',
			rows->letter != 0 ? ", " : "  ", rows->name,
			rows->value != NULL ? " " : "",
			rows->value != NULL ? rows->value : "");
		buf_printf(out, "  %-28s %s\n", left, rows->help);
	}
}

char *
usage_text(struct arena *mem, const struct command *command)
{
	struct buf out = buf_in(mem);
	buf_printf(&out, "rbx %s: %s\n\nusage: rbx %s%s%s\n\n%s\n", command->name,
		command->summary, command->name, command->words[0] != '\0' ? " " : "",
		command->words, command->text);
	buf_puts(&out, "\noptions:\n");
	write_options(&out, command->options);
	write_options(&out, common_options);
	if (command->example != NULL)
		buf_printf(&out, "\nexample:\n%s\n", command->example);
	return out.p;
}

/* ---- man pages: roff, so that a leading dot or quote and every hyphen are kept as they
 * are */

static void
man_line(struct buf *out, const char *text)
{
	for (bool first = true; *text != '\0'; text++) {
		if (first && (*text == '.' || *text == '\''))
			buf_puts(out, "\\&");
		first = *text == '\n';
		if (*text == '\\')
			buf_puts(out, "\\e");
		else if (*text == '-')
			buf_puts(out, "\\-");
		else
			buf_putc(out, *text);
	}
	buf_putc(out, '\n');
}

static void
man_options(struct buf *out, const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		buf_puts(out, ".TP\n.B ");
		if (rows->letter != 0)
			buf_printf(out, "\\-%c, ", rows->letter);
		buf_printf(out, "\\-\\-%s%s%s\n", rows->name,
			rows->value != NULL ? " " : "",
			rows->value != NULL ? rows->value : "");
		man_line(out, rows->help);
	}
}

static const char exit_codes[] =
	".TP\n.B 0\ndone\n.TP\n.B 1\nfailed\n.TP\n.B 2\nthe playbook or the command line is wrong\n"
	".TP\n.B 3\na trigger or precondition does not hold, or a secret is missing: nothing was changed\n"
	".TP\n.B 4\na person is needed and nothing else can go on\n.TP\n.B 5\ncancelled\n.TP\n.B 6\nout of time\n"
	".TP\n.B 75\nanother owner holds the lock or the run\n";

static void
man_head(struct buf *out, const char *name, const char *summary)
{
	buf_printf(out, ".TH %s 1 \"\" \"rbx " RBX_VERSION "\"\n.SH NAME\n", name);
	man_line(out, arena_printf(out->mem, "%s - %s", name, summary));
}

static char *
man_index(struct arena *mem)
{
	struct buf out = buf_in(mem);
	man_head(&out, "rbx", "carry out runbooks in an emergency");
	buf_puts(&out,
		".SH SYNOPSIS\n.B rbx\nCOMMAND [OPTION]... [WORD]...\n.SH COMMANDS\n");
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden) {
			buf_printf(&out, ".TP\n.BR rbx\\-%s (1)\n", commands[i]->name);
			man_line(&out, commands[i]->summary);
		}
	buf_printf(&out, ".SH EXIT STATUS\n%s", exit_codes);
	return out.p;
}

char *
man_text(struct arena *mem, const struct command *command)
{
	if (command == NULL)
		return man_index(mem);
	struct buf out = buf_in(mem);
	man_head(&out, arena_printf(mem, "rbx-%s", command->name), command->summary);
	buf_printf(&out, ".SH SYNOPSIS\n.B rbx %s\n", command->name);
	man_line(&out, arena_printf(mem, "[OPTION]... %s", command->words));
	buf_puts(&out, ".SH DESCRIPTION\n");
	man_line(&out, command->text);
	buf_puts(&out, ".SH OPTIONS\n");
	man_options(&out, command->options);
	man_options(&out, common_options);
	buf_printf(&out, ".SH EXIT STATUS\n%s", exit_codes);
	if (command->example != NULL) {
		buf_puts(&out, ".SH EXAMPLE\n.nf\n");
		man_line(&out, command->example);
		buf_puts(&out, ".fi\n");
	}
	buf_puts(&out, ".SH SEE ALSO\n.BR rbx (1)\n");
	return out.p;
}

/* ---- rbx help */

static void
write_index(struct buf *out)
{
	buf_puts(out,
		"rbx " RBX_VERSION ": carry out runbooks in an emergency\n\nusage: rbx "
				   "COMMAND [OPTION]... [WORD]...\n\n");
	for (size_t i = 0; commands[i] != NULL; i++)
		if (!commands[i]->hidden)
			buf_printf(out, "  %-10s %s\n", commands[i]->name,
				commands[i]->summary);
	/* Types that know more than their fields are asked like commands. */
	for (size_t i = 0; step_types[i] != NULL; i++)
		if (step_types[i]->explain != NULL)
			buf_printf(out, "\n`rbx %s` tells what `%s` steps can do.\n",
				step_types[i]->name, step_types[i]->name);
	for (const struct topic *topic = topics; topic->name != NULL; topic++)
		buf_printf(out, "`rbx help %s` tells %s.\n", topic->name,
			topic->summary);
	buf_puts(out, "\n`rbx COMMAND --help` says more and has an example.\n");
}

static int
unknown(const char *word)
{
	const char *names[64] = {NULL};
	size_t n = 0;
	for (size_t i = 0; commands[i] != NULL; i++)
		names[n++] = commands[i]->name;
	for (const struct topic *topic = topics; topic->name != NULL; topic++)
		names[n++] = topic->name;
	cmd_unknown("rbx help: there is no command or subject", word, names);
	return EXIT_WRONG;
}

static int
run(struct cmd *cmd)
{
	struct buf out = buf_in(cmd->mem);
	const char *topic = cmd->n_words > 0 ? cmd->words[0] : NULL,
		   *shell = cmd_value(cmd, "complete");
	const struct command *command = topic == NULL ? NULL : command_find(topic);
	if (shell != NULL)
		write_completion(&out, shell);
	else if (topic != NULL && topic_find(topic) != NULL)
		topic_find(topic)->write(&out);
	else if (topic != NULL && command == NULL && strcmp(topic, "rbx") != 0)
		return unknown(topic);
	else if (cmd_flag(cmd, "man"))
		buf_puts(&out, man_text(cmd->mem, command));
	else if (command != NULL)
		buf_puts(&out, usage_text(cmd->mem, command));
	else
		write_index(&out);
	cmd_print(cmd, &out);
	return EXIT_DONE;
}

static const struct option_row options[] = {
	{"man", 0, NULL, "as a man page"},
	{"complete", 0, "SHELL", "the completion of bash, zsh or fish"},
	{NULL, 0, NULL, NULL},
};

const struct command help_command = {
	.name = "help",
	.summary = "what a command does, the keys of the language, the functions of "
		   "expressions",
	.words = "[COMMAND | playbook | step | functions]",
	.text = "Without a word: the list of commands.",
	.example = "  rbx help run\n  rbx help step\n  rbx help functions",
	.options = options,
	.most = 1,
	.guard = GUARD_ALL,
	.no_types = true,
	.run = run,
};
