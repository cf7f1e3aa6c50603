#include "cmd/command.h"

#include "host/guard.h"
#include "store/place.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct option_row common_options[] = {
	{"store", 0, "PATH",
		"where runs are kept; else RBX_STORE, else the state folder of the user"},
	{"json", 0, NULL, "for programs"},
	{"color", 0, "WHEN", "auto, always or never"},
	{"help", 'h', NULL, "say what the command does"},
	{NULL, 0, NULL, NULL},
};

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

bool
cmd_flag(const struct cmd *cmd, const char *name)
{
	for (size_t i = 0; i < cmd->n_given; i++)
		if (strcmp(cmd->given[i].row->name, name) == 0)
			return true;
	return false;
}

const char *
cmd_value(const struct cmd *cmd, const char *name)
{
	const char *value = NULL;
	for (size_t i = 0; i < cmd->n_given; i++)
		if (strcmp(cmd->given[i].row->name, name) == 0)
			value = cmd->given[i].value;
	return value;
}

/* How long a change of colour is that begins there, "ESC [ 1 ; 31 m"; 0: none does. */
static size_t
colour_at(struct str text)
{
	size_t n = 2;
	if (!str_starts(text, STR("\033[")))
		return 0;
	while (n < text.n && strchr("0123456789;", text.p[n]) != NULL)
		n++;
	return n < text.n && text.p[n] == 'm' ? n + 1 : 0;
}

/* Whatever a playbook, a store or an answer holds: to a terminal go text, lines and
 * colours. */
static struct buf
made_safe(struct cmd *cmd, struct str text)
{
	struct buf out = buf_in(cmd->mem);
	if (cmd->json) {
		buf_safe_json(&out, text);
		return out;
	}
	while (text.n > 0) {
		const char *next = memchr(text.p + 1, '\033', text.n - 1);
		size_t n = colour_at(text);
		if (n > 0)
			buf_add(&out, (struct str){text.p, n});
		else {
			n = next == NULL ? text.n : (size_t)(next - text.p);
			buf_safe(&out, (struct str){text.p, n}, true);
		}
		text = str_from(text, n);
	}
	return out;
}

void
cmd_print(struct cmd *cmd, const struct buf *given)
{
	struct buf safe = made_safe(cmd, buf_str(given)), *text = &safe;
	for (size_t done = 0; done < text->n;) {
		ssize_t n = write(STDOUT_FILENO, text->p + done, text->n - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			cmd->lost = errno; /* EPIPE: whoever read it has gone */
			return;
		}
		done += (size_t)n;
	}
}

void
cmd_say(const char *format, ...)
{
	struct arena *mem = arena_new();
	char *text;
	va_list args;
	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		abort();
	struct buf out = buf_in(mem);
	buf_safe(&out, (struct str){text, (size_t)n}, true);
	fwrite(buf_cstr(&out), 1, out.n, stderr);
	free(text);
	arena_free(mem);
}

void
cmd_unknown(const char *what, const char *word, const char *const *names)
{
	const char *near = near_name(str_of(word), names);
	cmd_say("%s '%s'%s%s%s\n", what, word, near != NULL ? ", did you mean '" : "",
		near != NULL ? near : "", near != NULL ? "'?" : "");
}

int
cmd_error(struct cmd *cmd, int code, const struct err *err)
{
	struct buf out = buf_in(cmd->mem);
	diag_print(&out, DIAG_ERROR, err, isatty(STDERR_FILENO) && cmd->colour);
	fwrite(out.p, 1, out.n, stderr);
	return code;
}

void
cmd_diags(struct cmd *cmd, const struct diags *diags)
{
	struct buf out = buf_in(cmd->mem);
	diags_print(&out, diags, isatty(STDERR_FILENO) && cmd->colour);
	fwrite(buf_cstr(&out), 1, out.n, stderr);
}

bool
cmd_host(struct cmd *cmd)
{
	struct err err;
	const struct host_options options = {
		.resolver = getenv("RBX_RESOLVER"), .ca_file = getenv("RBX_CA_FILE")};
	if (cmd->host == NULL)
		cmd->host = host_open(&options, &err);
	if (cmd->host == NULL)
		cmd_error(cmd, EXIT_FAILED, &err);
	return cmd->host != NULL;
}

static bool
find_store(struct cmd *cmd, const char **where, struct err *err)
{
	*where = cmd_value(cmd, "store");
	if (*where == NULL)
		*where = getenv("RBX_STORE");
	return *where != NULL || store_default(cmd->mem, cmd->host, where, err);
}

/* Where it may write; a store that is not there yet is begun, for under guard its folder
 * cannot be made. NULL: nowhere. */
static const char *
writable(struct cmd *cmd)
{
	const struct command *command = cmd->command;
	const char *where = NULL;
	struct err ignored;
	int folder;
	if (command->guard != GUARD_BUT_STORE || !cmd_host(cmd)
		|| (command->store_if != NULL && !cmd_flag(cmd, command->store_if)))
		return NULL;
	if (!find_store(cmd, &where, &ignored))
		return NULL;
	if (access(where, F_OK) != 0 && place_open(where, &folder, &ignored))
		close(folder);
	return where;
}

/* The types come first: plug-ins are asked what they are. */
static void
guard(struct cmd *cmd)
{
	if (cmd->command->guard == GUARD_NONE)
		return;
	if (!cmd->command->no_types)
		cmd_types(cmd);
	guard_process(writable(cmd));
}

bool
cmd_store(struct cmd *cmd)
{
	struct err err;
	const char *where;
	if (cmd->store != NULL)
		return true;
	if (!cmd_host(cmd))
		return false;
	if (!find_store(cmd, &where, &err)
	    || !store_open(&cmd->store, cmd->host, where, &err))
		cmd_error(cmd, EXIT_WRONG, &err);
	return cmd->store != NULL;
}

const char *
cmd_run(struct cmd *cmd, const char *word)
{
	struct err err;
	const char *run;
	if (!cmd_store(cmd))
		return NULL;
	if (store_find(cmd->store, str_of(word), cmd->mem, &run, &err))
		return run;
	cmd_error(cmd, EXIT_WRONG, &err);
	return NULL;
}

void
cmd_close(struct cmd *cmd)
{
	if (cmd->store != NULL)
		store_close(cmd->store);
	cmd->hangs = cmd->host != NULL && !host_close(cmd->host);
}

/* ---- the command line */

struct parsing {
	const struct option_row *rows[64];
	struct option longs[65];
	char letters[130];
	size_t n;
};

static void
add_rows(struct parsing *p, const struct option_row *rows)
{
	size_t used = strlen(p->letters);
	for (; rows != NULL && rows->name != NULL; rows++) {
		p->rows[p->n] = rows;
		p->longs[p->n] = (struct option){rows->name,
			rows->value != NULL ? required_argument : no_argument, NULL,
			256 + (int)p->n};
		p->n++;
		if (rows->letter != 0)
			used += (size_t)snprintf(p->letters + used,
				sizeof p->letters - used, "%c%s", rows->letter,
				rows->value != NULL ? ":" : "");
	}
}

static const struct option_row *
row_of(const struct parsing *p, int c)
{
	if (c >= 256)
		return p->rows[c - 256];
	for (size_t i = 0; i < p->n; i++)
		if (p->rows[i]->letter == c)
			return p->rows[i];
	return NULL;
}

static void
tell_unknown(const struct parsing *p, const struct command *command, const char *word,
	int option)
{
	const char *names[65] = {NULL};
	for (size_t i = 0; i < p->n; i++)
		names[i] = p->rows[i]->name;
	const char *bare = word;
	while (*bare == '-')
		bare++;
	struct str rest, name = str_cut(str_of(bare), '=', &rest);
	const char *near = near_name(name, names);
	if (option == ':')
		cmd_say("rbx %s: %s needs a value\n", command->name, word);
	else
		cmd_say("rbx %s: unknown option '%s'%s%s%s\n", command->name,
			word, near != NULL ? ", did you mean '--" : "",
			near != NULL ? near : "", near != NULL ? "'?" : "");
	cmd_say("try `rbx %s --help`\n", command->name);
}

/* getopt_long takes any beginning of a name: --retry- would be --retry-as-new. */
static bool
is_whole(const char *word, const char *name)
{
	size_t n = strlen(name);
	return strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, n) == 0
		&& (word[2 + n] == '\0' || word[2 + n] == '=');
}

static bool
parse(struct cmd *cmd, int argc, char **argv)
{
	struct parsing p = {.letters = ":"};
	struct option_given *given =
		arena_array(cmd->mem, struct option_given, (size_t)argc + 1);
	add_rows(&p, common_options);
	add_rows(&p, cmd->command->options);
	opterr = 0;
	optind = 1;
	for (int c; (c = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1;) {
		const struct option_row *row =
			c == '?' || c == ':' ? NULL : row_of(&p, c);
		bool apart = optind > 1 && optarg == argv[optind - 1];
		const char *word = argv[optind - (apart ? 2 : 1)];
		if (row == NULL || (c >= 256 && !is_whole(word, row->name))) {
			tell_unknown(&p, cmd->command, word, c);
			return false;
		}
		given[cmd->n_given++] = (struct option_given){row, optarg};
	}
	cmd->given = given;
	cmd->words = (const char *const *)argv + optind;
	cmd->n_words = (size_t)(argc - optind);
	return true;
}

static bool
choose_colour(struct cmd *cmd)
{
	const char *when = cmd_value(cmd, "color"), *term = getenv("TERM"),
		   *no = getenv("NO_COLOR");
	if (when != NULL && strcmp(when, "always") != 0 && strcmp(when, "never") != 0
		&& strcmp(when, "auto") != 0) {
		cmd_say("rbx %s: --color takes auto, always or never\n",
			cmd->command->name);
		return false;
	}
	bool plain = (no != NULL && no[0] != '\0') || term == NULL
		|| strcmp(term, "dumb") == 0;
	cmd->colour = when != NULL && strcmp(when, "auto") != 0
		? strcmp(when, "always") == 0
		: !plain && isatty(STDOUT_FILENO);
	return true;
}

/* What the linker was told to load first would read every secret, and answer for every
 * function (resilience.md C7). */
static bool
is_alone(const struct command *command)
{
	static const char *const names[] = {"LD_PRELOAD", "LD_AUDIT"};
	for (size_t i = 0; command->secrets && i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);
		if (value == NULL || *value == '\0')
			continue;
		cmd_say("rbx %s: refused: %s is set, and what it loads would see "
			"every secret\nhint: env -u %s rbx %s …\n", command->name, names[i],
			names[i], command->name);
		return false;
	}
	return true;
}

int
command_main(struct arena *mem, const struct command *command, int argc, char **argv)
{
	struct cmd cmd = {.mem = mem, .command = command};
	if (!parse(&cmd, argc, argv) || !choose_colour(&cmd))
		return EXIT_WRONG;
	if (cmd_flag(&cmd, "help")) {
		struct buf out = buf_in(mem);
		buf_puts(&out, usage_text(mem, command));
		cmd_print(&cmd, &out);
		return EXIT_DONE;
	}
	cmd.json = cmd_flag(&cmd, "json");
	if (cmd.n_words < command->least || cmd.n_words > command->most) {
		cmd_say("rbx %s: %s\nusage: rbx %s %s\n", command->name,
			cmd.n_words < command->least ? "too few words" : "too many words",
			command->name, command->words);
		return EXIT_WRONG;
	}
	if (!is_alone(command))
		return EXIT_WRONG;
	guard(&cmd);
	int code = command->run(&cmd);
	cmd_close(&cmd);
	if (cmd.lost != 0 && cmd.lost != EPIPE) {
		cmd_say("rbx %s: standard output: %s\n", command->name,
			strerror(cmd.lost));
		code = code == EXIT_DONE ? EXIT_FAILED : code;
	}
	/* An exit would wait for the threads of the pool: for the resolver's patience. */
	if (cmd.hangs) {
		fflush(NULL);
		_exit(code);
	}
	return code;
}
