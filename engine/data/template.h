/* Text and data in which ${{ }} is replaced (expressions.md, "Interpolation"): a compiled
 * copy of a value tree. Results are never expanded again. */
#ifndef DATA_TEMPLATE_H
#define DATA_TEMPLATE_H

#include "data/expr.h"

struct template;

enum template_rule {
	TEMPLATE_TEXT =
		1, /* the result is text: null, list, map and bytes are errors, and a
		    * scalar that is exactly one ${{ }} is turned into text as well */
	TEMPLATE_NONE = 2, /* ${{ }} is an error here ("pass data by args") */
	TEMPLATE_NO_SECRET = 4, /* a secret may not stand here */
};

/* NULL: errors are in diags. `want` is the type that a whole-value expression must have,
 * NULL: any. */
const struct template *template_compile(struct arena *mem, const struct value *tree,
	const struct expr_env *env, unsigned rules, const struct expr_type *want,
	struct diags *diags);
/* A list or map whose items or members have been compiled one by one, in their order,
 * each by its own rules. */
const struct template *template_join(
	struct arena *mem, const struct value *tree, const struct template *const *parts);
bool template_is_constant(const struct template *template);       /* no ${{ }} in it */
bool template_is_secret(const struct template *template);
const struct value *template_source(const struct template *template);
/* Of a map: that of one member; NULL: it has none. */
const struct template *template_member(
	struct arena *mem, const struct template *template, const char *name);
const struct expr_type *template_type(
	const struct template *template); /* dyn where it is not known */
void template_reads(const struct template *template,
	void (*each)(const struct str *names, size_t n, void *with), void *with);

/* A constant template gives the tree itself. Places are kept. Texts in which an unknown
 * stands are unknown. */
bool template_eval(const struct template *template, const struct expr_scope *scope,
	struct arena *mem, struct value *out, struct err *err);

/* The recorded form (resilience.md D2 R1): `value` as template_eval gave it, but each
 * leaf whose value is secret is
 * {"$expr": the text of the leaf}; a literal map with a member "$expr" is kept apart by
 * {"$plain": …}. */
struct value template_record(
	const struct template *template, const struct value *value, struct arena *mem);
/* Back: every "$expr" leaf is compiled in env and evaluated again. */
bool template_restore(struct arena *mem, const struct value *recorded,
	const struct expr_env *env, const struct expr_scope *scope, struct value *out,
	struct err *err);

bool template_has_expression(struct str text);        /* ${{ that is not $${{ */

#endif
