#include "shared.h"
#include "../steps/sync/sync.h"

static const struct field in[] = {
	{.name = "from",
		.type = FIELD_PLACE,
		.flags = FIELD_REQUIRED,
		.help = "a folder or a prefix"},
	{.name = "to",
		.type = FIELD_PLACE,
		.flags = FIELD_REQUIRED,
		.help = "a folder or a prefix"},
	{.name = "from_region", .type = FIELD_TEXT, .help = "of the bucket at from"},
	{.name = "delete",
		.type = FIELD_BOOL,
		.otherwise = "false",
		.help = "remove at to what is not at from"},
	{.name = "include",
		.type = FIELD_LIST,
		.each = FIELD_TEXT,
		.help = "only these (globs)"},
	{.name = "exclude",
		.type = FIELD_LIST,
		.each = FIELD_TEXT,
		.help = "not these (globs)"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "copied", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "objects"},
	{.name = "deleted", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "objects"},
	{.name = "unchanged",
		.type = FIELD_INT,
		.flags = FIELD_OUTPUT,
		.help = "objects"},
	{.name = "bytes",
		.type = FIELD_INT,
		.flags = FIELD_OUTPUT,
		.help = "that were copied"},
	{.name = NULL},
};

static bool
on_s3(const struct value *place)
{
	return place == NULL || place->kind != V_STRING
		|| str_starts(place->str, STR("s3://"));
}

static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *from = value_get(args, "from"), *to = value_get(args, "to");
	if (on_s3(from) || on_s3(to))
		return true;
	diag_error(diags, value_mark(to),
		"one of 'from' and 'to' must be on S3: s3://bucket/prefix/");
	return false;
}

enum { SHOWN = 100 };
enum phase { START, LOADING, COMPARING, COPYING, DELETING };

struct sync_step {
	struct sync sync;
	enum phase phase;
	bool looks;                                   /* it is the preview */
};

static step_fn preview, run;

const struct step_type s3_sync_type = {
	.name = "s3_sync",
	.summary = "make a prefix or folder like another",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = 2 * NS_H,
	.check = check,
	.uses = &aws_credentials,
	.state = sizeof(struct sync_step),
	.slots = SYNC_SLOTS,
	.preview = preview,
	.run = run,
	.leftover = multipart_leftover,
	.sweep = multipart_sweep,
};

static bool
may_overlap(const struct sync *sync)
{
	return !sync->from.is_folder && !sync->to.is_folder
		&& strcmp(sync->from.place.bucket, sync->to.place.bucket) == 0
		&& (str_starts(sync->from.place.key, sync->to.place.key)
			|| str_starts(sync->to.place.key, sync->from.place.key));
}

static enum verdict
begin(struct step *step, struct now now)
{
	struct sync_step *it = step->state;
	struct sync *sync = &it->sync;
	struct str from = value_get_str(step->in, "from"),
		   to = value_get_str(step->in, "to"),
		   region = value_get_str(step->in, "from_region");
	struct sync_filter filter = {
		value_get(step->in, "include"), value_get(step->in, "exclude")};
	sync_begin(sync, step->mem);
	sync->from = (struct side){.word = "from",
		.slot = SYNC_FROM_SLOT,
		.filter = filter,
		.feeds_folder = !s3_is_place(to)};
	sync->to = (struct side){.word = "to", .slot = SYNC_TO_SLOT, .filter = filter};
	if (!side_open(step, &sync->from, from, region)
		|| !side_open(step, &sync->to, to, (struct str){NULL, 0}))
		return STEP_FAIL;
	if (may_overlap(sync))
		return step_fail(step, ERR_VALUE, false,
			"'%.*s' and '%.*s' lie in each other", STR_FMT(from), STR_FMT(to));
	it->phase = LOADING;
	enum verdict verdict = side_load(step, &sync->from, now);
	return verdict == STEP_WAIT ? side_load(step, &sync->to, now) : verdict;
}

/* ---- what is told */

static struct value
result_of(struct step *step)
{
	struct sync_step *it = step->state;
	const struct sync *sync = &it->sync;
	struct map_builder result = {.mem = step->mem};
	map_put(&result, "copied", value_int((int64_t)sync->copied));
	map_put(&result, "deleted", value_int((int64_t)sync->deleted));
	map_put(&result, "unchanged", value_int((int64_t)sync->totals.same));
	map_put(&result, "bytes", value_int((int64_t)sync->copied_bytes));
	return map_done(&result);
}

static struct value
change_value(struct step *step, const struct sync_entry *entry)
{
	struct map_builder map = {.mem = step->mem};
	bool copy = entry->action == SYNC_COPY;
	const struct sync_item *item = copy ? entry->from : entry->to;
	map_put(&map, "do",
		value_str(!copy                  ? STR("delete")
				: entry->to == NULL ? STR("add")
						    : STR("replace")));
	map_put(&map, "path", value_str(item->path));
	map_put(&map, "bytes", value_int((int64_t)item->size));
	if (copy && entry->to != NULL && entry->to->size != item->size)
		map_put(&map, "was", value_int((int64_t)entry->to->size));
	return map_done(&map);
}

static struct value
changes_of(struct step *step)
{
	struct sync_step *it = step->state;
	const struct sync_plan *plan = &it->sync.plan;
	struct list_builder list = {.mem = step->mem};
	for (size_t i = 0; i < plan->n && list.n < SHOWN; i++)
		if (plan->entries[i].action != SYNC_SAME)
			list_push(&list, change_value(step, &plan->entries[i]));
	return list_done(&list);
}

static struct value
before_value(struct step *step)
{
	struct sync_step *it = step->state;
	struct map_builder map = {.mem = step->mem};
	map_put(&map, "objects", value_int((int64_t)it->sync.totals.there));
	map_put(&map, "bytes", value_int((int64_t)it->sync.totals.there_bytes));
	return map_done(&map);
}

/* The first changes by name with their sizes, and always the totals. */
static enum verdict
previewed(struct step *step)
{
	struct sync_step *it = step->state;
	const struct sync_totals *totals = &it->sync.totals;
	struct map_builder map = {.mem = step->mem}, result = {.mem = step->mem};
	struct value before = before_value(step);
	uint64_t changes = totals->copies + totals->deletes;
	map_put(&map, "copy", value_int((int64_t)totals->copies));
	map_put(&map, "copy_bytes", value_int((int64_t)totals->copy_bytes));
	map_put(&map, "delete", value_int((int64_t)totals->deletes));
	map_put(&map, "delete_bytes", value_int((int64_t)totals->delete_bytes));
	map_put(&map, "unchanged", value_int((int64_t)totals->same));
	map_put(&map, "changes", changes_of(step));
	if (changes > SHOWN)
		map_put(&map, "and_more", value_int((int64_t)(changes - SHOWN)));
	map_put(&result, "before", before);
	map_put(&result, "after", changes == 0 ? before : map_done(&map));
	map_put(&result, "out", result_of(step));
	return step_done(step, map_done(&result));
}

static void
tell_progress(struct step *step)
{
	struct sync_step *it = step->state;
	const struct sync *sync = &it->sync;
	step_progress(step, sync->copied_bytes + sync->big.bytes, sync->totals.copy_bytes,
		"B");
}

/* ---- going on */

static bool
is_busy(const struct sync *sync)
{
	for (unsigned i = 0; i < SYNC_LANES; i++)
		if (sync->lanes[i].at != LANE_FREE)
			return true;
	return sync->big.at != BIG_FREE;
}

/* The first failure decides; what is under way is brought to its end, nothing starts. */
static void
note_failure(struct step *step, struct sync *sync, enum verdict verdict)
{
	if (sync->failed != STEP_WAIT)
		return;
	sync->failed = verdict;
	sync->why = *step->err;
}

static enum verdict
ended_badly(struct step *step)
{
	struct sync_step *it = step->state;
	struct sync *sync = &it->sync;
	*step->err = sync->why;
	if (!sync->changed)
		return sync->failed == STEP_DOUBT ? STEP_FAIL : sync->failed;
	err_wrap(step->err, "after %llu of %llu copies", (unsigned long long)sync->copied,
		(unsigned long long)sync->totals.copies);
	step->err->transient = sync->why.transient;
	return STEP_PARTIAL;
}

/* The next entry with that action, large or small; NULL: none is left. */
static struct sync_entry *
next_entry(struct sync *sync, size_t *next, enum sync_action action, bool any, bool big)
{
	while (*next < sync->plan.n) {
		struct sync_entry *entry = &sync->plan.entries[(*next)++];
		if (entry->action == action
			&& (any || sync_is_big(sync, entry) == big))
			return entry;
	}
	return NULL;
}

static enum verdict
start_lane(struct step *step, struct sync *sync, struct sync_lane *lane,
	struct sync_entry *entry, enum phase phase, struct now now)
{
	return phase == COMPARING ? lane_compare(step, sync, lane, entry, now)
		: phase == COPYING ? lane_copy(step, sync, lane, entry, now)
				   : lane_remove(step, sync, lane, entry);
}

static const enum sync_action work_of[] = {
	[COMPARING] = SYNC_UNDECIDED, [COPYING] = SYNC_COPY, [DELETING] = SYNC_DELETE};

static void
fill_lanes(struct step *step, struct now now)
{
	struct sync_step *it = step->state;
	struct sync *sync = &it->sync;
	for (unsigned i = 0; i < SYNC_LANES && sync->failed == STEP_WAIT; i++) {
		struct sync_lane *lane = &sync->lanes[i];
		if (lane->at != LANE_FREE)
			continue;
		struct sync_entry *entry = next_entry(sync, &sync->next,
			work_of[it->phase], it->phase != COPYING, false);
		if (entry == NULL)
			break;
		enum verdict verdict =
			start_lane(step, sync, lane, entry, it->phase, now);
		if (verdict == STEP_WAIT)
			continue;
		lane->at = LANE_FREE;
		note_failure(step, sync, verdict);
	}
	if (it->phase != COPYING || sync->big.at != BIG_FREE || sync->failed != STEP_WAIT)
		return;
	struct sync_entry *entry =
		next_entry(sync, &sync->next_big, SYNC_COPY, false, true);
	if (entry == NULL)
		return;
	enum verdict verdict = big_copy(step, sync, entry, now);
	if (verdict != STEP_WAIT) {
		sync->big.at = BIG_FREE;
		note_failure(step, sync, verdict);
	}
}

static void
start_batch(struct step *step, struct sync *sync)
{
	s3_batch_begin(&sync->batch, step->mem, sync->to.place, SYNC_BATCH_SLOT);
	for (size_t i = 0; i < sync->plan.n; i++)
		if (sync->plan.entries[i].action == SYNC_DELETE)
			s3_batch_add(&sync->batch, step->mem,
				side_object(step->mem, &sync->to,
					sync->plan.entries[i].to->path)
					.key,
				(struct str){NULL, 0});
	sync->batch.ended = true;
	sync->changed = sync->changed || sync->batch.n > 0;
}

static enum verdict
batch_went(struct step *step, enum verdict verdict)
{
	struct sync_step *it = step->state;
	struct sync *sync = &it->sync;
	sync->deleted = sync->batch.deleted;
	if (verdict == STEP_DONE)
		return step_done(step, result_of(step));
	if (verdict == STEP_WAIT)
		return STEP_WAIT;
	note_failure(step, sync, verdict);
	return ended_badly(step);
}

/* A phase is over when nothing is in flight and nothing is left to start. */
static enum verdict
next_phase(struct step *step, struct now now)
{
	struct sync_step *it = step->state;
	struct sync *sync = &it->sync;
	sync->next = sync->next_big = 0;
	if (it->phase == COMPARING) {
		sync->totals = sync_count(&sync->plan);
		it->phase = COPYING;
		return it->looks ? previewed(step) : STEP_WAIT;
	}
	if (it->phase == DELETING || sync->totals.deletes == 0)
		return step_done(step, result_of(step));
	it->phase = DELETING;
	if (sync->to.is_folder)
		return STEP_WAIT;
	start_batch(step, sync);
	return batch_went(step, s3_batch_go(step, &sync->batch, now));
}

static enum verdict
go_on(struct step *step, struct now now)
{
	struct sync_step *it = step->state;
	struct sync *sync = &it->sync;
	for (;;) {
		if (sync->batch.ended)
			return STEP_WAIT;
		fill_lanes(step, now);
		if (is_busy(sync))
			return STEP_WAIT;
		if (sync->failed != STEP_WAIT)
			return ended_badly(step);
		enum verdict verdict = next_phase(step, now);
		if (verdict != STEP_WAIT)
			return verdict;
	}
}

static enum verdict
loaded(struct step *step, const struct event *event)
{
	struct sync_step *it = step->state;
	struct sync *sync = &it->sync;
	struct side *side =
		event->op->slot == SYNC_FROM_SLOT ? &sync->from : &sync->to;
	enum verdict verdict = side_event(step, side, event);
	if (verdict != STEP_DONE)
		return verdict;
	if (side == &sync->from && !side->is_there)
		return step_fail(step, ERR_NOT_FOUND, false, "the folder %s is not there",
			side->folder);
	if (!sync->from.loaded || !sync->to.loaded)
		return STEP_WAIT;
	if (!sync_merge(step->mem, &sync->from.items, &sync->to.items,
		    value_get_bool(step->in, "delete", false), &sync->plan, step->err))
		return STEP_FAIL;
	it->phase = COMPARING;
	return go_on(step, event->now);
}

static enum verdict
worked(struct step *step, const struct event *event)
{
	struct sync_step *it = step->state;
	struct sync *sync = &it->sync;
	bool big = big_owns(sync, event);
	if (!big && s3_batch_owns(&sync->batch, event) && sync->batch.ended)
		return batch_went(step, s3_batch_event(step, &sync->batch, event));
	/* What was still in flight of a large one that failed. */
	if (!big && event->op->slot >= SYNC_FILE_SLOT)
		return go_on(step, event->now);
	enum verdict verdict = big ? big_event(step, sync, event)
				   : lane_event(step, sync, event);
	tell_progress(step);
	if (verdict == STEP_WAIT)
		return STEP_WAIT;
	if (verdict != STEP_DONE) {
		note_failure(step, sync, verdict);
		if (big)
			sync->big.at = BIG_FREE;
		else
			sync->lanes[event->op->slot - SYNC_LANE_SLOT].at = LANE_FREE;
	}
	return go_on(step, event->now);
}

static enum verdict
both(struct step *step, const struct event *event)
{
	struct sync_step *it = step->state;
	if (it->phase == START)
		return begin(step, event->now);
	return it->phase == LOADING ? loaded(step, event) : worked(step, event);
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	struct sync_step *it = step->state;
	it->looks = true;
	return event->kind == EV_CANCEL
		? step_fail(step, ERR_CANCELLED, false, "cancelled")
		: both(step, event);
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct sync_step *it = step->state;
	if (event->kind != EV_CANCEL)
		return both(step, event);
	step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (!it->sync.changed)
		return STEP_FAIL;
	return it->sync.big.at == BIG_FREE ? STEP_PARTIAL
					   : big_cancel(step, &it->sync, event->now);
}
