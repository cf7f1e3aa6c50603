#include "../steps/sync/sync.h"

enum { MOST_TRIES = 3 };

static void
end_arena(void *with)
{
	arena_free(with);
}

void
sync_begin(struct sync *sync, struct arena *mem)
{
	sync->failed = STEP_WAIT;
	for (unsigned i = 0; i < SYNC_LANES; i++) {
		sync->lanes[i].mem = arena_new();
		arena_defer(mem, end_arena, sync->lanes[i].mem);
	}
	sync->big.mem = arena_new();
	arena_defer(mem, end_arena, sync->big.mem);
}

bool
sync_is_big(const struct sync *sync, const struct sync_entry *entry)
{
	bool by_server = !sync->from.is_folder && !sync->to.is_folder;
	return entry->from->size > (by_server ? COPY_MOST_WHOLE : SYNC_SMALL);
}

static struct how
how_of(const struct sync *sync, const struct sync_lane *lane, const char *title)
{
	unsigned slot = SYNC_LANE_SLOT + (unsigned)(lane - sync->lanes);
	return (struct how){.slot = slot, .tries = 5, .mem = lane->mem, .title = title};
}

static void
take(struct sync_lane *lane, struct sync_entry *entry, enum lane_at at)
{
	arena_reset(lane->mem);
	*lane = (struct sync_lane){
		.mem = lane->mem, .entry = entry, .at = at, .tried = lane->tried};
}

static enum verdict
done(struct sync_lane *lane)
{
	lane->at = LANE_FREE;
	lane->tried = 0;
	return STEP_DONE;
}

static enum verdict
ask_file(struct step *step, struct sync *sync, struct sync_lane *lane,
	struct file_ask ask, bool reads)
{
	const struct side *side = sync->from.is_folder ? &sync->from : &sync->to;
	const struct sync_item *item =
		lane->entry->from != NULL ? lane->entry->from : lane->entry->to;
	struct side_file file = side_file(lane->mem, side, item->path);
	struct how how = how_of(sync, lane, "files");
	ask.root = file.root;
	ask.path = file.path;
	how.reads = reads;
	how.tries = 1;
	return step_file(step, how, &ask);
}

static enum verdict
head(struct step *step, struct sync *sync, struct sync_lane *lane, struct now now,
	const struct side *side, enum lane_at at)
{
	static const struct header headers[] = {{"x-amz-checksum-mode", "ENABLED"}};
	struct s3_place place = side_object(lane->mem, side, lane->entry->from->path);
	struct aws_call call = s3_call(lane->mem, &place, "HEAD");
	struct how how = how_of(sync, lane, "compare");
	call.headers = headers;
	call.n_headers = 1;
	how.reads = true;
	lane->at = at;
	return aws_send(step, how, now, &call);
}

/* ---- compares what has the same length: by the MD5s that make the ETag, then by the
 * SHA-256 that S3 or rbx keeps with the object; two objects, of which neither tells more,
 * by their age */

static const struct sync_item *
object_of(const struct sync *sync, const struct sync_entry *entry)
{
	return sync->from.is_folder ? entry->to : entry->from;
}

enum verdict
lane_compare(struct step *step, struct sync *sync, struct sync_lane *lane,
	struct sync_entry *entry, struct now now)
{
	take(lane, entry, LANE_DIGEST);
	if (!sync->from.is_folder && !sync->to.is_folder)
		return head(step, sync, lane, now, &sync->to, LANE_HEAD_TO);
	uint64_t part = sync_part(object_of(sync, entry)->etag, entry->from->size);
	return ask_file(step, sync, lane,
		(struct file_ask){.what = FILE_DIGEST, .part = part}, true);
}

static enum verdict
decide(struct sync_lane *lane, bool same)
{
	lane->entry->action = same ? SYNC_SAME : SYNC_COPY;
	return done(lane);
}

static enum verdict
digested(struct step *step, struct sync *sync, struct sync_lane *lane,
	const struct event *event)
{
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	const struct file_answer *answer = event->op->answer;
	struct str etag = object_of(sync, lane->entry)->etag;
	if (sync_etag_is(lane->mem, etag, answer->md5s, answer->n_md5s))
		return decide(lane, true);
	lane->sha256 = str_of(base64_text(lane->mem, answer->sha256, SHA256_SIZE));
	const struct side *side = sync->from.is_folder ? &sync->to : &sync->from;
	return head(step, sync, lane, event->now, side,
		sync->from.is_folder ? LANE_HEAD_TO : LANE_HEAD_FROM);
}

static enum verdict
object_seen(struct step *step, struct sync *sync, struct sync_lane *lane,
	const struct event *event)
{
	struct s3_object object;
	enum verdict verdict;
	if (!s3_object_read(step, event->op, &object, &verdict))
		return verdict == STEP_DOUBT ? STEP_FAIL : verdict;
	if (lane->sha256.n > 0)
		return decide(lane, object.exists && str_eq(object.sha256, lane->sha256));
	if (lane->at == LANE_HEAD_TO) {
		lane->seen = object;
		lane->seen.sha256 = str_copy(lane->mem, object.sha256);
		return head(
			step, sync, lane, event->now, &sync->from, LANE_HEAD_FROM);
	}
	if (object.sha256.n > 0 && lane->seen.sha256.n > 0)
		return decide(lane, str_eq(object.sha256, lane->seen.sha256));
	return decide(lane, lane->entry->to->modified >= lane->entry->from->modified);
}

/* ---- copies */

static enum verdict
get(struct step *step, struct sync *sync, struct sync_lane *lane, struct now now)
{
	const struct sync_item *item = lane->entry->from;
	struct s3_place place = side_object(lane->mem, &sync->from, item->path);
	struct aws_call call = s3_call(lane->mem, &place, "GET");
	struct header headers[] = {{"x-amz-checksum-mode", "ENABLED"},
		{"If-Match",
			arena_printf(lane->mem, "\"%.*s\"", STR_FMT(item->etag))}};
	struct how how = how_of(sync, lane, "download");
	call.headers = headers;
	call.n_headers = item->etag.n > 0 ? 2 : 1;
	call.most = SYNC_SMALL + 1;
	how.reads = true;
	lane->at = LANE_GET;
	return aws_send(step, how, now, &call);
}

static enum verdict
by_server(struct step *step, struct sync *sync, struct sync_lane *lane, struct now now)
{
	const struct sync_item *item = lane->entry->from;
	struct s3_place from = side_object(lane->mem, &sync->from, item->path),
			to = side_object(lane->mem, &sync->to, item->path);
	struct aws_call call = s3_call(lane->mem, &to, "PUT");
	struct header headers[] = {
		{"x-amz-copy-source",
			s3_source(lane->mem, &from, (struct str){NULL, 0})},
		{"x-amz-copy-source-if-match",
			arena_printf(lane->mem, "\"%.*s\"", STR_FMT(item->etag))},
	};
	call.headers = headers;
	call.n_headers = item->etag.n > 0 ? 2 : 1;
	lane->at = LANE_COPY;
	sync->changed = true;
	return aws_send(step, how_of(sync, lane, "copy"), now, &call);
}

enum verdict
lane_copy(struct step *step, struct sync *sync, struct sync_lane *lane,
	struct sync_entry *entry, struct now now)
{
	take(lane, entry, LANE_LOAD);
	if (sync->from.is_folder)
		return ask_file(step, sync, lane,
			(struct file_ask){.what = FILE_LOAD,
				.most = SYNC_SMALL,
				.part = UINT64_MAX},
			true);
	return sync->to.is_folder ? get(step, sync, lane, now)
				  : by_server(step, sync, lane, now);
}

static enum verdict
loaded(struct step *step, struct sync *sync, struct sync_lane *lane,
	const struct event *event)
{
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	const struct file_answer *answer = event->op->answer;
	const struct sync_item *item = lane->entry->from;
	struct s3_place place = side_object(lane->mem, &sync->to, item->path);
	struct aws_call call = s3_call(lane->mem, &place, "PUT");
	const char *sum = base64_text(lane->mem, answer->sha256, SHA256_SIZE);
	struct header headers[3] = {{"Content-Type", sync_media_type(item->path)},
		{S3_OUR_DIGEST, sum}};
	size_t n = 2;
	if (!place.endpoint->is_own)
		headers[n++] = (struct header){"x-amz-checksum-sha256", sum};
	else if (answer->n_md5s == 1)
		headers[n++] = (struct header){"Content-MD5",
			base64_text(lane->mem, answer->md5s[0], MD5_SIZE)};
	call.headers = headers;
	call.n_headers = n;
	call.body = answer->bytes;
	call.payload = hex_text(lane->mem, answer->sha256, SHA256_SIZE);
	lane->at = LANE_PUT;
	sync->changed = true;
	return aws_send(step, how_of(sync, lane, "upload"), event->now, &call);
}

/* What came is what S3 says it keeps: its length, and its SHA-256 or MD5 where known. */
static bool
is_whole(struct sync_lane *lane, const struct http_answer *answer)
{
	struct s3_object object = {0};
	uint8_t sum[SHA256_SIZE], wanted[MD5_SIZE];
	s3_object_headers(lane->mem, answer, &object);
	if (answer->body.n != lane->entry->from->size)
		return false;
	sha256(answer->body, sum);
	if (object.sha256.n > 0)
		return str_is(object.sha256, base64_text(lane->mem, sum, SHA256_SIZE));
	if (object.is_encrypted || !hex_parse(object.etag, wanted, MD5_SIZE)
		|| !md5(answer->body, sum))
		return true;
	return memcmp(sum, wanted, MD5_SIZE) == 0;
}

static enum verdict
refused(struct step *step, struct sync *sync, struct sync_lane *lane,
	const struct event *event, const struct aws_error *error)
{
	/* The slot repeats what a status or the network says; the code of an error may
	 * say so as well. */
	if (event->op->err.code == ERR_NONE && error->transient && error->status < 500
		&& ++lane->tried < MOST_TRIES)
		return lane_copy(step, sync, lane, lane->entry, event->now);
	enum verdict verdict = aws_fail(step, event->op, error);
	struct str path = lane->entry->from->path;
	if (error->status == 412)
		return step_fail(step, ERR_ANSWER, true,
			"%.*s changed while it was copied",
			path.n > 200 ? 200 : STR_FMT(path));
	return lane->at == LANE_GET && verdict == STEP_DOUBT ? STEP_FAIL : verdict;
}

static enum verdict
got(struct step *step, struct sync *sync, struct sync_lane *lane,
	const struct event *event)
{
	struct aws_error error;
	if (!aws_answered(step, event->op, true, &error))
		return refused(step, sync, lane, event, &error);
	const struct http_answer *answer = event->op->answer;
	struct str path = lane->entry->from->path;
	if (!is_whole(lane, answer))
		return step_fail(step, ERR_PROTOCOL, true,
			"%.*s: other bytes came than S3 says it keeps",
			path.n > 200 ? 200 : STR_FMT(path));
	lane->at = LANE_WRITE;
	sync->changed = true;
	return ask_file(step, sync, lane,
		(struct file_ask){.what = FILE_REPLACE, .bytes = answer->body}, false);
}

/* ---- */

enum verdict
lane_remove(struct step *step, struct sync *sync, struct sync_lane *lane,
	struct sync_entry *entry)
{
	take(lane, entry, LANE_REMOVE);
	sync->changed = true;
	return ask_file(
		step, sync, lane, (struct file_ask){.what = FILE_REMOVE}, false);
}

static enum verdict
copied(struct sync *sync, struct sync_lane *lane)
{
	sync->copied++;
	sync->copied_bytes += lane->entry->from->size;
	return done(lane);
}

enum verdict
lane_event(struct step *step, struct sync *sync, const struct event *event)
{
	struct sync_lane *lane = &sync->lanes[event->op->slot - SYNC_LANE_SLOT];
	struct aws_error error;
	switch (lane->at) {
	case LANE_DIGEST:
		return digested(step, sync, lane, event);
	case LANE_HEAD_TO: case LANE_HEAD_FROM:
		return object_seen(step, sync, lane, event);
	case LANE_LOAD:
		return loaded(step, sync, lane, event);
	case LANE_GET:
		return got(step, sync, lane, event);
	case LANE_PUT: case LANE_COPY:
		return aws_answered(step, event->op, true, &error)
			? copied(sync, lane)
			: refused(step, sync, lane, event, &error);
	case LANE_WRITE:
		return event->op->err.code != ERR_NONE ? step_fail_op(step, event->op)
						       : copied(sync, lane);
	case LANE_REMOVE:
		if (event->op->err.code != ERR_NONE)
			return step_fail_op(step, event->op);
		sync->deleted++;
		return done(lane);
	case LANE_FREE:
		break;
	}
	return STEP_WAIT;
}
