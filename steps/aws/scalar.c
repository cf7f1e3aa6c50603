/* Values that are no structure, list or map, as text and back. */
#include "../steps/aws/dates.h"
#include "../steps/aws/protocol_part.h"

#include <math.h>
#include <stdlib.h>

/* Years 1 to 9999. */
#define FIRST_SECOND INT64_C(-62135596800)
#define LAST_SECOND  INT64_C(253402300799)

const char *
wire_name(const struct shape_ref *ref, const struct shape *shape, const char *otherwise)
{
	if (ref->wire != NULL)
		return ref->wire;
	if (shape->kind == SHAPE_STRUCTURE)
		return otherwise;
	if (shape->wire != NULL)
		return shape->wire;
	return shape->traits & TRAIT_FLATTENED && shape->item.wire != NULL
		? shape->item.wire
		: otherwise;
}

static const char *
name_of(const struct shape_ref *ref, const struct shape *shape)
{
	return ref->name != NULL ? ref->name : shape->name;
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

static bool
span_of(double seconds, struct span *out)
{
	if (!(seconds >= (double)FIRST_SECOND && seconds <= (double)LAST_SECOND))
		return false;
	double whole = floor(seconds);
	int64_t us = llround((seconds - whole) * 1e6);
	*out = (struct span){
		(int64_t)whole + us / 1000000, (int32_t)(us % 1000000 * 1000)};
	return true;
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
	return span_of((double)(us / 1000000) + fraction, out)
		&& (us != 0 || strcmp(plain, "Thu, 01 Jan 1970 00:00:00 GMT") == 0);
}

/* In whichever form: services do not keep to the one that their model says. */
static bool
time_of_text(struct arena *mem, struct str text, struct span *out)
{
	struct err ignored;
	double seconds;
	if (double_of(text, &seconds))
		return span_of(seconds, out);
	return time_parse(text, out, &ignored) || http_time(mem, text, out)
		|| time_parse(str_of(arena_printf(mem, "%.*sZ", STR_FMT(text))), out,
			&ignored);
}

bool
scalar_time(const struct value *v, struct span *out)
{
	struct err ignored;
	switch (v->kind) {
	case V_TIMESTAMP: *out = v->span; return true;
	case V_INT:
		*out = (struct span){v->i, 0};
		return v->i >= FIRST_SECOND && v->i <= LAST_SECOND;
	case V_UINT:
		*out = (struct span){(int64_t)v->u, 0};
		return v->u <= (uint64_t)LAST_SECOND;
	case V_DOUBLE: return span_of(v->d, out);
	case V_STRING: return time_parse(v->str, out, &ignored);
	default: return false;
	}
}

static char *
http_date(struct arena *mem, struct span time)
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

static char *
unix_text(struct arena *mem, struct span time)
{
	int64_t ms = time.s * 1000 + time.ns / NS_MS;
	const char *sign = ms < 0 ? "-" : "";
	ms = ms < 0 ? -ms : ms;
	if (ms % 1000 == 0)
		return arena_printf(mem, "%s%lld", sign, (long long)(ms / 1000));
	return arena_printf(
		mem, "%s%lld.%03d", sign, (long long)(ms / 1000), (int)(ms % 1000));
}

static struct str
time_write(struct wire *w, const char *what, const struct value *v, enum time_form form)
{
	struct span time;
	if (!scalar_time(v, &time)) {
		wire_wrong(w, what, "a time", v);
		return STR("");
	}
	time.ns -= time.ns % (int32_t)NS_MS; /* Smithy: milliseconds at most */
	return str_of(form == TIME_RFC822     ? http_date(w->mem, time)
			: form == TIME_UNIX ? unix_text(w->mem, time)
					    : time_text(w->mem, time));
}

/* ---- text and numbers */

/* NULL: the number is finite. */
static const char *
special_of(const struct value *v)
{
	if (v->kind != V_DOUBLE || isfinite(v->d))
		return NULL;
	return isnan(v->d) ? "NaN" : v->d > 0 ? "Infinity" : "-Infinity";
}

static bool
is_number(const struct value *v)
{
	return v->kind == V_INT || v->kind == V_UINT || v->kind == V_DOUBLE;
}

static struct str
json_str(struct arena *mem, const struct value *v)
{
	return str_of(special_of(v) != NULL ? special_of(v)
					    : json_text(mem, v, JSON_COMPACT));
}

struct str
scalar_bytes(struct wire *w, const char *what, const struct value *v)
{
	struct str why;
	if (v->kind == V_STRING || v->kind == V_BYTES)
		return v->str;
	/* As it was written: the version 15.10 is not 15.1. */
	if (is_number(v) && v->raw != NULL)
		return str_of(v->raw);
	if (v->kind == V_TIMESTAMP)
		return str_of(time_text(w->mem, v->span));
	if (value_has_unknown(v, &why) || v->kind == V_DURATION || v->kind == V_TYPE)
		wire_wrong(w, what, "text", v);
	return json_str(w->mem, v);
}

static struct str
text_write(struct wire *w, const char *what, const struct value *v)
{
	struct str text = scalar_bytes(w, what, v);
	if (v->kind == V_LIST || v->kind == V_MAP)
		wire_wrong(w, what, "text", v);
	else if (!str_is_utf8(text))
		wire_refuse(w, ERR_VALUE, "'%s': want text, not other bytes", what);
	return text;
}

static bool
is_special(struct str text)
{
	return str_is(text, "NaN") || str_is(text, "Infinity")
		|| str_is(text, "-Infinity");
}

static struct str
number_write(struct wire *w, const struct shape *shape, const char *what,
	const struct value *v)
{
	bool whole = shape->kind == SHAPE_INT;
	struct value number = *v;
	if (!whole && v->kind == V_STRING && is_special(v->str))
		return v->str;
	if (whole && v->kind == V_DOUBLE && v->d == floor(v->d) && fabs(v->d) < 0x1p63)
		number = value_int((int64_t)v->d);
	if (!is_number(&number) || (whole && number.kind == V_DOUBLE))
		wire_wrong(w, what, whole ? "an integer" : "a number", v);
	return json_str(w->mem, &number);
}

struct str
scalar_write(struct wire *w, const struct shape_ref *ref, const struct shape *shape,
	const struct value *v, enum time_form form)
{
	const char *what = name_of(ref, shape);
	enum time_form said = ref_time(ref, shape);
	struct str bytes;
	switch (shape->kind) {
	case SHAPE_TEXT: return text_write(w, what, v);
	case SHAPE_INT: case SHAPE_FLOAT: return number_write(w, shape, what, v);
	case SHAPE_TIME:
		return time_write(w, what, v, said != TIME_BY_PROTOCOL ? said : form);
	case SHAPE_BLOB:
		bytes = scalar_bytes(w, what, v);
		return str_of(base64_text(w->mem, bytes.p, bytes.n));
	case SHAPE_BOOL:
		if (v->kind != V_BOOL)
			wire_wrong(w, what, "true or false", v);
		return v->kind == V_BOOL && v->b ? STR("true") : STR("false");
	default:
		wire_wrong(w, what, shape->kind == SHAPE_LIST ? "a list" : "a map", v);
		return STR("");
	}
}

/* ---- back */

static bool
read_number(const struct shape *shape, struct str text, struct value *out)
{
	int64_t i;
	uint64_t u;
	double d;
	if (shape->kind == SHAPE_INT && str_int(text, &i)) {
		*out = value_int(i);
		return true;
	}
	if (shape->kind == SHAPE_INT && str_uint(text, &u)) {
		*out = value_uint(u);
		return true;
	}
	if (!double_of(text, &d))
		return false;
	*out = value_double(d);
	return true;
}

static bool
read_bool(struct str text, struct value *out)
{
	*out = value_bool(
		str_is(text, "true") || str_is(text, "True") || str_is(text, "1"));
	return out->b || str_is(text, "false") || str_is(text, "False")
		|| str_is(text, "0");
}

/* Some services break it into lines. */
static bool
read_blob(struct arena *mem, struct str text, struct value *out)
{
	struct str bytes;
	struct buf joined = buf_in(mem);
	for (size_t i = 0; i < text.n; i++)
		if (strchr(" \t\r\n", text.p[i]) == NULL || text.p[i] == '\0')
			buf_putc(&joined, text.p[i]);
	if (!base64_parse(mem, buf_str(&joined), &bytes))
		return false;
	*out = value_bytes(bytes);
	return true;
}

bool
scalar_read(struct wire *w, const struct shape *shape, struct str text, struct value *out)
{
	struct str bare = str_trim(text);
	struct span time;
	bool good = true;
	*out = value_null();
	if (shape->kind == SHAPE_TEXT)
		*out = str_is_utf8(text) ? value_str(text) : value_bytes(text);
	else if (shape->kind == SHAPE_BLOB)
		good = read_blob(w->mem, bare, out);
	else if (bare.n == 0)
		return true;
	else if (shape->kind == SHAPE_BOOL)
		good = read_bool(bare, out);
	else if (shape->kind == SHAPE_TIME) {
		good = time_of_text(w->mem, bare, &time);
		*out = good ? value_timestamp(time) : value_null();
	} else
		good = read_number(shape, bare, out);
	if (w->secret)
		out->flags |= VALUE_SECRET;
	if (w->secret)
		bare = STR("***");
	return good
		|| err_set(w->err, ERR_PROTOCOL, "'%.*s' is no %s",
			(int)(bare.n < 60 ? bare.n : 60), bare.p, shape->name);
}
