#include "shared.h"
#include "../steps/aws/s3_list.h"

static const struct field expect[] = {
	{.name = "max_age", .type = FIELD_DURATION, .help = "of the object, of the newest of a prefix"},
	{.name = "min_size", .type = FIELD_SIZE, .help = "at least that long"},
	{.name = "max_size", .type = FIELD_SIZE, .help = "at most that long"},
	{.name = "min_count", .type = FIELD_INT, .least = 0, .most = 100000,
	 .help = "at least that many below the prefix"},
	{.name = "absent", .type = FIELD_BOOL, .help = "there is no such object"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "url", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED,
	 .help = "an object, or all below a prefix (at most 100,000)"},
	{.name = "json", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "parse the object (at most 1 MiB)"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "without: it exists"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field newest[] = {
	{.name = "url", .type = FIELD_TEXT, .help = "of the object"},
	{.name = "bytes", .type = FIELD_INT, .help = "its length"},
	{.name = "modified", .type = FIELD_TIMESTAMP, .help = "when it was written"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length; of a prefix: of all"},
	{.name = "modified", .type = FIELD_TIMESTAMP, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "when it was written"},
	{.name = "etag", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE, .help = "of the object"},
	{.name = "version", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "in a versioned bucket"},
	{.name = "metadata", .type = FIELD_MAP, .each = FIELD_TEXT, .flags = FIELD_MAYBE,
	 .help = "of the object"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "with json: what it holds"},
	{.name = "count", .type = FIELD_INT, .flags = FIELD_OUTPUT | FIELD_MAYBE, .help = "of a prefix"},
	{.name = "newest", .type = FIELD_OBJECT, .fields = newest, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "of a prefix"},
	{.name = NULL},
};

enum { MOST_JSON = 1 << 20, MOST_OBJECTS = 100000 };

struct look {
	struct s3_place place;
	struct s3_list list;                          /* of a prefix */
	uint64_t count, bytes;                        /* of a prefix */
	struct str newest_key;
	struct s3_object newest;
};

/* What is not there has nothing else to judge; objects are counted below a prefix only,
 * and one of them is read. */
static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *want = value_get(args, "expect"),
			   *absent = value_get(want, "absent"),
			   *count = value_get(want, "min_count"),
			   *json = value_get(args, "json"), *url = value_get(args, "url");
	bool reads = json != NULL && json->kind == V_BOOL && json->b;
	size_t errors = diags->errors;
	if (absent != NULL && absent->kind == V_BOOL && absent->b
		&& (want->map->n > 1 || reads))
		diag_error(diags, value_mark(absent),
			"'absent' stands alone: what is not there has nothing else to "
			"judge");
	struct s3_place place;
	struct err ignored;
	struct arena *mem = arena_new();
	bool known = url != NULL && url->kind == V_STRING
		&& s3_place_parse(mem, url->str, &place, &ignored);
	if (known && !place.is_prefix && count != NULL)
		diag_error(diags, value_mark(count),
			"'min_count' counts below a prefix, which ends in '/'");
	if (known && place.is_prefix && reads)
		diag_error(
			diags, value_mark(json), "'json' reads an object, not a prefix");
	arena_free(mem);
	return diags->errors == errors;
}

static step_fn run;

const struct step_type s3_check_type = {
	.name = "s3_check",
	.summary = "look at an object on S3, or at all below a prefix",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 30 * NS_S,
	.is_check = true,
	.check = check,
	.uses = &aws_credentials,
	.state = sizeof(struct look),
	.run = run,
};

/* What `expect` says of size and age, of the object or of the newest of a prefix. */
static enum verdict
judge(struct step *step, struct now now, const struct s3_object *object)
{
	const struct value *want = value_get(step->in, "expect"),
			   *age = value_get(want, "max_age");
	int64_t least = value_get_int(want, "min_size", 0),
		most = value_get_int(want, "max_size", INT64_MAX);
	int64_t old = (now.wall - object->modified) * 1000;
	if ((int64_t)object->size < least)
		return step_unmet(step, "it has %llu bytes, expected at least %lld",
			(unsigned long long)object->size, (long long)least);
	if ((int64_t)object->size > most)
		return step_unmet(step, "it has %llu bytes, expected at most %lld",
			(unsigned long long)object->size, (long long)most);
	if (age != NULL && age->kind == V_DURATION && old > span_ns(age->span))
		return step_unmet(step, "it is %s old, expected at most %s",
			duration_short(step->mem, old),
			duration_short(step->mem, span_ns(age->span)));
	return STEP_DONE;
}

static enum verdict
not_there(struct step *step)
{
	struct value absent = value_map(step->mem, NULL, 0);
	if (value_get_bool(value_get(step->in, "expect"), "absent", false))
		return step_done(step, absent);
	return step_unmet(
		step, "%.*s is not there", STR_FMT(value_get_str(step->in, "url")));
}

static enum verdict
object_seen(struct step *step, const struct event *event)
{
	struct s3_object object;
	enum verdict verdict;
	if (!s3_object_read(step, event->op, &object, &verdict))
		return verdict;
	if (!object.exists)
		return not_there(step);
	if (value_get_bool(value_get(step->in, "expect"), "absent", false))
		return step_unmet(step, "%.*s is there, expected none",
			STR_FMT(value_get_str(step->in, "url")));
	struct map_builder result = {.mem = step->mem};
	const struct http_answer *answer = event->op->answer;
	map_put(&result, "bytes", value_int((int64_t)object.size));
	if (object.modified != 0)
		map_put(&result, "modified", value_time_us(object.modified));
	map_put(&result, "etag", value_str(object.etag));
	if (object.version.n > 0)
		map_put(&result, "version", value_str(object.version));
	map_put(&result, "metadata", object.metadata);
	if (value_get_bool(step->in, "json", false)) {
		struct value json;
		if (!json_parse(step->mem, answer->body, NULL, &json, step->err)) {
			err_wrap(step->err, "%.*s",
				STR_FMT(value_get_str(step->in, "url")));
			return STEP_FAIL;
		}
		map_put(&result, "json", json);
	}
	verdict = judge(step, event->now, &object);
	return verdict == STEP_DONE ? step_done(step, map_done(&result)) : verdict;
}

static void
count_page(struct step *step)
{
	struct look *look = step->state;
	for (size_t i = 0; i < look->list.n; i++) {
		const struct s3_item *item = &look->list.items[i];
		look->bytes += item->size;
		look->count++;
		if (look->count > 1 && item->modified <= look->newest.modified)
			continue;
		look->newest = (struct s3_object){.exists = true,
			.size = item->size,
			.modified = item->modified};
		look->newest_key = str_copy(step->mem, item->key);
	}
}

static enum verdict
prefix_seen(struct step *step, struct now now)
{
	struct look *look = step->state;
	const struct value *want = value_get(step->in, "expect");
	int64_t least = value_get_int(want, "min_count", 0);
	if (look->count == 0 && least == 0)
		return not_there(step);
	if (value_get_bool(want, "absent", false))
		return step_unmet(step, "%llu objects are there, expected none",
			(unsigned long long)look->count);
	if ((int64_t)look->count < least)
		return step_unmet(step, "%llu objects are there, expected at least %lld",
			(unsigned long long)look->count, (long long)least);
	struct map_builder youngest = {.mem = step->mem}, result = {.mem = step->mem};
	map_put(&youngest, "url",
		value_text(step->mem, "s3://%s/%.*s", look->place.bucket,
			STR_FMT(look->newest_key)));
	map_put(&youngest, "bytes", value_int((int64_t)look->newest.size));
	map_put(&youngest, "modified", value_time_us(look->newest.modified));
	map_put(&result, "count", value_int((int64_t)look->count));
	map_put(&result, "bytes", value_int((int64_t)look->bytes));
	map_put(&result, "newest", map_done(&youngest));
	enum verdict verdict = judge(step, now, &look->newest);
	return verdict == STEP_DONE ? step_done(step, map_done(&result)) : verdict;
}

static enum verdict
page_seen(struct step *step, const struct event *event)
{
	struct look *look = step->state;
	enum verdict verdict;
	if (!s3_list_read(step, &look->list, event, &verdict))
		return verdict;
	count_page(step);
	if (look->count > MOST_OBJECTS)
		return step_fail(step, ERR_LIMIT, false,
			"more than %d objects lie below this prefix", MOST_OBJECTS);
	return look->list.more ? s3_list_next(step, &look->list, event->now)
			       : prefix_seen(step, event->now);
}

static enum verdict
ask(struct step *step, struct now now)
{
	struct look *look = step->state;
	if (!value_get_bool(step->in, "json", false))
		return s3_head(step, (struct how){0}, now, &look->place);
	struct aws_call call = s3_call(step->mem, &look->place, "GET");
	call.most = MOST_JSON;
	return aws_send(step, (struct how){.reads = true, .tries = 3, .title = "GET"},
		now, &call);
}

static enum verdict
start(struct step *step, struct now now)
{
	struct look *look = step->state;
	if (!s3_place_parse(
		    step->mem, value_get_str(step->in, "url"), &look->place, step->err))
		return STEP_FAIL;
	if (!look->place.is_prefix)
		return ask(step, now);
	s3_list_begin(&look->list, step->mem, look->place, false, 0);
	return s3_list_next(step, &look->list, now);
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct look *look = step->state;
	if (event->kind == EV_START)
		return start(step, event->now);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (!look->place.is_prefix && s3_moved(step, event->op, &look->place))
		return ask(step, event->now);
	return look->place.is_prefix ? page_seen(step, event) : object_seen(step, event);
}
