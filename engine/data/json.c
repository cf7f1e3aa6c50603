#include "data/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"

struct reader {
	struct arena *mem;
	struct str text;
	size_t at;
	const struct source *source;
	struct err *err;
	unsigned depth;
};

static bool read_value(struct reader *r, struct value *out);

static bool
fail_at(struct reader *r, size_t from, size_t to, enum err_code code, const char *what)
{
	err_set(r->err, code, "bad JSON: %s at byte %zu", what, from);
	if (r->source != NULL) {
		err_set(r->err, code, "bad JSON: %s", what);
		err_at(r->err, (struct mark){r->source, (uint32_t)from, (uint32_t)to});
	}
	return false;
}

static bool
fail(struct reader *r, const char *what)
{
	return fail_at(r, r->at, r->at + 1, ERR_SYNTAX, what);
}

static int
peek(const struct reader *r)
{
	return r->at < r->text.n ? (unsigned char)r->text.p[r->at] : -1;
}

static int
skip_blank(struct reader *r)
{
	while (r->at < r->text.n && strchr(" \t\n\r", r->text.p[r->at]) != NULL
		&& r->text.p[r->at] != '\0')
		r->at++;
	return peek(r);
}

static void
place(const struct reader *r, size_t from, struct value *v)
{
	v->source = r->source;
	if (r->source != NULL) {
		v->from = (uint32_t)from;
		v->to = (uint32_t)r->at;
	}
}

static bool
read_hex(struct reader *r, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++, r->at++) {
		int c = peek(r);
		int digit = c >= '0' && c <= '9' ? c - '0'
			: c >= 'a' && c <= 'f'   ? c - 'a' + 10
			: c >= 'A' && c <= 'F'   ? c - 'A' + 10
						 : -1;
		if (digit < 0)
			return fail(r, "want four hexadecimal digits after \\u");
		*out = *out << 4 | (uint32_t)digit;
	}
	return true;
}

static bool
read_unicode(struct reader *r, struct buf *out)
{
	uint32_t high, low;
	if (!read_hex(r, &high))
		return false;
	if (high >= 0xdc00 && high < 0xe000)
		return fail(r, "lone low surrogate");
	if (high >= 0xd800 && high < 0xdc00) {
		if (peek(r) != '\\' || r->at + 1 >= r->text.n
			|| r->text.p[r->at + 1] != 'u')
			return fail(r, "lone high surrogate");
		r->at += 2;
		if (!read_hex(r, &low))
			return false;
		if (low < 0xdc00 || low >= 0xe000)
			return fail(r, "lone high surrogate");
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	}
	buf_rune(out, high);
	return true;
}

static bool
read_escape(struct reader *r, struct buf *out)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	int c = peek(r);
	if (c == 'u') {
		r->at++;
		return read_unicode(r, out);
	}
	const char *found = c > 0 ? strchr(names, c) : NULL;
	if (found == NULL)
		return fail(r, "unknown escape");
	buf_putc(out, values[found - names]);
	r->at++;
	return true;
}

static bool
read_string(struct reader *r, struct str *out)
{
	size_t from = ++r->at, n;
	struct buf text = buf_in(r->mem);
	bool copied = false;
	for (;;) {
		int c = peek(r);
		if (c < 0)
			return fail(r, "the text is not closed");
		if (c == '"')
			break;
		if (c < 0x20)
			return fail(r, "control character in text");
		if (c == '\\') {
			buf_add(&text, (struct str){r->text.p + from, r->at - from});
			copied = true;
			r->at++;
			if (!read_escape(r, &text))
				return false;
			from = r->at;
		} else if (c < 0x80) {
			r->at++;
		} else {
			if (str_rune(str_from(r->text, r->at), &n) < 0)
				return fail(r, "not UTF-8");
			r->at += n;
		}
	}
	struct str piece = {r->text.p + from, r->at - from};
	if (copied)
		buf_add(&text, piece);
	*out = copied ? buf_str(&text) : piece;
	r->at++;
	return true;
}

static size_t
skip_digits(struct reader *r)
{
	size_t from = r->at;
	while (peek(r) >= '0' && peek(r) <= '9')
		r->at++;
	return r->at - from;
}

static bool
scan_number(struct reader *r, bool *whole)
{
	*whole = true;
	if (peek(r) == '-')
		r->at++;
	bool zero = peek(r) == '0';
	size_t digits = skip_digits(r);
	if (digits == 0 || (zero && digits > 1))
		return fail(
			r, digits == 0 ? "want a value" : "a number with a leading zero");
	if (peek(r) == '.') {
		*whole = false;
		r->at++;
		if (skip_digits(r) == 0)
			return fail(r, "want digits after the point");
	}
	if (peek(r) == 'e' || peek(r) == 'E') {
		*whole = false;
		r->at++;
		if (peek(r) == '+' || peek(r) == '-')
			r->at++;
		if (skip_digits(r) == 0)
			return fail(r, "want digits in the exponent");
	}
	return true;
}

static bool
read_number(struct reader *r, struct value *out)
{
	size_t from = r->at;
	bool whole;
	if (!scan_number(r, &whole))
		return false;
	struct str text = {r->text.p + from, r->at - from};
	char *raw = str_cstr(r->mem, text);
	int64_t i;
	uint64_t u;
	if (whole && str_int(text, &i) && !(i == 0 && raw[0] == '-')) {
		*out = value_int(i);
	} else if (whole && str_uint(text, &u)) {
		*out = value_uint(u);
	} else {
		double d = strtod(raw, NULL);
		if (isinf(d))
			return fail_at(
				r, from, r->at, ERR_RANGE, "the number is out of range");
		*out = value_double(d);
	}
	out->raw = raw;
	return true;
}

static bool
read_word(struct reader *r, struct value *out)
{
	static const struct { const char *word; struct value value;
	} words[] = {
		{"null", {.kind = V_NULL}},
		{"true", {.kind = V_BOOL, .b = true}},
		{"false", {.kind = V_BOOL, .b = false}},
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		struct str word = str_of(words[i].word);
		if (str_starts(str_from(r->text, r->at), word)) {
			r->at += word.n;
			*out = words[i].value;
			return true;
		}
	}
	return fail(r, "want a value");
}

static bool
read_list(struct reader *r, struct value *out)
{
	struct list_builder list = {.mem = r->mem};
	r->at++;
	if (skip_blank(r) != ']')
		for (;;) {
			struct value item;
			if (!read_value(r, &item))
				return false;
			list_push(&list, item);
			int c = skip_blank(r);
			if (c == ']')
				break;
			if (c != ',')
				return fail(r, "want , or ]");
			r->at++;
		}
	r->at++;
	*out = list_done(&list);
	return true;
}

static int
by_key(const void *a, const void *b)
{
	const struct member *x = *(const struct member *const *)a,
			    *y = *(const struct member *const *)b;
	return str_cmp(x->key.str, y->key.str);
}

/* Two members of one name, found by sorting: no quadratic walk over a large map. */
static const struct member *
find_twice(struct arena *mem, const struct member *members, size_t n)
{
	const struct member **sorted = arena_array(mem, const struct member *, n);
	for (size_t i = 0; i < n; i++)
		sorted[i] = &members[i];
	qsort(sorted, n, sizeof *sorted, by_key);
	for (size_t i = 1; i < n; i++)
		if (str_eq(sorted[i - 1]->key.str, sorted[i]->key.str))
			return sorted[i - 1] > sorted[i] ? sorted[i - 1] : sorted[i];
	return NULL;
}

static bool
read_member(struct reader *r, struct member *member)
{
	if (skip_blank(r) != '"')
		return fail(r, "want a name in double quotes");
	size_t from = r->at;
	if (!read_string(r, &member->key.str))
		return false;
	member->key.kind = V_STRING;
	place(r, from, &member->key);
	if (skip_blank(r) != ':')
		return fail(r, "want :");
	r->at++;
	return read_value(r, &member->value);
}

static bool
push_member(struct arena *mem, struct map_builder *map, struct member member)
{
	if (map->n == map->cap) {
		size_t cap = map->cap == 0 ? 4 : map->cap * 2;
		struct member *members = arena_array(mem, struct member, cap);
		if (map->n > 0)
			memcpy(members, map->members, map->n * sizeof *members);
		map->members = members;
		map->cap = cap;
	}
	map->members[map->n++] = member;
	return true;
}

static bool
read_map(struct reader *r, struct value *out)
{
	struct map_builder map = {.mem = r->mem};
	r->at++;
	if (skip_blank(r) != '}')
		for (;;) {
			struct member member = {0};
			if (!read_member(r, &member)
				|| !push_member(r->mem, &map, member))
				return false;
			int c = skip_blank(r);
			if (c == '}')
				break;
			if (c != ',')
				return fail(r, "want , or }");
			r->at++;
		}
	r->at++;
	const struct member *twice =
		map.n < 2 ? NULL : find_twice(r->mem, map.members, map.n);
	if (twice != NULL && r->source == NULL)
		return fail(r, "a name stands twice in the map that ends");
	if (twice != NULL)
		return fail_at(r, twice->key.from, twice->key.to, ERR_SYNTAX,
			"a name stands twice in a map");
	*out = value_map(r->mem, map.members, map.n);
	return true;
}

static bool
read_value(struct reader *r, struct value *out)
{
	int c = skip_blank(r);
	size_t from = r->at;
	bool ok;
	if (c == '{' || c == '[') {
		if (++r->depth > JSON_DEPTH)
			return fail_at(
				r, from, from + 1, ERR_LIMIT, "nested deeper than 64");
		ok = c == '{' ? read_map(r, out) : read_list(r, out);
		r->depth--;
	} else if (c == '"') {
		*out = (struct value){.kind = V_STRING};
		ok = read_string(r, &out->str);
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		ok = read_number(r, out);
	} else {
		ok = c < 0 ? fail(r, "the text ends where a value should stand")
			   : read_word(r, out);
	}
	if (ok)
		place(r, from, out);
	return ok;
}

bool
json_parse(struct arena *mem, struct str text, const struct source *source,
	struct value *out, struct err *err)
{
	struct reader r = {.mem = mem, .text = text, .source = source, .err = err};
	if (!read_value(&r, out))
		return false;
	if (skip_blank(&r) >= 0)
		return fail(&r, "something follows the value");
	return true;
}

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
	const struct member **order = arena_array(out->mem, const struct member *, n + 1);
	for (size_t i = 0; i < n; i++)
		order[i] = &v->map->members[i];
	if (flags & JSON_SORT)
		qsort(order, n, sizeof *order, by_key);
	buf_putc(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(out, ',');
		new_line(out, flags, depth + 1);
		write_key(out, &order[i]->key, flags);
		buf_puts(out, flags & JSON_INDENT ? ": " : ":");
		write_value(out, &order[i]->value, flags, depth + 1);
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
