#include "../steps/sync/plan.h"

#include "../steps/sync/glob.h"

#include <stdlib.h>

void
sync_add(struct sync_items *items, struct sync_item item)
{
	if (items->n == items->cap) {
		size_t cap = items->cap == 0 ? 256 : items->cap * 2;
		struct sync_item *more = arena_array(items->mem, struct sync_item, cap);
		if (items->n > 0)
			memcpy(more, items->items, items->n * sizeof *more);
		items->items = more;
		items->cap = cap;
	}
	items->items[items->n++] = item;
}

static bool
any_matches(const struct value *list, struct str path)
{
	for (size_t i = 0; list != NULL && list->kind == V_LIST && i < list->list.n; i++)
		if (list->list.items[i].kind == V_STRING
			&& glob_matches(list->list.items[i].str, path))
			return true;
	return false;
}

bool
sync_selects(const struct sync_filter *filter, struct str path)
{
	return (filter->include == NULL || any_matches(filter->include, path))
		&& !any_matches(filter->exclude, path);
}

bool
sync_path_is_safe(struct str path)
{
	if (path.n == 0)
		return false;
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7f)
			return false;
	for (struct str rest = path, part; rest.p != NULL;) {
		part = str_cut(rest, '/', &rest);
		if (part.n == 0 || part.n > 255 || str_is(part, ".")
			|| str_is(part, ".."))
			return false;
	}
	return true;
}

static int
by_path(const void *a, const void *b)
{
	return str_cmp(((const struct sync_item *)a)->path,
		((const struct sync_item *)b)->path);
}

static bool
sort(struct sync_items *items, struct err *err)
{
	if (items->n > 0)
		qsort(items->items, items->n, sizeof *items->items, by_path);
	for (size_t i = 1; i < items->n; i++)
		if (str_eq(items->items[i - 1].path, items->items[i].path))
			return err_set(err, ERR_PROTOCOL, "two objects are named '%.*s'",
				STR_FMT(items->items[i].path));
	return true;
}

static enum sync_action
action_of(const struct sync_item *from, const struct sync_item *to, bool delete)
{
	if (from == NULL)
		return delete ? SYNC_DELETE : SYNC_SAME;
	if (to == NULL || from->size != to->size)
		return SYNC_COPY;
	bool same = from->size == 0
		|| (from->etag.n > 0 && str_eq(from->etag, to->etag));
	return same ? SYNC_SAME : SYNC_UNDECIDED;
}

bool
sync_merge(struct arena *mem, struct sync_items *from, struct sync_items *to, bool delete,
	struct sync_plan *plan, struct err *err)
{
	if (!sort(from, err) || !sort(to, err))
		return false;
	*plan = (struct sync_plan){
		arena_array(mem, struct sync_entry, from->n + to->n + 1), 0};
	for (size_t i = 0, j = 0; i < from->n || j < to->n;) {
		int order = i == from->n ? 1
			: j == to->n     ? -1
				: by_path(&from->items[i], &to->items[j]);
		struct sync_entry entry = {
			.from = order <= 0 ? &from->items[i++] : NULL,
			.to = order >= 0 ? &to->items[j++] : NULL,
		};
		entry.action = action_of(entry.from, entry.to, delete);
		plan->entries[plan->n++] = entry;
	}
	return true;
}

struct sync_totals
sync_count(const struct sync_plan *plan)
{
	struct sync_totals totals = {0};
	for (size_t i = 0; i < plan->n; i++) {
		const struct sync_entry *entry = &plan->entries[i];
		if (entry->to != NULL) {
			totals.there++;
			totals.there_bytes += entry->to->size;
		}
		if (entry->action == SYNC_COPY) {
			totals.copies++;
			totals.copy_bytes += entry->from->size;
		} else if (entry->action == SYNC_DELETE) {
			totals.deletes++;
			totals.delete_bytes += entry->to->size;
		} else {
			totals.same += entry->from != NULL;
		}
	}
	return totals;
}

uint64_t
sync_part(struct str etag, uint64_t size)
{
	static const unsigned mib[] = {
		8, 5, 16, 15, 32, 50, 64, 100, 128, 256, 512, 1024};
	struct str count, md5 = str_cut(etag, '-', &count);
	uint8_t sum[MD5_SIZE];
	uint64_t n;
	if (!hex_parse(md5, sum, MD5_SIZE))
		return 0;
	if (count.p == NULL)
		return UINT64_MAX;
	if (!str_uint(count, &n) || n == 0)
		return 0;
	for (size_t i = 0; i < sizeof mib / sizeof *mib; i++) {
		uint64_t part = (uint64_t)mib[i] << 20;
		if ((size + part - 1) / part == n)
			return part;
	}
	/* the least whole number of MiB that makes so many */
	uint64_t part = (size + n - 1) / n;
	part = (part + (1 << 20) - 1) >> 20 << 20;
	return (size + part - 1) / part == n ? part : 0;
}

bool
sync_etag_is(struct arena *mem, struct str etag, const uint8_t (*md5s)[16], size_t n)
{
	uint8_t sum[SHA256_SIZE];
	struct str count, head = str_cut(etag, '-', &count);
	if (md5s == NULL || n == 0)
		return false;
	if (count.p == NULL)
		return n == 1 && str_is(head, hex_text(mem, md5s[0], MD5_SIZE));
	struct str all = {(const char *)md5s, n * MD5_SIZE};
	return md5(all, sum)
		&& str_is(etag,
			arena_printf(mem, "%s-%zu", hex_text(mem, sum, MD5_SIZE), n));
}

const char *
sync_media_type(struct str path)
{
	static const char *const types[][2] = {
		{".css", "text/css"},
		{".csv", "text/csv"},
		{".gif", "image/gif"},
		{".gz", "application/gzip"},
		{".htm", "text/html"},
		{".html", "text/html"},
		{".ico", "image/x-icon"},
		{".jpeg", "image/jpeg"},
		{".jpg", "image/jpeg"},
		{".js", "text/javascript"},
		{".json", "application/json"},
		{".map", "application/json"},
		{".md", "text/markdown"},
		{".mjs", "text/javascript"},
		{".mp4", "video/mp4"},
		{".pdf", "application/pdf"},
		{".png", "image/png"},
		{".svg", "image/svg+xml"},
		{".ttf", "font/ttf"},
		{".txt", "text/plain"},
		{".wasm", "application/wasm"},
		{".webmanifest", "application/manifest+json"},
		{".webp", "image/webp"},
		{".woff", "font/woff"},
		{".woff2", "font/woff2"},
		{".xml", "application/xml"},
		{".yaml", "application/yaml"},
		{".zip", "application/zip"},
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_ends(path, str_of(types[i][0])))
			return types[i][1];
	return "application/octet-stream";
}
