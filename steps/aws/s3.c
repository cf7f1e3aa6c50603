#include "../steps/aws/s3.h"

#include "../steps/aws/dates.h"
#include "../steps/aws/refusal.h"

bool
s3_is_place(struct str text)
{
	return str_starts(text, STR("s3://"));
}

static bool
bucket_is_good(struct str name)
{
	if (name.n < 3 || name.n > 63)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'
			    || c == '.' || c == '_'))
			return false;
	}
	return name.p[0] != '.' && name.p[0] != '-';
}

bool
s3_place_parse(struct arena *mem, struct str text, struct s3_place *out, struct err *err)
{
	if (!s3_is_place(text))
		return err_set(err, ERR_VALUE, "'%.*s' is no s3 place", STR_FMT(text)),
		       err_hint(err, "write s3://bucket/key");
	struct str key, bucket = str_cut(str_from(text, 5), '/', &key);
	if (!bucket_is_good(bucket))
		return err_set(
			err, ERR_VALUE, "'%.*s' is no bucket name", STR_FMT(bucket));
	for (size_t i = 0; i < key.n; i++)
		if ((unsigned char)key.p[i] < 0x20 || key.p[i] == 0x7f)
			return err_set(
				err, ERR_VALUE, "control character in an object key");
	if (key.n > 1024 || !str_is_utf8(key))
		return err_set(
			err, ERR_VALUE, "an object key is at most 1024 bytes of UTF-8");
	*out = (struct s3_place){.bucket = str_cstr(mem, bucket),
		.key = key,
		.is_prefix = key.n == 0 || key.p[key.n - 1] == '/'};
	return true;
}

struct str
s3_path(struct arena *mem, struct str key)
{
	struct buf path = buf_in(mem);
	buf_putc(&path, '/');
	uri_encode(&path, key, true);
	return buf_str(&path);
}

struct aws_call
s3_call(struct arena *mem, const struct s3_place *place, const char *method)
{
	return (struct aws_call){
		.service = &aws_s3,
		.method = method,
		.bucket = place->bucket,
		.region = place->region,
		.endpoint = place->endpoint,
		.path = s3_path(mem, place->key),
	};
}

bool
s3_find(struct step *step, struct s3_place *place)
{
	struct endpoint *found = arena_new_of(step->mem, struct endpoint);
	const char *region = place->region != NULL ? place->region : aws_region(step);
	if (place->endpoint != NULL)
		return true;
	if (!endpoint_find(step, &aws_s3, region, NULL, found, step->err))
		return false;
	place->endpoint = found;
	return true;
}

bool
s3_moved(struct step *step, const struct op *op, struct s3_place *place)
{
	const struct http_answer *answer = op->answer;
	if (place->moved || op->err.code != ERR_NONE
		|| (answer->status != 301 && answer->status != 400))
		return false;
	const char *now = place->region != NULL ? place->region : aws_region(step);
	struct str region = refusal_region(step->mem, answer);
	if (region.n == 0 || str_is(region, now))
		return false;
	place->region = str_cstr(step->mem, region);
	place->moved = true;
	if (place->endpoint != NULL) {
		place->endpoint = NULL;
		s3_find(step, place);
	}
	step_say(step, "the bucket %s is in %s, not in %s: it is asked there",
		place->bucket, place->region, now);
	return true;
}

const char *
s3_source(struct arena *mem, const struct s3_place *place, struct str version)
{
	struct buf source = buf_in(mem);
	buf_printf(&source, "/%s%.*s", place->bucket, STR_FMT(s3_path(mem, place->key)));
	if (version.n > 0) {
		buf_puts(&source, "?versionId=");
		uri_encode(&source, version, false);
	}
	return buf_cstr(&source);
}

enum verdict
s3_head(struct step *step, struct how how, struct now now, const struct s3_place *place)
{
	static const struct header headers[] = {{"x-amz-checksum-mode", "ENABLED"}};
	struct arena *mem = how.mem != NULL ? how.mem : step->mem;
	struct aws_call call = s3_call(mem, place, "HEAD");
	call.headers = headers;
	call.n_headers = 1;
	how.reads = true;
	how.tries = how.tries == 0 ? 3 : how.tries;
	how.title = arena_printf(
		step->mem, "HEAD s3://%s/%.*s", place->bucket, STR_FMT(place->key));
	return aws_send(step, how, now, &call);
}

enum verdict
s3_stream(struct step *step, unsigned slot, struct now now, const struct s3_place *place,
	const struct s3_object *object)
{
	struct header header = {"If-Match",
		arena_printf(step->mem, "\"%.*s\"", STR_FMT(object->etag))};
	struct aws_call call = s3_call(step->mem, place, "GET");
	call.headers = &header;
	call.n_headers = object->etag.n > 0;
	call.stream_out = true;
	struct how how = {.slot = slot,
		.reads = true,
		.title = arena_printf(step->mem, "GET s3://%s/%.*s", place->bucket,
			STR_FMT(place->key))};
	return aws_send(step, how, now, &call);
}

enum verdict
s3_delete_object(struct step *step, struct how how, struct now now,
	const struct s3_place *place, struct str version)
{
	struct arena *mem = how.mem != NULL ? how.mem : step->mem;
	struct buf query = buf_in(mem);
	if (version.n > 0) {
		buf_puts(&query, "versionId=");
		uri_encode(&query, version, false);
	}
	struct aws_call call = s3_call(mem, place, "DELETE");
	call.query = buf_str(&query);
	how.title = arena_printf(
		step->mem, "DELETE s3://%s/%.*s", place->bucket, STR_FMT(place->key));
	return aws_send(step, how, now, &call);
}

enum verdict
s3_put_back(struct step *step, struct how how, struct now now,
	const struct s3_place *place, struct str version)
{
	struct header header = {
		"x-amz-copy-source", s3_source(step->mem, place, version)};
	struct aws_call call = s3_call(step->mem, place, "PUT");
	call.headers = &header;
	call.n_headers = 1;
	how.title = "put the former version back";
	return aws_send(step, how, now, &call);
}

enum verdict
s3_go_back(struct step *step, struct now now, const struct s3_place *place,
	const struct s3_object *there, bool ours, const char *did)
{
	struct str version = value_get_str(step->was, "version"),
		   url = value_get_str(step->in, "to");
	if (s3_object_was(step->was, there))
		return step_done(step, value_map(step->mem, NULL, 0));
	if (there->exists && !ours)
		return step_fail(step, ERR_EXISTS, false,
			"%.*s is neither what was there nor what this run %s",
			STR_FMT(url), did);
	if (!value_get_bool(step->was, "exists", false))
		return s3_delete_object(step, (struct how){.tries = 3}, now, place,
			(struct str){NULL, 0});
	if (version.n == 0)
		return step_fail(step, ERR_NOT_FOUND, false,
			"the bucket keeps no versions: the former content of %.*s is "
			"gone",
			STR_FMT(url));
	return s3_put_back(step, (struct how){.tries = 3}, now, place, version);
}

int64_t
s3_date(const struct op *op)
{
	const struct header *date =
		op->answer == NULL ? NULL : aws_header(op->answer, "date");
	return date == NULL ? 0 : date_of_http(date->value);
}

static struct str
unquoted(struct str text)
{
	bool quoted = text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"';
	return quoted ? (struct str){text.p + 1, text.n - 2} : text;
}

void
s3_object_headers(
	struct arena *mem, const struct http_answer *answer, struct s3_object *out)
{
	struct map_builder metadata = {.mem = mem};
	for (size_t i = 0; i < answer->n_headers; i++) {
		struct str name = str_of(answer->headers[i].name),
			   value = str_of(answer->headers[i].value);
		if (str_is(name, "content-length"))
			str_uint(value, &out->size);
		else if (str_is(name, "last-modified"))
			out->modified = date_of_http(value.p);
		else if (str_is(name, "etag"))
			out->etag = unquoted(value);
		else if (str_is(name, "x-amz-version-id") && !str_is(value, "null"))
			out->version = value;
		else if (str_is(name, "x-amz-checksum-sha256")
			 && memchr(value.p, '-', value.n) == NULL)
			out->sha256 = value; /* "…-4" is that of the parts */
		else if (str_is(name, S3_OUR_DIGEST) && out->sha256.n == 0)
			out->sha256 = value;
		else if (str_is(name, "x-amz-server-side-encryption"))
			out->is_encrypted = !str_is(value, "AES256");
		else if (str_starts(name,
				 STR("x-amz-server-side-encryption-customer-")))
			out->is_encrypted = true;
		else if (str_starts(name, STR("x-amz-meta-")))
			map_put_str(&metadata, str_from(name, 11), value_str(value));
	}
	out->metadata = map_done(&metadata);
	out->exists = true;
}

bool
s3_object_read(struct step *step, const struct op *op, struct s3_object *out,
	enum verdict *verdict)
{
	struct aws_error error;
	*out = (struct s3_object){.metadata = value_map(step->mem, NULL, 0)};
	if (aws_answered(step, op, true, &error)) {
		s3_object_headers(step->mem, op->answer, out);
		return true;
	}
	if (error.status == 404 && !str_is(error.code, "NoSuchBucket")) {
		out->is_marker = aws_header(op->answer, "x-amz-delete-marker") != NULL;
		return true;
	}
	*verdict = aws_fail(step, op, &error);
	return false;
}

struct value
s3_object_value(struct arena *mem, const struct s3_object *object)
{
	struct map_builder map = {.mem = mem};
	map_put(&map, "exists", value_bool(object->exists));
	if (object->exists) {
		map_put(&map, "bytes", value_int((int64_t)object->size));
		map_put(&map, "etag", value_str(object->etag));
		if (object->version.n > 0)
			map_put(&map, "version", value_str(object->version));
		if (object->sha256.n > 0)
			map_put(&map, "sha256", value_str(object->sha256));
	}
	return map_done(&map);
}

bool
s3_object_same(const struct s3_object *a, const struct s3_object *b)
{
	if (!a->exists || !b->exists || a->size != b->size)
		return false;
	if (a->sha256.n > 0 && b->sha256.n > 0)
		return str_eq(a->sha256, b->sha256);
	return a->etag.n > 0 && str_eq(a->etag, b->etag);
}

bool
s3_object_was(const struct value *was, const struct s3_object *object)
{
	if (!value_get_bool(was, "exists", false))
		return !object->exists;
	return object->exists && str_eq(object->etag, value_get_str(was, "etag"))
		&& str_eq(object->version, value_get_str(was, "version"));
}
