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

static bool
is_written(const struct shape_ref *ref, const struct value *v, bool body_only)
{
	return ref != NULL && v->kind != V_NULL && !(ref->traits & TRAIT_CLIENT)
		&& !(body_only && ref->place != IN_BODY);
}

static void
write_attributes(struct wire *w, struct buf *out, const struct shape *shape,
	const struct value *v)
{
	for (size_t i = 0; i < v->map->n; i++) {
		const struct member *m = &v->map->members[i];
		const struct shape_ref *ref = shape_find(shape, m->key.str);
		if (!is_written(ref, &m->value, false)
			|| !(ref->traits & TRAIT_ATTRIBUTE))
			continue;
		const struct shape *inner = service_shape(w->service, ref->shape);
		buf_printf(out, " %s=\"", wire_name(ref, inner, ref->name));
		xml_escape(out,
			scalar_write(w->mem, ref, inner, &m->value, TIME_ISO8601));
		buf_putc(out, '"');
	}
}

static void
write_structure(struct wire *w, struct buf *out, const struct shape_ref *ref,
	const struct shape *shape, const char *name, const struct value *v,
	bool body_only)
{
	open_tag(out, name, ref, shape);
	write_attributes(w, out, shape, v);
	buf_putc(out, '>');
	for (size_t i = 0; i < v->map->n; i++) {
		const struct member *m = &v->map->members[i];
		const struct shape_ref *inner = shape_find(shape, m->key.str);
		if (!is_written(inner, &m->value, body_only)
			|| inner->traits & TRAIT_ATTRIBUTE)
			continue;
		write_xml(w, out, inner,
			wire_name(inner, service_shape(w->service, inner->shape),
				inner->name),
			&m->value, false);
	}
	buf_printf(out, "</%s>", name);
}

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
	for (size_t i = 0; i < v->list.n; i++)
		write_xml(w, out, &shape->item, item, &v->list.items[i], false);
	if (!flat)
		buf_printf(out, "</%s>", name);
}

static void
write_map(struct wire *w, struct buf *out, const struct shape_ref *ref,
	const struct shape *shape, const char *name, const struct value *v)
{
	bool flat = ref_traits(ref, shape) & TRAIT_FLATTENED;
	const char *entry = flat ? name : "entry";
	if (!flat) {
		open_tag(out, name, ref, shape);
		buf_putc(out, '>');
	}
	for (size_t i = 0; i < v->map->n; i++) {
		const struct member *m = &v->map->members[i];
		buf_printf(out, "<%s>", entry);
		write_xml(w, out, &shape->key,
			shape->key.wire == NULL ? "key" : shape->key.wire, &m->key,
			false);
		write_xml(w, out, &shape->value,
			shape->value.wire == NULL ? "value" : shape->value.wire,
			&m->value, false);
		buf_printf(out, "</%s>", entry);
	}
	if (!flat)
		buf_printf(out, "</%s>", name);
}

void
write_xml(struct wire *w, struct buf *out, const struct shape_ref *ref, const char *name,
	const struct value *v, bool body_only)
{
	const struct shape *shape = service_shape(w->service, ref->shape);
	if (shape == NULL || v->kind == V_NULL)
		return;
	if (shape->kind == SHAPE_STRUCTURE && v->kind == V_MAP)
		write_structure(w, out, ref, shape, name, v, body_only);
	else if (shape->kind == SHAPE_LIST && v->kind == V_LIST)
		write_list(w, out, ref, shape, name, v);
	else if (shape->kind == SHAPE_MAP && v->kind == V_MAP)
		write_map(w, out, ref, shape, name, v);
	else {
		open_tag(out, name, ref, shape);
		buf_putc(out, '>');
		xml_escape(out, scalar_write(w->mem, ref, shape, v, TIME_ISO8601));
		buf_printf(out, "</%s>", name);
	}
}
