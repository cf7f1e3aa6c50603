/* Functions of the expression language. One row of expr_functions() is one overload: its
 * signature is text that people read in `rbx help functions` and that the checker parses,
 * so the two cannot disagree. */
#ifndef DATA_EXPR_FUNC_H
#define DATA_EXPR_FUNC_H

#include "data/expr.h"

enum { FUNC_ARGS = 4, FUNC_OVERLOADS = 12 };

enum func_flags {
	/* Looks at a list or map itself and not into it: an unknown or secret item has no
	   part in the result. */
	FUNC_SHALLOW = 1,
	FUNC_NO_FOLD = 2, /* not evaluated when the expression is compiled */
};

struct eval;

/* What a function gets besides its arguments. Arguments are neither unknown nor secret in
 * need of care: the caller spreads both bits. New memory comes from mem and is charged.
 */
struct expr_frame {
	struct arena *mem;
	struct eval *eval;
	void *prepared; /* what `prepare` made; NULL: nothing */
	struct err *err;
};

/* Costs `bytes` of the budget; false: the limit is reached and err is set. */
bool frame_charge(struct expr_frame *f, uint64_t bytes);

/* The rows of a name; NULL and *n = 0: there is none. Rows are sorted by name. */
const struct expr_function *func_rows(struct str name, size_t *n);

/* The names of all functions, NULL-ended, for suggestions; with `methods` those that are
 * called x.name(). */
const char *const *func_names(struct arena *mem, bool methods);

bool func_is_method(const struct expr_function *row);

/* A signature taken apart. Type variables are func_a and func_b. */
struct func_sig {
	const struct expr_type *args[FUNC_ARGS];
	size_t n;
	bool variadic; /* the last argument may stand once or more */
	const struct expr_type *result;
};

extern const struct expr_type func_a, func_b;
void func_signature(
	struct arena *mem, const struct expr_function *row, struct func_sig *out);

/* An overload as evaluation sees it: which kinds each argument may have, bit 1 << kind.
 */
struct overload {
	const struct expr_function *row;
	uint16_t kinds[FUNC_ARGS];
	uint8_t n;
	bool variadic;
};

void func_overload(const struct expr_function *row, const struct func_sig *sig,
	struct overload *out);
bool overload_takes(
	const struct overload *overload, const struct value *const *args, size_t n);

#endif
