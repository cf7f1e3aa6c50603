#include "shared.h"

static const struct field in[] = {
	{.name = "url", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED, .help = "an object or a prefix"},
	{.name = "all", .type = FIELD_BOOL, .otherwise = "false", .help = "needed for a prefix"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "deleted", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "objects"},
	{.name = NULL},
};

static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *url = value_get(args, "url"), *all = value_get(args, "all");
	if (url == NULL || url->kind != V_STRING || !str_ends(url->str, STR("/")))
		return true;
	if (all != NULL && (all->kind == V_UNKNOWN || (all->kind == V_BOOL && all->b)))
		return true;
	struct err *err = diag_error(diags, value_mark(url),
		"'%.*s' is all objects below the prefix", STR_FMT(url->str));
	err_hint(err, "write all: true where that is meant");
	return false;
}

const struct step_type s3_delete_type = {
	.name = "s3_delete",
	.summary = "delete an object, or all below a prefix",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = NS_H,
	.check = check,
	.can_undo = true,
};
