#include "shared.h"
#include "../steps/aws/copy.h"

static const struct field in[] = {
	{.name = "from", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED, .help = "the object"},
	{.name = "to", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED, .help = "its copy"},
	{.name = "from_region", .type = FIELD_TEXT, .help = "of the bucket at from"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "url", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "of the copy"},
	{.name = "etag", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "of the copy"},
	{.name = "version", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "in a versioned bucket"},
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length"},
	{.name = NULL},
};

enum phase { START, SOURCE, TARGET, COPYING, RESTORE };

struct copy_step {
	enum phase phase;
	struct s3_place from, to;
	struct s3_object source, target;
	struct copy copy;
};

static step_fn preview, probe, run, undo;

static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *from = value_get(args, "from"), *to = value_get(args, "to");
	const struct value *places[] = {from, to};
	for (size_t i = 0; i < 2; i++)
		if (places[i] != NULL && places[i]->kind == V_STRING
			&& str_ends(places[i]->str, STR("/"))) {
			struct err *err = diag_error(diags, value_mark(places[i]),
				"'%.*s' is a prefix; an object has a name",
				STR_FMT(places[i]->str));
			err_hint(err, "s3_sync copies all below a prefix");
			return false;
		}
	if (from == NULL || to == NULL || from->kind != V_STRING || to->kind != V_STRING
		|| !str_eq(from->str, to->str))
		return true;
	diag_error(diags, value_mark(to), "'to' is the same object as 'from'");
	return false;
}

const struct step_type s3_copy_type = {
	.name = "s3_copy",
	.summary = "copy an object on S3, made by the server",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = NS_H,
	.check = check,
	.can_undo = true,
	.uses = &aws_credentials,
	.state = sizeof(struct copy_step),
	.slots = 1 + COPY_PARALLEL,
	.preview = preview,
	.probe = probe,
	.run = run,
	.leftover = multipart_leftover,
	.sweep = multipart_sweep,
	.astray = multipart_astray,
	.undo = undo,
};

static bool
begin(struct step *step)
{
	struct copy_step *it = step->state;
	struct str region = value_get_str(step->in, "from_region");
	if (!s3_place_parse(
		    step->mem, value_get_str(step->in, "from"), &it->from, step->err)
		|| !s3_place_parse(
			step->mem, value_get_str(step->in, "to"), &it->to, step->err))
		return false;
	if (it->from.is_prefix || it->to.is_prefix)
		return err_set(step->err, ERR_VALUE,
			"'%s' names a prefix; an object has a name",
			it->from.is_prefix ? "from" : "to");
	if (region.n > 0)
		it->from.region = str_cstr(step->mem, region);
	return true;
}

static struct value
result_of(struct step *step, const struct s3_object *object)
{
	struct map_builder result = {.mem = step->mem};
	map_put(&result, "url", value_str(value_get_str(step->in, "to")));
	map_put(&result, "etag", value_str(object->etag));
	if (object->version.n > 0)
		map_put(&result, "version", value_str(object->version));
	map_put(&result, "bytes", value_int((int64_t)object->size));
	return map_done(&result);
}

static enum verdict
look(struct step *step, struct now now, enum phase phase)
{
	struct copy_step *it = step->state;
	it->phase = phase;
	return s3_head(step, (struct how){0}, now, phase == SOURCE ? &it->from : &it->to);
}

/* Both objects, one after the other, wherever their buckets are. STEP_DONE: known. */
static enum verdict
seen(struct step *step, const struct event *event)
{
	struct copy_step *it = step->state;
	bool source = it->phase == SOURCE;
	enum verdict verdict;
	if (s3_moved(step, event->op, source ? &it->from : &it->to))
		return look(step, event->now, it->phase);
	if (!s3_object_read(
		    step, event->op, source ? &it->source : &it->target, &verdict))
		return verdict == STEP_DOUBT ? STEP_FAIL : verdict;
	return source ? look(step, event->now, TARGET) : STEP_DONE;
}

static enum verdict
both_seen(struct step *step, const struct event *event)
{
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return begin(step) ? look(step, event->now, SOURCE) : STEP_FAIL;
	return seen(step, event);
}

static enum verdict
no_source(struct step *step)
{
	return step_fail(step, ERR_NOT_FOUND, false, "%.*s is not there",
		STR_FMT(value_get_str(step->in, "from")));
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	struct copy_step *it = step->state;
	enum verdict verdict = both_seen(step, event);
	if (verdict != STEP_DONE)
		return verdict;
	if (!it->source.exists)
		return no_source(step);
	struct s3_object will = it->source;
	will.version = will.etag = (struct str){NULL, 0};   /* the copy gets its own */
	struct value before = s3_object_value(step->mem, &it->target);
	struct map_builder result = {.mem = step->mem};
	map_put(&result, "before", before);
	map_put(&result, "after",
		s3_object_same(&it->source, &it->target)
			? before
			: s3_object_value(step->mem, &will));
	map_put(&result, "out", result_of(step, &it->target));
	return step_done(step, map_done(&result));
}

static enum verdict
probe(struct step *step, const struct event *event)
{
	struct copy_step *it = step->state;
	enum verdict verdict = both_seen(step, event);
	if (verdict != STEP_DONE)
		return verdict == STEP_FAIL ? STEP_DOUBT : verdict;
	return s3_object_same(&it->source, &it->target)
		? step_done(step, result_of(step, &it->target))
		: STEP_ABSENT;
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct copy_step *it = step->state;
	if (event->kind == EV_START) {
		if (!begin(step))
			return STEP_FAIL;
		it->phase = COPYING;
		copy_begin(&it->copy, it->from, it->to, 0);
		return copy_start(step, &it->copy, event->now);
	}
	if (event->kind == EV_CANCEL)
		return copy_cancel(step, &it->copy, event->now);
	enum verdict verdict = copy_event(step, &it->copy, event);
	return verdict == STEP_DONE ? step_done(step, result_of(step, &it->copy.object))
				    : verdict;
}

/* ---- undo: only from what this step wrote, back to what the preview saw */

static enum verdict
go_back(struct step *step, struct now now)
{
	struct copy_step *it = step->state;
	it->phase = RESTORE;
	return s3_go_back(step, now, &it->to, &it->target,
		s3_object_same(&it->source, &it->target), "copied");
}

static enum verdict
undo(struct step *step, const struct event *event)
{
	struct copy_step *it = step->state;
	struct aws_error error;
	if (event->kind != EV_OP || it->phase != RESTORE) {
		enum verdict verdict = both_seen(step, event);
		return verdict == STEP_DONE ? go_back(step, event->now) : verdict;
	}
	if (!aws_answered(step, event->op, true, &error))
		return aws_fail(step, event->op, &error);
	return step_done(step, value_map(step->mem, NULL, 0));
}
