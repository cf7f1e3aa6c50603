#include "shared.h"

static const struct field expect[] = {
	{.name = "max_age", .type = FIELD_DURATION, .help = "changed at most that long ago"},
	{.name = "min_size", .type = FIELD_SIZE, .help = "at least that long"},
	{.name = "max_size", .type = FIELD_SIZE, .help = "at most that long"},
	{.name = "sha256", .type = FIELD_TEXT, .pattern = "[0-9a-fA-F]{64}", .help = "its digest"},
	{.name = "absent", .type = FIELD_BOOL, .help = "there is no such file"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "path", .type = FIELD_PATH, .flags = FIELD_REQUIRED, .help = "the file"},
	{.name = "json", .type = FIELD_BOOL, .otherwise = "false", .help = "parse it"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "without: it exists"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length"},
	{.name = "modified", .type = FIELD_TIMESTAMP, .flags = FIELD_OUTPUT, .help = "when it changed"},
	{.name = "sha256", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "its digest"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "with json: what it holds"},
	{.name = NULL},
};

const struct step_type file_check_type = {
	.name = "file_check",
	.summary = "look at a file",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 30 * NS_S,
	.is_check = true,
};
