#include "model/playbook.h"

/* The place of a name: that of the first node that has it, or the free one where it would
 * stand. */
static size_t
place_of(const struct playbook *book, const struct playbook *in, struct str id)
{
	size_t mask = ((size_t)1 << book->named_bits) - 1, i = str_hash(id) & mask;
	const struct node *const *named = book->named;
	while (named[i] != NULL && (named[i]->book != in || !str_is(id, named[i]->id)))
		i = (i + 1) & mask;
	return i;
}

void
playbook_index(struct playbook *book, struct arena *mem)
{
	book->named_bits = 4;
	while ((size_t)1 << book->named_bits < 2 * book->n_nodes)
		book->named_bits++;
	const struct node **named =
		arena_array(mem, const struct node *, (size_t)1 << book->named_bits);
	book->named = named;
	for (size_t i = 0; i < book->n_nodes; i++) {
		const struct node *node = book->nodes[i];
		size_t at = place_of(book, node->book, str_of(node->id));
		if (named[at] == NULL)
			named[at] = node;
	}
}

static const struct node *
node_named(const struct playbook *book, const struct playbook *in, struct str id)
{
	if (book->named != NULL)
		return book->named[place_of(book, in, id)];
	for (size_t i = 0; i < book->n_nodes; i++)
		if (book->nodes[i]->book == in && str_is(id, book->nodes[i]->id))
			return book->nodes[i];
	return NULL;
}

static bool
is_prefix(struct str word)
{
	static const char *const parts[] = {"on_waiting", "on_success", "on_failure",
		"finally", "trigger", "preconditions"};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (str_is(word, parts[i]))
			return true;
	return false;
}

const struct node *
playbook_node(const struct playbook *book, struct str path)
{
	const struct playbook *in = book;
	const struct node *node = NULL;
	struct str rest = path;
	bool is_list;
	do {
		struct str index, id = str_cut(str_cut(rest, '/', &rest), '[', &index);
		is_list = (node == NULL || node->called != NULL) && rest.p != NULL
			&& is_prefix(id) && node_named(book, in, id) == NULL;
		if (is_list)
			continue;
		node = node_named(book, in, id);
		if (node != NULL && node->kind == NODE_PLAYBOOK && node->called != NULL)
			in = node->called;
	} while ((node != NULL || is_list) && rest.p != NULL);
	return node;
}

static void
unsupported(struct diags *diags, enum diag_level level, struct mark at, const char *what)
{
	struct err err;
	err_set(&err, ERR_UNSUPPORTED, "%s is known, but not in this version", what);
	err.at = at;
	diag_add(diags, level, &err);
}

size_t
playbook_unsupported(
	const struct playbook *book, struct diags *diags, enum diag_level level)
{
	size_t n = 0;
	if (book->on != NULL && level == DIAG_NOTE)   /* only rbx serve asks for it */
		unsupported(diags, level, value_mark(book->on), "starting by 'on'");
	for (size_t i = 0; i < book->n_nodes; i++) {
		const struct node *node = book->nodes[i];
		if (node->type == NULL || node->type->run != NULL)
			continue;
		unsupported(diags, level, node->at, node->type->name);
		n++;
	}
	return n;
}
