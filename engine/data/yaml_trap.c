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

static bool
is_bare_template_in_brackets(struct str value)
{
	size_t at = str_find(value, STR("${{"));
	return value.n > 0 && (value.p[0] == '{' || value.p[0] == '[') && at < value.n;
}

void
yaml_trap(const struct source *source, uint32_t offset, struct err *err)
{
	struct str line = line_at(source->text, offset), value = value_on(line);
	if (line.n > 0 && line.p[0] == '\t')
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
