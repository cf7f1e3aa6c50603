#include "shared.h"

static const struct field alias[] = {
	{.name = "to", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "DNS name of the target"},
	{.name = "zone", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "hosted zone id of the target"},
	{.name = "evaluate_target_health", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "not answered while the target is unhealthy"},
	{.name = NULL},
};

static const struct field record[] = {
	{.name = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "of the record"},
	{.name = "type", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .words = (const char *const[]){"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS",
	                                "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", NULL},
	 .help = "of the record"},
	{.name = "values", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .flags = FIELD_REQUIRED | FIELD_SCALAR_OR_LIST, .either = 1, .help = "with ttl"},
	{.name = "alias", .type = FIELD_OBJECT, .fields = alias, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "an AWS resource"},
	{.name = "absent", .type = FIELD_BOOL, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "there shall be none"},
	{.name = "ttl", .type = FIELD_INT, .least = 0, .most = INT32_MAX, .help = "in seconds, with values"},
	{.name = "set", .type = FIELD_TEXT, .help = "identifier; with one of weight, failover, latency"},
	{.name = "weight", .type = FIELD_INT, .least = 0, .most = 255, .either = 2, .help = "routing by weight"},
	{.name = "failover", .type = FIELD_TEXT, .either = 2,
	 .words = (const char *const[]){"primary", "secondary", NULL}, .help = "routing by health"},
	{.name = "latency", .type = FIELD_TEXT, .either = 2, .help = "routing by latency: the region"},
	{.name = "health_check", .type = FIELD_TEXT, .help = "its id"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "zone", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "hosted zone id"},
	{.name = "records", .type = FIELD_LIST, .each = FIELD_OBJECT, .fields = record,
	 .flags = FIELD_REQUIRED, .help = "how they shall be"},
	{.name = "delete_others", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "remove A, AAAA, CNAME, HTTPS, SVCB records of the same names that are not in records"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "was", .type = FIELD_LIST, .each = FIELD_MAP, .flags = FIELD_OUTPUT,
	 .help = "what was there, in the form of records; given as records it restores exactly that"},
	{.name = "change_id", .type = FIELD_TEXT, .help = "of Route 53"},
	{.name = NULL},
};

const struct step_type route53_upsert_type = {
	.name = "route53_upsert",
	.summary = "change DNS records in one atomic batch",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = 5 * NS_MIN,
	.can_undo = true,
};
