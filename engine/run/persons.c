#include "run/loop.h"

/* Who answers, and whether they may: what only the host can tell of it. */

static bool
is_asked(const struct path_state *path)
{
	return path->ask != 0 && path->by != NULL;
}

void
persons_place(struct shell *shell, struct message *message, struct arena *mem)
{
	struct host *host = shell->host;
	struct link *waiting = &shell->state.waiting;
	size_t n = 0;

	for (struct link *l = waiting->next; l != waiting; l = l->next)
		n++;
	const char **groups = arena_array(mem, const char *, n + 1);
	n = 0;
	for (struct link *l = waiting->next; message->person != NULL && l != waiting;
		l = l->next) {
		const struct path_state *path = list_item(l, struct path_state, waiting);
		if (is_asked(path)
			&& host->type->in_group(host, message->person, path->by))
			groups[n++] = arena_strdup(mem, path->by);
	}
	message->groups = groups;
}

/* `by` of a confirm, and of a step that is a question, where it is written out. */
static const char *
group_of(const struct node *node, struct arena *mem)
{
	if (node->confirm != NULL)
		return node->confirm->by;
	if (!node_asks(node) || node->args == NULL)
		return NULL;
	struct str by = value_get_str(template_source(node->args), "by");
	return by.n == 0 || str_find(by, STR("${{")) < by.n ? NULL : str_cstr(mem, by);
}

static bool
node_answerable(struct shell *shell, const struct node *node, struct err *err)
{
	struct host *host = shell->host;
	const char *group = group_of(node, shell->mem);
	bool other = node->confirm != NULL && node->confirm->not_by != NULL;

	if (group != NULL && !host->type->in_group(host, NULL, group)) {
		err_set(err, ERR_NOT_FOUND,
			"nobody could answer %s: this host knows no group %s",
			node->id, group);
	} else if (other && host->type->self(host)->person == NULL) {
		err_set(err, ERR_DENIED,
			"somebody else than you has to answer %s, and who you are cannot "
			"be told: root is no person", node->id);
		err_hint(err, "start it under your own login, or by sudo");
	} else {
		return true;
	}
	err_at(err, node->at);
	return false;
}

bool
persons_check(struct shell *shell, struct err *err)
{
	bool waived = shell->state.mode == MODE_DRILL && !shell->book->drill.confirm;

	if (shell->state.mode == MODE_DRY)
		return true;
	for (size_t i = 0; i < shell->book->n_nodes; i++) {
		const struct node *node = shell->book->nodes[i];
		if (waived && node->confirm != NULL)
			continue;
		if (!node_answerable(shell, node, err))
			return false;
	}
	return true;
}
