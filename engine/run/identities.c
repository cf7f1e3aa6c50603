#include "run/limits.h"
#include "run/loop.h"
#include "run/provide.h"
#include "run/scope.h"

/* Where the accounts or regions of a run are limited, it is looked at before the first
 * check where its steps would act and with whose credentials: a step that would act
 * elsewhere stops the run before anything was changed. What rests on a step or an item is
 * looked at when it is reached, before anything is sent. */

struct looking {
	struct shell *shell;
	const struct node *node;
	struct arena *mem;
	struct scope scope;
	struct value in;                              /* the arguments that are known */
};

/* false: it is not known yet. */
static bool
argument(struct looking *looking, const char *name, struct value *out)
{
	struct err ignored;
	const struct template *text =
		template_member(looking->mem, looking->node->args, name);
	return text != NULL && scope_fill(&looking->scope, text, out, &ignored)
		&& !value_has_unknown(out, NULL);
}

static void
read_arguments(struct looking *looking)
{
	const struct value *written = template_source(looking->node->args);
	struct map_builder in = {.mem = looking->mem};
	for (size_t i = 0; written->kind == V_MAP && i < written->map->n; i++) {
		struct str name = written->map->members[i].key.str;
		struct value v;
		if (argument(looking, str_cstr(looking->mem, name), &v))
			map_put_str(&in, name, v);
	}
	looking->in = map_done(&in);
}

/* All that says whose credentials they are. */
static bool
is_known(const struct looking *looking)
{
	const struct provider *provider = looking->node->type->uses;
	const struct value *written = template_source(looking->node->args);
	const struct field *row;
	for (size_t i = 0; (row = field_at(provider->in, i)) != NULL; i++)
		if (value_get(written, row->name) != NULL
			&& value_get(&looking->in, row->name) == NULL)
			return false;
	return true;
}

static bool
refused(const struct looking *looking, struct err *err)
{
	err->code = ERR_SECRET;
	err_wrap(err, "step '%s'", looking->node->id);
	return err_at(err, looking->node->at);
}

/* Credentials that cannot be had may not be needed: only whose they are counts here. */
static bool
is_allowed(struct looking *looking, struct err *err)
{
	struct shell *shell = looking->shell;
	const struct limits *limits = limits_of(shell, looking->node->book);
	const struct step_type *type = looking->node->type;
	const struct value *got;
	struct want want;
	if (type->uses_if != NULL && !type->uses_if(&looking->in))
		return true;
	if (!limits_region(limits, &looking->in, err))
		return refused(looking, err);
	if (value_get(limits->value, "accounts") == NULL || !is_known(looking))
		return true;
	if (provide_now(shell, &want, type->uses, limits, &looking->in, &got, err)) {
		provide_drop(&want);
		return true;
	}
	if (err->code == ERR_DENIED && !shell->leaving)
		return refused(looking, err);
	*err = (struct err){0};
	return true;
}

static bool
look(struct shell *shell, const struct node *node, struct err *err)
{
	struct looking looking = {.shell = shell, .node = node};
	if (node->kind != NODE_STEP || node->type == NULL || node->type->uses == NULL
		|| node->args == NULL || limits_of(shell, node->book)->value == NULL)
		return true;
	looking.mem = arena_new();
	const char *path = path_towards(looking.mem, NULL, "", node);
	struct frame *frames = shell->frames;
	shell->no_steps = true;
	scope_init(&looking.scope, shell, node, path, looking.mem, shell_time(shell));
	read_arguments(&looking);
	/* What is called has not begun: its inputs are evaluated again when it does. */
	shell->frames = frames;
	shell->no_steps = false;
	bool good = is_allowed(&looking, err);
	arena_free(looking.mem);
	return good;
}

bool
identities_judge(struct shell *shell, struct err *err)
{
	const struct playbook *book = shell->book;
	for (size_t i = 0; i < book->n_nodes; i++)
		if (!look(shell, book->nodes[i], err))
			return false;
	return true;
}
