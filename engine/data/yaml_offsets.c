/* Where each byte of a scalar's text stands in the source: the text and the source are
 * walked side by side. What the source has and the text has not (indentation, a fold, the
 * second quote of '') is skipped; what an escape of a double quoted text gives comes from
 * the escape's first byte. */
#include "data/yaml.h"

struct walk {
	struct str text;                              /* of the value */
	const char *src;
	uint32_t at, to;                              /* in the source */
	uint32_t *map;
	size_t done; /* bytes of text that have their offset */
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Bytes of the source that an escape takes. */
static uint32_t
escape_length(const char *src, uint32_t at, uint32_t to)
{
	char c = at + 1 < to ? src[at + 1] : '\0';
	uint32_t n = c == 'x' ? 4 : c == 'u' ? 6 : c == 'U' ? 10 : 2;
	/* A surrogate pair of JSON is one code point. */
	if (n == 6 && at + 12 <= to && (src[at + 2] == 'd' || src[at + 2] == 'D')
		&& strchr("89abAB", src[at + 3]) != NULL && src[at + 6] == '\\')
		n = 12;
	return at + n <= to ? n : to - at;
}

static void
take(struct walk *w, size_t bytes)
{
	for (size_t i = 0; i < bytes && w->done < w->text.n; i++)
		w->map[w->done++] = w->at;
}

static void
take_escape(struct walk *w)
{
	uint32_t n = escape_length(w->src, w->at, w->to);
	char c = w->at + 1 < w->to ? w->src[w->at + 1] : '\0';
	if (c != '\n' && c != '\r') {
		size_t rune = 1;
		if (w->done < w->text.n)
			str_rune(str_from(w->text, w->done), &rune);
		take(w, rune);
	}
	w->at += n;
}

/* A run of blanks and line ends in the source, and what the text has for it. */
static void
take_spaces(struct walk *w)
{
	uint32_t end = w->at;
	while (end < w->to && is_space(w->src[end]))
		end++;
	uint32_t have = end - w->at, want = 0;
	while (want < have && w->done + want < w->text.n
		&& is_space(w->text.p[w->done + want]))
		want++;
	/* The text's blanks match the end of the run when it is on one line, else the
	 * line ends stand for them. */
	w->at += have - want;
	for (uint32_t i = 0; i < want; i++) {
		take(w, 1);
		w->at += w->at < end;
	}
	w->at = end;
}

static void
walk_scalar(struct walk *w, char style)
{
	while (w->at < w->to && w->done < w->text.n) {
		char c = w->src[w->at];
		if (style == '"' && c == '\\') {
			take_escape(w);
		} else if (is_space(c)) {
			take_spaces(w);
		} else {
			take(w, 1);
			w->at += style == '\'' && c == '\'' ? 2 : 1;
		}
	}
	while (w->done <= w->text.n)
		w->map[w->done++] = w->at;
}

const uint32_t *
yaml_offsets(struct arena *mem, const struct value *string, struct mark *at)
{
	*at = value_mark(string);
	const struct source *source = string->source;
	if (source == NULL || string->kind != V_STRING || string->to <= string->from)
		return NULL;
	const char *src = source->text.p;
	char first = src[string->from];
	char style = string->flags & VALUE_PLAIN ? '\0' : first;
	uint32_t shift = style == '"' || style == '\'';
	struct str text = string->str;
	if (style != '|' && style != '>'
		&& string->to - string->from == text.n + 2 * shift) {
		*at = (struct mark){source, string->from + shift, string->to - shift};
		return NULL;
	}
	struct walk w = {.text = text,
		.src = src,
		.at = string->from + shift,
		.to = string->to - shift};
	if (style == '|' || style == '>') /* behind the header and its comment */
		while (w.at < w.to && src[w.at] != '\n')
			w.at++;
	if (w.at < w.to && (style == '|' || style == '>'))
		w.at++;
	w.map = arena_array(mem, uint32_t, text.n + 1);
	walk_scalar(&w, style);
	return w.map;
}
