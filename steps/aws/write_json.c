/* Bodies of the JSON protocols, as a tree (Smithy, "AWS JSON 1.0", "1.1", "AWS
 * restJson1"). */
#include "../steps/aws/protocol_part.h"

static struct value
structure_value(struct wire *w, const struct shape *shape, const struct value *v,
	bool body_only)
{
	struct map_builder map = {.mem = w->mem};
	size_t n;
	const struct member *members = members_of(v, &n);
	for (size_t i = 0; i < n; i++) {
		const struct shape_ref *ref =
			shape_find(shape, key_text(w->mem, &members[i].key));
		const struct value *there = value_there(&members[i].value);
		if (ref == NULL || there == NULL || ref->traits & TRAIT_CLIENT
			|| (body_only && ref->place != IN_BODY))
			continue;
		map_put(&map, wire_name(ref, wire_shape(w, ref), ref->name),
			write_json(w, ref, there, false));
	}
	return map_done(&map);
}

/* A null in a list or a map is data. */
static struct value
item_value(struct wire *w, const struct shape_ref *ref, const struct value *v)
{
	const struct value *there = value_there(v);
	return there == NULL ? value_null() : write_json(w, ref, there, false);
}

static struct value
list_value(struct wire *w, const struct shape *shape, const struct value *v)
{
	struct list_builder list = {.mem = w->mem};
	for (size_t i = 0; i < v->list.n; i++)
		list_push(&list, item_value(w, &shape->item, &v->list.items[i]));
	return list_done(&list);
}

static struct value
map_value(struct wire *w, const struct shape *shape, const struct value *v)
{
	size_t n;
	const struct member *members = members_of(v, &n);
	struct member *out = arena_array(w->mem, struct member, n + 1);
	for (size_t i = 0; i < n; i++)
		out[i] = (struct member){
			value_str(key_text(w->mem, &members[i].key)),
			item_value(w, &shape->value, &members[i].value)};
	return value_map(w->mem, out, n);
}

/* Times are numbers unless the model says a form that is text. */
static struct value
scalar_value(struct wire *w, const struct shape_ref *ref, const struct shape *shape,
	const struct value *v)
{
	struct str text = scalar_write(w, ref, shape, v, TIME_UNIX);
	enum time_form form = ref_time(ref, shape);
	struct err ignored;
	struct value number;
	bool is_text = shape->kind == SHAPE_TEXT || shape->kind == SHAPE_BLOB
		|| (shape->kind == SHAPE_TIME
			&& (form == TIME_ISO8601 || form == TIME_RFC822));
	/* NaN and the infinities stand as text too. */
	if (is_text || !json_parse(w->mem, text, NULL, &number, &ignored))
		return value_str(text);
	return number;
}

struct value
write_json(struct wire *w, const struct shape_ref *ref, const struct value *v,
	bool body_only)
{
	const struct shape *shape = wire_shape(w, ref);
	struct str why;
	if (ref_traits(ref, shape) & TRAIT_DOCUMENT) {
		if (value_has_unknown(v, &why))
			wire_wrong(w, shape->name, "data", v);
		return *v;
	}
	if (shape->kind == SHAPE_STRUCTURE && v->kind == V_MAP)
		return structure_value(w, shape, v, body_only);
	if (shape->kind == SHAPE_LIST && v->kind == V_LIST)
		return list_value(w, shape, v);
	if (shape->kind == SHAPE_MAP && v->kind == V_MAP)
		return map_value(w, shape, v);
	return scalar_value(w, ref, shape, v);
}
