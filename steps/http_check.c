#include "shared.h"

static const struct field expect[] = {
	{.name = "status", .type = FIELD_LIST, .each = FIELD_INT, .flags = FIELD_SCALAR_OR_LIST,
	 .least = 100, .most = 599, .help = "one of these; else 200 to 299"},
	{.name = "headers", .type = FIELD_MAP, .each = FIELD_TEXT, .help = "these, with these values"},
	{.name = "text", .type = FIELD_TEXT, .help = "found in the body"},
	{.name = "matches", .type = FIELD_REGEX, .help = "found in the body"},
	{.name = "within", .type = FIELD_DURATION, .help = "the answer takes at most that, in all"},
	{.name = "tls_days_left", .type = FIELD_INT, .least = 0, .most = 36500,
	 .help = "the certificate is good for at least that many days"},
	{.name = "down", .type = FIELD_BOOL,
	 .help = "alone: refused, reset, timed out or 5xx; anything else is unknown"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = http_fields},
	{.name = "method", .type = FIELD_TEXT, .words = http_methods, .otherwise = "GET",
	 .help = "the author vouches that it changes nothing"},
	{.name = "redirects", .type = FIELD_INT, .otherwise = "0", .least = 0, .most = 5,
	 .help = "how many to follow; otherwise 3xx is the answer"},
	{.name = "control", .type = FIELD_URL,
	 .help = "with down: must answer in the same moment with a status below 500"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "what must hold"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "status", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "of the answer"},
	{.name = "headers", .type = FIELD_MAP, .each = FIELD_TEXT, .help = "names in lower case"},
	{.name = "text", .type = FIELD_TEXT, .help = "the body"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "the body, if it is JSON"},
	{.name = "time", .type = FIELD_DURATION, .flags = FIELD_OUTPUT, .help = "in all"},
	{.name = "address", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "that answered"},
	{.name = "tls_days_left", .type = FIELD_INT, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "of the certificate"},
	{.name = NULL},
};

const struct step_type http_check_type = {
	.name = "http_check",
	.summary = "ask a URL and judge the answer",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 10 * NS_S,
	.is_check = true,
};
