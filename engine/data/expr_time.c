#include "data/expr_eval.h"
#include "data/expr_lib.h"
#include "data/zone.h"

struct unit {
	const char *name;
	int64_t ns;
};

static const struct unit units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000},
	{"\xce\xbcs", 1000},
	{"ms", NS_MS},
	{"s", NS_S},
	{"m", NS_MIN},
	{"h", NS_H},
};

static int64_t
unit_of(struct str text, size_t *length)
{
	for (*length = 0; *length < text.n; ++*length)
		if ((text.p[*length] >= '0' && text.p[*length] <= '9')
			|| text.p[*length] == '.')
			break;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (str_is((struct str){text.p, *length}, units[i].name))
			return units[i].ns;
	return 0;
}

/* One number with its unit: 1.5h. Decimals beyond the ninth are cut off. */
static bool
take_part(struct str *text, uint64_t *ns)
{
	uint64_t whole = 0, fraction = 0, scale = NS_S;
	size_t digits = 0, length;
	bool point = false;
	for (; text->n > 0; *text = str_from(*text, 1)) {
		char c = text->p[0];
		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9')
			break;
		digits++;
		if (!point
			&& (__builtin_mul_overflow(whole, 10, &whole)
				|| __builtin_add_overflow(
					whole, (uint64_t)(c - '0'), &whole)))
			return false;
		if (point)
			fraction += (uint64_t)(c - '0') * (scale /= 10);
	}
	int64_t unit = unit_of(*text, &length);
	*text = str_from(*text, length);
	uint64_t part = unit >= NS_S ? fraction * (uint64_t)(unit / NS_S)
				     : fraction * (uint64_t)unit / NS_S;
	return digits > 0 && unit > 0
		&& !__builtin_mul_overflow(whole, (uint64_t)unit, ns)
		&& !__builtin_add_overflow(*ns, part, ns);
}

/* As Go's time.ParseDuration: an optional sign, then numbers with units. */
static bool
parse_duration(struct str text, int64_t *ns)
{
	uint64_t sum = 0, part;
	bool negative = text.n > 0 && text.p[0] == '-';
	if (text.n > 0 && (text.p[0] == '-' || text.p[0] == '+'))
		text = str_from(text, 1);
	*ns = 0;
	if (str_is(text, "0"))
		return true;
	if (text.n == 0)
		return false;
	while (text.n > 0)
		if (!take_part(&text, &part) || __builtin_add_overflow(sum, part, &sum))
			return false;
	if (sum > (uint64_t)INT64_MAX + negative)
		return false;
	*ns = negative ? (int64_t)(0 - sum) : (int64_t)sum;
	return true;
}

bool
func_duration(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	char text[SHORT_SIZE];
	int64_t ns;
	(void)n;
	*out = *args[0];
	if (args[0]->kind == V_DURATION)
		return true;
	if (!parse_duration(args[0]->str, &ns)) {
		err_set(f->err, ERR_VALUE, "%s is no duration",
			eval_short(args[0], text));
		return err_hint(f->err,
			"the units are h, m, s, ms, us, ns: '90s', '1h30m'; a day is "
			"'24h'");
	}
	*out = value_duration_ns(ns);
	return true;
}

bool
func_timestamp(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct span time = {args[0]->i, 0};
	(void)n;
	*out = *args[0];
	if (args[0]->kind == V_TIMESTAMP)
		return true;
	if (args[0]->kind == V_STRING && !time_parse(args[0]->str, &time, f->err))
		return false;
	if (time.s < -INT64_C(62135596800) || time.s > INT64_C(253402300799))
		return err_set(
			f->err, ERR_RANGE, "the time is outside of the years 1 to 9999");
	*out = value_timestamp(time);
	return true;
}

struct parts {
	int64_t year, of_day, days;
	unsigned month, day;
	int32_t ns;
};

/* The parts of a time in UTC or the zone that is the second argument. */
static bool
take_apart(struct expr_frame *f, const struct value *const *args, size_t n,
	struct parts *out)
{
	int64_t s = args[0]->span.s;
	const struct zone *zone = f->prepared;
	if (n > 1 && zone == NULL) {
		if (!frame_charge(f, 4000)
			|| !zone_load(f->mem, args[1]->str, &zone, f->err))
			return false;
	}
	if (zone != NULL)
		s += zone_offset(zone, s);
	out->days = s / 86400 - (s % 86400 < 0);
	out->of_day = s - out->days * 86400;
	out->ns = args[0]->span.ns;
	civil_from_days(out->days, &out->year, &out->month, &out->day);
	return true;
}

bool
func_prepare_zone(struct arena *mem, const struct value *const *args, size_t n,
	void **prepared, struct err *err)
{
	const struct zone *zone;
	if (n < 2 || args[1] == NULL)
		return true;
	if (!zone_load(mem, args[1]->str, &zone, err))
		return false;
	*prepared = (void *)zone;
	return true;
}

bool
func_full_year(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct parts parts;
	if (!take_apart(f, args, n, &parts))
		return false;
	*out = value_int(parts.year);
	return true;
}

bool
func_month(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct parts parts;
	if (!take_apart(f, args, n, &parts))
		return false;
	*out = value_int((int64_t)parts.month - 1);
	return true;
}

bool
func_date(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct parts parts;
	if (!take_apart(f, args, n, &parts))
		return false;
	*out = value_int(parts.day);
	return true;
}

bool
func_day_of_month(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct parts parts;
	if (!take_apart(f, args, n, &parts))
		return false;
	*out = value_int((int64_t)parts.day - 1);
	return true;
}

bool
func_day_of_week(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct parts parts;
	if (!take_apart(f, args, n, &parts))
		return false;
	*out = value_int(((parts.days + 4) % 7 + 7) % 7);
	return true;
}

bool
func_day_of_year(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct parts parts;
	if (!take_apart(f, args, n, &parts))
		return false;
	*out = value_int(parts.days - days_from_civil(parts.year, 1, 1));
	return true;
}

/* Of a time: a part of it. Of a duration: all of it in this unit; milliseconds are the
 * part (official cases). */
static bool
clock_part(struct expr_frame *f, const struct value *const *args, size_t n, int64_t unit,
	int64_t most, struct value *out)
{
	struct parts parts;
	if (args[0]->kind == V_DURATION) {
		*out = value_int(span_ns(args[0]->span) / NS_S / unit);
		return true;
	}
	if (!take_apart(f, args, n, &parts))
		return false;
	*out = value_int(parts.of_day / unit % most);
	return true;
}

bool
func_hours(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	return clock_part(f, args, n, 3600, 24, out);
}

bool
func_minutes(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	return clock_part(f, args, n, 60, 60, out);
}

bool
func_seconds(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	return clock_part(f, args, n, 1, 60, out);
}

bool
func_milliseconds(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct parts parts;
	if (args[0]->kind == V_DURATION) {
		*out = value_int(span_ns(args[0]->span) / NS_MS % 1000);
		return true;
	}
	if (!take_apart(f, args, n, &parts))
		return false;
	*out = value_int(parts.ns / NS_MS);
	return true;
}
