#include "run/owner.h"

#include "base/digest.h"
#include "data/json.h"
#include "run/blobs.h"

#include <assert.h>

/* Records: built, applied, and handed out; and acts. */

struct map_builder
body_new(struct owner *o)
{
	struct map_builder body = {.mem = o->turn_mem};

	map_put(&body, "v", value_int(1));
	return body;
}

void
body_time(struct map_builder *body, const char *key, int64_t at)
{
	if (at != 0)
		map_put(body, key, value_int(at));
}

void
body_text(struct map_builder *body, const char *key, const char *text)
{
	if (text != NULL)
		map_put(body, key, value_str(str_of(text)));
}

void
body_value(struct map_builder *body, const char *key, const struct value *v)
{
	if (v != NULL)
		map_put(body, key, *v);
}

void
body_question(struct map_builder *body, const struct question *question)
{
	body_text(body, "what", "change");
	body_text(body, "text", question->text);
	body_text(body, "word", question->word);
	body_text(body, "by", question->by);
	body_text(body, "not_by", question->not_by);
	if (question->at_least > 1)
		map_put(body, "at_least", value_int(question->at_least));
}

void
body_error(struct map_builder *body, const struct err *err)
{
	struct map_builder error = {.mem = body->mem};

	if (err == NULL || err->code == ERR_NONE)
		return;
	body_text(&error, "message", arena_strdup(body->mem, err->msg));
	if (err->hint[0] != '\0')
		body_text(&error, "hint", arena_strdup(body->mem, err->hint));
	map_put(&error, "transient", value_bool(err->transient));
	map_put(body, "error", map_done(&error));
}

static struct record *
record_add(struct owner *o)
{
	struct turn *turn = o->turn;

	if (turn->n_records == o->records_cap) {
		size_t cap = o->records_cap == 0 ? 8 : 2 * o->records_cap;
		struct record *more = arena_array(o->turn_mem, struct record, cap);
		if (turn->n_records > 0)
			memcpy(more, turn->records, turn->n_records * sizeof *more);
		turn->records = more;
		o->records_cap = cap;
	}
	return &turn->records[turn->n_records++];
}

/* Who looks at this path or at one around it has news: its seat, and its deadline. */
static void
tell(struct owner *o, struct path_state *path)
{
	for (struct path_state *up = path; up != NULL; up = up->parent) {
		if (up->seat != NULL) {
			seat_touch(up->seat);
			break;
		}
	}
	for (struct path_state *up = path; up != NULL; up = up->parent)
		timers_of_path(o, up);
	timers_of_run(o);
}

struct listed { const struct blob *blobs; size_t n; };

static bool
find_listed(const struct blob_source *source, const uint8_t digest[32], struct arena *mem,
	struct str *out, struct err *err)
{
	const struct listed *listed = source->with;

	(void)mem;
	for (size_t i = 0; i < listed->n; i++) {
		if (memcmp(listed->blobs[i].digest, digest, SHA256_SIZE) == 0) {
			*out = listed->blobs[i].bytes;
			return true;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "it is not among them");
}

static void
blobs_add(struct owner *o, const struct blob *blobs, size_t n)
{
	struct turn *turn = o->turn;
	struct blob *all = arena_array(o->turn_mem, struct blob, turn->n_blobs + n);

	if (turn->n_blobs > 0)
		memcpy(all, turn->blobs, turn->n_blobs * sizeof *all);
	memcpy(all + turn->n_blobs, blobs, n * sizeof *all);
	turn->blobs = all;
	turn->n_blobs += n;
}

/* A record of this very turn: its blobs are not in the store yet. */
static void
apply(struct owner *o, const struct record *record, const struct blob *blobs, size_t n)
{
	const struct blob_source *stored = o->state->blobs;
	struct listed listed = {blobs, n};
	struct blob_source here = {.find = find_listed, .with = &listed};
	struct err err = {0};

	o->state->blobs = &here;
	bool ok = run_apply(o->state, record, &err);
	assert(ok);
	(void)ok;
	o->state->blobs = stored;
	if (n > 0)
		blobs_add(o, blobs, n);
}

void
emit(struct owner *o, enum kind kind, struct path_state *path, uint32_t attempt,
	struct map_builder *body)
{
	struct record *record = record_add(o);
	enum outcome before = path->state;
	struct value value = map_done(body);
	struct buf text = buf_in(o->turn_mem);
	struct blob *blobs = NULL;

	json_write(&text, &value, JSON_COMPACT);
	struct str bytes = buf_str(&text);
	size_t n = blobs_split(o->turn_mem, &value, &bytes, &blobs);
	*record = (struct record){
		.seq = o->state->seq + 1, .at = o->now, .boot = o->boot, .kind = kind,
		.path = path->path, .attempt = attempt, .body = bytes,
	};
	apply(o, record, blobs, n);
	if (path->seat != NULL && path->state != before)
		seat_ended(o, path->seat, before);
	tell(o, path);
}

/* What its own path says, such as an answer, came after it was READY. */
static uint64_t
rests_on(const struct owner *o, const struct seat *seat)
{
	int last = seat->state->last;
	bool silent = last == LAST_NONE || last == REC_BEGIN;

	return silent && seat->ready_at > 0 ? seat->ready_at : o->state->seq;
}

struct act *
act_add(struct owner *o, enum act_kind kind, const struct seat *seat)
{
	struct turn *turn = o->turn;

	if (turn->n_acts == o->acts_cap) {
		size_t cap = o->acts_cap == 0 ? 8 : 2 * o->acts_cap;
		struct act *more = arena_array(o->turn_mem, struct act, cap);
		if (turn->n_acts > 0)
			memcpy(more, turn->acts, turn->n_acts * sizeof *more);
		turn->acts = more;
		o->acts_cap = cap;
	}
	struct act *act = &turn->acts[turn->n_acts++];
	*act = (struct act){.kind = kind, .path = ""};
	if (seat != NULL) {
		act->node = seat->node;
		act->path = seat->path;
		act->state = seat->state;
		act->attempt = seat->state->attempt;
		act->undone = seat->is_undo ? seat_undone(o, seat) : NULL;
		act->in = seat->in_value;
		act->after = rests_on(o, seat);
	}
	return act;
}
