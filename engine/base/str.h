/* Everything that is text is a str (a view, not owned, not NUL-terminated) or a buf
 * (growing, in an arena). */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){("" literal), sizeof(literal) - 1})
#define STR_FMT(s) (int)(s).n, (s).p                  /* for "%.*s" */

static inline struct str
str_of(const char *text)                              /* NULL: empty */
{
	return (struct str){text, text == NULL ? 0 : strlen(text)};
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
str_is(struct str a, const char *text)
{
	return str_eq(a, str_of(text));
}

int str_cmp(struct str a, struct str b);              /* by bytes, shorter first */
bool str_starts(struct str a, struct str prefix);
bool str_ends(struct str a, struct str suffix);
size_t str_find(struct str a, struct str part); /* its offset; a.n if it is not there */
struct str str_trim(struct str a); /* without ASCII blanks and newlines on both sides */
struct str str_from(struct str a, size_t from);       /* the rest */
/* The part before `at`; the rest after it goes to *rest. Without `at`: all, and *rest is
 * empty with p NULL. */
struct str str_cut(struct str a, char at, struct str *rest);
struct str str_copy(struct arena *mem, struct str a); /* in mem, and followed by a NUL */
char *str_cstr(struct arena *mem, struct str a);
bool str_int(struct str a, int64_t *out); /* the whole text, decimal, within int64 */
bool str_uint(struct str a, uint64_t *out);
uint64_t str_hash(struct str a);

/* The first code point of `a`, its length in bytes in *n; -1 and *n = 1 where the bytes
 * are not UTF-8 (RFC 3629: no overlong form, no surrogate, at most U+10FFFF). */
int32_t str_rune(struct str a, size_t *n);
bool str_is_utf8(struct str a);
size_t str_runes(struct str a);                       /* code points */

struct buf {
	struct arena *mem;
	char *p; /* always followed by a NUL, NULL while empty */
	size_t n, cap;
};

static inline struct buf
buf_in(struct arena *mem)
{
	return (struct buf){.mem = mem};
}

void buf_add(struct buf *buf, struct str text);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_fill(struct buf *buf, char c, size_t n);
void buf_rune(struct buf *buf, uint32_t rune);        /* as UTF-8 */
void buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void buf_reserve(struct buf *buf, size_t more); /* room for `more` bytes and the NUL */
void buf_cut(struct buf *buf, size_t n);              /* keep the first n bytes */
const char *buf_cstr(struct buf *buf);                /* never NULL */

/* Foreign text for a terminal or a log line: control characters, bidi marks and bytes
 * that are not UTF-8 become escapes
 * (\x1b, \u202e). With `keep_lines` a newline and a tab stay. */
void buf_safe(struct buf *buf, struct str text, bool keep_lines);
/* The same for JSON text: in its strings such marks become \u202e; ASCII is as it was. */
void buf_safe_json(struct buf *buf, struct str json);

static inline struct str
buf_str(const struct buf *buf)
{
	return (struct str){buf->p, buf->n};
}

#endif
