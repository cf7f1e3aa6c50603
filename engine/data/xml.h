/* XML as cloud services answer it, read by expat into a tree. No DTD (so no entities of
 * its own and no bombs), depth at most 64 (resilience.md C22). Names are kept without
 * their namespace prefix. */
#ifndef DATA_XML_H
#define DATA_XML_H

#include "base/err.h"

enum { XML_DEPTH = 64 };

struct xml_attribute { struct str name, value; };

struct xml {
	struct str name;
	struct str text; /* the character data directly inside, joined; not trimmed */
	const struct xml *first, *next;               /* children; the next sibling */
	const struct xml_attribute *attributes;
	size_t n_attributes;
};

/* The root element in mem. ERR_SYNTAX, ERR_LIMIT. */
const struct xml *xml_parse(struct arena *mem, struct str text, struct err *err);

/* NULL-tolerant: the first child of that name; the next sibling of the same name; the
 * text of a child (empty: absent). */
const struct xml *xml_child(const struct xml *node, const char *name);
const struct xml *xml_again(const struct xml *node);
struct str xml_text(const struct xml *node, const char *name);

void xml_escape(
	struct buf *out, struct str text); /* for element content and quoted attributes */

#endif
