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
enum phase {
	START,
	STAT,
	DIGEST,
	LOAD,
	HEAD,
	OLD,
	CLEAN,
	RESUME,
	LOST,
	OPEN,
	PUT,
	STREAM,
	RESTORE,
};

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
	struct digest *digest;                        /* of what is really sent */
	bool reading, at_end;
};

static step_fn preview, probe, run, undo;

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
	.probe = probe,
	.run = run,
	.leftover = multipart_leftover,
	.sweep = multipart_sweep,
	.astray = multipart_astray,
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
		if (!str_eq(value_get_str(&put->before.metadata, name),
			    member->value.str))
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
	if (metadata != NULL && metadata->kind == V_MAP
		&& metadata->map->n > MOST_METADATA)
		return step_fail(step, ERR_LIMIT, false,
			"more than %d names in 'metadata'", MOST_METADATA);
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
		is_same(step) && metadata_is_same(step)
			? before
			: s3_object_value(step->mem, &after));
	map_put(&result, "out", result_of(step, &put->before));
	return step_done(step, map_done(&result));
}

/* The content and the object. STEP_DONE: both are known. */
static enum verdict
both_seen(struct step *step, const struct event *event)
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
	if (put->phase == HEAD && s3_moved(step, event->op, &put->place))
		return look(step, event->now);
	if (put->phase == HEAD)
		return s3_object_read(step, event->op, &put->before, &verdict) ? STEP_DONE
			: verdict == STEP_DOUBT                                ? STEP_FAIL
										: verdict;
	verdict = file_seen(step, event);
	if (verdict != STEP_DONE)
		return verdict;
	return put->phase == STAT ? ask_file(step, DIGEST) : look(step, event->now);
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	enum verdict verdict = both_seen(step, event);
	return verdict == STEP_DONE ? previewed(step) : verdict;
}

static enum verdict
probe(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	enum verdict verdict = both_seen(step, event);
	if (verdict != STEP_DONE)
		return verdict == STEP_FAIL ? STEP_DOUBT : verdict;
	return is_same(step) ? step_done(step, result_of(step, &put->before))
			     : STEP_ABSENT;
}

static const struct header if_absent = {"If-None-Match", "*"};

static enum verdict
put_object(struct step *step, struct now now)
{
	struct put *put = step->state;
	uint8_t sum[MD5_SIZE];
	if (!s3_find(step, &put->place))
		return STEP_FAIL;
	make_headers(step);
	/* S3 itself knows more checksums than stores like it. */
	if (!put->place.endpoint->is_own)
		add_header(put, "x-amz-checksum-sha256", digest_text(step));
	else if (md5(put->body, sum))
		add_header(put, "Content-MD5", base64_text(step->mem, sum, MD5_SIZE));
	add_header(put, S3_OUR_DIGEST, digest_text(step));
	if (value_get_bool(step->in, "if_absent", false))
		add_header(put, if_absent.name, if_absent.value);
	struct aws_call call = s3_call(step->mem, &put->place, "PUT");
	call.body = put->body;
	call.headers = put->headers;
	call.n_headers = put->n_headers;
	call.payload = hex_text(step->mem, put->sha256, SHA256_SIZE);
	struct how how = {.tries = 3,
		.title = arena_printf(step->mem, "PUT s3://%s/%.*s", put->place.bucket,
			STR_FMT(put->place.key))};
	put->phase = PUT;
	return aws_send(step, how, now, &call);
}

/* ---- a long file: an upload that an earlier attempt began is gone on with, if it was of
 * this very content */

static void
set_up_upload(struct step *step)
{
	struct put *put = step->state;
	struct upload *upload = &put->upload;
	make_headers(step);
	add_header(put, S3_OUR_DIGEST, digest_text(step));
	upload_begin(upload, step->mem, put->place, 4 * MOST_PUT, put->bytes, PARTS_SLOT);
	upload->headers = put->headers;
	upload->n_headers = put->n_headers;
	upload->resumes = true;
	if (value_get_bool(step->in, "if_absent", false))
		upload->condition = &if_absent;
	struct map_builder *more = &upload->multi.more;
	map_put(more, "part", value_int((int64_t)upload->part_size));
	map_put(more, "bytes", value_int((int64_t)put->bytes));
	map_put(more, "sha256", value_str(str_of(digest_text(step))));
}

static enum verdict
open_file(struct step *step)
{
	struct put *put = step->state;
	struct open_ask ask = {
		.path = str_cstr(step->mem, value_get_str(step->in, "file"))};
	put->phase = OPEN;
	put->digest = digest_new(step->mem);
	return step_open(step,
		(struct how){.reads = true, .slot = FILE_SLOT, .title = ask.path}, &ask);
}

static enum verdict
start_upload(struct step *step, struct now now)
{
	struct put *put = step->state;
	struct str id = multipart_saved(step, &put->place);
	set_up_upload(step);
	bool fits = str_is(value_get_str(step->saved, "sha256"), digest_text(step))
		&& value_get_int(step->saved, "part", 0) == (int64_t)put->upload.part_size
		&& value_get_int(step->saved, "bytes", -1) == (int64_t)put->bytes;
	if (id.n > 0 && fits) {
		put->phase = RESUME;
		return upload_resume(step, &put->upload, now, id);
	}
	put->phase = CLEAN;
	enum verdict verdict = multipart_abort_saved(step, now, 0);
	return verdict == STEP_DONE ? open_file(step) : verdict;
}

/* An upload that is no more was completed, or somebody removed it: the object tells. */
static enum verdict
resumed(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	enum verdict verdict = upload_event(step, &put->upload, event);
	if (verdict != STEP_DONE)
		return verdict;
	if (!put->upload.lost)
		return open_file(step);
	put->phase = LOST;
	return s3_head(step, (struct how){0}, event->now, &put->place);
}

static enum verdict
lost_seen(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	enum verdict verdict;
	if (!s3_object_read(step, event->op, &put->before, &verdict))
		return verdict;
	return is_same(step) ? step_done(step, result_of(step, &put->before))
			     : open_file(step);
}

/* With if_absent S3 answers 412 where an object stands: the same content is success,
 * other content is not. */
static enum verdict
look_at_old(struct step *step, struct now now)
{
	struct put *put = step->state;
	put->phase = OLD;
	return s3_head(step, (struct how){0}, now, &put->place);
}

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
	if (s3_moved(step, event->op, &put->place))
		return put_object(step, event->now);
	if (error.status != 412)
		return aws_fail(step, event->op, &error);
	return look_at_old(step, event->now);
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
	return step_read(
		step, 0, FILE_SLOT, to, room < PIECE ? room : PIECE, put->digest);
}

/* The digest went ahead with the headers: it must be that of what was sent. */
static bool
is_whole(struct step *step)
{
	struct put *put = step->state;
	uint8_t sum[SHA256_SIZE];
	digest_end(put->digest, sum);
	if (memcmp(sum, put->sha256, SHA256_SIZE) == 0)
		return true;
	step_fail(step, ERR_IO, true, "%.*s changed while it was read",
		STR_FMT(value_get_str(step->in, "file")));
	return false;
}

static enum verdict
piece_read(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	const struct read_answer *answer = event->op->answer;
	enum verdict verdict = STEP_WAIT;
	put->reading = false;
	if (event->op->err.code != ERR_NONE)
		return upload_abort(
			step, &put->upload, event->now, step_fail_op(step, event->op));
	put->at_end = answer->end;
	if (put->upload.state == UPLOAD_ABORTING)
		return STEP_WAIT;
	if (answer->got > 0)
		verdict = upload_filled(step, &put->upload, event->now, answer->got);
	if (!answer->end || verdict != STEP_WAIT)
		return verdict;
	return is_whole(step)
		? upload_finish(step, &put->upload, event->now)
		: upload_abort(step, &put->upload, event->now, STEP_FAIL);
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
	} else if (upload_owns(&put->upload, event)) {
		verdict = upload_event(step, &put->upload, event);
	} else {
		verdict = piece_read(step, event);
	}
	step_progress(step, put->upload.bytes_done, put->bytes, "B");
	if (verdict == STEP_DONE)
		return step_done(step, result_of(step, &put->upload.object));
	if (verdict != STEP_WAIT)
		return put->upload.is_taken ? look_at_old(step, event->now) : verdict;
	return put->upload.state == UPLOAD_ABORTING ? STEP_WAIT : read_on(step);
}

static enum verdict
cancelled(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (put->phase == STREAM || put->phase == RESUME)
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
	case STAT: case DIGEST: case LOAD:
		verdict = file_seen(step, event);
		return verdict != STEP_DONE   ? verdict
			: put->phase == STAT  ? ask_file(step, put->is_long ? DIGEST : LOAD)
			: put->phase == DIGEST ? start_upload(step, event->now)
					       : put_object(step, event->now);
	case CLEAN: /* gone or never there: both are fine */
		return open_file(step);
	case RESUME:
		return resumed(step, event);
	case LOST:
		return lost_seen(step, event);
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

static enum verdict
go_back(struct step *step, struct now now)
{
	struct put *put = step->state;
	put->phase = RESTORE;
	return s3_go_back(step, now, &put->place, &put->before, is_same(step), "wrote");
}

static enum verdict
undo(struct step *step, const struct event *event)
{
	struct put *put = step->state;
	struct aws_error error;
	if (put->phase != RESTORE) {
		enum verdict verdict = both_seen(step, event);
		return verdict == STEP_DONE ? go_back(step, event->now) : verdict;
	}
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled"), STEP_DOUBT;
	if (!aws_answered(step, event->op, true, &error))
		return aws_fail(step, event->op, &error);
	return step_done(step, value_map(step->mem, NULL, 0));
}
