#include "shared.h"

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = connection_fields},
	{.name = "password", .type = FIELD_SECRET, .help = "else from ~/.pgpass"},
	{.name = "from", .type = FIELD_OBJECT, .flags = FIELD_SPREAD, .fields = connection_fields,
	 .help = "a connection; what is given beside it wins"},
	{.name = "query", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "one statement"},
	{.name = "params", .type = FIELD_LIST, .each = FIELD_DATA, .help = "its $1, $2, …"},
	{.name = "max_rows", .type = FIELD_INT, .otherwise = "1000", .least = 1, .most = 1000000,
	 .help = "more is an error"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "rows", .type = FIELD_LIST, .each = FIELD_MAP, .help = "what it gave"},
	{.name = "count", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "of rows"},
	{.name = "code", .type = FIELD_TEXT, .help = "SQLSTATE, 00000 on success"},
	{.name = NULL},
};

const struct step_type sql_check_type = {
	.name = "sql_check",
	.summary = "run a query in a read-only transaction",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 30 * NS_S,
	.is_check = true,
	.takes_accept = true,
};
