#include <signal.h>
#include <stdio.h>

#include "base/secret.h"
#include "cmd/command.h"
#include "model/type.h"
#include "../steps/steps.h"

extern const struct command run_command, drill_command, resume_command,
	resolve_command, undo_command, approve_command, cancel_command, tick_command,
	list_command, show_command, logs_command, verify_command,
	validate_command, graph_command, steps_command, schema_command, eval_command,
	backup_command, gc_command, help_command;

const struct command *const commands[] = {
	&run_command, &drill_command, &resume_command, &resolve_command, &undo_command,
	&approve_command, &cancel_command, &tick_command, &list_command, &show_command,
	&logs_command, &verify_command, &validate_command, &graph_command,
	&steps_command, &schema_command, &eval_command,
	&backup_command, &gc_command,
	&help_command, NULL,
};

static int
unknown(const char *word)
{
	const char *names[64] = {NULL};
	for (size_t i = 0; commands[i] != NULL; i++)
		names[i] = commands[i]->name;
	cmd_unknown("rbx: there is no command", word, names);
	cmd_say("try `rbx help`\n");
	return EXIT_WRONG;
}

/* `rbx aws rds` is `rbx steps aws rds`: a type that knows more than its fields is asked
 * by its name. With words after it `--help` asks for nothing else. */
static bool
knows_more(const char *name)
{
	const struct step_type *type = step_type_find(step_types, str_of(name));
	return type != NULL && type->explain != NULL;
}

static int
ask_type(int argc, char **argv)
{
	struct arena *mem = arena_new();
	char **words = arena_array(mem, char *, (size_t)argc + 2), more[] = "--more";
	int n = argc > 3 && strcmp(argv[argc - 1], "--help") == 0 ? argc - 1 : argc;
	memcpy(words, argv, (size_t)n * sizeof *words);
	words[n] = more;
	int code = command_main(mem, &steps_command, n + 1, words);
	arena_free(mem);
	return code;
}

int
main(int argc, char **argv)
{
	char help[] = "help", *none[] = {help, NULL};
	secret_guard_process();
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return printf("rbx %s\n", RBX_VERSION) < 0;
	bool bare =
		argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
	const struct command *command = command_find(bare ? "help" : argv[1]);
	if (command == NULL)
		return knows_more(argv[1]) ? ask_type(argc, argv) : unknown(argv[1]);
	struct arena *mem = arena_new();
	int code =
		command_main(mem, command, bare ? 1 : argc - 1, bare ? none : argv + 1);
	arena_free(mem);
	if (bare && argc < 2)
		return EXIT_WRONG;
	return code;
}
