/* Bodies of rest-xml (Smithy, "AWS restXml"). */
#include "../steps/aws/protocol_part.h"

static void
open_tag(struct buf *out, const char *name, const struct shape_ref *ref,
	const struct shape *shape)
{
	const char *ns = ref->ns != NULL ? ref->ns : shape->ns;
	const char *prefix = ref->ns != NULL ? ref->ns_prefix : shape->ns_prefix;
	buf_printf(out, "<%s", name);
	if (ns == NULL)
		return;
	buf_printf(out, " xmlns%s%s=\"", prefix != NULL ? ":" : "",
		prefix != NULL ? prefix : "");
	xml_escape(out, str_of(ns));
	buf_putc(out, '"');
}

/* XML 1.0, 2.2: most control characters have no form at all in it. */
static void
add_text(struct wire *w, struct buf *out, const char *what, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 && text.p[i] != '\t'
			&& text.p[i] != '\n' && text.p[i] != '\r')
			wire_refuse(w, ERR_VALUE,
				"'%s': a control character cannot stand in XML", what);
	xml_escape(out, text);
}

static bool
is_written(const struct shape_ref *ref, const struct value *there, bool body_only)
{
	return ref != NULL && there != NULL && !(ref->traits & TRAIT_CLIENT)
		&& !(body_only && ref->place != IN_BODY);
}

static void
write_attributes(struct wire *w, struct buf *out, const struct shape *shape,
	const struct value *v)
{
	size_t n;
	const struct member *members = members_of(v, &n);
	for (size_t i = 0; i < n; i++) {
		const struct shape_ref *ref =
			shape_find(shape, key_text(w->mem, &members[i].key));
		const struct value *there = value_there(&members[i].value);
		if (!is_written(ref, there, false) || !(ref->traits & TRAIT_ATTRIBUTE))
			continue;
		const struct shape *inner = wire_shape(w, ref);
		buf_printf(out, " %s=\"", wire_name(ref, inner, ref->name));
		add_text(w, out, ref->name,
			scalar_write(w, ref, inner, there, TIME_ISO8601));
		buf_putc(out, '"');
	}
}

static void
write_structure(struct wire *w, struct buf *out, const struct shape_ref *ref,
	const struct shape *shape, const char *name, const struct value *v,
	bool body_only)
{
	size_t n;
	const struct member *members = members_of(v, &n);
	open_tag(out, name, ref, shape);
	write_attributes(w, out, shape, v);
	buf_putc(out, '>');
	for (size_t i = 0; i < n; i++) {
		const struct shape_ref *inner =
			shape_find(shape, key_text(w->mem, &members[i].key));
		const struct value *there = value_there(&members[i].value);
		if (!is_written(inner, there, body_only)
			|| inner->traits & TRAIT_ATTRIBUTE)
			continue;
		write_xml(w, out, inner,
			wire_name(inner, wire_shape(w, inner), inner->name), there,
			false);
	}
	buf_printf(out, "</%s>", name);
}

/* A flattened list has no element of its own: its items bear its name. */
static void
write_list(struct wire *w, struct buf *out, const struct shape_ref *ref,
	const struct shape *shape, const char *name, const struct value *v)
{
	bool flat = ref_traits(ref, shape) & TRAIT_FLATTENED;
	const char *item = flat			  ? name
		: shape->item.wire != NULL ? shape->item.wire
					   : "member";
	if (!flat) {
		open_tag(out, name, ref, shape);
		buf_putc(out, '>');
	}
	for (size_t i = 0; i < v->list.n; i++) {
		const struct value *there = value_there(&v->list.items[i]);
		if (there != NULL)
			write_xml(w, out, &shape->item, item, there, false);
	}
	if (!flat)
		buf_printf(out, "</%s>", name);
}

static void
write_entry(struct wire *w, struct buf *out, const struct shape *shape,
	const struct value *key, const struct value *v)
{
	write_xml(w, out, &shape->key, shape->key.wire == NULL ? "key" : shape->key.wire,
		key, false);
	write_xml(w, out, &shape->value,
		shape->value.wire == NULL ? "value" : shape->value.wire, v, false);
}

static void
write_map(struct wire *w, struct buf *out, const struct shape_ref *ref,
	const struct shape *shape, const char *name, const struct value *v)
{
	bool flat = ref_traits(ref, shape) & TRAIT_FLATTENED;
	size_t n;
	const struct member *members = members_of(v, &n);
	if (!flat) {
		open_tag(out, name, ref, shape);
		buf_putc(out, '>');
	}
	for (size_t i = 0; i < n; i++) {
		const struct value *there = value_there(&members[i].value);
		if (there == NULL)
			continue;
		if (flat)
			open_tag(out, name, ref, shape);
		buf_puts(out, flat ? ">" : "<entry>");
		write_entry(w, out, shape, &members[i].key, there);
		buf_printf(out, "</%s>", flat ? name : "entry");
	}
	if (!flat)
		buf_printf(out, "</%s>", name);
}

void
write_xml(struct wire *w, struct buf *out, const struct shape_ref *ref, const char *name,
	const struct value *v, bool body_only)
{
	const struct shape *shape = wire_shape(w, ref);
	if (shape->kind == SHAPE_STRUCTURE && v->kind == V_MAP)
		write_structure(w, out, ref, shape, name, v, body_only);
	else if (shape->kind == SHAPE_LIST && v->kind == V_LIST)
		write_list(w, out, ref, shape, name, v);
	else if (shape->kind == SHAPE_MAP && v->kind == V_MAP)
		write_map(w, out, ref, shape, name, v);
	else {
		open_tag(out, name, ref, shape);
		buf_putc(out, '>');
		add_text(w, out, ref->name != NULL ? ref->name : name,
			scalar_write(w, ref, shape, v, TIME_ISO8601));
		buf_printf(out, "</%s>", name);
	}
}
