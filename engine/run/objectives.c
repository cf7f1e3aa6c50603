#include "run/args.h"
#include "run/forecast.h"

/* What the end of a run says besides how it ended: its outputs, the largest measure of
 * each name, and which objectives were met. */

static double
number_of(const struct value *v)
{
	switch (v->kind) {
	case V_DURATION: return (double)span_ns(v->span) / (double)NS_S;
	case V_INT: return (double)v->i;
	case V_UINT: return (double)v->u;
	default: return v->kind == V_DOUBLE ? v->d : 0;
	}
}

/* Recorded durations are text of seconds; a measure that is text can be nothing else. */
static struct value
measured(struct arena *mem, const struct value *v)
{
	return v->kind == V_STRING ? typed_value(mem, v, &expr_duration) : *v;
}

struct value
measures_largest(const struct run_state *state, struct arena *mem)
{
	struct map_builder map = {.mem = mem};
	for (const struct path_state *it = state->first; it != NULL; it = it->next)
		for (size_t i = 0; it->measures != NULL && it->measures->kind == V_MAP
			&& i < it->measures->map->n;
			i++) {
			const struct member *member = &it->measures->map->members[i];
			const char *name = str_cstr(mem, member->key.str);
			struct value v = measured(mem, &member->value),
				     all = map_done(&map);
			const struct value *before = value_get(&all, name);
			if (before == NULL || number_of(&v) > number_of(before))
				map_put(&map, name, v);
		}
	return map_done(&map);
}

static struct value
judged(const struct playbook *book, const struct value *measures, struct arena *mem,
	bool *all_met)
{
	struct map_builder map = {.mem = mem};
	*all_met = true;
	for (size_t i = 0; i < book->n_objectives; i++) {
		const struct objective *it = &book->objectives[i];
		const struct value *v = value_get(measures, it->name);
		struct value limit = it->is_duration ? value_duration_ns(it->ns)
						     : value_double(it->number);
		struct map_builder one = {.mem = mem};
		bool met = v != NULL && number_of(v) <= number_of(&limit);
		map_put(&one, "limit", limit);
		if (v != NULL)
			map_put(&one, "value", *v);
		map_put(&one, "met", v == NULL ? value_null() : value_bool(met));
		map_put(&map, it->name, map_done(&one));
		*all_met = *all_met && met;
	}
	return map_done(&map);
}

static struct value
run_outputs(struct shell *shell, struct arena *mem)
{
	struct map_builder map = {.mem = mem};
	struct scope scope;
	scope_book(&scope, shell, shell->book, "", mem, shell_time(shell));
	for (size_t i = 0; i < shell->book->n_outputs; i++) {
		struct value v;
		struct err err;
		if (scope_eval(&scope, shell->book->outputs[i].expr, &v, &err)) {
			if (!value_is_secret(&v))
				map_put(&map, shell->book->outputs[i].name, v);
		} else if (shell->observer != NULL && shell->observer->told != NULL) {
			err_wrap(&err, "output '%s'", shell->book->outputs[i].name);
			vault_mask_err(shell->vault, &err);
			shell->observer->told(shell->observer, DIAG_WARNING, &err);
		}
	}
	return map_done(&map);
}

void
asker_end(const struct asker *asker, enum ending ending, struct arena *mem,
	struct value *members, bool *green)
{
	struct shell *shell = asker->with;
	struct map_builder map = {.mem = mem};
	struct value measures = measures_largest(&shell->state, mem);
	struct value objectives = judged(shell->book, &measures, mem, green);
	if (measures.map->n > 0)
		map_put(&map, "measures", measures);
	if (objectives.map->n > 0)
		map_put(&map, "objectives", objectives);
	if (ending == END_OK && shell->book->n_outputs > 0)
		map_put(&map, "outputs", run_outputs(shell, mem));
	*members = map_done(&map);
}
