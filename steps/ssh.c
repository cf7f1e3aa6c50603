#include "shared.h"

static const struct field in[] = {
	{.name = "host", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "for the system's ssh"},
	{.name = "port", .type = FIELD_INT, .least = 1, .most = 65535, .help = "else as ssh is set up"},
	{.name = "identity", .type = FIELD_PATH, .flags = FIELD_READ, .help = "key file"},
	{.name = "argv", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "the program and its arguments, no shell"},
	{.name = "shell", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_SHELL, .either = 1,
	 .help = "text for sh -eu"},
	{.name = "args", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "$1, $2, … of shell"},
	{.name = "cwd", .type = FIELD_TEXT, .help = "there; else the home folder"},
	{.name = "stdin", .type = FIELD_SECRET, .help = "what it reads; else nothing"},
	{.name = "json", .type = FIELD_BOOL, .otherwise = "false", .help = "standard output must be JSON"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "code", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "exit code"},
	{.name = "stdout", .type = FIELD_TEXT, .help = "first and last 64 KiB"},
	{.name = "stderr", .type = FIELD_TEXT, .help = "first and last 64 KiB"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "with json: standard output"},
	{.name = NULL},
};

const struct step_type ssh_type = {
	.name = "ssh",
	.summary = "run a program on another host",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.timeout = 10 * NS_MIN,
	.takes_effect = true,
	.takes_accept = true,
};
