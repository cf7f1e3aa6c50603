#include "shared.h"

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = http_fields},
	{.name = "method", .type = FIELD_TEXT, .words = http_methods, .otherwise = "POST",
	 .help = "GET, HEAD, OPTIONS change nothing; PUT and DELETE may be repeated"},
	{.name = "idempotency_key_header", .type = FIELD_TEXT, .pattern = "[A-Za-z0-9-]+",
	 .help = "the header that carries step.key"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "status", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "of the answer"},
	{.name = "headers", .type = FIELD_MAP, .each = FIELD_TEXT, .help = "names in lower case"},
	{.name = "text", .type = FIELD_TEXT, .help = "the body"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "the body, if it is JSON"},
	{.name = "time", .type = FIELD_DURATION, .flags = FIELD_OUTPUT, .help = "in all"},
	{.name = "code", .type = FIELD_INT, .help = "the status"},
	{.name = NULL},
};

static enum effect
effect_of(const struct value *args)
{
	struct str method = value_get_str(args, "method");
	if (str_is(method, "GET") || str_is(method, "HEAD") || str_is(method, "OPTIONS"))
		return PURE;
	if (str_is(method, "PUT") || str_is(method, "DELETE"))
		return IDEMPOTENT;
	return value_get(args, "idempotency_key_header") != NULL ? KEYED : ONCE;
}

const struct step_type http_request_type = {
	.name = "http_request",
	.summary = "send a request that changes something",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = 30 * NS_S,
	.takes_effect = true,
	.takes_accept = true,
};
