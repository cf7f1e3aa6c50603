#include "../steps/aws/copy.h"

enum { PART_MIB = 256, MOST_TRIES = 20 };

void
copy_begin(
	struct copy *copy, struct s3_place from, struct s3_place to, unsigned first_slot)
{
	*copy = (struct copy){.from = from, .to = to, .first_slot = first_slot};
}

static enum verdict
look(struct step *step, struct copy *copy, struct now now, const struct s3_place *place,
	enum copy_state state)
{
	copy->state = state;
	return s3_head(step, (struct how){.slot = copy->first_slot}, now, place);
}

enum verdict
copy_start(struct step *step, struct copy *copy, struct now now)
{
	copy->state = COPY_ABORT_SAVED;
	enum verdict verdict = multipart_abort_saved(step, now, copy->first_slot);
	return verdict == STEP_DONE ? look(step, copy, now, &copy->from, COPY_SOURCE)
				    : verdict;
}

/* ---- up to 5 GiB */

static enum verdict
copy_whole(struct step *step, struct copy *copy, struct now now)
{
	struct header headers[] = {
		{"x-amz-copy-source", copy->source_name},
		{"x-amz-copy-source-if-match",
			arena_printf(step->mem, "\"%.*s\"", STR_FMT(copy->source.etag))},
	};
	struct aws_call call = s3_call(step->mem, &copy->to, "PUT");
	call.headers = headers;
	call.n_headers = copy->source.etag.n > 0 ? 2 : 1;
	copy->state = COPY_WHOLE;
	return aws_send(step,
		(struct how){.slot = copy->first_slot,
			.tries = 3,
			.title = arena_printf(step->mem, "copy to s3://%s/%.*s",
				copy->to.bucket, STR_FMT(copy->to.key))},
		now, &call);
}

/* ---- above it */

/* What CopyObject takes over by itself. */
static void
take_headers(struct copy *copy, const struct http_answer *answer)
{
	static const char *const names[] = {"content-type", "cache-control",
		"content-disposition", "content-encoding", "content-language", "expires",
		"x-amz-website-redirect-location"};
	for (size_t i = 0; i < answer->n_headers; i++) {
		struct str name = str_of(answer->headers[i].name);
		bool taken = str_starts(name, STR("x-amz-meta-"));
		for (size_t j = 0; j < sizeof names / sizeof *names; j++)
			taken = taken || str_is(name, names[j]);
		if (taken && copy->n_headers < COPY_MOST_HEADERS)
			copy->headers[copy->n_headers++] = answer->headers[i];
	}
}

static enum verdict
start_parts(struct step *step, struct copy *copy, struct now now)
{
	uint64_t size = copy->source.size, part = (uint64_t)PART_MIB << 20;
	while (part * MULTIPART_MOST < size)
		part *= 2;
	copy->part_size = part;
	copy->parts = (unsigned)((size + part - 1) / part);
	copy->state = COPY_PARTS;
	multipart_begin(&copy->multi, step->mem, copy->to, copy->first_slot);
	copy->multi.headers = copy->headers;
	copy->multi.n_headers = copy->n_headers;
	return multipart_create(step, &copy->multi, now);
}

static enum verdict
send_part(struct step *step, struct copy *copy, struct now now, unsigned lane)
{
	unsigned number = copy->flying[lane];
	uint64_t from = (number - 1) * copy->part_size, to = from + copy->part_size;
	to = to > copy->source.size ? copy->source.size : to;
	struct header headers[] = {
		{"x-amz-copy-source", copy->source_name},
		{"x-amz-copy-source-range",
			arena_printf(step->mem, "bytes=%llu-%llu",
				(unsigned long long)from, (unsigned long long)to - 1)},
		{"x-amz-copy-source-if-match",
			arena_printf(step->mem, "\"%.*s\"", STR_FMT(copy->source.etag))},
	};
	struct aws_call call = multipart_part(step->mem, &copy->multi, number);
	call.headers = headers;
	call.n_headers = copy->source.etag.n > 0 ? 3 : 2;
	return aws_send(step,
		(struct how){.slot = copy->first_slot + 1 + lane,
			.tries = 5,
			.staged = true,
			.title = arena_printf(step->mem, "part %u of %u", number,
				copy->parts)},
		now, &call);
}

static unsigned
in_flight(const struct copy *copy)
{
	unsigned n = 0;
	for (unsigned i = 0; i < COPY_PARALLEL; i++)
		n += copy->flying[i] > 0;
	return n;
}

static enum verdict
give_up(struct step *step, struct copy *copy, struct now now, enum verdict verdict)
{
	for (unsigned i = 0; i < COPY_PARALLEL; i++)
		if (copy->flying[i] > 0)
			step_stop(step, copy->first_slot + 1 + i);
	copy->multi.failed_with = *step->err;
	copy->multi.failed_as = verdict;
	copy->multi.state = MULTIPART_ABORTING;
	return in_flight(copy) > 0
		? STEP_WAIT
		: multipart_abort(step, &copy->multi, now, verdict);
}

static enum verdict
push(struct step *step, struct copy *copy, struct now now)
{
	for (unsigned i = 0; i < COPY_PARALLEL && copy->next < copy->parts; i++) {
		if (copy->flying[i] > 0)
			continue;
		copy->flying[i] = ++copy->next;
		if (send_part(step, copy, now, i) != STEP_WAIT) {
			copy->flying[i] = 0;
			return give_up(step, copy, now, STEP_FAIL);
		}
	}
	if (copy->acknowledged == copy->parts)
		return multipart_complete(step, &copy->multi, now, copy->parts);
	return STEP_WAIT;
}

static enum verdict
part_refused(struct step *step, struct copy *copy, const struct event *event,
	const struct aws_error *error)
{
	unsigned lane = event->op->slot - copy->first_slot - 1;
	unsigned number = copy->flying[lane];
	/* A part may be refused in the body of a 200, after the slot's own tries. */
	if (error->status == 200 && error->transient && ++copy->tried < MOST_TRIES)
		return send_part(step, copy, event->now, lane);
	enum verdict verdict = aws_fail(step, event->op, error);
	copy->flying[lane] = 0;
	err_wrap(step->err, "part %u", number);
	return give_up(
		step, copy, event->now, verdict == STEP_DOUBT ? STEP_FAIL : verdict);
}

static enum verdict
part_copied(struct step *step, struct copy *copy, const struct event *event)
{
	unsigned lane = event->op->slot - copy->first_slot - 1;
	unsigned number = copy->flying[lane];
	struct aws_error error;
	if (copy->multi.state == MULTIPART_ABORTING) {
		copy->flying[lane] = 0;
		if (in_flight(copy) > 0)
			return STEP_WAIT;
		*step->err = copy->multi.failed_with;
		return multipart_abort(
			step, &copy->multi, event->now, copy->multi.failed_as);
	}
	if (!aws_answered(step, event->op, true, &error))
		return part_refused(step, copy, event, &error);
	const struct http_answer *answer = event->op->answer;
	struct str etag = xml_text(xml_parse(step->mem, answer->body, step->err), "ETag");
	if (etag.n >= 2 && etag.p[0] == '"')
		etag = (struct str){etag.p + 1, etag.n - 2};
	copy->multi.etags[number - 1] = str_cstr(step->mem, etag);
	copy->flying[lane] = 0;
	copy->acknowledged++;
	copy->copied += copy->part_size;
	step_progress(step,
		copy->copied < copy->source.size ? copy->copied : copy->source.size,
		copy->source.size, "B");
	return push(step, copy, event->now);
}

/* ---- the whole course */

static enum verdict
source_seen(struct step *step, struct copy *copy, const struct event *event)
{
	enum verdict verdict;
	if (s3_moved(step, event->op, &copy->from))
		return look(step, copy, event->now, &copy->from, COPY_SOURCE);
	if (!s3_object_read(step, event->op, &copy->source, &verdict))
		return verdict == STEP_DOUBT ? STEP_FAIL : verdict;
	if (!copy->source.exists)
		return step_fail(step, ERR_NOT_FOUND, false, "s3://%s/%.*s is not there",
			copy->from.bucket, STR_FMT(copy->from.key));
	copy->source_name = s3_source(step->mem, &copy->from, copy->source.version);
	if (copy->source.size <= COPY_MOST_WHOLE)
		return copy_whole(step, copy, event->now);
	take_headers(copy, event->op->answer);
	return start_parts(step, copy, event->now);
}

static enum verdict
whole_copied(struct step *step, struct copy *copy, const struct event *event)
{
	struct aws_error error;
	if (aws_answered(step, event->op, true, &error))
		return look(step, copy, event->now, &copy->to, COPY_CHECK);
	if (s3_moved(step, event->op, &copy->to))
		return copy_whole(step, copy, event->now);
	if (error.status != 412)
		return aws_fail(step, event->op, &error);
	return step_fail(step, ERR_ANSWER, true,
		"s3://%s/%.*s changed while it was copied", copy->from.bucket,
		STR_FMT(copy->from.key));
}

/* The copy is looked at: a server that says 200 and keeps half an object is found out. */
static enum verdict
copy_seen(struct step *step, struct copy *copy, const struct event *event)
{
	enum verdict verdict;
	if (!s3_object_read(step, event->op, &copy->object, &verdict))
		return STEP_DOUBT;
	bool other = copy->object.sha256.n > 0 && copy->source.sha256.n > 0
		&& !str_eq(copy->object.sha256, copy->source.sha256);
	if (copy->object.exists && copy->object.size == copy->source.size && !other)
		return STEP_DONE;
	step_fail(step, ERR_ANSWER, false,
		"the copy at s3://%s/%.*s is not the same object", copy->to.bucket,
		STR_FMT(copy->to.key));
	return STEP_PARTIAL;
}

bool
copy_owns(const struct copy *copy, const struct event *event)
{
	return event->kind == EV_SAVED ? multipart_owns(&copy->multi, event)
		: event->kind == EV_OP && event->op->slot >= copy->first_slot
			&& event->op->slot <= copy->first_slot + COPY_PARALLEL;
}

static enum verdict
parts_event(struct step *step, struct copy *copy, const struct event *event)
{
	if (event->kind == EV_OP && event->op->slot > copy->first_slot)
		return part_copied(step, copy, event);
	enum verdict verdict = multipart_event(step, &copy->multi, event);
	if (verdict != STEP_DONE)
		return verdict;
	copy->to = copy->multi.place;
	return copy->multi.state == MULTIPART_DONE
		? look(step, copy, event->now, &copy->to, COPY_CHECK)
		: push(step, copy, event->now);
}

enum verdict
copy_event(struct step *step, struct copy *copy, const struct event *event)
{
	switch (copy->state) {
	case COPY_ABORT_SAVED:
		return look(step, copy, event->now, &copy->from, COPY_SOURCE);
	case COPY_SOURCE:
		return source_seen(step, copy, event);
	case COPY_WHOLE:
		return whole_copied(step, copy, event);
	case COPY_PARTS:
		return parts_event(step, copy, event);
	case COPY_CHECK:
		return copy_seen(step, copy, event);
	case COPY_NONE:
		break;
	}
	return STEP_WAIT;
}

enum verdict
copy_cancel(struct step *step, struct copy *copy, struct now now)
{
	step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (copy->state == COPY_WHOLE || copy->state == COPY_CHECK
		|| copy->multi.state == MULTIPART_COMPLETING
		|| copy->multi.state == MULTIPART_LOOKING)
		return STEP_DOUBT;
	if (copy->state != COPY_PARTS)
		return STEP_FAIL;
	for (unsigned i = 0; i < COPY_PARALLEL; i++)
		copy->flying[i] = 0;
	return multipart_abort(step, &copy->multi, now, STEP_FAIL);
}
