#include "base/forms.h"

#include <ctype.h>

struct form {
	char *p;
	size_t n;
};

static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

/* Six bytes for one: \u001f, &quot;. */
size_t
forms_room(size_t n)
{
	return n * 6 + 16;
}

static void
put(struct form *form, char c)
{
	form->p[form->n++] = c;
}

static void
puts_form(struct form *form, const char *text)
{
	while (*text != '\0')
		put(form, *text++);
}

static void
put_hex(struct form *form, unsigned char c, const char *digits)
{
	put(form, digits[c >> 4]);
	put(form, digits[c & 15]);
}

static void
hex(struct form *form, struct str bytes, const char *digits)
{
	for (size_t i = 0; i < bytes.n; i++)
		put_hex(form, (unsigned char)bytes.p[i], digits);
}

/* Characters of six bits each that lie wholly in `bytes`, when `offset` bytes stand
 * before them. */
static void
base64(struct form *form, struct str bytes, size_t offset, const char *last)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t bit = (offset * 8 + 5) / 6 * 6 - offset * 8;
	for (; bit + 6 <= bytes.n * 8; bit += 6) {
		unsigned pair = (unsigned)(unsigned char)bytes.p[bit / 8] << 8;
		if (bit / 8 + 1 < bytes.n)
			pair |= (unsigned char)bytes.p[bit / 8 + 1];
		unsigned six = pair >> (10 - bit % 8) & 63;
		put(form, six < 62 ? alphabet[six] : last[six - 62]);
	}
}

static void
url(struct form *form, struct str bytes, const char *plain, const char *digits)
{
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];
		if (c == ' ' && strchr(plain, '+') != NULL)
			put(form, '+');
		else if (isalnum(c)
			|| (c != '\0' && c != '+' && strchr(plain, c) != NULL)) {
			put(form, (char)c);
		} else {
			put(form, '%');
			put_hex(form, c, digits);
		}
	}
}

static void
put_unit(struct form *form, unsigned unit, const char *digits)
{
	puts_form(form, "\\u");
	put_hex(form, (unsigned char)(unit >> 8), digits);
	put_hex(form, (unsigned char)unit, digits);
}

static void
put_rune(struct form *form, int32_t rune, const char *digits)
{
	if (rune < 0x10000) {
		put_unit(form, (unsigned)rune, digits);
		return;
	}
	put_unit(form, 0xd800 + ((unsigned)(rune - 0x10000) >> 10), digits);
	put_unit(form, 0xdc00 + ((unsigned)(rune - 0x10000) & 0x3ff), digits);
}

/* `also`: what else is escaped: '/' as \/, '<' for all of HTML's, 'u' for all that is not
 * ASCII. */
static void
json(struct form *form, struct str bytes, const char *also, const char *digits)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	size_t n;
	for (struct str rest = bytes; rest.n > 0; rest = str_from(rest, n)) {
		int32_t rune = str_rune(rest, &n);
		const char *known = rune <= 0 || rune > 127 ? NULL : strchr(plain, rune);
		bool unit = rune >= 0
			&& (rune < 32 || (rune > 126 && strchr(also, 'u') != NULL));
		if (strchr(also, '<') != NULL
			&& (rune == '<' || rune == '>' || rune == '&'))
			unit = true;
		if (known != NULL) {
			put(form, '\\');
			put(form, letter[known - plain]);
		} else if (rune == '/' && strchr(also, '/') != NULL)
			puts_form(form, "\\/");
		else if (unit)
			put_rune(form, rune, digits);
		else
			for (size_t i = 0; i < n; i++)
				put(form, rest.p[i]);
	}
}

static void
xml(struct form *form, struct str bytes, const char *quote, const char *apostrophe)
{
	for (size_t i = 0; i < bytes.n; i++)
		switch (bytes.p[i]) {
		case '&': puts_form(form, "&amp;"); break;
		case '<': puts_form(form, "&lt;"); break;
		case '>': puts_form(form, "&gt;"); break;
		case '"': puts_form(form, quote); break;
		case '\'': puts_form(form, apostrophe); break;
		default: put(form, bytes.p[i]);
		}
}

#define EMIT(call) do { struct form form = {room, 0}; call; \
	add(with, (struct str){form.p, form.n}); } while (0)

void
forms_each(struct str bytes, char *room, void (*add)(void *with, struct str form),
	void *with)
{
	static const char *const urls[] = {"-._~", "-._~!'()*", "-._~/", "-._*+"};
	static const char *const jsons[] = {"", "/", "u", "u/", "<", "u<"};
	add(with, bytes);
	for (size_t offset = 0; offset < 3; offset++) {
		EMIT(base64(&form, bytes, offset, "+/"));
		EMIT(base64(&form, bytes, offset, "-_"));
	}
	for (int i = 0; i < 2; i++) {
		const char *digits = i == 0 ? lower : upper;
		EMIT(hex(&form, bytes, digits));
		for (size_t j = 0; j < sizeof urls / sizeof *urls; j++)
			EMIT(url(&form, bytes, urls[j], digits));
		for (size_t j = 0; j < sizeof jsons / sizeof *jsons; j++)
			EMIT(json(&form, bytes, jsons[j], digits));
	}
	EMIT(xml(&form, bytes, "&quot;", "&apos;"));
	EMIT(xml(&form, bytes, "&quot;", "&#39;"));
	EMIT(xml(&form, bytes, "&#34;", "&#39;"));
	EMIT(xml(&form, bytes, "\"", "'"));
}
