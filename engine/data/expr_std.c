#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/expr_eval.h"
#include "data/expr_lib.h"
#include "data/expr_type.h"

bool
func_size(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	const struct value *v = args[0];
	(void)n;
	if (v->kind == V_STRING && !frame_charge(f, v->str.n))
		return false;
	size_t size = v->kind == V_STRING ? str_runes(v->str)
		: v->kind == V_BYTES      ? v->str.n
		: v->kind == V_LIST       ? v->list.n
					  : v->map->n;
	*out = value_int((int64_t)size);
	return true;
}

/* ---- texts of scalars */

/* The shortest digits that give the same double; an exponent from 1e21 on and below 1e-4,
 * as in JavaScript and Go. */
void
func_double_text(double d, char *out, size_t size)
{
	char digits[40];
	if (isnan(d) || isinf(d)) {
		snprintf(out, size, "%s",
			isnan(d)        ? "NaN"
				: d > 0 ? "Infinity"
					: "-Infinity");
		return;
	}
	for (int precision = 0; precision < 17; precision++) {
		snprintf(digits, sizeof digits, "%.*e", precision, d);
		if (strtod(digits, NULL) == d)
			break;
	}
	int exponent = atoi(strchr(digits, 'e') + 1);
	if (d != 0 && (exponent < -4 || exponent >= 21)) {
		snprintf(out, size, "%s", digits);
		return;
	}
	int decimals =
		(int)(strchr(digits, 'e') - digits) - (digits[0] == '-') - 2 - exponent;
	if (strchr(digits, '.') == NULL)
		decimals = -exponent;
	snprintf(out, size, "%.*f", decimals > 0 ? decimals : 0, d);
}

void
func_time_text(struct span time, char *out, size_t size)
{
	int64_t days = time.s / 86400, rest = time.s % 86400, year;
	unsigned month, day;
	char fraction[12] = "";
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	civil_from_days(days, &year, &month, &day);
	if (time.ns != 0) {
		int n = snprintf(fraction, sizeof fraction, ".%09d", (int)time.ns);
		while (fraction[n - 1] == '0')
			fraction[--n] = '\0';
	}
	snprintf(out, size, "%04lld-%02u-%02uT%02d:%02d:%02d%sZ", (long long)year, month,
		day, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60),
		fraction);
}

/* Seconds with as many decimals as there are: "3730s", "0.5s". */
void
func_duration_text(struct span length, char *out, size_t size)
{
	bool negative = length.s < 0;
	uint64_t s = negative ? (uint64_t)0 - (uint64_t)length.s : (uint64_t)length.s;
	uint32_t ns = (uint32_t)length.ns;
	if (negative && ns > 0) {
		s--;
		ns = (uint32_t)(NS_S - ns);
	}
	char fraction[12] = "";
	if (ns != 0) {
		int n = snprintf(fraction, sizeof fraction, ".%09u", ns);
		while (fraction[n - 1] == '0')
			fraction[--n] = '\0';
	}
	snprintf(out, size, "%s%llu%ss", negative ? "-" : "", (unsigned long long)s,
		fraction);
}

bool
func_scalar_text(struct arena *mem, const struct value *v, struct str *out)
{
	char text[64];
	switch ((enum value_kind)v->kind) {
	case V_STRING:
		*out = v->str;
		return true;
	case V_BOOL:
		*out = v->b ? STR("true") : STR("false");
		return true;
	case V_INT:
		snprintf(text, sizeof text, "%lld", (long long)v->i);
		break;
	case V_UINT:
		snprintf(text, sizeof text, "%llu", (unsigned long long)v->u);
		break;
	case V_DOUBLE:
		func_double_text(v->d, text, sizeof text);
		break;
	case V_TIMESTAMP:
		func_time_text(v->span, text, sizeof text);
		break;
	case V_DURATION:
		func_duration_text(v->span, text, sizeof text);
		break;
	default:
		return false;
	}
	*out = str_copy(mem, str_of(text));
	return true;
}

struct value
func_text_of(const struct buf *buf)
{
	return value_str(buf->n == 0 ? STR("") : buf_str(buf));
}

/* ---- conversions */

bool
func_dyn(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = *args[0];
	return true;
}

bool
func_secret(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	func_dyn(f, args, n, out);
	out->flags |= VALUE_SECRET;
	return true;
}

bool
func_type(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	const char *name = args[0]->kind == V_TIMESTAMP ? "google.protobuf.Timestamp"
		: args[0]->kind == V_DURATION           ? "google.protobuf.Duration"
							: type_kind_name(args[0]->kind);
	*out = (struct value){.kind = V_TYPE, .str = str_of(name)};
	return true;
}

static bool
bad_text(struct expr_frame *f, const struct value *v, const char *what)
{
	char text[SHORT_SIZE];
	return err_set(f->err, ERR_VALUE, "%s is no %s", eval_short(v, text), what);
}

static bool
out_of_range(struct expr_frame *f, const struct value *v, const char *what)
{
	char text[SHORT_SIZE];
	return err_set(f->err, ERR_RANGE, "%s is out of the range of %s",
		eval_short(v, text), what);
}

bool
func_bool(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	static const char *const words[] = {
		"0",
		"f",
		"F",
		"FALSE",
		"false",
		"False",
		"1",
		"t",
		"T",
		"TRUE",
		"true",
		"True",
	};
	(void)n;
	*out = *args[0];
	if (args[0]->kind == V_BOOL)
		return true;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_is(args[0]->str, words[i])) {
			*out = value_bool(i >= 6);
			return true;
		}
	return bad_text(f, args[0], "bool: want 'true' or 'false'");
}

bool
func_bytes(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = value_bytes(args[0]->str);
	return true;
}

static bool
parse_double(struct str text, double *d)
{
	char copy[128], *end;
	static const struct { const char *word; double d;
	} words[] = {
		{"NaN", NAN},
		{"Infinity", INFINITY},
		{"+Infinity", INFINITY},
		{"-Infinity", -INFINITY},
		{"Inf", INFINITY},
		{"+Inf", INFINITY},
		{"-Inf", -INFINITY},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_is(text, words[i].word)) {
			*d = words[i].d;
			return true;
		}
	if (text.n == 0 || text.n >= sizeof copy)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (strchr("0123456789.eE+-", text.p[i]) == NULL || text.p[i] == '\0')
			return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*d = strtod(copy, &end);
	return *end == '\0' && isfinite(*d);
}

bool
func_double(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	const struct value *v = args[0];
	double d = v->kind == V_INT ? (double)v->i
		: v->kind == V_UINT ? (double)v->u
				    : v->d;
	(void)n;
	if (v->kind == V_STRING && !parse_double(v->str, &d))
		return bad_text(f, v, "number");
	*out = value_double(d);
	return true;
}

bool
func_int(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	const struct value *v = args[0];
	int64_t i = v->i;
	(void)n;
	if (v->kind == V_UINT && v->u > INT64_MAX)
		return out_of_range(f, v, "int");
	if (v->kind == V_DOUBLE) {
		if (!(v->d > -0x1p63 && v->d < 0x1p63))
			return out_of_range(f, v, "int");
		i = (int64_t)v->d;
	} else if (v->kind == V_TIMESTAMP) {
		i = v->span.s;
	} else if (v->kind == V_STRING) {
		struct str text =
			v->str.n > 1 && v->str.p[0] == '+' ? str_from(v->str, 1) : v->str;
		if (!str_int(text, &i))
			return bad_text(f, v, "integer");
	}
	*out = value_int(i);
	return true;
}

bool
func_uint(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	const struct value *v = args[0];
	uint64_t u = v->u;
	(void)n;
	if (v->kind == V_INT && v->i < 0)
		return out_of_range(f, v, "uint");
	if (v->kind == V_DOUBLE) {
		if (!(v->d >= 0 && v->d < 0x1p64))
			return out_of_range(f, v, "uint");
		u = (uint64_t)v->d;
	} else if (v->kind == V_STRING && !str_uint(v->str, &u)) {
		return bad_text(f, v, "unsigned integer");
	}
	*out = value_uint(u);
	return true;
}

bool
func_string(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str text;
	(void)n;
	if (args[0]->kind == V_BYTES) {
		if (!frame_charge(f, args[0]->str.n) || !str_is_utf8(args[0]->str))
			return err_set(f->err, ERR_VALUE, "the bytes are not UTF-8");
		text = args[0]->str;
	} else if (!func_scalar_text(f->mem, args[0], &text)) {
		return err_set(f->err, ERR_TYPE, "%s has no text",
			type_kind_name(args[0]->kind));
	}
	*out = value_str(text);
	return true;
}
