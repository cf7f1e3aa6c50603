/* YAML 1.2, core schema, one document, by libyaml's events (language.md, "Values,
 * texts and expressions"). The values know their places; a number, bool or null keeps
 * the characters as they were written (`raw`); tags, merge keys, duplicate keys and
 * second documents are refused. */
#ifndef DATA_YAML_H
#define DATA_YAML_H

#include "base/diag.h"
#include "data/value.h"

/* aliases count as what they stand for */
enum { YAML_BYTES = 16 << 20, YAML_DEPTH = 64, YAML_NODES = 2000000 };

/* A source for a text that lives as long; with the offsets of its lines. */
const struct source *source_new(struct arena *mem, const char *name, struct str text);

/* Every error goes to diags; false: there was one. Strings that stand in the source as
 * they are are views of it. */
bool yaml_parse(struct arena *mem, const struct source *source, struct value *out,
	struct diags *diags);

/* One plain scalar by the core schema, as `-i name=value` and defaults of field tables
 * need it. The text must be followed by a NUL. */
struct value yaml_scalar(struct arena *mem, struct str text);

/* Where the text of a string value stands in its source, in the form that expr_compile
 * takes: *at is set, and NULL is returned where the text is the same bytes from
 * at->from on; else for each byte of the text (and its end) the offset in the source.
 * It looks at the source again, so nothing is kept for the many texts that hold no
 * error. For strings of yaml_parse and json_parse. */
const uint32_t *
yaml_offsets(struct arena *mem, const struct value *string, struct mark *at);

#endif
