#include "base/diag.h"

#include "base/scrub.h"

#include <stdarg.h>
#include <stdio.h>

/* NEAR_BYTES: so much of a long line, to each side of the place, is looked at. */
enum { MOST_ERRORS = 100, MOST_COLUMNS = 200, NEAR_BYTES = 2048 };

static struct err *
add(struct diags *diags, enum diag_level level)
{
	struct diag *diag = arena_new_of(diags->mem, struct diag);
	diag->level = level;
	diags->errors += level == DIAG_ERROR;
	diags->warnings += level == DIAG_WARNING;
	if (level == DIAG_ERROR && diags->errors > MOST_ERRORS)
		return &diag->err;
	if (diags->last != NULL)
		diags->last->next = diag;
	else
		diags->first = diag;
	diags->last = diag;
	return &diag->err;
}

static struct err *
vadd(struct diags *diags, enum diag_level level, struct mark at, const char *format,
	va_list args)
{
	struct err *err = add(diags, level);
	err->code = ERR_VALUE;
	err->at = at;
	vsnprintf(err->msg, sizeof err->msg, format, args);
	return err;
}

struct err *
diag_error(struct diags *diags, struct mark at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct err *err = vadd(diags, DIAG_ERROR, at, format, args);
	va_end(args);
	return err;
}

struct err *
diag_warning(struct diags *diags, struct mark at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct err *err = vadd(diags, DIAG_WARNING, at, format, args);
	va_end(args);
	return err;
}

struct err *
diag_note(struct diags *diags, struct mark at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct err *err = vadd(diags, DIAG_NOTE, at, format, args);
	va_end(args);
	return err;
}

struct err *
diag_add(struct diags *diags, enum diag_level level, const struct err *err)
{
	struct err *mine = add(diags, level);
	*mine = *err;
	return mine;
}

static int
order(const struct diag *a, const struct diag *b)
{
	const struct source *x = a->err.at.source, *y = b->err.at.source;
	if (x != y && x != NULL && y != NULL) {
		int c = strcmp(x->name, y->name);
		if (c != 0)
			return c;
	}
	if ((x == NULL) != (y == NULL))
		return x == NULL ? -1 : 1;
	if (a->err.at.from != b->err.at.from)
		return a->err.at.from < b->err.at.from ? -1 : 1;
	return (int)a->level - (int)b->level;
}

static struct diag *
merge(struct diag *a, struct diag *b)
{
	struct diag *first = NULL, **at = &first;
	while (a != NULL && b != NULL) {
		struct diag **less = order(a, b) <= 0 ? &a : &b;
		*at = *less;
		*less = (*less)->next;
		at = &(*at)->next;
	}
	*at = a != NULL ? a : b;
	return first;
}

/* The first n of the list, sorted; the rest goes to *rest. Stable. */
static struct diag *
sort(struct diag *list, size_t n, struct diag **rest)
{
	if (n < 2) {
		*rest = n == 0 ? list : list->next;
		if (n == 1)
			list->next = NULL;
		return n == 0 ? NULL : list;
	}
	struct diag *second, *half = sort(list, n / 2, &second);
	return merge(half, sort(second, n - n / 2, rest));
}

void
diags_sort(struct diags *diags)
{
	struct diag *rest;
	size_t n = 0;
	for (const struct diag *diag = diags->first; diag != NULL; diag = diag->next)
		n++;
	diags->first = sort(diags->first, n, &rest);
	for (diags->last = diags->first; diags->last != NULL && diags->last->next != NULL;)
		diags->last = diags->last->next;
}

static struct str
line_of(const struct source *source, uint32_t from, uint32_t *start)
{
	uint32_t begin = from < source->text.n ? from : (uint32_t)source->text.n,
		 end = begin;
	while (begin > 0 && source->text.p[begin - 1] != '\n')
		begin--;
	while (end < source->text.n && source->text.p[end] != '\n'
		&& source->text.p[end] != '\r')
		end++;
	*start = begin;
	return (struct str){source->text.p + begin, end - begin};
}

static void
print_caret(struct buf *out, struct str line, uint32_t from, uint32_t to, int indent)
{
	size_t n;
	buf_printf(out, "   %*s | ", indent, "");
	struct str before = {line.p, from < line.n ? from : line.n};
	for (; before.n > 0; before = str_from(before, n))
		buf_putc(out, str_rune(before, &n) == '\t' ? '\t' : ' ');
	buf_putc(out, '^');
	struct str under = str_from(line, from);
	if (to > from && under.n > to - from)
		under.n = to - from;
	size_t width = to > from ? str_runes(under) : 1;
	for (size_t i = 1; i < width && i < MOST_COLUMNS; i++)
		buf_putc(out, '~');
	buf_putc(out, '\n');
}

static void
print_line(struct buf *out, struct mark at, uint32_t number)
{
	uint32_t start;
	struct str line = line_of(at.source, at.from, &start);
	uint32_t end = at.to > at.from ? at.to : at.from;
	uint32_t marks[] = {at.from - start, end - start};
	if (line.n > 2 * NEAR_BYTES) {
		uint32_t skip = marks[0] > NEAR_BYTES ? marks[0] - NEAR_BYTES : 0;
		line = str_from(line, skip);
		line.n = line.n > 2 * NEAR_BYTES ? 2 * NEAR_BYTES : line.n;
		marks[0] -= skip;
		marks[1] -= skip;
	}
	line = scrub_text(out->mem, line, marks, 2);
	uint32_t from = marks[0], to = marks[1];
	if (from > MOST_COLUMNS - 40) { /* a long line: show the part around the place */
		uint32_t skip = from - 40;
		while (skip < line.n && ((unsigned char)line.p[skip] & 0xc0) == 0x80)
			skip++;
		line = str_from(line, skip);
		from -= skip;
		to -= skip;
	}
	if (line.n > MOST_COLUMNS)
		line.n = MOST_COLUMNS;
	int indent = snprintf(NULL, 0, "%u", number);
	buf_printf(out, "   %u | ", number);
	struct str rest;
	for (struct str part = str_cut(line, '\t', &rest);;
		part = str_cut(rest, '\t', &rest)) {
		buf_safe(out, part, false);
		if (rest.p == NULL)
			break;
		buf_putc(out, '\t');
	}
	buf_putc(out, '\n');
	print_caret(out, line, from, to, indent);
}

/* Further lines of a message stand under it, so that none of them passes for another
 * message. */
static void
print_words(struct buf *out, const char *words)
{
	struct str rest;
	struct str text = scrub_text(out->mem, str_of(words), NULL, 0);
	for (struct str line = str_cut(text, '\n', &rest);;
		line = str_cut(rest, '\n', &rest)) {
		buf_safe(out, line, true);
		if (rest.p == NULL)
			break;
		buf_puts(out, "\n   ");
	}
	buf_putc(out, '\n');
}

void
diag_print(struct buf *out, enum diag_level level, const struct err *err, bool colour)
{
	static const char *const words[] = {"error", "warning", "note"};
	static const char *const colours[] = {"\033[1;31m", "\033[1;33m", "\033[1;36m"};
	const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";
	uint32_t line = 0, column = 0;
	mark_place(err->at, &line, &column);
	if (err->at.source != NULL) {
		buf_puts(out, bold);
		buf_safe(out, str_of(err->at.source->name), false);
		buf_printf(out, ":%u:%u:%s ", line, column, plain);
	}
	buf_printf(out, "%s%s:%s ", colour ? colours[level] : "", words[level], plain);
	print_words(out, err->msg);
	if (err->at.source != NULL && err->at.source->text.n > 0)
		print_line(out, err->at, line);
	if (err->hint[0] != '\0') {
		buf_puts(out, "   hint: ");
		print_words(out, err->hint);
	}
}

void
diags_print(struct buf *out, const struct diags *diags, bool colour)
{
	for (const struct diag *diag = diags->first; diag != NULL; diag = diag->next) {
		diag_print(out, diag->level, &diag->err, colour);
		if (diag->also.source != NULL) {
			struct err also = {.at = diag->also, .msg = "also here"};
			diag_print(out, DIAG_NOTE, &also, colour);
		}
	}
	if (diags->errors > MOST_ERRORS)
		buf_printf(out, "and %zu more errors\n", diags->errors - MOST_ERRORS);
}
