#include "../steps/aws/upload.h"

#include <assert.h>

enum { MOST_TRIES = 3 };
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
	*upload = (struct upload){
		.mem = mem,
		.first_slot = first_slot,
		.parallel = parallel < 2             ? 2
			: parallel > UPLOAD_PARALLEL ? UPLOAD_PARALLEL
						     : (unsigned)parallel,
		.part_size = part,
		.crc = crc64_new(mem),
	};
	multipart_begin(&upload->multi, mem, place, first_slot);
}

/* ---- buffers */

static bool
is_free(const struct upload_part *part)
{
	return part->number == 0 && part->n == 0 && !part->sending;
}

static void
next_part(struct upload *upload)
{
	for (unsigned i = 0; upload->filling == NULL && i < upload->parallel; i++) {
		struct upload_part *part = &upload->parts[i];
		if (!is_free(part))
			continue;
		if (part->bytes == NULL) {
			part->bytes = arena_alloc(upload->mem, upload->part_size);
			part->sha256 = digest_new(upload->mem);
			part->md5 = digest_new_md5(upload->mem);
		}
		upload->filling = part;
	}
}

char *
upload_room(struct upload *upload, size_t *room)
{
	if (upload->state == UPLOAD_EMPTY)
		next_part(upload);
	*room = upload->filling == NULL ? 0 : upload->part_size - upload->filling->n;
	return upload->filling == NULL ? NULL
				       : upload->filling->bytes + upload->filling->n;
}

/* Hashed as the bytes come: a whole part at once would hold up the loop. */
static void
take(struct upload *upload, size_t n)
{
	struct upload_part *part = upload->filling;
	struct str bytes = {part->bytes + part->n, n};
	digest_add(part->sha256, bytes);
	if (part->md5 != NULL)
		digest_add(part->md5, bytes);
	if (upload->is_aws)
		upload->crc_all = crc64_add(upload->crc, upload->crc_all, bytes);
	part->n += n;
}

static void
close_part(struct upload_part *part)
{
	digest_end(part->sha256, part->sha256_sum);
	if (part->md5 != NULL)
		digest_end(part->md5, part->md5_sum);
}

static unsigned
in_flight(const struct upload *upload)
{
	unsigned n = 0;
	for (unsigned i = 0; i < upload->parallel; i++)
		n += upload->parts[i].sending;
	return n;
}

/* ---- what is sent */

static const char *
md5_text(const struct upload *upload, const struct upload_part *part)
{
	return base64_text(upload->mem, part->md5_sum, MD5_SIZE);
}

/* The checksum of a part that S3 compares; name NULL: none can be given. */
static struct header
checksum_of(const struct upload *upload, const struct upload_part *part)
{
	struct str bytes = {part->bytes, part->n};
	if (upload->is_aws)
		return (struct header){"x-amz-checksum-crc64nvme",
			crc64_text(upload->mem, crc64_add(upload->crc, 0, bytes))};
	if (part->md5 != NULL)
		return (struct header){"Content-MD5", md5_text(upload, part)};
	return (struct header){NULL, NULL};
}

static size_t
object_headers(struct upload *upload, struct header more)
{
	size_t n = upload->n_headers;
	assert(n + 2 < UPLOAD_MOST_HEADERS);
	memcpy(upload->object_headers, upload->headers, n * sizeof *upload->headers);
	if (more.name != NULL)
		upload->object_headers[n++] = more;
	return n;
}

static enum verdict
create(struct step *step, struct upload *upload, struct now now)
{
	struct multipart *multi = &upload->multi;
	size_t n = object_headers(upload,
		upload->is_aws
			? (struct header){"x-amz-checksum-algorithm", "CRC64NVME"}
			: (struct header){NULL, NULL});
	if (upload->is_aws)
		upload->object_headers[n++] =
			(struct header){"x-amz-checksum-type", "FULL_OBJECT"};
	multi->headers = upload->object_headers;
	multi->n_headers = n;
	upload->state = UPLOAD_MULTI;
	return multipart_create(step, multi, now);
}

static enum verdict
send_part(struct step *step, struct upload *upload, struct now now,
	struct upload_part *part)
{
	unsigned index = (unsigned)(part - upload->parts);
	struct aws_call call = multipart_part(upload->mem, &upload->multi, part->number);
	struct header checksum = checksum_of(upload, part);
	call.body = (struct str){part->bytes, part->n};
	call.payload = hex_text(upload->mem, part->sha256_sum, SHA256_SIZE);
	call.headers = &checksum;
	call.n_headers = checksum.name != NULL;
	struct how how = {.slot = upload->first_slot + 1 + index, .tries = 5,
		.staged = true,
		.mem = upload->mem,
		.title = arena_printf(step->mem, "part %u", part->number)};
	part->sending = true;
	return aws_send(step, how, now, &call);
}

static enum verdict
complete(struct step *step, struct upload *upload, struct now now)
{
	size_t n = 0;
	if (upload->condition != NULL)
		upload->conditions[n++] = *upload->condition;
	if (upload->is_aws) {
		upload->conditions[n++] = (struct header){"x-amz-checksum-crc64nvme",
			crc64_text(upload->mem, upload->crc_all)};
		upload->conditions[n++] =
			(struct header){"x-amz-checksum-type", "FULL_OBJECT"};
	}
	upload->multi.conditions = upload->conditions;
	upload->multi.n_conditions = n;
	upload->completing_sent = true;
	return multipart_complete(step, &upload->multi, now, upload->sent);
}

static enum verdict
send_whole(struct step *step, struct upload *upload, struct now now)
{
	const struct upload_part *part = &upload->parts[0];
	struct aws_call call = s3_call(upload->mem, &upload->multi.place, "PUT");
	size_t n = object_headers(upload, checksum_of(upload, part));
	if (upload->condition != NULL)
		upload->object_headers[n++] = *upload->condition;
	call.headers = upload->object_headers;
	call.n_headers = n;
	call.body = (struct str){part->bytes, part->n};
	call.payload = hex_text(upload->mem, part->sha256_sum, SHA256_SIZE);
	upload->completing_sent = true;
	struct how how = {.slot = upload->first_slot,
		.tries = 5,
		.mem = upload->mem,
		.title = arena_printf(step->mem, "PUT s3://%s/%.*s",
			upload->multi.place.bucket, STR_FMT(upload->multi.place.key))};
	return aws_send(step, how, now, &call);
}

/* ---- going on */

/* It is there already, as an earlier attempt sent it. */
static bool
was_sent(struct upload *upload, const struct upload_part *part)
{
	if (upload->had == NULL || part->md5 == NULL)
		return false;
	const struct upload_had *had = &upload->had[part->number - 1];
	return had->etag != NULL && had->size == part->n
		&& strcmp(had->etag, hex_text(upload->mem, part->md5_sum, MD5_SIZE)) == 0;
}

static void
acknowledge(struct upload *upload, struct upload_part *part, const char *etag)
{
	upload->multi.etags[part->number - 1] = etag;
	upload->acknowledged++;
	upload->bytes_done += part->n;
	part->number = part->tried = 0;
	part->n = 0;
}

/* The part that was being filled is full, or the last. */
static enum verdict
part_is_full(struct step *step, struct upload *upload, struct now now)
{
	struct upload_part *part = upload->filling;
	if (upload->sent == MULTIPART_MOST) {
		step_fail(step, ERR_LIMIT, false,
			"the stream is larger than %d parts of %zu bytes", MULTIPART_MOST,
			upload->part_size);
		return STEP_FAIL;
	}
	part->number = ++upload->sent;
	upload->filling = NULL;
	close_part(part);
	if (was_sent(upload, part)) {
		acknowledge(upload, part, upload->had[part->number - 1].etag);
		return STEP_WAIT;
	}
	return send_part(step, upload, now, part);
}

/* Whatever can be started now. */
static enum verdict
push(struct step *step, struct upload *upload, struct now now)
{
	if (upload->state != UPLOAD_MULTI || upload->multi.state != MULTIPART_OPEN)
		return STEP_WAIT;
	struct upload_part *full = upload->filling;
	if (full != NULL && full->n > 0
		&& (full->n == upload->part_size || upload->ended)
		&& part_is_full(step, upload, now) != STEP_WAIT)
		return upload_abort(step, upload, now, STEP_FAIL);
	next_part(upload);
	if (upload->ended && upload->acknowledged == upload->sent
		&& in_flight(upload) == 0)
		return complete(step, upload, now);
	return STEP_WAIT;
}

/* Where it goes decides by which checksum it is guarded. */
static bool
set_out(struct step *step, struct upload *upload)
{
	if (!s3_find(step, &upload->multi.place))
		return false;
	upload->is_aws = !upload->multi.place.endpoint->is_own;
	return true;
}

enum verdict
upload_filled(struct step *step, struct upload *upload, struct now now, size_t n)
{
	if (upload->multi.place.endpoint == NULL && !set_out(step, upload))
		return upload_abort(step, upload, now, STEP_FAIL);
	take(upload, n);
	if (upload->state == UPLOAD_EMPTY && upload->filling->n == upload->part_size)
		return create(step, upload, now);
	return push(step, upload, now);
}

enum verdict
upload_finish(struct step *step, struct upload *upload, struct now now)
{
	size_t room;
	upload->ended = true;
	if (upload->state != UPLOAD_EMPTY)
		return push(step, upload, now);
	if (upload->multi.place.endpoint == NULL && !set_out(step, upload))
		return upload_abort(step, upload, now, STEP_FAIL);
	upload_room(upload, &room);
	close_part(&upload->parts[0]);
	upload->state = UPLOAD_WHOLE;
	return send_whole(step, upload, now);
}

/* ---- the end */

static enum verdict
failed(struct step *step, struct upload *upload)
{
	*step->err = upload->failed_with;
	upload->state = UPLOAD_FAILED;
	return upload->failed_as;
}

static enum verdict
remove_it(struct step *step, struct upload *upload, struct now now)
{
	bool kept = upload->resumes
		&& (upload->failed_with.transient
			|| upload->failed_with.code == ERR_CANCELLED);
	if (kept || upload->multi.id.n == 0)
		return failed(step, upload);
	*step->err = upload->failed_with;
	return multipart_abort(step, &upload->multi, now, upload->failed_as);
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
	upload->state = UPLOAD_ABORTING;
	return in_flight(upload) > 0 ? STEP_WAIT : remove_it(step, upload, now);
}

enum verdict
upload_cancel(
	struct step *step, struct upload *upload, struct now now, enum verdict verdict)
{
	for (unsigned i = 0; i < upload->parallel; i++)
		upload->parts[i].sending = false;
	return upload_abort(step, upload, now, verdict);
}

/* ---- answers */

/* Under KMS or with a customer's key an ETag is no MD5. */
static bool
is_other(const struct upload_part *part, const struct s3_object *object)
{
	uint8_t sum[MD5_SIZE];
	return part->md5 != NULL && !object->is_encrypted
		&& hex_parse(object->etag, sum, MD5_SIZE)
		&& memcmp(sum, part->md5_sum, MD5_SIZE) != 0;
}

static enum verdict
part_refused(struct step *step, struct upload *upload, const struct event *event,
	struct upload_part *part, const struct aws_error *error)
{
	bool damaged = str_is(error->code, "BadDigest");
	/* The slot has repeated what its status says; the code may say so as well. */
	if (event->op->err.code == ERR_NONE && (error->transient || damaged)
		&& ++part->tried < MOST_TRIES)
		return send_part(step, upload, event->now, part);
	aws_fail(step, event->op, error);
	err_wrap(step->err, "part %u", part->number);
	/* A part may also be refused for what happened to the upload. */
	step->err->transient = step->err->transient || event->op->err.code != ERR_NONE
		|| error->status == 404 || damaged;
	return upload_abort(step, upload, event->now, STEP_FAIL);
}

static enum verdict
part_sent(struct step *step, struct upload *upload, const struct event *event)
{
	struct upload_part *part =
		&upload->parts[event->op->slot - upload->first_slot - 1];
	struct aws_error error;
	part->sending = false;
	if (upload->state == UPLOAD_ABORTING)
		return in_flight(upload) > 0 ? STEP_WAIT
					     : remove_it(step, upload, event->now);
	if (!aws_answered(step, event->op, true, &error))
		return part_refused(step, upload, event, part, &error);
	struct s3_object object = {0};
	s3_object_headers(upload->mem, event->op->answer, &object);
	if (is_other(part, &object)) {
		step_fail(step, ERR_ANSWER, true,
			"part %u: S3 keeps other bytes than were sent", part->number);
		return upload_abort(step, upload, event->now, STEP_FAIL);
	}
	acknowledge(upload, part, str_cstr(upload->mem, object.etag));
	return push(step, upload, event->now);
}

static enum verdict
whole_sent(struct step *step, struct upload *upload, const struct event *event)
{
	struct aws_error error;
	if (aws_answered(step, event->op, true, &error)) {
		s3_object_headers(upload->mem, event->op->answer, &upload->object);
		upload->bytes_done = upload->parts[0].n;
		upload->state = UPLOAD_DONE;
		return STEP_DONE;
	}
	if (s3_moved(step, event->op, &upload->multi.place))
		return send_whole(step, upload, event->now);
	upload->state = UPLOAD_FAILED;
	upload->is_taken = error.status == 412;
	enum verdict verdict = aws_fail(step, event->op, &error);
	return event->op->reach == REACH_SENT ? STEP_DOUBT : verdict;
}

/* What multipart.c made of its slot, or of EV_SAVED. */
static enum verdict
controlled(struct step *step, struct upload *upload, const struct event *event)
{
	enum verdict verdict = multipart_event(step, &upload->multi, event);
	if (verdict == STEP_WAIT)
		return STEP_WAIT;
	if (upload->state == UPLOAD_ABORTING)
		return failed(step, upload);
	if (verdict != STEP_DONE) {
		upload->state = UPLOAD_FAILED;
		upload->is_taken = upload->multi.is_taken;
		return verdict;
	}
	if (upload->multi.state != MULTIPART_DONE)
		return push(step, upload, event->now);
	upload->object = upload->multi.object;
	upload->state = UPLOAD_DONE;
	return STEP_DONE;
}

/* ---- parts of an earlier attempt */

static enum verdict
list_parts(struct step *step, struct upload *upload, struct now now)
{
	struct aws_call call = s3_call(upload->mem, &upload->multi.place, "GET");
	struct buf query = buf_in(upload->mem);
	if (upload->next_had.n > 0)
		buf_printf(&query, "part-number-marker=%.*s&", STR_FMT(upload->next_had));
	buf_puts(&query, "uploadId=");
	uri_encode(&query, upload->multi.id, false);
	call.query = buf_str(&query);
	struct how how = {.slot = upload->first_slot, .reads = true, .tries = 5,
		.mem = upload->mem, .title = "list the parts that were sent"};
	return aws_send(step, how, now, &call);
}

enum verdict
upload_resume(struct step *step, struct upload *upload, struct now now, struct str id)
{
	if (!set_out(step, upload))
		return STEP_FAIL;
	multipart_reopen(&upload->multi, id);
	upload->had = arena_array(upload->mem, struct upload_had, MULTIPART_MOST);
	upload->state = UPLOAD_LISTING;
	return list_parts(step, upload, now);
}

static void
read_parts(struct upload *upload, const struct xml *page)
{
	for (const struct xml *part = xml_child(page, "Part"); part != NULL;
		part = xml_again(part)) {
		uint64_t number = 0, size = 0;
		struct str etag = xml_text(part, "ETag");
		if (etag.n >= 2 && etag.p[0] == '"')
			etag = (struct str){etag.p + 1, etag.n - 2};
		if (!str_uint(xml_text(part, "PartNumber"), &number) || number < 1
			|| number > MULTIPART_MOST
			|| !str_uint(xml_text(part, "Size"), &size))
			continue;
		upload->had[number - 1] =
			(struct upload_had){size, str_cstr(upload->mem, etag)};
	}
}

static enum verdict
parts_listed(struct step *step, struct upload *upload, const struct event *event)
{
	struct aws_error error;
	if (!aws_answered(step, event->op, true, &error)) {
		if (s3_moved(step, event->op, &upload->multi.place))
			return list_parts(step, upload, event->now);
		if (error.status != 404)
			return aws_fail(step, event->op, &error), STEP_FAIL;
		upload->lost = true;
		upload->had = NULL;
		upload->multi.id = (struct str){NULL, 0};
		upload->multi.state = MULTIPART_NONE;
		upload->state = UPLOAD_EMPTY;
		return STEP_DONE;
	}
	const struct http_answer *answer = event->op->answer;
	const struct xml *page = xml_parse(upload->mem, answer->body, step->err);
	if (page == NULL)
		return STEP_FAIL;
	read_parts(upload, page);
	struct str next = xml_text(page, "NextPartNumberMarker");
	if (str_is(xml_text(page, "IsTruncated"), "true") && next.n > 0
		&& !str_eq(next, upload->next_had)) {
		upload->next_had = next;
		return list_parts(step, upload, event->now);
	}
	upload->state = UPLOAD_MULTI;
	next_part(upload);
	return STEP_DONE;
}

bool
upload_owns(const struct upload *upload, const struct event *event)
{
	if (event->kind == EV_SAVED)
		return multipart_owns(&upload->multi, event);
	return event->kind == EV_OP && event->op->slot >= upload->first_slot
		&& event->op->slot <= upload->first_slot + upload->parallel;
}

enum verdict
upload_event(struct step *step, struct upload *upload, const struct event *event)
{
	if (event->kind == EV_OP && event->op->slot > upload->first_slot)
		return part_sent(step, upload, event);
	switch (upload->state) {
	case UPLOAD_LISTING:
		return parts_listed(step, upload, event);
	case UPLOAD_WHOLE:
		return whole_sent(step, upload, event);
	default:
		return controlled(step, upload, event);
	}
}
