/* What the keys of a step say: times, retry, samples, accept, confirm, and what is asked
 * of its answer. */
#include "model/load.h"

#include "model/retry.h"

static int64_t
time_key(struct info *info, const char *name)
{
	const struct value *v = key_judged(info, name);
	return v == NULL ? 0 : span_ns(v->span);
}

static double
number_of(const struct value *v)
{
	return v->kind == V_INT ? (double)v->i : v->kind == V_UINT ? (double)v->u : v->d;
}

bool
retry_read(struct book_load *b, const struct value *map, struct retry *retry)
{
	const struct value *v;
	if ((v = value_get(map, "attempts")) != NULL)
		retry->attempts = (unsigned)v->i;
	if ((v = value_get(map, "delay")) != NULL)
		retry->delay = span_ns(v->span);
	if ((v = value_get(map, "max_delay")) != NULL)
		retry->max_delay = span_ns(v->span);
	if ((v = value_get(map, "backoff")) != NULL) {
		retry->backoff = number_of(v);
		if (retry->backoff < 1 || retry->backoff > 100) {
			diag_error(b->diags, value_mark(v),
				"'backoff' is out of range: 1 to 100")
				->code = ERR_RANGE;
			return false;
		}
	}
	if ((v = value_get(map, "jitter")) != NULL) {
		retry->jitter = number_of(v);
		if (retry->jitter < 0 || retry->jitter > 1) {
			diag_error(b->diags, value_mark(v),
				"'jitter' is out of range: 0 to 1")
				->code = ERR_RANGE;
			return false;
		}
	}
	return true;
}

/* Only what is written; the rest comes from `defaults` and then from the language. */
static const struct value *
written_retry(struct info *info, const struct value *map)
{
	struct book_load *b = info->load;
	struct value *out = arena_new_of(b->all->scratch, struct value);
	struct field_use use = {.of = "retry",
		.partial = true,
		.mem = b->all->scratch,
		.diags = b->diags};
	return fields_judge(&use, retry_keys, map, out) ? out : NULL;
}

static void
read_retry(struct info *info)
{
	struct book_load *b = info->load;
	const struct value *own = key_raw(info, "retry"),
			   *otherwise = value_get(b->defaults, "retry");
	info->node.retry = retry_otherwise;
	if (otherwise != NULL)
		retry_read(b, otherwise, &info->node.retry);
	const struct value *map = own == NULL ? NULL : written_retry(info, own);
	if (map != NULL)
		retry_read(b, map, &info->node.retry);
	info->node.retry_written = own != NULL || otherwise != NULL;
}

static void
read_timeout(struct info *info)
{
	const struct value *otherwise = value_get(info->load->defaults, "timeout");
	struct node *node = &info->node;
	node->timeout = time_key(info, "timeout");
	if (key_raw(info, "timeout") != NULL && node->timeout == 0 && !info->is_wrong)
		diag_error(info->load->diags, key_mark(info, "timeout"),
			"'timeout' must be more than 0");
	if (node->timeout == 0 && node->type != NULL && node->type->timeout != 0)
		node->timeout = otherwise != NULL ? span_ns(otherwise->span)
						  : node->type->timeout;
}

static void
read_samples(struct info *info)
{
	struct book_load *b = info->load;
	const struct value *v = key_judged(info, "samples");
	if (v == NULL)
		return;
	struct samples *samples = arena_new_of(b->all->mem, struct samples);
	*samples = (struct samples){(unsigned)value_get_int(v, "count", 1),
		(unsigned)value_get_int(v, "pass", 1),
		span_ns(value_get(v, "every")->span)};
	if (samples->pass > samples->count)
		diag_error(b->diags, value_mark(value_get(v, "pass")),
			"'pass' is %u of only %u samples", samples->pass, samples->count);
	info->node.samples = samples;
}

static void
read_confirm(struct info *info)
{
	struct book_load *b = info->load;
	const struct value *v = key_raw(info, "confirm"), *text = v;
	struct value judged = {0}, constant;
	struct scope scope;
	if (v == NULL)
		return;
	struct confirm *confirm = arena_new_of(b->all->mem, struct confirm);
	*confirm = (struct confirm){.at_least = 1, .within = 24 * NS_H};
	if (v->kind == V_MAP) {
		struct field_use use = {.of = "confirm",
			.at = key_mark(info, "confirm"),
			.mem = b->all->mem,
			.diags = b->diags};
		constant = constant_part(b->all->scratch, v);
		if (!fields_judge(&use, confirm_keys, &constant, &judged))
			return;
		text = value_get(v, "text");
		confirm->by = value_get_str(&judged, "by").p == NULL ? NULL
			: str_cstr(b->all->mem, value_get_str(&judged, "by"));
		confirm->not_by = value_get_str(&judged, "not_by").p == NULL ? NULL
			: str_cstr(b->all->mem, value_get_str(&judged, "not_by"));
		confirm->at_least = (unsigned)value_get_int(&judged, "at_least", 1);
		confirm->within = span_ns(value_get(&judged, "within")->span);
	} else if (v->kind == V_LIST || v->kind == V_NULL) {
		diag_error(b->diags, value_mark(v),
			"'confirm' takes a question or a map, not %s",
			v->kind == V_LIST ? kind_name(v->kind) : "nothing");
		return;
	}
	scope_of(&scope, info, 0, -1);
	confirm->text = text_read(&scope, text, TEMPLATE_TEXT | TEMPLATE_NO_SECRET);
	const struct value *word = v->kind == V_MAP ? value_get(v, "word") : NULL;
	confirm->word = word == NULL
		? NULL
		: text_read(&scope, word, TEMPLATE_TEXT | TEMPLATE_NO_SECRET);
	info->node.confirm = confirm;
}

/* Judged only: these are read elsewhere, or hold steps. */
static void
judge_forms(struct info *info)
{
	static const char *const names[] = {"needs", "preconditions", "finally"};
	for (size_t i = 0; i < 3; i++)
		key_judged(info, names[i]);
}

void
keys_read(struct info *info)
{
	read_timeout(info);
	info->node.deadline = time_key(info, "deadline");
	info->node.every = time_key(info, "every");
	if (key_raw(info, "every") != NULL && info->node.every == 0 && !info->is_wrong)
		diag_error(info->load->diags, key_mark(info, "every"),
			"'every' must be more than 0");
	const struct step_type *type = info->node.type;
	if (info->node.every == 0 && type != NULL && type->every_of != NULL
		&& info->in != NULL && !info->is_wrong)
		info->node.every = type->every_of(info->in);
	/* What a waiter waits for takes longer than the call that began it. */
	if (type != NULL && type->settles != NULL && info->node.settles)
		info->node.settle_timeout = info->node.deadline;
	read_retry(info);
	read_samples(info);
	info->node.accept = key_judged(info, "accept");
	read_confirm(info);
	judge_forms(info);
}

/* ---- the answer */

static bool
output_good(struct scope *scope, const struct named_expr *named, const struct value *at)
{
	if (!expr_is_secret(named->expr) || scope->reader->is_check)
		return true;
	diag_error(scope->load->diags, value_mark(at),
		"the output '%s' is secret; only a check may have such an output",
		named->name);
	return false;
}

static bool
measure_good(struct scope *scope, const struct named_expr *named, const struct value *at)
{
	const struct expr_type *type = expr_type_of(named->expr);
	if (expr_is_secret(named->expr)) {
		diag_error(scope->load->diags, value_mark(at),
			"a measure is recorded and may not be secret");
		return false;
	}
	if (type->dyn || type->kind == V_DURATION || type->kind == V_INT
		|| type->kind == V_UINT || type->kind == V_DOUBLE)
		return true;
	diag_error(scope->load->diags, value_mark(at),
		"the measure '%s' must be a duration or a number; this is %s",
		named->name, expr_type_name(scope->load->all->scratch, type))
		->code = ERR_TYPE;
	return false;
}

static const struct value *
map_key(struct info *info, const char *name)
{
	const struct value *v = key_raw(info, name);
	if (v == NULL || v->kind == V_MAP)
		return v;
	diag_error(info->load->diags, value_mark(v),
		"'%s' takes a map of expressions, not %s", name,
		v->kind == V_NULL ? "nothing" : kind_name(v->kind));
	return NULL;
}

static bool
read_assertion(struct scope *scope, const struct value *list, const struct value *item,
	struct assertion *out)
{
	struct book_load *b = scope->load;
	if (item->kind != V_MAP) {
		out->check = condition_read(scope, "assert", list, item);
		return out->check != NULL;
	}
	struct value judged;
	struct field_use use = {
		.of = "an assertion", .mem = b->all->scratch, .diags = b->diags};
	if (!fields_judge(&use, assert_keys, item, &judged))
		return false;
	const struct value *message = value_get(item, "message");
	out->check = condition_read(scope, "check", item, value_get(item, "check"));
	if (message != NULL)
		out->message =
			text_read(scope, message, TEMPLATE_TEXT | TEMPLATE_NO_SECRET);
	return out->check != NULL;
}

static void
read_assert(struct info *info, struct scope *scope)
{
	struct book_load *b = info->load;
	const struct value *list = key_raw(info, "assert");
	if (list == NULL)
		return;
	if (list->kind != V_LIST) {
		err_hint(
			diag_error(b->diags, value_mark(list),
				"'assert' takes a list, not %s",
				list->kind == V_NULL ? "nothing" : kind_name(list->kind)),
			"one expression a line, each behind '- '");
		return;
	}
	struct assertion *asserts =
		arena_array(b->all->mem, struct assertion, list->list.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < list->list.n; i++)
		n += read_assertion(scope, list, &list->list.items[i], &asserts[n]);
	info->node.asserts = asserts;
	info->node.n_asserts = n;
}

static void
read_done(struct info *info, struct scope *scope)
{
	const struct value *done = map_at(info->map->map, STR("done"));
	if (done != NULL)
		info->node.done = condition_read(scope, "done", info->map, done);
	else
		err_hint(diag_error(info->load->diags, info->node.at,
				 "a probe needs 'done'"),
			"done: EXPRESSION, true where the effect is there");
}

void
answer_read(struct info *info)
{
	struct node *node = &info->node;
	bool group = node->kind >= NODE_BLOCK;
	unsigned flags = SCOPE_ITEM | SCOPE_ANSWER | (group ? SCOPE_AFTER : 0);
	const struct value *map = map_key(info, "outputs"), *v;
	struct scope scope;
	scope_of(&scope, info, flags, -1);
	if (map != NULL && node->kind != NODE_CHOOSE && node->kind != NODE_PLAYBOOK)
		exprs_read(&scope, map, &node->outputs, &node->n_outputs, output_good);
	if ((v = key_raw(info, "until")) != NULL)
		node->until = condition_read(&scope, "until", info->map, v);
	if ((v = key_raw(info, "fail_if")) != NULL)
		node->fail_if = condition_read(&scope, "fail_if", info->map, v);
	read_assert(info, &scope);
	if (info->list == IN_PROBE)
		read_done(info, &scope);
	if ((map = map_key(info, "measures")) != NULL)
		exprs_read(&scope, map, &node->measures, &node->n_measures, measure_good);
}
