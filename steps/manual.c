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

static const struct field in_rows[] = {
	{.name = "text", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "instructions to a person"},
	{.name = "word", .type = FIELD_TEXT, .help = "must be typed; without it yes or no"},
	{.name = "ask", .type = FIELD_MAP, .each = FIELD_OBJECT, .fields = question, .flags = FIELD_WRITTEN,
	 .help = "questions; the answers are outputs"},
	{.name = "by", .type = FIELD_TEXT, .help = "a group that may answer"},
	{.name = "within", .type = FIELD_DURATION, .otherwise = "24h", .help = "no answer by then fails"},
	{.name = NULL},
};

static const struct field out_rows[] = {
	{.name = NULL},
};

/* The engine has asked, and somebody has said that it is done: what was answered is the
 * result. */
static enum verdict
run(struct step *step, const struct event *event)
{
	(void)event;
	return step_done(
		step, step->got != NULL ? *step->got : value_map(step->mem, NULL, 0));
}

const struct step_type manual_type = {
	.name = "manual",
	.summary = "have a person do something",
	.version = 1,
	.in = in_rows,
	.out = out_rows,
	.effect = REPEATABLE,
	.asks = true,
	.run = run,
};
