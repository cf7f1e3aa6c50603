#include "data/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"

static void
write_rune(struct buf *out, int32_t rune, struct str bytes, unsigned flags)
{
	static const char short_from[] = "\"\\\b\f\n\r\t", short_to[] = "\"\\bfnrt";
	const char *found = rune > 0 && rune < 0x80 ? strchr(short_from, rune) : NULL;
	if (rune < 0)
		buf_puts(out, "\xef\xbf\xbd");
	else if (found != NULL)
		buf_printf(out, "\\%c", short_to[found - short_from]);
	else if (rune >= 0x10000 && flags & JSON_ASCII)
		buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((rune - 0x10000) >> 10),
			0xdc00 + ((rune - 0x10000) & 0x3ff));
	else if (rune < 0x20 || rune == 0x7f || (rune >= 0x80 && flags & JSON_ASCII))
		buf_printf(out, "\\u%04x", (unsigned)rune);
	else
		buf_add(out, bytes);
}

static void
write_str(struct buf *out, struct str text, unsigned flags)
{
	size_t n;
	buf_putc(out, '"');
	while (text.n > 0) {
		size_t plain = 0;
		while (plain < text.n && (unsigned char)text.p[plain] >= 0x20
			&& (unsigned char)text.p[plain] < 0x7f && text.p[plain] != '"'
			&& text.p[plain] != '\\')
			plain++;
		buf_add(out, (struct str){text.p, plain});
		text = str_from(text, plain);
		if (text.n == 0)
			break;
		int32_t rune = str_rune(text, &n);
		write_rune(out, rune, (struct str){text.p, n}, flags);
		text = str_from(text, n);
	}
	buf_putc(out, '"');
}

void
json_write_str(struct buf *out, struct str text)
{
	write_str(out, text, JSON_COMPACT);
}

/* The shortest decimal that reads back as the same double. */
static void
write_double(struct buf *out, double d)
{
	char text[40];
	if (isnan(d) || isinf(d)) {
		buf_puts(out, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	buf_puts(out, text);
	if (strpbrk(text, ".eE") == NULL)
		buf_puts(out, ".0");
}

static void
new_line(struct buf *out, unsigned flags, unsigned depth)
{
	if (flags & JSON_INDENT) {
		buf_putc(out, '\n');
		buf_fill(out, ' ', 2 * (size_t)depth);
	}
}

static void
write_value(struct buf *out, const struct value *v, unsigned flags, unsigned depth);

static void
write_list(struct buf *out, const struct value *v, unsigned flags, unsigned depth)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < v->list.n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		new_line(out, flags, depth + 1);
		write_value(out, &v->list.items[i], flags, depth + 1);
	}
	if (v->list.n > 0)
		new_line(out, flags, depth);
	buf_putc(out, ']');
}

static void
write_key(struct buf *out, const struct value *key, unsigned flags)
{
	struct arena *mem = out->mem;
	struct buf text = buf_in(mem);
	if (key->kind == V_STRING) {
		write_str(out, key->str, flags);
		return;
	}
	write_value(&text, key, flags, 0);
	write_str(out, buf_str(&text), flags);
}

static void
write_map(struct buf *out, const struct value *v, unsigned flags, unsigned depth)
{
	size_t n = v->map->members == NULL ? 0 : v->map->n;
	const struct member *const *sorted = flags & JSON_SORT
		? members_by_key(out->mem, v->map->members, n)
		: NULL;
	buf_putc(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		new_line(out, flags, depth + 1);
		const struct member *member =
			sorted != NULL ? sorted[i] : &v->map->members[i];
		write_key(out, &member->key, flags);
		buf_puts(out, flags & JSON_INDENT ? ": " : ":");
		write_value(out, &member->value, flags, depth + 1);
	}
	if (n > 0)
		new_line(out, flags, depth);
	buf_putc(out, '}');
}

static void
write_text(struct buf *out, const char *text)
{
	write_str(out, str_of(text), JSON_COMPACT);
}

static void
write_scalar(struct buf *out, const struct value *v)
{
	if (v->kind == V_NULL)
		buf_puts(out, "null");
	else if (v->kind == V_BOOL)
		buf_puts(out, v->b ? "true" : "false");
	else if (v->raw != NULL && v->source == NULL)
		buf_puts(out, v->raw);
	else if (v->kind == V_INT)
		buf_printf(out, "%lld", (long long)v->i);
	else if (v->kind == V_UINT)
		buf_printf(out, "%llu", (unsigned long long)v->u);
	else
		write_double(out, v->d);
}

/* As CEL's string(duration): seconds, with the fraction that there is. */
static void
write_span(struct buf *out, const struct value *v)
{
	struct buf text = buf_in(out->mem);
	bool minus = v->span.s < 0;
	uint64_t s = minus ? 0 - (uint64_t)v->span.s : (uint64_t)v->span.s;
	uint32_t ns = (uint32_t)v->span.ns;
	if (minus && ns > 0) {
		s--;
		ns = (uint32_t)(NS_S - ns);
	}
	buf_printf(&text, "%s%llu", minus ? "-" : "", (unsigned long long)s);
	if (ns > 0) {
		buf_printf(&text, ".%09u", ns);
		while (text.p[text.n - 1] == '0')
			buf_cut(&text, text.n - 1);
	}
	buf_putc(&text, 's');
	write_text(out, text.p);
}

static void
write_value(struct buf *out, const struct value *v, unsigned flags, unsigned depth)
{
	if (v->flags & VALUE_SECRET && flags & JSON_MASK) {
		buf_puts(out, "\"***\"");
		return;
	}
	switch ((enum value_kind)v->kind) {
	case V_NULL: case V_BOOL: case V_INT: case V_UINT: case V_DOUBLE:
		write_scalar(out, v);
		break;
	case V_STRING: case V_TYPE:
		write_str(out, v->str, flags);
		break;
	case V_BYTES:
		write_text(out, base64_text(out->mem, v->str.p, v->str.n));
		break;
	case V_LIST:
		write_list(out, v, flags, depth);
		break;
	case V_MAP:
		write_map(out, v, flags, depth);
		break;
	case V_TIMESTAMP:
		write_text(out, time_text(out->mem, v->span));
		break;
	case V_DURATION:
		write_span(out, v);
		break;
	case V_OPTIONAL:
		if (v->opt == NULL)
			buf_puts(out, "null");
		else
			write_value(out, v->opt, flags, depth);
		break;
	case V_UNKNOWN:
		buf_puts(out, "{\"$unknown\":");
		write_str(out, v->str, flags);
		buf_putc(out, '}');
		break;
	}
}

void
json_write(struct buf *out, const struct value *v, unsigned flags)
{
	write_value(out, v, flags, 0);
}

char *
json_text(struct arena *mem, const struct value *v, unsigned flags)
{
	struct buf out = buf_in(mem);
	write_value(&out, v, flags, 0);
	return (char *)buf_cstr(&out);
}
