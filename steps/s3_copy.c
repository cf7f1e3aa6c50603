#include "shared.h"

static const struct field in[] = {
	{.name = "from", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED, .help = "the object"},
	{.name = "to", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED, .help = "its copy"},
	{.name = "from_region", .type = FIELD_TEXT, .help = "of the bucket at from"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "url", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "of the copy"},
	{.name = "etag", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "of the copy"},
	{.name = "version", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "in a versioned bucket"},
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length"},
	{.name = NULL},
};

const struct step_type s3_copy_type = {
	.name = "s3_copy",
	.summary = "copy an object on S3, made by the server",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = NS_H,
	.can_undo = true,
};
