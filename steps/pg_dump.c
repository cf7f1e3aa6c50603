#include "shared.h"

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = connection_fields},
	{.name = "password", .type = FIELD_SECRET, .help = "else from ~/.pgpass"},
	{.name = "from", .type = FIELD_OBJECT, .flags = FIELD_SPREAD, .fields = connection_fields,
	 .help = "a connection; what is given beside it wins"},
	{.name = "to", .type = FIELD_PLACE, .flags = FIELD_REQUIRED,
	 .help = "a file, which appears by rename, or an object on S3"},
	{.name = "format", .type = FIELD_TEXT, .otherwise = "custom",
	 .words = (const char *const[]){"custom", "plain", "tar", "directory", NULL},
	 .help = "directory only to a path"},
	{.name = "jobs", .type = FIELD_INT, .otherwise = "1", .least = 1, .most = 64,
	 .help = "at once, with the format directory"},
	{.name = "schemas", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "only these (patterns)"},
	{.name = "tables", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "only these (patterns)"},
	{.name = "exclude_tables", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "not these (patterns)"},
	{.name = "memory", .type = FIELD_SIZE, .otherwise = "32MiB", .least = 5 << 20,
	 .most = INT64_C(4) << 30, .help = "part buffers of an upload"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "url", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "the place"},
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length"},
	{.name = "sha256", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "its digest"},
	{.name = "snapshot_at", .type = FIELD_TIMESTAMP, .flags = FIELD_OUTPUT,
	 .help = "the data is as of then"},
	{.name = "server_version", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "of PostgreSQL"},
	{.name = NULL},
};

const struct step_type pg_dump_type = {
	.name = "pg_dump",
	.summary = "dump a database to a file or to S3",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = 2 * NS_H,
};
