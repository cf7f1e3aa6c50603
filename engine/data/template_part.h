/* The compiled form of a template, shared by its compiler and its evaluator. */
#ifndef DATA_TEMPLATE_PART_H
#define DATA_TEMPLATE_PART_H

#include "data/template.h"

/* A text with expressions in it: literal parts and expressions by turns. */
struct piece {
	struct str text;
	const struct expr *expr;                      /* NULL: text */
};

struct part {
	const struct value *source;
	bool constant;                                /* nothing below is an expression */
	bool secret;
	bool whole; /* a scalar that is exactly one ${{ }} … */
	bool as_text; /* … and becomes text all the same (TEMPLATE_TEXT) */
	struct piece *pieces;
	size_t n_pieces;
	struct part *kids;                            /* of the items or members */
};

struct template {
	struct part top;
	const struct expr_type *type;
	struct value source;
};

size_t template_count_kids(const struct part *part);
const char *template_kind_hint(
	const struct expr_type *type); /* what to do with a value that has no text */

#endif
