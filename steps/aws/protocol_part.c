#include "../steps/aws/protocol_part.h"

#include <stdio.h>

void
wire_refuse(struct wire *w, enum err_code code, const char *format, ...)
{
	va_list args;
	char text[sizeof w->err->msg];
	if (w->failed)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	err_set(w->err, code, "%s", text);
	w->failed = true;
}

void
wire_wrong(struct wire *w, const char *what, const char *want, const struct value *got)
{
	wire_refuse(w, ERR_VALUE, "'%s': want %s, not %s", what, want,
		kind_name((enum value_kind)got->kind));
}

const struct shape *
wire_shape(const struct wire *w, const struct shape_ref *ref)
{
	static const struct shape text = {.name = "text", .kind = SHAPE_TEXT};
	const struct shape *shape = service_shape(w->service, ref->shape);
	return shape == NULL ? &text : shape;
}

const struct value *
value_there(const struct value *v)
{
	while (v != NULL && v->kind == V_OPTIONAL)
		v = v->opt;
	return v == NULL || v->kind == V_NULL ? NULL : v;
}

const struct member *
members_of(const struct value *map, size_t *n)
{
	bool there = map->kind == V_MAP && map->map->members != NULL;
	*n = there ? map->map->n : 0;
	return there ? map->map->members : NULL;
}

struct str
key_text(struct arena *mem, const struct value *key)
{
	return key->kind == V_STRING ? key->str
				     : str_of(json_text(mem, key, JSON_COMPACT));
}
