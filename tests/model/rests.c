/* R2: nothing starts before what it follows from is durable. The engine says with each
 * act what that is (act->after); here it is found by the page. */
#include "rests.h"

static uint64_t
ended_at(const struct record *records, size_t n, struct str prefix, const char *id)
{
	for (size_t i = n; i-- > 0;) {
		struct str path = str_of(records[i].path);
		if (records[i].kind == REC_OUTCOME && str_starts(path, prefix)
			&& str_is(str_from(path, prefix.n), id))
			return records[i].seq;
	}
	return 0;
}

static bool
is_before(const struct record *records, size_t n, struct str prefix,
	struct node *const *nodes, size_t at, uint64_t after)
{
	const struct node *node = nodes[at], *parent = node->parent;

	if (parent == NULL || parent->kind == NODE_BLOCK)
		return at == 0
			|| ended_at(records, n, prefix, nodes[at - 1]->id) <= after;
	for (size_t i = 0; parent->kind == NODE_PARALLEL && i < node->n_needs; i++)
		if (ended_at(records, n, prefix, nodes[node->needs[i]]->id) > after)
			return false;
	return true;
}

bool
rests_on_ended(const struct playbook *book, const struct act *act,
	const struct record *records, size_t n)
{
	const struct node *parent = act->node->parent;
	const struct part_list *steps = &book->parts[PART_STEPS];
	struct node *const *nodes = parent == NULL ? steps->nodes : parent->members;
	size_t n_nodes = parent == NULL ? steps->n : parent->n_members;
	struct str path = str_of(act->path);

	if (!str_ends(path, str_of(act->node->id)))
		return true;                          /* an item, an undo */
	path.n -= strlen(act->node->id);
	for (size_t i = 0; i < n_nodes; i++)
		if (nodes[i] == act->node)
			return is_before(records, n, path, nodes, i, act->after);
	return true;
}
