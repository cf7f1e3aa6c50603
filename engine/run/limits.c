#include "run/limits.h"

#include <arpa/inet.h>

static bool
range_of(struct str text, struct address_range *out)
{
	struct str bits;
	struct str address = str_cut(text, '/', &bits);
	char plain[INET6_ADDRSTRLEN];
	int64_t n;
	if (address.n == 0 || address.n >= sizeof plain)
		return false;
	memcpy(plain, address.p, address.n);
	plain[address.n] = '\0';
	*out = (struct address_range){.bytes = {[10] = 0xff, [11] = 0xff}};
	bool four = inet_pton(AF_INET, plain, out->bytes + 12) == 1;
	if (!four && inet_pton(AF_INET6, plain, out->bytes) != 1)
		return false;
	int64_t most = four ? 32 : 128;
	if (bits.p == NULL)
		n = most;
	else if (!str_int(bits, &n) || n < 0 || n > most)
		return false;
	out->bits = (uint8_t)(four ? 96 + n : n);
	return true;
}

static bool
addresses_of(const struct value *limits, struct arena *mem, struct addresses **out,
	struct err *err)
{
	const struct value *list = value_get(limits, "addresses");
	*out = NULL;
	if (list == NULL || list->kind != V_LIST)
		return true;
	struct address_range *ranges =
		arena_array(mem, struct address_range, list->list.n + 1);
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *item = &list->list.items[i];
		if (item->kind != V_STRING || !range_of(item->str, &ranges[i])) {
			err_set(err, ERR_VALUE,
				"limits.addresses takes ranges like 10.0.0.0/8 or "
				"fd00::/8");
			return err_at(err, value_mark(item));
		}
	}
	*out = arena_new_of(mem, struct addresses);
	**out = (struct addresses){.ranges = ranges, .n = list->list.n};
	return true;
}

static const struct addresses *
both_addresses(struct addresses *own, const struct addresses *callers)
{
	static const struct addresses none = {.no_list = true};
	if (own == NULL)
		return callers;
	own->also = callers == NULL ? &none : callers;
	return own;
}

static bool
has_text(const struct value *list, const struct value *text)
{
	for (size_t i = 0; i < list->list.n; i++)
		if (value_equal(&list->list.items[i], text))
			return true;
	return false;
}

/* What stands in both lists; in one, where there is one only. */
static void
put_both(struct map_builder *out, const char *name, const struct value *own,
	const struct value *callers)
{
	const struct value *a = value_get(own, name), *b = value_get(callers, name);
	struct list_builder list = {.mem = out->mem};
	if (a == NULL || a->kind != V_LIST || b == NULL || b->kind != V_LIST) {
		const struct value *one = a == NULL || a->kind != V_LIST ? b : a;
		if (one != NULL)
			map_put(out, name, *one);
		return;
	}
	for (size_t i = 0; i < a->list.n; i++)
		if (has_text(b, &a->list.items[i]))
			list_push(&list, a->list.items[i]);
	map_put(out, name, list_done(&list));
}

static bool
limits_add(struct shell *shell, const struct playbook *book,
	const struct limits *callers, struct err *err)
{
	struct limits *limits = arena_new_of(shell->mem, struct limits);
	struct addresses *own;
	const struct value *value = callers == NULL ? NULL : callers->value;
	*limits = (struct limits){.next = shell->limits, .book = book, .value = value};
	if (!addresses_of(book->limits, shell->mem, &own, err))
		return false;
	limits->addresses = callers == NULL ? own
		: both_addresses(own, callers->addresses);
	if (value_get(book->limits, "accounts") != NULL
		|| value_get(book->limits, "regions") != NULL) {
		struct map_builder both = {.mem = shell->mem};
		struct value *made = arena_new_of(shell->mem, struct value);
		put_both(&both, "accounts", book->limits, value);
		put_both(&both, "regions", book->limits, value);
		*made = map_done(&both);
		if (value == NULL || !value_equal(made, value))
			limits->value = made;
	}
	shell->limits = limits;
	return true;
}

bool
limits_open(struct shell *shell, struct err *err)
{
	const struct playbook *book = shell->book;
	bool good = limits_add(shell, book, NULL, err);
	for (size_t i = 0; good && i < book->n_nodes; i++) {
		const struct node *node = book->nodes[i];
		if (node->kind == NODE_PLAYBOOK)
			good = limits_add(shell, node->called,
				limits_of(shell, node->book), err);
	}
	return good;
}

const struct limits *
limits_of(const struct shell *shell, const struct playbook *book)
{
	const struct limits *it = shell->limits;
	while (it->book != book)
		it = it->next;
	return it;
}

bool
limits_region(const struct limits *limits, const struct value *in, struct err *err)
{
	const struct value *regions = value_get(limits->value, "regions"),
			   *region = value_get(in, "region");
	if (regions == NULL || regions->kind != V_LIST || region == NULL
		|| region->kind != V_STRING || has_text(regions, region))
		return true;
	return err_set(err, ERR_DENIED, "the region %.*s is not in limits.regions",
		STR_FMT(region->str));
}
