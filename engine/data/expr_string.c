#include "data/expr_eval.h"
#include "data/expr_lib.h"

/* Positions count code points, as the strings extension says. */

static bool
ints_of(const struct value *const *args, size_t n, size_t at, int64_t *out)
{
	if (at >= n)
		return false;
	*out = args[at]->i;
	return true;
}

/* The byte where code point `index` begins; SIZE_MAX: there are fewer. */
static size_t
byte_of(struct str text, int64_t index)
{
	size_t at = 0, n;
	if (index < 0)
		return SIZE_MAX;
	for (; index > 0; index--) {
		if (at >= text.n)
			return SIZE_MAX;
		str_rune(str_from(text, at), &n);
		at += n;
	}
	return at;
}

static int64_t
rune_at(struct str text, size_t byte)
{
	return (int64_t)str_runes((struct str){text.p, byte});
}

static bool
bad_index(struct expr_frame *f, int64_t index, struct str text)
{
	return err_set(f->err, ERR_RANGE,
		"position %lld is outside of the text, which has %zu characters",
		(long long)index, str_runes(text));
}

bool
func_contains(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str text = args[0]->str, part = args[1]->str;
	(void)n;
	if (!frame_charge(f, text.n))
		return false;
	*out = value_bool(part.n == 0 || str_find(text, part) < text.n);
	return true;
}

bool
func_starts_with(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	*out = value_bool(str_starts(args[0]->str, args[1]->str));
	return frame_charge(f, args[1]->str.n);
}

bool
func_ends_with(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	*out = value_bool(str_ends(args[0]->str, args[1]->str));
	return frame_charge(f, args[1]->str.n);
}

bool
func_char_at(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str text = args[0]->str;
	size_t at = byte_of(text, args[1]->i), length = 0;
	(void)n;
	if (!frame_charge(f, text.n))
		return false;
	if (at == SIZE_MAX)
		return bad_index(f, args[1]->i, text);
	if (at < text.n)
		str_rune(str_from(text, at), &length);
	*out = value_str((struct str){text.p + at, length});
	return true;
}

bool
func_index_of(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str text = args[0]->str, part = args[1]->str;
	int64_t start = 0;
	ints_of(args, n, 2, &start);
	size_t from = byte_of(text, start);
	if (!frame_charge(f, text.n))
		return false;
	if (from == SIZE_MAX)
		return bad_index(f, start, text);
	struct str rest = str_from(text, from);
	size_t found = str_find(rest, part);
	*out = value_int(
		part.n > 0 && found == rest.n ? -1 : rune_at(text, from + found));
	return true;
}

bool
func_last_index_of(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str text = args[0]->str, part = args[1]->str;
	int64_t start = 0;
	size_t last = text.n;
	if (!frame_charge(f, text.n + part.n))
		return false;
	if (ints_of(args, n, 2, &start)) {
		last = byte_of(text, start);
		if (last == SIZE_MAX)
			return bad_index(f, start, text);
	}
	*out = value_int(-1);
	if (part.n > text.n)
		return true;
	for (size_t at = last < text.n - part.n ? last : text.n - part.n; ; at--) {
		if (!frame_charge(f, 1))
			return false;
		if (str_starts(str_from(text, at), part)) {
			*out = value_int(rune_at(text, at));
			return true;
		}
		if (at == 0)
			return true;
	}
}

static bool
change_case(struct expr_frame *f, struct str text, char from, struct value *out)
{
	if (!frame_charge(f, text.n))
		return false;
	struct str copy = str_copy(f->mem, text);
	char *p = (char *)copy.p;
	for (size_t i = 0; i < text.n; i++)
		if (p[i] >= from && p[i] <= from + 25)
			p[i] = (char)(p[i] ^ 0x20);
	*out = value_str(copy);
	return true;
}

bool
func_lower(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return change_case(f, args[0]->str, 'A', out);
}

bool
func_upper(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return change_case(f, args[0]->str, 'a', out);
}

/* With an empty `from` the new text goes in front of each character and to the end. */
bool
func_replace(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str rest = args[0]->str, from = args[1]->str, to = args[2]->str;
	struct buf text = buf_in(f->mem);
	int64_t most = -1;
	ints_of(args, n, 3, &most);
	for (; most != 0; most--) {
		size_t step = 0, at = str_find(rest, from);
		if (from.n > 0 && at == rest.n)
			break;
		if (!frame_charge(f, 10 + at + to.n))
			return false;
		buf_add(&text, (struct str){rest.p, at});
		buf_add(&text, to);
		rest = str_from(rest, at + from.n);
		if (from.n > 0)
			continue;
		if (rest.n == 0)
			break;
		str_rune(rest, &step);
		buf_add(&text, (struct str){rest.p, step});
		rest = str_from(rest, step);
	}
	if (!frame_charge(f, rest.n))
		return false;
	buf_add(&text, rest);
	*out = func_text_of(&text);
	return true;
}

/* An empty separator gives the characters; a limit of 0 nothing, of n at most n parts,
 * the last with all the rest. */
bool
func_split(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str rest = args[0]->str, by = args[1]->str;
	struct list_builder parts = {.mem = f->mem};
	int64_t most = -1;
	bool more = true;
	ints_of(args, n, 2, &most);
	while (more && most != 0) {
		size_t at = by.n > 0 ? str_find(rest, by) : rest.n, step = at;
		if (by.n == 0 && rest.n > 0)
			str_rune(rest, &step);
		more = most != 1 && (by.n > 0 ? at < rest.n : rest.n > step);
		if (!frame_charge(f, 20 + step))
			return false;
		if (by.n > 0 || rest.n > 0)
			list_push(&parts,
				value_str(more || by.n > 0 ? (struct str){rest.p,
								     more ? step : rest.n}
							   : rest));
		rest = str_from(rest, step + by.n);
		most -= most > 0;
	}
	*out = list_done(&parts);
	return true;
}

bool
func_substring(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str text = args[0]->str;
	int64_t end = 0;
	bool has_end = ints_of(args, n, 2, &end);
	size_t from = byte_of(text, args[1]->i),
	       to = has_end ? byte_of(text, end) : text.n;
	if (!frame_charge(f, text.n))
		return false;
	if (from == SIZE_MAX)
		return bad_index(f, args[1]->i, text);
	if (to == SIZE_MAX)
		return bad_index(f, end, text);
	if (from > to)
		return err_set(f->err, ERR_RANGE, "position %lld lies behind %lld",
			(long long)args[1]->i, (long long)end);
	*out = value_str((struct str){text.p + from, to - from});
	return true;
}

/* White_Space of Unicode. */
static bool
is_space(int32_t rune)
{
	return (rune >= 9 && rune <= 13) || rune == 0x20 || rune == 0x85 || rune == 0xa0
		|| rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028
		|| rune == 0x2029 || rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

bool
func_trim(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str text = args[0]->str;
	size_t length, last = 0;
	(void)n;
	if (!frame_charge(f, text.n))
		return false;
	while (text.n > 0 && is_space(str_rune(text, &length)))
		text = str_from(text, length);
	for (size_t at = 0; at < text.n; at += length)
		if (!is_space(str_rune(str_from(text, at), &length)))
			last = at + length;
	*out = value_str((struct str){text.p, last});
	return true;
}

bool
func_join(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct buf text = buf_in(f->mem);
	const struct value *list = args[0];
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *item = &list->list.items[i];
		if (item->kind != V_STRING) {
			err_set(f->err, ERR_TYPE, "item %zu of the list is no text", i);
			return err_hint(f->err,
				"x.map(i, string(i)).join(',') makes texts of them");
		}
		if (!frame_charge(f, item->str.n + (n > 1 ? args[1]->str.n : 0) + 1))
			return false;
		if (i > 0 && n > 1)
			buf_add(&text, args[1]->str);
		buf_add(&text, item->str);
	}
	*out = func_text_of(&text);
	return true;
}

bool
func_reverse_string(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str text = args[0]->str;
	size_t length;
	(void)n;
	if (!frame_charge(f, 2 * text.n))
		return false;
	char *back = arena_alloc(f->mem, text.n + 1);
	for (size_t at = 0; at < text.n; at += length) {
		str_rune(str_from(text, at), &length);
		memcpy(back + text.n - at - length, text.p + at, length);
	}
	*out = value_str((struct str){back, text.n});
	return true;
}

/* As Go's strconv.Quote, without escapes for what can be printed. */
bool
func_quote(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
	struct buf text = buf_in(f->mem);
	struct str rest = args[0]->str;
	size_t length;
	(void)n;
	if (!frame_charge(f, 2 * rest.n))
		return false;
	buf_putc(&text, '"');
	for (; rest.n > 0; rest = str_from(rest, length)) {
		int32_t rune = str_rune(rest, &length);
		const char *escape = rune > 0 && rune < 0x80 ? strchr(from, rune) : NULL;
		if (escape != NULL)
			buf_printf(&text, "\\%c", to[escape - from]);
		else
			buf_rune(&text, rune < 0 ? 0xfffd : (uint32_t)rune);
	}
	buf_putc(&text, '"');
	*out = func_text_of(&text);
	return true;
}
