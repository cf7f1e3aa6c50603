#include "run/forecast.h"

#include "run/args.h"
#include "run/owner.h"

static bool
node_gives(const struct node *node, const char *name, const struct expr **expr)
{
	for (size_t i = 0; i < node->n_measures; i++)
		if (strcmp(node->measures[i].name, name) == 0) {
			*expr = node->measures[i].expr;
			return true;
		}
	return false;
}

static void
take(struct measure_now *out, bool *found, int64_t ns)
{
	out->ns = *found && out->ns > ns ? out->ns : ns;
	*found = true;
}

static bool
has_ended(const struct run_state *state, const struct node *node)
{
	for (const struct path_state *it = state->first; it != NULL; it = it->next) {
		const char *slash = strrchr(it->path, '/');
		if (strcmp(slash == NULL ? it->path : slash + 1, node->id) == 0)
			return it->state != OUT_NONE;
	}
	return false;
}

bool
measure_now(const struct owner *owner, const char *name, struct now now,
	struct arena *mem, struct measure_now *out)
{
	const struct playbook *book = owner->book;
	struct shell *shell = owner->asker->with;
	struct value recorded = measures_largest(owner->state, mem);
	const struct value *so_far = value_get(&recorded, name);
	bool found = false;
	*out = (struct measure_now){.is_final = true};
	if (so_far != NULL && so_far->kind == V_DURATION)
		take(out, &found, span_ns(so_far->span));
	for (size_t i = 0; i < book->n_nodes; i++) {
		const struct node *node = book->nodes[i];
		const struct expr *expr;
		struct scope scope;
		struct value v;
		struct err ignored;
		if (node->book != book || !node_gives(node, name, &expr)
			|| has_ended(owner->state, node))
			continue;
		out->is_final = false;
		scope_init(&scope, shell, node, node->id, mem, owner_time(owner, now));
		if (!scope_eval(&scope, expr, &v, &ignored) || v.kind != V_DURATION)
			return false;
		take(out, &found, span_ns(v.span));
	}
	return found;
}

bool
rest_by(const struct run_state *former, const struct run_state *state, int64_t now_us,
	int64_t *ns)
{
	const struct path_state *latest = NULL, *then = NULL;
	for (const struct path_state *it = state->first; it != NULL; it = it->next) {
		const struct path_state *was = state_find(former, it->path);
		if (it->ended_at == 0 || was == NULL || was->ended_at == 0
			|| (latest != NULL && latest->ended_at > it->ended_at))
			continue;
		latest = it;
		then = was;
	}
	if (latest == NULL || former->ended_at == 0)
		return false;
	int64_t rest = former->ended_at - then->ended_at - (now_us - latest->ended_at);
	*ns = rest > 0 ? rest * 1000 : 0;
	return true;
}
