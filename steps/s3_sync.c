#include "shared.h"

static const struct field in[] = {
	{.name = "from",
		.type = FIELD_PLACE,
		.flags = FIELD_REQUIRED,
		.help = "a folder or a prefix"},
	{.name = "to",
		.type = FIELD_PLACE,
		.flags = FIELD_REQUIRED,
		.help = "a folder or a prefix"},
	{.name = "from_region", .type = FIELD_TEXT, .help = "of the bucket at from"},
	{.name = "delete",
		.type = FIELD_BOOL,
		.otherwise = "false",
		.help = "remove at to what is not at from"},
	{.name = "include",
		.type = FIELD_LIST,
		.each = FIELD_TEXT,
		.help = "only these (globs)"},
	{.name = "exclude",
		.type = FIELD_LIST,
		.each = FIELD_TEXT,
		.help = "not these (globs)"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "copied", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "objects"},
	{.name = "deleted", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "objects"},
	{.name = "unchanged",
		.type = FIELD_INT,
		.flags = FIELD_OUTPUT,
		.help = "objects"},
	{.name = "bytes",
		.type = FIELD_INT,
		.flags = FIELD_OUTPUT,
		.help = "that were copied"},
	{.name = NULL},
};

static bool
on_s3(const struct value *place)
{
	return place == NULL || place->kind != V_STRING
		|| str_starts(place->str, STR("s3://"));
}

static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *from = value_get(args, "from"), *to = value_get(args, "to");
	if (on_s3(from) || on_s3(to))
		return true;
	diag_error(diags, value_mark(to),
		"one of 'from' and 'to' must be on S3: s3://bucket/prefix/");
	return false;
}

const struct step_type s3_sync_type = {
	.name = "s3_sync",
	.summary = "make a prefix or folder like another",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = 2 * NS_H,
	.check = check,
};
