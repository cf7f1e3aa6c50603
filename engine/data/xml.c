#include "data/xml.h"

#include <expat.h>

struct reader {
	struct arena *mem;
	XML_Parser parser;
	struct err *err;
	struct xml *stack[XML_DEPTH],
		*last[XML_DEPTH];    /* last: the youngest child of each level */
	struct buf text[XML_DEPTH];
	unsigned depth;
	struct xml *root;
	bool failed;
};

static void
stop(struct reader *r, enum err_code code, const char *what)
{
	if (!r->failed)
		err_set(r->err, code, "bad XML: %s at line %lu", what,
			XML_GetCurrentLineNumber(r->parser));
	r->failed = true;
	XML_StopParser(r->parser, XML_FALSE);
}

static struct str
local_name(struct arena *mem, const char *name)
{
	const char *colon = strrchr(name, ':');
	return str_copy(mem, str_of(colon == NULL ? name : colon + 1));
}

static void
read_attributes(struct reader *r, struct xml *node, const char **attributes)
{
	size_t n = 0;
	while (attributes[2 * n] != NULL)
		n++;
	struct xml_attribute *list = arena_array(r->mem, struct xml_attribute, n + 1);
	for (size_t i = 0; i < n; i++) {
		list[i].name = local_name(r->mem, attributes[2 * i]);
		list[i].value = str_copy(r->mem, str_of(attributes[2 * i + 1]));
	}
	node->attributes = list;
	node->n_attributes = n;
}

static void
on_start(void *with, const char *name, const char **attributes)
{
	struct reader *r = with;
	if (r->depth == XML_DEPTH) {
		stop(r, ERR_LIMIT, "nested deeper than 64");
		return;
	}
	struct xml *node = arena_new_of(r->mem, struct xml);
	node->name = local_name(r->mem, name);
	read_attributes(r, node, attributes);
	if (r->depth == 0)
		r->root = node;
	else if (r->last[r->depth - 1] == NULL)
		r->stack[r->depth - 1]->first = node;
	else
		r->last[r->depth - 1]->next = node;
	if (r->depth > 0)
		r->last[r->depth - 1] = node;
	r->stack[r->depth] = node;
	r->last[r->depth] = NULL;
	r->text[r->depth] = buf_in(r->mem);
	r->depth++;
}

static void
on_end(void *with, const char *name)
{
	struct reader *r = with;
	(void)name;
	if (r->failed)
		return;
	r->depth--;
	r->stack[r->depth]->text = buf_str(&r->text[r->depth]);
}

static void
on_text(void *with, const char *text, int n)
{
	struct reader *r = with;
	if (!r->failed && r->depth > 0)
		buf_add(&r->text[r->depth - 1], (struct str){text, (size_t)n});
}

static void
on_doctype(void *with, const char *name, const char *system, const char *public,
	int internal)
{
	(void)name, (void)system, (void)public, (void)internal;
	stop(with, ERR_SYNTAX, "a document type declaration is not allowed");
}

const struct xml *
xml_parse(struct arena *mem, struct str text, struct err *err)
{
	if (text.n > INT32_MAX)
		return err_set(err, ERR_LIMIT, "bad XML: larger than 2 GiB"), NULL;
	struct reader r = {.mem = mem, .err = err, .parser = XML_ParserCreate("UTF-8")};
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	bool ok = XML_Parse(r.parser, text.p == NULL ? "" : text.p, (int)text.n, 1)
			== XML_STATUS_OK
		&& !r.failed;
	if (!ok && !r.failed)
		err_set(err, ERR_SYNTAX, "bad XML: %s at line %lu",
			XML_ErrorString(XML_GetErrorCode(r.parser)),
			XML_GetCurrentLineNumber(r.parser));
	XML_ParserFree(r.parser);
	return ok ? r.root : NULL;
}

const struct xml *
xml_child(const struct xml *node, const char *name)
{
	struct str wanted = str_of(name);
	for (const struct xml *child = node == NULL ? NULL : node->first; child != NULL;
		child = child->next)
		if (str_eq(child->name, wanted))
			return child;
	return NULL;
}

const struct xml *
xml_again(const struct xml *node)
{
	for (const struct xml *next = node == NULL ? NULL : node->next; next != NULL;
		next = next->next)
		if (str_eq(next->name, node->name))
			return next;
	return NULL;
}

struct str
xml_text(const struct xml *node, const char *name)
{
	const struct xml *child = xml_child(node, name);
	return child == NULL ? (struct str){NULL, 0} : child->text;
}

void
xml_escape(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		switch (text.p[i]) {
		case '&': buf_puts(out, "&amp;"); break;
		case '<': buf_puts(out, "&lt;"); break;
		case '>': buf_puts(out, "&gt;"); break;
		case '"': buf_puts(out, "&quot;"); break;
		case '\'': buf_puts(out, "&#39;"); break;
		case '\r': buf_puts(out, "&#13;"); break;
		default: buf_putc(out, text.p[i]);
		}
}
