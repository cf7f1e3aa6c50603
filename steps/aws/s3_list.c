#include "../steps/aws/s3_list.h"

#include <stdlib.h>

static void
end_arena(void *with)
{
	arena_free(with);
}

void
s3_list_begin(struct s3_list *list, struct arena *mem, struct s3_place place,
	bool versions, unsigned slot)
{
	*list = (struct s3_list){.place = place, .versions = versions, .slot = slot};
	list->mem = arena_new();
	arena_defer(mem, end_arena, list->mem);
}

static void
add_pair(struct buf *query, const char *name, struct str value)
{
	if (value.n == 0)
		return;
	buf_printf(query, "&%s=", name);
	uri_encode(query, value, false);
}

enum verdict
s3_list_next(struct step *step, struct s3_list *list, struct now now)
{
	arena_reset(list->mem);
	list->items = NULL;
	list->n = 0;
	struct s3_place root = list->place;
	struct buf query = buf_in(list->mem);
	root.key = (struct str){NULL, 0};
	buf_puts(&query, list->versions ? "encoding-type=url&versions="
					: "encoding-type=url&list-type=2");
	add_pair(&query, list->versions ? "key-marker" : "continuation-token",
		list->token);
	add_pair(&query, "version-id-marker", list->version_token);
	add_pair(&query, "prefix", list->place.key);
	if (list->page > 0)
		buf_printf(&query, "&max-keys=%u", list->page);
	struct aws_call call = s3_call(list->mem, &root, "GET");
	call.query = buf_str(&query);
	struct how how = {.slot = list->slot, .reads = true, .tries = 5, .mem = list->mem,
		.title = "list"};
	return aws_send(step, how, now, &call);
}

static int
hex_of(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

/* S3 writes a blank as '+'. A store that knows no encoding says none and gives the key as
 * it is. */
static struct str
decoded(struct arena *mem, struct str text, bool is_encoded)
{
	if (!is_encoded)
		return text;
	char *out = arena_alloc(mem, text.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		int high = -1, low = -1;
		if (text.p[i] == '%' && i + 2 < text.n) {
			high = hex_of(text.p[i + 1]);
			low = hex_of(text.p[i + 2]);
		}
		out[n++] = text.p[i] == '+' ? ' ' : text.p[i];
		if (high < 0 || low < 0)
			continue;
		out[n - 1] = (char)(high << 4 | low);
		i += 2;
	}
	return (struct str){out, n};
}

static struct str
unquoted(struct str text)
{
	bool quoted = text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"';
	return quoted ? (struct str){text.p + 1, text.n - 2} : text;
}

static bool
item_of(struct s3_list *list, const struct xml *node, bool is_encoded,
	struct s3_item *out, struct err *err)
{
	struct span modified = {0};
	struct str text = xml_text(node, "LastModified");
	*out = (struct s3_item){
		.key = decoded(list->mem, xml_text(node, "Key"), is_encoded),
		.etag = unquoted(xml_text(node, "ETag")),
		.version = xml_text(node, "VersionId"),
		.is_marker = str_is(node->name, "DeleteMarker"),
		.is_latest = str_is(xml_text(node, "IsLatest"), "true"),
	};
	str_uint(xml_text(node, "Size"), &out->size);
	if (text.n > 0 && !time_parse(text, &modified, err))
		return false;
	out->modified = span_us(modified);
	return true;
}

static bool
is_item(const struct s3_list *list, const struct xml *node)
{
	return list->versions
		? str_is(node->name, "Version") || str_is(node->name, "DeleteMarker")
		: str_is(node->name, "Contents");
}

/* Some stores tell all markers of a page behind all objects. */
static int
by_age(const void *with, const void *other)
{
	const struct s3_item *a = with, *b = other;
	int keys = str_cmp(a->key, b->key);
	if (keys != 0)
		return keys;
	if (a->is_latest != b->is_latest)
		return a->is_latest ? -1 : 1;
	if (a->modified != b->modified)
		return a->modified > b->modified ? -1 : 1;
	if (a->is_marker != b->is_marker)
		return a->is_marker ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

static bool
read_items(struct s3_list *list, const struct xml *page, struct err *err)
{
	bool is_encoded = str_is(xml_text(page, "EncodingType"), "url");
	size_t n = 0;
	for (const struct xml *node = page->first; node != NULL; node = node->next)
		n += is_item(list, node);
	struct s3_item *items = arena_array(list->mem, struct s3_item, n + 1);
	for (const struct xml *node = page->first; node != NULL; node = node->next) {
		if (!is_item(list, node))
			continue;
		if (!item_of(list, node, is_encoded, &items[list->n], err))
			return false;
		items[list->n].place = (unsigned)list->n;
		list->n++;
	}
	if (list->versions && n > 0)
		qsort(items, n, sizeof *items, by_age);
	list->items = items;
	list->told += n;
	return true;
}

/* Where the next page begins. A store that names the same place twice would never end. */
static bool
read_token(struct step *step, struct s3_list *list, const struct xml *page)
{
	bool is_encoded = str_is(xml_text(page, "EncodingType"), "url");
	struct str token = list->versions
		? decoded(list->mem, xml_text(page, "NextKeyMarker"), is_encoded)
		: xml_text(page, "NextContinuationToken");
	struct str version = list->versions ? xml_text(page, "NextVersionIdMarker")
					    : (struct str){NULL, 0};
	list->more = str_is(xml_text(page, "IsTruncated"), "true") && token.n > 0;
	if (!list->more)
		return true;
	if (str_eq(token, list->token) && str_eq(version, list->version_token))
		return err_set(step->err, ERR_PROTOCOL,
			"the list of s3://%s/%.*s has no end", list->place.bucket,
			STR_FMT(list->place.key));
	list->token = str_copy(step->mem, token);
	list->version_token = str_copy(step->mem, version);
	return true;
}

bool
s3_list_read(struct step *step, struct s3_list *list, const struct event *event,
	enum verdict *verdict)
{
	struct aws_error error;
	*verdict = STEP_FAIL;
	if (!aws_answered(step, event->op, true, &error)) {
		*verdict = s3_moved(step, event->op, &list->place)
			? s3_list_next(step, list, event->now)
			: aws_fail(step, event->op, &error);
		/* Nothing was changed by a list that is refused. */
		*verdict = *verdict == STEP_DOUBT ? STEP_FAIL : *verdict;
		return false;
	}
	const struct http_answer *answer = event->op->answer;
	const struct xml *page = xml_parse(list->mem, answer->body, step->err);
	if (page == NULL || !read_items(list, page, step->err)
		|| !read_token(step, list, page))
		return false;
	if (list->told <= S3_MOST_OBJECTS)
		return true;
	*verdict = step_fail(step, ERR_LIMIT, false,
		"more than %d objects lie below s3://%s/%.*s", S3_MOST_OBJECTS,
		list->place.bucket, STR_FMT(list->place.key));
	return false;
}

struct s3_item
s3_item_copy(struct arena *mem, const struct s3_item *item)
{
	struct s3_item copy = *item;
	copy.key = str_copy(mem, item->key);
	copy.etag = str_copy(mem, item->etag);
	copy.version = str_copy(mem, item->version);
	return copy;
}
