#include "../steps/aws/multipart.h"

void
multipart_begin(
	struct multipart *multi, struct arena *mem, struct s3_place place, unsigned slot)
{
	*multi = (struct multipart){
		.place = place, .slot = slot, .mem = mem, .more = {.mem = mem}};
	multi->etags = arena_array(mem, const char *, MULTIPART_MOST);
}

static enum verdict
control(struct step *step, struct multipart *multi, struct now now, struct aws_call *call)
{
	struct how how = {.slot = multi->slot,
		.tries = 5,
		.staged = multi->state != MULTIPART_COMPLETING,
		.mem = multi->mem,
		.title = arena_printf(multi->mem, "%s s3://%s/%.*s", call->method,
			multi->place.bucket, STR_FMT(multi->place.key))};
	return aws_send(step, how, now, call);
}

static struct str
id_query(struct arena *mem, struct str id, unsigned number)
{
	struct buf query = buf_in(mem);
	if (number > 0)
		buf_printf(&query, "partNumber=%u&", number);
	buf_puts(&query, "uploadId=");
	uri_encode(&query, id, false);
	return buf_str(&query);
}

void
multipart_reopen(struct multipart *multi, struct str id)
{
	multi->id = str_copy(multi->mem, id);
	multi->state = MULTIPART_OPEN;
}

enum verdict
multipart_create(struct step *step, struct multipart *multi, struct now now)
{
	struct aws_call call = s3_call(multi->mem, &multi->place, "POST");
	call.query = STR("uploads=");
	call.headers = multi->headers;
	call.n_headers = multi->n_headers;
	multi->state = MULTIPART_CREATING;
	return control(step, multi, now, &call);
}

struct aws_call
multipart_part(struct arena *mem, const struct multipart *multi, unsigned number)
{
	struct aws_call call = s3_call(mem, &multi->place, "PUT");
	call.query = id_query(mem, multi->id, number);
	return call;
}

enum verdict
multipart_complete(
	struct step *step, struct multipart *multi, struct now now, unsigned n)
{
	struct buf body = buf_in(multi->mem);
	buf_puts(&body,
		"<CompleteMultipartUpload "
		"xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (unsigned i = 0; i < n; i++)
		buf_printf(&body,
			"<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag></Part>",
			i + 1, multi->etags[i]);
	buf_puts(&body, "</CompleteMultipartUpload>");
	struct aws_call call = s3_call(multi->mem, &multi->place, "POST");
	call.query = id_query(multi->mem, multi->id, 0);
	call.body = buf_str(&body);
	call.headers = multi->conditions;
	call.n_headers = multi->n_conditions;
	multi->n = n;
	multi->state = MULTIPART_COMPLETING;
	return control(step, multi, now, &call);
}

static enum verdict
failed(struct step *step, struct multipart *multi)
{
	*step->err = multi->failed_with;
	multi->state = MULTIPART_FAILED;
	return multi->failed_as;
}

enum verdict
multipart_abort(struct step *step, struct multipart *multi, struct now now,
	enum verdict verdict)
{
	multi->failed_with = *step->err;
	multi->failed_as = verdict;
	if (multi->id.n == 0)
		return failed(step, multi);
	struct aws_call call = s3_call(multi->mem, &multi->place, "DELETE");
	call.query = id_query(multi->mem, multi->id, 0);
	multi->state = MULTIPART_ABORTING;
	return control(step, multi, now, &call) == STEP_WAIT ? STEP_WAIT
							     : failed(step, multi);
}

static enum verdict
save(struct step *step, struct multipart *multi)
{
	struct map_builder *map = &multi->more;
	map_put(map, "upload_id", value_str(multi->id));
	map_put(map, "bucket", value_str(str_of(multi->place.bucket)));
	map_put(map, "key", value_str(multi->place.key));
	if (multi->place.region != NULL)
		map_put(map, "region", value_str(str_of(multi->place.region)));
	struct value saved = map_done(map);
	saved = value_copy(step->mem, &saved);
	multi->state = MULTIPART_SAVING;
	return step_save(step, &saved);
}

static enum verdict
created(struct step *step, struct multipart *multi, const struct event *event)
{
	struct aws_error error;
	if (!aws_answered(step, event->op, true, &error)) {
		if (s3_moved(step, event->op, &multi->place))
			return multipart_create(step, multi, event->now);
		enum verdict verdict = aws_fail(step, event->op, &error);
		/* An upload that was made and never told of is no object yet. */
		verdict = verdict == STEP_DOUBT ? STEP_FAIL : verdict;
		return multipart_abort(step, multi, event->now, verdict);
	}
	const struct http_answer *answer = event->op->answer;
	multi->id = xml_text(xml_parse(multi->mem, answer->body, step->err), "UploadId");
	if (multi->id.n == 0) {
		step_fail(step, ERR_PROTOCOL, false, "S3 gave no upload id");
		return multipart_abort(step, multi, event->now, STEP_FAIL);
	}
	return save(step, multi);
}

static struct str
unquoted(struct str text)
{
	bool quoted = text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"';
	return quoted ? (struct str){text.p + 1, text.n - 2} : text;
}

static enum verdict
look(struct step *step, struct multipart *multi, struct now now)
{
	multi->state = MULTIPART_LOOKING;
	return s3_head(step, (struct how){.slot = multi->slot, .mem = multi->mem}, now,
		&multi->place);
}

static enum verdict
completed(struct step *step, struct multipart *multi, const struct event *event)
{
	struct aws_error error;
	if (aws_answered(step, event->op, true, &error)) {
		const struct http_answer *answer = event->op->answer;
		s3_object_headers(multi->mem, answer, &multi->object);
		multi->object.etag = unquoted(xml_text(
			xml_parse(multi->mem, answer->body, step->err), "ETag"));
		multi->state = MULTIPART_DONE;
		return STEP_DONE;
	}
	enum verdict verdict = aws_fail(step, event->op, &error);
	/* A completion whose answer was lost ends the upload too: the second asking finds
	 * none. The object itself tells. */
	if (str_is(error.code, "NoSuchUpload"))
		return look(step, multi, event->now);
	if (error.status == 412) {
		multi->is_taken = true;
		return multipart_abort(step, multi, event->now, STEP_FAIL);
	}
	if (verdict == STEP_DOUBT || event->op->reach == REACH_SENT) {
		multi->state = MULTIPART_FAILED; /* it may stand there now: nothing may be
						    removed */
		return STEP_DOUBT;
	}
	return multipart_abort(step, multi, event->now, verdict);
}

static enum verdict
looked(struct step *step, struct multipart *multi, const struct event *event)
{
	enum verdict verdict;
	multi->state = MULTIPART_FAILED;
	if (!s3_object_read(step, event->op, &multi->object, &verdict))
		return STEP_DOUBT;
	struct str etag = multipart_etag(multi->mem, multi->etags, multi->n);
	if (multi->object.exists && etag.n > 0 && str_eq(multi->object.etag, etag)) {
		multi->state = MULTIPART_DONE;
		return STEP_DONE;
	}
	return step_fail(step, ERR_ANSWER, true,
		"the upload to s3://%s/%.*s is gone: somebody ended it",
		multi->place.bucket, STR_FMT(multi->place.key));
}

bool
multipart_owns(const struct multipart *multi, const struct event *event)
{
	return event->kind == EV_SAVED ? multi->state == MULTIPART_SAVING
		: event->kind == EV_OP && event->op->slot == multi->slot;
}

enum verdict
multipart_event(struct step *step, struct multipart *multi, const struct event *event)
{
	switch (multi->state) {
	case MULTIPART_CREATING:
		return created(step, multi, event);
	case MULTIPART_SAVING:
		multi->state = MULTIPART_OPEN;
		return STEP_DONE;
	case MULTIPART_COMPLETING:
		return completed(step, multi, event);
	case MULTIPART_LOOKING:
		return looked(step, multi, event);
	case MULTIPART_ABORTING:
		return failed(step, multi);
	default:
		return STEP_WAIT;
	}
}

struct str
multipart_etag(struct arena *mem, const char *const *etags, unsigned n)
{
	uint8_t sum[SHA256_SIZE], part[MD5_SIZE];
	struct digest *digest = digest_new_md5(mem);
	if (digest == NULL)
		return (struct str){NULL, 0};
	for (unsigned i = 0; i < n; i++) {
		if (etags[i] == NULL || !hex_parse(str_of(etags[i]), part, MD5_SIZE))
			return (struct str){NULL, 0};
		digest_add(digest, (struct str){(const char *)part, MD5_SIZE});
	}
	digest_end(digest, sum);
	return str_of(arena_printf(mem, "%s-%u", hex_text(mem, sum, MD5_SIZE), n));
}

/* ---- of an earlier attempt */

static bool
saved_place(struct step *step, struct s3_place *place, struct str *id)
{
	struct str bucket = value_get_str(step->saved, "bucket"),
		   region = value_get_str(step->saved, "region");
	*id = value_get_str(step->saved, "upload_id");
	if (id->n == 0 || bucket.n == 0)
		return false;
	*place = (struct s3_place){.bucket = str_cstr(step->mem, bucket),
		.key = value_get_str(step->saved, "key"),
		.region = region.n > 0 ? str_cstr(step->mem, region) : NULL};
	return true;
}

struct str
multipart_saved(const struct step *step, const struct s3_place *place)
{
	bool same = str_is(value_get_str(step->saved, "bucket"), place->bucket)
		&& str_eq(value_get_str(step->saved, "key"), place->key);
	return same ? value_get_str(step->saved, "upload_id") : (struct str){NULL, 0};
}

enum verdict
multipart_abort_saved(struct step *step, struct now now, unsigned slot)
{
	struct s3_place place;
	struct str id;
	if (!saved_place(step, &place, &id))
		return STEP_DONE;
	struct aws_call call = s3_call(step->mem, &place, "DELETE");
	call.query = id_query(step->mem, id, 0);
	return aws_send(step,
		(struct how){
			.slot = slot, .staged = true, .tries = 3,
			.title = "abort the former upload"},
		now, &call);
}

/* ---- uploads that nobody completed */

static enum verdict
ask_saved(struct step *step, struct now now, const char *method)
{
	struct s3_place place;
	struct str id;
	if (!saved_place(step, &place, &id))
		return STEP_ABSENT;
	struct aws_call call = s3_call(step->mem, &place, method);
	call.query = id_query(step->mem, id, 0);
	bool reads = strcmp(method, "GET") == 0;
	return aws_send(step, (struct how){.reads = reads, .tries = 3, .title = "upload"},
		now, &call);
}

static struct value
upload_value(struct step *step, const struct xml *page)
{
	struct map_builder map = {.mem = step->mem};
	uint64_t bytes = 0, parts = 0;
	for (const struct xml *part = xml_child(page, "Part"); part != NULL;
		part = xml_again(part)) {
		uint64_t size = 0;
		str_uint(xml_text(part, "Size"), &size);
		bytes += size;
		parts++;
	}
	bool more = str_is(xml_text(page, "IsTruncated"), "true");
	map_put(&map, "what",
		value_text(step->mem, "upload to s3://%.*s/%.*s, %llu%s parts",
			STR_FMT(value_get_str(step->saved, "bucket")),
			STR_FMT(value_get_str(step->saved, "key")),
			(unsigned long long)parts, more ? " and more" : ""));
	map_put(&map, "bytes", value_int((int64_t)bytes));
	map_put(&map, "upload_id", value_str(value_get_str(step->saved, "upload_id")));
	return map_done(&map);
}

enum verdict
multipart_leftover(struct step *step, const struct event *event)
{
	struct aws_error error;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return ask_saved(step, event->now, "GET");
	if (!aws_answered(step, event->op, true, &error)) {
		if (error.status == 404)
			return STEP_ABSENT;
		aws_fail(step, event->op, &error);
		return STEP_FAIL;
	}
	const struct http_answer *answer = event->op->answer;
	const struct xml *page = xml_parse(step->mem, answer->body, step->err);
	return page == NULL ? STEP_FAIL : step_done(step, upload_value(step, page));
}

enum verdict
multipart_sweep(struct step *step, const struct event *event)
{
	struct aws_error error;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return ask_saved(step, event->now, "DELETE");
	if (!aws_answered(step, event->op, true, &error) && error.status != 404)
		return aws_fail(step, event->op, &error);
	return step_done(step, value_map(step->mem, NULL, 0));
}

/* ---- uploads whose ids nobody saved */

static enum verdict
ask_uploads(struct step *step, struct now now, const struct s3_place *place)
{
	struct s3_place bucket = *place;
	struct buf query = buf_in(step->mem);
	bucket.key = STR("");
	buf_puts(&query, "max-uploads=1000&prefix=");
	uri_encode(&query, place->key, false);
	buf_puts(&query, "&uploads=");
	struct aws_call call = s3_call(step->mem, &bucket, "GET");
	call.query = buf_str(&query);
	return aws_send(step, (struct how){.reads = true, .tries = 3, .title = "uploads"},
		now, &call);
}

/* Keys that only begin like ours come as well. */
static struct value
uploads_of(struct step *step, const struct s3_place *place, const struct xml *page)
{
	struct list_builder list = {.mem = step->mem};
	for (const struct xml *it = xml_child(page, "Upload"); it != NULL;
		it = xml_again(it)) {
		struct span at;
		struct err ignored;
		struct str id = xml_text(it, "UploadId");
		if (!str_eq(xml_text(it, "Key"), place->key) || id.n == 0
			|| !time_parse(xml_text(it, "Initiated"), &at, &ignored))
			continue;
		struct map_builder saved = {.mem = step->mem}, map = {.mem = step->mem};
		map_put(&saved, "upload_id", value_str(id));
		map_put(&saved, "bucket", value_str(str_of(place->bucket)));
		map_put(&saved, "key", value_str(place->key));
		map_put(&map, "at", value_time_us(span_us(at)));
		map_put(&map, "id", value_str(id));
		map_put(&map, "saved", map_done(&saved));
		list_push(&list, map_done(&map));
	}
	return list_done(&list);
}

enum verdict
multipart_astray(struct step *step, const struct event *event)
{
	struct s3_place place;
	struct aws_error error;
	struct str to = value_get_str(step->in, "to");
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (!s3_is_place(to) || !s3_place_parse(step->mem, to, &place, step->err)
		|| place.is_prefix)
		return STEP_ABSENT;
	if (event->kind == EV_START)
		return ask_uploads(step, event->now, &place);
	if (!aws_answered(step, event->op, true, &error))
		return error.status == 404 ? STEP_ABSENT
					   : aws_fail(step, event->op, &error);
	const struct http_answer *answer = event->op->answer;
	const struct xml *page = xml_parse(step->mem, answer->body, step->err);
	return page == NULL ? STEP_FAIL
			    : step_done(step, uploads_of(step, &place, page));
}
