#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { USUAL = 40 };

void
buf_reserve(struct buf *buf, size_t more)
{
	if (buf->p != NULL && buf->cap - buf->n > more)
		return;
	size_t cap = buf->cap < 32 ? 64 : buf->cap * 2;
	if (cap < buf->n + more + 1)
		cap = buf->n + more + 1;
	char *p = arena_alloc(buf->mem, cap);
	if (buf->n > 0)
		memcpy(p, buf->p, buf->n);
	buf->p = p;
	buf->cap = cap;
}

void
buf_add(struct buf *buf, struct str text)
{
	buf_reserve(buf, text.n);
	if (text.n > 0)
		memcpy(buf->p + buf->n, text.p, text.n);
	buf->n += text.n;
	buf->p[buf->n] = '\0';
}

void
buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, str_of(text));
}

void
buf_putc(struct buf *buf, char c)
{
	buf_add(buf, (struct str){&c, 1});
}

void
buf_fill(struct buf *buf, char c, size_t n)
{
	buf_reserve(buf, n);
	memset(buf->p + buf->n, c, n);
	buf->n += n;
	buf->p[buf->n] = '\0';
}

void
buf_rune(struct buf *buf, uint32_t rune)
{
	char out[4];
	size_t n = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
	static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n; i-- > 1; rune >>= 6)
		out[i] = (char)(0x80 | (rune & 0x3f));
	out[0] = (char)(mark[n] | rune);
	buf_add(buf, (struct str){out, n});
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	buf_reserve(buf, USUAL); /* most fit: formatted once */
	size_t room = buf->cap - buf->n;
	int n = vsnprintf(buf->p + buf->n, room, format, args);
	va_end(args);
	if (n < 0)
		abort();
	if ((size_t)n >= room) {
		buf_reserve(buf, (size_t)n);
		vsnprintf(buf->p + buf->n, (size_t)n + 1, format, again);
	}
	va_end(again);
	buf->n += (size_t)n;
}

void
buf_cut(struct buf *buf, size_t n)
{
	if (n < buf->n) {
		buf->n = n;
		buf->p[n] = '\0';
	}
}

const char *
buf_cstr(struct buf *buf)
{
	return buf->p == NULL ? "" : buf->p;
}

static bool
is_unsafe(int32_t rune)
{
	return rune < 0x20 || (rune >= 0x7f && rune < 0xa0) || rune == 0x61c
		|| (rune >= 0x200b && rune <= 0x200f)
		|| (rune >= 0x2028 && rune <= 0x202e)
		|| (rune >= 0x2060 && rune <= 0x206f) || rune == 0xfeff;
}

void
buf_safe(struct buf *buf, struct str text, bool keep_lines)
{
	size_t n;
	for (; text.n > 0; text = str_from(text, n)) {
		int32_t rune = str_rune(text, &n);
		if (rune < 0)
			buf_printf(buf, "\\x%02x", (unsigned char)text.p[0]);
		else if (keep_lines && (rune == '\n' || rune == '\t'))
			buf_putc(buf, (char)rune);
		else if (is_unsafe(rune))
			buf_printf(buf, rune < 0x100 ? "\\x%02x" : "\\u%04x",
				(unsigned)rune);
		else
			buf_add(buf, (struct str){text.p, n});
	}
}

void
buf_safe_json(struct buf *buf, struct str json)
{
	size_t n;
	for (; json.n > 0; json = str_from(json, n)) {
		int32_t rune = str_rune(json, &n);
		if (rune >= 0x7f && is_unsafe(rune))
			buf_printf(buf, "\\u%04x", (unsigned)rune);
		else
			buf_add(buf, (struct str){json.p, n});
	}
}
