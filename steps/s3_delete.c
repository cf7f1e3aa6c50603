#include "shared.h"
#include "../steps/aws/s3_batch.h"
#include "../steps/aws/s3_list.h"

static const struct field in[] = {
	{.name = "url", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED, .help = "an object or a prefix"},
	{.name = "all", .type = FIELD_BOOL, .otherwise = "false", .help = "needed for a prefix"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "deleted", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "objects"},
	{.name = NULL},
};

enum { LIST_SLOT, BATCH_SLOT, SLOTS = BATCH_SLOT + S3_BATCH_LANES, SHOWN = 50 };
enum phase { START, HEAD, DELETE, LISTING, SAVE_SINCE, SAVE_UNTIL, VERSIONS, RESTORE };

struct removal {
	enum phase phase;
	struct s3_place place;
	struct s3_object object;
	struct s3_list list;
	struct s3_batch batch;
	uint64_t count, bytes, restored;
	struct list_builder shown;
	int64_t since;                                /* server's clock, us */
	/* of the key whose versions are being read */
	struct str key;
	bool below_object;                            /* its newest object was passed */
};

static step_fn preview, probe, run, undo;

static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *url = value_get(args, "url"), *all = value_get(args, "all");
	if (url == NULL || url->kind != V_STRING || !str_ends(url->str, STR("/")))
		return true;
	if (all != NULL && (all->kind == V_UNKNOWN || (all->kind == V_BOOL && all->b)))
		return true;
	struct err *err = diag_error(diags, value_mark(url),
		"'%.*s' is all objects below the prefix", STR_FMT(url->str));
	err_hint(err, "write all: true where that is meant");
	return false;
}

const struct step_type s3_delete_type = {
	.name = "s3_delete",
	.summary = "delete an object, or all below a prefix",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = NS_H,
	.check = check,
	.can_undo = true,
	.uses = &aws_credentials,
	.state = sizeof(struct removal),
	.slots = SLOTS,
	.preview = preview,
	.probe = probe,
	.run = run,
	.undo = undo,
};

static enum verdict
look(struct step *step, struct now now)
{
	struct removal *it = step->state;
	it->phase = HEAD;
	return s3_head(step, (struct how){0}, now, &it->place);
}

static enum verdict
list(struct step *step, struct now now, bool versions)
{
	struct removal *it = step->state;
	it->phase = versions ? VERSIONS : LISTING;
	s3_list_begin(&it->list, step->mem, it->place, versions, LIST_SLOT);
	return s3_list_next(step, &it->list, now);
}

static enum verdict
begin(struct step *step, struct now now)
{
	struct removal *it = step->state;
	if (!s3_place_parse(
		    step->mem, value_get_str(step->in, "url"), &it->place, step->err))
		return STEP_FAIL;
	it->shown.mem = step->mem;
	if (!it->place.is_prefix)
		return look(step, now);
	if (!value_get_bool(step->in, "all", false))
		return step_fail(step, ERR_VALUE, false,
			"%.*s is all objects below the prefix: write all: true where "
			"that is meant",
			STR_FMT(value_get_str(step->in, "url")));
	return list(step, now, false);
}

static struct value
result_of(struct step *step, uint64_t deleted)
{
	struct map_builder result = {.mem = step->mem};
	map_put(&result, "deleted", value_int((int64_t)deleted));
	return map_done(&result);
}

static enum verdict
cancelled(struct step *step, enum verdict verdict)
{
	step_fail(step, ERR_CANCELLED, false, "cancelled");
	return verdict;
}

/* ---- preview: what would go; of a prefix the first of them by name, and how much all is
 */

static void
count_items(struct step *step)
{
	struct removal *it = step->state;
	for (size_t i = 0; i < it->list.n; i++) {
		const struct s3_item *item = &it->list.items[i];
		it->count++;
		it->bytes += item->size;
		if (it->shown.n == SHOWN)
			continue;
		struct map_builder map = {.mem = step->mem};
		map_put(&map, "key", value_str(str_copy(step->mem, item->key)));
		map_put(&map, "bytes", value_int((int64_t)item->size));
		list_push(&it->shown, map_done(&map));
	}
}

static struct value
prefix_value(struct step *step, uint64_t count, uint64_t bytes, struct value objects)
{
	struct map_builder map = {.mem = step->mem};
	map_put(&map, "count", value_int((int64_t)count));
	map_put(&map, "bytes", value_int((int64_t)bytes));
	map_put(&map, "objects", objects);
	if (count > SHOWN)
		map_put(&map, "and_more", value_int((int64_t)(count - SHOWN)));
	return map_done(&map);
}

static enum verdict
previewed(struct step *step, struct value before, struct value after)
{
	struct map_builder result = {.mem = step->mem};
	map_put(&result, "before", before);
	map_put(&result, "after", after);
	map_put(&result, "out", result_of(step, 0));
	return step_done(step, map_done(&result));
}

static enum verdict
object_seen(struct step *step, const struct event *event)
{
	struct removal *it = step->state;
	enum verdict verdict;
	if (s3_moved(step, event->op, &it->place))
		return look(step, event->now);
	if (s3_object_read(step, event->op, &it->object, &verdict))
		return STEP_DONE;
	return verdict == STEP_DOUBT ? STEP_FAIL : verdict;
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	struct removal *it = step->state;
	struct s3_object none = {.exists = false};
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return cancelled(step, STEP_FAIL);
	if (it->phase == START)
		return begin(step, event->now);
	if (it->phase == HEAD) {
		verdict = object_seen(step, event);
		return verdict != STEP_DONE
			? verdict
			: previewed(step, s3_object_value(step->mem, &it->object),
				  s3_object_value(step->mem, &none));
	}
	if (!s3_list_read(step, &it->list, event, &verdict))
		return verdict;
	count_items(step);
	if (it->list.more)
		return s3_list_next(step, &it->list, event->now);
	return previewed(step,
		prefix_value(step, it->count, it->bytes, list_done(&it->shown)),
		prefix_value(step, 0, 0, value_list(NULL, 0)));
}

static enum verdict
probe(struct step *step, const struct event *event)
{
	struct removal *it = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return cancelled(step, STEP_DOUBT);
	if (it->phase == START)
		return begin(step, event->now);
	if (it->phase == HEAD) {
		verdict = object_seen(step, event);
		if (verdict != STEP_DONE)
			return verdict == STEP_FAIL ? STEP_DOUBT : verdict;
		return it->object.exists ? STEP_ABSENT
					 : step_done(step, result_of(step, 1));
	}
	if (!s3_list_read(step, &it->list, event, &verdict))
		return verdict == STEP_FAIL ? STEP_DOUBT : verdict;
	return it->list.n > 0
		? STEP_ABSENT
		: step_done(step,
			  result_of(step,
				  (uint64_t)value_get_int(step->was, "count", 0)));
}

/* ---- run. Between which moments of the server's clock it deleted is saved: the markers
 * that a versioned bucket made then are those that undo removes. */

static enum verdict
save_span(struct step *step, enum phase phase, int64_t until)
{
	struct removal *it = step->state;
	struct map_builder map = {.mem = step->mem};
	map_put(&map, "since", value_int(it->since));
	if (until > 0)
		map_put(&map, "until", value_int(until));
	struct value saved = map_done(&map);
	it->phase = phase;
	return step_save(step, &saved);
}

static enum verdict
delete_one(struct step *step, const struct event *event)
{
	struct removal *it = step->state;
	enum verdict verdict = object_seen(step, event);
	if (verdict != STEP_DONE)
		return verdict;
	if (!it->object.exists)
		return step_done(step, result_of(step, 0));
	it->phase = DELETE;
	return s3_delete_object(step, (struct how){.slot = BATCH_SLOT, .tries = 3},
		event->now, &it->place, (struct str){NULL, 0});
}

static enum verdict
one_deleted(struct step *step, const struct event *event)
{
	struct aws_error error;
	if (!aws_answered(step, event->op, true, &error))
		return aws_fail(step, event->op, &error);
	return step_done(step, result_of(step, 1));
}

/* A page of keys was read: they go while the next page is fetched. */
static enum verdict
page_read(struct step *step, const struct event *event)
{
	struct removal *it = step->state;
	enum verdict verdict;
	if (!s3_list_read(step, &it->list, event, &verdict))
		return verdict;
	it->batch.place.region = it->list.place.region;
	for (size_t i = 0; i < it->list.n; i++)
		s3_batch_add(&it->batch, step->mem,
			str_copy(step->mem, it->list.items[i].key),
			(struct str){NULL, 0});
	it->batch.ended = !it->list.more;
	if (it->since == 0)
		it->since = value_get_int(step->saved, "since", s3_date(event->op));
	if (it->phase == LISTING)
		return it->batch.n == 0 ? step_done(step, result_of(step, 0))
					: save_span(step, SAVE_SINCE, 0);
	return it->list.more ? s3_list_next(step, &it->list, event->now) : STEP_WAIT;
}

static enum verdict
go_on(struct step *step, enum verdict verdict)
{
	struct removal *it = step->state;
	step_progress(
		step, it->batch.deleted, it->batch.ended ? it->batch.n : 0, "objects");
	if (verdict == STEP_DONE && !it->batch.ended)
		return STEP_WAIT; /* for the next page */
	if (verdict != STEP_DONE)
		return verdict;
	/* Date has whole seconds, cut off. */
	return save_span(step, SAVE_UNTIL, it->batch.date + 1000000);
}

static enum verdict
run_all(struct step *step, const struct event *event)
{
	struct removal *it = step->state;
	if (event->kind == EV_SAVED && it->phase == SAVE_UNTIL)
		return step_done(step, result_of(step, it->batch.deleted));
	if (event->kind == EV_SAVED) {
		it->phase = DELETE;
		enum verdict verdict = it->list.more
			? s3_list_next(step, &it->list, event->now)
			: STEP_WAIT;
		return verdict != STEP_WAIT
			? verdict
			: go_on(step,
				  s3_batch_go(step, &it->batch, event->now));
	}
	if (s3_batch_owns(&it->batch, event))
		return go_on(step, s3_batch_event(step, &it->batch, event));
	enum verdict verdict = page_read(step, event);
	return verdict != STEP_WAIT || it->phase != DELETE
		? verdict
		: go_on(step, s3_batch_go(step, &it->batch, event->now));
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct removal *it = step->state;
	if (event->kind == EV_CANCEL)
		return cancelled(step,
			it->phase == DELETE || it->phase == SAVE_UNTIL ? STEP_PARTIAL
								       : STEP_FAIL);
	if (it->phase == START) {
		enum verdict verdict = begin(step, event->now);
		s3_batch_begin(&it->batch, step->mem, it->place, BATCH_SLOT);
		return verdict;
	}
	if (it->place.is_prefix)
		return run_all(step, event);
	return it->phase == HEAD ? delete_one(step, event) : one_deleted(step, event);
}

/* ---- undo: the delete markers go again, where the bucket keeps versions */

/* Of an object: whether what lies below its markers is what the preview saw. */
static bool
is_former(const struct step *step, const struct s3_item *item)
{
	struct str version = value_get_str(step->was, "version");
	return str_eq(item->etag, value_get_str(step->was, "etag"))
		&& (version.n == 0 ? str_is(item->version, "null") || item->version.n == 0
				   : str_eq(item->version, version));
}

static bool
is_ours(const struct step *step, const struct s3_item *item)
{
	const struct removal *it = step->state;
	if (!it->place.is_prefix)
		return str_eq(item->key, it->place.key);
	int64_t since = value_get_int(step->saved, "since", 0),
		until = value_get_int(step->saved, "until", INT64_MAX);
	return since > 0 && item->modified >= since && item->modified <= until;
}

/* Newest first within a key: the markers above the newest object go. False: the object
 * was written again since. */
static bool
version_seen(struct step *step, const struct s3_item *item)
{
	struct removal *it = step->state;
	bool of_place = it->place.is_prefix || str_eq(item->key, it->place.key);
	if (!of_place)
		return true;
	if (!str_eq(item->key, it->key) || it->key.p == NULL) {
		it->key = str_copy(step->mem, item->key);
		it->below_object = false;
	}
	if (it->below_object)
		return true;
	if (item->is_marker && is_ours(step, item)) {
		s3_batch_add(&it->batch, step->mem, it->key,
			str_copy(step->mem, item->version));
		return true;
	}
	it->below_object = true;
	if (item->is_marker)
		return true;
	bool is_there = item->is_latest;
	if (it->place.is_prefix && is_there
		&& item->modified > value_get_int(step->saved, "since", INT64_MAX))
		return false;
	if (!it->place.is_prefix && !is_former(step, item))
		return false;
	it->restored++;
	return true;
}

static enum verdict
versions_read(struct step *step, const struct event *event)
{
	struct removal *it = step->state;
	enum verdict verdict;
	if (!s3_list_read(step, &it->list, event, &verdict))
		return verdict;
	for (size_t i = 0; i < it->list.n; i++)
		if (!version_seen(step, &it->list.items[i]))
			return step_fail(step, ERR_EXISTS, false,
				"s3://%s/%.*s was written again since this run deleted "
				"it",
				it->place.bucket, STR_FMT(it->list.items[i].key));
	if (it->list.more)
		return s3_list_next(step, &it->list, event->now);
	it->phase = RESTORE;
	it->batch.place = it->list.place;
	it->batch.ended = true;
	return s3_batch_go(step, &it->batch, event->now);
}

static enum verdict
restored(struct step *step)
{
	struct removal *it = step->state;
	uint64_t was = it->place.is_prefix
		? (uint64_t)value_get_int(step->was, "count", 0)
		: value_get_bool(step->was, "exists", false);
	if (it->restored >= was)
		return step_done(step, value_map(step->mem, NULL, 0));
	return step_fail(step, ERR_NOT_FOUND, false,
		"%llu of %llu objects at %.*s are gone for good: the bucket kept no "
		"version of them",
		(unsigned long long)(was - it->restored), (unsigned long long)was,
		STR_FMT(value_get_str(step->in, "url")));
}

static enum verdict
undo(struct step *step, const struct event *event)
{
	struct removal *it = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return cancelled(step, it->phase == RESTORE ? STEP_PARTIAL : STEP_FAIL);
	if (it->phase == START) {
		if (!s3_place_parse(step->mem, value_get_str(step->in, "url"), &it->place,
			    step->err))
			return STEP_FAIL;
		s3_batch_begin(&it->batch, step->mem, it->place, BATCH_SLOT);
		return list(step, event->now, true);
	}
	verdict = it->phase == VERSIONS ? versions_read(step, event)
					: s3_batch_event(step, &it->batch, event);
	return verdict == STEP_DONE ? restored(step) : verdict;
}
