#include "show/view.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "data/json.h"
#include "show/line.h"

struct plain {
	struct observer observer;
	struct style style;
	struct arena *scratch;
	const struct playbook *book;
	const struct run_state *state;
};

static void
say(int fd, struct str text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);
		if (n < 0 && errno != EINTR)
			return;
		text = str_from(text, n < 0 ? 0 : (size_t)n);
	}
}

static void
opened(struct observer *observer, const struct playbook *book,
	const struct run_state *state, const struct owner *owner)
{
	struct plain *plain = (struct plain *)observer;
	(void)owner;
	plain->book = book;
	plain->state = state;
}

static void
record(struct observer *observer, const struct record *record)
{
	struct plain *plain = (struct plain *)observer;
	struct buf out = buf_in(plain->scratch);
	line_write(&out, &plain->style, plain->state, plain->book, record);
	say(STDOUT_FILENO, buf_str(&out));
	arena_reset(plain->scratch);
}

static void
told(struct observer *observer, enum diag_level level, const struct err *err)
{
	struct plain *plain = (struct plain *)observer;
	struct buf out = buf_in(plain->scratch);
	diag_print(&out, level, err, plain->style.colour);
	say(STDERR_FILENO, buf_str(&out));
	arena_reset(plain->scratch);
}

static void
free_scratch(void *with)
{
	arena_free(with);
}

struct observer *
plain_view(struct arena *mem, struct style style)
{
	struct plain *plain = arena_new_of(mem, struct plain);
	plain->observer =
		(struct observer){.opened = opened, .record = record, .told = told};
	plain->style = style;
	plain->scratch = arena_new();
	arena_defer(mem, free_scratch, plain->scratch);
	return &plain->observer;
}

/* ---- JSON lines */

static void
say_json(struct arena *scratch, struct str json)
{
	struct buf out = buf_in(scratch);
	buf_safe_json(&out, json);
	say(STDOUT_FILENO, buf_str(&out));
	arena_reset(scratch);
}

struct lines {
	struct observer observer;
	struct arena *scratch;
};

static void
json_record(struct observer *observer, const struct record *record)
{
	struct lines *lines = (struct lines *)observer;
	struct buf out = buf_in(lines->scratch);
	buf_printf(&out, "{\"seq\":%llu,\"at\":\"%s\",\"kind\":\"%s\",\"path\":",
		(unsigned long long)record->seq, time_text_us(lines->scratch, record->at),
		kind_word(record->kind));
	json_write_str(&out, str_of(record->path));
	buf_printf(&out, ",\"attempt\":%u,\"body\":", record->attempt);
	buf_add(&out, record->body);
	buf_puts(&out, "}\n");
	say_json(lines->scratch, buf_str(&out));
}

static void
json_told(struct observer *observer, enum diag_level level, const struct err *err)
{
	static const char *const levels[] = {"error", "warning", "note"};
	struct lines *lines = (struct lines *)observer;
	struct buf out = buf_in(lines->scratch);
	buf_printf(&out,
		"{\"kind\":\"message\",\"level\":\"%s\",\"message\":", levels[level]);
	json_write_str(&out, str_of(err->msg));
	buf_puts(&out, "}\n");
	say_json(lines->scratch, buf_str(&out));
}

struct observer *
json_view(struct arena *mem)
{
	struct lines *lines = arena_new_of(mem, struct lines);
	lines->observer = (struct observer){.record = json_record, .told = json_told};
	lines->scratch = arena_new();
	arena_defer(mem, free_scratch, lines->scratch);
	return &lines->observer;
}
