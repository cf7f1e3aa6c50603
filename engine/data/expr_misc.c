#include "base/digest.h"
#include "data/expr_eval.h"
#include "data/expr_lib.h"
#include "data/expr_type.h"
#include "data/json.h"
#include "data/regex.h"

enum { MOST_GROUPS = 20, COST_OF_PATTERN = 5000, COST_OF_MATCH = 200, MOST_DEPTH = 300 };

/* ---- regular expressions; the pattern is the second argument */

bool
func_prepare_regex(struct arena *mem, const struct value *const *args, size_t n,
	void **prepared, struct err *err)
{
	const struct regex *regex;
	if (n < 2 || args[1] == NULL)
		return true;
	if (!regex_compile(mem, args[1]->str, &regex, err))
		return false;
	*prepared = (void *)regex;
	return true;
}

static const struct regex *
regex_of(struct expr_frame *f, const struct value *const *args)
{
	const struct regex *regex = f->prepared;
	if (!frame_charge(f, COST_OF_MATCH + args[0]->str.n))
		return NULL;
	if (regex == NULL && (!frame_charge(f, COST_OF_PATTERN + args[1]->str.n)
	                      || !regex_compile(f->mem, args[1]->str, &regex, f->err)))
		return NULL;
	return regex;
}

bool
func_matches(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	size_t groups[2];
	struct err err;
	const struct regex *regex = regex_of(f, args);
	(void)n;
	if (regex == NULL)
		return false;
	bool found = regex_find(regex, args[0]->str, 0, groups, 1, &err);
	if (!found && err.code != ERR_NONE) {
		*f->err = err;
		return false;
	}
	*out = value_bool(found);
	return true;
}

static bool
one_group(struct expr_frame *f, const struct regex *regex)
{
	if (regex_groups(regex) <= 1)
		return true;
	err_set(f->err, ERR_VALUE,
		"the pattern has %zu groups: want one, or none for all of the match",
		regex_groups(regex));
	return err_hint(f->err, "(?:…) groups without capturing");
}

/* What a match gives: its group, or all of it where the pattern has none. */
static struct str
part_of(struct str text, const size_t groups[4], const struct regex *regex)
{
	const size_t *at = regex_groups(regex) == 1 ? groups + 2 : groups;
	return at[0] == SIZE_MAX ? STR("") : (struct str){text.p + at[0], at[1] - at[0]};
}

bool
func_extract(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	size_t groups[4];
	struct err err;
	const struct regex *regex = regex_of(f, args);
	(void)n;
	if (regex == NULL || !one_group(f, regex))
		return false;
	*out = (struct value){.kind = V_OPTIONAL};
	if (!regex_find(regex, args[0]->str, 0, groups, 2, &err)) {
		if (err.code != ERR_NONE)
			*f->err = err;
		return err.code == ERR_NONE;
	}
	struct value *kept = arena_new_of(f->mem, struct value);
	*kept = value_str(part_of(args[0]->str, groups, regex));
	out->opt = kept;
	return true;
}

/* Where the next search begins: behind the match, or a character on if it was empty. */
static size_t
behind(struct str text, const size_t groups[2])
{
	size_t length = 1;
	if (groups[1] > groups[0] || groups[1] >= text.n)
		return groups[1] > groups[0] ? groups[1] : text.n + 1;
	str_rune(str_from(text, groups[1]), &length);
	return groups[1] + length;
}

bool
func_extract_all(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct list_builder parts = {.mem = f->mem};
	struct str text = args[0]->str;
	struct err err;
	size_t groups[4];
	const struct regex *regex = regex_of(f, args);
	(void)n;
	if (regex == NULL || !one_group(f, regex))
		return false;
	for (size_t at = 0; at <= text.n; at = behind(text, groups)) {
		if (!frame_charge(f, COST_OF_MATCH))
			return false;
		if (!regex_find(regex, text, at, groups, 2, &err)) {
			if (err.code == ERR_NONE)
				break;
			*f->err = err;
			return false;
		}
		list_push(&parts, value_str(part_of(text, groups, regex)));
	}
	*out = list_done(&parts);
	return true;
}

/* The new text: \0 to \9 are groups, \\ is a backslash. */
static bool
put_replacement(struct expr_frame *f, struct buf *out, struct str text, struct str by,
	const size_t *groups, size_t n_groups)
{
	for (size_t i = 0; i < by.n; i++) {
		if (by.p[i] != '\\') {
			buf_putc(out, by.p[i]);
			continue;
		}
		char c = ++i < by.n ? by.p[i] : '\0';
		size_t group = (size_t)(c - '0');
		if (c == '\\') {
			buf_putc(out, c);
		} else if (c < '0' || c > '9' || group > n_groups) {
			err_set(f->err, ERR_VALUE,
				"the replacement has \\%c, the pattern %zu groups", c,
				n_groups);
			return err_hint(f->err,
				"\\\\0 is the match, \\\\1 the first group; r'\\1' in a "
				"raw text");
		} else if (groups[2 * group] != SIZE_MAX) {
			size_t from = groups[2 * group],
			       length = groups[2 * group + 1] - from;
			if (!frame_charge(f, length))
				return false;
			buf_add(out, (struct str){text.p + from, length});
		}
	}
	return true;
}

bool
func_regex_replace(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct buf made = buf_in(f->mem);
	struct str text = args[0]->str;
	int64_t most = n > 3 ? args[3]->i : -1;
	size_t groups[2 * MOST_GROUPS], at = 0, done = 0;
	struct err err;
	const struct regex *regex = regex_of(f, args);
	if (regex == NULL)
		return false;
	for (; most != 0 && at <= text.n; at = behind(text, groups), most--) {
		if (!frame_charge(f, COST_OF_MATCH + args[2]->str.n))
			return false;
		if (!regex_find(regex, text, at, groups, MOST_GROUPS, &err)) {
			if (err.code == ERR_NONE)
				break;
			*f->err = err;
			return false;
		}
		buf_add(&made, (struct str){text.p + done, groups[0] - done});
		done = groups[1];
		if (!put_replacement(
			    f, &made, text, args[2]->str, groups, regex_groups(regex)))
			return false;
	}
	buf_add(&made, str_from(text, done));
	*out = func_text_of(&made);
	return frame_charge(f, made.n);
}

/* ---- encodings */

bool
func_base64_encode(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	if (!frame_charge(f, 2 * args[0]->str.n))
		return false;
	*out = value_str(str_of(base64_text(f->mem, args[0]->str.p, args[0]->str.n)));
	return true;
}

bool
func_base64_decode(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	char text[SHORT_SIZE];
	struct str bytes;
	(void)n;
	if (!frame_charge(f, args[0]->str.n))
		return false;
	if (!base64_parse(f->mem, args[0]->str, &bytes))
		return err_set(
			f->err, ERR_VALUE, "%s is no base64", eval_short(args[0], text));
	*out = value_bytes(bytes);
	return true;
}

/* Whether v can be written: no type in it, not too deep; charged by its size. */
static bool
is_data(struct expr_frame *f, const struct value *v, int depth)
{
	if (!frame_charge(f,
		    v->kind == V_STRING || v->kind == V_BYTES ? 10 + 2 * v->str.n : 20))
		return false;
	if (v->kind == V_TYPE || depth > MOST_DEPTH)
		return err_set(f->err, ERR_TYPE, v->kind == V_TYPE ? "a type has no JSON"
			: "the value is nested too deep");
	if (v->kind == V_OPTIONAL && v->opt != NULL)
		return is_data(f, v->opt, depth + 1);
	size_t n = v->kind == V_LIST                          ? v->list.n
		: v->kind == V_MAP && v->map->members != NULL ? v->map->n
							      : 0;
	for (size_t i = 0; i < n; i++)
		if (!is_data(f,
			    v->kind == V_LIST ? &v->list.items[i]
					      : &v->map->members[i].value,
			    depth + 1))
			return false;
	return true;
}

bool
func_json_marshal(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct buf text = buf_in(f->mem);
	(void)n;
	if (!is_data(f, args[0], 0))
		return false;
	json_write(&text, args[0], JSON_COMPACT);
	*out = func_text_of(&text);
	return true;
}

bool
func_json_unmarshal(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return frame_charge(f, 2 * args[0]->str.n)
		&& json_parse(f->mem, args[0]->str, NULL, out, f->err);
}

/* RFC 7396: members of the second replace those of the first, null removes, maps are
 * merged. */
static bool
merge(struct expr_frame *f, const struct value *target, const struct value *patch,
	int depth, struct value *out)
{
	if (depth > MOST_DEPTH)
		return err_set(f->err, ERR_LIMIT, "the map is nested too deep");
	*out = *patch;
	if (patch->kind != V_MAP)
		return frame_charge(f, 10);
	static const struct map empty = {.n = 0};
	const struct map *old = target != NULL && target->kind == V_MAP ? target->map
									: &empty,
			 *new = patch->map;
	if (!frame_charge(f, (old->n + new->n) * 2 * sizeof(struct value)))
		return false;
	struct member *members = arena_array(f->mem, struct member, old->n + new->n);
	struct value room;
	size_t n = 0;
	for (size_t i = 0; i < old->n; i++)
		if (eval_find_key(new, &old->members[i].key, &room) == NULL)
			members[n++] = old->members[i];
		else {
			const struct value *v =
				eval_find_key(new, &old->members[i].key, &room);
			if (v->kind == V_NULL)
				continue;
			members[n].key = old->members[i].key;
			if (!merge(f, &old->members[i].value, v, depth + 1,
				    &members[n++].value))
				return false;
		}
	for (size_t i = 0; i < new->n; i++) {
		const struct member *member = &new->members[i];
		if (member->value.kind == V_NULL
			|| eval_find_key(old, &member->key, &room) != NULL)
			continue;
		members[n].key = member->key;
		if (!merge(f, NULL, &member->value, depth + 1, &members[n++].value))
			return false;
	}
	*out = value_map(f->mem, members, n);
	return true;
}

bool
func_json_merge(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return merge(f, args[0], args[1], 0, out);
}

bool
func_sha256(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	if (!frame_charge(f, args[0]->str.n))
		return false;
	uint8_t *digest = arena_alloc(f->mem, SHA256_SIZE);
	sha256(args[0]->str, digest);
	*out = value_bytes((struct str){(const char *)digest, SHA256_SIZE});
	return true;
}

/* RFC 3986 section 2.3: all but the unreserved characters. */
bool
func_url_encode(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct buf text = buf_in(f->mem);
	struct str from = args[0]->str;
	(void)n;
	if (!frame_charge(f, 3 * from.n))
		return false;
	for (size_t i = 0; i < from.n; i++) {
		char c = from.p[i];
		bool plain = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			|| (c >= '0' && c <= '9')
			|| (c != '\0' && strchr("-._~", c) != NULL);
		if (plain)
			buf_putc(&text, c);
		else
			buf_printf(&text, "%%%02X", (unsigned char)c);
	}
	*out = func_text_of(&text);
	return true;
}

bool
func_url_decode(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct buf text = buf_in(f->mem);
	struct str from = args[0]->str;
	uint8_t byte;
	(void)n;
	if (!frame_charge(f, from.n))
		return false;
	for (size_t i = 0; i < from.n; i++) {
		if (from.p[i] != '%') {
			buf_putc(&text, from.p[i]);
			continue;
		}
		if (from.n - i < 3
			|| !hex_parse((struct str){from.p + i + 1, 2}, &byte, 1))
			return err_set(f->err, ERR_VALUE,
				"a %% without two hexadecimal digits behind it");
		buf_putc(&text, (char)byte);
		i += 2;
	}
	*out = func_text_of(&text);
	return str_is_utf8(out->str)
		|| err_set(f->err, ERR_VALUE, "the decoded bytes are not UTF-8");
}

/* One word of sh, whatever is in the text. */
bool
func_shell_quote(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct buf text = buf_in(f->mem);
	struct str from = args[0]->str;
	(void)n;
	if (!frame_charge(f, 4 * from.n))
		return false;
	if (from.n > 0 && memchr(from.p, '\0', from.n) != NULL)
		return err_set(f->err, ERR_VALUE, "a text for a shell holds no NUL");
	buf_putc(&text, '\'');
	for (size_t i = 0; i < from.n; i++)
		if (from.p[i] == '\'')
			buf_puts(&text, "'\\''");
		else
			buf_putc(&text, from.p[i]);
	buf_putc(&text, '\'');
	*out = func_text_of(&text);
	return true;
}
