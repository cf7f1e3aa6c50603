#include "../steps/aws/s3_batch.h"

enum { MOST_TRIES = 5 };

static void
end_arena(void *with)
{
	arena_free(with);
}

void
s3_batch_begin(struct s3_batch *batch, struct arena *mem, struct s3_place place,
	unsigned first_slot)
{
	*batch = (struct s3_batch){.place = place, .first_slot = first_slot};
	for (unsigned i = 0; i < S3_BATCH_LANES; i++) {
		batch->lanes[i].mem = arena_new();
		arena_defer(mem, end_arena, batch->lanes[i].mem);
	}
}

static void
add(struct s3_batch *batch, struct arena *mem, struct s3_doomed key)
{
	if (batch->n == batch->cap) {
		size_t cap = batch->cap == 0 ? 1024 : batch->cap * 2;
		struct s3_doomed *keys = arena_array(mem, struct s3_doomed, cap);
		if (batch->n > 0)
			memcpy(keys, batch->keys, batch->n * sizeof *keys);
		batch->keys = keys;
		batch->cap = cap;
	}
	batch->keys[batch->n++] = key;
}

void
s3_batch_add(
	struct s3_batch *batch, struct arena *mem, struct str key, struct str version)
{
	add(batch, mem, (struct s3_doomed){.key = key, .version = version});
}

/* XML 1.0 cannot say a control character (2.2, Char): such a key goes by a request of its
 * own. */
static bool
needs_own(struct str key)
{
	for (size_t i = 0; i < key.n; i++)
		if ((unsigned char)key.p[i] < 0x20)
			return true;
	return !str_is_utf8(key);
}

static enum verdict
send_alone(struct step *step, struct s3_batch *batch, struct s3_batch_lane *lane,
	struct how how, struct now now)
{
	const struct s3_doomed *key = &batch->keys[lane->from];
	struct s3_place place = batch->place;
	place.key = key->key;
	lane->alone = true;
	return s3_delete_object(step, how, now, &place, key->version);
}

static struct str
body_of(const struct s3_batch *batch, const struct s3_batch_lane *lane)
{
	struct buf body = buf_in(lane->mem);
	buf_puts(&body, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
			"<Quiet>true</Quiet>");
	for (size_t i = 0; i < lane->n; i++) {
		const struct s3_doomed *key = &batch->keys[lane->from + i];
		buf_puts(&body, "<Object><Key>");
		xml_escape(&body, key->key);
		buf_puts(&body, "</Key>");
		if (key->version.n > 0)
			buf_printf(&body, "<VersionId>%.*s</VersionId>",
				STR_FMT(key->version));
		buf_puts(&body, "</Object>");
	}
	buf_puts(&body, "</Delete>");
	return buf_str(&body);
}

/* The API demands a checksum here; Content-MD5 is the one that every store knows. */
static struct header
checksum_of(struct arena *mem, struct str body)
{
	uint8_t sum[SHA256_SIZE];
	if (md5(body, sum))
		return (struct header){"Content-MD5", base64_text(mem, sum, MD5_SIZE)};
	sha256(body, sum);
	return (struct header){
		"x-amz-checksum-sha256", base64_text(mem, sum, SHA256_SIZE)};
}

static enum verdict
send_lane(struct step *step, struct s3_batch *batch, unsigned number, struct now now)
{
	struct s3_batch_lane *lane = &batch->lanes[number];
	struct how how = {
		.slot = batch->first_slot + number, .tries = 5, .mem = lane->mem};
	if (needs_own(batch->keys[lane->from].key))
		return send_alone(step, batch, lane, how, now);
	struct s3_place root = batch->place;
	root.key = (struct str){NULL, 0};
	struct aws_call call = s3_call(lane->mem, &root, "POST");
	call.query = STR("delete=");
	call.body = body_of(batch, lane);
	call.content_type = "application/xml";
	struct header checksum = checksum_of(lane->mem, call.body);
	call.headers = &checksum;
	call.n_headers = 1;
	how.title = "delete objects";
	return aws_send(step, how, now, &call);
}

/* The next keys: as many as a request takes, and none that needs one of its own behind
 * another. */
static void
take_keys(struct s3_batch *batch, struct s3_batch_lane *lane)
{
	size_t n = batch->n - batch->next;
	n = n > S3_BATCH_KEYS ? S3_BATCH_KEYS : n;
	lane->from = batch->next;
	for (lane->n = 1; lane->n < n; lane->n++)
		if (needs_own(batch->keys[lane->from + lane->n].key)
			|| needs_own(batch->keys[lane->from].key))
			break;
	batch->next += lane->n;
	lane->alone = false;
}

static enum verdict
ended(struct step *step, struct s3_batch *batch)
{
	if (batch->failed == 0)
		return STEP_DONE;
	*step->err = batch->first;
	err_wrap(step->err, "%llu of %llu objects could not be deleted",
		(unsigned long long)batch->failed,
		(unsigned long long)(batch->failed + batch->deleted));
	return STEP_PARTIAL;
}

enum verdict
s3_batch_go(struct step *step, struct s3_batch *batch, struct now now)
{
	bool busy = false;
	for (unsigned i = 0; i < S3_BATCH_LANES; i++) {
		struct s3_batch_lane *lane = &batch->lanes[i];
		size_t waiting = batch->n - batch->next;
		if (lane->n == 0 && waiting > 0
			&& (batch->ended || waiting >= S3_BATCH_KEYS)) {
			arena_reset(lane->mem);
			take_keys(batch, lane);
			enum verdict verdict = send_lane(step, batch, i, now);
			if (verdict != STEP_WAIT)
				return verdict;
		}
		busy = busy || lane->n > 0;
	}
	if (busy)
		return STEP_WAIT;
	return batch->ended ? ended(step, batch) : STEP_DONE;
}

static bool
may_go_well(struct str code)
{
	return str_is(code, "InternalError") || str_is(code, "SlowDown")
		|| str_is(code, "ServiceUnavailable") || str_is(code, "OperationAborted");
}

static void
failed(struct step *step, struct s3_batch *batch, struct s3_doomed key, struct str code,
	struct str message)
{
	bool again = may_go_well(code);
	if (again && ++key.tried < MOST_TRIES) {
		add(batch, step->mem, key);
		return;
	}
	if (batch->failed++ > 0)
		return;
	err_set(&batch->first, ERR_ANSWER, "%.*s: %.*s (s3://%s/%.*s)", STR_FMT(code),
		message.n > 160 ? 160 : STR_FMT(message), batch->place.bucket,
		key.key.n > 160 ? 160 : STR_FMT(key.key));
	batch->first.transient = again;
}

static struct s3_doomed *
key_of(const struct s3_batch *batch, const struct s3_batch_lane *lane, struct str key)
{
	for (size_t i = 0; i < lane->n; i++)
		if (str_eq(batch->keys[lane->from + i].key, key))
			return &batch->keys[lane->from + i];
	return &batch->keys[lane->from];
}

/* Quiet: only what could not be deleted is told. */
static bool
read_errors(struct step *step, struct s3_batch *batch, struct s3_batch_lane *lane,
	const struct http_answer *answer)
{
	const struct xml *root = xml_parse(lane->mem, answer->body, step->err);
	size_t bad = 0;
	if (root == NULL)
		return false;
	for (const struct xml *e = xml_child(root, "Error"); e != NULL;
		e = xml_again(e)) {
		bad++;
		failed(step, batch, *key_of(batch, lane, xml_text(e, "Key")),
			str_copy(step->mem, xml_text(e, "Code")), xml_text(e, "Message"));
	}
	batch->deleted += lane->n - (bad < lane->n ? bad : lane->n);
	return true;
}

bool
s3_batch_owns(const struct s3_batch *batch, const struct event *event)
{
	return event->kind == EV_OP && event->op->slot >= batch->first_slot
		&& event->op->slot < batch->first_slot + S3_BATCH_LANES;
}

enum verdict
s3_batch_event(struct step *step, struct s3_batch *batch, const struct event *event)
{
	struct s3_batch_lane *lane = &batch->lanes[event->op->slot - batch->first_slot];
	struct aws_error error;
	if (aws_answered(step, event->op, true, &error)) {
		batch->date = s3_date(event->op);
		if (lane->alone)
			batch->deleted++;
		else if (!read_errors(step, batch, lane, event->op->answer))
			return STEP_DOUBT;
	} else if (s3_moved(step, event->op, &batch->place)) {
		return send_lane(step, batch, event->op->slot - batch->first_slot,
			event->now);
	} else {
		return aws_fail(step, event->op, &error);
	}
	lane->n = 0;
	return s3_batch_go(step, batch, event->now);
}
