#include "shared.h"

static const struct field expect[] = {
	{.name = "max_age", .type = FIELD_DURATION, .help = "of the object, of the newest of a prefix"},
	{.name = "min_size", .type = FIELD_SIZE, .help = "at least that long"},
	{.name = "max_size", .type = FIELD_SIZE, .help = "at most that long"},
	{.name = "min_count", .type = FIELD_INT, .least = 0, .most = 100000,
	 .help = "at least that many below the prefix"},
	{.name = "absent", .type = FIELD_BOOL, .help = "there is no such object"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "url", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED,
	 .help = "an object, or all below a prefix (at most 100,000)"},
	{.name = "json", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "parse the object (at most 1 MiB)"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "without: it exists"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field newest[] = {
	{.name = "url", .type = FIELD_TEXT, .help = "of the object"},
	{.name = "bytes", .type = FIELD_INT, .help = "its length"},
	{.name = "modified", .type = FIELD_TIMESTAMP, .help = "when it was written"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length; of a prefix: of all"},
	{.name = "modified", .type = FIELD_TIMESTAMP, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "when it was written"},
	{.name = "etag", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE, .help = "of the object"},
	{.name = "version", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "in a versioned bucket"},
	{.name = "metadata", .type = FIELD_MAP, .each = FIELD_TEXT, .flags = FIELD_MAYBE,
	 .help = "of the object"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "with json: what it holds"},
	{.name = "count", .type = FIELD_INT, .flags = FIELD_OUTPUT | FIELD_MAYBE, .help = "of a prefix"},
	{.name = "newest", .type = FIELD_OBJECT, .fields = newest, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "of a prefix"},
	{.name = NULL},
};

const struct step_type s3_check_type = {
	.name = "s3_check",
	.summary = "look at an object on S3, or at all below a prefix",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 30 * NS_S,
	.is_check = true,
};
