#include "data/yaml.h"

#include <yaml.h>

#include "data/yaml_trap.h"

struct frame {
	bool map;
	size_t first; /* its place on the stack of values */
	size_t nodes; /* counted so far, aliases as what they stand for */
	unsigned height;                              /* of the deepest thing in it */
	uint32_t from;
	const char *anchor;
};

struct anchor {
	const char *name;
	struct value value;
	size_t nodes;
	unsigned height;
};

struct composer {
	struct arena *mem, *scratch;
	const struct source *source;
	struct diags *diags;
	yaml_parser_t parser;
	size_t index, offset; /* the same place, in code points and bytes */
	struct frame frames[YAML_DEPTH + 1];
	size_t depth;
	struct value *stack;
	size_t n, cap;
	struct anchor *anchors;                       /* open addressing; 2^bits places */
	size_t n_anchors;
	unsigned bits;
	struct value *top;
};

/* ---- places */

const struct source *
source_new(struct arena *mem, const char *name, struct str text)
{
	size_t n = 1;
	if (str_starts(text, STR("\xef\xbb\xbf")))   /* a mark that editors leave */
		text = str_from(text, 3);
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	uint32_t *lines = arena_array(mem, uint32_t, n);
	n = 1;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\n')
			lines[n++] = (uint32_t)i + 1;
	struct source *source = arena_new_of(mem, struct source);
	*source = (struct source){.name = arena_strdup(mem, name),
		.text = text,
		.lines = lines,
		.n_lines = n};
	return source;
}

static bool
goes_on(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* libyaml counts code points. Marks come almost in order, so a walk from the last one is
 * short. */
static uint32_t
offset_of(struct composer *c, yaml_mark_t mark)
{
	struct str text = c->source->text;
	while (c->index < mark.index && c->offset < text.n) {
		c->offset++;
		while (c->offset < text.n && goes_on(text.p[c->offset]))
			c->offset++;
		c->index++;
	}
	while (c->index > mark.index && c->offset > 0) {
		c->offset--;
		while (c->offset > 0 && goes_on(text.p[c->offset]))
			c->offset--;
		c->index--;
	}
	return (uint32_t)c->offset;
}

static struct mark
mark_of(struct composer *c, yaml_mark_t from, yaml_mark_t to)
{
	uint32_t start = offset_of(c, from);
	return (struct mark){c->source, start, offset_of(c, to)};
}

static struct mark
mark_at(struct composer *c, uint32_t from)
{
	return (struct mark){c->source, from, from};
}

static void
also_at(struct diags *diags, const struct err *err, struct mark at)
{
	if (diags->last != NULL && &diags->last->err == err)
		diags->last->also = at;
}

/* ---- anchors */

static struct anchor *
anchor_place(struct anchor *anchors, unsigned bits, const char *name)
{
	size_t mask = ((size_t)1 << bits) - 1, i = str_hash(str_of(name)) & mask;
	while (anchors[i].name != NULL && strcmp(anchors[i].name, name) != 0)
		i = (i + 1) & mask;
	return &anchors[i];
}

static void
anchors_grow(struct composer *c)
{
	unsigned bits = c->anchors == NULL ? 4 : c->bits + 1;
	struct anchor *more = arena_array(c->scratch, struct anchor, (size_t)1 << bits);
	for (size_t i = 0; c->anchors != NULL && i < (size_t)1 << c->bits; i++)
		if (c->anchors[i].name != NULL)
			*anchor_place(more, bits, c->anchors[i].name) = c->anchors[i];
	c->anchors = more;
	c->bits = bits;
}

static void
anchor_add(struct composer *c, const char *name, struct value value, size_t nodes,
	unsigned height)
{
	if (c->anchors == NULL || c->n_anchors * 2 >= (size_t)1 << c->bits)
		anchors_grow(c);
	struct anchor *place = anchor_place(c->anchors, c->bits, name);
	c->n_anchors += place->name == NULL;
	*place = (struct anchor){name, value, nodes, height};
}

/* ---- nodes */

static void
push(struct composer *c, struct value value)
{
	if (c->n == c->cap) {
		size_t cap = c->cap == 0 ? 256 : c->cap * 2;
		struct value *more = arena_array(c->scratch, struct value, cap);
		if (c->n > 0)
			memcpy(more, c->stack, c->n * sizeof *more);
		c->stack = more;
		c->cap = cap;
	}
	c->stack[c->n++] = value;
}

static bool
is_key(const struct composer *c)
{
	const struct frame *frame = &c->frames[c->depth];
	return c->depth > 0 && frame->map && (c->n - frame->first) % 2 == 0;
}

/* Hang a finished node into what is open. false: the budget of nodes or the depth is
 * spent. */
static bool
add(struct composer *c, struct value value, const char *anchor, size_t nodes,
	unsigned height)
{
	struct frame *frame = &c->frames[c->depth];
	if (anchor != NULL)
		anchor_add(c, anchor, value, nodes, height);
	if (c->depth == 0)
		*c->top = value;
	else
		push(c, value);
	frame->nodes += nodes;
	if (frame->height < height + 1)
		frame->height = height + 1;
	struct mark at = {c->source, value.from, value.from};
	if (frame->nodes > YAML_NODES)
		diag_error(c->diags, at,
			"more than %d nodes, aliases counted as what they stand for",
			YAML_NODES)
			->code = ERR_LIMIT;
	else if (c->depth + height > YAML_DEPTH)
		diag_error(c->diags, at, "deeper than %d", YAML_DEPTH)->code = ERR_LIMIT;
	else
		return true;
	return false;
}

static void
refuse_tag(struct composer *c, const yaml_char_t *tag, struct mark at)
{
	if (tag == NULL)
		return;
	struct err *err = diag_error(c->diags, at,
		"YAML takes '%s' for a tag, and tags are not used here",
		(const char *)tag);
	if (tag[0] == '!' && tag[1] != '!')
		err_hint(err, "quote a text that begins with !: \"%s\"",
			(const char *)tag);
	else
		err_hint(
			err, "leave the tag out: the field says what type the value has");
}

static struct str
scalar_text(struct composer *c, const yaml_event_t *event, struct mark at)
{
	struct str text = {
		(const char *)event->data.scalar.value, event->data.scalar.length};
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	const char *there = c->source->text.p + at.from + !plain;
	size_t room = at.to - at.from, frame = plain ? 0 : 2;
	if (room == text.n + frame && (text.n == 0 || memcmp(there, text.p, text.n) == 0))
		return (struct str){there, text.n};
	return str_copy(c->mem, text);
}

/* A blank and # end a text: where the author goes on at once, it was hardly meant as a
 * comment. */
static void
warn_of_comment(struct composer *c, struct mark at)
{
	struct str text = c->source->text;
	uint32_t i = at.to;
	while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\t'))
		i++;
	if (i == at.to || i + 1 >= text.n || text.p[i] != '#'
		|| strchr(" \t\r\n#", text.p[i + 1]) != NULL)
		return;
	struct mark there = {c->source, i, i + 1};
	err_hint(diag_warning(c->diags, there,
			 "YAML ends the text before ' #'; the rest is a comment"),
		"quote the text, or write a blank behind the # of a comment");
}

/* A quote at the end that none at the beginning opens. */
static void
warn_of_quote(struct composer *c, struct str text, struct mark at)
{
	size_t quotes = 0;
	if (text.n < 2 || (text.p[text.n - 1] != '\'' && text.p[text.n - 1] != '"'))
		return;
	for (size_t i = 0; i < text.n; i++)
		quotes += text.p[i] == text.p[text.n - 1];
	if (quotes == 1)
		err_hint(diag_warning(c->diags,
				 (struct mark){c->source, at.to - 1, at.to},
				 "the quote at the end belongs to the text"),
			"quote the whole, or leave it out");
}

static struct value
scalar_value(struct composer *c, const yaml_event_t *event, struct mark at)
{
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct value value = value_str(scalar_text(c, event, at));
	if (plain && event->data.scalar.tag == NULL) {
		if (is_key(c))
			value.flags = VALUE_PLAIN;
		else
			value = yaml_scalar(c->mem, value.str);
	}
	value.source = c->source;
	value.from = at.from;
	value.to = at.to;
	return value;
}

static bool
on_scalar(struct composer *c, const yaml_event_t *event)
{
	struct mark at = mark_of(c, event->start_mark, event->end_mark);
	bool key = is_key(c);
	struct value value = scalar_value(c, event, at);
	refuse_tag(c, event->data.scalar.tag, at);
	if (value.flags & VALUE_PLAIN) {
		warn_of_comment(c, at);
		if (value.kind == V_STRING)
			warn_of_quote(c, value.str, at);
	}
	if (key && str_is(value.str, "<<") && value.flags & VALUE_PLAIN)
		err_hint(diag_error(c->diags, at, "merge keys are not used here"),
			"write the members out, or put them into vars");
	const char *anchor = (const char *)event->data.scalar.anchor;
	return add(
		c, value, anchor == NULL ? NULL : arena_strdup(c->scratch, anchor), 1, 0);
}

static bool
on_alias(struct composer *c, const yaml_event_t *event)
{
	struct mark at = mark_of(c, event->start_mark, event->end_mark);
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *anchor =
		c->anchors == NULL ? NULL : anchor_place(c->anchors, c->bits, name);
	if (anchor != NULL && anchor->name != NULL && !is_key(c))
		return add(c, anchor->value, NULL, anchor->nodes, anchor->height);
	if (is_key(c))
		diag_error(c->diags, at, "a key must be written out, not an alias");
	else
		err_hint(diag_error(c->diags, at, "no anchor '&%s' is above this alias",
				 name),
			"quote a text that begins with *");
	struct value nothing = {
		.kind = V_STRING, .source = c->source, .from = at.from, .to = at.to};
	return add(c, nothing, NULL, 1, 0);
}

static bool
on_start(struct composer *c, const yaml_event_t *event, bool map)
{
	const yaml_char_t *tag =
		map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	const yaml_char_t *anchor = map ? event->data.mapping_start.anchor
					: event->data.sequence_start.anchor;
	struct mark at = mark_of(c, event->start_mark, event->end_mark);
	refuse_tag(c, tag, at);
	if (c->depth == YAML_DEPTH) {
		diag_error(c->diags, at, "deeper than %d", YAML_DEPTH)->code = ERR_LIMIT;
		return false;
	}
	if (is_key(c))
		err_hint(diag_error(c->diags, at, "a key must be text"),
			"quote a text that begins with %c",
			at.from < c->source->text.n ? c->source->text.p[at.from] : '[');
	c->frames[++c->depth] = (struct frame){.map = map,
		.first = c->n,
		.nodes = 1,
		.from = at.from,
		.anchor = anchor == NULL
			? NULL
			: arena_strdup(c->scratch, (const char *)anchor)};
	return true;
}

/* ---- the end of a list or map */

static void
duplicate(struct composer *c, const struct value *first, const struct value *second)
{
	struct err *err = diag_error(c->diags, value_mark(second),
		"key '%.*s' stands twice", STR_FMT(second->str));
	also_at(c->diags, err, value_mark(first));
}

enum { FEW = 8 };

static void
find_duplicates(struct composer *c, const struct value *pairs, size_t n)
{
	if (n <= FEW) {
		for (size_t i = 1; i < n; i++)
			for (size_t j = 0; j < i; j++)
				if (str_eq(pairs[2 * i].str, pairs[2 * j].str)) {
					duplicate(c, &pairs[2 * j], &pairs[2 * i]);
					break;
				}
		return;
	}
	size_t size = 16;
	while (size < n * 2)
		size *= 2;
	uint32_t *seen = arena_array(c->scratch, uint32_t, size);
	for (size_t i = 0; i < n; i++) {
		size_t at = str_hash(pairs[2 * i].str) & (size - 1);
		while (seen[at] != 0
			&& !str_eq(pairs[2 * (seen[at] - 1)].str, pairs[2 * i].str))
			at = (at + 1) & (size - 1);
		if (seen[at] != 0)
			duplicate(c, &pairs[2 * (seen[at] - 1)], &pairs[2 * i]);
		else
			seen[at] = (uint32_t)i + 1;
	}
}

static struct value
map_value(struct composer *c, struct value *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pairs[2 * i].kind != V_STRING)
			pairs[2 * i] = (struct value){.kind = V_STRING,
				.source = c->source,
				.from = pairs[2 * i].from,
				.to = pairs[2 * i].to};
	find_duplicates(c, pairs, n);
	struct member *members = arena_array(c->mem, struct member, n);
	for (size_t i = 0; i < n; i++)
		members[i] = (struct member){pairs[2 * i], pairs[2 * i + 1]};
	return value_map(c->mem, members, n);
}

static bool
on_end(struct composer *c, const yaml_event_t *event)
{
	struct frame frame = c->frames[c->depth--];
	struct value *items = c->stack + frame.first, value;
	size_t n = c->n - frame.first;
	if (frame.map) {
		value = map_value(c, items, n / 2);
	} else {
		struct value *copy = arena_array(c->mem, struct value, n);
		if (n > 0)
			memcpy(copy, items, n * sizeof *copy);
		value = value_list(copy, n);
	}
	c->n = frame.first;
	value.source = c->source;
	value.from = frame.from;
	value.to = offset_of(c, event->end_mark);
	return add(c, value, frame.anchor, frame.nodes, frame.height);
}

/* ---- events */

static bool
parser_error(struct composer *c)
{
	const yaml_parser_t *p = &c->parser;
	uint32_t from = p->error == YAML_READER_ERROR ? (uint32_t)p->problem_offset
		: offset_of(c, p->problem_mark);
	const char *problem = p->problem == NULL ? "not YAML" : p->problem;
	struct err *err = p->context == NULL
		? diag_error(c->diags, mark_at(c, from), "YAML: %s", problem)
		: diag_error(c->diags, mark_at(c, from), "YAML: %s, %s", p->context,
			  problem);
	err->code = ERR_SYNTAX;
	uint32_t context = p->context == NULL ? from : offset_of(c, p->context_mark);
	if (p->context != NULL && p->context_mark.line != p->problem_mark.line)
		also_at(c->diags, err, mark_at(c, context));
	yaml_trap(c->source, from, err);
	if (err->hint[0] == '\0' && p->context != NULL)
		yaml_trap(c->source, context, err);
	if (err->hint[0] == '\0')
		yaml_trap_layout(c->source, context, from, err);
	return false;
}

/* In YAML 1.1 other texts are true, and others are numbers. */
static void
refuse_version(struct composer *c, const yaml_event_t *event)
{
	const yaml_version_directive_t *version =
		event->data.document_start.version_directive;
	if (version != NULL && (version->major != 1 || version->minor != 2))
		err_hint(diag_error(c->diags,
				 mark_of(c, event->start_mark, event->start_mark),
				 "this asks for YAML %d.%d, and a file is read as YAML 1.2",
				 version->major, version->minor),
			"leave the line with %%YAML out");
}

/* One event. false: the end, or an error that nothing can follow. */
static bool
on_event(struct composer *c, const yaml_event_t *event, unsigned *documents)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		refuse_version(c, event);
		if (++*documents == 1)
			return true;
		diag_error(c->diags, mark_of(c, event->start_mark, event->end_mark),
			"a second document begins here; a file holds one");
		return false;
	case YAML_ALIAS_EVENT: return on_alias(c, event);
	case YAML_SCALAR_EVENT: return on_scalar(c, event);
	case YAML_SEQUENCE_START_EVENT: return on_start(c, event, false);
	case YAML_MAPPING_START_EVENT: return on_start(c, event, true);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return on_end(c, event);
	case YAML_STREAM_END_EVENT: return false;
	default: return true;
	}
}

static void
compose(struct composer *c)
{
	struct str text = c->source->text;
	unsigned documents = 0;
	bool more = true;
	if (!yaml_parser_initialize(&c->parser))
		abort();
	yaml_parser_set_encoding(&c->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&c->parser, (const unsigned char *)(text.n == 0 ? "" : text.p), text.n);
	while (more) {
		yaml_event_t event;
		if (!yaml_parser_parse(&c->parser, &event)) {
			parser_error(c);
			break;
		}
		more = on_event(c, &event, &documents);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&c->parser);
}

static bool
is_fit(const struct source *source, struct diags *diags)
{
	struct str text = source->text;
	size_t n;
	if (text.n > YAML_BYTES) {
		diag_error(diags, (struct mark){0}, "%s: more than 16 MiB", source->name)
			->code = ERR_LIMIT;
		return false;
	}
	if (str_is_utf8(text))
		return true;
	for (struct str rest = text; rest.n > 0; rest = str_from(rest, n))
		if (str_rune(rest, &n) < 0) {
			uint32_t at = (uint32_t)(text.n - rest.n);
			struct err *err = diag_error(diags,
				(struct mark){source, at, at + 1},
				"byte 0x%02x is not UTF-8", (unsigned char)rest.p[0]);
			err->code = ERR_SYNTAX;
			err_hint(err, "save the file as UTF-8");
			return false;
		}
	return false;
}

bool
yaml_parse(struct arena *mem, const struct source *source, struct value *out,
	struct diags *diags)
{
	size_t errors = diags->errors;
	*out = value_null();
	if (!is_fit(source, diags))
		return false;
	struct composer *c = arena_new_of(mem, struct composer);
	*c = (struct composer){.mem = mem,
		.scratch = arena_new(),
		.source = source,
		.diags = diags,
		.top = out};
	compose(c);
	arena_free(c->scratch);
	return diags->errors == errors;
}
