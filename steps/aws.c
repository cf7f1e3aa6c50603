#include "aws/secret.h"
#include "shared.h"

static const struct field in[] = {
	{.name = "call", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_WRITTEN,
	 .pattern = "[a-z][a-z0-9-]*\\.[A-Z][A-Za-z0-9]*",
	 .help = "service.Operation: rds.PromoteReadReplica"},
	{.name = "with", .type = FIELD_MAP, .each = FIELD_DATA, .flags = FIELD_TAKES_SECRET,
	 .help = "the operation's members by their names in the model"},
	{.name = "pages", .type = FIELD_TEXT, .words = (const char *const[]){"all", NULL},
	 .help = "fetch every page and join the lists"},
	{.name = "waiter", .type = FIELD_TEXT, .flags = FIELD_WRITTEN, .pattern = "[A-Za-z][A-Za-z0-9]*",
	 .help = "of the model: repeats the call until its success"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "code", .type = FIELD_TEXT, .help = "empty on success"},
	{.name = "*", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "the operation's result"},
	{.name = NULL},
};

/* What the name of an operation alone tells; the model knows more (tokens, waiters). */
static enum effect
effect_of(const struct value *args)
{
	static const char *const reads[] = {
		"BatchGet", "Describe", "Filter", "Get", "Head", "List", "Lookup", "Query", "Scan", "Search",
	};
	struct str operation,
		service = str_cut(value_get_str(args, "call"), '.', &operation);
	(void)service;
	for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
		if (str_starts(operation, str_of(reads[i])))
			return PURE;
	return ONCE;
}

const struct step_type aws_type = {
	.name = "aws",
	.summary = "call any operation of AWS",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = NS_MIN,
	.takes_effect = true,
	.takes_accept = true,
	.secrets = aws_secrets,
};
