#include "../steps/aws/protocol_part.h"

/* The part after a namespace prefix, which the tree does not keep. */
static const char *
local(const char *name)
{
	const char *colon = strchr(name, ':');
	return colon == NULL ? name : colon + 1;
}

static bool
read_attribute(struct wire *w, const struct shape_ref *ref, const struct xml *node,
	struct map_builder *map)
{
	const struct shape *shape = wire_shape(w, ref);
	const char *name = local(wire_name(ref, shape, ref->name));
	for (size_t i = 0; i < node->n_attributes; i++) {
		struct value v;
		if (strcmp(local(str_cstr(w->mem, node->attributes[i].name)), name) != 0)
			continue;
		if (!scalar_read(w, shape, node->attributes[i].value, &v))
			return false;
		map_put(map, ref->name, v);
	}
	return true;
}

bool
read_xml_members(struct wire *w, const struct shape *shape, const struct xml *node,
	bool body_only, struct map_builder *map)
{
	for (size_t i = 0; i < shape->n_members; i++) {
		const struct shape_ref *ref = &shape->members[i];
		const struct shape *inner = wire_shape(w, ref);
		if (body_only && ref->place != IN_BODY)
			continue;
		if (ref->traits & TRAIT_ATTRIBUTE) {
			if (!read_attribute(w, ref, node, map))
				return false;
			continue;
		}
		const struct xml *said =
			xml_child(node, local(wire_name(ref, inner, ref->name)));
		struct value v;
		if (said == NULL)
			continue;
		if (!read_xml(w, ref, said, &v))
			return err_wrap(w->err, "%s", ref->name);
		if (v.kind != V_NULL)
			map_put(map, ref->name, v);
	}
	return true;
}

static bool
read_list(struct wire *w, const struct shape_ref *ref, const struct shape *shape,
	const struct xml *node, struct value *out)
{
	bool flat = ref_traits(ref, shape) & TRAIT_FLATTENED;
	struct list_builder list = {.mem = w->mem};
	for (const struct xml *it = flat ? node : node->first; it != NULL;
		it = flat ? xml_again(it) : it->next) {
		struct value item;
		if (!read_xml(w, &shape->item, it, &item))
			return false;
		list_push(&list, item);
	}
	*out = list_done(&list);
	return true;
}

static bool
read_entry(struct wire *w, const struct shape *shape, const struct xml *entry,
	struct map_builder *map)
{
	const char *key_name = shape->key.wire == NULL ? "key" : shape->key.wire;
	const char *value_name = shape->value.wire == NULL ? "value" : shape->value.wire;
	const struct xml *key = xml_child(entry, local(key_name)),
			 *value = xml_child(entry, local(value_name));
	struct value v;
	if (key == NULL || value == NULL)
		return err_set(w->err, ERR_PROTOCOL, "an entry of %s has no %s",
			shape->name, key == NULL ? key_name : value_name);
	if (!read_xml(w, &shape->value, value, &v))
		return false;
	map_put_str(map, key->text, v);
	return true;
}

static bool
read_map(struct wire *w, const struct shape_ref *ref, const struct shape *shape,
	const struct xml *node, struct value *out)
{
	bool flat = ref_traits(ref, shape) & TRAIT_FLATTENED;
	struct map_builder map = {.mem = w->mem};
	for (const struct xml *it = flat ? node : node->first; it != NULL;
		it = flat ? xml_again(it) : it->next)
		if (!read_entry(w, shape, it, &map))
			return false;
	*out = map_done(&map);
	return true;
}

bool
read_xml(struct wire *w, const struct shape_ref *ref, const struct xml *node,
	struct value *out)
{
	const struct shape *shape = wire_shape(w, ref);
	struct map_builder map = {.mem = w->mem};
	bool good, secret = w->secret;
	*out = value_null();
	w->secret |= (ref_traits(ref, shape) & TRAIT_SENSITIVE) != 0;
	switch (shape->kind) {
	case SHAPE_STRUCTURE:
		good = read_xml_members(w, shape, node, false, &map);
		*out = map_done(&map);
		break;
	case SHAPE_LIST: good = read_list(w, ref, shape, node, out); break;
	case SHAPE_MAP: good = read_map(w, ref, shape, node, out); break;
	default: good = scalar_read(w, shape, node->text, out); break;
	}
	if (w->secret)
		out->flags |= VALUE_SECRET;
	w->secret = secret;
	return good;
}
