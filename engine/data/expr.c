#include "data/expr.h"

#include "data/expr_check.h"
#include "data/expr_eval.h"

enum { MOST_PATH = 64 };

static void
tell(struct diags *diags, struct mark at, const uint32_t *map, struct err *err)
{
	err->at = expr_place(at, map, err->at.from, err->at.to);
	diag_add(diags, DIAG_ERROR, err);
}

static bool
is_sound(struct str text, struct err *err)
{
	*err = (struct err){.at = {NULL, 0, (uint32_t)(text.n < 40 ? text.n : 40)}};
	if (text.n > EXPR_LONGEST && str_runes(text) > EXPR_LONGEST) {
		err_set(err, ERR_LIMIT, "the expression is longer than %d characters",
			EXPR_LONGEST);
		return false;
	}
	return str_is_utf8(text)
		|| err_set(err, ERR_SYNTAX, "the expression is not UTF-8");
}

static struct expr *
compile(struct arena *mem, struct arena *scratch, struct expr *expr,
	const struct expr_env *env, struct diags *diags)
{
	struct err err;
	size_t before = diags->errors;
	struct node *tree = NULL;
	if (is_sound(expr->text, &err))
		tree = tree_parse(scratch, expr->text, &err);
	if (tree == NULL) {
		tell(diags, expr->at, expr->map, &err);
		return NULL;
	}
	struct checker c = {
		.mem = mem,
		.scratch = scratch,
		.env = env,
		.diags = diags,
		.text = expr->text,
		.at = expr->at,
		.map = expr->map,
	};
	expr->type = check_node(&c, tree);
	if (diags->errors > before)
		return NULL;
	expr->secret = c.secret;
	expr->slots = c.most_slots;
	expr->code = code_make(mem, tree, expr, env);
	return expr;
}

const struct expr *
expr_compile(struct arena *mem, struct str text, struct mark at, const uint32_t *map,
             const struct expr_env *env, struct diags *diags)
{
	struct expr *expr = arena_new_of(mem, struct expr);
	*expr = (struct expr){.text = str_copy(mem, text), .at = at, .map = map};
	struct arena *scratch = arena_new();
	expr = compile(mem, scratch, expr, env, diags);
	arena_free(scratch);
	return expr;
}

const struct expr_type *
expr_type_of(const struct expr *expr)
{
	return expr->type;
}

struct str
expr_text(const struct expr *expr)
{
	return expr->text;
}

struct mark
expr_mark(const struct expr *expr)
{
	return expr_place(expr->at, expr->map, 0, (uint32_t)expr->text.n);
}

bool
expr_is_secret(const struct expr *expr)
{
	return expr->secret;
}

bool
expr_reads_root(const struct expr *expr, const char *root)
{
	for (size_t i = 0; i < expr->n_roots; i++)
		if (strcmp(expr->roots[i].name, root) == 0)
			return true;
	return false;
}

/* The constant name of a step of a path; false: it has none. */
static bool
step_name(const struct expr *expr, const struct code *c, struct str *name)
{
	if (c->kind == NODE_SELECT) {
		*name = c->name;
		return true;
	}
	const struct code *index = &expr->code[c->first + 1];
	if (c->kind != NODE_INDEX || index->kind != NODE_CONST
		|| index->value->kind != V_STRING)
		return false;
	*name = index->value->str;
	return true;
}

/* The names of the path that ends with c, first name first; 0: it does not begin with a
 * root. Names behind the first one that is not constant are left out. */
static size_t
path_of(const struct expr *expr, const struct code *c, struct str names[MOST_PATH])
{
	struct str back[EXPR_DEPTH + 1];
	size_t n = 0, written = 0;
	for (; c->kind == NODE_SELECT || c->kind == NODE_INDEX; c = &expr->code[c->first])
		if (n < EXPR_DEPTH && !step_name(expr, c, &back[n++]))
			back[n - 1] = (struct str){NULL, 0};
	if (c->kind != NODE_ROOT)
		return 0;
	names[written++] = str_of(expr->roots[c->number].name);
	while (n > 0 && back[n - 1].p != NULL && written < MOST_PATH)
		names[written++] = back[--n];
	return written;
}

struct reads {
	void (*each)(const struct str *names, size_t n, void *with);
	void *with;
};

static void
read_code(const struct expr *expr, const struct code *c, bool inside,
	const struct reads *reads)
{
	struct str names[MOST_PATH];
	bool path =
		c->kind == NODE_SELECT || c->kind == NODE_INDEX || c->kind == NODE_ROOT;
	size_t n = path && !inside ? path_of(expr, c, names) : 0;
	if (n > 0)
		reads->each(names, n, reads->with);
	for (uint32_t i = 0; i < c->n; i++)
		read_code(expr, &expr->code[c->first + i],
			path && i == 0 && (inside || n > 0), reads);
}

void
expr_reads(const struct expr *expr,
	void (*each)(const struct str *names, size_t n, void *with), void *with)
{
	read_code(expr, expr->code, false, &(struct reads){each, with});
}

static bool
is_done(const struct code *c)
{
	return c->kind == NODE_CONST && c->value->kind == V_STRING
		&& str_is(c->value->str, "done");
}

static void
guards_of(const struct expr *expr, const struct code *c,
	void (*each)(struct str id, void *with), void *with)
{
	struct str names[MOST_PATH];
	if (c->kind == NODE_AND)
		for (uint32_t i = 0; i < c->n; i++)
			guards_of(expr, &expr->code[c->first + i], each, with);
	if (c->kind != NODE_EQ)
		return;
	const struct code *a = &expr->code[c->first], *b = a + 1;
	size_t n = is_done(b) ? path_of(expr, a, names)
		: is_done(a)  ? path_of(expr, b, names)
			      : 0;
	if (n == 3 && str_is(names[0], "steps") && str_is(names[2], "status"))
		each(names[1], with);
}

void
expr_guards(const struct expr *expr, void (*each)(struct str id, void *with), void *with)
{
	guards_of(expr, expr->code, each, with);
}

static void
hint_absent(const struct eval *e, struct err *err)
{
	const struct value *in = &e->absent_in;
	if (err->code != ERR_ABSENT_KEY || err->hint[0] != '\0' || in->kind != V_MAP
	    || in->map->members == NULL || in->map->n > 1000)
		return;
	const char **names = arena_array(e->mem, const char *, in->map->n + 1);
	size_t n = 0;
	for (size_t i = 0; i < in->map->n; i++)
		if (in->map->members[i].key.kind == V_STRING)
			names[n++] = str_cstr(e->mem, in->map->members[i].key.str);
	const char *near = near_name(e->absent, names);
	if (near != NULL)
		err_hint(err, "did you mean %s?", near);
	else
		err_hint(err, "where it may be absent: .?%.*s.orValue(…)",
			STR_FMT(e->absent));
}

bool
expr_eval(const struct expr *expr, const struct expr_scope *scope, struct arena *mem,
	struct value *out, struct err *err)
{
	const struct value *few[8];
	size_t slots = expr->n_roots + expr->slots;
	const struct value **places =
		slots <= 8 ? few : arena_array(mem, const struct value *, slots);
	struct eval e = {
		.expr = expr,
		.code = expr->code,
		.scope = scope,
		.mem = mem,
		.err = err,
		.used = arena_used(mem),
		.roots = places,
		.locals = places + expr->n_roots,
	};
	for (size_t i = 0; i < slots; i++)
		places[i] = NULL;
	struct value room;
	const struct value *v = eval_code(&e, expr->code, &room);
	if (v == NULL) {
		hint_absent(&e, err);
		return false;
	}
	*out = *v;
	return true;
}
