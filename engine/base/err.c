#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* Cut at a whole code point, so that a long message stays UTF-8. */
static void
tidy(char *text, size_t size)
{
	size_t n = strlen(text), length;
	if (n + 1 < size)
		return;
	for (struct str rest = {text, n}; rest.n > 0; rest = str_from(rest, length))
		if (str_rune(rest, &length) < 0) {
			text[n - rest.n] = '\0';
			return;
		}
}

bool
err_set(struct err *err, enum err_code code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	*err = (struct err){.code = code};
	vsnprintf(err->msg, sizeof err->msg, format, args);
	va_end(args);
	tidy(err->msg, sizeof err->msg);
	return false;
}

static enum err_code
code_of(int number)
{
	switch (number) {
	case ENOENT: case ENOTDIR: return ERR_NOT_FOUND;
	case EEXIST: return ERR_EXISTS;
	case EACCES: case EPERM: case EROFS: return ERR_DENIED;
	case ENOSPC: case EDQUOT: return ERR_FULL;
	case ETIMEDOUT: return ERR_TIMEOUT;
	case ECONNREFUSED: case EHOSTUNREACH: case ENETUNREACH: return ERR_CONNECT;
	case ECONNRESET: case EPIPE: return ERR_NETWORK;
	case ECANCELED: return ERR_CANCELLED;
	default: return ERR_IO;
	}
}

bool
err_errno(struct err *err, int number, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	*err = (struct err){.code = code_of(number)};
	int n = vsnprintf(err->msg, sizeof err->msg, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof err->msg)
		snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s",
			strerror(number));
	tidy(err->msg, sizeof err->msg);
	return false;
}

bool
err_wrap(struct err *err, const char *format, ...)
{
	char inner[sizeof err->msg];
	memcpy(inner, err->msg, sizeof inner);
	va_list args;
	va_start(args, format);
	int n = vsnprintf(err->msg, sizeof err->msg, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof err->msg)
		snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s", inner);
	tidy(err->msg, sizeof err->msg);
	return false;
}

bool
err_hint(struct err *err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(err->hint, sizeof err->hint, format, args);
	va_end(args);
	tidy(err->hint, sizeof err->hint);
	return false;
}

bool
err_at(struct err *err, struct mark at)
{
	if (err->at.source == NULL)
		err->at = at;
	return false;
}

bool
err_transient(struct err *err)
{
	err->transient = true;
	return false;
}

static uint32_t
line_start(const struct source *source, uint32_t offset, uint32_t *line)
{
	if (source->lines != NULL) {
		size_t low = 0, high = source->n_lines;
		while (high - low > 1) {
			size_t middle = (low + high) / 2;
			*(source->lines[middle] <= offset ? &low : &high) = middle;
		}
		*line = (uint32_t)low + 1;
		return source->lines[low];
	}
	uint32_t start = 0;
	*line = 1;
	for (uint32_t i = 0; i < offset && i < source->text.n; i++)
		if (source->text.p[i] == '\n') {
			start = i + 1;
			++*line;
		}
	return start;
}

void
mark_place(struct mark at, uint32_t *line, uint32_t *column)
{
	*line = *column = 0;
	if (at.source == NULL)
		return;
	uint32_t start = line_start(at.source, at.from, line);
	uint32_t end =
		at.from < at.source->text.n ? at.from : (uint32_t)at.source->text.n;
	*column = 1;
	if (end > start)
		*column += (uint32_t)str_runes(
			(struct str){at.source->text.p + start, end - start});
	*line += at.source->first_line;
}
