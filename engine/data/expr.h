/* The expression language: CEL (cel-spec, langdef.md) over JSON-like values, with the
 * extension libraries, the limits and the two travelling bits that expressions.md names.
 * Text -> tokens -> syntax -> checked tree -> compact form; evaluation allocates only in
 * the arena that it is given and stops at a budget.
 *
 * Types are gradual: what is not known is dyn, and passes. Roots are numbered by their
 * place in the environment; the scope of an evaluation gives them values under the same
 * numbers. */
#ifndef DATA_EXPR_H
#define DATA_EXPR_H

#include "base/diag.h"
#include "data/value.h"

enum { EXPR_DEPTH = 250, EXPR_LONGEST = 100000, EXPR_BUDGET = 1000000 };

/* ---- types, for the checker */
struct expr_type;

struct expr_member {
	const struct expr_type *type;                 /* never NULL */
	bool maybe; /* may be absent: read by .? or behind has(); the error names the
		       remedy */
	bool secret;                                  /* reading it sets the secret bit */
};

struct expr_type {
	enum value_kind kind;
	bool dyn;                                     /* any value; kind means nothing */
	const struct expr_type *key, *of; /* MAP: of keys and members; LIST, OPTIONAL: of
					     elements. NULL: dyn */
	/* A map whose members are known by name. false: `why` is the whole message ("step
	 * 'x' may not have ended here") and hint. NULL: any name may be there. */
	bool (*find)(const struct expr_type *type, struct str name,
		struct expr_member *out, struct err *why);
	/* The names for suggestions, NULL-ended, in mem; may be NULL. */
	const char *const *(*names)(const struct expr_type *type, struct arena *mem);
	const void *with;                             /* of find and names */
};

extern const struct expr_type expr_dyn, expr_null, expr_bool, expr_int, expr_uint,
	expr_double, expr_string, expr_bytes, expr_timestamp, expr_duration, expr_list,
	expr_map;
const struct expr_type *expr_list_of(struct arena *mem, const struct expr_type *of);
const struct expr_type *expr_map_of(
	struct arena *mem, const struct expr_type *of); /* keys are strings */
char *expr_type_name(struct arena *mem, const struct expr_type *type); /* "list(int)" */

struct expr_root {
	const char *name;
	const struct expr_type *type;
	bool secret;
};

struct expr_env {
	const struct expr_root *roots;
	size_t n_roots;
	/* Why a name that no root has is not to be had here ("'secrets' exists only in
	 * fields of type secret"); may be NULL. */
	bool (*why_not)(const struct expr_env *env, struct str name, struct err *why);
	const void *with;
	bool unchecked; /* syntax only: all else fails when it is evaluated */
};

/* ---- compiling */
struct expr;

/* `at` is the place of the text in its source: errors carry the place of the
 * sub-expression. Where the text of a YAML scalar is not the same bytes as its source
 * (folded, escaped), `map` gives the offset for each byte of text; NULL: the same bytes
 * from at.from on. All errors go to diags; NULL is returned then. The result lives in
 * mem. */
const struct expr *expr_compile(struct arena *mem, struct str text, struct mark at,
	const uint32_t *map, const struct expr_env *env, struct diags *diags);
const struct expr_type *expr_type_of(const struct expr *expr);
struct str expr_text(const struct expr *expr);
struct mark expr_mark(const struct expr *expr);
bool expr_is_secret(const struct expr *expr); /* some root or member that it reads is
						 secret, or secret() is called */
bool expr_reads_root(const struct expr *expr, const char *root);

/* Each path of names that the expression reads from a root, as far as it is written with
 * constant names:
 * {"steps", "x", "outputs", "n"}. For warnings and for marking measures. */
void expr_reads(const struct expr *expr,
	void (*each)(const struct str *names, size_t n, void *with), void *with);

/* The ids x for which `steps.x.status == 'done'` is one of the && terms: what the guarded
 * step may then read plainly. */
void expr_guards(
	const struct expr *expr, void (*each)(struct str id, void *with), void *with);

/* ---- evaluating */
struct expr_scope {
	const struct value *const *roots;             /* by number; NULL: ask `root` */
	bool (*root)(const struct expr_scope *scope, size_t number, struct value *out,
		struct err *err);
	const void *with;
};

/* Errors carry the place of the sub-expression, operand types and short values, never a
 * secret. ERR_ABSENT_KEY: an absent key or index. An UNKNOWN result is a result (true is
 * returned). The result may point into the roots' values. */
bool expr_eval(const struct expr *expr, const struct expr_scope *scope, struct arena *mem,
	struct value *out, struct err *err);

/* The functions, for `rbx help functions`: one row an overload, sorted by name. The name
 * has its namespace
 * ("math.abs"); the signature begins with the receiver's type where it is a method:
 * "string.charAt(int) -> string". The example is an expression and its result:
 * "'abc'.charAt(1) == 'b'". */
struct expr_frame; /* what a function gets besides its arguments */

struct expr_function {
	const char *name, *signature, *summary, *example;
	/* The rest is the evaluator's. Arguments are of the kinds that the signature
	 * names. */
	bool (*call)(struct expr_frame *frame, const struct value *const *args, size_t n,
		struct value *out);
	/* When the expression is compiled, to refuse bad constants and to keep what is
	 * dear to make; args[i] NULL: not constant. */
	bool (*prepare)(struct arena *mem, const struct value *const *args, size_t n,
		void **prepared, struct err *err);
	unsigned flags;
};
const struct expr_function *expr_functions(size_t *n);

#endif
