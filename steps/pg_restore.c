#include "shared.h"

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = connection_fields},
	{.name = "password", .type = FIELD_SECRET, .help = "else from ~/.pgpass"},
	{.name = "to", .type = FIELD_OBJECT, .flags = FIELD_SPREAD, .fields = connection_fields,
	 .help = "a connection; what is given beside it wins"},
	{.name = "from", .type = FIELD_PLACE, .flags = FIELD_REQUIRED,
	 .help = "the dump; the format is found out, directory from a path only"},
	{.name = "create", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "make the database first; one that exists is replaced only if rbx made it"},
	{.name = "clean", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "drop each object that exists before making it"},
	{.name = "jobs", .type = FIELD_INT, .otherwise = "1", .least = 1, .most = 64,
	 .help = "more than 1 needs a file: an object on S3 is fetched first"},
	{.name = "schemas", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "only these"},
	{.name = "tables", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "only these"},
	{.name = "owner", .type = FIELD_BOOL, .otherwise = "false", .help = "restore owners as well"},
	{.name = "privileges", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "restore privileges as well"},
	{.name = "ignore", .type = FIELD_LIST, .each = FIELD_REGEX,
	 .help = "errors of pg_restore that are harmless; any other fails the step"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "of the dump"},
	{.name = "ignored", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "errors that were harmless"},
	{.name = NULL},
};

static enum effect
effect_of(const struct value *args)
{
	bool again = value_get_bool(args, "create", false) || value_get_bool(args, "clean", false);
	return again ? IDEMPOTENT : ONCE;
}

const struct step_type pg_restore_type = {
	.name = "pg_restore",
	.summary = "restore a dump into a database",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = 2 * NS_H,
};
