/* The checker: resolves names, gives each node its type, chooses overloads, folds what is
 * constant, and tells everything that is wrong. Types are gradual: what is dyn passes
 * here and is judged when it is evaluated. */
#ifndef DATA_EXPR_CHECK_H
#define DATA_EXPR_CHECK_H

#include "data/expr_func.h"
#include "data/expr_tree.h"
#include "data/expr_type.h"

enum { CHECK_NESTING = 4 }; /* macros that loop inside each other */

struct local {
	const struct local *outer;
	struct str name;
	const struct expr_type *type;
	uint32_t slot;
};

/* What has been made sure of where a node stands: the path is there (has), or all below
 * it is (the step is done). */
struct fact {
	const struct fact *outer;
	const struct node *path;
	bool below;
};

struct checker {
	struct arena *mem, *scratch;
	const struct expr_env *env;
	struct diags *diags;
	struct str text;
	struct mark at;
	const uint32_t *map;
	const struct local *locals;
	const struct fact *facts;
	uint32_t slots, most_slots;
	unsigned nesting;
	bool secret;
	struct err unheard; /* takes errors that an unchecked expression may have */
};

struct mark expr_place(struct mark at, const uint32_t *map, uint32_t from, uint32_t to);

/* The type of the node; dyn after an error, which is told. */
const struct expr_type *check_node(struct checker *c, struct node *node);

const struct expr_type *check_operator(struct checker *c, struct node *node);
const struct expr_type *check_call(struct checker *c, struct node *node);
const struct expr_type *check_macro(struct checker *c, struct node *node);
void check_bool(struct checker *c, struct node *node, const char *where);

/* Tell an error; the hint can follow. */
struct err *check_complain(struct checker *c, uint32_t from, uint32_t to,
	enum err_code code, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

void check_fold_items(struct checker *c,
	struct node *node); /* a LIST or MAP of constants becomes one */
void check_becomes(struct node *node, struct value value);    /* a CONST */

/* Facts that hold after the node was `truth`, in front of those of c. */
void facts_learn(struct checker *c, const struct node *node, bool truth);
bool facts_cover(const struct checker *c, const struct node *path);

#endif
