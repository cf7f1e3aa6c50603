/* The questions that the owner asks expressions: the one place where decide meets the
 * evaluator. */
#include "run/scope.h"

#include <stdio.h>

#include "run/args.h"

enum { ITEMS_MOST = 10000 };

static struct shell *
shell_of(const struct asker *asker)
{
	return asker->with;
}

/* The path for names: of PATH/undo that of the step that is undone. */
static const char *
own_path(struct arena *mem, const struct place *place)
{
	size_t n = strlen(place->path);
	if (place->is_undo && str_ends(str_of(place->path), STR("/undo")))
		return arena_strndup(mem, place->path, n - 5);
	return place->path;
}

static enum answer
condition(struct scope *scope, const struct expr *expr, struct err *err)
{
	struct value v;
	if (!scope_eval(scope, expr, &v, err))
		return ANSWER_ERROR;
	if (v.kind == V_UNKNOWN)
		return ANSWER_UNKNOWN;
	if (v.kind != V_BOOL) {
		err_set(err, ERR_TYPE, "a condition must be true or false, not %s",
			kind_name(v.kind));
		err_at(err, expr_mark(expr));
		return ANSWER_ERROR;
	}
	return v.b ? ANSWER_YES : ANSWER_NO;
}

static enum answer
ask_when(const struct asker *asker, const struct place *place, struct err *err)
{
	struct shell *shell = shell_of(asker);
	if (place->node->when == NULL)
		return ANSWER_YES;
	struct arena *mem = arena_new();
	struct scope scope;
	scope_init(
		&scope, shell, place->node, own_path(mem, place), mem, shell_time(shell));
	enum answer answer = condition(&scope, place->node->when, err);
	arena_free(mem);
	return answer;
}

static enum answer
ask_each(const struct asker *asker, const struct place *place, struct arena *mem,
	struct value *list, struct err *err)
{
	struct shell *shell = shell_of(asker);
	const struct each *each = place->node->each;
	struct scope scope;
	scope_init(&scope, shell, place->node, place->path, mem, shell_time(shell));
	if (!scope_fill(&scope, each->in, list, err))
		return ANSWER_ERROR;
	if (value_has_unknown(list, NULL))
		return ANSWER_UNKNOWN;
	if (list->kind != V_LIST)
		err_set(err, ERR_TYPE, "for_each wants a list, not %s",
			kind_name(list->kind));
	else if (list->list.n > ITEMS_MOST)
		err_set(err, ERR_LIMIT, "for_each over %zu items; at most %d may be",
			list->list.n, ITEMS_MOST);
	else
		return ANSWER_YES;
	err_at(err, place->node->at);
	return ANSWER_ERROR;
}

static enum answer
ask_branch(const struct asker *asker, const struct place *place, int *branch,
	struct err *err)
{
	struct shell *shell = shell_of(asker);
	struct arena *mem = arena_new();
	struct scope scope;
	enum answer answer = ANSWER_NO;
	scope_init(&scope, shell, place->node, place->path, mem, shell_time(shell));
	for (size_t i = 0; i < place->node->n_branches && answer == ANSWER_NO; i++) {
		const struct expr *when = place->node->branches[i].when;
		answer = when == NULL ? ANSWER_YES : condition(&scope, when, err);
		*branch = (int)i;
	}
	arena_free(mem);
	return answer;
}

static enum answer
ask_input(const struct asker *asker, const struct place *place, struct arena *mem,
	struct prepared *out, struct err *err)
{
	struct shell *shell = shell_of(asker);
	const struct node *node = place->node;
	struct scope scope;
	struct value given, in;
	struct str why;
	if (node->kind == NODE_ASSERT || node->type == NULL) {
		*out = (struct prepared){.in = value_map(mem, NULL, 0), .effect = PURE};
		return ANSWER_YES;
	}
	scope_init(&scope, shell, node, own_path(mem, place), mem, shell_time(shell));
	if (!scope_fill(&scope, node->args, &given, err)
		|| !args_judge(node, &given, mem, &in, err))
		return ANSWER_ERROR;
	out->effect = node_effect(node, &in);
	out->in = node->args == NULL ? given : template_record(node->args, &given, mem);
	return value_has_unknown(&in, &why) ? ANSWER_UNKNOWN : ANSWER_YES;
}

static bool
text_of(struct scope *scope, const struct template *template, const char **out,
	struct err *err)
{
	struct value v;
	if (template == NULL)
		return true;
	if (!scope_fill(scope, template, &v, err))
		return false;
	if (v.kind == V_UNKNOWN)
		*out = arena_printf(scope->mem, "(not known: %.*s)", STR_FMT(v.str));
	else if (v.kind == V_STRING)
		*out = str_cstr(
			scope->mem, vault_mask(scope->shell->vault, scope->mem, v.str));
	else
		*out = json_text(scope->mem, &v, JSON_MASK);
	return true;
}

static const char *
member_text(struct arena *mem, const struct value *map, const char *name)
{
	struct str text = value_get_str(map, name);
	return text.p == NULL ? NULL : str_cstr(mem, text);
}

/* A step that is nothing but a question: its arguments are the question. */
static enum answer
manual_question(struct scope *scope, const struct node *node, struct question *out,
	struct err *err)
{
	struct value given, in;
	if (!scope_fill(scope, node->args, &given, err)
		|| !args_judge(node, &given, scope->mem, &in, err))
		return ANSWER_ERROR;
	const struct value *within = value_get(&in, "within");
	*out = (struct question){.text = member_text(scope->mem, &in, "text"),
		.word = member_text(scope->mem, &in, "word"),
		.by = member_text(scope->mem, &in, "by"),
		.at_least = 1,
		.within = within == NULL ? 0 : span_ns(within->span)};
	return ANSWER_YES;
}

static enum answer
ask_question(const struct asker *asker, const struct place *place,
	const struct value *before, const struct value *after, struct arena *mem,
	struct question *out, struct err *err)
{
	struct shell *shell = shell_of(asker);
	const struct confirm *confirm = place->node->confirm;
	struct scope scope;
	(void)before;
	(void)after;
	scope_init(
		&scope, shell, place->node, own_path(mem, place), mem, shell_time(shell));
	if (confirm == NULL)
		return manual_question(&scope, place->node, out, err);
	*out = (struct question){.by = confirm->by, .not_by = confirm->not_by,
		.at_least = confirm->at_least == 0 ? 1 : confirm->at_least};
	return text_of(&scope, confirm->text, &out->text, err)
			&& text_of(&scope, confirm->word, &out->word, err)
		? ANSWER_YES
		: ANSWER_ERROR;
}

/* ---- ends of groups and of the run */

static bool
evaluate(struct scope *scope, const struct named_expr *list, size_t n, struct value *out,
	struct err *err)
{
	struct map_builder map = {.mem = scope->mem};
	for (size_t i = 0; i < n; i++) {
		struct value v;
		if (!scope_eval(scope, list[i].expr, &v, err)) {
			err_wrap(err, "%s", list[i].name);
			return false;
		}
		if (!(v.flags & VALUE_SECRET))
			map_put(&map, list[i].name, v);
	}
	if (n > 0)
		*out = map_done(&map);
	return true;
}

static const struct branch *
branch_of(const struct node *node, const struct path_state *state)
{
	int branch = state == NULL ? -1 : state->branch;
	return node->kind == NODE_CHOOSE && branch >= 0
			&& (size_t)branch < node->n_branches
		? &node->branches[branch]
		: NULL;
}

static enum answer
ask_close(const struct asker *asker, const struct place *place, enum outcome state,
	struct arena *mem, struct value *outputs, struct value *measures, struct err *err)
{
	struct shell *shell = shell_of(asker);
	const struct node *node = place->node;
	struct scope scope;
	*outputs = *measures = value_null();
	if (state != OUT_OK || (node->each != NULL && !place->is_item))
		return ANSWER_YES;
	scope_init(&scope, shell, node, place->path, mem, shell_time(shell));
	scope_answer(&scope, node, NULL);
	const struct branch *branch = branch_of(node, place->state);
	bool good = true;
	if (node->kind == NODE_PLAYBOOK) {
		struct scope inner;
		scope_book(&inner, shell, node->called, place->path, mem, scope.now);
		good = evaluate(&inner, node->called->outputs, node->called->n_outputs,
			outputs, err);
	} else if (branch != NULL) {
		good = evaluate(&scope, branch->outputs, branch->n_outputs, outputs, err);
	} else {
		good = evaluate(&scope, node->outputs, node->n_outputs, outputs, err);
	}
	good = good && evaluate(&scope, node->measures, node->n_measures, measures, err);
	return good ? ANSWER_YES : ANSWER_ERROR;
}

void
asker_init(struct shell *shell)
{
	shell->asker = (struct asker){.when = ask_when,
		.each = ask_each,
		.branch = ask_branch,
		.input = ask_input,
		.question = ask_question,
		.close = ask_close,
		.end = asker_end,
		.with = shell};
}
