#include "shared.h"

static const struct field in_rows[] = {
	{.name = "for", .type = FIELD_DURATION, .flags = FIELD_REQUIRED, .either = 1, .help = "so long"},
	{.name = "to", .type = FIELD_TIMESTAMP, .flags = FIELD_REQUIRED, .either = 1, .help = "until then"},
	{.name = NULL},
};

static const struct field out_rows[] = {
	{.name = NULL},
};

static enum verdict
run(struct step *step, const struct event *event)
{
	const struct value *length = value_get(step->in, "for"),
			   *to = value_get(step->in, "to");
	if (event->kind == EV_OP && event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "the wait was ended");
	if (event->kind == EV_OP && to == NULL)
		return step_done(step, value_map(step->mem, NULL, 0));
	int64_t ns = length != NULL ? span_ns(length->span)
				    : (span_us(to->span) - event->now.wall) * 1000;
	if (ns <= 0)
		return step_done(step, value_map(step->mem, NULL, 0));
	return step_sleep(step, 0, ns);
}

/* A rehearsal does not wait. */
static enum verdict
preview(struct step *step, const struct event *event)
{
	(void)event;
	struct map_builder out = {.mem = step->mem}, after = {.mem = step->mem};
	map_put(&out, "before", value_null());
	map_put(&after, "waited", *step->in);
	map_put(&out, "after", map_done(&after));
	return step_done(step, map_done(&out));
}

const struct step_type wait_type = {
	.name = "wait",
	.summary = "let time pass; a check with every is better",
	.version = 1,
	.in = in_rows,
	.out = out_rows,
	.effect = PURE,
	.is_check = true,
	.preview = preview,
	.run = run,
};
