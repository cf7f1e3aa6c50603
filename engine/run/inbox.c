#include "run/owner.h"

#include "data/json.h"
#include "run/permit.h"
#include "run/words.h"

/* Messages of people: what the owner made of each, on the record, exactly once. */

struct letter {                                       /* a message, read */
	const struct message *message;
	struct value body;
	struct str what;                              /* cancel, stop, approve, resolve */
	struct path_state *path;
	struct seat *seat;                            /* NULL: no walk has been there */
};

static bool
is_known(const struct run_state *state, uint64_t id)
{
	/* of the owner's own terminal: in no inbox */
	if (id == 0)
		return false;
	for (size_t i = 0; i < state->n_messages; i++) {
		if (state->messages[i] == id)
			return true;
	}
	return false;
}

static void
body_message(struct map_builder *body, const struct letter *letter)
{
	const struct message *message = letter->message;
	struct map_builder by = {.mem = body->mem};
	struct str reason = value_get_str(&letter->body, "reason");

	if (message->id != 0)
		map_put(body, "message", value_int((int64_t)message->id));
	map_put(&by, "uid", value_int(message->uid));
	body_text(&by, "user", message->user);
	body_text(&by, "host", message->host);
	body_text(&by, "person", message->person);
	body_text(&by, "known_by", message->known_by);
	map_put(body, "by", map_done(&by));
	if (reason.p != NULL)
		map_put(body, "reason", value_str(reason));
}

/* ---- cancel, stop */

static bool
is_before_reopening(const struct owner *o, const struct letter *letter)
{
	int64_t after = value_get_int(&letter->body, "after", -1);

	if (after >= 0)
		return (uint64_t)after < o->state->reopened;
	return letter->message->at < o->state->reopened_at;
}

void
inbox_cut(struct owner *o, bool stop)
{
	o->flags++;
	for (size_t i = 0; i < o->n_order; i++) {
		struct seat *seat = o->order[i];
		if (seat == NULL || (seat->is_handler && !stop
			&& seat->stand != STAND_ASK))
			continue;
		if (stop && seat->stand == STAND_RUN)
			seat_cut(o, seat, CUT_NONE);
		leaf_cut(o, seat, stop ? CUT_STOP : CUT_CANCEL);
	}
}

static void
take_halt(struct owner *o, const struct letter *letter)
{
	struct map_builder body = body_new(o);
	enum halt before = o->state->signal;
	bool is_stop = str_is(letter->what, "stop");

	body_message(&body, letter);
	/* meant for the run as it was before, or for one that is stopped for its lock */
	if (is_before_reopening(o, letter) || before == HALT_LOST) {
		map_put(&body, "what", value_str(letter->what));
		map_put(&body, "void", value_bool(true));
		emit(o, REC_SIGNAL, o->state->first, 0, &body);
		return;
	}
	is_stop = is_stop || before == HALT_CANCEL || before == HALT_STOP;
	body_text(&body, "what", is_stop ? "stop" : "cancel");
	emit(o, REC_SIGNAL, o->state->first, 0, &body);
	inbox_cut(o, is_stop);
}

/* ---- approve */

/* why: for people; NULL: it answers no question that stands. */
static void
void_answer(struct owner *o, const struct letter *letter, int64_t ask, bool yes,
	const struct err *why)
{
	struct map_builder body = body_new(o);

	map_put(&body, "ask", value_int(ask));
	map_put(&body, "yes", value_bool(yes));
	map_put(&body, "void", value_bool(true));
	body_error(&body, why);
	body_message(&body, letter);
	emit(o, REC_ANSWER, letter->path, 0, &body);
}

static void
accepted(struct owner *o, struct seat *seat)
{
	leaf_wait(o, seat, WAIT_NONE, 0);
	if (seat->is_leaf && seat->has_preview)
		leaf_look(o, seat);
	else if (seat->is_leaf)
		leaf_check(o, seat);
}

static void
refused(struct owner *o, struct seat *seat, const struct letter *letter)
{
	const struct message *by = letter->message;
	struct str reason = value_get_str(&letter->body, "reason");
	struct err err = {0};
	struct result result = {.verdict = STEP_FAIL, .err = &err};

	err_set(&err, ERR_DENIED, "%s said no%s%.*s",
		by->person != NULL && *by->person != '\0' ? by->person : by->user,
		reason.n > 0 ? ": " : "", STR_FMT(reason));
	leaf_wait(o, seat, WAIT_NONE, 0);
	if (!seat->is_leaf)
		group_refuse(o, seat, OUT_FAILED, &err);
	else if (seat->state->fate != FATE_DOUBT)
		leaf_give_up(o, seat, seat->state->fate, &result);
	else
		leaf_final(o, seat, (struct final){.state = OUT_DOUBT,
			.fate = FATE_DOUBT});
}

/* A question may want a word to be typed; an answer without it is none. */
static bool
says_word(const struct letter *letter)
{
	const char *word = letter->path->word;

	return word == NULL || str_is(value_get_str(&letter->body, "word"), word);
}

static void
take_answer(struct owner *o, const struct letter *letter)
{
	const struct path_state *state = letter->path;
	int64_t ask = value_get_int(&letter->body, "ask", (int64_t)state->ask);
	bool yes = value_get_bool(&letter->body, "yes", true);
	struct map_builder body = body_new(o);
	const struct answerer from = {letter->message->person, letter->message->groups};
	struct err err;

	if (letter->seat == NULL || state->ask == 0 || state->what != ASK_CHANGE
		|| (uint64_t)ask != state->ask || (yes && !says_word(letter))) {
		void_answer(o, letter, ask, yes, NULL);
		return;
	}
	/* a step asks again where the time is over; a group has no second question */
	if (!letter->seat->is_leaf && state->until_at != 0
		&& letter->message->at >= state->until_at) {
		err_set(&err, ERR_TIMEOUT, "the time to answer was over");
		void_answer(o, letter, ask, yes, &err);
		return;
	}
	if (!permit_answer(o->state, state, &from, yes, &err)) {
		void_answer(o, letter, ask, yes, &err);
		return;
	}
	unsigned missing = yes ? permit_missing(state) - 1 : 0;
	map_put(&body, "ask", value_int(ask));
	map_put(&body, "yes", value_bool(yes));
	if (yes)
		body_value(&body, "answers", value_get(&letter->body, "answers"));
	if (missing > 0)
		map_put(&body, "missing", value_int(missing));
	body_message(&body, letter);
	emit(o, REC_ANSWER, letter->path, 0, &body);
	if (!yes)
		refused(o, letter->seat, letter);
	else if (missing == 0)
		accepted(o, letter->seat);
}

/* ---- resolve */

static void
resolve_retry(struct owner *o, struct seat *seat, enum fate fate)
{
	seat_stand(o, seat, STAND_READY);
	seat->last = seat->free = false;
	seat_cut(o, seat, CUT_NONE);
	if (is_cancelled(o))
		leaf_final(o, seat, (struct final){.fate = fate,
			.state = fate != FATE_DOUBT ? OUT_CANCELLED : OUT_DOUBT});
}

static void
resolve_end(struct owner *o, struct seat *seat, enum choice choice, enum fate fate)
{
	struct final final = {.how = WAY_RESOLVED};

	switch (choice) {
	case CHOICE_DONE:
		final.state = OUT_OK;
		final.fate = seat->effect == PURE ? FATE_NONE : FATE_DONE;
		break;
	case CHOICE_FAILED:
		final.state = OUT_FAILED;
		final.fate = fate == FATE_DOUBT ? FATE_NONE : fate;
		break;
	default:
		final.state = OUT_SKIPPED;
		final.fate = fate;
	}
	leaf_final(o, seat, final);
}

/* Whoever sent it saw another question, or an attempt before the last one. An open intent
 * of a dead owner is answered without either. */
static bool
is_stale(const struct letter *letter)
{
	const struct path_state *state = letter->path;
	int64_t ask = value_get_int(&letter->body, "ask", -1);
	int64_t attempt = value_get_int(&letter->body, "attempt", -1);

	return (ask >= 0 && state->ask != 0 && (uint64_t)ask != state->ask)
		|| (attempt >= 0 && attempt != (int64_t)state->attempt);
}

static void
take_resolve(struct owner *o, const struct letter *letter)
{
	const struct path_state *state = letter->path;
	struct str word = value_get_str(&letter->body, "choice");
	enum choice choice = choice_parse(word);
	enum fate fate = state->fate;
	struct map_builder body = body_new(o);
	bool open = state->state == OUT_DOUBT || (state->ask != 0
		&& state->what == ASK_FAILED);

	map_put(&body, "choice", value_str(word));
	if (letter->seat == NULL || !open || !letter->seat->is_leaf
		|| choice == CHOICE_NONE || is_stale(letter)) {
		map_put(&body, "void", value_bool(true));
		body_message(&body, letter);
		emit(o, REC_RESOLVE, letter->path, 0, &body);
		return;
	}
	if (choice == CHOICE_DONE)
		body_value(&body, "outputs", value_get(&letter->body, "outputs"));
	if (choice == CHOICE_RETRY_AS_NEW)
		map_put(&body, "generation", value_int(state->generation + 1));
	body_message(&body, letter);
	o->flags++;
	emit(o, REC_RESOLVE, letter->path, 0, &body);
	if (choice == CHOICE_RETRY || choice == CHOICE_RETRY_AS_NEW)
		resolve_retry(o, letter->seat, fate);
	else
		resolve_end(o, letter->seat, choice, fate);
}

/* ---- */

static bool
is_looking(const struct seat *seat)
{
	switch (seat->stand) {
	case STAND_PROVIDE: case STAND_LOOK: case STAND_CHECK: case STAND_RUN:
	case STAND_SETTLE: case STAND_PROBE: case STAND_ENDING:
		return seat->state->state == OUT_DOUBT || seat->sub != SUB_NONE;
	default:
		return false;
	}
}

/* rbx is looking for itself; the answer waits for that. */
static bool
must_wait(const struct letter *letter)
{
	const struct seat *seat = letter->seat;

	if (seat == NULL || !seat->is_leaf)
		return false;
	bool early = str_is(letter->what, "approve") && letter->path->ask != 0
		&& seat->stand != STAND_ASK;
	return early || is_looking(seat);
}

static const char *const *
copy_groups(struct arena *mem, const char *const *groups)
{
	size_t n = 0;

	while (groups != NULL && groups[n] != NULL)
		n++;
	const char **copy = arena_array(mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(mem, groups[i]);
	return copy;
}

static void
keep(struct owner *o, struct kept_message **at, const struct message *message)
{
	for (; *at != NULL; at = &(*at)->next) {
		if (message->id != 0 && (*at)->message.id == message->id)
			return;
	}
	*at = arena_new_of(o->mem, struct kept_message);
	(*at)->message = *message;
	(*at)->message.body = str_copy(o->mem, message->body);
	(*at)->message.user = arena_strdup(o->mem,
		message->user == NULL ? "" : message->user);
	(*at)->message.host = arena_strdup(o->mem,
		message->host == NULL ? "" : message->host);
	if (message->person != NULL)
		(*at)->message.person = arena_strdup(o->mem, message->person);
	if (message->known_by != NULL)
		(*at)->message.known_by = arena_strdup(o->mem, message->known_by);
	(*at)->message.groups = copy_groups(o->mem, message->groups);
}

void
inbox_yes(struct owner *o, const struct seat *seat)
{
	const struct confirm *confirm = seat->node->confirm;
	const struct path_state *state = seat->state;
	struct map_builder body = {.mem = o->turn_mem};

	if (!o->options.yes || confirm == NULL || state->word != NULL || state->by != NULL
		|| confirm->not_by != NULL || confirm->at_least > 1)
		return;
	map_put(&body, "do", value_str(STR("approve")));
	map_put(&body, "step", value_str(str_of(state->path)));
	map_put(&body, "ask", value_int((int64_t)state->ask));
	map_put(&body, "yes", value_bool(true));
	map_put(&body, "reason", value_str(STR("--yes")));
	struct value v = map_done(&body);
	struct message message = {.at = o->now, .uid = o->options.uid,
		.user = o->options.user, .host = o->options.host,
		.person = o->options.person, .known_by = o->options.known_by,
		.body = str_of(json_text(o->turn_mem, &v, JSON_COMPACT))};
	keep(o, &o->inbox, &message);
}

static bool
read_letter(struct owner *o, const struct message *message, struct letter *letter)
{
	struct err err;

	*letter = (struct letter){.message = message};
	if (!json_parse(o->turn_mem, message->body, NULL, &letter->body, &err))
		return false;
	struct str step = value_get_str(&letter->body, "step");
	letter->what = value_get_str(&letter->body, "do");
	letter->path = state_path(o->state, str_cstr(o->turn_mem, step));
	struct seat *seat = letter->path->seat;
	letter->seat = seat != NULL && seat->seen ? seat : NULL;
	return true;
}

static void
void_unread(struct owner *o, const struct message *message)
{
	struct map_builder body = body_new(o);

	body_text(&body, "what", "cancel");
	map_put(&body, "void", value_bool(true));
	map_put(&body, "message", value_int((int64_t)message->id));
	body_text(&body, "reason", "a message that this rbx does not understand");
	emit(o, REC_SIGNAL, o->state->first, 0, &body);
}

void
inbox_take(struct owner *o, const struct message *message)
{
	struct letter letter;

	if (is_known(o->state, message->id))
		return;
	if (!read_letter(o, message, &letter)) {
		void_unread(o, message);
		return;
	}
	if (str_is(letter.what, "cancel") || str_is(letter.what, "stop")) {
		take_halt(o, &letter);
		return;
	}
	ticket_take(o, letter.path);
	if (must_wait(&letter))
		keep(o, &o->inbox, message);
	else if (str_is(letter.what, "approve"))
		take_answer(o, &letter);
	else if (str_is(letter.what, "resolve"))
		take_resolve(o, &letter);
	else
		void_unread(o, message);
}

static bool
may_be_taken(struct owner *o, const struct message *message)
{
	struct letter letter;

	if (!read_letter(o, message, &letter))
		return false;
	if (str_is(letter.what, "cancel") || str_is(letter.what, "stop"))
		return true;
	if (letter.seat == NULL)
		return false;
	return letter.seat->stand == STAND_DOUBT || letter.seat->stand == STAND_FINAL
		|| letter.seat->stand == STAND_ASK;
}

bool
inbox_is_ripe(struct owner *o)
{
	for (struct kept_message *kept = o->inbox; kept != NULL; kept = kept->next) {
		if (may_be_taken(o, &kept->message))
			return true;
	}
	return false;
}

void
inbox_waiting(struct owner *o)
{
	struct kept_message **at = &o->inbox, *taken = NULL, **end = &taken;

	while (*at != NULL) {
		struct kept_message *kept = *at;
		if (!may_be_taken(o, &kept->message)) {
			at = &kept->next;
			continue;
		}
		*at = kept->next;
		kept->next = NULL;
		*end = kept;
		end = &kept->next;
	}
	for (; taken != NULL; taken = taken->next)
		inbox_take(o, &taken->message);
}

bool
inbox_has_resolve(struct owner *o, const char *path)
{
	const struct kept_message *kept;
	struct letter letter;

	for (kept = o->inbox; kept != NULL; kept = kept->next) {
		if (read_letter(o, &kept->message, &letter) && str_is(letter.what,
			"resolve")
			&& strcmp(letter.path->path, path) == 0)
			return true;
	}
	return false;
}

/* A cancel to a dead owner is taken before anything starts, a `resolve` before an open
 * intent is decided about; answers after the first walk, so that they meet questions. */
void
inbox_claim(struct owner *o, const struct message *message)
{
	struct letter letter;
	bool first = read_letter(o, message, &letter) && !str_is(letter.what, "approve");

	keep(o, first ? &o->inbox : &o->unread, message);
}

/* Of what was kept for the first walk: it came to nothing there. */
static struct kept_message *
missed(struct owner *o)
{
	for (struct kept_message **at = &o->inbox; *at != NULL; at = &(*at)->next) {
		struct kept_message *kept = *at;
		struct letter letter;
		if (read_letter(o, &kept->message, &letter) && letter.seat != NULL)
			continue;
		*at = kept->next;
		return kept;
	}
	return NULL;
}

bool
inbox_next(struct owner *o)
{
	struct kept_message *next = missed(o);

	if (next == NULL && o->unread != NULL) {
		next = o->unread;
		o->unread = next->next;
	}
	if (next != NULL)
		inbox_take(o, &next->message);
	return next != NULL;
}
