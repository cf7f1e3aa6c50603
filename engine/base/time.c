#include "base/time.h"

#include <stdio.h>
#include <time.h>

struct unit {
	const char *name;
	int64_t size;
};

static const struct unit duration_units[] = {
	{"w", 7 * NS_DAY},
	{"d", NS_DAY},
	{"h", NS_H},
	{"m", NS_MIN},
	{"s", NS_S},
	{"ms", NS_MS},
	{NULL, 0},
};

static const struct unit size_units[] = {
	{"B", 1},
	{"kB", 1000},
	{"MB", 1000000},
	{"GB", 1000000000},
	{"TB", 1000000000000},
	{"KiB", 1024},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", INT64_C(1) << 40},
	{NULL, 0},
};

static size_t
count_of(struct str text, bool (*is)(char))
{
	size_t n = 0;
	while (n < text.n && is(text.p[n]))
		n++;
	return n;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int
unit_of(const struct unit *units, struct str name)
{
	for (int i = 0; units[i].name != NULL; i++)
		if (str_is(name, units[i].name))
			return i;
	return -1;
}

static bool
bad_duration(struct err *err, struct str text, enum err_code code, const char *why)
{
	err_set(err, code, "bad duration '%.*s': %s", text.n > 40 ? 40 : STR_FMT(text),
		why);
	return err_hint(err, "write 90s, 5m, 1h30m or 92d");
}

bool
duration_parse(struct str text, int64_t *ns, struct err *err)
{
	struct str all = text;
	int last = -1;
	*ns = 0;
	if (text.n == 0)
		return bad_duration(err, all, ERR_VALUE, "it is empty");
	while (text.n > 0) {
		struct str number = {text.p, count_of(text, is_digit)};
		text = str_from(text, number.n);
		struct str name = {text.p, count_of(text, is_letter)};
		text = str_from(text, name.n);
		int64_t count, part;
		int unit = unit_of(duration_units, name);
		if (number.n == 0 || (name.n == 0 && text.n > 0))
			return bad_duration(
				err, all, ERR_VALUE, "want an integer and a unit");
		if (unit < 0)
			return bad_duration(
				err, all, ERR_VALUE, "the units are ms, s, m, h, d, w");
		if (unit <= last)
			return bad_duration(
				err, all, ERR_VALUE, "each unit once, the largest first");
		last = unit;
		if (!str_int(number, &count)
			|| __builtin_mul_overflow(count, duration_units[unit].size, &part)
			|| __builtin_add_overflow(*ns, part, ns))
			return bad_duration(err, all, ERR_RANGE, "out of range");
	}
	return true;
}

char *
duration_text(struct arena *mem, int64_t ns)
{
	struct buf out = buf_in(mem);
	if (ns < 0)
		buf_putc(&out, '-');
	uint64_t rest = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	for (const struct unit *unit = duration_units + 1; unit->name != NULL; unit++) {
		if (rest >= (uint64_t)unit->size)
			buf_printf(&out, "%llu%s",
				(unsigned long long)(rest / (uint64_t)unit->size),
				unit->name);
		rest %= (uint64_t)unit->size;
	}
	if (out.n == (size_t)(ns < 0))
		return arena_strdup(mem, "0s");
	return out.p;
}

char *
duration_short(struct arena *mem, int64_t ns)
{
	const char *sign = ns < 0 ? "-" : "";
	if (ns < 0)
		ns = -ns;
	long long s = ns / NS_S;
	if (ns < NS_S)
		return arena_printf(mem, "%s%lldms", sign, (long long)(ns / NS_MS));
	if (s < 10)
		return arena_printf(mem, "%s%lld.%llds", sign, s,
			(long long)(ns % NS_S / (100 * NS_MS)));
	if (s < 60)
		return arena_printf(mem, "%s%llds", sign, s);
	if (s < 3600)
		return arena_printf(mem, "%s%lldm%02llds", sign, s / 60, s % 60);
	if (s < 48 * 3600)
		return arena_printf(mem, "%s%lldh%02lldm", sign, s / 3600, s / 60 % 60);
	return arena_printf(mem, "%s%lldd%02lldh", sign, s / 86400, s / 3600 % 24);
}

bool
size_parse(struct str text, int64_t *bytes, struct err *err)
{
	struct str number = {text.p, count_of(text, is_digit)},
		   name = str_from(text, number.n);
	int unit = name.n == 0 ? 0 : unit_of(size_units, name);
	if (number.n == 0 || unit < 0) {
		err_set(err, ERR_VALUE, "bad size '%.*s'",
			text.n > 40 ? 40 : STR_FMT(text));
		return err_hint(err,
			"write 10MB (10,000,000 bytes), 10MiB (10,485,760) or an integer "
			"of bytes");
	}
	if (!str_int(number, bytes)
		|| __builtin_mul_overflow(*bytes, size_units[unit].size, bytes))
		return err_set(err, ERR_RANGE, "size '%.*s' is out of range",
			text.n > 40 ? 40 : STR_FMT(text));
	return true;
}

char *
size_short(struct arena *mem, uint64_t bytes)
{
	static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double size = (double)bytes;
	int unit = 0;
	for (; size >= 999.5 && unit < 5; unit++)
		size /= 1000;
	return arena_printf(
		mem, unit > 0 && size < 99.95 ? "%.1f %s" : "%.0f %s", size, names[unit]);
}

int64_t
days_from_civil(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year =
		(153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void
civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t of_era = days - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;
	*day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = y + era * 400 + (*month <= 2);
}

static bool
take_number(struct str *text, size_t digits, unsigned *out)
{
	*out = 0;
	if (text->n < digits
		|| count_of((struct str){text->p, digits}, is_digit) < digits)
		return false;
	for (size_t i = 0; i < digits; i++)
		*out = *out * 10 + (unsigned)(text->p[i] - '0');
	*text = str_from(*text, digits);
	return true;
}

static bool
take_char(struct str *text, const char *any)
{
	if (text->n == 0 || strchr(any, text->p[0]) == NULL || text->p[0] == '\0')
		return false;
	*text = str_from(*text, 1);
	return true;
}

static unsigned
days_in(unsigned year, unsigned month)
{
	static const unsigned char days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && leap);
}

static bool
take_fraction(struct str *text, int32_t *ns)
{
	*ns = 0;
	if (!take_char(text, "."))
		return true;
	size_t n = count_of(*text, is_digit);
	if (n < 1 || n > 9)
		return false;
	for (size_t i = 0; i < 9; i++)
		*ns = *ns * 10 + (i < n ? text->p[i] - '0' : 0);
	*text = str_from(*text, n);
	return true;
}

static bool
take_zone(struct str *text, int64_t *seconds)
{
	unsigned h, m;
	*seconds = 0;
	if (take_char(text, "Zz"))
		return true;
	if (text->n == 0)
		return false;
	int sign = text->p[0] == '-' ? -1 : 1;
	if (!take_char(text, "+-") || !take_number(text, 2, &h) || !take_char(text, ":")
	    || !take_number(text, 2, &m) || h > 23 || m > 59)
		return false;
	*seconds = sign * (int64_t)(h * 3600 + m * 60);
	return true;
}

bool
time_parse(struct str text, struct span *out, struct err *err)
{
	struct str rest = text;
	unsigned y, mo, d, h, mi, s;
	int64_t zone;
	if (!take_number(&rest, 4, &y) || !take_char(&rest, "-")
		|| !take_number(&rest, 2, &mo) || !take_char(&rest, "-")
		|| !take_number(&rest, 2, &d) || !take_char(&rest, "Tt")
		|| !take_number(&rest, 2, &h) || !take_char(&rest, ":")
		|| !take_number(&rest, 2, &mi) || !take_char(&rest, ":")
		|| !take_number(&rest, 2, &s) || !take_fraction(&rest, &out->ns)
		|| !take_zone(&rest, &zone) || rest.n > 0) {
		err_set(err, ERR_VALUE, "bad timestamp '%.*s'",
			text.n > 40 ? 40 : STR_FMT(text));
		return err_hint(
			err, "write it by RFC 3339 with a zone: 2026-01-19T13:00:00Z");
	}
	if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > days_in(y, mo) || h > 23 || mi > 59
		|| s > 59)
		return err_set(err, ERR_RANGE, "timestamp '%.*s' is out of range",
			text.n > 40 ? 40 : STR_FMT(text));
	out->s = days_from_civil(y, mo, d) * 86400 + h * 3600 + mi * 60 + s - zone;
	return true;
}

char *
time_text(struct arena *mem, struct span time)
{
	int64_t days = time.s / 86400, rest = time.s % 86400, year;
	unsigned month, day;
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	civil_from_days(days, &year, &month, &day);
	struct buf out = buf_in(mem);
	buf_printf(&out, "%04lld-%02u-%02uT%02lld:%02lld:%02lld", (long long)year, month,
		day, (long long)rest / 3600, (long long)rest / 60 % 60,
		(long long)rest % 60);
	if (time.ns != 0) {
		buf_printf(&out, ".%09d", time.ns);
		while (out.p[out.n - 1] == '0')
			buf_cut(&out, out.n - 1);
	}
	buf_putc(&out, 'Z');
	return out.p;
}

char *
time_text_us(struct arena *mem, int64_t us)
{
	int64_t s = us / 1000000, rest = us % 1000000;
	if (rest < 0) {
		rest += 1000000;
		s--;
	}
	return time_text(mem, (struct span){s, (int32_t)rest * 1000});
}

char *
time_mail(struct arena *mem, int64_t us)
{
	static const char *const weekdays[] = {
		"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int64_t s = us / 1000000, year;
	unsigned month, day;
	civil_from_days(s / 86400, &year, &month, &day);
	return arena_printf(mem, "%s, %u %s %lld %02d:%02d:%02d +0000",
		weekdays[s / 86400 % 7], day, months[month - 1], (long long)year,
		(int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

char *
time_day(struct arena *mem, int64_t us)
{
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	char text[64];
	localtime_r(&s, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %Z", &tm);
	return arena_strdup(mem, text);
}

char *
time_clock(struct arena *mem, int64_t us)
{
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	localtime_r(&s, &tm);
	return arena_printf(mem, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}
