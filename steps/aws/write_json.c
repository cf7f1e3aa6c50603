/* Bodies of the JSON protocols, as a tree (Smithy, "AWS JSON 1.0", "1.1", "AWS
 * restJson1"). */
#include "../steps/aws/protocol_part.h"

static struct value
time_value(struct wire *w, const struct shape_ref *ref, const struct shape *shape,
	const struct value *v)
{
	enum time_form form = ref_time(ref, shape);
	struct span time;
	if (form != TIME_BY_PROTOCOL && form != TIME_UNIX)
		return value_str(scalar_write(w->mem, ref, shape, v, form));
	if (!scalar_time(v, &time))
		return *v;
	return time.ns == 0 ? value_int(time.s)
			    : value_double((double)time.s + time.ns / 1e9);
}

static struct value
structure_value(struct wire *w, const struct shape *shape, const struct value *v,
	bool body_only)
{
	struct map_builder map = {.mem = w->mem};
	for (size_t i = 0; i < v->map->n; i++) {
		const struct member *m = &v->map->members[i];
		const struct shape_ref *ref = shape_find(shape, m->key.str);
		if (ref == NULL || m->value.kind == V_NULL || ref->traits & TRAIT_CLIENT
			|| (body_only && ref->place != IN_BODY))
			continue;
		const struct shape *inner = service_shape(w->service, ref->shape);
		map_put(&map, wire_name(ref, inner, ref->name),
			write_json(w, ref, &m->value, false));
	}
	return map_done(&map);
}

static struct value
collection_value(struct wire *w, const struct shape *shape, const struct value *v)
{
	struct list_builder list = {.mem = w->mem};
	struct map_builder map = {.mem = w->mem};
	if (v->kind == V_LIST) {
		for (size_t i = 0; i < v->list.n; i++)
			list_push(&list,
				write_json(w, &shape->item, &v->list.items[i], false));
		return list_done(&list);
	}
	for (size_t i = 0; i < v->map->n; i++)
		map_put_str(&map, v->map->members[i].key.str,
			write_json(w, &shape->value, &v->map->members[i].value, false));
	return map_done(&map);
}

struct value
write_json(struct wire *w, const struct shape_ref *ref, const struct value *v,
	bool body_only)
{
	const struct shape *shape = service_shape(w->service, ref->shape);
	if (shape == NULL || v->kind == V_NULL || shape->traits & TRAIT_DOCUMENT)
		return *v;
	switch (shape->kind) {
	case SHAPE_STRUCTURE:
		return v->kind == V_MAP ? structure_value(w, shape, v, body_only) : *v;
	case SHAPE_LIST: return v->kind == V_LIST ? collection_value(w, shape, v) : *v;
	case SHAPE_MAP: return v->kind == V_MAP ? collection_value(w, shape, v) : *v;
	case SHAPE_TIME: return time_value(w, ref, shape, v);
	case SHAPE_TEXT: case SHAPE_BLOB:
		return value_str(scalar_write(w->mem, ref, shape, v, TIME_ISO8601));
	default:
		return scalar_special(v) == NULL ? *v
						 : value_str(str_of(scalar_special(v)));
	}
}
