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

bool
limits_addresses(const struct value *limits, struct arena *mem,
	const struct addresses **out, struct err *err)
{
	const struct value *list = value_get(limits, "addresses");
	*out = NULL;
	if (list == NULL || list->kind != V_LIST)
		return true;
	struct address_range *ranges =
		arena_array(mem, struct address_range, list->list.n + 1);
	struct addresses *addresses = arena_new_of(mem, struct addresses);
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *item = &list->list.items[i];
		if (item->kind != V_STRING || !range_of(item->str, &ranges[i])) {
			err_set(err, ERR_VALUE,
				"limits.addresses takes ranges like 10.0.0.0/8 or "
				"fd00::/8");
			return err_at(err, value_mark(item));
		}
	}
	*addresses = (struct addresses){ranges, list->list.n};
	*out = addresses;
	return true;
}
