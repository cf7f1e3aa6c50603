/* What the REST protocols say outside of the body: path, query, headers (Smithy, "HTTP
 * bindings"), and the labels in front of the host that any protocol may have. */
#include "../steps/aws/protocol_part.h"
#include "../steps/aws/sigv4.h"

#include <ctype.h>
#include <strings.h>

enum { MOST_LABEL = 63 };

struct outside {
	struct wire *w;
	const struct shape *shape;
	const struct value *params;
	struct buf query;
	struct header *headers;
	size_t n_headers, cap;
	const char *content_type;
};

static const struct value *
param(const struct outside *o, const struct shape_ref *ref)
{
	return value_there(map_at(o->params->map, str_of(ref->name)));
}

static const char *
own_name(const struct shape_ref *ref)
{
	return ref->wire == NULL ? ref->name : ref->wire;
}

/* ---- path */

static const struct shape_ref *
label_of(const struct outside *o, struct str name)
{
	for (size_t i = 0; o->shape != NULL && i < o->shape->n_members; i++)
		if (o->shape->members[i].place == IN_URI
			&& str_is(name, own_name(&o->shape->members[i])))
			return &o->shape->members[i];
	return NULL;
}

static bool
write_label(struct outside *o, struct str label, struct buf *path)
{
	bool greedy = str_ends(label, STR("+"));
	struct str name = {label.p, label.n - greedy};
	const struct shape_ref *ref = label_of(o, name);
	const struct value *v = ref == NULL ? NULL : param(o, ref);
	struct str text = v == NULL ? (struct str){NULL, 0}
				    : scalar_write(o->w, ref, wire_shape(o->w, ref),
					      v, TIME_ISO8601);
	if (text.n == 0)
		return err_set(o->w->err, ERR_VALUE,
			"'%.*s' stands in the path and must not be empty", STR_FMT(name));
	uri_encode(path, text, greedy);
	return true;
}

static bool
write_path(struct outside *o, struct str template, struct buf *path)
{
	while (template.n > 0) {
		struct str rest, label, text = str_cut(template, '{', &rest);
		buf_add(path, text);
		if (rest.p == NULL)
			return true;
		label = str_cut(rest, '}', &template);
		if (!write_label(o, label, path))
			return false;
	}
	return true;
}

/* ---- query */

static void
query_pair(struct outside *o, struct str name, struct str value)
{
	if (o->query.n > 0)
		buf_putc(&o->query, '&');
	uri_encode(&o->query, name, false);
	buf_putc(&o->query, '=');
	uri_encode(&o->query, value, false);
}

static struct str
query_text(struct outside *o, const struct shape_ref *ref, const struct value *v)
{
	return scalar_write(o->w, ref, wire_shape(o->w, ref), v, TIME_ISO8601);
}

static void
query_values(struct outside *o, struct str name, const struct shape_ref *ref,
	const struct value *v)
{
	const struct shape *shape = wire_shape(o->w, ref);
	if (shape->kind != SHAPE_LIST || v->kind != V_LIST) {
		query_pair(o, name, query_text(o, ref, v));
		return;
	}
	for (size_t i = 0; i < v->list.n; i++) {
		const struct value *there = value_there(&v->list.items[i]);
		if (there != NULL)
			query_pair(o, name, query_text(o, &shape->item, there));
	}
}

/* A name that a member of its own has is not said twice by a map of others. */
static bool
is_named(const struct outside *o, struct str name)
{
	for (size_t i = 0; i < o->shape->n_members; i++) {
		const struct shape_ref *ref = &o->shape->members[i];
		if (ref->place == IN_QUERY && str_is(name, own_name(ref))
			&& param(o, ref) != NULL && param(o, ref)->kind != V_MAP)
			return true;
	}
	return false;
}

static void
query_member(struct outside *o, const struct shape_ref *ref, const struct value *v)
{
	const struct shape *shape = wire_shape(o->w, ref);
	if (shape->kind != SHAPE_MAP || v->kind != V_MAP) {
		query_values(o, str_of(own_name(ref)), ref, v);
		return;
	}
	size_t n;
	const struct member *members = members_of(v, &n);
	for (size_t i = 0; i < n; i++) {
		struct str name = key_text(o->w->mem, &members[i].key);
		const struct value *there = value_there(&members[i].value);
		if (there != NULL && !is_named(o, name))
			query_values(o, name, &shape->value, there);
	}
}

/* ---- headers */

/* A line break in a value would make a header of its own. */
static bool
header_add(struct outside *o, const char *name, struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == '\r' || value.p[i] == '\n' || value.p[i] == '\0')
			return err_set(o->w->err, ERR_VALUE,
				"the header %s cannot hold a line break", name);
	if (strcasecmp(name, "Content-Type") == 0) {
		o->content_type = str_cstr(o->w->mem, value);
		return true;
	}
	if (o->n_headers == o->cap) {
		size_t cap = o->cap == 0 ? 8 : 2 * o->cap;
		struct header *more = arena_array(o->w->mem, struct header, cap);
		if (o->n_headers > 0)
			memcpy(more, o->headers, o->n_headers * sizeof *more);
		o->headers = more;
		o->cap = cap;
	}
	o->headers[o->n_headers++] =
		(struct header){name, str_cstr(o->w->mem, value)};
	return true;
}

static struct str
quoted(struct arena *mem, struct str text)
{
	struct buf out = buf_in(mem);
	if (str_find(text, STR(",")) == text.n && str_find(text, STR("\"")) == text.n)
		return text;
	buf_putc(&out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_putc(&out, '\\');
		buf_putc(&out, text.p[i]);
	}
	buf_putc(&out, '"');
	return buf_str(&out);
}

static struct str
header_text(struct outside *o, const struct shape_ref *ref, const struct value *v)
{
	const struct shape *shape = wire_shape(o->w, ref);
	struct arena *mem = o->w->mem;
	if (ref_traits(ref, shape) & TRAIT_JSON_TEXT) {
		struct str json = scalar_bytes(o->w, ref->name, v);
		return str_of(base64_text(mem, json.p, json.n));
	}
	if (shape->kind != SHAPE_LIST || v->kind != V_LIST)
		return scalar_write(o->w, ref, shape, v, TIME_RFC822);
	const struct shape *item = wire_shape(o->w, &shape->item);
	struct buf out = buf_in(mem);
	for (size_t i = 0; i < v->list.n; i++) {
		const struct value *there = value_there(&v->list.items[i]);
		if (there == NULL)
			continue;
		struct str text = header_text(o, &shape->item, there);
		if (out.n > 0)
			buf_puts(&out, ", ");
		buf_add(&out, item->kind == SHAPE_TEXT ? quoted(mem, text) : text);
	}
	return buf_str(&out);
}

/* RFC 9110, 5.6.2. */
static bool
is_token(const char *name)
{
	const char *p = name;
	while (isalnum((unsigned char)*p)
		|| (*p != '\0' && strchr("!#$%&'*+-.^_`|~", *p)))
		p++;
	return *p == '\0' && p != name;
}

static bool
header_member(struct outside *o, const struct shape_ref *ref, const struct value *v)
{
	if (ref->place == IN_HEADER) {
		return header_add(o, own_name(ref), header_text(o, ref, v));
	}
	size_t n;
	const struct member *members = members_of(v, &n);
	if (v->kind != V_MAP)
		wire_wrong(o->w, ref->name, "a map", v);
	for (size_t i = 0; i < n; i++) {
		const struct value *there = value_there(&members[i].value);
		struct str key = key_text(o->w->mem, &members[i].key);
		const char *name = arena_printf(o->w->mem, "%s%.*s",
			ref->wire == NULL ? "" : ref->wire, STR_FMT(key));
		if (there != NULL && !is_token(name))
			return err_set(o->w->err, ERR_VALUE,
				"'%s' cannot be the name of a header", name);
		if (there != NULL
			&& !header_add(o, name, scalar_bytes(o->w, name, there)))
			return false;
	}
	return true;
}

static bool
members(struct outside *o)
{
	for (size_t i = 0; o->shape != NULL && i < o->shape->n_members; i++) {
		const struct shape_ref *ref = &o->shape->members[i];
		const struct value *v = param(o, ref);
		if (v == NULL)
			continue;
		if (ref->place == IN_QUERY)
			query_member(o, ref, v);
		else if ((ref->place == IN_HEADER || ref->place == IN_HEADERS)
			 && !header_member(o, ref, v))
			return false;
	}
	return true;
}

bool
write_rest(struct wire *w, const struct value *params, struct protocol_request *out)
{
	struct outside o = {.w = w,
		.shape = service_shape(w->service, w->operation->input.shape),
		.params = params,
		.query = buf_in(w->mem)};
	struct buf path = buf_in(w->mem);
	struct str query, template = str_cut(str_of(w->operation->uri), '?', &query);
	if (!write_path(&o, template, &path))
		return false;
	/* "?uploads" says a name without a value: on the wire "uploads=", as it is
	 * signed. */
	while (query.n > 0) {
		struct str value,
			name = str_cut(str_cut(query, '&', &query), '=', &value);
		query_pair(&o, name, value);
	}
	if (!members(&o))
		return false;
	out->path = buf_str(&path);
	out->query = buf_str(&o.query);
	out->headers = o.headers;
	out->n_headers = o.n_headers;
	out->content_type = o.content_type;
	return true;
}

/* ---- the host */

static bool
is_label(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!isalnum((unsigned char)text.p[i]) && text.p[i] != '-'
			&& text.p[i] != '.')
			return false;
	return text.n > 0 && text.n <= MOST_LABEL;
}

bool
write_host(struct wire *w, const struct value *params, struct protocol_request *out)
{
	struct str template = str_of(w->operation->host_prefix);
	struct buf host = buf_in(w->mem);
	while (template.n > 0) {
		struct str rest, name, text = str_cut(template, '{', &rest);
		buf_add(&host, text);
		if (rest.p == NULL)
			break;
		name = str_cut(rest, '}', &template);
		const struct value *v =
			value_there(value_get(params, str_cstr(w->mem, name)));
		struct str value = v == NULL ? STR("") : scalar_bytes(w, "", v);
		if (!is_label(value))
			return err_set(w->err, ERR_VALUE,
				"'%.*s' becomes a part of the host name: letters, digits "
				"and hyphens",
				STR_FMT(name));
		buf_add(&host, value);
	}
	out->host_prefix = buf_cstr(&host);
	return true;
}
