#include "data/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

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

/* Two members of one name, found by sorting: no quadratic walk over a large map. */
static const struct member *
find_twice(struct arena *mem, const struct member *members, size_t n)
{
	const struct member *const *sorted = members_by_key(mem, members, n);
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
