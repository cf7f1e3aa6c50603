#include "base/scrub.h"

#include <ctype.h>
#include <stdio.h>

enum kind { WORD, LINE };                         /* how far a value goes */
enum { FAR = 512 };                               /* so far is looked around a place */

static const struct name {
	const char *text;                         /* in lower case */
	enum kind kind;
} names[] = {
	{"password", WORD}, {"passwd", WORD}, {"secret", WORD}, {"token", WORD},
	{"signature", WORD}, {"authorization", LINE}, {"cookie", LINE},
	{"x-amz-security-token", LINE},
};

struct scrub {
	struct str text;
	struct buf out;
	size_t done;                              /* so much of the text is in out */
	char quote;                               /* that is open here; 0: none */
	bool flow;                                /* a { stands before in this line */
	uint32_t *marks;
	size_t n_marks, moved;
};

/* The character at i, 0 behind the end. */
static char
at(struct str text, size_t i)
{
	return i < text.n ? text.p[i] : '\0';
}

static bool
is_one(char c, const char *set)
{
	return (unsigned char)c <= ' ' || strchr(set, c) != NULL;
}

static size_t
skip(struct str text, size_t i)
{
	while (at(text, i) == ' ' || at(text, i) == '\t')
		i++;
	return i;
}

/* ---- where a value ends */

static size_t
quoted_end(struct str text, size_t i, char quote)
{
	for (; i < text.n && text.p[i] != quote && text.p[i] != '\n'; i++)
		if (text.p[i] == '\\')
			i++;
	return i < text.n ? i : text.n;
}

/* The last character of ${{ }}, which may hold blanks, where it begins at i; else i. */
static size_t
past_expr(struct str text, size_t i)
{
	if (!str_starts(str_from(text, i), STR("${{")))
		return i;
	size_t end = i + str_find(str_from(text, i), STR("}}")) + 1;
	return end < text.n ? end : text.n - 1;
}

static size_t
line_end(struct str text, size_t i, char quote, bool flow)
{
	for (; i < text.n && strchr("\r\n", text.p[i]) == NULL; i++) {
		i = past_expr(text, i);
		if ((quote != '\0' && text.p[i] == quote)
			|| (flow && quote == '\0' && text.p[i] == '}'))
			break;
	}
	return i;
}

static size_t
word_end(struct str text, size_t i, char quote, bool query)
{
	for (; i < text.n && !is_one(text.p[i], query ? "&#" : ""); i++) {
		if (quote != '\0' && text.p[i] == quote)
			break;
		i = text.p[i] == '\\' ? i + 1 : past_expr(text, i);
	}
	return i < text.n ? i : text.n;
}

/* The '@' after user and password that begin here; 0: there is none. A '/' in a password
 * makes a port that is no number. */
static size_t
user_end(struct str text, size_t from)
{
	size_t found = 0, colon = 0, i = from;
	for (; i < text.n && !is_one(text.p[i], "/?#\"'<>`"); i++) {
		i = past_expr(text, i);
		if (text.p[i] == '@')
			found = i;
		if (text.p[i] == ':')
			colon = i;
	}
	if (found != 0 || colon == 0 || text.p[from] == '['
	    || isdigit((unsigned char)at(text, colon + 1)))
		return found;
	for (size_t n = 0; i < text.n && n < FAR && !is_one(text.p[i], "\"'<>`");
		i++, n++)
		if (text.p[i] == '@')
			found = i;
	return found;
}

/* ---- masking */

static void
keep(struct scrub *scrub, size_t to)
{
	for (; scrub->moved < scrub->n_marks && scrub->marks[scrub->moved] < to;
		scrub->moved++)
		scrub->marks[scrub->moved] += (uint32_t)scrub->out.n
			- (uint32_t)scrub->done;
	buf_add(&scrub->out,
		(struct str){scrub->text.p + scrub->done, to - scrub->done});
	scrub->done = to;
}

static void
hide(struct scrub *scrub, size_t to)
{
	for (; scrub->moved < scrub->n_marks && scrub->marks[scrub->moved] < to;
		scrub->moved++)
		scrub->marks[scrub->moved] = (uint32_t)scrub->out.n;
	buf_puts(&scrub->out, "***");
	scrub->done = to;
}

/* All but ${{ }} and what is only blank. */
static void
hide_value(struct scrub *scrub, size_t from, size_t to)
{
	while (from < to) {
		struct str value = {scrub->text.p + from, to - from};
		size_t open = str_find(value, STR("${{"));
		size_t close = open + str_find(str_from(value, open), STR("}}")) + 2;
		keep(scrub, from);
		if (str_trim((struct str){value.p, open}).n > 0)
			hide(scrub, from + open);
		if (close > value.n)
			close = value.n;
		keep(scrub, from + close);
		from += close;
	}
}

static bool
is_name(struct str text, const char *name)
{
	for (size_t i = 0; name[i] != '\0'; i++)
		if (tolower((unsigned char)at(text, i)) != name[i])
			return false;
	return true;
}

/* Whether what stands here is a part of a URL's query. */
static bool
is_query(struct str text, size_t i)
{
	for (size_t n = 0; i > 0 && n < FAR && !is_one(text.p[i - 1], "\"'"); i--, n++)
		if (text.p[i - 1] == '?')
			return true;
	return false;
}

/* `name` ends at i. "a == b" compares, and a map or a block of YAML is no value. */
static size_t
hide_after(struct scrub *scrub, const struct name *name, size_t start, size_t i)
{
	struct str text = scrub->text;
	bool closed = scrub->quote != '\0' && at(text, i) == scrub->quote;
	char quote = closed ? '\0' : scrub->quote;
	size_t sign = skip(text, closed ? i + 1 : i), from = skip(text, sign + 1);
	if (at(text, sign) != (name->kind == WORD ? '=' : ':') || at(text, from) == '=')
		return i;
	if (name->kind == LINE && strchr("{[|>\r\n", at(text, from)) != NULL)
		return i;
	if (quote != '\0' && at(text, from) == quote)
		return i;
	if (closed)
		scrub->quote = '\0';
	size_t to;
	if (at(text, from) == '"' || at(text, from) == '\'') {
		to = quoted_end(text, from + 1, text.p[from]);
		hide_value(scrub, from + 1, to);
		return to < text.n ? to + 1 : to;
	}
	to = name->kind == LINE ? line_end(text, from, quote, scrub->flow)
				: word_end(text, from, quote, is_query(text, start));
	hide_value(scrub, from, to);
	return to > i ? to : i;
}

/* What begins at i is masked; where to go on. */
static size_t
step(struct scrub *scrub, size_t i)
{
	struct str rest = str_from(scrub->text, i);
	char c = *rest.p;
	if (past_expr(scrub->text, i) > i)
		return past_expr(scrub->text, i) + 1;
	if (c == '{' || c == '\n')
		scrub->flow = c == '{';
	if (c == '\n' || c == scrub->quote)
		scrub->quote = '\0';
	else if (scrub->quote == '\0' && (c == '"' || c == '\''))
		scrub->quote = c;
	if (c == ':' && str_starts(rest, STR("://"))) {
		size_t end = user_end(scrub->text, i + 3);
		if (end > i + 3)
			hide_value(scrub, i + 3, end);
		return end > i + 3 ? end : i + 3;
	}
	for (size_t j = 0; j < sizeof names / sizeof *names; j++)
		if (is_name(rest, names[j].text))
			return hide_after(scrub, &names[j], i, i + strlen(names[j].text));
	return i + 1;
}

struct str
scrub_text(struct arena *mem, struct str text, uint32_t *marks, size_t n_marks)
{
	struct scrub scrub = {.text = text, .out = buf_in(mem), .marks = marks,
		.n_marks = n_marks};
	for (size_t i = 0; i < text.n;)
		i = step(&scrub, i);
	if (scrub.out.n == 0)
		return text;
	keep(&scrub, text.n);
	for (; scrub.moved < n_marks; scrub.moved++)
		marks[scrub.moved] += (uint32_t)scrub.out.n - (uint32_t)text.n;
	return buf_str(&scrub.out);
}

static void
scrub_place(struct arena *mem, char *text, size_t size)
{
	struct str all = str_of(text), out = scrub_text(mem, all, NULL, 0);
	if (out.p == all.p)
		return;
	explicit_bzero(text, size);
	memcpy(text, out.p, out.n < size ? out.n : size - 1);
}

void
scrub_err(struct err *err)
{
	struct arena *mem = arena_new();
	scrub_place(mem, err->msg, sizeof err->msg);
	scrub_place(mem, err->hint, sizeof err->hint);
	arena_free(mem);
}
