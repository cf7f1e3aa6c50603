/* One command, one file, one row. A row says all that parsing, help, man pages and
 * completions need. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "base/diag.h"
#include "data/json.h"
#include "store/store.h"

enum exit_code {				      /* design.md, "Commands" */
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_WRONG = 2,
	EXIT_REFUSED = 3,
	EXIT_WAITS = 4,
	EXIT_CANCELLED = 5,
	EXIT_OUT_OF_TIME = 6,
	EXIT_HELD = 75,
};

struct option_row {
	const char *name;                             /* "input"; NULL ends the list */
	char letter;                                  /* 'i'; 0: none */
	const char *value; /* what stands after it, "NAME=VALUE"; NULL: a flag */
	const char *help;
};

struct cmd;

struct command {
	const char *name, *summary;
	const char *words; /* "PLAYBOOK…", for the usage line; "" without */
	const char *text;                             /* a paragraph */
	const char *example;                          /* lines, each a command */
	const struct option_row *options; /* besides those of all; NULL: none */
	size_t least, most; /* words; most SIZE_MAX: any number */
	bool hidden;                                  /* not in the list of help */
	bool secrets; /* it fetches secrets: nobody else's code may lie in its memory */
	/* It reads what others wrote and does nothing else: under host/guard.h. */
	enum { GUARD_NONE, GUARD_ALL, GUARD_BUT_STORE } guard;
	bool no_types; /* under guard: it looks at no step, so no plug-in is asked */
	const char *store_if; /* option without which it opens no store; NULL: always */
	int (*run)(struct cmd *cmd);
};

struct option_given {
	const struct option_row *row;
	const char *value;
};

struct cmd {
	struct arena *mem;
	const struct command *command;
	const char *const *words;
	size_t n_words;
	const struct option_given *given;
	size_t n_given;
	bool json, colour;                            /* colour: of standard output */
	int lost;                                     /* errno of a write to standard output; 0: none */
	bool hangs;                                   /* a thread waits for what does not answer */
	struct host *host;                            /* opened by cmd_host */
	struct store *store;                          /* opened by cmd_store */
	const struct step_type *const *types;         /* looked up by cmd_types */
};

extern const struct command *const commands[]; /* in the order of help, NULL-ended */
extern const struct option_row common_options[];
const struct command *command_find(const char *name);
int command_main(struct arena *mem, const struct command *command, int argc,
	char **argv); /* argv[0]: its name */

bool cmd_flag(const struct cmd *cmd, const char *name);
const char *
cmd_value(const struct cmd *cmd, const char *name); /* the last one given; NULL */

/* Each opens it once; false: the error was told. A store that cannot be opened is the
 * wrong store in every command: EXIT_WRONG, nothing was started. */
bool cmd_host(struct cmd *cmd);
bool cmd_store(struct cmd *cmd);
/* The run that a word names; NULL: the error was told. */
const char *cmd_run(struct cmd *cmd, const char *word);
/* The step types that come with rbx and those on the plug-in path (RBX_PLUGINS). */
const struct step_type *const *cmd_types(struct cmd *cmd);
void cmd_close(struct cmd *cmd);

void cmd_print(struct cmd *cmd, const struct buf *text);     /* standard output, whole */
int
cmd_error(struct cmd *cmd, int code, const struct err *err); /* tells it; returns code */
/* To standard error; what is unsafe for a terminal is escaped. */
void cmd_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "rbx: there is no command 'vaildate', did you mean 'validate'?"; names: NULL-ended. */
void cmd_unknown(const char *what, const char *word, const char *const *names);
void cmd_diags(struct cmd *cmd, const struct diags *diags);

/* The bytes of a file that somebody wrote, from one open file: a regular file of the
 * caller or root that nobody else may write (resilience.md C28), at most 16 MiB. */
bool file_read(struct arena *mem, const char *path, struct str *bytes, char **full_path,
	struct err *err);

char *usage_text(struct arena *mem, const struct command *command); /* for --help */
char *man_text(struct arena *mem,
	const struct command *command); /* a man page; NULL: of rbx itself */

#endif
