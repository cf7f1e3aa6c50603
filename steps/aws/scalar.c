#include "../steps/aws/dates.h"
#include "../steps/aws/protocol_part.h"

#include <math.h>
#include <stdlib.h>

const char *
wire_name(const struct shape_ref *ref, const struct shape *shape, const char *otherwise)
{
	if (ref->wire != NULL)
		return ref->wire;
	if (shape == NULL || shape->kind == SHAPE_STRUCTURE)
		return otherwise;
	if (shape->wire != NULL)
		return shape->wire;
	return shape->traits & TRAIT_FLATTENED && shape->item.wire != NULL
		? shape->item.wire
		: otherwise;
}

/* ---- times */

static bool
double_of(struct str text, double *out)
{
	char copy[64], *end;
	if (text.n == 0 || text.n >= sizeof copy)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*out = strtod(copy, &end);
	return *end == '\0';
}

static struct span
span_of(double seconds)
{
	double whole = floor(seconds);
	double ns = round((seconds - whole) * 1e6) * 1e3;
	if (ns >= 1e9)
		return (struct span){(int64_t)whole + 1, 0};
	return (struct span){(int64_t)whole, (int32_t)ns};
}

/* A fraction may stand in a date of HTTP as AWS answers it: "08:49:37.123 GMT". */
static bool
http_time(struct arena *mem, struct str text, struct span *out)
{
	size_t dot = str_find(text, STR("."));
	struct str rest = str_from(text, dot), zone;
	const char *plain = str_cstr(mem, text);
	double fraction = 0;
	if (dot < text.n) {
		struct str digits = str_cut(rest, ' ', &zone);
		plain = arena_printf(mem, "%.*s %.*s", (int)dot, text.p, STR_FMT(zone));
		if (!double_of(digits, &fraction))
			return false;
	}
	int64_t us = date_of_http(plain);
	*out = span_of((double)(us / 1000000) + fraction);
	return us != 0;
}

static bool
time_of_text(struct arena *mem, struct str text, struct span *out)
{
	struct err ignored;
	double seconds;
	if (double_of(text, &seconds) && isfinite(seconds) && fabs(seconds) < 1e12) {
		*out = span_of(seconds);
		return true;
	}
	return time_parse(text, out, &ignored) || http_time(mem, text, out);
}

bool
scalar_time(const struct value *v, struct span *out)
{
	struct err ignored;
	switch (v->kind) {
	case V_TIMESTAMP: *out = v->span; return true;
	case V_INT: *out = (struct span){v->i, 0}; return true;
	case V_UINT: *out = (struct span){(int64_t)v->u, 0}; return true;
	case V_DOUBLE:
		*out = span_of(v->d);
		return isfinite(v->d) && fabs(v->d) < 1e12;
	case V_STRING: return time_parse(v->str, out, &ignored);
	default: return false;
	}
}

const char *
scalar_http_date(struct arena *mem, struct span time)
{
	static const char days[] = "ThuFriSatSunMonTueWed",
			  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t day = time.s / 86400 - (time.s % 86400 < 0), year;
	int64_t rest = time.s - day * 86400;
	unsigned month, of_month;
	civil_from_days(day, &year, &month, &of_month);
	return arena_printf(mem, "%.3s, %02u %.3s %04lld %02d:%02d:%02d GMT",
		days + ((day % 7 + 7) % 7) * 3, of_month, months + (month - 1) * 3,
		(long long)year, (int)(rest / 3600), (int)(rest / 60 % 60),
		(int)(rest % 60));
}

static struct str
time_write(struct arena *mem, const struct value *v, enum time_form form)
{
	struct span time;
	if (!scalar_time(v, &time))
		return v->kind == V_STRING ? v->str : STR("");
	if (form == TIME_RFC822)
		return str_of(scalar_http_date(mem, time));
	if (form != TIME_UNIX)
		return str_of(time_text(mem, time));
	return str_of(time.ns == 0 ? arena_printf(mem, "%lld", (long long)time.s)
				   : arena_printf(mem, "%lld.%03d", (long long)time.s,
					     time.ns / 1000000));
}

/* ---- the rest */

const char *
scalar_special(const struct value *v)
{
	if (v->kind != V_DOUBLE || isfinite(v->d))
		return NULL;
	return isnan(v->d) ? "NaN" : v->d > 0 ? "Infinity" : "-Infinity";
}

struct str
scalar_bytes(struct arena *mem, const struct value *v)
{
	if (v->kind == V_STRING || v->kind == V_BYTES)
		return v->str;
	return str_of(json_text(mem, v, JSON_COMPACT));
}

struct str
scalar_write(struct arena *mem, const struct shape_ref *ref, const struct shape *shape,
	const struct value *v, enum time_form form)
{
	enum time_form said = ref_time(ref, shape);
	if (shape->kind == SHAPE_TIME)
		return time_write(mem, v, said != TIME_BY_PROTOCOL ? said : form);
	if (shape->kind == SHAPE_BLOB) {
		struct str bytes = scalar_bytes(mem, v);
		return str_of(base64_text(mem, bytes.p, bytes.n));
	}
	if (v->kind == V_STRING || v->kind == V_BYTES)
		return v->str;
	if (scalar_special(v) != NULL)
		return str_of(scalar_special(v));
	if (v->kind == V_TIMESTAMP)
		return str_of(time_text(mem, v->span));
	/* As it was written: the version 15.10 is not 15.1. */
	if (shape->kind == SHAPE_TEXT && v->kind >= V_BOOL && v->kind <= V_DOUBLE
		&& v->raw != NULL)
		return str_of(v->raw);
	return str_of(json_text(mem, v, JSON_COMPACT));
}

static bool
read_number(const struct shape *shape, struct str text, struct value *out)
{
	int64_t i;
	double d;
	if (shape->kind == SHAPE_INT && str_int(text, &i)) {
		*out = value_int(i);
		return true;
	}
	if (!double_of(text, &d))
		return false;
	*out = value_double(d);
	return true;
}

static bool
read_blob(struct arena *mem, struct str text, struct value *out)
{
	struct str bytes;
	if (!base64_parse(mem, text, &bytes))
		return false;
	*out = value_bytes(bytes);
	return true;
}

bool
scalar_read(struct arena *mem, const struct shape *shape, struct str text,
	struct value *out, struct err *err)
{
	struct str bare = str_trim(text);
	struct span time;
	bool good = true;
	switch (shape->kind) {
	case SHAPE_INT: case SHAPE_FLOAT: good = read_number(shape, bare, out); break;
	case SHAPE_BOOL:
		*out = value_bool(str_is(bare, "true"));
		good = out->b || str_is(bare, "false");
		break;
	case SHAPE_TIME:
		good = time_of_text(mem, bare, &time);
		*out = good ? value_timestamp(time) : value_null();
		break;
	case SHAPE_BLOB: good = read_blob(mem, bare, out); break;
	default: *out = value_str(text); break;
	}
	return good
		|| err_set(err, ERR_PROTOCOL, "'%.*s' is no %s",
			(int)(bare.n < 60 ? bare.n : 60), bare.p, shape->name);
}
