#include "shared.h"

static const char *const programs[] = {"terraform", "tofu", NULL};

static const struct field both[] = {
	{.name = "dir",
		.type = FIELD_PATH,
		.flags = FIELD_REQUIRED,
		.help = "of the configuration"},
	{.name = "program",
		.type = FIELD_TEXT,
		.words = programs,
		.otherwise = "terraform",
		.help = "terraform or tofu"},
	{.name = "workspace",
		.type = FIELD_TEXT,
		.otherwise = "default",
		.help = "must exist"},
	{.name = "env",
		.type = FIELD_MAP,
		.each = FIELD_SECRET,
		.help = "values for its environment"},
	{.name = "pass_env",
		.type = FIELD_LIST,
		.each = FIELD_TEXT,
		.help = "names passed on from rbx's own environment"},
	{.name = NULL},
};

static const struct field apply_in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = both},
	{.name = "vars",
		.type = FIELD_MAP,
		.each = FIELD_SECRET,
		.help = "by the environment, never by argv"},
	{.name = "var_files",
		.type = FIELD_LIST,
		.each = FIELD_PATH,
		.flags = FIELD_READ,
		.help = "files of variables"},
	{.name = "destroy",
		.type = FIELD_BOOL,
		.otherwise = "false",
		.help = "a plan that removes everything"},
	{.name = "destroys",
		.type = FIELD_INT,
		.otherwise = "0",
		.least = 0,
		.most = 1000000,
		.help = "a plan that destroys or replaces more resources fails the step"},
	{.name = NULL},
};

static const struct field output_in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = both},
	{.name = NULL},
};

static const struct field apply_out[] = {
	{.name = "outputs",
		.type = FIELD_MAP,
		.each = FIELD_DATA,
		.help = "typed; a sensitive one is secret"},
	{.name = "added", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "resources"},
	{.name = "changed",
		.type = FIELD_INT,
		.flags = FIELD_OUTPUT,
		.help = "resources"},
	{.name = "destroyed",
		.type = FIELD_INT,
		.flags = FIELD_OUTPUT,
		.help = "resources"},
	{.name = NULL},
};

static const struct field output_out[] = {
	{.name = "outputs",
		.type = FIELD_MAP,
		.each = FIELD_DATA,
		.help = "typed; a sensitive one is secret"},
	{.name = NULL},
};

const struct step_type terraform_apply_type = {
	.name = "terraform_apply",
	.summary = "make a plan and apply that very plan",
	.version = 1,
	.in = apply_in,
	.out = apply_out,
	.effect = PROBED,
	.timeout = 30 * NS_MIN,
};

const struct step_type terraform_output_type = {
	.name = "terraform_output",
	.summary = "read the outputs of a configuration",
	.version = 1,
	.in = output_in,
	.out = output_out,
	.effect = PURE,
	.timeout = 5 * NS_MIN,
	.is_check = true,
};
