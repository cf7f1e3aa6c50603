#include "run/loop.h"

/* Secret outputs stand on no record: when a run goes on, the checks that gave them are
 * asked again, in the order in which they had ended (language.md, "Names and scope"). */

/* A check on record as done that names an output which the record does not have. */
static const struct node *
asked_again(const struct shell *shell, const struct path_state *path)
{
	const struct node *node = path->state == OUT_OK && path->how == WAY_RAN
		? shell_node(shell, path->path)
		: NULL;
	bool whole = node != NULL && node->kind <= NODE_ASSERT && node->class == PURE
		&& (node->each == NULL || str_ends(str_of(path->path), STR("]")));
	for (size_t i = 0; whole && i < node->n_outputs; i++)
		if (value_get(path->outputs, node->outputs[i].name) == NULL)
			return node;
	return NULL;
}

static struct path_state *
next_of(const struct shell *shell, uint64_t after, const struct node **node)
{
	struct path_state *found = NULL;
	for (struct path_state *it = shell->state.first; it != NULL; it = it->next) {
		const struct node *asked;
		if (it->ended_seq <= after
			|| (found != NULL && it->ended_seq > found->ended_seq)
			|| (asked = asked_again(shell, it)) == NULL)
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

bool
reask(struct shell *shell, struct err *err)
{
	const struct node *node = NULL;
	uint64_t after = 0;
	struct path_state *path;
	if (shell->state.mode == MODE_DRY)
		return true;
	while ((path = next_of(shell, after, &node)) != NULL) {
		bool transient = true, good = false;
		for (unsigned i = 0; !good && transient && !shell->leaving
			&& i < node->retry.attempts; i++)
			good = ask(shell, path, node, &transient, err);
		if (shell->leaving)
			return err_set(err, ERR_CANCELLED, "cancelled");
		if (!good) {
			err_wrap(err, "%s, which is asked again for its secret output",
				path->path);
			return false;
		}
		*err = (struct err){0};
		after = path->ended_seq;
	}
	return true;
}
