#include "shared.h"

static const struct field in[] = {
	{.name = "argv", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "the program and its arguments, no shell"},
	{.name = "shell", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_SHELL, .either = 1,
	 .help = "text for sh -eu"},
	{.name = "args", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "$1, $2, … of shell"},
	{.name = "cwd", .type = FIELD_PATH, .help = "else the playbook's folder"},
	{.name = "stdin", .type = FIELD_SECRET, .help = "what it reads; else nothing"},
	{.name = "json", .type = FIELD_BOOL, .otherwise = "false", .help = "standard output must be JSON"},
	{.name = "env", .type = FIELD_MAP, .each = FIELD_SECRET, .help = "values for its environment"},
	{.name = "pass_env", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .help = "names passed on from rbx's own environment"},
	{.name = "files", .type = FIELD_MAP, .each = FIELD_SECRET,
	 .help = "each goes to a file of mode 0600, its path to the environment under that name"},
	{.name = "creates", .type = FIELD_PATH, .help = "exists: done, unchanged"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "code", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "exit code"},
	{.name = "stdout", .type = FIELD_TEXT, .help = "first and last 64 KiB"},
	{.name = "stderr", .type = FIELD_TEXT, .help = "first and last 64 KiB"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "with json: standard output"},
	{.name = NULL},
};

static enum effect
effect_of(const struct value *args)
{
	return value_get(args, "creates") != NULL ? PROBED : ONCE;
}

const struct step_type exec_type = {
	.name = "exec",
	.summary = "run a program",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = 10 * NS_MIN,
	.takes_effect = true,
	.takes_accept = true,
};
