#include "run/scope.h"

static const char *const part_names[PARTS] = {
	"trigger", "preconditions", "", "on_waiting", "on_success", "on_failure", "finally",
};

/* How much of `path` is left without its last part. */
static size_t
up(const char *path, size_t n)
{
	while (n > 0 && path[n - 1] != '/')
		n--;
	return n == 0 ? 0 : n - 1;
}

static bool
ends_with_id(const char *path, size_t n, const char *id)
{
	size_t from = n, length = strlen(id);
	while (from > 0 && path[from - 1] != '/')
		from--;
	return n - from >= length && memcmp(path + from, id, length) == 0 &&
		(n - from == length || path[from + length] == '[');
}

/* Between a step and the group around it may stand "finally", "undo" or the name of a
 * handler list. */
const char *
path_around(struct arena *mem, const struct node *node, const char *path,
	const struct node *around)
{
	size_t n = strlen(path);
	for (const struct node *it = node; it != around && it != NULL; it = it->parent) {
		n = up(path, n);
		while (n > 0 && it->parent != NULL
			&& !ends_with_id(path, n, it->parent->id))
			n = up(path, n);
	}
	return arena_strndup(mem, path, around == NULL ? 0 : n);
}

static bool
is_among(const struct node *node, struct node *const *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (nodes[i] == node)
			return true;
	return false;
}

/* What stands between the path of the group around a node and its id. */
static const char *
between(const struct node *node)
{
	const struct node *parent = node->parent;
	if (parent == NULL || parent->kind == NODE_PLAYBOOK)
		return part_names[node->part];
	if (is_among(node, parent->finally, parent->n_finally))
		return "finally";
	if (is_among(node, parent->undo_steps, parent->n_undo_steps))
		return "undo";
	return "";
}

static void
add_part(struct buf *out, const char *part)
{
	if (*part == '\0')
		return;
	if (out->n > 0)
		buf_putc(out, '/');
	buf_puts(out, part);
}

static void
descend(struct buf *out, const struct node *top, const struct node *node)
{
	if (node == NULL || node == top)
		return;
	descend(out, top, node->parent);
	add_part(out, between(node));
	add_part(out, node->id);
}

const char *
path_towards(struct arena *mem, const struct node *from, const char *path,
	const struct node *node)
{
	const struct node *common = NULL;
	for (const struct node *a = node->parent; a != NULL && common == NULL;
		a = a->parent)
		for (const struct node *b = from; b != NULL; b = b->parent)
			if (a == b) {
				common = a;
				break;
			}
	struct buf out = buf_in(mem);
	const char *list = node->part == PART_ON_WAITING ? strstr(path, "on_waiting[")
							 : NULL;
	if (list != NULL && strcmp(between(node), "on_waiting") == 0) {
		/* A handler list that is carried out once for each question has the
		 * question in its name. */
		buf_add(&out, (struct str){path, (size_t)(list - path)
			+ strcspn(list, "/")});
		add_part(&out, node->id);
		return buf_cstr(&out);
	}
	if (common != NULL)
		buf_puts(&out, path_around(mem, from, path, common));
	descend(&out, common, node);
	return buf_cstr(&out);
}
