/* The edges of the step DAG that `needs` draws among the members of a `parallel`, and
 * their order. */
#include "model/load.h"

static unsigned
sibling(const struct info *parallel, struct str id)
{
	struct info *found = ids_find(parallel->load, id);
	if (found != NULL && found->node.parent == &parallel->node
		&& found->list == IN_MEMBERS)
		return found->place;
	return (unsigned)parallel->node.n_members;
}

static void
not_a_sibling(const struct info *parallel, const struct value *id)
{
	struct book_load *b = parallel->load;
	const char **names =
		arena_array(b->all->scratch, const char *, parallel->node.n_members + 1);
	for (size_t i = 0; i < parallel->node.n_members; i++)
		names[i] = str_is(id->str, parallel->node.members[i]->id)
			? ""
			: parallel->node.members[i]->id;
	const char *near = near_name(id->str, names);
	struct err *err = diag_error(b->diags, value_mark(id),
		"'%.*s' is no other member of '%s'%s%s%s", STR_FMT(id->str),
		parallel->node.id, near == NULL ? "" : ", did you mean '",
		near == NULL ? "" : near, near == NULL ? "" : "'?");
	if (ids_find(b, id->str) != NULL)
		err_hint(err,
			"needs names siblings in the same parallel; what stands above "
			"has ended anyway");
}

static void
read_needs(struct info *parallel, struct info *info)
{
	struct book_load *b = parallel->load;
	const struct value *list = map_at(info->map->map, STR("needs"));
	if (list == NULL || list->kind != V_LIST)     /* told with the other keys */
		return;
	unsigned *needs = arena_array(b->all->mem, unsigned, list->list.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *id = &list->list.items[i];
		if (id->kind != V_STRING)
			continue;
		unsigned place = sibling(parallel, id->str);
		if (place == parallel->node.n_members || place == info->place)
			not_a_sibling(parallel, id);
		else
			needs[n++] = place;
	}
	info->node.needs = needs;
	info->node.n_needs = n;
}

/* Name a circle among the members that never became ready: from any of them always to a
 * need that is not ready. */
static void
tell_circle(struct info *parallel, const unsigned *open)
{
	struct book_load *b = parallel->load;
	struct node *const *members = parallel->node.members;
	size_t n = parallel->node.n_members, at = 0, first;
	unsigned *seen = arena_array(b->all->scratch, unsigned, n);
	while (open[at] == 0)
		at++;
	for (unsigned step = 1; seen[at] == 0; step++) {
		seen[at] = step;
		for (size_t i = 0; i < members[at]->n_needs; i++)
			if (open[members[at]->needs[i]] > 0) {
				at = members[at]->needs[i];
				break;
			}
	}
	struct buf text = buf_in(b->all->mem);
	first = at;
	do {
		buf_printf(&text, "%s needs ", members[at]->id);
		for (size_t i = 0; i < members[at]->n_needs; i++)
			if (open[members[at]->needs[i]] > 0) {
				at = members[at]->needs[i];
				break;
			}
	} while (at != first && text.n < 300);
	buf_puts(&text, members[at]->id);
	diag_error(
		b->diags, members[first]->at, "a circle of needs: %s", buf_cstr(&text));
}

/* A member's turn: its needs before it, else as on the page (Kahn 1962). */
static void
find_turns(struct info *parallel)
{
	struct book_load *b = parallel->load;
	struct node *const *members = parallel->node.members;
	size_t n = parallel->node.n_members, edges = 0, head = 0, tail = 0;
	unsigned *open = arena_array(b->all->scratch, unsigned, n + 1);
	unsigned *first = arena_array(b->all->scratch, unsigned, n + 2);
	unsigned *turns = arena_array(b->all->mem, unsigned, n + 1);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < members[i]->n_needs; j++, edges++)
			first[members[i]->needs[j] + 2]++;
	for (size_t i = 2; i < n + 2; i++)
		first[i] += first[i - 1];
	unsigned *after = arena_array(b->all->scratch, unsigned, edges + 1);
	for (size_t i = 0; i < n; i++) {
		open[i] = (unsigned)members[i]->n_needs;
		for (size_t j = 0; j < members[i]->n_needs; j++)
			after[first[members[i]->needs[j] + 1]++] = (unsigned)i;
		if (open[i] == 0)
			turns[tail++] = (unsigned)i;
	}
	for (; head < tail; head++) {
		info_of(members[turns[head]])->order = (unsigned)head;
		for (unsigned k = first[turns[head]]; k < first[turns[head] + 1]; k++)
			if (--open[after[k]] == 0)
				turns[tail++] = after[k];
	}
	if (tail < n) {
		tell_circle(parallel, open);
		for (size_t i = 0; i < n; i++)
			if (open[i] > 0)
				turns[tail++] = (unsigned)i;
	}
	parallel->turns = turns;
}

void
needs_read(struct book_load *b, struct info *parallel)
{
	(void)b;
	for (size_t i = 0; i < parallel->node.n_members; i++)
		read_needs(parallel, info_of(parallel->node.members[i]));
	find_turns(parallel);
}

/* Whether `from` needs `to`, directly or through others. The search looks only at members
 * whose turn is later than that of `to`. */
bool
needs_reach(struct loading *all, const struct info *from, const struct info *to)
{
	struct node *const *members = from->node.parent->members;
	size_t n = from->node.parent->n_members, top = 0;
	for (size_t i = 0; i < from->node.n_needs; i++)
		if (from->node.needs[i] == to->place)
			return true;
	if (from->node.n_needs == 0)
		return false;
	if (all->n_search < n + 1) {
		all->search = arena_array(all->scratch, const struct info *, n + 1);
		all->n_search = n + 1;
	}
	const struct info **stack = all->search;
	unsigned stamp = ++all->stamp;
	for (stack[top++] = from; top > 0; ) {
		const struct info *at = stack[--top];
		for (size_t i = 0; i < at->node.n_needs; i++) {
			struct info *next = info_of(members[at->node.needs[i]]);
			if (next == to)
				return true;
			if (next->stamp != stamp && next->order > to->order) {
				next->stamp = stamp;
				stack[top++] = next;
			}
		}
	}
	return false;
}
