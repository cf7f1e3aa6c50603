#include "base/mask.h"

static uint32_t
child_of(const struct mask *mask, uint32_t node, uint8_t byte)
{
	if (node == 0)
		return mask->first[byte];
	uint32_t child = mask->nodes[node].child;
	while (child != 0 && mask->nodes[child].byte != byte)
		child = mask->nodes[child].next;
	return child;
}

static uint32_t
node_new(struct mask *mask)
{
	if (mask->n == mask->cap) {
		uint32_t cap = mask->cap == 0 ? 256 : 2 * mask->cap;
		struct mask_node *nodes = mask->more(mask->with, cap * sizeof *nodes);
		if (mask->n > 0)
			memcpy(nodes, mask->nodes, mask->n * sizeof *nodes);
		mask->nodes = nodes;
		mask->cap = cap;
	}
	return mask->n++;
}

static uint32_t
child_make(struct mask *mask, uint32_t node, uint8_t byte)
{
	uint32_t child = child_of(mask, node, byte);
	if (child != 0)
		return child;
	child = node_new(mask);
	struct mask_node *it = &mask->nodes[child], *parent = &mask->nodes[node];
	*it = (struct mask_node){
		.next = parent->child, .depth = parent->depth + 1, .byte = byte};
	parent->child = child;
	if (node == 0)
		mask->first[byte] = child;
	return child;
}

void
mask_add(struct mask *mask, struct str text)
{
	uint32_t node = 0;
	if (mask->n == 0)
		node_new(mask);
	for (size_t i = 0; i < text.n; i++)
		node = child_make(mask, node, (uint8_t)text.p[i]);
	mask->nodes[node].is_end = node != 0;
	mask->dirty = true;
}

/* The longest proper end of the text of `node` that some text begins with. */
static void
link_node(struct mask *mask, uint32_t parent, uint32_t node)
{
	struct mask_node *it = &mask->nodes[node];
	uint32_t at = mask->nodes[parent].fail, to = 0;
	if (parent != 0) {
		while (at != 0 && child_of(mask, at, it->byte) == 0)
			at = mask->nodes[at].fail;
		to = child_of(mask, at, it->byte);
	}
	it->fail = to;
	it->found = it->is_end ? it->depth : mask->nodes[to].found;
}

/* Level by level: the links of a level rest on those of the levels above it. */
void
mask_ready(struct mask *mask)
{
	if (!mask->dirty)
		return;
	uint32_t *queue = mask->more(mask->with, mask->n * sizeof *queue), head = 0,
		 tail = 0;
	queue[tail++] = 0;
	while (head < tail) {
		uint32_t node = queue[head++];
		for (uint32_t c = mask->nodes[node].child; c != 0;
			c = mask->nodes[c].next) {
			link_node(mask, node, c);
			queue[tail++] = c;
		}
	}
	mask->dirty = false;
}

uint32_t
mask_next(struct mask *mask, uint32_t node, uint8_t byte)
{
	uint32_t child;
	while ((child = child_of(mask, node, byte)) == 0 && node != 0)
		node = mask->nodes[node].fail;
	return child;
}
