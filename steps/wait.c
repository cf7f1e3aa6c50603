#include "shared.h"

static const struct field in[] = {
	{.name = "for", .type = FIELD_DURATION, .flags = FIELD_REQUIRED, .either = 1, .help = "so long"},
	{.name = "to", .type = FIELD_TIMESTAMP, .flags = FIELD_REQUIRED, .either = 1, .help = "until then"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = NULL},
};

const struct step_type wait_type = {
	.name = "wait",
	.summary = "let time pass; a check with every is better",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.is_check = true,
};
