#include "show/view.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "run/forecast.h"
#include "show/line.h"
#include "show/question.h"

enum { TAIL = 4, MOST_STEPS = 8, MOST_TITLE = 120 };

static const int64_t frame_ns = 100 * NS_MS; /* ten pictures a second are enough */
static const int64_t still_ns = NS_S;        /* while only clocks change */
/* How often a key is looked for: at each picture while somebody types, or for a night
 * more seldom, for each look wakes the machine. */
static const int64_t keys_ns = 250 * NS_MS, typing_ns = 10 * NS_S;

struct progress {
	char path[256], title[MOST_TITLE], unit[8];
	uint64_t done, total;
	int64_t since; /* boot ns of the first word of it */
};

struct live {
	struct observer observer;
	struct style style;
	struct arena *scratch, *frame;                /* of one record, of one picture */
	const struct playbook *book;
	const struct run_state *state;
	const struct owner *owner;
	const struct run_state *former;
	struct buf pending; /* lines that scroll by, in scratch */
	char tail[TAIL][256]; /* the last lines of output, a ring */
	unsigned tail_next;
	struct progress progress[MOST_STEPS];
	unsigned drawn; /* lines of the region on the screen */
	int64_t drawn_at, typed_at; /* boot ns */
	bool dirty, gone, raw;
	bool moves; /* the last picture shows something at work */
	struct termios before;
	struct question_state question;
	/* a line that is wanted before any question; "": none. typed: not shown */
	char wanted[MOST_TITLE * 2], typed[64];
	size_t n_typed;
	bool is_said;
	struct str body; /* an answer that waits to be fetched */
	char answer_bytes[2048];
};

static void
say(struct live *live, struct str text)
{
	while (text.n > 0 && !live->gone) {
		ssize_t n = write(STDOUT_FILENO, text.p, text.n);
		if (n < 0 && errno != EINTR)
			live->gone = true;
		text = str_from(text, n < 0 ? 0 : (size_t)n);
	}
}

/* ---- what happens */

static void
opened(struct observer *observer, const struct playbook *book,
	const struct run_state *state, const struct owner *owner)
{
	struct live *live = (struct live *)observer;
	live->book = book;
	live->state = state;
	live->owner = owner;
}

static void
record(struct observer *observer, const struct record *record)
{
	struct live *live = (struct live *)observer;
	line_write(&live->pending, &live->style, live->state, live->book, record);
	live->dirty = true;
}

static void
told(struct observer *observer, enum diag_level level, const struct err *err)
{
	struct live *live = (struct live *)observer;
	diag_print(&live->pending, level, err, live->style.colour);
	live->dirty = true;
}

static void
output(struct observer *observer, const char *path, int fd, struct str text)
{
	struct live *live = (struct live *)observer;
	(void)path, (void)fd;
	for (struct str rest = text; rest.n > 0;) {
		struct str line = str_trim(str_cut(rest, '\n', &rest));
		if (line.n == 0)
			continue;
		struct buf safe = buf_in(live->frame);
		buf_safe(&safe, line, false);
		snprintf(live->tail[live->tail_next % TAIL], sizeof live->tail[0], "%s",
			buf_cstr(&safe));
		live->tail_next++;
	}
	live->dirty = true;
}

static struct progress *
progress_of(struct live *live, const char *path)
{
	struct progress *oldest = &live->progress[0];
	for (unsigned i = 0; i < MOST_STEPS; i++) {
		if (strcmp(live->progress[i].path, path) == 0)
			return &live->progress[i];
		if (live->progress[i].since < oldest->since)
			oldest = &live->progress[i];
	}
	*oldest = (struct progress){.since = live->drawn_at};
	snprintf(oldest->path, sizeof oldest->path, "%s", path);
	return oldest;
}

static void
progress(struct observer *observer, const char *path, const char *title, uint64_t done,
	uint64_t total, const char *unit)
{
	struct live *live = (struct live *)observer;
	struct progress *p = progress_of(live, path);
	snprintf(p->title, sizeof p->title, "%s", title == NULL ? "" : title);
	snprintf(p->unit, sizeof p->unit, "%s", unit == NULL ? "" : unit);
	p->done = done;
	p->total = total;
	live->dirty = true;
}

/* What was typed so far for another question is not meant for this one. */
static void
ask(struct observer *observer, const char *text)
{
	struct live *live = (struct live *)observer;
	snprintf(live->wanted, sizeof live->wanted, "%s", text == NULL ? "" : text);
	live->n_typed = 0;
	live->is_said = false;
	live->dirty = true;
}

static bool
said(struct observer *observer, struct arena *mem, struct str *line)
{
	struct live *live = (struct live *)observer;
	if (!live->is_said)
		return false;
	*line = str_copy(mem, (struct str){live->typed, live->n_typed});
	explicit_bzero(live->typed, sizeof live->typed);
	live->n_typed = 0;
	live->is_said = false;
	return true;
}

static void
hung_up(struct observer *observer)
{
	((struct live *)observer)->gone = true;
}

/* ---- the region */

struct picture {
	struct live *live;
	struct buf *out;
	unsigned lines, steps;
	struct now now;
};

static void
end_line(struct picture *p, size_t from)
{
	struct str line = {p->out->p + from, p->out->n - from};
	struct buf plain = buf_in(p->out->mem);
	bool escape = false;
	for (size_t i = 0; i < line.n;
		i++) { /* columns without the escape sequences of colours */
		escape = escape ? line.p[i] != 'm' : line.p[i] == '\033';
		if (!escape && line.p[i] != 'm' && line.p[i] != '\033')
			buf_putc(&plain, line.p[i]);
		else if (!escape && line.p[i] == 'm'
			&& (i == 0 || line.p[i - 1] < '0' || line.p[i - 1] > '9'))
			buf_putc(&plain, 'm');
	}
	if (text_columns(buf_str(&plain)) >= p->live->style.width) {
		struct str cut = text_cut(p->out->mem, buf_str(&plain),
			p->live->style.width - 1, p->live->style.ascii);
		buf_cut(p->out, from);
		buf_add(p->out, cut);
	}
	buf_puts(p->out, "\033[K\n");
	p->lines++;
}

static void
draw_bar(struct picture *p, const struct progress *progress)
{
	enum { WIDTH = 20 };
	struct buf *out = p->out;
	bool bytes = strcmp(progress->unit, "B") == 0;
	if (progress->total > 0) {
		unsigned filled = (unsigned)(progress->done * WIDTH / progress->total);
		buf_puts(out, " [");
		for (unsigned i = 0; i < WIDTH; i++)
			buf_puts(out,
				i < filled                     ? "#"
					: p->live->style.ascii ? "."
							       : "·");
		buf_printf(out, "] %u %%",
			(unsigned)(progress->done * 100 / progress->total));
	}
	if (progress->done > 0)
		buf_printf(out, " %s",
			bytes ? size_short(out->mem, progress->done)
			      : arena_printf(out->mem, "%llu %s",
					(unsigned long long)progress->done,
					progress->unit));
	int64_t took = p->now.boot - progress->since;
	if (bytes && progress->done > 0 && took > NS_S)
		buf_printf(out, ", %s/s",
			size_short(out->mem,
				progress->done * 1000 / (uint64_t)(took / NS_MS)));
}

static void
draw_step(const struct live_view *view, void *with)
{
	static const char *const spinner[] = {"⠋", "⠙", "⠸", "⠴", "⠦", "⠇"};
	static const char *const plain[] = {"|", "/", "-", "\\", "|", "/"};
	struct picture *p = with;
	struct live *live = p->live;
	bool waits = view->stand == STAND_ASK || view->stand == STAND_DOUBT;
	if (view->stand == STAND_FINAL || view->stand == STAND_WAITING
		|| view->stand == STAND_NEW || p->steps == MOST_STEPS)
		return;
	size_t from = p->out->n;
	unsigned turn = (unsigned)(p->now.boot / frame_ns % 6);
	live->moves |= !waits;
	buf_puts(p->out, "  ");
	style_text(p->out, &live->style, waits ? TONE_ASK : TONE_WORK,
		waits                       ? "?"
			: live->style.ascii ? plain[turn]
					    : spinner[turn]);
	buf_printf(p->out, " %-34s ", view->state->path);
	int64_t since = view->in_flight ? view->since : view->state->started_at;
	int64_t took = since == 0 ? 0 : (owner_time(live->owner, p->now) - since) * 1000;
	if (view->stand == STAND_BACKOFF && view->due_at > 0) {
		int64_t left = (view->due_at - owner_time(live->owner, p->now)) * 1000;
		buf_printf(p->out, "asks again in %s",
			duration_short(p->out->mem, left < 0 ? 0 : left));
	} else {
		buf_printf(p->out, "%s %s",
			view->in_flight ? phase_word(view->phase)
					: stand_word(view->stand),
			took > 0 ? duration_short(p->out->mem, took) : "");
	}
	for (unsigned i = 0; i < MOST_STEPS; i++)
		if (view->in_flight
			&& strcmp(live->progress[i].path, view->state->path) == 0) {
			buf_printf(p->out, "  %s", live->progress[i].title);
			draw_bar(p, &live->progress[i]);
		}
	end_line(p, from);
	p->steps++;
}

static void
draw_tail(struct picture *p)
{
	struct live *live = p->live;
	for (unsigned i = 0; i < TAIL; i++) {
		const char *line = live->tail[(live->tail_next + i) % TAIL];
		if (line[0] == '\0')
			continue;
		size_t from = p->out->n;
		buf_puts(p->out, "    ");
		style_text(p->out, &live->style, TONE_DIM, line);
		end_line(p, from);
	}
}

/* What an objective leaves: by the measure of its name, which may have begun long before
 * the run (the outage did); where that cannot be told yet, by the run's own time. */
static void
draw_objective(struct picture *p, const struct objective *objective, int64_t took)
{
	struct live *live = p->live;
	struct measure_now measure;
	if (!measure_now(live->owner, objective->name, p->now, p->out->mem, &measure))
		measure = (struct measure_now){.ns = took};
	int64_t left = objective->ns - measure.ns;
	buf_puts(p->out, "  RTO ");
	style_text(p->out, &live->style,
		left <= 0                                          ? TONE_BAD
			: measure.is_final || left > objective->ns / 4 ? TONE_GOOD
								       : TONE_WARN,
		measure.is_final
			? arena_printf(p->out->mem, "%s: %s",
				  duration_short(p->out->mem, measure.ns),
				  left >= 0 ? "met" : "missed")
			: arena_printf(p->out->mem, left > 0 ? "%s left" : "over by %s",
				  duration_short(p->out->mem, left > 0 ? left : -left)));
}

static void
draw_rest(struct picture *p)
{
	struct live *live = p->live;
	int64_t rest;
	if (live->former != NULL
		&& rest_by(
			live->former, live->state, owner_time(live->owner, p->now), &rest)
		&& rest >= NS_S)
		style_text(p->out, &live->style, TONE_DIM,
			arena_printf(p->out->mem, "  about %s to go, as in %.*s",
				duration_short(p->out->mem, rest / NS_S * NS_S),
				STR_FMT(live->former->id)));
}

/* What the run has taken, what the RTO leaves, and how long it may take yet. */
static void
draw_clock(struct picture *p)
{
	struct live *live = p->live;
	int64_t now = owner_time(live->owner, p->now),
		took = (now - live->state->started_at) * 1000;
	size_t from = p->out->n;
	buf_puts(p->out, "  ");
	style_text(p->out, &live->style, TONE_BOLD, duration_short(p->out->mem, took));
	for (size_t i = 0; i < live->book->n_objectives; i++)
		if (strcmp(live->book->objectives[i].name, "rto") == 0
			&& live->book->objectives[i].is_duration)
			draw_objective(p, &live->book->objectives[i], took);
	draw_rest(p);
	style_text(p->out, &live->style, TONE_DIM, "   Ctrl-C: stop cleanly");
	end_line(p, from);
}

static void
wipe(struct live *live, struct buf *out)
{
	if (live->drawn > 0)
		buf_printf(out, "\r\033[%uA\033[J", live->drawn);
	else
		buf_puts(out, "\r\033[J");
	live->drawn = 0;
}

static void
draw_wanted(struct live *live, struct buf *out)
{
	style_on(out, &live->style, TONE_ASK);
	buf_safe(out, str_of(live->wanted), false);
	buf_puts(out, ": ");
	style_off(out, &live->style);
	buf_fill(out, '*', live->n_typed);
}

static void
draw(struct live *live, struct now now)
{
	struct buf out = buf_in(live->frame);
	struct picture p = {.live = live, .out = &out, .now = now};
	wipe(live, &out);
	buf_add(&out, buf_str(&live->pending));
	live->moves = false;
	if (live->state != NULL && live->state->end == END_NONE && live->book != NULL) {
		owner_each_live(live->owner, draw_step, &p);
		draw_tail(&p);
		draw_clock(&p);
		question_choose(&live->question, live->state, live->book);
		if (live->wanted[0] == '\0')
			question_write(&out, &live->style, &live->question);
	}
	if (live->wanted[0] != '\0')
		draw_wanted(live, &out);
	say(live, buf_str(&out));
	live->drawn = p.lines;
	live->drawn_at = now.boot;
	live->dirty = false;
	arena_reset(live->scratch);
	live->pending = buf_in(live->scratch);
	arena_reset(live->frame);
}

/* ---- keys: each is read by itself, so that the region can be redrawn while somebody
 * types */

static void
key_of_wanted(struct live *live, char c)
{
	if (c == 127 || c == 8)
		live->n_typed -= live->n_typed > 0;
	else if (c == '\n' || c == '\r')
		live->is_said = live->n_typed > 0;
	else if ((unsigned char)c >= 0x20 && !live->is_said
		&& live->n_typed < sizeof live->typed)
		live->typed[live->n_typed++] = c;
}

static void
key(struct live *live, char c)
{
	struct question_state *q = &live->question;
	struct str body;
	live->dirty = true;
	if (live->wanted[0] != '\0') {
		key_of_wanted(live, c);
		return;
	}
	if (c == 127 || c == 8) {
		q->n -= q->n > 0;
	} else if (c == '\n' || c == '\r') {
		struct str line = {q->typed, q->n};
		if (live->body.n == 0 && question_typed(q, line, live->frame, &body)
			&& body.n < sizeof live->answer_bytes) {
			memcpy(live->answer_bytes, body.p, body.n);
			live->body = (struct str){live->answer_bytes, body.n};
		}
		q->n = 0;
	} else if ((unsigned char)c >= 0x20 && q->n < sizeof q->typed) {
		q->typed[q->n++] = c;
	}
}

static void
read_keys(struct live *live, struct now now)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char bytes[64];
	while (!live->gone && poll(&input, 1, 0) > 0 && input.revents & POLLIN) {
		ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
		if (n <= 0)
			return;
		live->typed_at = now.boot;
		for (ssize_t i = 0; i < n; i++)
			key(live, bytes[i]);
	}
}

static int64_t
tick(struct observer *observer, struct now now)
{
	struct live *live = (struct live *)observer;
	if (live->gone || (live->owner == NULL && live->wanted[0] == '\0'))
		return INT64_MAX;
	read_keys(live, now);
	int64_t pause = live->dirty || live->moves ? frame_ns : still_ns;
	if (live->pending.n > 0 || now.boot - live->drawn_at >= pause)
		draw(live, now);
	bool busy = live->dirty || live->moves || now.boot - live->typed_at < typing_ns;
	return busy ? frame_ns : keys_ns;
}

static bool
answer(struct observer *observer, struct arena *mem, struct str *body)
{
	struct live *live = (struct live *)observer;
	if (live->body.n == 0)
		return false;
	*body = str_copy(mem, live->body);
	live->body = (struct str){NULL, 0};
	return true;
}

static void
free_arena(void *with)
{
	arena_free(with);
}

struct observer *
live_view_new(struct arena *mem, struct style style, const struct run_state *former)
{
	struct live *live = arena_new_of(mem, struct live);
	struct termios now;
	live->observer = (struct observer){.opened = opened,
		.record = record,
		.progress = progress,
		.output = output,
		.tick = tick,
		.answer = answer,
		.ask = ask,
		.said = said,
		.hung_up = hung_up,
		.told = told};
	live->style = style;
	live->former = former;
	live->scratch = arena_new();
	live->frame = arena_new();
	arena_defer(mem, free_arena, live->scratch);
	arena_defer(mem, free_arena, live->frame);
	live->pending = buf_in(live->scratch);
	if (tcgetattr(STDIN_FILENO, &live->before) == 0) {
		now = live->before;
		now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		live->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &now) == 0;
	}
	return &live->observer;
}

void
live_view_close(struct observer *observer)
{
	struct live *live = (struct live *)observer;
	struct buf out = buf_in(live->frame);
	wipe(live, &out);
	buf_add(&out, buf_str(&live->pending));
	say(live, buf_str(&out));
	if (live->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &live->before);
}
