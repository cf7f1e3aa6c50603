#include "../steps/aws/protocol_part.h"

#include <strings.h>

static const char *
header_of(const struct http_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strcasecmp(answer->headers[i].name, name) == 0)
			return answer->headers[i].value;
	return NULL;
}

/* The next item of a list in a header: quoted, or up to a comma; a date of HTTP holds a
 * comma itself. */
static struct str
next_item(struct arena *mem, struct str *rest, bool is_date)
{
	struct buf out = buf_in(mem);
	struct str text = str_trim(*rest);
	size_t i = 0;
	if (text.n > 0 && text.p[0] == '"') {
		for (i = 1; i < text.n && text.p[i] != '"'; i++) {
			i += text.p[i] == '\\' && i + 1 < text.n;
			buf_putc(&out, text.p[i]);
		}
		str_cut(str_from(text, i < text.n ? i + 1 : i), ',', rest);
		return buf_str(&out);
	}
	size_t commas = is_date && str_find(text, STR(" GMT")) < text.n ? 2 : 1;
	for (i = 0; i < text.n; i++)
		if (text.p[i] == ',' && --commas == 0)
			break;
	*rest = i < text.n ? str_from(text, i + 1) : (struct str){NULL, 0};
	return str_trim((struct str){text.p, i});
}

static bool
read_list(struct wire *w, const struct shape *shape, struct str text, struct value *out)
{
	const struct shape *item = wire_shape(w, &shape->item);
	struct list_builder list = {.mem = w->mem};
	while (text.n > 0) {
		struct value v;
		struct str one = next_item(w->mem, &text, item->kind == SHAPE_TIME);
		if (!scalar_read(w, item, one, &v))
			return false;
		list_push(&list, v);
	}
	*out = list_done(&list);
	return true;
}

static bool
read_header(struct wire *w, const struct shape_ref *ref, const char *text,
	struct value *out)
{
	const struct shape *shape = wire_shape(w, ref);
	struct str json;
	if (shape->kind == SHAPE_LIST)
		return read_list(w, shape, str_of(text), out);
	if (ref_traits(ref, shape) & TRAIT_JSON_TEXT) {
		if (!base64_parse(w->mem, str_of(text), &json) || !str_is_utf8(json))
			return err_set(w->err, ERR_PROTOCOL, "no base64 of JSON");
		*out = value_str(json);
		return true;
	}
	if (scalar_read(w, shape, str_of(text), out))
		return true;
	/* What stands there anybody may have set: Expires of an object in S3. */
	*out = value_null();
	return shape->kind == SHAPE_TIME;
}

static struct value
text_value(const char *text)
{
	struct str s = str_of(text);
	return str_is_utf8(s) ? value_str(s) : value_bytes(s);
}

static struct value
read_prefixed(struct wire *w, const struct shape_ref *ref,
	const struct http_answer *answer)
{
	struct map_builder map = {.mem = w->mem};
	const char *prefix = ref->wire == NULL ? "" : ref->wire;
	size_t n = strlen(prefix);
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strncasecmp(answer->headers[i].name, prefix, n) == 0
			&& str_is_utf8(str_of(answer->headers[i].name)))
			map_put(&map, answer->headers[i].name + n,
				text_value(answer->headers[i].value));
	return map_done(&map);
}

bool
read_rest(struct wire *w, const struct shape *shape, const struct http_answer *answer,
	struct map_builder *map)
{
	for (size_t i = 0; i < shape->n_members; i++) {
		const struct shape_ref *ref = &shape->members[i];
		const char *text = ref->place != IN_HEADER
			? NULL
			: header_of(answer, ref->wire == NULL ? ref->name : ref->wire);
		struct value v;
		if (ref->place == IN_STATUS)
			map_put(map, ref->name, value_int(answer->status));
		else if (ref->place == IN_HEADERS) {
			v = read_prefixed(w, ref, answer);
			if (v.map->n > 0)
				map_put(map, ref->name, v);
		} else if (text != NULL) {
			if (!read_header(w, ref, text, &v))
				return err_wrap(w->err, "%s", ref->name);
			if (ref_traits(ref, wire_shape(w, ref)) & TRAIT_SENSITIVE)
				v.flags |= VALUE_SECRET;
			if (v.kind != V_NULL)
				map_put(map, ref->name, v);
		}
	}
	return true;
}
