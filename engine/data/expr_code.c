#include "data/expr_eval.h"

struct maker {
	struct arena *mem;
	struct code *code;
	size_t n;
	struct root_use *roots;
	size_t n_roots;
	const struct expr_env *env;
};

static size_t
count_nodes(const struct node *node)
{
	size_t n = 1;
	for (const struct node *kid = node->first; kid != NULL; kid = kid->next)
		n += count_nodes(kid);
	return n;
}

static uint32_t
use_root(struct maker *m, uint32_t number)
{
	for (size_t i = 0; i < m->n_roots; i++)
		if (m->roots[i].number == number)
			return (uint32_t)i;
	const struct expr_root *root = &m->env->roots[number];
	m->roots[m->n_roots] = (struct root_use){root->name, number, root->secret};
	return (uint32_t)m->n_roots++;
}

/* Constants come from the tree's arena; texts that are parts of the expression's own text
 * may stay. */
static const struct value *
keep(struct maker *m, const struct value *v)
{
	struct value *kept = arena_new_of(m->mem, struct value);
	*kept = value_copy(m->mem, v);
	return kept;
}

static void
fill(struct maker *m, const struct node *node, struct code *c)
{
	*c = (struct code){
		.kind = node->kind,
		.flags = node->flags,
		.vars = node->vars,
		.n = node->n,
		.number = node->number,
		.from = node->from,
		.to = node->to,
	};
	switch ((enum node_kind)node->kind) {
	case NODE_CONST:
		c->value = keep(m, &node->value);
		break;
	case NODE_ROOT:
		c->number = use_root(m, node->number);
		break;
	case NODE_FAIL:
		c->name = str_copy(m->mem, node->name);
		break;
	case NODE_SELECT: case NODE_CALL:
		c->name = str_copy(m->mem, node->name);
		c->overloads = node->overloads;
		c->number = node->kind == NODE_CALL ? node->n_overloads : 0;
		c->prepared = node->prepared;
		break;
	default:
		break;
	}
	if (node->kind != NODE_CONST && node->kind != NODE_SELECT
		&& node->kind != NODE_CALL)
		return;
	c->from = node->kind == NODE_SELECT && !(node->flags & NODE_HAS) ? node->name_from
									 : node->from;
}

static void
make(struct maker *m, const struct node *node, struct code *c)
{
	fill(m, node, c);
	c->first = (uint32_t)m->n;
	m->n += node->n;
	uint32_t i = 0;
	for (const struct node *kid = node->first; kid != NULL; kid = kid->next)
		make(m, kid, &m->code[c->first + i++]);
}

const struct code *
code_make(struct arena *mem, const struct node *tree, struct expr *expr,
	const struct expr_env *env)
{
	size_t n = count_nodes(tree);
	struct maker m = {
		.mem = mem,
		.code = arena_array(mem, struct code, n),
		.n = 1,
		.env = env,
		.roots = arena_array(
			mem, struct root_use, n < env->n_roots ? n : env->n_roots),
	};
	make(&m, tree, m.code);
	expr->roots = m.roots;
	expr->n_roots = m.n_roots;
	expr->n_code = n;
	return m.code;
}
