#include "run/loop.h"
#include "run/scope.h"

/* Secret outputs stand on no record: when a run goes on, the checks that gave them are
 * asked again, in the order in which they had ended (language.md, "Names and scope").
 * When a run is taken back by another one, those are asked that the way back reads. */

struct asking {
	struct shell *shell;
	const struct run_state *state;                /* whose checks are asked */
	/* By node: the change that reads it on the way back; NULL: nobody does. Without
	 * the list all are asked. */
	const struct node **readers;
	const struct node *reader;                    /* while readers are looked for */
};

/* ---- who reads what on the way back */

static void
reads(const struct str *names, size_t n, void *with)
{
	struct asking *asking = with;
	if (n < 2 || !str_is(names[0], "steps"))
		return;
	const struct node *node =
		scope_node(asking->shell, asking->reader->book, names[1]);
	if (node == NULL || asking->readers[node->number] != NULL)
		return;
	asking->readers[node->number] = asking->reader;
	/* What it reads itself is needed as well. */
	if (node->args != NULL)
		template_reads(node->args, reads, asking);
}

static void
look_into(struct asking *asking, const struct node *node)
{
	asking->reader = node;
	if (node->args != NULL)
		template_reads(node->args, reads, asking);
	if (node->when != NULL)
		expr_reads(node->when, reads, asking);
	for (size_t i = 0; i < node->n_undo_steps; i++)
		look_into(asking, node->undo_steps[i]);
	for (size_t i = 0; i < node->n_members; i++)
		if (node->kind != NODE_PLAYBOOK)
			look_into(asking, node->members[i]);
	for (size_t i = 0; i < node->n_branches; i++)
		for (size_t j = 0; j < node->branches[i].n_steps; j++)
			look_into(asking, node->branches[i].steps[j]);
}

static bool
is_taken_back(const struct path_state *path)
{
	return path->fate != FATE_NONE && path->how != WAY_UNCHANGED
		&& !path_is_handler(path->path);
}

static void
find_readers(struct asking *asking)
{
	struct shell *shell = asking->shell;
	asking->readers =
		arena_array(shell->mem, const struct node *, shell->book->n_nodes + 1);
	for (const struct path_state *it = shell->of->first; it != NULL; it = it->next) {
		const struct node *node =
			is_taken_back(it) ? shell_node(shell, it->path) : NULL;
		if (node != NULL && (it->in != NULL || node->n_undo_steps > 0))
			look_into(asking, node);
	}
}

/* ---- who is asked */

static bool
gives_secret(const struct node *node, const struct value *outputs)
{
	const struct field *field;
	for (size_t i = 0; i < node->n_outputs; i++)
		if (value_get(outputs, node->outputs[i].name) == NULL)
			return true;
	for (size_t i = 0; node->type != NULL &&
	     (field = field_at(node->type->out, i)) != NULL; i++)
		if (field->flags & FIELD_OUTPUT && field->flags & FIELD_SENSITIVE
			&& value_get(outputs, field->name) == NULL)
			return true;
	return false;
}

/* A check on record as done that gave an output which the record does not have. */
static const struct node *
asked_again(const struct asking *asking, const struct path_state *path)
{
	const struct node *node = path->state == OUT_OK && path->how == WAY_RAN
		? shell_node(asking->shell, path->path)
		: NULL;
	bool whole = node != NULL && node->kind <= NODE_ASSERT && node->class == PURE
		&& (node->each == NULL || str_ends(str_of(path->path), STR("]")));
	bool wanted = whole && (asking->readers == NULL
		|| asking->readers[node->number] != NULL);
	return wanted && gives_secret(node, path->outputs) ? node : NULL;
}

static struct path_state *
next_of(const struct asking *asking, uint64_t after, const struct node **node)
{
	struct path_state *found = NULL;
	for (struct path_state *it = asking->state->first; it != NULL; it = it->next) {
		const struct node *asked;
		if (it->ended_seq <= after
			|| (found != NULL && it->ended_seq > found->ended_seq)
			|| (asked = asked_again(asking, it)) == NULL)
			continue;
		found = it;
		*node = asked;
	}
	return found;
}

/* true: it holds, and its secret outputs are kept. */
static bool
ask(struct shell *shell, struct path_state *path, const struct node *node,
	bool *transient, struct err *err)
{
	int64_t timeout = node->timeout > 0 ? node->timeout : NS_MIN;
	phase_ask(shell, &(struct act){.kind = ACT_OP, .phase = PHASE_RUN, .node = node,
			.path = path->path, .state = path, .attempt = path->attempt},
		shell_now(shell).boot + timeout);
	struct letter *letter = shell_answer(shell);
	const struct result *result = letter->news.result;
	bool good = result->verdict == STEP_DONE && !result->not_held;
	*transient = result->transient;
	if (!good && result->err != NULL)
		*err = *result->err;
	else if (!good)
		err_set(err, ERR_ANSWER, "it does not hold");
	job_free(letter->job);
	return good;
}

static bool
say_who(const struct asking *asking, const struct path_state *path,
	const struct node *node, struct err *err)
{
	const struct node *reader =
		asking->readers == NULL ? NULL : asking->readers[node->number];
	err_wrap(err, "%s, which is asked again for its secret output%s%s", path->path,
		reader == NULL ? "" : ", that is needed to take back ",
		reader == NULL ? "" : reader->id);
	if (reader != NULL && err->hint[0] == '\0')
		err_hint(err, "nothing was taken back: it has to hold once more, for what"
			" it gives is on no record");
	return false;
}

static bool
ask_all(struct asking *asking, struct err *err)
{
	struct shell *shell = asking->shell;
	const struct node *node = NULL;
	uint64_t after = 0;
	struct path_state *path;
	while ((path = next_of(asking, after, &node)) != NULL) {
		bool transient = true, good = false;
		for (unsigned i = 0; !good && transient && !shell->leaving
			&& i < node->retry.attempts; i++)
			good = ask(shell, path, node, &transient, err);
		if (shell->leaving)
			return err_set(err, ERR_CANCELLED, "cancelled");
		if (!good)
			return say_who(asking, path, node, err);
		*err = (struct err){0};
		after = path->ended_seq;
	}
	return true;
}

bool
reask(struct shell *shell, struct err *err)
{
	struct asking own = {.shell = shell, .state = &shell->state};
	struct asking other = {.shell = shell, .state = shell->of};
	if (shell->state.mode == MODE_DRY)
		return true;
	if (shell->of != NULL) {
		find_readers(&other);
		if (!ask_all(&other, err))
			return false;
	}
	return ask_all(&own, err);
}
