#include "shared.h"

static const struct field expect[] = {
	{.name = "values", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_SCALAR_OR_LIST,
	 .either = 1, .help = "exactly these, as a set"},
	{.name = "absent", .type = FIELD_BOOL, .either = 1, .help = "there is no such record"},
	{.name = "same_as", .type = FIELD_TEXT, .either = 1,
	 .help = "each answer is one that this other name has given during the step"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "what is asked"},
	{.name = "type", .type = FIELD_TEXT, .otherwise = "A",
	 .words = (const char *const[]){"A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT", NULL},
	 .help = "of record"},
	{.name = "at", .type = FIELD_TEXT, .otherwise = "system",
	 .pattern = "system|authoritative|[0-9.]+:[0-9]+|\\[[0-9a-fA-F:.]+\\]:[0-9]+",
	 .help = "system, authoritative (every server of the zone must give the answer), or ip:port"},
	{.name = "resolver", .type = FIELD_HOST_PORT,
	 .help = "name server that finds the zone's servers; else the system's"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "what must hold"},
	{.name = NULL},
};

static const struct field server[] = {
	{.name = "server", .type = FIELD_TEXT, .help = "its address"},
	{.name = "values", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "its answer"},
	{.name = "ttl", .type = FIELD_INT, .help = "in seconds"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "values", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_OUTPUT,
	 .help = "of all answers"},
	{.name = "ttl", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "the largest seen, in seconds"},
	{.name = "servers", .type = FIELD_LIST, .each = FIELD_OBJECT, .fields = server,
	 .help = "what each server said"},
	{.name = NULL},
};

const struct step_type dns_check_type = {
	.name = "dns_check",
	.summary = "ask name servers and judge their answers",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 10 * NS_S,
	.is_check = true,
};
