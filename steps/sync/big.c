#include "../steps/sync/sync.h"

enum { PIECE = 256 << 10 };

static struct side_file
file_of(struct sync *sync)
{
	const struct side *side = sync->from.is_folder ? &sync->from : &sync->to;
	return side_file(sync->big.mem, side, sync->big.entry->from->path);
}

static enum verdict
done(struct sync *sync)
{
	struct sync_big *big = &sync->big;
	sync->copied++;
	sync->copied_bytes += big->entry->from->size;
	big->at = BIG_FREE;
	big->bytes = 0;
	return STEP_DONE;
}

static enum verdict
open_file(struct step *step, struct sync *sync, bool write)
{
	struct side_file file = file_of(sync);
	struct open_ask ask = {.path = file.path, .root = file.root, .write = write};
	sync->big.at = write ? BIG_CREATE : BIG_OPEN;
	sync->big.sha256 = digest_new(sync->big.mem);
	return step_open(step,
		(struct how){.slot = SYNC_FILE_SLOT,
			.reads = !write,
			.mem = sync->big.mem,
			.title = "open"},
		&ask);
}

/* ---- a file to an object: digest, then its parts; an upload that an earlier attempt
 * began of this very content is gone on with */

static enum verdict
digest_file(struct step *step, struct sync *sync)
{
	struct side_file file = file_of(sync);
	struct file_ask ask = {
		.what = FILE_DIGEST, .path = file.path, .root = file.root};
	sync->big.at = BIG_DIGEST;
	return step_file(step,
		(struct how){.slot = SYNC_FILE_SLOT,
			.reads = true,
			.mem = sync->big.mem,
			.title = "digest"},
		&ask);
}

static void
set_up_upload(struct sync *sync)
{
	struct sync_big *big = &sync->big;
	const struct sync_item *item = big->entry->from;
	struct upload *upload = &big->upload;
	const char *sum = base64_text(big->mem, big->sum, SHA256_SIZE);
	big->headers[0] =
		(struct header){"Content-Type", sync_media_type(item->path)};
	big->headers[1] = (struct header){S3_OUR_DIGEST, sum};
	upload_begin(upload, big->mem, side_object(big->mem, &sync->to, item->path),
		SYNC_MEMORY, item->size, SYNC_PARTS_SLOT);
	upload->headers = big->headers;
	upload->n_headers = 2;
	upload->resumes = true;
	struct map_builder *more = &upload->multi.more;
	map_put(more, "part", value_int((int64_t)upload->part_size));
	map_put(more, "bytes", value_int((int64_t)item->size));
	map_put(more, "sha256", value_str(str_of(sum)));
}

static enum verdict
start_upload(struct step *step, struct sync *sync, const struct event *event)
{
	struct sync_big *big = &sync->big;
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	const struct file_answer *answer = event->op->answer;
	if (answer->size != big->entry->from->size)
		return step_fail(step, ERR_IO, true, "%.*s changed while it was read",
			STR_FMT(big->entry->from->path));
	memcpy(big->sum, answer->sha256, SHA256_SIZE);
	set_up_upload(sync);
	sync->changed = true;
	struct str id = multipart_saved(step, &big->upload.multi.place),
		   sum = str_of(big->headers[1].value);
	if (id.n == 0)
		return open_file(step, sync, false);
	if (str_eq(value_get_str(step->saved, "sha256"), sum)
		&& value_get_int(step->saved, "part", 0)
			== (int64_t)big->upload.part_size) {
		big->at = BIG_RESUME;
		return upload_resume(step, &big->upload, event->now, id);
	}
	big->at = BIG_CLEAN;
	return multipart_abort_saved(step, event->now, SYNC_PARTS_SLOT);
}

static enum verdict
resumed(struct step *step, struct sync *sync, const struct event *event)
{
	struct sync_big *big = &sync->big;
	enum verdict verdict = upload_event(step, &big->upload, event);
	if (verdict != STEP_DONE)
		return verdict;
	if (!big->upload.lost)
		return open_file(step, sync, false);
	big->at = BIG_LOST;
	return s3_head(step, (struct how){.slot = SYNC_PARTS_SLOT, .mem = big->mem},
		event->now, &big->upload.multi.place);
}

/* It was completed, or somebody removed it: the object tells. */
static enum verdict
lost_seen(struct step *step, struct sync *sync, const struct event *event)
{
	struct s3_object object;
	enum verdict verdict;
	if (!s3_object_read(step, event->op, &object, &verdict))
		return verdict;
	return object.exists && str_is(object.sha256, sync->big.headers[1].value)
		? done(sync)
		: open_file(step, sync, false);
}

static enum verdict
read_file(struct step *step, struct sync *sync)
{
	struct sync_big *big = &sync->big;
	size_t room;
	char *to = upload_room(&big->upload, &room);
	if (room == 0 || big->reading || big->at_end)
		return STEP_WAIT;
	big->reading = true;
	return step_read(step, SYNC_PIECE_SLOT, SYNC_FILE_SLOT, to,
		room < PIECE ? room : PIECE, big->sha256);
}

static enum verdict
end_upload(struct step *step, struct sync *sync, struct now now)
{
	struct sync_big *big = &sync->big;
	uint8_t sum[SHA256_SIZE];
	digest_end(big->sha256, sum);
	if (memcmp(sum, big->sum, SHA256_SIZE) == 0)
		return upload_finish(step, &big->upload, now);
	return upload_abort(step, &big->upload, now,
		step_fail(step, ERR_IO, true, "%.*s changed while it was read",
			STR_FMT(big->entry->from->path)));
}

static enum verdict
piece_read(struct step *step, struct sync *sync, const struct event *event)
{
	struct sync_big *big = &sync->big;
	const struct read_answer *answer = event->op->answer;
	enum verdict verdict = STEP_WAIT;
	big->reading = false;
	if (big->upload.state == UPLOAD_ABORTING)
		return STEP_WAIT;
	if (event->op->err.code != ERR_NONE)
		return upload_abort(
			step, &big->upload, event->now, step_fail_op(step, event->op));
	big->at_end = answer->end;
	if (answer->got > 0)
		verdict = upload_filled(step, &big->upload, event->now, answer->got);
	return answer->end && verdict == STEP_WAIT ? end_upload(step, sync, event->now)
						   : verdict;
}

static enum verdict
uploading(struct step *step, struct sync *sync, const struct event *event)
{
	struct sync_big *big = &sync->big;
	enum verdict verdict = upload_owns(&big->upload, event)
		? upload_event(step, &big->upload, event)
		: piece_read(step, sync, event);
	big->bytes = big->upload.bytes_done;
	if (verdict == STEP_DONE)
		return done(sync);
	if (verdict != STEP_WAIT || big->upload.state == UPLOAD_ABORTING)
		return verdict;
	return read_file(step, sync);
}

/* ---- an object to a file */

static enum verdict
fetch(struct step *step, struct sync *sync, struct now now)
{
	struct sync_big *big = &sync->big;
	const struct sync_item *item = big->entry->from;
	struct s3_place place = side_object(big->mem, &sync->from, item->path);
	struct aws_call call = s3_call(big->mem, &place, "GET");
	struct header headers[] = {{"x-amz-checksum-mode", "ENABLED"},
		{"If-Match", arena_printf(big->mem, "\"%.*s\"", STR_FMT(item->etag))}};
	call.headers = headers;
	call.n_headers = item->etag.n > 0 ? 2 : 1;
	call.stream_out = true;
	big->at = BIG_FETCH;
	big->piece = arena_alloc(big->mem, PIECE);
	big->md5 = digest_new_md5(big->mem);
	sync->changed = true;
	return aws_send(step,
		(struct how){.slot = SYNC_GET_SLOT,
			.reads = true,
			.tries = 5,
			.mem = big->mem,
			.title = "download"},
		now, &call);
}

static enum verdict
read_object(struct step *step, struct sync *sync)
{
	struct sync_big *big = &sync->big;
	return step_read(step, SYNC_PIECE_SLOT, SYNC_GET_SLOT, big->piece, PIECE,
		big->sha256);
}

static enum verdict
answered(struct step *step, struct sync *sync, const struct event *event)
{
	struct sync_big *big = &sync->big;
	struct aws_error error;
	if (!aws_answered(step, event->op, true, &error)) {
		enum verdict verdict = aws_fail(step, event->op, &error);
		return verdict == STEP_DOUBT ? STEP_FAIL : verdict;
	}
	struct s3_object object = {0};
	s3_object_headers(big->mem, event->op->answer, &object);
	big->wanted = object.sha256;
	big->is_encrypted = object.is_encrypted;
	big->answered = true;
	return read_object(step, sync);
}

/* Before the file appears: its length, and its SHA-256, or its MD5 where the ETag is one.
 */
static bool
is_whole(struct step *step, struct sync *sync)
{
	struct sync_big *big = &sync->big;
	const struct sync_item *item = big->entry->from;
	uint8_t sum[SHA256_SIZE], md5_sum[SHA256_SIZE], etag[MD5_SIZE];
	digest_end(big->sha256, sum);
	bool good = big->bytes == item->size;
	if (good && big->wanted.n > 0)
		good = str_is(big->wanted, base64_text(big->mem, sum, SHA256_SIZE));
	else if (good && big->md5 != NULL && !big->is_encrypted
		&& hex_parse(item->etag, etag, MD5_SIZE)) {
		digest_end(big->md5, md5_sum);
		good = memcmp(md5_sum, etag, MD5_SIZE) == 0;
	}
	if (!good)
		step_fail(step, ERR_PROTOCOL, true,
			"%.*s: other bytes came than S3 says it keeps",
			STR_FMT(item->path));
	return good;
}

static enum verdict
write_on(struct step *step, struct sync *sync, size_t n, bool end)
{
	return step_write(step, SYNC_PIECE_SLOT, SYNC_FILE_SLOT,
		(struct str){sync->big.piece, n}, end);
}

static enum verdict
close_file(struct step *step, struct sync *sync)
{
	if (!is_whole(step, sync))
		return STEP_FAIL;
	sync->big.at = BIG_CLOSE;
	return write_on(step, sync, 0, true);
}

static enum verdict
object_read(struct step *step, struct sync *sync, const struct event *event)
{
	struct sync_big *big = &sync->big;
	const struct read_answer *answer = event->op->answer;
	big->bytes += answer->got;
	big->at_end = answer->end;
	if (big->md5 != NULL)
		digest_add(big->md5, (struct str){big->piece, answer->got});
	if (answer->got > 0) {
		big->held = answer->got;
		return write_on(step, sync, answer->got, false);
	}
	if (!answer->end)
		return read_object(step, sync);
	return close_file(step, sync);
}

static enum verdict
fetching(struct step *step, struct sync *sync, const struct event *event)
{
	struct sync_big *big = &sync->big;
	if (!big->answered)
		return answered(step, sync, event);
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	if (big->held == 0)
		return object_read(step, sync, event);
	big->held = 0;
	if (!big->at_end)
		return read_object(step, sync);
	return close_file(step, sync);
}

/* ---- an object to an object, above 5 GiB */

static enum verdict
copying(struct step *step, struct sync *sync, const struct event *event)
{
	struct sync_big *big = &sync->big;
	enum verdict verdict = copy_event(step, &big->copy, event);
	big->bytes = big->copy.copied;
	return verdict == STEP_DONE ? done(sync) : verdict;
}

enum verdict
big_copy(struct step *step, struct sync *sync, struct sync_entry *entry, struct now now)
{
	struct sync_big *big = &sync->big;
	step_stop(step, SYNC_FILE_SLOT); /* of the one before, read to its end */
	step_stop(step, SYNC_GET_SLOT);
	arena_reset(big->mem);
	*big = (struct sync_big){.mem = big->mem, .entry = entry};
	if (sync->from.is_folder)
		return digest_file(step, sync);
	if (sync->to.is_folder)
		return open_file(step, sync, true);
	big->at = BIG_COPY;
	sync->changed = true;
	copy_begin(&big->copy, side_object(step->mem, &sync->from, entry->from->path),
		side_object(step->mem, &sync->to, entry->from->path), SYNC_PARTS_SLOT);
	return copy_start(step, &big->copy, now);
}

bool
big_owns(const struct sync *sync, const struct event *event)
{
	if (sync->big.at == BIG_FREE)
		return false;
	return event->kind == EV_SAVED
		|| (event->op->slot >= SYNC_FILE_SLOT
			&& event->op->slot < SYNC_BATCH_SLOT);
}

enum verdict
big_event(struct step *step, struct sync *sync, const struct event *event)
{
	switch (sync->big.at) {
	case BIG_DIGEST:
		return start_upload(step, sync, event);
	case BIG_CLEAN: /* gone or never there: both are fine */
		return open_file(step, sync, false);
	case BIG_RESUME:
		return resumed(step, sync, event);
	case BIG_LOST:
		return lost_seen(step, sync, event);
	case BIG_OPEN:
		if (event->op->err.code != ERR_NONE)
			return step_fail_op(step, event->op);
		sync->big.at = BIG_UPLOAD;
		return read_file(step, sync);
	case BIG_UPLOAD:
		return uploading(step, sync, event);
	case BIG_CREATE:
		if (event->op->err.code != ERR_NONE)
			return step_fail_op(step, event->op);
		return fetch(step, sync, event->now);
	case BIG_FETCH:
		return fetching(step, sync, event);
	case BIG_CLOSE:
		return event->op->err.code != ERR_NONE ? step_fail_op(step, event->op)
						       : done(sync);
	case BIG_COPY:
		return copying(step, sync, event);
	case BIG_FREE:
		break;
	}
	return STEP_WAIT;
}

enum verdict
big_cancel(struct step *step, struct sync *sync, struct now now)
{
	struct sync_big *big = &sync->big;
	if (big->at == BIG_UPLOAD || big->at == BIG_RESUME)
		return upload_cancel(step, &big->upload, now, STEP_PARTIAL);
	return big->at == BIG_COPY ? copy_cancel(step, &big->copy, now) : STEP_PARTIAL;
}
