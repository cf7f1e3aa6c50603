#include "shared.h"

static const struct field question[] = {
	{.name = "type", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_WRITTEN,
	 .words = (const char *const[]){"string", "int", "number", "bool", "duration", "timestamp", "size",
	                                "hostname", "url", "path", NULL},
	 .help = "of the answer"},
	{.name = "enum", .type = FIELD_LIST, .each = FIELD_DATA, .flags = FIELD_WRITTEN,
	 .help = "the only answers"},
	{.name = "pattern", .type = FIELD_REGEX, .flags = FIELD_WRITTEN, .help = "for the whole answer"},
	{.name = "min", .type = FIELD_DATA, .flags = FIELD_WRITTEN, .help = "at least"},
	{.name = "max", .type = FIELD_DATA, .flags = FIELD_WRITTEN, .help = "at most"},
	{.name = "help", .type = FIELD_TEXT, .flags = FIELD_WRITTEN, .help = "shown with the question"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "text", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "instructions to a person"},
	{.name = "word", .type = FIELD_TEXT, .help = "must be typed; without it yes or no"},
	{.name = "ask", .type = FIELD_MAP, .each = FIELD_OBJECT, .fields = question, .flags = FIELD_WRITTEN,
	 .help = "questions; the answers are outputs"},
	{.name = "by", .type = FIELD_TEXT, .help = "a group that may answer"},
	{.name = "within", .type = FIELD_DURATION, .otherwise = "24h", .help = "no answer by then fails"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = NULL},
};

const struct step_type manual_type = {
	.name = "manual",
	.summary = "have a person do something",
	.version = 1,
	.in = in,
	.out = out,
	.effect = REPEATABLE,
};
