#include "shared.h"
#include "../steps/aws/fetch.h"

static const struct field in[] = {
	{.name = "from", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED, .help = "the object"},
	{.name = "to", .type = FIELD_PATH, .flags = FIELD_REQUIRED, .help = "the file; appears by rename"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "path", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "the file"},
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length"},
	{.name = "sha256", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "its digest"},
	{.name = NULL},
};

enum { GET_SLOT, READ_SLOT, FILE_SLOT, WRITE_SLOT, SLOTS };
enum phase { START, FILE_LOOK, HEAD, FETCH, SAVE, CLOSE, REMOVE };

struct get {
	enum phase phase;
	struct s3_place place;
	struct file_answer file;                      /* as it is now */
	struct s3_object object;
	struct fetch fetch;
};

static step_fn preview, run, undo;

const struct step_type s3_get_type = {
	.name = "s3_get",
	.summary = "fetch an object from S3 to a file",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = NS_H,
	.can_undo = true,
	.uses = &aws_credentials,
	.state = sizeof(struct get),
	.slots = SLOTS,
	.preview = preview,
	.run = run,
	.undo = undo,
};

static enum verdict
ask_file(struct step *step, int what, bool reads)
{
	struct file_ask ask = {
		.path = str_cstr(step->mem, value_get_str(step->in, "to"))};
	ask.what = what;
	return step_file(step,
		(struct how){.slot = FILE_SLOT, .reads = reads, .title = ask.path}, &ask);
}

static enum verdict
begin(struct step *step)
{
	struct get *get = step->state;
	if (!s3_place_parse(
		    step->mem, value_get_str(step->in, "from"), &get->place, step->err))
		return STEP_FAIL;
	if (get->place.is_prefix)
		return step_fail(step, ERR_VALUE, false,
			"'from' names a prefix; an object has a name");
	get->phase = FILE_LOOK;
	return ask_file(step, FILE_DIGEST, true);
}

static enum verdict
file_seen(struct step *step, const struct event *event)
{
	struct get *get = step->state;
	if (event->op->err.code == ERR_NONE)
		get->file = *(const struct file_answer *)event->op->answer;
	else if (event->op->err.code != ERR_NOT_FOUND)
		return step_fail_op(step, event->op);
	if (get->file.is_folder)
		return step_fail(step, ERR_EXISTS, false, "%.*s is a folder",
			STR_FMT(value_get_str(step->in, "to")));
	return STEP_DONE;
}

static struct value
file_value(struct step *step)
{
	struct get *get = step->state;
	struct map_builder map = {.mem = step->mem};
	map_put(&map, "exists", value_bool(get->file.exists));
	if (get->file.exists) {
		map_put(&map, "bytes", value_int((int64_t)get->file.size));
		map_put(&map, "sha256",
			value_str(str_of(
				hex_text(step->mem, get->file.sha256, SHA256_SIZE))));
	}
	return map_done(&map);
}

static bool
object_seen(struct step *step, const struct event *event, enum verdict *verdict)
{
	struct get *get = step->state;
	if (!s3_object_read(step, event->op, &get->object, verdict))
		return false;
	if (get->object.exists)
		return true;
	*verdict = step_fail(step, ERR_NOT_FOUND, false, "%.*s is not there",
		STR_FMT(value_get_str(step->in, "from")));
	return false;
}

static enum verdict
previewed(struct step *step)
{
	struct get *get = step->state;
	struct map_builder after = {.mem = step->mem}, result = {.mem = step->mem};
	struct value before = file_value(step);
	bool same = get->file.exists && get->object.sha256.n > 0
		&& str_is(get->object.sha256,
			base64_text(step->mem, get->file.sha256, SHA256_SIZE));
	map_put(&after, "exists", value_bool(true));
	map_put(&after, "bytes", value_int((int64_t)get->object.size));
	map_put(&result, "before", before);
	map_put(&result, "after", same ? before : map_done(&after));
	return step_done(step, map_done(&result));
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	struct get *get = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return begin(step);
	if (get->phase == HEAD && s3_moved(step, event->op, &get->place))
		return s3_head(step, (struct how){0}, event->now, &get->place);
	if (get->phase == HEAD)
		return object_seen(step, event, &verdict) ? previewed(step) : verdict;
	verdict = file_seen(step, event);
	get->phase = HEAD;
	return verdict == STEP_DONE
		? s3_head(step, (struct how){0}, event->now, &get->place)
		: verdict;
}

static enum verdict
start_fetch(struct step *step)
{
	struct get *get = step->state;
	get->phase = FETCH;
	get->fetch.place = get->place;
	get->fetch.object = get->object;
	get->fetch.path = str_cstr(step->mem, value_get_str(step->in, "to"));
	get->fetch.get_slot = GET_SLOT;
	get->fetch.read_slot = READ_SLOT;
	get->fetch.file_slot = FILE_SLOT;
	get->fetch.write_slot = WRITE_SLOT;
	return fetch_begin(step, &get->fetch);
}

/* The digest is durable before the file appears, so that undo knows it. */
static enum verdict
fetched(struct step *step, const struct event *event)
{
	struct get *get = step->state;
	struct map_builder map = {.mem = step->mem};
	enum verdict verdict = fetch_event(step, &get->fetch, event);
	if (verdict != STEP_DONE)
		return verdict;
	map_put(&map, "sha256", value_str(str_of(get->fetch.sha256)));
	struct value saved = map_done(&map);
	get->phase = SAVE;
	return step_save(step, &saved);
}

static enum verdict
finished(struct step *step, const struct event *event)
{
	struct get *get = step->state;
	struct map_builder result = {.mem = step->mem};
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	map_put(&result, "path", value_str(value_get_str(step->in, "to")));
	map_put(&result, "bytes", value_int((int64_t)get->fetch.bytes));
	map_put(&result, "sha256", value_str(str_of(get->fetch.sha256)));
	return step_done(step, map_done(&result));
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct get *get = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled"),
		       get->phase == CLOSE ? STEP_DOUBT : STEP_FAIL;
	switch (get->phase) {
	case START:
		return begin(step);
	case FILE_LOOK:
		verdict = file_seen(step, event);
		get->phase = HEAD;
		return verdict == STEP_DONE
			? s3_head(step, (struct how){0}, event->now, &get->place)
			: verdict;
	case HEAD:
		if (s3_moved(step, event->op, &get->place))
			return s3_head(step, (struct how){0}, event->now, &get->place);
		return object_seen(step, event, &verdict) ? start_fetch(step) : verdict;
	case FETCH:
		return fetched(step, event);
	case SAVE:
		get->phase = CLOSE;
		return fetch_name(step, &get->fetch);
	case CLOSE:
		return finished(step, event);
	case REMOVE:
		break;
	}
	return STEP_WAIT;
}

/* Removes the file if it was not there before and is what this step wrote. */
static enum verdict
undo(struct step *step, const struct event *event)
{
	struct get *get = step->state;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return begin(step);
	if (get->phase == REMOVE)
		return event->op->err.code != ERR_NONE
			? step_fail_op(step, event->op)
			: step_done(step, value_map(step->mem, NULL, 0));
	enum verdict verdict = file_seen(step, event);
	if (verdict != STEP_DONE)
		return verdict;
	struct value now = file_value(step);
	if (step->was != NULL && value_equal(&now, step->was))
		return step_done(step, value_map(step->mem, NULL, 0));
	if (value_get_bool(step->was, "exists", false))
		return step_fail(step, ERR_EXISTS, false,
			"the former content of %.*s is gone",
			STR_FMT(value_get_str(step->in, "to")));
	if (!str_eq(value_get_str(&now, "sha256"), value_get_str(step->saved, "sha256")))
		return step_fail(step, ERR_EXISTS, false,
			"%.*s is not what this run wrote",
			STR_FMT(value_get_str(step->in, "to")));
	get->phase = REMOVE;
	return ask_file(step, FILE_REMOVE, false);
}
