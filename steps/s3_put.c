#include "shared.h"

static const struct field in[] = {
	{.name = "to", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED, .help = "the object"},
	{.name = "body", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .either = 1, .help = "its content as text"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_REQUIRED, .either = 1, .help = "its content as JSON"},
	{.name = "file", .type = FIELD_PATH, .flags = FIELD_REQUIRED | FIELD_READ, .either = 1,
	 .help = "a file that holds it"},
	{.name = "content_type", .type = FIELD_TEXT, .help = "of the object"},
	{.name = "storage_class", .type = FIELD_TEXT, .pattern = "[A-Z_]+", .help = "of the object"},
	{.name = "metadata", .type = FIELD_MAP, .each = FIELD_TEXT, .help = "of the object"},
	{.name = "if_absent", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "an object with other content is a failure"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "url", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "of the object"},
	{.name = "etag", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "of the object"},
	{.name = "version", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "in a versioned bucket"},
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length"},
	{.name = NULL},
};

const struct step_type s3_put_type = {
	.name = "s3_put",
	.summary = "write an object to S3",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = NS_H,
	.can_undo = true,
};
