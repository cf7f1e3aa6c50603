#include "shared.h"

static const struct field expect[] = {
	{.name = "days_left", .type = FIELD_INT, .least = 0, .most = 36500,
	 .help = "the certificate is good for at least that many days"},
	{.name = "names", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .help = "names that the certificate must cover"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "host", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "name or address"},
	{.name = "port", .type = FIELD_INT, .otherwise = "443", .least = 1, .most = 65535,
	 .help = "to connect to"},
	{.name = "server_name", .type = FIELD_TEXT, .help = "the name that is asked for; else host"},
	{.name = "starttls", .type = FIELD_TEXT,
	 .words = (const char *const[]){"postgres", "smtp", NULL}, .help = "how TLS begins"},
	{.name = "ca", .type = FIELD_PATH, .flags = FIELD_READ, .help = "CA bundle; else the system's"},
	{.name = "resolver", .type = FIELD_HOST_PORT, .help = "name server; else the system's"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "what must hold as well"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "days_left", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "whole days"},
	{.name = "not_after", .type = FIELD_TIMESTAMP, .flags = FIELD_OUTPUT,
	 .help = "end of the certificate"},
	{.name = "names", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_OUTPUT,
	 .help = "that it covers"},
	{.name = "issuer", .type = FIELD_TEXT, .help = "who signed it"},
	{.name = NULL},
};

const struct step_type tls_check_type = {
	.name = "tls_check",
	.summary = "judge a certificate: chain, name, dates",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 10 * NS_S,
	.is_check = true,
};
