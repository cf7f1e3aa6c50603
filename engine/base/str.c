#include "base/str.h"

#include <limits.h>

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
	return c != 0 ? c : a.n < b.n ? -1 : a.n > b.n;
}

bool
str_starts(struct str a, struct str prefix)
{
	return a.n >= prefix.n && str_eq((struct str){a.p, prefix.n}, prefix);
}

bool
str_ends(struct str a, struct str suffix)
{
	return a.n >= suffix.n && str_eq(str_from(a, a.n - suffix.n), suffix);
}

size_t
str_find(struct str a, struct str part)
{
	if (part.n == 0)
		return 0;
	const char *at = a.n < part.n ? NULL : memmem(a.p, a.n, part.p, part.n);
	return at == NULL ? a.n : (size_t)(at - a.p);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str
str_trim(struct str a)
{
	while (a.n > 0 && is_blank(a.p[0]))
		a = str_from(a, 1);
	while (a.n > 0 && is_blank(a.p[a.n - 1]))
		a.n--;
	return a;
}

struct str
str_from(struct str a, size_t from)
{
	if (from > a.n)
		from = a.n;
	return (struct str){a.p == NULL ? NULL : a.p + from, a.n - from};
}

struct str
str_cut(struct str a, char at, struct str *rest)
{
	const char *found = a.n == 0 ? NULL : memchr(a.p, at, a.n);
	if (found == NULL) {
		*rest = (struct str){NULL, 0};
		return a;
	}
	size_t n = (size_t)(found - a.p);
	*rest = str_from(a, n + 1);
	return (struct str){a.p, n};
}

struct str
str_copy(struct arena *mem, struct str a)
{
	return (struct str){arena_strndup(mem, a.p, a.n), a.n};
}

char *
str_cstr(struct arena *mem, struct str a)
{
	return arena_strndup(mem, a.p, a.n);
}

bool
str_uint(struct str a, uint64_t *out)
{
	uint64_t sum = 0;
	if (a.n == 0)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] < '0' || a.p[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(a.p[i] - '0');
		if (__builtin_mul_overflow(sum, 10, &sum)
			|| __builtin_add_overflow(sum, digit, &sum))
			return false;
	}
	*out = sum;
	return true;
}

bool
str_int(struct str a, int64_t *out)
{
	bool minus = a.n > 0 && a.p[0] == '-';
	uint64_t size;
	if (!str_uint(str_from(a, minus), &size) || size > (uint64_t)INT64_MAX + minus)
		return false;
	*out = minus ? (int64_t)(0 - size) : (int64_t)size;
	return true;
}

/* FNV-1a with a final mix: short names, no adversary who could choose both table and keys
 * beyond the file limits. */
uint64_t
str_hash(struct str a)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < a.n; i++)
		h = (h ^ (unsigned char)a.p[i]) * 0x100000001b3u;
	h ^= h >> 32;
	return h * 0x9e3779b97f4a7c15u;
}

static size_t
rune_length(unsigned char c)
{
	return c < 0x80                 ? 1
		: c >= 0xc2 && c < 0xe0 ? 2
		: c >= 0xe0 && c < 0xf0 ? 3
		: c >= 0xf0 && c < 0xf5 ? 4
					: 0;
}

int32_t
str_rune(struct str a, size_t *n)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	*n = 1;
	if (a.n == 0)
		return -1;
	size_t length = rune_length((unsigned char)a.p[0]);
	if (length == 0 || length > a.n)
		return -1;
	int32_t rune = (unsigned char)a.p[0] & first[length];
	for (size_t i = 1; i < length; i++) {
		if (((unsigned char)a.p[i] & 0xc0) != 0x80)
			return -1;
		rune = rune << 6 | ((unsigned char)a.p[i] & 0x3f);
	}
	if (rune < least[length] || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
		return -1;
	*n = length;
	return rune;
}

/* How much of the beginning is ASCII, by eight bytes: most texts are nothing else. */
static size_t
ascii_n(struct str a)
{
	size_t n = 0;
	for (uint64_t eight; n + sizeof eight <= a.n; n += sizeof eight) {
		memcpy(&eight, a.p + n, sizeof eight);
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	while (n < a.n && (unsigned char)a.p[n] < 0x80)
		n++;
	return n;
}

bool
str_is_utf8(struct str a)
{
	size_t n;
	while ((a = str_from(a, ascii_n(a))).n > 0) {
		if (str_rune(a, &n) < 0)
			return false;
		a = str_from(a, n);
	}
	return true;
}

size_t
str_runes(struct str a)
{
	size_t count = 0, n;
	for (; a.n > 0; a = str_from(a, n), count++)
		str_rune(a, &n);
	return count;
}
