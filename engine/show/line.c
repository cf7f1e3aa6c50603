#include "show/line.h"

#include "data/json.h"
#include "run/permit.h"

struct line {
	struct buf *out;
	const struct style *style;
	const struct run_state *state;
	const struct playbook *book;
	const struct record *record;
	const struct path_state *path;
	struct value body;
};

static const char *
path_text(const struct line *line)
{
	return line->record->path[0] == '\0' ? "run" : line->record->path;
}

static void
begin(struct line *line, enum tone tone, const char *mark, const char *plain)
{
	buf_printf(line->out, "%s  ", time_clock(line->out->mem, line->record->at));
	style_text(line->out, line->style, tone, line->style->ascii ? plain : mark);
	buf_printf(line->out, " %-34s ", path_text(line));
}

static void
more(struct line *line, const char *name, struct str text)
{
	if (text.n == 0)
		return;
	buf_printf(line->out, "            %s", name);
	for (struct str rest = str_trim(text); rest.n > 0;) {
		struct str part = str_cut(rest, '\n', &rest);
		buf_safe(line->out, part, false);
		if (rest.n > 0)
			buf_puts(line->out, "\n            ");
	}
	buf_putc(line->out, '\n');
}

static struct str
text(const struct line *line, const char *name)
{
	return value_get_str(&line->body, name);
}

/* An error in a record is its message, or {message, hint, …}. */
static struct str
error_text(const struct line *line, const char *member)
{
	const struct value *error = value_get(&line->body, "error");
	if (error != NULL && error->kind == V_STRING)
		return strcmp(member, "message") == 0 ? error->str
						      : (struct str){NULL, 0};
	return value_get_str(error, member);
}

static void
write_run(struct line *line)
{
	const char *word = mode_word(line->state->mode);
	begin(line, TONE_BOLD, "●", "*");
	buf_printf(line->out, "%.*s: ", STR_FMT(line->state->id));
	buf_safe(line->out, str_of(line->book->name), false);
	if (line->state->mode != MODE_RUN)
		buf_printf(line->out, " (%s)",
			line->state->mode == MODE_DRY ? "dry run: nothing is changed"
						      : word);
	buf_printf(line->out, ", %s\n", time_day(line->out->mem, line->record->at));
}

/* The person, if it is known who that is; the user of the process else. */
static struct str
who_said(const struct line *line)
{
	const struct value *by = value_get(&line->body, "by");
	struct str person = value_get_str(by, "person");
	return person.n > 0 ? person : value_get_str(by, "user");
}

static void
write_own(struct line *line)
{
	struct str why = text(line, "why");
	if (str_is(why, "start"))
		return;
	begin(line, TONE_BOLD, "●", "*");
	buf_puts(line->out, str_is(why, "reopen") ? "opened again" : "goes on");
	struct str user = who_said(line);
	if (user.n > 0)
		buf_printf(line->out, " by %.*s", STR_FMT(user));
	buf_putc(line->out, '\n');
	more(line, "reason:  ", text(line, "reason"));
}

static void
write_rebase(struct line *line)
{
	begin(line, TONE_BOLD, "●", "*");
	buf_puts(line->out, "goes on with another playbook: ");
	buf_safe(line->out, text(line, "file"), false);
	struct str to = text(line, "to");
	to.n = to.n < 12 ? to.n : 12;
	buf_printf(line->out, " (%.*s)\n", STR_FMT(to));
}

static void
write_ask(struct line *line)
{
	bool change = !str_is(text(line, "what"), "failed");
	struct str rest, asked = str_trim(
		change ? text(line, "text") : error_text(line, "message"));
	begin(line, TONE_ASK, "?", "?");
	buf_safe(line->out, str_cut(asked, '\n', &rest), false);
	buf_putc(line->out, '\n');
	more(line, "", rest);
	if (line->path->before != NULL || line->path->after != NULL)
		diff_write(line->out, line->style, line->path->before, line->path->after,
			12);
	struct str word = text(line, "word");
	const char *who = permit_text(line->out->mem, line->state, line->path);
	if (change && who != NULL)
		more(line, "by:      ", str_of(who));
	if (change)
		more(line, "answer:  ",
			str_of(arena_printf(line->out->mem, "rbx approve %.*s %s%s%.*s",
				STR_FMT(line->state->id), path_text(line),
				word.n > 0 ? " --word " : "", STR_FMT(word))));
	else
		more(line, "answer:  ",
			str_of(arena_printf(line->out->mem,
				"rbx resolve %.*s %s --retry|--skip|--failed --reason "
				"TEXT",
				STR_FMT(line->state->id), path_text(line))));
}

static void
write_void(struct line *line)
{
	struct str who = who_said(line), why = error_text(line, "message");
	if (why.n == 0) {
		buf_puts(line->out,
			"an answer came to nothing: the question was another one, "
			"or its word was not given\n");
		return;
	}
	buf_printf(line->out, "an answer of %.*s does not count\n", STR_FMT(who));
	more(line, "because: ", why);
	more(line, "hint:    ", error_text(line, "hint"));
}

static void
write_answer(struct line *line)
{
	bool yes = value_get_bool(&line->body, "yes", false);
	bool is_void = value_get_bool(&line->body, "void", false);
	long long missing = value_get_int(&line->body, "missing", 0);
	yes = yes && !is_void;
	begin(line, yes ? TONE_GOOD : TONE_WARN, yes ? "✓" : "✗", yes ? "+" : "x");
	if (is_void) {
		write_void(line);
		return;
	}
	struct str user = who_said(line);
	buf_printf(line->out, "%s", yes ? "approved" : "refused");
	if (user.n > 0)
		buf_printf(line->out, " by %.*s", STR_FMT(user));
	if (missing > 0)
		buf_printf(line->out, "; %lld more %s to", missing,
			missing == 1 ? "has" : "have");
	buf_putc(line->out, '\n');
	more(line, "reason:  ", text(line, "reason"));
}

static void
write_note(struct line *line)
{
	begin(line, TONE_PLAIN, "·", "-");
	buf_printf(line->out, "%.*s: ", STR_FMT(text(line, "what")));
	buf_safe(line->out, text(line, "text"), false);
	buf_putc(line->out, '\n');
}

static void
write_intent(struct line *line)
{
	begin(line, TONE_WORK, "▸", ">");
	buf_puts(line->out, "changes");
	if (line->record->attempt > 1)
		buf_printf(line->out, ", attempt %u", line->record->attempt);
	if (value_get_bool(&line->body, "repeat", false))
		buf_puts(line->out, ", possibly a repeat");
	buf_putc(line->out, '\n');
}

static void
write_effect(struct line *line)
{
	bool adopted = value_get_bool(&line->body, "adopted", false);
	begin(line, TONE_WORK, "▸", ">");
	buf_puts(line->out,
		adopted ? "found done; waits until it holds\n"
			: "changed; waits until it holds\n");
}

static void
write_retry(struct line *line)
{
	int64_t at = value_get_int(&line->body, "next_at", 0),
		wait = (at - line->record->at) * 1000;
	begin(line, TONE_WARN, "↻", "~");
	buf_printf(line->out, "again %s%s (%lld used up)\n", wait > 0 ? "in " : "now",
		wait > 0 ? duration_short(line->out->mem, wait) : "",
		(long long)value_get_int(&line->body, "tries", 0));
	more(line, "because: ", error_text(line, "message"));
}

static const struct node *
node_of(const struct line *line)
{
	return line->book == NULL ? NULL
				  : playbook_node(line->book, str_of(line->record->path));
}

/* What a notify to standard output says is said here, when it is on the record. */
static void
write_spoken(struct line *line)
{
	const struct node *node = node_of(line);
	if (node == NULL || node->type == NULL || strcmp(node->type->name, "notify") != 0
		|| line->path->state != OUT_OK || line->state->mode == MODE_DRY
		|| !str_is(value_get_str(line->path->in, "to"), "stdout"))
		return;
	more(line, line->state->mode == MODE_DRILL ? "[drill] " : "",
		value_get_str(line->path->in, "text"));
}

/* Why a dry run could not do better than to assume. */
static void
write_assumed(struct line *line)
{
	const struct node *node = playbook_node(line->book, str_of(line->record->path));
	struct str now = error_text(line, "message");
	if (now.n > 0)
		more(line, "as of now: ", now);
	else if (node != NULL && node->samples != NULL && node->samples->count > 1)
		more(line, "", str_of(arena_printf(line->out->mem,
			"holds; one sample of %u was taken", node->samples->count)));
	else if (line->path->before == NULL && line->path->after == NULL)
		more(line, "", STR("cannot be looked at before it is carried out"));
}

static void
write_outcome(struct line *line)
{
	enum tone tone;
	const char *mark = style_mark(line->style, line->path, &tone);
	int64_t took = line->path->started_at == 0
		? 0
		: (line->record->at - line->path->started_at) * 1000;
	begin(line, tone, mark, mark);
	style_text(line->out, line->style, tone, style_state(line->state, line->path));
	if (took >= 100 * NS_MS)
		buf_printf(line->out, "  %s", duration_short(line->out->mem, took));
	buf_putc(line->out, '\n');
	if (line->path->state == OUT_FAILED || line->path->state == OUT_DOUBT
		|| line->path->state == OUT_CANCELLED) {
		more(line, "", error_text(line, "message"));
		more(line, "hint:    ", error_text(line, "hint"));
	}
	if (line->path->grade == GRADE_PREDICTED || line->path->grade == GRADE_ASSUMED)
		diff_write(line->out, line->style, line->path->before, line->path->after,
			12);
	if (line->path->grade == GRADE_ASSUMED)
		write_assumed(line);
	if (line->path->state == OUT_DOUBT)
		more(line, "settle:  ",
			str_of(arena_printf(line->out->mem,
				"look, then rbx resolve %.*s %s "
				"--done|--failed|--skip|--retry --reason TEXT",
				STR_FMT(line->state->id), path_text(line))));
	write_spoken(line);
}

static void
write_resolve(struct line *line)
{
	begin(line, TONE_ASK, "!", "!");
	buf_printf(line->out, "resolved as %.*s%s\n", STR_FMT(text(line, "choice")),
		value_get_bool(&line->body, "void", false) ? ": nothing to settle" : "");
	more(line, "reason:  ", text(line, "reason"));
}

static void
write_signal(struct line *line)
{
	struct str what = text(line, "what");
	begin(line, TONE_WARN, "■", "#");
	buf_printf(line->out, "%s\n",
		str_is(what, "deadline")       ? "its deadline has passed"
			: str_is(what, "stop") ? "stopped at once"
			: str_is(what, "lost") ? "a lock was lost: nothing new starts,"
						 " what changes is brought to its end"
					       : "cancelled: nothing new starts, what "
						 "changes is brought to its end");
	more(line, "reason:  ", text(line, "reason"));
}

static void
write_line(struct line *line)
{
	switch (line->record->kind) {
	case REC_RUN: write_run(line); break;
	case REC_OWN: write_own(line); break;
	case REC_ASK: write_ask(line); break;
	case REC_ANSWER: write_answer(line); break;
	case REC_INTENT: write_intent(line); break;
	case REC_EFFECT: write_effect(line); break;
	case REC_RETRY: write_retry(line); break;
	case REC_OUTCOME: write_outcome(line); break;
	case REC_RESOLVE: write_resolve(line); break;
	case REC_SIGNAL: write_signal(line); break;
	case REC_NOTE: write_note(line); break;
	case REC_REBASE: write_rebase(line); break;
	default: break;
	}
}

void
line_write(struct buf *out, const struct style *style, const struct run_state *state,
	const struct playbook *book, const struct record *record)
{
	struct line line = {.out = out,
		.style = style,
		.state = state,
		.book = book,
		.record = record,
		.path = state_find(state, record->path)};
	struct err ignored;
	if (line.path != NULL
		&& json_parse(out->mem, record->body, NULL, &line.body, &ignored))
		write_line(&line);
}
