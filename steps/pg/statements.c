#include "../steps/pg/statements.h"

#include <strings.h>

struct scan {
	struct str rest;
	struct str first, last; /* words of the statement */
	unsigned depth; /* in a body that begins with BEGIN ATOMIC */
};

static bool
is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
		|| (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool
is(struct str word, const char *text)
{
	return word.n == strlen(text) && strncasecmp(word.p, text, word.n) == 0;
}

/* After what is between two marks; all where the second is missing. */
static struct str
after(struct str text, size_t open, struct str close)
{
	struct str body = str_from(text, open);
	size_t at = str_find(body, close);
	return str_from(body, at == body.n ? at : at + close.n);
}

/* A quote doubled is two texts beside each other, which is as good. */
static struct str
after_quote(struct str text, bool escapes)
{
	for (size_t i = 1; i < text.n; i++) {
		if (escapes && text.p[i] == '\\')
			i++;
		else if (text.p[i] == text.p[0])
			return str_from(text, i + 1);
	}
	return str_from(text, text.n);
}

/* Comments of C nest in SQL. */
static struct str
after_comment(struct str text)
{
	unsigned depth = 0;
	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] == '/' && text.p[i + 1] == '*') {
			depth++;
			i++;
		} else if (text.p[i] == '*' && text.p[i + 1] == '/') {
			i++;
			if (--depth == 0)
				return str_from(text, i + 1);
		}
	}
	return str_from(text, text.n);
}

/* $tag$…$tag$; a parameter ($1) is no quote. */
static struct str
after_dollar(struct str text)
{
	size_t n = 1;
	while (n < text.n && is_word(text.p[n]))
		n++;
	bool is_tag = n < text.n && text.p[n] == '$'
		&& !(text.p[1] >= '0' && text.p[1] <= '9');
	return is_tag ? after(text, n + 1, (struct str){text.p, n + 1})
		      : str_from(text, 1);
}

static struct str
next_word(struct scan *scan)
{
	size_t n = 0;
	while (n < scan->rest.n && is_word(scan->rest.p[n]))
		n++;
	struct str word = {scan->rest.p, n};
	bool escapes = is(word, "e") && n < scan->rest.n && scan->rest.p[n] == '\'';
	scan->rest = str_from(scan->rest, n);
	if (escapes)
		scan->rest = after_quote(scan->rest, true);
	return word;
}

static void
take_word(struct scan *scan)
{
	struct str word = next_word(scan);
	if (scan->depth > 0 && (is(word, "case") || is(word, "begin")))
		scan->depth++;
	else if (scan->depth > 0 && is(word, "end"))
		scan->depth--;
	else if (is(word, "atomic") && is(scan->last, "begin")
		&& is(scan->first, "create"))
		scan->depth = 1;
	if (scan->first.n == 0)
		scan->first = word;
	scan->last = word;
}

/* Over what is no word, or over one. */
static void
step_on(struct scan *scan)
{
	struct str text = scan->rest;
	char c = text.p[0];
	if (is_word(c))
		take_word(scan);
	else if (c == '\'' || c == '"')
		scan->rest = after_quote(text, false);
	else if (c == '$')
		scan->rest = after_dollar(text);
	else if (str_starts(text, STR("--")))
		scan->rest = after(text, 2, STR("\n"));
	else if (str_starts(text, STR("/*")))
		scan->rest = after_comment(text);
	else
		scan->rest = str_from(text, 1);
}

/* The word after the first one; ROLLBACK TO, PREPARE TRANSACTION. */
static struct str
second_word(struct str rest)
{
	struct scan scan = {.rest = rest};
	while (scan.rest.n > 0 && scan.first.n == 0 && scan.rest.p[0] != ';')
		step_on(&scan);
	return scan.first;
}

static bool
ends(struct str first, struct str rest)
{
	struct str second = second_word(rest);
	if (is(first, "rollback"))
		return !is(second, "to");
	if (is(first, "prepare"))
		return is(second, "transaction");
	return is(first, "commit") || is(first, "end") || is(first, "abort");
}

struct str
statements_end(struct str text)
{
	struct scan scan = {.rest = text};
	while (scan.rest.n > 0) {
		if (scan.rest.p[0] == ';' && scan.depth == 0) {
			scan.first = scan.last = (struct str){NULL, 0};
			scan.rest = str_from(scan.rest, 1);
			continue;
		}
		bool fresh = scan.first.n == 0;
		step_on(&scan);
		if (fresh && scan.first.n > 0 && ends(scan.first, scan.rest))
			return scan.first;
	}
	return (struct str){NULL, 0};
}
