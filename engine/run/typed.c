#include "run/scope.h"

/* CEL's text of a duration, "-1.5s": what the records hold. */
static bool
duration_of(struct str text, struct value *out)
{
	bool minus = text.n > 0 && text.p[0] == '-';
	struct str rest = str_from(text, minus ? 1 : 0), fraction;
	if (rest.n < 2 || rest.p[rest.n - 1] != 's')
		return false;
	rest.n--;
	struct str whole = str_cut(rest, '.', &fraction);
	uint64_t s, ns = 0;
	if (!str_uint(whole, &s) || s > INT64_MAX / 2 || fraction.n > 9)
		return false;
	if (fraction.n > 0 && !str_uint(fraction, &ns))
		return false;
	for (size_t i = fraction.n; i < 9; i++)
		ns *= 10;
	*out = (struct value){.kind = V_DURATION, .span = {(int64_t)s, (int32_t)ns}};
	if (minus && ns > 0)
		out->span = (struct span){-(int64_t)s - 1, (int32_t)(NS_S - (int64_t)ns)};
	else if (minus)
		out->span.s = -(int64_t)s;
	return true;
}

struct value
typed_value(struct arena *mem, const struct value *v, const struct expr_type *type)
{
	struct value out = *v;
	struct err err;
	struct span time;
	struct str bytes;
	if (type == NULL || type->dyn)
		return out;
	if (type->kind == V_TIMESTAMP && v->kind == V_STRING
		&& time_parse(v->str, &time, &err))
		out = value_timestamp(time);
	else if (type->kind == V_DURATION && v->kind == V_STRING)
		duration_of(v->str, &out);
	else if (type->kind == V_BYTES && v->kind == V_STRING
		&& base64_parse(mem, v->str, &bytes))
		out = value_bytes(bytes);
	else if (type->kind == V_DOUBLE && v->kind == V_INT)
		out = value_double((double)v->i);
	else if (type->kind == V_UINT && v->kind == V_INT && v->i >= 0)
		out = value_uint((uint64_t)v->i);
	out.flags |= v->flags & VALUE_SECRET;
	return out;
}

struct value
typed_input(struct arena *mem, const struct value *v, const char *type)
{
	static const struct {
		const char *name;
		const struct expr_type *type;
	} types[] = {
		{"duration", &expr_duration},
		{"timestamp", &expr_timestamp},
		{"number", &expr_double},
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i].name, type) == 0)
			return typed_value(mem, v, types[i].type);
	return *v;
}
