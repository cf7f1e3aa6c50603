#include "../steps/aws/fetch.h"

enum { PIECE = 256 << 10 };

enum verdict
fetch_begin(struct step *step, struct fetch *fetch)
{
	struct open_ask ask = {.path = fetch->path, .write = true};
	struct how how = {.slot = fetch->file_slot,
		.staged = fetch->staged,
		.title = fetch->path};
	fetch->state = FETCH_OPEN;
	return step_open(step, how, &ask);
}

static enum verdict
read_on(struct step *step, struct fetch *fetch)
{
	return step_read(step, fetch->read_slot, fetch->get_slot, fetch->piece, PIECE,
		fetch->digest);
}

static enum verdict
start_stream(struct step *step, struct fetch *fetch, struct now now)
{
	fetch->state = FETCH_STREAM;
	fetch->digest = digest_new(step->mem);
	fetch->md5 = digest_new_md5(step->mem);
	fetch->piece = arena_alloc(step->mem, PIECE);
	enum verdict verdict = s3_stream(
		step, fetch->get_slot, now, &fetch->place, &fetch->object);
	return verdict == STEP_WAIT ? read_on(step, fetch) : verdict;
}

/* By the SHA-256 that stands with the object, else by its ETag where that is an MD5: of
 * one that went up in one, and not under KMS, where S3 tells a checksum of its own. */
static bool
is_as_kept(struct step *step, struct fetch *fetch, const uint8_t sum[SHA256_SIZE])
{
	uint8_t md5_sum[SHA256_SIZE], etag[MD5_SIZE];
	if (fetch->object.sha256.n > 0)
		return str_is(fetch->object.sha256,
			base64_text(step->mem, sum, SHA256_SIZE));
	if (fetch->md5 == NULL || fetch->object.is_encrypted
		|| !hex_parse(fetch->object.etag, etag, MD5_SIZE))
		return true;
	digest_end(fetch->md5, md5_sum);
	return memcmp(md5_sum, etag, MD5_SIZE) == 0;
}

static enum verdict
judge(struct step *step, struct fetch *fetch)
{
	uint8_t sum[SHA256_SIZE];
	digest_end(fetch->digest, sum);
	fetch->sha256 = hex_text(step->mem, sum, sizeof sum);
	if (fetch->bytes != fetch->object.size)
		return step_fail(step, ERR_PROTOCOL, true, "%llu bytes came of %llu",
			(unsigned long long)fetch->bytes,
			(unsigned long long)fetch->object.size);
	if (!is_as_kept(step, fetch, sum))
		return step_fail(step, ERR_PROTOCOL, true,
			"other bytes came than S3 says it keeps");
	fetch->state = FETCH_WHOLE;
	return STEP_DONE;
}

static enum verdict
piece_read(struct step *step, struct fetch *fetch, const struct read_answer *answer)
{
	fetch->got = answer->got;
	fetch->bytes += answer->got;
	if (fetch->md5 != NULL)
		digest_add(fetch->md5, (struct str){fetch->piece, answer->got});
	fetch->at_end = answer->end;
	step_progress(step, fetch->bytes, fetch->object.size, "B");
	if (answer->got > 0)
		return step_write(step, fetch->write_slot, fetch->file_slot,
			(struct str){fetch->piece, answer->got}, false);
	return fetch->at_end ? STEP_DONE : read_on(step, fetch);
}

static enum verdict
streamed(struct step *step, struct fetch *fetch, const struct event *event)
{
	struct aws_error error;
	enum verdict verdict = STEP_DONE;
	if (event->op->slot == fetch->get_slot) {
		if (!aws_answered(step, event->op, true, &error))
			return aws_fail(step, event->op, &error);
		fetch->answered = true;
	} else if (event->op->err.code != ERR_NONE) {
		return step_fail_op(step, event->op);
	} else if (event->op->slot == fetch->write_slot) {
		fetch->got = 0;
		if (!fetch->at_end)
			verdict = read_on(step, fetch);
	} else {
		verdict = piece_read(step, fetch, event->op->answer);
	}
	if (verdict != STEP_DONE)
		return verdict;
	return fetch->at_end && fetch->answered && fetch->got == 0 ? judge(step, fetch)
								   : STEP_WAIT;
}

enum verdict
fetch_event(struct step *step, struct fetch *fetch, const struct event *event)
{
	if (fetch->state == FETCH_STREAM)
		return streamed(step, fetch, event);
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	return fetch->state == FETCH_OPEN ? start_stream(step, fetch, event->now)
					  : STEP_DONE;
}

enum verdict
fetch_name(struct step *step, struct fetch *fetch)
{
	fetch->state = FETCH_NAME;
	return step_write(step, fetch->write_slot, fetch->file_slot,
		(struct str){NULL, 0}, true);
}
