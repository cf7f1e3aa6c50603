#include "data/expr_scan.h"

#include <errno.h>
#include <stdlib.h>

enum { LONGEST_NUMBER = 400 };

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
hex_of(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char
peek(const struct scanner *s, uint32_t ahead)
{
	return s->at + ahead < s->text.n ? s->text.p[s->at + ahead] : '\0';
}

static struct token
bad(struct scanner *s, uint32_t from, uint32_t to, const char *message, const char *hint)
{
	err_set(s->err, ERR_SYNTAX, "%s", message);
	if (hint != NULL)
		err_hint(s->err, "%s", hint);
	s->err->at.from = from;
	s->err->at.to = to;
	if (s->at < to)
		s->at = to;
	return (struct token){TOKEN_BAD, from, to, {s->text.p + from, to - from}, {0}};
}

static struct token
token_of(struct scanner *s, enum token_kind kind, uint32_t from)
{
	return (struct token){kind, from, s->at, {s->text.p + from, s->at - from}, {0}};
}

/* Blanks and comments, which go on to the end of the line. */
static void
skip_blanks(struct scanner *s)
{
	for (;; s->at++) {
		char c = peek(s, 0);
		if (c == '/' && peek(s, 1) == '/') {
			while (s->at < s->text.n && s->text.p[s->at] != '\n')
				s->at++;
			c = peek(s, 0);
		}
		if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f')
			return;
	}
}

static bool
all_digits(struct scanner *s, bool hex)
{
	uint32_t from = s->at;
	while (s->at < s->text.n
		&& (hex ? hex_of(peek(s, 0)) >= 0 : is_digit(peek(s, 0))))
		s->at++;
	return s->at > from;
}

static struct token
scan_integer(struct scanner *s, uint32_t from, uint32_t digits, bool hex)
{
	uint64_t u = 0;
	for (uint32_t i = digits; i < s->at; i++)
		if (__builtin_mul_overflow(u, hex ? 16 : 10, &u)
		    || __builtin_add_overflow(u, (uint64_t)hex_of(s->text.p[i]), &u))
			return bad(s, from, s->at, "the number is out of range",
				"integers go to 9223372036854775807, with u to "
				"18446744073709551615");
	bool is_uint = (peek(s, 0) | 0x20) == 'u';
	s->at += is_uint;
	struct token token = token_of(s, is_uint ? TOKEN_UINT : TOKEN_INT, from);
	token.u = u;
	return token;
}

static struct token
scan_double(struct scanner *s, uint32_t from)
{
	struct token token = token_of(s, TOKEN_DOUBLE, from);
	char copy[LONGEST_NUMBER];
	if (token.text.n >= sizeof copy)
		return bad(s, from, s->at, "the number is too long", NULL);
	memcpy(copy, token.text.p, token.text.n);
	copy[token.text.n] = '\0';
	token.d = strtod(copy, NULL);
	return token;
}

static struct token
scan_number(struct scanner *s)
{
	uint32_t from = s->at;
	bool is_double = false;
	if (peek(s, 0) == '0' && (peek(s, 1) | 0x20) == 'x') {
		s->at += 2;
		if (!all_digits(s, true))
			return bad(s, from, s->at, "want digits after 0x", NULL);
		return scan_integer(s, from, from + 2, true);
	}
	all_digits(s, false);
	if (peek(s, 0) == '.' && is_digit(peek(s, 1))) {
		s->at++;
		all_digits(s, false);
		is_double = true;
	}
	bool sign = peek(s, 1) == '+' || peek(s, 1) == '-';
	if ((peek(s, 0) | 0x20) == 'e' && is_digit(peek(s, sign ? 2 : 1))) {
		s->at += sign ? 2 : 1;
		all_digits(s, false);
		is_double = true;
	}
	struct token token =
		is_double ? scan_double(s, from) : scan_integer(s, from, from, false);
	if (token.kind != TOKEN_BAD && is_name_start(peek(s, 0)))
		return bad(s, from, s->at + 1, "a name cannot follow a number directly",
			"a time is written duration('5m'), text stands in quotes");
	return token;
}

/* How many characters the prefix of a string has (r, b, rb, br), -1: no string begins
 * here. */
static int
string_prefix(const struct scanner *s, bool *raw, bool *bytes)
{
	int n = 0;
	*raw = *bytes = false;
	for (; n < 2; n++) {
		char c = peek(s, (uint32_t)n) | 0x20;
		bool *flag = c == 'r' ? raw : c == 'b' ? bytes : NULL;
		if (flag == NULL || *flag)
			break;
		*flag = true;
	}
	char quote = peek(s, (uint32_t)n);
	return quote == '\'' || quote == '"' ? n : -1;
}

static struct token
scan_string(struct scanner *s, int prefix, bool raw, bool bytes)
{
	uint32_t from = s->at;
	s->at += (uint32_t)prefix;
	char quote = peek(s, 0);
	bool triple = peek(s, 1) == quote && peek(s, 2) == quote;
	for (s->at += triple ? 3 : 1; s->at < s->text.n; s->at++) {
		char c = peek(s, 0);
		if (c == '\\' && !raw) {
			s->at++;
			continue;
		}
		if (!triple && (c == '\n' || c == '\r'))
			break;
		if (c == quote
			&& (!triple || (peek(s, 1) == quote && peek(s, 2) == quote))) {
			s->at += triple ? 3 : 1;
			return token_of(s, bytes ? TOKEN_BYTES : TOKEN_STRING, from);
		}
	}
	uint32_t to = s->at < s->text.n ? s->at : (uint32_t)s->text.n;
	s->at = to;
	return bad(s, from, to, "the text is not closed",
		"end it with the quote that began it");
}

static struct token
scan_quoted(struct scanner *s)
{
	uint32_t from = s->at++;
	while (s->at < s->text.n && peek(s, 0) != '`' && peek(s, 0) != '\n')
		s->at++;
	if (peek(s, 0) != '`' || s->at == from + 1)
		return bad(
			s, from, s->at, "the quoted name is not closed or empty", NULL);
	for (uint32_t i = from + 1; i < s->at; i++) {
		char c = s->text.p[i];
		if (!is_name_start(c) && !is_digit(c) && strchr("-./ ", c) == NULL)
			return bad(s, i, i + 1,
				"a quoted name holds letters, digits, _ . - / and blanks "
				"only",
				"read it by index: x['name']");
	}
	s->at++;
	return token_of(s, TOKEN_QUOTED, from);
}

static struct token
scan_name(struct scanner *s)
{
	static const struct { const char *word; enum token_kind kind;
	} words[] = {
		{"true", TOKEN_TRUE},
		{"false", TOKEN_FALSE},
		{"null", TOKEN_NULL},
		{"in", TOKEN_IN},
	};
	uint32_t from = s->at;
	while (is_name_start(peek(s, 0)) || is_digit(peek(s, 0)))
		s->at++;
	struct token token = token_of(s, TOKEN_NAME, from);
	for (size_t i = 0; token.text.n <= 5 && i < sizeof words / sizeof *words; i++)
		if (str_is(token.text, words[i].word))
			token.kind = words[i].kind;
	return token;
}

struct mistake {
	const char *text, *message, *hint;
};

/* What people write who know another language. */
static const struct mistake mistakes[] = {
	{"=", "a single = has no meaning", "== compares"},
	{"&", "a single & has no meaning", "&& is and"},
	{"|", "a single | has no meaning", "|| is or"},
	{"$", "$ has no meaning in an expression",
		"an expression stands without ${{ }}; names begin with a root: inputs.x"},
	{"#", "# has no meaning in an expression", "a comment begins with //"},
	{"\\", "a backslash has no meaning outside of quotes", NULL},
	{";", "; has no meaning in an expression",
		"an expression is one value, without a ; at its end"},
	{"@", "@ has no meaning in an expression", NULL},
	{"~", "~ has no meaning in an expression",
		"x.matches('…') looks for a regular expression"},
	{"^", "^ has no meaning in an expression", "math.bitXor(a, b)"},
};

static struct token
scan_bad(struct scanner *s)
{
	uint32_t from = s->at;
	size_t n;
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
		if (peek(s, 0) == mistakes[i].text[0])
			return bad(
				s, from, from + 1, mistakes[i].message, mistakes[i].hint);
	struct str rest = str_from(s->text, from);
	int32_t rune = str_rune(rest, &n);
	if (rune == 0x2018 || rune == 0x2019 || rune == 0x201c || rune == 0x201d)
		return bad(s, from, from + (uint32_t)n,
			"a typographic quote has no meaning here",
			"text stands in ' or \"");
	return bad(s, from, from + (uint32_t)n, "a character that has no meaning here",
		NULL);
}

static enum token_kind
punctuation(char c, char next, uint32_t *n)
{
	*n = 1;
	bool equal = next == '=';
	switch (c) {
	case '(': return TOKEN_OPEN;
	case ')': return TOKEN_CLOSE;
	case '[': return TOKEN_LEFT;
	case ']': return TOKEN_RIGHT;
	case '{': return TOKEN_BRACE;
	case '}': return TOKEN_END_BRACE;
	case '.': return TOKEN_DOT;
	case ',': return TOKEN_COMMA;
	case ':': return TOKEN_COLON;
	case '?': return TOKEN_ASK;
	case '+': return TOKEN_ADD;
	case '-': return TOKEN_SUB;
	case '*': return TOKEN_MUL;
	case '/': return TOKEN_DIV;
	case '%': return TOKEN_MOD;
	case '<': *n += equal; return equal ? TOKEN_LE : TOKEN_LT;
	case '>': *n += equal; return equal ? TOKEN_GE : TOKEN_GT;
	case '!': *n += equal; return equal ? TOKEN_NE : TOKEN_NOT;
	case '=': *n = 2; return equal ? TOKEN_EQ : TOKEN_BAD;
	case '&': *n = 2; return next == '&' ? TOKEN_AND : TOKEN_BAD;
	case '|': *n = 2; return next == '|' ? TOKEN_OR : TOKEN_BAD;
	default: return TOKEN_BAD;
	}
}

struct token
scan_next(struct scanner *s)
{
	bool raw, bytes;
	uint32_t n;
	skip_blanks(s);
	if (s->at >= s->text.n)
		return (struct token){
			TOKEN_END, s->at, s->at, {s->text.p + s->at, 0}, {0}};
	char c = peek(s, 0);
	if (is_name_start(c) || c == '\'' || c == '"') {
		int prefix = string_prefix(s, &raw, &bytes);
		return prefix >= 0 ? scan_string(s, prefix, raw, bytes) : scan_name(s);
	}
	if (is_digit(c) || (c == '.' && is_digit(peek(s, 1))))
		return scan_number(s);
	if (c == '`')
		return scan_quoted(s);
	enum token_kind kind = punctuation(c, peek(s, 1), &n);
	if (kind == TOKEN_BAD)
		return scan_bad(s);
	uint32_t from = s->at;
	s->at += n;
	return token_of(s, kind, from);
}

static bool
bad_escape(const struct token *token, const char *at, struct err *err)
{
	err_set(err, ERR_SYNTAX, "the text has a bad escape");
	err_hint(err,
		"\\n \\t \\\\ \\' \\\" \\x41 \\u00e9 \\101 are escapes; r'…' takes "
		"backslashes as they are");
	err->at.from = token->from + (uint32_t)(at - token->text.p);
	err->at.to = err->at.from + 2 < token->to ? err->at.from + 2 : token->to;
	return false;
}

static int
simple_escape(char c)
{
	static const char from[] = "abfnrtv\\?'\"`", to[] = "\a\b\f\n\r\t\v\\?'\"`";
	const char *at = c == '\0' ? NULL : strchr(from, c);
	return at == NULL ? -1 : to[at - from];
}

/* The code point or byte of an escape behind its backslash; *rest goes on behind it. */
static bool
numeric_escape(struct str *rest, bool bytes, uint32_t *rune)
{
	char c = rest->p[0];
	size_t digits = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 3;
	unsigned base = digits == 3 ? 8 : 16;
	if (digits != 3)
		*rest = str_from(*rest, 1);
	if (rest->n < digits || (bytes && (digits == 4 || digits == 8)))
		return false;
	*rune = 0;
	for (size_t i = 0; i < digits; i++) {
		int digit = hex_of(rest->p[i]);
		if (digit < 0 || digit >= (int)base)
			return false;
		*rune = *rune * base + (unsigned)digit;
	}
	*rest = str_from(*rest, digits);
	return *rune <= (digits == 3 ? 0xff : 0x10ffff)
		&& (*rune < 0xd800 || *rune > 0xdfff);
}

static bool
decode(struct arena *mem, const struct token *token, struct str body, bool bytes,
	struct str *out, struct err *err)
{
	struct buf text = buf_in(mem);
	uint32_t rune;
	buf_reserve(&text, body.n);
	while (body.n > 0) {
		const char *slash = memchr(body.p, '\\', body.n);
		size_t plain = slash == NULL ? body.n : (size_t)(slash - body.p);
		buf_add(&text, (struct str){body.p, plain});
		body = str_from(body, plain + 1);
		if (slash == NULL)
			break;
		if (body.n == 0)
			return bad_escape(token, slash, err);
		int simple = simple_escape(body.p[0]);
		if (simple >= 0) {
			buf_putc(&text, (char)simple);
			body = str_from(body, 1);
			continue;
		}
		if (strchr("xXuU0123", body.p[0]) == NULL
			|| !numeric_escape(&body, bytes, &rune))
			return bad_escape(token, slash, err);
		if (bytes)
			buf_putc(&text, (char)rune);
		else
			buf_rune(&text, rune);
	}
	*out = text.n == 0 ? STR("") : buf_str(&text);
	return true;
}

bool
scan_decode(
	struct arena *mem, const struct token *token, struct str *out, struct err *err)
{
	struct str body = token->text;
	bool raw = false;
	for (; body.p[0] != '\'' && body.p[0] != '"'; body = str_from(body, 1))
		raw = raw || (body.p[0] | 0x20) == 'r';
	size_t quotes =
		body.n >= 6 && body.p[1] == body.p[0] && body.p[2] == body.p[0] ? 3 : 1;
	body = (struct str){body.p + quotes, body.n - 2 * quotes};
	if (!raw && body.n > 0 && memchr(body.p, '\\', body.n) != NULL)
		return decode(mem, token, body, token->kind == TOKEN_BYTES, out, err);
	*out = body;
	return true;
}

size_t
scan_extent(struct str text)
{
	struct err err;
	struct scanner s = {text, 0, &err};
	size_t depth = 0;
	for (;;) {
		struct token token = scan_next(&s);
		if (token.kind == TOKEN_END)
			return text.n;
		if (token.kind == TOKEN_BRACE)
			depth++;
		if (token.kind != TOKEN_END_BRACE)
			continue;
		if (depth > 0)
			depth--;
		else if (peek(&s, 0) == '}')
			return token.from;
	}
}

bool
scan_is_reserved(struct str name)
{
	static const char *const words[] = {
		"as",
		"break",
		"const",
		"continue",
		"else",
		"for",
		"function",
		"if",
		"import",
		"let",
		"loop",
		"namespace",
		"package",
		"return",
		"var",
		"void",
		"while",
		NULL,
	};
	for (size_t i = 0; words[i] != NULL; i++)
		if (str_is(name, words[i]))
			return true;
	return false;
}
