#include "data/expr_check.h"

static bool
same_path(const struct node *a, const struct node *b)
{
	for (; a != NULL && b != NULL && a->kind == b->kind; a = a->first, b = b->first) {
		if (a->kind == NODE_ROOT || a->kind == NODE_LOCAL)
			return a->number == b->number;
		if (a->kind == NODE_SELECT) {
			if (!str_eq(a->name, b->name))
				return false;
			continue;
		}
		if (a->kind != NODE_INDEX)
			return false;
		const struct node *i = a->first->next, *j = b->first->next;
		if (i->kind != NODE_CONST || j->kind != NODE_CONST
			|| !value_equal(&i->value, &j->value))
			return false;
	}
	return false;
}

static void
learn(struct checker *c, const struct node *path, bool below)
{
	struct fact *fact = arena_new_of(c->scratch, struct fact);
	*fact = (struct fact){.outer = c->facts, .path = path, .below = below};
	c->facts = fact;
}

/* steps.x.status == 'done': all of steps.x may be read. */
static void
learn_done(struct checker *c, const struct node *node)
{
	const struct node *a = node->first, *b = a->next;
	if (a->kind == NODE_CONST) {
		const struct node *swap = a;
		a = b;
		b = swap;
	}
	if (a->kind == NODE_SELECT && str_is(a->name, "status") && b->kind == NODE_CONST
	    && b->value.kind == V_STRING && str_is(b->value.str, "done"))
		learn(c, a->first, true);
}

void
facts_learn(struct checker *c, const struct node *node, bool truth)
{
	if (node->kind == NODE_NOT)
		facts_learn(c, node->first, !truth);
	else if (node->kind == (truth ? NODE_AND : NODE_OR))
		for (const struct node *kid = node->first; kid != NULL; kid = kid->next)
			facts_learn(c, kid, truth);
	else if (truth && node->kind == NODE_SELECT && (node->flags & NODE_HAS))
		learn(c, node, false);
	else if (node->kind == (truth ? NODE_EQ : NODE_NE))
		learn_done(c, node);
}

bool
facts_cover(const struct checker *c, const struct node *path)
{
	for (const struct fact *fact = c->facts; fact != NULL; fact = fact->outer) {
		if (same_path(fact->path, path))
			return true;
		for (const struct node *p = path; fact->below && p != NULL; p = p->first)
			if (same_path(fact->path, p))
				return true;
	}
	return false;
}
