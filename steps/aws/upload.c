#include "../steps/aws/upload.h"

static const size_t default_part = 8 << 20;

void
upload_begin(struct upload *upload, struct arena *mem, struct s3_place place,
	size_t memory, uint64_t expected, unsigned first_slot)
{
	/* 9,000 of the 10,000 parts, and a fifth more than expected: a stream may be
	 * larger than it was thought to be. */
	uint64_t needed = expected / 5 * 6 / 9000;
	size_t part = default_part;
	while (part < needed)
		part += 1 << 20;
	size_t parallel = memory / part;
	upload->place = place;
	upload->first_slot = first_slot;
	upload->parallel = parallel < 2      ? 2
		: parallel > UPLOAD_PARALLEL ? UPLOAD_PARALLEL
					     : (unsigned)parallel;
	upload->part_size = part;
	upload->state = UPLOAD_EMPTY;
	upload->parts[0].bytes = arena_alloc(mem, part);
	upload->filling = &upload->parts[0];
}

static bool
is_free(const struct upload_part *part)
{
	return part->number == 0 && part->n == 0 && !part->sending;
}

char *
upload_room(struct upload *upload, size_t *room)
{
	*room = upload->filling == NULL ? 0 : upload->part_size - upload->filling->n;
	return upload->filling == NULL ? NULL
				       : upload->filling->bytes + upload->filling->n;
}

static void
next_part(struct step *step, struct upload *upload)
{
	for (unsigned i = 0; upload->filling == NULL && i < upload->parallel; i++) {
		struct upload_part *part = &upload->parts[i];
		if (!is_free(part))
			continue;
		if (part->bytes == NULL)
			part->bytes = arena_alloc(step->mem, upload->part_size);
		upload->filling = part;
	}
}

static enum verdict
control(struct step *step, struct upload *upload, struct now now, const char *method,
	struct str query, struct str body, const struct header *headers, size_t n_headers,
	bool reads)
{
	struct aws_call call = {
		.service = &aws_s3,
		.method = method,
		.bucket = upload->place.bucket,
		.path = s3_path(step->mem, upload->place.key),
		.query = query,
		.body = body,
		.headers = headers,
		.n_headers = n_headers,
	};
	struct how how = {.slot = upload->first_slot,
		.tries = 5,
		.reads = reads,
		.title = arena_printf(step->mem, "%s s3://%s/%.*s", method,
			upload->place.bucket, STR_FMT(upload->place.key))};
	return aws_send(step, how, now, &call);
}

static struct str
id_query(struct step *step, struct str id, unsigned number)
{
	struct buf query = buf_in(step->mem);
	if (number > 0)
		buf_printf(&query, "partNumber=%u&", number);
	buf_puts(&query, "uploadId=");
	uri_encode(&query, id, false);
	return buf_str(&query);
}

static enum verdict
create(struct step *step, struct upload *upload, struct now now)
{
	upload->state = UPLOAD_CREATING;
	return control(step, upload, now, "POST", STR("uploads="), (struct str){NULL, 0},
		upload->headers, upload->n_headers, false);
}

static enum verdict
send_part(struct step *step, struct upload *upload, struct now now,
	struct upload_part *part)
{
	unsigned index = (unsigned)(part - upload->parts);
	struct aws_call call = {
		.service = &aws_s3,
		.method = "PUT",
		.bucket = upload->place.bucket,
		.path = s3_path(step->mem, upload->place.key),
		.query = id_query(step, upload->id, part->number),
		.body = {part->bytes, part->n},
	};
	struct how how = {.slot = upload->first_slot + 1 + index, .tries = 5,
		.title = arena_printf(step->mem, "part %u", part->number)};
	part->sending = true;
	return aws_send(step, how, now, &call);
}

static unsigned
in_flight(const struct upload *upload)
{
	unsigned n = 0;
	for (unsigned i = 0; i < upload->parallel; i++)
		n += upload->parts[i].sending;
	return n;
}

static enum verdict
complete(struct step *step, struct upload *upload, struct now now)
{
	struct buf body = buf_in(step->mem);
	buf_puts(&body,
		"<CompleteMultipartUpload "
		"xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (unsigned i = 0; i < upload->sent; i++)
		buf_printf(&body,
			"<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag></Part>",
			i + 1, upload->etags[i]);
	buf_puts(&body, "</CompleteMultipartUpload>");
	upload->state = UPLOAD_COMPLETING;
	upload->completing_sent = true;
	return control(step, upload, now, "POST", id_query(step, upload->id, 0),
		buf_str(&body), NULL, 0, false);
}

static enum verdict
put_whole(struct step *step, struct upload *upload, struct now now)
{
	struct upload_part *part = upload->filling;
	upload->state = UPLOAD_COMPLETING;
	upload->completing_sent = true;
	return control(step, upload, now, "PUT", (struct str){NULL, 0},
		(struct str){part->bytes, part->n}, upload->headers, upload->n_headers,
		false);
}

/* Whatever can be started now. */
static enum verdict
push(struct step *step, struct upload *upload, struct now now)
{
	if (upload->state != UPLOAD_OPEN)
		return STEP_WAIT;
	struct upload_part *full = upload->filling;
	if (full != NULL && full->n > 0
		&& (full->n == upload->part_size || upload->ended)) {
		if (upload->sent == UPLOAD_MOST_PARTS) {
			step_fail(step, ERR_LIMIT, false,
				"the stream is larger than %u parts of %zu bytes",
				UPLOAD_MOST_PARTS, upload->part_size);
			return upload_abort(step, upload, now, STEP_FAIL);
		}
		full->number = ++upload->sent;
		upload->filling = NULL;
		if (send_part(step, upload, now, full) != STEP_WAIT)
			return upload_abort(step, upload, now, STEP_FAIL);
	}
	next_part(step, upload);
	if (upload->ended && upload->acknowledged == upload->sent
		&& in_flight(upload) == 0)
		return complete(step, upload, now);
	return STEP_WAIT;
}

enum verdict
upload_filled(struct step *step, struct upload *upload, struct now now, size_t n)
{
	upload->filling->n += n;
	if (upload->state == UPLOAD_EMPTY && upload->filling->n == upload->part_size)
		return create(step, upload, now);
	return push(step, upload, now);
}

enum verdict
upload_finish(struct step *step, struct upload *upload, struct now now)
{
	upload->ended = true;
	return upload->state == UPLOAD_EMPTY ? put_whole(step, upload, now)
					     : push(step, upload, now);
}

static enum verdict
failed(struct step *step, struct upload *upload)
{
	*step->err = upload->failed_with;
	upload->state = UPLOAD_FAILED;
	return upload->failed_as;
}

enum verdict
upload_abort(
	struct step *step, struct upload *upload, struct now now, enum verdict verdict)
{
	upload->failed_with = *step->err;
	upload->failed_as = verdict;
	for (unsigned i = 0; i < upload->parallel; i++)
		if (upload->parts[i].sending)
			step_stop(step, upload->first_slot + 1 + i);
	if (upload->id.n == 0)
		return failed(step, upload);
	upload->state = UPLOAD_ABORTING;
	if (in_flight(upload) > 0)
		return STEP_WAIT;
	return control(step, upload, now, "DELETE", id_query(step, upload->id, 0),
		(struct str){NULL, 0}, NULL, 0, false);
}

enum verdict
upload_cancel(
	struct step *step, struct upload *upload, struct now now, enum verdict verdict)
{
	for (unsigned i = 0; i < upload->parallel; i++)
		upload->parts[i].sending = false;
	return upload_abort(step, upload, now, verdict);
}

static enum verdict
save_id(struct step *step, struct upload *upload)
{
	struct map_builder map = {.mem = step->mem};
	struct value saved;
	map_put(&map, "upload_id", value_str(upload->id));
	map_put(&map, "bucket", value_str(str_of(upload->place.bucket)));
	map_put(&map, "key", value_str(upload->place.key));
	saved = map_done(&map);
	upload->state = UPLOAD_SAVING;
	return step_save(step, &saved);
}

static enum verdict
created(struct step *step, struct upload *upload, const struct event *event)
{
	struct aws_error error;
	if (!aws_answered(step, event->op, false, &error))
		return upload_abort(step, upload, event->now,
			event->op->err.code != ERR_NONE ? step_fail_op(step, event->op)
							: STEP_FAIL);
	const struct http_answer *answer = event->op->answer;
	upload->id = xml_text(xml_parse(step->mem, answer->body, step->err), "UploadId");
	if (upload->id.n == 0) {
		step_fail(step, ERR_PROTOCOL, false, "S3 gave no upload id");
		return upload_abort(step, upload, event->now, STEP_FAIL);
	}
	return save_id(step, upload);
}

static enum verdict
part_sent(struct step *step, struct upload *upload, const struct event *event)
{
	struct upload_part *part =
		&upload->parts[event->op->slot - upload->first_slot - 1];
	struct aws_error error;
	part->sending = false;
	if (upload->state == UPLOAD_ABORTING) {
		if (in_flight(upload) > 0)
			return STEP_WAIT;
		return control(step, upload, event->now, "DELETE",
			id_query(step, upload->id, 0), (struct str){NULL, 0}, NULL, 0,
			false);
	}
	if (!aws_answered(step, event->op, false, &error)) {
		err_wrap(step->err, "part %u", part->number);
		/* A part may also be refused for what happened to the upload. */
		step->err->transient = step->err->transient
			|| event->op->err.code != ERR_NONE || error.status == 404
			|| str_is(error.code, "BadDigest");
		return upload_abort(step, upload, event->now, STEP_FAIL);
	}
	struct s3_object object = {0};
	s3_object_headers(step->mem, event->op->answer, &object);
	upload->etags[part->number - 1] = str_cstr(step->mem, object.etag);
	upload->acknowledged++;
	part->number = 0;
	part->n = 0;
	return push(step, upload, event->now);
}

static enum verdict
completed(struct step *step, struct upload *upload, const struct event *event)
{
	struct aws_error error;
	if (aws_answered(step, event->op, false, &error)) {
		const struct http_answer *answer = event->op->answer;
		s3_object_headers(step->mem, answer, &upload->object);
		if (upload->id.n > 0) {
			struct str etag = xml_text(
				xml_parse(step->mem, answer->body, step->err), "ETag");
			bool quoted = etag.n >= 2 && etag.p[0] == '"';
			upload->object.etag =
				quoted ? (struct str){etag.p + 1, etag.n - 2} : etag;
		}
		upload->state = UPLOAD_DONE;
		return STEP_DONE;
	}
	enum verdict verdict = aws_fail(step, event->op, &error);
	if (verdict == STEP_DOUBT || event->op->reach == REACH_SENT) {
		upload->state = UPLOAD_FAILED; /* it may stand there now: nothing may be
						  removed */
		return STEP_DOUBT;
	}
	return upload_abort(step, upload, event->now, verdict);
}

bool
upload_owns(const struct upload *upload, const struct event *event)
{
	if (event->kind == EV_SAVED)
		return upload->state == UPLOAD_SAVING;
	return event->kind == EV_OP && event->op->slot >= upload->first_slot
		&& event->op->slot <= upload->first_slot + upload->parallel;
}

enum verdict
upload_event(struct step *step, struct upload *upload, const struct event *event)
{
	if (event->kind == EV_SAVED) {
		upload->state = UPLOAD_OPEN;
		return push(step, upload, event->now);
	}
	if (event->op->slot > upload->first_slot)
		return part_sent(step, upload, event);
	switch (upload->state) {
	case UPLOAD_CREATING:
		return created(step, upload, event);
	case UPLOAD_COMPLETING:
		return completed(step, upload, event);
	case UPLOAD_ABORTING:
		return failed(step, upload);
	default:
		return STEP_WAIT;
	}
}

enum verdict
upload_abort_saved(struct step *step, struct now now, unsigned slot)
{
	struct str id = value_get_str(step->saved, "upload_id"),
		   bucket = value_get_str(step->saved, "bucket");
	if (id.n == 0 || bucket.n == 0)
		return STEP_DONE;
	struct aws_call call = {
		.service = &aws_s3,
		.method = "DELETE",
		.bucket = str_cstr(step->mem, bucket),
		.path = s3_path(step->mem, value_get_str(step->saved, "key")),
		.query = id_query(step, id, 0),
	};
	return aws_send(step,
		(struct how){
			.slot = slot, .tries = 3, .title = "abort the former upload"},
		now, &call);
}
