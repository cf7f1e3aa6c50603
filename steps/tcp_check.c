#include "shared.h"

static const struct field expect[] = {
	{.name = "down", .type = FIELD_BOOL, .help = "refused, reset or timed out"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "host", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "name or address"},
	{.name = "port", .type = FIELD_INT, .flags = FIELD_REQUIRED, .least = 1, .most = 65535,
	 .help = "to connect to"},
	{.name = "control", .type = FIELD_HOST_PORT,
	 .help = "with down: must accept a connection in the same moment"},
	{.name = "resolver", .type = FIELD_HOST_PORT, .help = "name server; else the system's"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "what must hold"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "time", .type = FIELD_DURATION, .flags = FIELD_OUTPUT, .help = "to connect"},
	{.name = "address", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "that answered"},
	{.name = NULL},
};

const struct step_type tcp_check_type = {
	.name = "tcp_check",
	.summary = "connect to a port",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 10 * NS_S,
	.is_check = true,
};
