#include "shared.h"

static const struct field in[] = {
	{.name = "method", .type = FIELD_TEXT, .words = http_methods, .otherwise = "GET",
	 .help = "PUT and DELETE may be repeated"},
	{.name = "api_version", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "2024-08-01"},
	{.name = "id", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .help = "resource id, with an action if there is one"},
	{.name = "body", .type = FIELD_DATA, .help = "of the request"},
	{.name = "query", .type = FIELD_MAP, .each = FIELD_TEXT, .help = "of the request"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "code", .type = FIELD_TEXT, .help = "error code, empty on success"},
	{.name = "status", .type = FIELD_INT, .help = "of the answer"},
	{.name = "*", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "the body by its names"},
	{.name = NULL},
};

static enum effect
effect_of(const struct value *args)
{
	struct str method = value_get_str(args, "method");
	if (method.p == NULL || str_is(method, "GET") || str_is(method, "HEAD"))
		return PURE;
	return str_is(method, "PUT") || str_is(method, "DELETE") ? IDEMPOTENT : ONCE;
}

const struct step_type azure_type = {
	.name = "azure",
	.summary = "call the Azure Resource Manager",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = 30 * NS_MIN,
	.takes_effect = true,
	.takes_accept = true,
};
