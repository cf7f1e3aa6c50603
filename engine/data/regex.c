#include "data/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	LONGEST_PATTERN = 10000,
	DEEPEST_PATTERN = 100,
	MOST_REPEATS = 1000,
	LEAST_TRIES = 200000,
	TRIES_A_BYTE = 20, /* about 5 ms, and room for long texts */
	MOST_DEPTH = 20000,
	MOST_HEAP_KIB = 8192,
};

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;                       /* one match at a time */
	pcre2_match_context *context;
	size_t groups;
};

/* PCRE2 takes its memory from the arena and never gives it back. */
static void *
take_memory(size_t n, void *with)
{
	return arena_alloc(with, n);
}

static void
leave_memory(void *p, void *with)
{
	(void)p;
	(void)with;
}

/* ---- RE2's language is a part of PCRE2's but for a few letters: what is beyond it is
 * refused here */

struct reader {
	struct str rest;
	struct buf *out;
	struct err *err;
};

static bool
refuse(struct reader *r, const char *what)
{
	err_set(r->err, ERR_VALUE, "the regular expression has %s at '%.*s'", what,
		(int)(r->rest.n > 12 ? 12 : r->rest.n), r->rest.p);
	return err_hint(r->err,
		"it is in RE2's language, which always ends in time proportional to the "
		"text");
}

static void
keep(struct reader *r, size_t n)
{
	buf_add(r->out, (struct str){r->rest.p, n});
	r->rest = str_from(r->rest, n);
}

static bool
read_escape(struct reader *r, bool in_class)
{
	if (r->rest.n < 2)
		return refuse(r, "a \\ without a character");
	char c = r->rest.p[1];
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	if (c >= '1' && c <= '9')
		return refuse(r, "a back reference");
	if (letter
		&& strchr(in_class ? "aftnrvxdDsSwWpP" : "aftnrvxdDsSwWpPbBAzQ", c)
			== NULL)
		return refuse(r, "an escape that RE2 does not know");
	if (c == 'v') {
		buf_puts(r->out, "\\x0b");
		r->rest = str_from(r->rest, 2);
		return true;
	}
	if (c == 'Q') {
		size_t end = str_find(r->rest, STR("\\E"));
		keep(r, end + 2 > r->rest.n ? r->rest.n : end + 2);
		return true;
	}
	keep(r, 2);
	return true;
}

static bool
read_class(struct reader *r)
{
	keep(r, 1);
	if (r->rest.n > 0 && r->rest.p[0] == '^')
		keep(r, 1);
	if (r->rest.n > 0 && r->rest.p[0] == ']')
		keep(r, 1);
	while (r->rest.n > 0 && r->rest.p[0] != ']') {
		if (str_starts(r->rest, STR("[:"))) {
			size_t end = str_find(r->rest, STR(":]"));
			keep(r, end + 2 > r->rest.n ? 2 : end + 2);
		} else if (r->rest.p[0] == '\\') {
			if (!read_escape(r, true))
				return false;
		} else {
			keep(r, 1);
		}
	}
	if (r->rest.n == 0)
		return refuse(r, "a [ that is not closed");
	keep(r, 1);
	return true;
}

/* ( ... (?:  (?P<name>  (?<name>  (?ims-ims)  (?ims-ims: */
static bool
read_group(struct reader *r)
{
	struct str rest = str_from(r->rest, 1);
	if (rest.n > 0 && rest.p[0] == '*')
		return refuse(r, "a verb");
	if (rest.n == 0 || rest.p[0] != '?') {
		keep(r, 1);
		return true;
	}
	rest = str_from(rest, 1);
	if (str_starts(rest, STR("P<"))
		|| (rest.n > 1 && rest.p[0] == '<' && rest.p[1] != '='
			&& rest.p[1] != '!')) {
		keep(r, 3);
		return true;
	}
	if (str_starts(rest, STR("=")) || str_starts(rest, STR("!"))
		|| str_starts(rest, STR("<")))
		return refuse(r, "a look-around");
	if (str_starts(rest, STR(">")))
		return refuse(r, "an atomic group");
	if (str_starts(rest, STR("(")))
		return refuse(r, "a conditional");
	size_t n = 0;
	while (n < rest.n && rest.p[n] != '\0' && strchr("imsU-", rest.p[n]) != NULL)
		n++;
	if (n == rest.n || (rest.p[n] != ')' && rest.p[n] != ':'))
		return refuse(r, "a group that RE2 does not know");
	keep(r, n + 3);
	return true;
}

/* {n}, {n,}, {n,m}; anything else is plain text. */
static bool
read_count(struct reader *r, bool *is_count)
{
	size_t n = 1, digits = 0;
	unsigned long count = 0;
	for (; n < r->rest.n && r->rest.p[n] != '}'; n++) {
		char c = r->rest.p[n];
		if (c == ',' && digits > 0) {
			count = 0;
			continue;
		}
		if (c < '0' || c > '9')
			break;
		digits++;
		count = count * 10 + (unsigned)(c - '0');
		if (count > MOST_REPEATS)
			return refuse(r, "more than 1000 repeats");
	}
	*is_count = digits > 0 && n < r->rest.n && r->rest.p[n] == '}';
	keep(r, *is_count ? n + 1 : 1);
	return true;
}

static bool
read_repeat(struct reader *r)
{
	bool is_count = true;
	if (r->rest.p[0] != '{')
		keep(r, 1);
	else if (!read_count(r, &is_count))
		return false;
	if (is_count && r->rest.n > 0 && r->rest.p[0] == '+')
		return refuse(r, "a possessive repeat");
	if (is_count && r->rest.n > 0 && r->rest.p[0] == '?')
		keep(r, 1);
	return true;
}

static bool
read_pattern(struct reader *r)
{
	bool sound = true;
	while (sound && r->rest.n > 0) {
		switch (r->rest.p[0]) {
		case '\\':
			sound = read_escape(r, false);
			break;
		case '[':
			sound = read_class(r);
			break;
		case '(':
			sound = read_group(r);
			break;
		case '*': case '+': case '?': case '{':
			sound = read_repeat(r);
			break;
		default:
			keep(r, 1);
			break;
		}
	}
	return sound;
}

/* ---- */

static bool
compile(struct arena *mem, struct str pattern, struct regex *regex, struct err *err)
{
	int code;
	PCRE2_SIZE at;
	char text[120];
	pcre2_general_context *general =
		pcre2_general_context_create(take_memory, leave_memory, mem);
	pcre2_compile_context *context = pcre2_compile_context_create(general);
	pcre2_set_parens_nest_limit(context, DEEPEST_PATTERN);
	regex->code =
		pcre2_compile((PCRE2_SPTR)(pattern.n == 0 ? "" : pattern.p), pattern.n,
			PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY
				| PCRE2_NEVER_BACKSLASH_C,
			&code, &at, context);
	if (regex->code == NULL) {
		pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
		return err_set(err, ERR_VALUE,
			"the regular expression has a mistake at character %zu: %s",
			at + 1, text);
	}
	uint32_t groups = 0;
	pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	regex->groups = groups;
	regex->data = pcre2_match_data_create_from_pattern(regex->code, general);
	regex->context = pcre2_match_context_create(general);
	pcre2_set_depth_limit(regex->context, MOST_DEPTH);
	pcre2_set_heap_limit(regex->context, MOST_HEAP_KIB);
	/* The first match takes the memory that all later ones use. */
	pcre2_match(regex->code, (PCRE2_SPTR)"", 0, 0, 0, regex->data, regex->context);
	return true;
}

bool
regex_compile(
	struct arena *mem, struct str pattern, const struct regex **out, struct err *err)
{
	struct buf text = buf_in(mem);
	struct reader reader = {pattern, &text, err};
	if (pattern.n > LONGEST_PATTERN)
		return err_set(err, ERR_LIMIT,
			"the regular expression is longer than %d bytes",
			LONGEST_PATTERN);
	if (!str_is_utf8(pattern))
		return err_set(err, ERR_VALUE, "the regular expression is not UTF-8");
	struct regex *regex = arena_new_of(mem, struct regex);
	*out = regex;
	return read_pattern(&reader) && compile(mem, buf_str(&text), regex, err);
}

bool
regex_find(const struct regex *regex, struct str text, size_t from, size_t *groups,
	size_t n, struct err *err)
{
	uint64_t tries = LEAST_TRIES + (uint64_t)text.n * TRIES_A_BYTE;
	pcre2_set_match_limit(
		regex->context, tries > UINT32_MAX ? UINT32_MAX : (uint32_t)tries);
	int found = pcre2_match(regex->code, (PCRE2_SPTR)(text.n == 0 ? "" : text.p),
		text.n, from, 0, regex->data, regex->context);
	if (found == PCRE2_ERROR_NOMATCH) {
		err->code = ERR_NONE;
		return false;
	}
	if (found < 0) {
		err_set(err, ERR_LIMIT,
			"the regular expression is too complex for this text");
		return err_hint(err, "avoid repeats inside repeats, such as (a+)+");
	}
	const PCRE2_SIZE *places = pcre2_get_ovector_pointer(regex->data);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 2 * i; k < 2 * i + 2; k++)
			groups[k] = i < (size_t)found && places[k] != PCRE2_UNSET
				? places[k]
				: SIZE_MAX;
	return true;
}

bool
regex_matches_whole(const struct regex *regex, struct str text, struct err *err)
{
	uint64_t tries = LEAST_TRIES + (uint64_t)text.n * TRIES_A_BYTE;
	pcre2_set_match_limit(
		regex->context, tries > UINT32_MAX ? UINT32_MAX : (uint32_t)tries);
	int found = pcre2_match(regex->code, (PCRE2_SPTR)(text.n == 0 ? "" : text.p),
		text.n, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, regex->data,
		regex->context);
	if (found >= 0)
		return true;
	if (found == PCRE2_ERROR_NOMATCH)
		err->code = ERR_NONE;
	else
		err_set(err, ERR_LIMIT,
			"the regular expression is too complex for this text");
	return false;
}

size_t
regex_groups(const struct regex *regex)
{
	return regex->groups;
}
