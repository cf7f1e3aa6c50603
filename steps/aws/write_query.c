/* The query protocol and that of EC2: pairs of a form, whose names are paths (Smithy,
 * "AWS query protocol", "AWS EC2 query protocol"). */
#include "../steps/aws/protocol_part.h"
#include "../steps/aws/sigv4.h"

#include <ctype.h>

struct form { struct wire *w; struct buf out; bool is_ec2; };

static void write(struct form *form, const struct shape_ref *ref, const struct value *v,
	const char *path);

static void
pair(struct form *form, const char *name, struct str value)
{
	if (form->out.n > 0)
		buf_putc(&form->out, '&');
	uri_encode(&form->out, str_of(name), false);
	buf_putc(&form->out, '=');
	uri_encode(&form->out, value, false);
}

/* EC2 has names of its own; of the others it takes, its are capitals. */
static const char *
name_of(struct form *form, const struct shape_ref *ref, const struct shape *shape,
	const char *otherwise)
{
	const char *name = wire_name(ref, shape, otherwise);
	if (!form->is_ec2)
		return name;
	if (ref->query_name != NULL)
		return ref->query_name;
	char *copy = arena_strdup(form->w->mem, name);
	copy[0] = (char)toupper((unsigned char)copy[0]);
	return copy;
}

static const char *
below(struct form *form, const char *path, const char *name)
{
	return path[0] == '\0' ? name : arena_printf(form->w->mem, "%s.%s", path, name);
}

static void
write_structure(struct form *form, const struct shape *shape, const struct value *v,
	const char *path)
{
	size_t n;
	const struct member *members = members_of(v, &n);
	for (size_t i = 0; i < n; i++) {
		const struct shape_ref *ref =
			shape_find(shape, key_text(form->w->mem, &members[i].key));
		const struct value *there = value_there(&members[i].value);
		if (ref == NULL || there == NULL || ref->traits & TRAIT_CLIENT)
			continue;
		write(form, ref, there,
			below(form, path,
				name_of(form, ref, wire_shape(form->w, ref), ref->name)));
	}
}

/* The items of a flattened list stand in the place of the list. */
static const char *
list_path(struct form *form, const struct shape_ref *ref, const struct shape *shape,
	const char *path)
{
	if (form->is_ec2 || ref_traits(ref, shape) & TRAIT_FLATTENED)
		return path;
	return below(
		form, path, shape->item.wire == NULL ? "member" : shape->item.wire);
}

static void
write_list(struct form *form, const struct shape_ref *ref, const struct shape *shape,
	const struct value *v, const char *path)
{
	const char *of_items = list_path(form, ref, shape, path);
	if (v->list.n == 0 && !form->is_ec2)
		pair(form, path, STR(""));
	for (size_t i = 0, n = 0; i < v->list.n; i++) {
		const struct value *item = value_there(&v->list.items[i]);
		if (item != NULL)
			write(form, &shape->item, item,
				arena_printf(form->w->mem, "%s.%zu", of_items, ++n));
	}
}

static void
write_map(struct form *form, const struct shape_ref *ref, const struct shape *shape,
	const struct value *v, const char *path)
{
	const char *entries = ref_traits(ref, shape) & TRAIT_FLATTENED
		? path
		: below(form, path, "entry");
	size_t n, nth = 0;
	const struct member *members = members_of(v, &n);
	for (size_t i = 0; i < n; i++) {
		const struct value *there = value_there(&members[i].value);
		if (there == NULL)
			continue;
		const char *entry = arena_printf(form->w->mem, "%s.%zu", entries, ++nth);
		write(form, &shape->key, &members[i].key,
			below(form, entry,
				shape->key.wire == NULL ? "key" : shape->key.wire));
		write(form, &shape->value, there,
			below(form, entry,
				shape->value.wire == NULL ? "value" : shape->value.wire));
	}
}

static void
write(struct form *form, const struct shape_ref *ref, const struct value *v,
	const char *path)
{
	const struct shape *shape = wire_shape(form->w, ref);
	if (shape->kind == SHAPE_STRUCTURE && v->kind == V_MAP)
		write_structure(form, shape, v, path);
	else if (shape->kind == SHAPE_LIST && v->kind == V_LIST)
		write_list(form, ref, shape, v, path);
	else if (shape->kind == SHAPE_MAP && v->kind == V_MAP)
		write_map(form, ref, shape, v, path);
	else
		pair(form, path, scalar_write(form->w, ref, shape, v, TIME_ISO8601));
}

struct str
write_query(struct wire *w, const struct value *params)
{
	struct form form = {.w = w,
		.out = buf_in(w->mem),
		.is_ec2 = w->service->protocol == PROTOCOL_EC2};
	pair(&form, "Action", str_of(w->operation->name));
	pair(&form, "Version", str_of(w->service->version));
	if (w->operation->input.shape != NULL)
		write(&form, &w->operation->input, params, "");
	return buf_str(&form.out);
}
