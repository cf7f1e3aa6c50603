#include "run/state.h"

#include "data/json.h"
#include "run/blobs.h"
#include "run/words.h"

/* The fold. One function a kind; each reads the body, changes the path or the run, and
 * copies what it keeps. */

struct reading {
	struct run_state *state;
	const struct record *record;
	const struct value *body;
	struct path_state *path;
};

static int64_t
get_time(const struct reading *r, const char *key)
{
	return value_get_int(r->body, key, 0);
}

static const struct value *
keep(const struct reading *r, const char *key, const struct value *otherwise)
{
	const struct value *v = value_get(r->body, key);

	if (v == NULL)
		return otherwise;
	struct value *copy = arena_new_of(r->state->mem, struct value);
	*copy = value_copy(r->state->mem, v);
	return copy;
}

static const char *
keep_text(const struct reading *r, const struct value *map, const char *key)
{
	struct str text = map == NULL ? (struct str){0} : value_get_str(map, key);

	return text.p == NULL ? NULL : str_cstr(r->state->mem, text);
}

static void
read_error(const struct reading *r)
{
	const struct value *error = value_get(r->body, "error");

	if (error == NULL)
		return;
	r->path->error = keep_text(r, error, "message");
	r->path->hint = keep_text(r, error, "hint");
}

/* The sums of the paths around it follow. */
static void
set_fate(struct path_state *path, enum fate fate)
{
	int by = (fate != FATE_NONE) - (path->fate != FATE_NONE);

	path->fate = fate;
	for (struct path_state *up = path->parent; by != 0 && up != NULL; up = up->parent)
		up->touched += (unsigned)by;
}

static void
set_grade(struct run_state *state, struct path_state *path, enum grade grade)
{
	state->predicted -= path->grade == GRADE_PREDICTED;
	state->predicted += grade == GRADE_PREDICTED;
	path->grade = grade;
}

static void
apply_run(const struct reading *r)
{
	r->state->mode = mode_parse(value_get_str(r->body, "mode"));
	r->state->deadline_at = get_time(r, "deadline_at");
	struct value *copy = arena_new_of(r->state->mem, struct value);
	*copy = value_copy(r->state->mem, r->body);
	r->state->run = copy;
	r->state->started_at = r->record->at;
}

static bool
is_inside_ok(const struct path_state *path)
{
	for (const struct path_state *up = path->parent; up != NULL; up = up->parent) {
		if (up->state == OUT_OK)
			return true;
	}
	return false;
}

static bool
is_handler_list(const char *text)
{
	struct str path = str_of(text), rest;
	struct str top = str_cut(path, '/', &rest), name = str_cut(path, '[', &rest);

	return str_is(top, "on_success") || str_is(top, "on_failure") || str_is(top,
		"finally")
		|| str_is(name, "on_waiting");
}

/* Handlers are due again; what failed or was cancelled is open again, unless a group
 * around it ended well: there the failure was passed over on purpose. */
static void
reopen(const struct reading *r)
{
	struct run_state *state = r->state;

	state->end = state->ending = END_NONE;
	state->signal = HALT_NONE;
	state->halt_reason = NULL;
	state->end_body = NULL;
	state->reopened = r->record->seq;
	state->reopened_at = r->record->at;
	state->first_failure = NULL;
	for (struct path_state *path = state->first; path != NULL; path = path->next) {
		if (is_handler_list(path->path)) {
			set_fate(path, FATE_NONE);
			set_grade(state, path, GRADE_NONE);
			path_reset(path);
		} else if ((path->state == OUT_FAILED || path->state == OUT_CANCELLED)
			&& !is_inside_ok(path)) {
			path->last = LAST_REOPENED;
			path->state = OUT_NONE;
			path->tries = 0;
			path->reopened = true;
			path->late = path->grace = false;
			path->deadline_at = 0;        /* deadlines count anew */
		}
	}
}

static void
apply_own(const struct reading *r)
{
	struct run_state *state = r->state;
	struct str why = value_get_str(r->body, "why");
	bool is_start = str_is(why, "start");

	state->epoch = (unsigned)value_get_int(r->body, "epoch", 0);
	state->deadline_at = value_get_int(r->body, "deadline_at", state->deadline_at);
	struct value *copy = arena_new_of(state->mem, struct value);
	*copy = value_copy(state->mem, r->body);
	state->own = copy;
	for (struct path_state *path = state->first; path != NULL; path = path->next) {
		if (!is_start && state->at < path->deadline_at
			&& path->deadline_at <= r->record->at)
			/* it passed while nobody carried the run out */
			path->grace = true;
	}
	if (str_is(why, "reopen"))
		reopen(r);
}

static void
apply_begin(const struct reading *r)
{
	struct path_state *path = r->path;
	struct str end = value_get_str(r->body, "end");

	path->grace = false;
	if (end.p != NULL)
		r->state->ending = ending_parse(end);
	path->begun = true;
	path->deadline_at = get_time(r, "deadline_at");
	path->each = keep(r, "each", NULL);
	path->branch = (int)value_get_int(r->body, "branch", -1);
}

static void
apply_ask(const struct reading *r)
{
	struct path_state *path = r->path;
	const struct value *fate = value_get(r->body, "fate");

	path->ask = r->record->seq;
	path->what = question_kind_parse(value_get_str(r->body, "what"));
	path->shown = keep_text(r, r->body, "shown");
	path->shown = path->shown == NULL ? "" : path->shown;
	path->until_at = get_time(r, "until_at");
	if (fate != NULL)
		set_fate(path, fate_parse(fate->str));
	path->open = path->open && path->what != ASK_FAILED;
	path->before = keep(r, "before", NULL);
	path->after = keep(r, "after", NULL);
	path->question = keep_text(r, r->body, "text");
	path->word = keep_text(r, r->body, "word");
	path->by = keep_text(r, r->body, "by");
	path->not_by = keep_text(r, r->body, "not_by");
	path->at_least = (unsigned)value_get_int(r->body, "at_least", 1);
	path->asked_at = r->record->at;
	path->n_answers = 0;
	read_error(r);
}

static void
approve(struct run_state *state, struct path_state *path)
{
	const char **approved = arena_array(state->mem, const char *,
		path->n_approved + 1);

	for (unsigned i = 0; i < path->n_approved; i++)
		approved[i] = path->approved[i];
	approved[path->n_approved++] = path->shown;
	path->approved = approved;
}

static void
note_answer(const struct reading *r)
{
	struct path_state *path = r->path;
	const char *person = keep_text(r, value_get(r->body, "by"), "person");
	const char **answered = arena_array(r->state->mem, const char *,
		path->n_answers + 1);

	for (unsigned i = 0; i < path->n_answers; i++)
		answered[i] = path->answered[i];
	answered[path->n_answers++] = person == NULL ? "" : person;
	path->answered = answered;
}

/* One no is enough; a yes, when so many persons as were wanted have said it. */
static void
apply_answer(const struct reading *r)
{
	struct path_state *path = r->path;
	bool yes = value_get_bool(r->body, "yes", false);

	path->reason = keep_text(r, r->body, "reason");
	path->answers = keep(r, "answers", path->answers);
	if (yes)
		note_answer(r);
	if (yes && path->n_answers < path->at_least)
		return;
	path->ask = 0;
	if (yes)
		approve(r->state, path);
}

static void
apply_intent(const struct reading *r)
{
	struct path_state *path = r->path;

	/* the attempt before never ended: a crash */
	if (path->open) {
		set_fate(path, FATE_DOUBT);
		path->doubted = r->record->seq;
	}
	path->attempt = r->record->attempt;
	path->at = r->record->at;
	path->made_by = r->state->own;
	path->timeout_at = get_time(r, "timeout_at");
	path->open = true;
	path->state = OUT_NONE;
	path->ask = 0;
	if (path->first_at < 0)
		path->first_at = r->record->at;
	if (path->intents++ == 0) {
		path->was = keep(r, "was", NULL);
		path->in = keep(r, "in", NULL);
	}
	path->effect = effect_parse(value_get_str(r->body, "effect"));
	path->type_version = (unsigned)value_get_int(r->body, "type_version", 0);
}

static void
apply_effect(const struct reading *r)
{
	r->path->effected = true;
	r->path->open = false;
	r->path->state = OUT_NONE;
	set_fate(r->path, FATE_DONE);
	r->path->outputs = keep(r, "out", r->path->outputs);
}

static void
apply_retry(const struct reading *r)
{
	enum fate fate = fate_parse(value_get_str(r->body, "fate"));

	r->path->open = false;
	r->path->state = OUT_NONE;
	r->path->tries = (unsigned)value_get_int(r->body, "tries", 0);
	r->path->next_at = get_time(r, "next_at");
	r->path->doubted = fate == FATE_DOUBT ? r->record->seq : 0;
	set_fate(r->path, fate);
	read_error(r);
}

static void
read_log(const struct reading *r)
{
	const struct value *log = value_get(r->body, "log");

	if (log == NULL)
		return;
	r->path->log_digest = keep_text(r, log, "digest");
	r->path->log_bytes = (uint64_t)value_get_int(log, "bytes", 0);
}

static void
apply_outcome(const struct reading *r)
{
	struct path_state *path = r->path;
	enum fate fate = fate_parse(value_get_str(r->body, "fate"));

	path->open = false;
	path->state = outcome_parse(value_get_str(r->body, "state"));
	path->how = way_parse(value_get_str(r->body, "how"));
	set_grade(r->state, path, grade_parse(value_get_str(r->body, "grade")));
	set_fate(path, fate);
	path->ask = 0;
	path->ended_seq = r->record->seq;
	path->ended_at = r->record->at;
	if (fate == FATE_DOUBT)
		path->doubted = r->record->seq;
	if (path->state == OUT_DOUBT)
		path->asked_at = r->record->at;
	if (path->state == OUT_FAILED && r->state->first_failure == NULL)
		r->state->first_failure = path;
	path->outputs = keep(r, "outputs", path->outputs);
	path->measures = keep(r, "measures", path->measures);
	path->before = keep(r, "before", path->before);
	path->after = keep(r, "after", path->after);
	if (path->state == OUT_OK)
		path->error = path->hint = NULL;
	read_error(r);
	read_log(r);
}

static void
apply_resolve(const struct reading *r)
{
	struct path_state *path = r->path;

	path->choice = choice_parse(value_get_str(r->body, "choice"));
	path->reason = keep_text(r, r->body, "reason");
	path->ask = 0;
	path->state = OUT_NONE;
	path->tries = 0;
	path->reopened = false;
	if (path->choice == CHOICE_RETRY_AS_NEW) {
		path->generation++;
		path->first_at = -1;
	}
	path->outputs = keep(r, "outputs", path->outputs);
}

static void
apply_signal(const struct reading *r)
{
	if (*r->path->path != '\0') {
		r->path->late = true;
		return;
	}
	r->state->signal = halt_parse(value_get_str(r->body, "what"));
	r->state->halt_reason = keep_text(r, r->body, "reason");
}

static void
apply_end(const struct reading *r)
{
	struct value *copy = arena_new_of(r->state->mem, struct value);

	r->state->end = ending_parse(value_get_str(r->body, "state"));
	r->state->ended_at = r->record->at;
	*copy = value_copy(r->state->mem, r->body);
	r->state->end_body = copy;
}

static void
apply_note(const struct reading *r)
{
	struct run_state *state = r->state;
	struct note *note = arena_new_of(state->mem, struct note);

	*note = (struct note){.at = r->record->at,
		.what = keep_text(r, r->body, "what"),
		.text = keep_text(r, r->body, "text"),
		.of = keep(r, "of", NULL)};
	if (state->notes == NULL)
		state->notes = note;
	else
		state->last_note->next = note;
	state->last_note = note;
}

static void
apply_kind(const struct reading *r)
{
	switch (r->record->kind) {
	case REC_RUN: apply_run(r); break;
	case REC_OWN: apply_own(r); break;
	case REC_BEGIN: apply_begin(r); break;
	case REC_ASK: apply_ask(r); break;
	case REC_ANSWER: apply_answer(r); break;
	case REC_INTENT: apply_intent(r); break;
	case REC_SAVE: r->path->saved = keep(r, "value", NULL); break;
	case REC_EFFECT: apply_effect(r); break;
	case REC_RETRY: apply_retry(r); break;
	case REC_OUTCOME: apply_outcome(r); break;
	case REC_RESOLVE: apply_resolve(r); break;
	case REC_SIGNAL: apply_signal(r); break;
	case REC_END: apply_end(r); break;
	case REC_NOTE: apply_note(r); break;
	case REC_REBASE: r->state->rebase = keep(r, "to", NULL); break;
	case REC_TICK: case REC_KINDS: break;
	}
}

static void
note_message(struct run_state *state, uint64_t id)
{
	size_t n = state->n_messages;

	if ((n & (n - 1)) == 0) {                     /* full at each power of two */
		uint64_t *more = arena_array(state->mem, uint64_t, n == 0 ? 1 : 2 * n);
		for (size_t i = 0; i < n; i++)
			more[i] = state->messages[i];
		state->messages = more;
	}
	state->messages[n] = id;
	state->n_messages++;
	if (id > state->last_message)
		state->last_message = id;
}

static void
shift(struct run_state *state, struct path_state *scope, int64_t by)
{
	if (scope->parent == NULL)
		state->deadline_at += state->deadline_at != 0 ? by : 0;
	else
		scope->deadline_at += scope->deadline_at != 0 ? by : 0;
}

/* A person's time does not count, in the step and all around it: from the first open
 * question or doubt below a scope to the last one's answer its clock stands still. */
static void
note_waiting(const struct reading *r, bool waits)
{
	struct path_state *path = r->path;
	int mine = path->is_waiting, change = (int)waits - mine;

	for (struct path_state *scope = path; scope != NULL; scope = scope->parent) {
		unsigned others = scope->waiters - (unsigned)mine;
		scope->waiters += (unsigned)change;
		if (others > 0)
			continue;
		if (waits) {
			scope->since = r->record->at;
		} else if (scope->since >= 0) {
			shift(r->state, scope, r->record->at - scope->since);
			scope->since = -1;
		}
	}
	if (mine)
		list_remove(&path->waiting);
	if (waits)
		list_append(&r->state->waiting, &path->waiting);
	path->is_waiting = waits;
}

static bool
waits_for_person(const struct path_state *path)
{
	return path->ask != 0 || path->state == OUT_DOUBT;
}

static bool
starts_path(enum kind kind)
{
	return kind == REC_BEGIN || kind == REC_ASK || kind == REC_INTENT
		|| kind == REC_OUTCOME;
}

/* The last record of a path says where it stands. That a re-opened step begins anew does
 * not tell how far it had got. */
static bool
shows_where(const struct reading *r)
{
	enum kind kind = r->record->kind;

	if (*r->path->path == '\0')
		return kind != REC_OWN && kind != REC_SIGNAL && kind != REC_NOTE
			&& kind != REC_REBASE;
	return kind != REC_BEGIN || r->path->last != LAST_REOPENED
		|| r->path->intents == 0;
}

static bool
read_body(struct run_state *state, const struct record *record, struct value *body,
	struct err *err)
{
	if (!json_parse(state->scratch, record->body, NULL, body, err))
		return false;
	switch (value_get_int(body, "v", 0)) {
	case 1: return true;
	case 2: return blobs_join(state->scratch, body, state->blobs, err);
	default: return err_set(err, ERR_VERSION, "it is newer than this rbx");
	}
}

bool
run_apply(struct run_state *state, const struct record *record, struct err *err)
{
	struct value body;

	arena_reset(state->scratch);
	if (!read_body(state, record, &body, err))
		return err_wrap(err, "record %llu", (unsigned long long)record->seq);
	struct reading r = {state, record, &body, state_path(state, record->path)};
	bool is_void = value_get_bool(&body, "void", false);
	bool waited = waits_for_person(r.path), is_run = *record->path == '\0';

	if (!is_void)
		apply_kind(&r);
	if (!is_void && shows_where(&r))
		r.path->last = (int)record->kind;
	if (r.path->started_at == 0 && starts_path(record->kind) && !is_void)
		r.path->started_at = record->at;
	const struct value *message = value_get(&body, "message");
	if (message != NULL)
		note_message(state, (uint64_t)value_get_int(&body, "message", 0));
	if (!is_run && waits_for_person(r.path) != waited)
		note_waiting(&r, !waited);
	state->seq = record->seq;
	state->at = record->at;
	return true;
}
