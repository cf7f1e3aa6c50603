#include "shared.h"

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = connection_fields},
	{.name = "password", .type = FIELD_SECRET, .help = "else from ~/.pgpass"},
	{.name = "from", .type = FIELD_OBJECT, .flags = FIELD_SPREAD, .fields = connection_fields,
	 .help = "a connection; what is given beside it wins"},
	{.name = "query", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "one statement or several"},
	{.name = "file", .type = FIELD_PATH, .flags = FIELD_REQUIRED | FIELD_READ, .either = 1,
	 .help = "a file of statements, instead of query"},
	{.name = "params", .type = FIELD_LIST, .each = FIELD_DATA, .help = "$1, $2, … of one statement"},
	{.name = "transaction", .type = FIELD_BOOL, .otherwise = "true",
	 .help = "all in one, with a row of step.key in rbx_dedup: never carried out twice"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "rows", .type = FIELD_LIST, .each = FIELD_MAP, .help = "of the last statement"},
	{.name = "count", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "of rows"},
	{.name = "code", .type = FIELD_TEXT, .help = "SQLSTATE, 00000 on success"},
	{.name = NULL},
};

static enum effect
effect_of(const struct value *args)
{
	return value_get_bool(args, "transaction", true) ? KEYED : ONCE;
}

const struct step_type sql_type = {
	.name = "sql",
	.summary = "change a database",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = 10 * NS_MIN,
	.takes_effect = true,
	.takes_accept = true,
};
