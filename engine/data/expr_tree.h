/* The syntax tree of an expression, as the parser makes it and the checker completes it.
 * It lives as long as the compilation; what is evaluated is the compact form made from
 * it. */
#ifndef DATA_EXPR_TREE_H
#define DATA_EXPR_TREE_H

#include "data/expr.h"

enum node_kind {
	NODE_CONST, /* value */
	NODE_NAME, /* name; the checker makes it ROOT, LOCAL or a CONST type */
	NODE_ROOT,
	NODE_LOCAL, /* number */
	NODE_SELECT, /* kids: operand; name */
	NODE_INDEX, /* kids: operand, index */
	NODE_CALL, /* name; kids: the receiver of a method, arguments */
	NODE_LIST,
	NODE_MAP, /* kids: items; key, value, key, value, ... */
	NODE_NOT,
	NODE_NEG,
	NODE_AND,
	NODE_OR, /* two kids or more: a chain is one node */
	NODE_IF,
	NODE_ADD,
	NODE_SUB,
	NODE_MUL,
	NODE_DIV,
	NODE_MOD,
	NODE_EQ,
	NODE_NE,
	NODE_LT,
	NODE_LE,
	NODE_GT,
	NODE_GE,
	NODE_IN,
	/* What the macros become. kids: range, then the expressions over the variables */
	NODE_ALL,
	NODE_EXISTS,
	NODE_EXISTS_ONE, /* condition */
	NODE_FILTER, /* condition */
	NODE_TO_LIST, /* map, transformList: [condition], item */
	NODE_TO_MAP, /* transformMap: [condition], value */
	NODE_TO_ENTRIES, /* transformMapEntry: [condition], map */
	NODE_SORT_BY, /* key */
	NODE_BIND, /* cel.bind: body */
	NODE_OPT_MAP,
	NODE_OPT_FLAT_MAP, /* body */
	NODE_FAIL, /* unchecked only: name is the message */
};

enum node_flags {
	NODE_OPTIONAL = 1, /* a.?b, a[?k] */
	NODE_ENTRY_OPTIONAL = 2, /* an item or key of [?e], {?k: v} */
	NODE_HAS = 4, /* a SELECT inside has() */
	NODE_METHOD = 8, /* a CALL with a receiver */
	NODE_SECRET = 16, /* what it reads is secret by its type */
};

struct overload;

struct node {
	uint8_t kind, flags, vars; /* vars: how many variables a macro binds, 1 or 2 */
	uint16_t depth;                               /* nodes on the longest path down */
	uint32_t n;                                   /* kids */
	uint32_t from, to;                            /* bytes of the text */
	uint32_t name_from, name_to; /* of the name, or of the operator */
	uint32_t number; /* of a root, or the slot of a local or of a macro's first
			    variable */
	struct node *first, *last, *next;
	struct str name, var, var2;
	struct value value;
	const struct expr_type *type;
	const struct overload *overloads; /* of a CALL, chosen by the checker */
	uint32_t n_overloads;
	void *prepared;                               /* see expr_function.prepare */
};

/* NULL: err is set, with the place in the text as err->at.from and .to. Everything lies
 * in mem. */
struct node *tree_parse(struct arena *mem, struct str text, struct err *err);

void tree_append(struct node *parent, struct node *kid);

/* Make a call of a macro's name and arguments what it stands for; other calls stay.
 * false: err is set. */
bool tree_expand(struct node *call, struct err *err);

bool tree_fail(struct err *err, uint32_t from, uint32_t to, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static inline struct node *
tree_kid(const struct node *node, size_t i)
{
	struct node *kid = node->first;
	for (; i > 0 && kid != NULL; i--)
		kid = kid->next;
	return kid;
}

static inline bool
tree_is_macro(const struct node *node)
{
	return node->kind >= NODE_ALL && node->kind <= NODE_OPT_FLAT_MAP;
}

#endif
