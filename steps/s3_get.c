#include "shared.h"

static const struct field in[] = {
	{.name = "from", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED, .help = "the object"},
	{.name = "to", .type = FIELD_PATH, .flags = FIELD_REQUIRED, .help = "the file; appears by rename"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "path", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "the file"},
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length"},
	{.name = "sha256", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "its digest"},
	{.name = NULL},
};

const struct step_type s3_get_type = {
	.name = "s3_get",
	.summary = "fetch an object from S3 to a file",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = NS_H,
	.can_undo = true,
};
