/* The compact form of a checked expression and its evaluation. A piece of code is one
 * node; its operands lie side by side behind it in one array. Evaluation hands out
 * pointers to values where it can and makes new ones in the caller's room. */
#ifndef DATA_EXPR_EVAL_H
#define DATA_EXPR_EVAL_H

#include "data/expr_func.h"
#include "data/expr_tree.h"

struct code {
	uint8_t kind, flags, vars;                    /* as of struct node */
	uint32_t n, first; /* operands, and the place of the first in expr->code */
	uint32_t number; /* ROOT: in expr->roots; LOCAL, macros: slot; CALL: overloads */
	uint32_t from, to;
	union {
		const struct value *value;            /* CONST */
		struct str name; /* SELECT, FAIL; of a CALL what it is called by */
	};
	const struct overload *overloads;             /* CALL */
	void *prepared;
};

struct root_use {
	const char *name;
	uint32_t number;                              /* in the environment */
	bool secret;
};

struct expr {
	const struct code *code;                      /* code[0] is the whole */
	const struct root_use *roots;
	size_t n_roots, slots, n_code;
	const struct expr_type *type;
	bool secret;
	struct str text;
	struct mark at;
	const uint32_t *map;
};

/* Makes the compact form of a checked tree in mem. */
const struct code *code_make(struct arena *mem, const struct node *tree,
	struct expr *expr, const struct expr_env *env);

/* One evaluation under way. */
struct eval {
	const struct expr *expr;
	const struct code *code;
	const struct expr_scope *scope;
	struct arena *mem;
	struct err *err;
	uint64_t steps;
	size_t used;                                  /* of mem when it began */
	const struct value **roots, **locals;
	struct value absent_in; /* the map of the last ERR_ABSENT_KEY, for a suggestion */
	struct str absent;
};

enum { EVAL_MOST_MEMORY = 24 << 20 };

/* The value of c: in `room`, or where it lies already. NULL: e->err is set. */
const struct value *eval_code(struct eval *e, const struct code *c, struct value *room);

/* The same for an operand: most are leaves. */
static inline const struct value *
eval_operand(struct eval *e, const struct code *c, struct value *room)
{
	if (c->kind == NODE_CONST || c->kind == NODE_LOCAL) {
		e->steps++;
		return c->kind == NODE_CONST ? c->value : e->locals[c->number];
	}
	return eval_code(e, c, room);
}

const struct value *eval_operator(
	struct eval *e, const struct code *c, struct value *room);
const struct value *eval_loop(struct eval *e, const struct code *c, struct value *room);
const struct value *eval_index(struct eval *e, const struct code *c, struct value *room);
const struct value *eval_select(struct eval *e, const struct code *c, struct value *room);
const struct value *eval_list(struct eval *e, const struct code *c, struct value *room);
const struct value *eval_map(struct eval *e, const struct code *c, struct value *room);
const struct value *eval_call(struct eval *e, const struct code *c, struct value *room);

/* Errors: NULL, with the place of c unless an inner one is there already. */
const struct value *eval_fail(struct eval *e, const struct code *c, enum err_code code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
const struct value *eval_no_operator(struct eval *e, const struct code *c,
	const char *sign, const struct value *a, const struct value *b);
const struct value *eval_not_bool(
	struct eval *e, const struct code *c, const struct value *v, const char *where);

bool eval_charge(
	struct eval *e, uint64_t steps); /* false: the budget is spent, e->err is set */

/* v with the secret bit, made in room. */
const struct value *eval_secret(const struct value *v, struct value *room);

/* Equality that knows of unknowns: 1, 0, or -1 where only a real run could tell. *secret
 * is set where a secret value was compared. -2: the budget is spent. */
int eval_equal(struct eval *e, const struct value *a, const struct value *b, bool *secret,
	const struct value **unknown);
const struct value *eval_find_key(
	const struct map *map, const struct value *key, struct value *room);

/* Whether something in v is unknown (*unknown) or secret; charged by its size. */
bool eval_look(struct eval *e, const struct value *v, bool *secret,
	const struct value **unknown);

bool eval_constant_call(struct arena *mem, const struct overload *overload,
	void *prepared, const struct value *const *args, size_t n, struct value *out,
	struct err *err);

/* -1, 0, 1; 2: not comparable (NaN too). For values of the kinds that < takes. */
int value_order(const struct value *a, const struct value *b);

/* A short form of v for a message in `room`, secrets as ***. */
enum { SHORT_SIZE = 64 };
const char *eval_short(const struct value *v, char room[SHORT_SIZE]);

#endif
