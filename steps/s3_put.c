#include "shared.h"
#include "../steps/aws/upload.h"

static const struct field in[] = {
	{.name = "to", .type = FIELD_S3_PLACE, .flags = FIELD_REQUIRED, .help = "the object"},
	{.name = "body", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .either = 1, .help = "its content as text"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_REQUIRED, .either = 1, .help = "its content as JSON"},
	{.name = "file", .type = FIELD_PATH, .flags = FIELD_REQUIRED | FIELD_READ, .either = 1,
	 .help = "a file that holds it"},
	{.name = "content_type", .type = FIELD_TEXT, .help = "of the object"},
	{.name = "storage_class", .type = FIELD_TEXT, .pattern = "[A-Z_]+", .help = "of the object"},
	{.name = "metadata", .type = FIELD_MAP, .each = FIELD_TEXT, .help = "of the object"},
	{.name = "if_absent", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "an object with other content is a failure"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "url", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "of the object"},
	{.name = "etag", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "of the object"},
	{.name = "version", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "in a versioned bucket"},
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length"},
	{.name = NULL},
};

/* A body up to this length is one PUT out of memory; a longer file goes up in parts. */
enum {
	MOST_PUT = 8 << 20,
	MOST_METADATA = 32,
	FILE_SLOT = 1,
	PARTS_SLOT = 2,
	PIECE = 256 << 10
};
enum phase { START, STAT, DIGEST, LOAD, HEAD, OLD, OPEN, PUT, STREAM, RESTORE };

struct put {
	enum phase phase;
	struct s3_place place;
	struct str body;
	bool is_file, is_long;                        /* long: not in memory */
	struct header headers[MOST_METADATA + 8];
	size_t n_headers;
	struct s3_object before;
	uint8_t sha256[SHA256_SIZE];
	uint64_t bytes;
	struct upload upload;
	bool reading, at_end;
};

static step_fn preview, run, undo;

const struct step_type s3_put_type = {
	.name = "s3_put",
	.summary = "write an object to S3",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = NS_H,
	.can_undo = true,
	.uses = &aws_credentials,
	.state = sizeof(struct put),
	.slots = 12,
	.preview = preview,
	.run = run,
	.undo = undo,
};

static void
add_header(struct put *put, const char *name, const char *value)
{
	if (put->n_headers < sizeof put->headers / sizeof put->headers[0])
		put->headers[put->n_headers++] = (struct header){name, value};
}

static void
make_headers(struct step *step)
{
	struct put *put = step->state;
	struct str type = value_get_str(step->in, "content_type"),
		   class = value_get_str(step->in, "storage_class");
	const struct value *metadata = value_get(step->in, "metadata");
	const char *otherwise = value_get(step->in, "json") != NULL
		? "application/json"
		: "application/octet-stream";
	put->n_headers = 0;
	add_header(
		put, "Content-Type", type.n > 0 ? str_cstr(step->mem, type) : otherwise);
	if (class.n > 0)
		add_header(put, "x-amz-storage-class", str_cstr(step->mem, class));
	for (size_t i = 0;
		metadata != NULL && metadata->kind == V_MAP && i < metadata->map->n;
		i++) {
		const struct member *member = &metadata->map->members[i];
		add_header(put,
			arena_printf(
				step->mem, "x-amz-meta-%.*s", STR_FMT(member->key.str)),
			str_cstr(step->mem, member->value.str));
	}
}

static const char *
digest_text(struct step *step)
{
	struct put *put = step->state;
	return base64_text(step->mem, put->sha256, SHA256_SIZE);
}

static bool
metadata_is_same(struct step *step)
{
	struct put *put = step->state;
	const struct value *wanted = value_get(step->in, "metadata");
	if (wanted == NULL || wanted->kind != V_MAP)
		return true;
	for (size_t i = 0; i < wanted->map->n; i++) {
		const struct member *member = &wanted->map->members[i];
		const char *name = str_cstr(step->mem, member->key.str);
		if (!str_eq(value_get_str(&put->before.metadata, name), member->value.str))
			return false;
	}
	return true;
}

/* The same object: by the checksum that S3 kept, or that which rbx left beside it. */
static bool
is_same(struct step *step)
{
	struct put *put = step->state;
	return put->before.exists && put->before.size == put->bytes
		&& put->before.sha256.n > 0
		&& str_is(put->before.sha256, digest_text(step));
}

static struct value
result_of(struct step *step, const struct s3_object *object)
{
	struct put *put = step->state;
	struct map_builder result = {.mem = step->mem};
	map_put(&result, "url", value_str(value_get_str(step->in, "to")));
	map_put(&result, "etag", value_str(object->etag));
	if (object->version.n > 0)
		map_put(&result, "version", value_str(object->version));
	map_put(&result, "bytes", value_int((int64_t)put->bytes));
	return map_done(&result);
}

static enum verdict
ask_file(struct step *step, enum phase phase)
{
	struct put *put = step->state;
	struct file_ask ask = {
		.path = str_cstr(step->mem, value_get_str(step->in, "file")),
		.most = MOST_PUT};
	ask.what = phase == STAT ? FILE_STAT : phase == LOAD ? FILE_LOAD : FILE_DIGEST;
	put->phase = phase;
	return step_file(step,
		(struct how){.reads = true, .slot = FILE_SLOT, .title = ask.path}, &ask);
}

/* The bytes, their length and digest, from the arguments; true: they are known already.
 */
static bool
body_is_known(struct step *step)
{
	struct put *put = step->state;
	const struct value *json = value_get(step->in, "json"),
			   *body = value_get(step->in, "body");
	if (json != NULL)
		put->body = str_of(json_text(step->mem, json, JSON_COMPACT));
	else if (body != NULL)
		put->body = body->str;
	else
		return false;
	put->bytes = put->body.n;
	sha256(put->body, put->sha256);
	return true;
}

static enum verdict
begin(struct step *step)
{
	struct put *put = step->state;
	if (!s3_place_parse(
		    step->mem, value_get_str(step->in, "to"), &put->place, step->err))
		return STEP_FAIL;
	if (put->place.is_prefix)
		return step_fail(step, ERR_VALUE, false,
			"'to' names a prefix; an object has a name");
	const struct value *metadata = value_get(step->in, "metadata");
	if (metadata != NULL && metadata->kind == V_MAP && metadata->map->n > MOST_METADATA)
		return step_fail(step, ERR_LIMIT, false, "more than %d names in 'metadata'",
			MOST_METADATA);
	make_headers(step);
	put->is_file = !body_is_known(step);
	return STEP_DONE;
}

static enum verdict
file_seen(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	const struct file_answer *answer = event->op->answer;
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	if (!answer->exists || answer->is_folder)
		return step_fail(step, ERR_NOT_FOUND, false, "%.*s is not a file",
			STR_FMT(value_get_str(step->in, "file")));
	put->bytes = answer->size;
	put->is_long = answer->size > MOST_PUT;
	if (put->phase == LOAD)
		put->body = answer->bytes;
	if (put->phase != STAT)
		memcpy(put->sha256, answer->sha256, sizeof put->sha256);
	return STEP_DONE;
}

static enum verdict
look(struct step *step, struct now now)
{
	struct put *put = step->state;
	put->phase = HEAD;
	return s3_head(step, (struct how){0}, now, &put->place);
}

/* before: the object now; after: as it will be, or the same if it is so already. */
static enum verdict
previewed(struct step *step)
{
	struct put *put = step->state;
	struct map_builder result = {.mem = step->mem};
	struct s3_object after = {
		.exists = true, .size = put->bytes, .sha256 = str_of(digest_text(step))};
	struct value before = s3_object_value(step->mem, &put->before);
	map_put(&result, "before", before);
	map_put(&result, "after",
		is_same(step) && metadata_is_same(step) ? before : s3_object_value(step->mem, &after));
	map_put(&result, "out", result_of(step, &put->before));
	return step_done(step, map_done(&result));
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START) {
		verdict = begin(step);
		if (verdict != STEP_DONE)
			return verdict;
		return put->is_file ? ask_file(step, STAT) : look(step, event->now);
	}
	if (put->phase == HEAD)
		return s3_object_read(step, event->op, &put->before, &verdict)
			? previewed(step)
			: verdict;
	verdict = file_seen(step, event);
	if (verdict != STEP_DONE)
		return verdict;
	return put->phase == STAT ? ask_file(step, DIGEST) : look(step, event->now);
}

static enum verdict
put_object(struct step *step, struct now now)
{
	struct put *put = step->state;
	add_header(put, "x-amz-checksum-sha256", digest_text(step));
	add_header(put, S3_OUR_DIGEST, digest_text(step));
	if (value_get_bool(step->in, "if_absent", false))
		add_header(put, "If-None-Match", "*");
	struct aws_call call = {
		.service = &aws_s3,
		.method = "PUT",
		.bucket = put->place.bucket,
		.body = put->body,
		.path = s3_path(step->mem, put->place.key),
		.headers = put->headers,
		.n_headers = put->n_headers,
		.payload = hex_text(step->mem, put->sha256, SHA256_SIZE),
	};
	struct how how = {.tries = 3,
		.title = arena_printf(step->mem, "PUT s3://%s/%.*s", put->place.bucket,
			STR_FMT(put->place.key))};
	put->phase = PUT;
	return aws_send(step, how, now, &call);
}

static enum verdict
open_file(struct step *step)
{
	struct put *put = step->state;
	struct open_ask ask = {
		.path = str_cstr(step->mem, value_get_str(step->in, "file"))};
	add_header(put, S3_OUR_DIGEST, digest_text(step));
	put->phase = OPEN;
	return step_open(step,
		(struct how){.reads = true, .slot = FILE_SLOT, .title = ask.path}, &ask);
}

/* With if_absent S3 answers 412 where an object stands: the same content is success,
 * other content is not. */
static enum verdict
put_answered(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	struct aws_error error;
	struct s3_object object = {0};
	if (aws_answered(step, event->op, true, &error)) {
		s3_object_headers(step->mem, event->op->answer, &object);
		return step_done(step, result_of(step, &object));
	}
	if (error.status != 412)
		return aws_fail(step, event->op, &error);
	put->phase = OLD;
	return s3_head(step, (struct how){0}, event->now, &put->place);
}

static enum verdict
old_seen(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	enum verdict verdict;
	if (!s3_object_read(step, event->op, &put->before, &verdict))
		return verdict;
	if (is_same(step))
		return step_done(step, result_of(step, &put->before));
	return step_fail(step, ERR_EXISTS, false, "another object stands at %.*s",
		STR_FMT(value_get_str(step->in, "to")));
}

static enum verdict
read_on(struct step *step)
{
	struct put *put = step->state;
	size_t room;
	char *to = upload_room(&put->upload, &room);
	if (room == 0 || put->reading || put->at_end)
		return STEP_WAIT;
	put->reading = true;
	return step_read(step, 0, FILE_SLOT, to, room < PIECE ? room : PIECE, NULL);
}

static enum verdict
stream(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	enum verdict verdict = STEP_WAIT;
	if (put->phase == OPEN) {
		if (event->op->err.code != ERR_NONE)
			return step_fail_op(step, event->op);
		put->phase = STREAM;
		upload_begin(&put->upload, step->mem, put->place, 4 * MOST_PUT,
			put->bytes, PARTS_SLOT);
		put->upload.headers = put->headers;
		put->upload.n_headers = put->n_headers;
	} else if (upload_owns(&put->upload, event)) {
		verdict = upload_event(step, &put->upload, event);
	} else if (event->op->err.code != ERR_NONE) {
		put->reading = false;
		return upload_abort(
			step, &put->upload, event->now, step_fail_op(step, event->op));
	} else {
		const struct read_answer *answer = event->op->answer;
		put->reading = false;
		put->at_end = answer->end;
		if (answer->got > 0)
			verdict = upload_filled(
				step, &put->upload, event->now, answer->got);
		if (answer->end && verdict == STEP_WAIT)
			verdict = upload_finish(step, &put->upload, event->now);
	}
	if (verdict == STEP_DONE)
		return step_done(step, result_of(step, &put->upload.object));
	return verdict == STEP_WAIT ? read_on(step) : verdict;
}

static enum verdict
cancelled(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (put->phase == STREAM)
		return upload_cancel(step, &put->upload, event->now,
			put->upload.completing_sent ? STEP_DOUBT : STEP_FAIL);
	return put->phase == PUT ? STEP_DOUBT : STEP_FAIL;
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return cancelled(step, event);
	switch (put->phase) {
	case START:
		verdict = begin(step);
		if (verdict != STEP_DONE)
			return verdict;
		return put->is_file ? ask_file(step, STAT) : put_object(step, event->now);
	case STAT:
		verdict = file_seen(step, event);
		return verdict != STEP_DONE
			? verdict
			: ask_file(step, put->is_long ? DIGEST : LOAD);
	case DIGEST:
		verdict = file_seen(step, event);
		return verdict != STEP_DONE ? verdict : open_file(step);
	case LOAD:
		verdict = file_seen(step, event);
		return verdict != STEP_DONE ? verdict : put_object(step, event->now);
	case PUT:
		return put_answered(step, event);
	case OLD:
		return old_seen(step, event);
	case OPEN: case STREAM:
		return stream(step, event);
	case HEAD: case RESTORE:
		break;
	}
	return STEP_WAIT;
}

/* ---- undo: only from what this step wrote, back to what the preview saw */

static bool
is_as_before(struct step *step)
{
	struct put *put = step->state;
	if (!value_get_bool(step->was, "exists", false))
		return !put->before.exists;
	return put->before.exists
		&& str_eq(put->before.etag, value_get_str(step->was, "etag"))
		&& str_eq(put->before.version, value_get_str(step->was, "version"));
}

/* The former version over ours: a copy within the bucket. */
static enum verdict
restore_version(struct step *step, struct now now, struct str version)
{
	struct put *put = step->state;
	struct buf source = buf_in(step->mem);
	buf_printf(&source, "/%s%.*s?versionId=", put->place.bucket,
		STR_FMT(s3_path(step->mem, put->place.key)));
	uri_encode(&source, version, false);
	struct header header = {"x-amz-copy-source", source.p};
	struct aws_call call = {.service = &aws_s3,
		.method = "PUT",
		.bucket = put->place.bucket,
		.path = s3_path(step->mem, put->place.key),
		.headers = &header,
		.n_headers = 1};
	return aws_send(step,
		(struct how){.tries = 3, .title = "put the former version back"}, now,
		&call);
}

static enum verdict
go_back(struct step *step, struct now now)
{
	struct put *put = step->state;
	struct str version = value_get_str(step->was, "version"),
		   url = value_get_str(step->in, "to");
	if (is_as_before(step))
		return step_done(step, value_map(step->mem, NULL, 0));
	if (put->before.exists && !is_same(step))
		return step_fail(step, ERR_EXISTS, false,
			"%.*s is neither what was there nor what this run wrote",
			STR_FMT(url));
	put->phase = RESTORE;
	if (!value_get_bool(step->was, "exists", false))
		return s3_delete_object(step, (struct how){.tries = 3}, now, &put->place,
			(struct str){NULL, 0});
	if (version.n == 0)
		return step_fail(step, ERR_NOT_FOUND, false,
			"the bucket keeps no versions: the former content of %.*s is "
			"gone",
			STR_FMT(url));
	return restore_version(step, now, version);
}

static enum verdict
undo(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	struct aws_error error;
	enum verdict verdict;
	if (event->kind == EV_CANCEL || event->kind == EV_START || put->phase == STAT
		|| put->phase == DIGEST)
		return preview(step, event);
	if (put->phase == HEAD)
		return s3_object_read(step, event->op, &put->before, &verdict)
			? go_back(step, event->now)
			: verdict;
	if (!aws_answered(step, event->op, true, &error))
		return aws_fail(step, event->op, &error);
	return step_done(step, value_map(step->mem, NULL, 0));
}
