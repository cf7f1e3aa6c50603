#include "model/graph.h"

static const char *const titles[PARTS] = {
	"trigger", "preconditions", "steps", "on_waiting", "on_success", "on_failure", "finally",
};

struct drawing {
	struct buf *out;
	bool ascii;
	enum graph_form form;
};

static const char *
word_of(const struct node *node)
{
	static const char *const words[] = {
		"step", "assert", "block", "parallel", "choose", "playbook"};
	return node->kind == NODE_STEP ? node->type->name : words[node->kind];
}

static bool
is_change(const struct node *node)
{
	return node->kind == NODE_STEP && node_effect(node, NULL) != PURE;
}

/* ---- outline */

static void
draw_list(struct drawing *d, struct node *const *nodes, size_t n, const char *lead);

static void
write_facts(struct drawing *d, const struct node *node)
{
	struct arena *mem = d->out->mem;
	if (is_change(node))
		buf_printf(
			d->out, "  changes (%s)", effect_name(node_effect(node, NULL)));
	if (node->when != NULL)
		buf_printf(d->out, "  when %.*s", STR_FMT(expr_text(node->when)));
	if (node->each != NULL)
		buf_puts(d->out, "  for each item");
	if (node->confirm != NULL)
		buf_puts(d->out, "  asks");
	if (node->every != 0)
		buf_printf(d->out, "  every %s", duration_text(mem, node->every));
	if (node->deadline != 0)
		buf_printf(d->out, "  at most %s", duration_text(mem, node->deadline));
	for (size_t i = 0; i < node->n_needs; i++)
		buf_printf(d->out, "%s%s", i == 0 ? "  needs " : ", ",
			node->parent->members[node->needs[i]]->id);
}

static const char *
deeper(struct drawing *d, const char *lead, bool last)
{
	return arena_printf(d->out->mem, "%s%s", lead,
		last               ? "   "
			: d->ascii ? "|  "
				   : "│  ");
}

static void
draw_branches(struct drawing *d, const struct node *node, const char *lead)
{
	for (size_t i = 0; i < node->n_branches; i++) {
		const struct branch *branch = &node->branches[i];
		bool last = i + 1 == node->n_branches;
		const char *corner = d->ascii ? (last ? "`- " : "|- ")
			: last                ? "└─ "
					      : "├─ ";
		buf_printf(d->out, "%s%s", lead, corner);
		if (branch->when != NULL)
			buf_printf(
				d->out, "when %.*s\n", STR_FMT(expr_text(branch->when)));
		else
			buf_puts(d->out, "otherwise\n");
		draw_list(d, branch->steps, branch->n_steps, deeper(d, lead, last));
	}
}

static void
draw_node(struct drawing *d, const struct node *node, const char *lead, bool last)
{
	const char *corner = d->ascii ? (last ? "`- " : "|- ") : last ? "└─ " : "├─ ";
	const char *inner = deeper(d, lead, last);
	buf_printf(d->out, "%s%s%s  %s", lead, corner, node->id, word_of(node));
	write_facts(d, node);
	buf_putc(d->out, '\n');
	draw_list(d, node->members, node->n_members, inner);
	draw_branches(d, node, inner);
	if (node->n_finally > 0) {
		buf_printf(d->out, "%s%sfinally\n", inner, d->ascii ? "`- " : "└─ ");
		draw_list(d, node->finally, node->n_finally, deeper(d, inner, true));
	}
}

static void
draw_list(struct drawing *d, struct node *const *nodes, size_t n, const char *lead)
{
	for (size_t i = 0; i < n; i++)
		draw_node(d, nodes[i], lead, i + 1 == n);
}

static void
draw_outline(struct drawing *d, const struct playbook *book)
{
	buf_printf(d->out, "%s\n", book->name);
	for (int part = 0; part < PARTS; part++) {
		if (book->parts[part].n == 0)
			continue;
		buf_printf(d->out, "\n%s\n", titles[part]);
		draw_list(d, book->parts[part].nodes, book->parts[part].n, "");
	}
}

/* ---- boxes and arrows: every node is "n" and its number */

static void
quoted(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		switch (text.p[i]) {
		case '"': buf_puts(out, "'"); break;
		case '\\': buf_puts(out, "/"); break;
		case '\n': buf_putc(out, ' '); break;
		default: buf_putc(out, text.p[i]); break;
		}
}

static void
box(struct drawing *d, const struct node *node, unsigned depth)
{
	bool dot = d->form == GRAPH_DOT;
	buf_fill(d->out, ' ', 2 * (size_t)depth);
	buf_printf(d->out, dot ? "n%u [label=\"" : "n%u%s\"", node->number,
		is_change(node) ? "[" : "([");
	quoted(d->out, str_of(node->id));
	buf_puts(d->out, dot ? "\\n" : "<br>");
	quoted(d->out, str_of(word_of(node)));
	if (dot)
		buf_printf(d->out, "\"%s];\n",
			is_change(node) ? ", style=filled, fillcolor=\"#ffe9c7\"" : "");
	else
		buf_printf(d->out, "\"%s\n", is_change(node) ? "]" : "])");
}

static void
arrow(struct drawing *d, unsigned from, unsigned to, const char *words)
{
	if (d->form == GRAPH_DOT)
		buf_printf(d->out, "  n%u -> n%u%s;\n", from, to, words);
	else
		buf_printf(d->out, "  n%u --> n%u\n", from, to);
}

static void boxes(struct drawing *d, struct node *const *nodes, size_t n, unsigned depth);

static void
group(struct drawing *d, const struct node *node, unsigned depth)
{
	bool dot = d->form == GRAPH_DOT;
	buf_fill(d->out, ' ', 2 * (size_t)depth);
	if (dot)
		buf_printf(d->out, "subgraph cluster_%u { label=\"%s (%s)\";\n",
			node->number, node->id, word_of(node));
	else
		buf_printf(d->out, "subgraph g%u[\"%s (%s)\"]\n", node->number, node->id,
			word_of(node));
	box(d, node, depth + 1);
	boxes(d, node->members, node->n_members, depth + 1);
	for (size_t i = 0; i < node->n_branches; i++)
		boxes(d, node->branches[i].steps, node->branches[i].n_steps, depth + 1);
	boxes(d, node->finally, node->n_finally, depth + 1);
	buf_fill(d->out, ' ', 2 * (size_t)depth);
	buf_puts(d->out, dot ? "}\n" : "end\n");
}

static void
boxes(struct drawing *d, struct node *const *nodes, size_t n, unsigned depth)
{
	for (size_t i = 0; i < n; i++)
		if (nodes[i]->n_members > 0 || nodes[i]->n_branches > 0)
			group(d, nodes[i], depth);
		else
			box(d, nodes[i], depth);
}

static void
arrows(struct drawing *d, struct node *const *nodes, size_t n, const struct node *group);

static void
arrows_inside(struct drawing *d, const struct node *node)
{
	arrows(d, node->members, node->n_members, node);
	for (size_t i = 0; i < node->n_branches; i++)
		arrows(d, node->branches[i].steps, node->branches[i].n_steps, node);
	arrows(d, node->finally, node->n_finally, node);
}

/* In a list each waits for the one above; in a parallel for what it needs, else for the
 * group's own begin. */
static void
arrows(struct drawing *d, struct node *const *nodes, size_t n, const struct node *group)
{
	bool together = group != NULL && group->kind == NODE_PARALLEL;
	for (size_t i = 0; i < n; i++) {
		const struct node *node = nodes[i];
		for (size_t j = 0; together && j < node->n_needs; j++)
			arrow(d, nodes[node->needs[j]]->number, node->number, "");
		if (!together && i > 0)
			arrow(d, nodes[i - 1]->number, node->number, "");
		else if (group != NULL && (!together || node->n_needs == 0))
			arrow(d, group->number, node->number, " [style=dashed]");
		arrows_inside(d, node);
	}
}

static void
draw_graph(struct drawing *d, const struct playbook *book)
{
	bool dot = d->form == GRAPH_DOT;
	buf_puts(d->out, dot ? "digraph playbook {\n  rankdir=TB; node [shape=box, "
			       "fontname=\"sans-serif\"];\n"
			     : "flowchart TD\n");
	for (int part = 0; part < PARTS; part++) {
		const struct part_list *list = &book->parts[part];
		if (list->n == 0)
			continue;
		buf_printf(d->out,
			dot ? "  subgraph cluster_%s { label=\"%s\";\n"
			    : "  subgraph %s_[\"%s\"]\n",
			titles[part], titles[part]);
		boxes(d, list->nodes, list->n, 2);
		buf_puts(d->out, dot ? "  }\n" : "  end\n");
		arrows(d, list->nodes, list->n, NULL);
	}
	buf_puts(d->out, dot ? "}\n" : "");
}

void
graph_write(
	struct buf *out, const struct playbook *book, enum graph_form form, bool ascii)
{
	struct drawing d = {.out = out, .ascii = ascii, .form = form};
	if (form == GRAPH_TEXT)
		draw_outline(&d, book);
	else
		draw_graph(&d, book);
}
