#include "cmd/complete.h"

#include "cmd/command.h"

static void
complete_bash(struct buf *out)
{
	buf_puts(out,
		"# bash completion for rbx\n_rbx() {\n\tlocal "
		"cur=${COMP_WORDS[COMP_CWORD]}\n"
		"\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W \"");
	for (size_t i = 0; commands[i] != NULL; i++)
		buf_printf(out, "%s%s", i > 0 ? " " : "", commands[i]->name);
	buf_puts(out,
		"\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tlocal words=\"--store --json "
		"--color --help\"\n\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->options == NULL)
			continue;
		buf_printf(out, "\t%s) words+=\"", commands[i]->name);
		for (const struct option_row *row = commands[i]->options;
			row->name != NULL; row++)
			buf_printf(out, " --%s", row->name);
		buf_puts(out, "\" ;;\n");
	}
	buf_puts(out,
		"\tesac\n\tif [ \"${cur#-}\" != \"$cur\" ]; "
		"then\n\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n\telse\n"
		"\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\tfi\n}\ncomplete -o "
		"filenames -F _rbx rbx\n");
}

static void
quote_single(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		buf_puts(out, *text == '\'' ? "'\\''" : (char[]){*text, '\0'});
}

static void
complete_fish(struct buf *out)
{
	buf_puts(out, "# fish completion for rbx\n");
	for (size_t i = 0; commands[i] != NULL; i++) {
		buf_printf(out, "complete -c rbx -n __fish_use_subcommand -a %s -d '",
			commands[i]->name);
		quote_single(out, commands[i]->summary);
		buf_puts(out, "'\n");
		for (const struct option_row *row = commands[i]->options;
			row != NULL && row->name != NULL; row++) {
			buf_printf(out,
				"complete -c rbx -n '__fish_seen_subcommand_from %s' -l "
				"%s",
				commands[i]->name, row->name);
			if (row->letter != 0)
				buf_printf(out, " -s %c", row->letter);
			buf_printf(out, "%s -d '", row->value != NULL ? " -r" : "");
			quote_single(out, row->help);
			buf_puts(out, "'\n");
		}
	}
}

static void
complete_zsh(struct buf *out)
{
	buf_puts(out, "#compdef rbx\n_rbx() {\n\tlocal -a commands\n\tcommands=(\n");
	for (size_t i = 0; commands[i] != NULL; i++) {
		buf_printf(out, "\t\t'%s:", commands[i]->name);
		quote_single(out, commands[i]->summary);
		buf_puts(out, "'\n");
	}
	buf_puts(out,
		"\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command "
		"commands\n\t\treturn\n\tfi\n\tcase $words[2] in\n");
	for (size_t i = 0; commands[i] != NULL; i++) {
		buf_printf(out, "\t%s) _arguments", commands[i]->name);
		for (const struct option_row *row = commands[i]->options;
			row != NULL && row->name != NULL; row++)
			buf_printf(out, " '--%s[%s]%s%s:'", row->name, row->name,
				row->value != NULL ? ":" : "",
				row->value != NULL ? row->value : "");
		buf_puts(out, " '*:file:_files' ;;\n");
	}
	buf_puts(out, "\tesac\n}\n_rbx \"$@\"\n");
}

void
write_completion(struct buf *out, const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		complete_bash(out);
	else if (strcmp(shell, "zsh") == 0)
		complete_zsh(out);
	else
		complete_fish(out);
}
