#include "data/yaml_trap.h"

static struct str
line_at(struct str text, size_t offset)
{
	size_t from = offset < text.n ? offset : text.n, to = from;
	while (from > 0 && text.p[from - 1] != '\n')
		from--;
	while (to < text.n && text.p[to] != '\n' && text.p[to] != '\r')
		to++;
	return (struct str){text.p + from, to - from};
}

/* The value on a line: what follows the dashes of a list and the first "key: ". */
static struct str
value_on(struct str line)
{
	struct str rest = str_trim(line);
	while (rest.n >= 2 && rest.p[0] == '-' && rest.p[1] == ' ')
		rest = str_trim(str_from(rest, 2));
	size_t colon = str_find(rest, STR(": "));
	bool is_name = colon < rest.n;
	for (size_t i = 0; is_name && i < colon; i++)
		is_name = strchr("'\"{[ ,", rest.p[i]) == NULL;
	return is_name ? str_trim(str_from(rest, colon + 2)) : rest;
}

/* Whether a value that begins with a quote or bracket goes on behind the closing one: 'a'
 * in xs, [1, 2].exists(…) */
static bool
goes_on_behind(struct str value)
{
	char open = value.p[0], close = open == '[' ? ']' : open == '{' ? '}' : open;
	int depth = 0;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == open && open != close)
			depth++;
		else if (value.p[i] == close && (open != close || i > 0)
			&& --depth <= 0) {
			struct str rest = str_trim(str_from(value, i + 1));
			return rest.n > 0 && rest.p[0] != '#' && rest.p[0] != ','
				&& rest.p[0] != ':';
		}
	}
	return false;
}

/* A template that no quotes protect from the brackets around it. */
static bool
is_bare_template_in_brackets(struct str value)
{
	char quote = '\0';
	if (value.n == 0 || (value.p[0] != '{' && value.p[0] != '['))
		return false;
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		if (quote != '\0')
			quote = c == quote ? '\0' : quote;
		else if (c == '\'' || c == '"')
			quote = c;
		else if (c == '$' && str_starts(str_from(value, i), STR("${{")))
			return true;
	}
	return false;
}

void
yaml_trap(const struct source *source, uint32_t offset, struct err *err)
{
	struct str line = line_at(source->text, offset), value = value_on(line);
	size_t comment = str_find(value, STR(" #"));
	value = str_trim((struct str){value.p, comment < value.n ? comment : value.n});
	bool tab = offset < source->text.n && source->text.p[offset] == '\t';
	if (tab || (line.n > 0 && line.p[0] == '\t'))
		err_hint(err, "indent by blanks, not by tabs");
	else if (is_bare_template_in_brackets(value))
		err_hint(err,
			"inside { } and [ ] quote a text with ${{ }}: {url: 'https://${{ "
			"inputs.domain }}/'}");
	else if (value.n > 0 && strchr("'\"[{", value.p[0]) != NULL
		&& goes_on_behind(value))
		err_hint(err,
			"YAML ends the value at its closing %c: quote the whole, or "
			"write >- and put it on the "
			"next line",
			value.p[0] == '['           ? ']'
				: value.p[0] == '{' ? '}'
						    : value.p[0]);
	else if (value.n > 0 && strchr("@`%&*!|>", value.p[0]) != NULL)
		err_hint(err,
			"YAML gives a leading %c a meaning of its own: quote the whole",
			value.p[0]);
	else if (value.n > 0 && strchr("'\"[{", value.p[0]) == NULL
		&& str_find(value, STR(": ")) < value.n)
		err_hint(err,
			"': ' inside a text begins a key for YAML: quote the whole, or "
			"write >- and put it on "
			"the next line");
}

/* ---- how lines lie to each other */

static unsigned
line_number(struct mark at)
{
	uint32_t line, column;
	mark_place(at, &line, &column);
	return line;
}

static bool
says(const struct err *err, const char *what)
{
	return strstr(err->msg, what) != NULL;
}

/* The last line above `offset` that says something; empty: none. */
static struct str
line_above(struct str text, size_t offset)
{
	struct str line = line_at(text, offset);
	while (line.p > text.p) {
		line = line_at(text, (size_t)(line.p - text.p) - 1);
		struct str words = str_trim(line);
		if (words.n > 0 && words.p[0] != '#')
			return line;
	}
	return (struct str){text.p, 0};
}

/* From 0: where the first key of a line stands, behind blanks and dashes. */
static size_t
key_column(struct str line)
{
	size_t i = 0;
	while (i < line.n && (line.p[i] == ' '
		|| (line.p[i] == '-' && i + 1 < line.n && line.p[i + 1] == ' ')))
		i++;
	return i;
}

/* "name:value" or "-name: value": a blank is missing. */
static bool
lacks_blank(struct str line, struct err *err)
{
	struct str words = str_trim(line);
	size_t colon = str_find(words, STR(":"));
	if (words.n > 1 && words.p[0] == '-' && words.p[1] != ' ' && words.p[1] != '-')
		return err_hint(err, "write a blank behind the - of a list"), true;
	if (colon + 1 >= words.n || words.p[colon + 1] == ' '
		|| str_find(words, STR(": ")) < words.n
		|| strchr("'\"[{", words.p[0]) != NULL)
		return false;
	err_hint(err, "write a blank behind the colon of a key");
	return true;
}

static void
hint_columns(struct err *err, struct str line, struct str above)
{
	err_hint(err,
		"the keys of one map begin in the same column: here %zu, in the line above "
		"%zu",
		key_column(line) + 1, key_column(above) + 1);
}

/* What the lines lack, where none of them is a trap by itself: the words of libyaml say
 * what it met, not what to do. */
void
yaml_trap_layout(const struct source *source, uint32_t context, uint32_t offset,
	struct err *err)
{
	struct str text = source->text, line = line_at(text, offset),
		   above = line_above(text, offset), opened = line_at(text, context);
	struct mark there = {source, context, context};
	if (says(err, "while scanning a quoted scalar"))
		err_hint(err, "the quote that opens in line %u is not closed",
			line_number(there));
	else if (says(err, "while parsing a flow") && context < text.n
		&& line.p != opened.p)
		err_hint(err, "the %c that opens in line %u is not closed before this line",
			text.p[context], line_number(there));
	else if (says(err, "did not find expected node content"))
		err_hint(err, "a value is missing here, or a [ or { above is not closed");
	else if (lacks_blank(line, err) || lacks_blank(above, err)
		|| lacks_blank(opened, err))
		return;
	else if ((says(err, "mapping values are not allowed")
		|| says(err, "did not find expected '-'")
		|| says(err, "did not find expected key"))
		&& key_column(line) != key_column(above) && above.n > 0)
		hint_columns(err, line, above);
}
