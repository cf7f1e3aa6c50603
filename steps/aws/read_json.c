#include "../steps/aws/protocol_part.h"

static bool
is_not(struct wire *w, const struct shape *shape, const struct value *v)
{
	return err_set(w->err, ERR_PROTOCOL, "the answer has %s in the place of %s",
		kind_name(v->kind), shape->name);
}

bool
read_json_members(struct wire *w, const struct shape *shape, const struct value *v,
	bool body_only, struct map_builder *map)
{
	for (size_t i = 0; i < shape->n_members; i++) {
		const struct shape_ref *ref = &shape->members[i];
		const char *name = wire_name(ref, wire_shape(w, ref), ref->name);
		const struct value *said = body_only && ref->place != IN_BODY
			? NULL
			: map_at(v->map, str_of(name));
		struct value member;
		if (said == NULL || said->kind == V_NULL)
			continue;
		if (!read_json(w, ref, said, &member))
			return err_wrap(w->err, "%s", ref->name);
		if (member.kind != V_NULL)
			map_put(map, ref->name, member);
	}
	return true;
}

static bool
read_list(struct wire *w, const struct shape *shape, const struct value *v,
	struct value *out)
{
	struct list_builder list = {.mem = w->mem};
	for (size_t i = 0; i < v->list.n; i++) {
		struct value item;
		if (!read_json(w, &shape->item, &v->list.items[i], &item))
			return false;
		list_push(&list, item);
	}
	*out = list_done(&list);
	return true;
}

static bool
read_map(struct wire *w, const struct shape *shape, const struct value *v,
	struct value *out)
{
	struct member *members = arena_array(w->mem, struct member, v->map->n + 1);
	size_t n = 0;
	for (size_t i = 0; i < v->map->n; i++) {
		const struct member *said = &v->map->members[i];
		if (said->value.kind == V_NULL)
			continue;
		members[n].key = value_str(said->key.str);
		if (!read_json(w, &shape->value, &said->value, &members[n].value))
			return err_wrap(w->err, "%.*s", STR_FMT(said->key.str));
		n++;
	}
	*out = value_map(w->mem, members, n);
	return true;
}

/* A number stands in the place of a number or of a time, text for all the rest. */
static bool
read_scalar(struct wire *w, const struct shape *shape, const struct value *v,
	struct value *out)
{
	struct span time;
	bool is_number = v->kind == V_INT || v->kind == V_UINT || v->kind == V_DOUBLE;
	if (shape->kind == SHAPE_BOOL && v->kind == V_BOOL)
		*out = value_bool(v->b);
	else if (shape->kind == SHAPE_FLOAT && v->kind == V_INT)
		*out = value_double((double)v->i);
	else if ((shape->kind == SHAPE_INT || shape->kind == SHAPE_FLOAT) && is_number)
		*out = *v;
	else if (shape->kind == SHAPE_TIME && is_number && scalar_time(v, &time))
		*out = value_timestamp(time);
	else if (v->kind == V_STRING)
		return scalar_read(w, shape, v->str, out);
	else if (shape->kind == SHAPE_TEXT)
		*out = value_str(str_of(json_text(w->mem, v, JSON_COMPACT)));
	else
		return is_not(w, shape, v);
	return true;
}

bool
read_json(struct wire *w, const struct shape_ref *ref, const struct value *v,
	struct value *out)
{
	const struct shape *shape = wire_shape(w, ref);
	struct map_builder map = {.mem = w->mem};
	bool good = true, secret = w->secret;
	*out = *v;
	w->secret |= (ref_traits(ref, shape) & TRAIT_SENSITIVE) != 0;
	if (v->kind == V_NULL || ref_traits(ref, shape) & TRAIT_DOCUMENT)
		;
	else if (shape->kind == SHAPE_STRUCTURE && v->kind == V_MAP) {
		good = read_json_members(w, shape, v, false, &map);
		*out = map_done(&map);
	} else if (shape->kind == SHAPE_LIST && v->kind == V_LIST)
		good = read_list(w, shape, v, out);
	else if (shape->kind == SHAPE_MAP && v->kind == V_MAP)
		good = read_map(w, shape, v, out);
	else if (shape->kind <= SHAPE_MAP)
		good = is_not(w, shape, v);
	else
		good = read_scalar(w, shape, v, out);
	if (w->secret)
		out->flags |= VALUE_SECRET;
	w->secret = secret;
	return good;
}
