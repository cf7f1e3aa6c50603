#include "run/judge.h"

#include "base/digest.h"

enum { OUTPUTS_MOST = 16 * 1024 * 1024 };              /* bytes, as JSON */

/* What is marked as secret becomes `instead`; NULL: it stays, with its mark. */
static struct value
masked(const struct vault *vault, struct arena *mem, const struct value *v,
	const struct value *instead)
{
	if (v->flags & VALUE_SECRET)
		return instead != NULL ? *instead : *v;
	if (v->kind == V_STRING) {
		struct value out = *v;
		out.str = vault_mask(vault, mem, v->str);
		return out;
	}
	if (v->kind == V_LIST) {
		struct list_builder list = {.mem = mem};
		for (size_t i = 0; i < v->list.n; i++)
			list_push(&list, masked(vault, mem, &v->list.items[i], instead));
		return list_done(&list);
	}
	if (v->kind != V_MAP || v->map->members == NULL)
		return *v;
	struct map_builder map = {.mem = mem};
	for (size_t i = 0; i < v->map->n; i++) {
		const struct member *member = &v->map->members[i];
		if (member->key.kind == V_STRING)
			map_put_str(&map, vault_mask(vault, mem, member->key.str),
				masked(vault, mem, &member->value, instead));
	}
	return map_done(&map);
}

struct value
scrubbed(const struct vault *vault, struct arena *mem, const struct value *v)
{
	struct value stars = value_str(STR("***"));
	return masked(vault, mem, v, &stars);
}

static const struct value *
kept(struct scope *scope, struct value v)
{
	struct value *out = arena_new_of(scope->mem, struct value);
	*out = v;
	return out;
}

static bool
shows_secret(const struct vault *vault, const struct value *v)
{
	if (v->kind == V_STRING)
		return !(v->flags & VALUE_SECRET) && vault_finds(vault, v->str);
	for (size_t i = 0; v->kind == V_LIST && i < v->list.n; i++)
		if (shows_secret(vault, &v->list.items[i]))
			return true;
	for (size_t i = 0; v->kind == V_MAP && v->map->members != NULL && i < v->map->n;
		i++)
		if (shows_secret(vault, &v->map->members[i].key)
			|| shows_secret(vault, &v->map->members[i].value))
			return true;
	return false;
}

/* What the far side said is scrubbed before any expression sees it: else a part, a length
 * or another form of a secret would get past the masks. What is marked as secret keeps
 * its mark instead. */
static void
capture(struct scope *scope, const struct node *node, const struct value *self)
{
	const struct vault *vault = scope->shell->vault;
	if (self != NULL && shows_secret(vault, self))
		self = kept(scope, masked(vault, scope->mem, self, NULL));
	scope_answer(scope, node, self);
}

/* ---- conditions */

enum truth { TRUE, FALSE, UNKNOWN, NOT_YET, WRONG };

static enum truth
truth_of(struct judged *judged, const struct expr *expr, struct str *why)
{
	struct value v;
	if (!scope_eval(judged->scope, expr, &v, judged->err))
		return judged->err->code == ERR_ABSENT_KEY ? NOT_YET : WRONG;
	if (v.kind == V_UNKNOWN) {
		*why = v.str;
		return UNKNOWN;
	}
	if (v.kind == V_BOOL)
		return v.b ? TRUE : FALSE;
	err_set(judged->err, ERR_TYPE, "a condition must be true or false, not %s",
		kind_name(v.kind));
	err_at(judged->err, expr_mark(expr));
	return WRONG;
}

/* The condition does not hold, or it cannot be told; under `every` what is not there yet
 * does not hold yet. */
static void
does_not_hold(struct judged *judged, enum truth truth, struct result *result)
{
	result->err = judged->err;
	if (!judged->is_check) {
		result->assert_failed = true;
		return;
	}
	bool yet = truth == FALSE || (truth == NOT_YET && judged->node->every > 0);
	result->not_held = yet;
	result->verdict = yet ? STEP_DONE : STEP_FAIL;
	result->transient = truth == NOT_YET;
}

/* false: `result` says why it does not hold. */
static bool
holds(struct judged *judged, const struct expr *expr, const char *words,
	struct result *result)
{
	struct str why;
	enum truth truth = truth_of(judged, expr, &why);
	if (truth == TRUE)
		return true;
	if (truth == UNKNOWN) {
		result->unknown = kept(judged->scope, value_unknown(why));
		return true;
	}
	if (truth == FALSE) {
		err_set(judged->err, ERR_ANSWER, "%s", words);
		err_at(judged->err, expr_mark(expr));
	}
	does_not_hold(judged, truth, result);
	return false;
}

static const char *
words_of(struct judged *judged, const struct assertion *assertion)
{
	struct arena *mem = judged->scope->mem;
	struct value v;
	struct err err;
	if (assertion->message != NULL
		&& scope_fill(judged->scope, assertion->message, &v, &err)
		&& v.kind == V_STRING)
		return str_cstr(mem, vault_mask(judged->scope->shell->vault, mem, v.str));
	return arena_printf(
		mem, "does not hold: %.*s", STR_FMT(expr_text(assertion->check)));
}

/* ---- results */

static bool
outputs_of(struct judged *judged, struct result *result)
{
	struct scope *scope = judged->scope;
	struct map_builder map = {.mem = scope->mem};
	const struct field *field;
	for (size_t i = 0; scope->out_fields != NULL && judged->self != NULL &&
	     (field = field_at(scope->out_fields, i)) != NULL; i++) {
		const struct value *v = value_get(judged->self, field->name);
		if (!(field->flags & FIELD_OUTPUT) || v == NULL)
			continue;
		if (value_is_secret(v))
			shell_keep_secret(scope->shell, scope->path, field->name, v);
		else
			map_put(&map, field->name,
				scrubbed(scope->shell->vault, scope->mem, v));
	}
	/* What a person answered: all of it. */
	const struct step_type *type = judged->node->type;
	for (size_t i = 0; type != NULL && type->asks && judged->self != NULL
		&& i < judged->self->map->n;
		i++)
		map_put_str(&map, judged->self->map->members[i].key.str,
			scrubbed(scope->shell->vault, scope->mem,
				&judged->self->map->members[i].value));
	for (size_t i = 0; i < judged->node->n_outputs; i++) {
		const struct named_expr *it = &judged->node->outputs[i];
		struct value v;
		if (!scope_eval(scope, it->expr, &v, judged->err)) {
			err_wrap(judged->err, "output '%s'", it->name);
			return false;
		}
		if (value_is_secret(&v))
			shell_keep_secret(scope->shell, scope->path, it->name, &v);
		else
			map_put(&map, it->name,
				scrubbed(scope->shell->vault, scope->mem, &v));
	}
	/* What a change gave was recorded whole until it held. */
	if (map.n == 0 && !judged->node->settles)
		return true;
	result->outputs = kept(scope, map_done(&map));
	size_t n = strlen(json_text(scope->mem, result->outputs, JSON_COMPACT));
	if (n <= OUTPUTS_MOST)
		return true;
	result->outputs = NULL;
	err_set(judged->err, ERR_LIMIT,
		"the outputs are %zu bytes long, at most %d may be recorded", n,
		OUTPUTS_MOST);
	return err_hint(judged->err, "name the parts that are needed under outputs");
}

static bool
measures_of(struct judged *judged, struct result *result)
{
	struct scope *scope = judged->scope;
	struct map_builder map = {.mem = scope->mem};
	for (size_t i = 0; i < judged->node->n_measures; i++) {
		const struct named_expr *it = &judged->node->measures[i];
		struct value v;
		if (!scope_eval(scope, it->expr, &v, judged->err)) {
			err_wrap(judged->err, "measure '%s'", it->name);
			return false;
		}
		if (v.kind != V_UNKNOWN && !value_is_secret(&v))
			map_put(&map, it->name, v);
	}
	if (map.n > 0)
		result->measures = kept(scope, map_done(&map));
	return true;
}

static bool
all_hold(struct judged *judged, struct result *result)
{
	const struct node *node = judged->node;
	struct str why;
	if (node->fail_if != NULL && judged->self != NULL) {
		enum truth truth = truth_of(judged, node->fail_if, &why);
		if (truth == TRUE) {
			err_set(judged->err, ERR_ANSWER, "fail_if holds: %.*s",
				STR_FMT(expr_text(node->fail_if)));
			err_at(judged->err, expr_mark(node->fail_if));
			result->fail_if = result->not_held = true;
			result->err = judged->err;
			return false;
		}
		if (truth == NOT_YET || truth == WRONG) {
			does_not_hold(judged, truth, result);
			return false;
		}
	}
	if (judged->verdict != STEP_DONE)
		return true;
	if (node->until != NULL
		&& !holds(judged, node->until,
			arena_printf(judged->scope->mem, "until does not hold yet: %.*s",
				STR_FMT(expr_text(node->until))),
			result))
		return false;
	for (size_t i = 0; i < node->n_asserts; i++)
		if (!holds(judged, node->asserts[i].check,
			    words_of(judged, &node->asserts[i]), result))
			return false;
	return true;
}

/* The type said FAIL: an answer that does not hold is told apart from one that could not
 * be had. */
static void
failed(struct judged *judged, struct result *result)
{
	result->err = judged->err;
	result->transient = judged->err->transient;
	if (judged->is_check && judged->err->code == ERR_ANSWER
		&& judged->verdict != STEP_DOUBT && !judged->err->transient) {
		result->verdict = STEP_DONE;
		result->not_held = true;
	}
}

void
judge(struct judged *judged, struct result *result)
{
	struct err said = *judged->err;
	result->verdict = judged->verdict;
	capture(judged->scope, judged->node, judged->self);
	if (!all_hold(judged, result))
		return;
	if (judged->verdict != STEP_DONE) {
		*judged->err = said;
		failed(judged, result);
		return;
	}
	if (outputs_of(judged, result) && measures_of(judged, result))
		return;
	does_not_hold(
		judged, judged->err->code == ERR_ABSENT_KEY ? NOT_YET : WRONG, result);
}

void
judge_probe(struct judged *judged, const struct node *step, struct result *result)
{
	struct str why;
	result->verdict = judged->verdict;
	result->err = judged->err;
	capture(judged->scope, judged->node, judged->self);
	/* A check that answers "no" has answered: `done` may look at that. */
	bool answered = judged->verdict == STEP_DONE ||
		(judged->self != NULL && judged->err->code == ERR_ANSWER);
	if (!answered || judged->node->done == NULL) {
		result->verdict =
			judged->verdict == STEP_DONE ? STEP_DOUBT : judged->verdict;
		return;
	}
	enum truth truth = truth_of(judged, judged->node->done, &why);
	if (truth == UNKNOWN)
		result->unknown = kept(judged->scope, value_unknown(why));
	if (truth == FALSE) {
		result->verdict = STEP_ABSENT;
		result->err = NULL;
	} else if (truth != TRUE) {
		result->verdict = STEP_DOUBT;
	} else if (judged->node->n_outputs == 0 && step->n_outputs == 0) {
		result->verdict = STEP_DONE;
		result->err = NULL;
	} else {
		result->verdict = outputs_of(judged, result) ? STEP_DONE : STEP_DOUBT;
		if (result->verdict == STEP_DONE)
			result->err = NULL;
	}
}

static const char *
shown(struct arena *mem, const struct value *before, const struct value *after)
{
	struct buf text = buf_in(mem);
	json_write(&text, before, JSON_SORT);
	buf_putc(&text, '\n');
	json_write(&text, after, JSON_SORT);
	return sha256_hex(mem, buf_str(&text));
}

void
judge_look(struct judged *judged, struct result *result)
{
	struct scope *scope = judged->scope;
	const struct value *before = value_get(judged->self, "before"),
			   *after = value_get(judged->self, "after");
	const struct value *out = value_get(judged->self, "out");
	result->verdict = judged->verdict;
	if (judged->verdict != STEP_DONE) {
		result->err = judged->err;
		result->transient = judged->err->transient;
		return;
	}
	static const struct value none = {.kind = V_NULL};
	result->before = kept(scope,
		scrubbed(scope->shell->vault, scope->mem,
			before == NULL ? &none : before));
	result->after = kept(scope,
		scrubbed(scope->shell->vault, scope->mem, after == NULL ? &none : after));
	result->same = value_equal(result->before, result->after);
	result->assumed = value_get_bool(judged->self, "assumed", false);
	result->shown = shown(scope->mem, result->before, result->after);
	if (!result->same)
		return;
	judged->self = out != NULL ? out : judged->self;
	capture(scope, judged->node, judged->self);
	if (!outputs_of(judged, result)) {
		result->verdict = STEP_FAIL;
		result->err = judged->err;
	}
}
