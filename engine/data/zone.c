#include "data/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/time.h"

enum { LARGEST_FILE = 1 << 20, HEADER = 44 };

/* One of the two changes a year of a rule in POSIX form (RFC 8536 section 3.3,
 * POSIX.1-2017 TZ). */
struct change {
	char form; /* M month.week.day, J day without 29 February, 0 day from 0 */
	int month, week, day;
	int32_t time;                                 /* seconds from midnight, local */
};

struct zone {
	size_t n;                                     /* changes that are listed */
	const unsigned char *times, *kinds,
		*infos; /* as in the file: 8 bytes, 1 byte, 6 bytes each */
	int32_t first, standard, summer; /* offsets; `first` before the first change */
	bool has_rule, has_summer;                    /* after the last change */
	struct change starts, ends;
};

static int64_t
number(const unsigned char *p, size_t n)
{
	uint64_t u = p[0] & 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < n; i++)
		u = u << 8 | p[i];
	return (int64_t)u;
}

/* ---- the rule for times after the last change */

static bool
take(struct str *text, char c)
{
	if (text->n == 0 || text->p[0] != c)
		return false;
	*text = str_from(*text, 1);
	return true;
}

static bool
take_int(struct str *text, int *out)
{
	size_t n = 0;
	for (*out = 0; n < text->n && n < 4 && text->p[n] >= '0' && text->p[n] <= '9';
		n++)
		*out = *out * 10 + (text->p[n] - '0');
	*text = str_from(*text, n);
	return n > 0;
}

static bool
take_abbreviation(struct str *text)
{
	size_t n = 0;
	if (take(text, '<')) {
		while (n < text->n && text->p[n] != '>')
			n++;
		*text = str_from(*text, n);
		return take(text, '>');
	}
	while (n < text->n && ((text->p[n] | 0x20) >= 'a' && (text->p[n] | 0x20) <= 'z'))
		n++;
	*text = str_from(*text, n);
	return n >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool
take_time(struct str *text, int32_t *out)
{
	int h, m = 0, s = 0, sign = take(text, '-') ? -1 : 1;
	take(text, '+');
	if (!take_int(text, &h) || h > 167 || (take(text, ':') && !take_int(text, &m))
	    || (take(text, ':') && !take_int(text, &s)))
		return false;
	*out = sign * (h * 3600 + m * 60 + s);
	return true;
}

static bool
take_change(struct str *text, struct change *out)
{
	*out = (struct change){.form = '0', .time = 7200};
	if (!take(text, ','))
		return false;
	if (take(text, 'M')) {
		out->form = 'M';
		if (!take_int(text, &out->month) || !take(text, '.')
			|| !take_int(text, &out->week) || !take(text, '.')
			|| !take_int(text, &out->day))
			return false;
		if (out->month < 1 || out->month > 12 || out->week < 1 || out->week > 5
			|| out->day > 6)
			return false;
	} else {
		out->form = take(text, 'J') ? 'J' : '0';
		if (!take_int(text, &out->day) || out->day > 365)
			return false;
	}
	return !take(text, '/') || take_time(text, &out->time);
}

static bool
read_rule(struct zone *zone, struct str text)
{
	int32_t west;
	if (!take_abbreviation(&text) || !take_time(&text, &west))
		return false;
	zone->standard = -west;
	if (text.n == 0)
		return true;
	zone->has_summer = true;
	zone->summer = zone->standard + 3600;
	if (!take_abbreviation(&text))
		return false;
	if (text.n > 0 && text.p[0] != ',') {
		if (!take_time(&text, &west))
			return false;
		zone->summer = -west;
	}
	return take_change(&text, &zone->starts) && take_change(&text, &zone->ends)
		&& text.n == 0;
}

/* Local seconds since 1970 of a change in a year. */
static int64_t
change_in(const struct change *change, int64_t year)
{
	int64_t first = days_from_civil(year, 1, 1), day;
	bool leap = days_from_civil(year + 1, 1, 1) - first == 366;
	if (change->form == 'M') {
		int64_t begin = days_from_civil(year, (unsigned)change->month, 1);
		int64_t end = change->month == 12 ? days_from_civil(year + 1, 1, 1)
			: days_from_civil(year, (unsigned)change->month + 1, 1);
		int64_t weekday = ((begin + 4) % 7 + 7) % 7;
		day = begin + (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
		while (day >= end)
			day -= 7;
	} else if (change->form == 'J') {
		day = first + change->day - 1 + (leap && change->day > 59);
	} else {
		day = first + change->day;
	}
	return day * 86400 + change->time;
}

static int32_t
offset_by_rule(const struct zone *zone, int64_t utc)
{
	if (!zone->has_summer)
		return zone->standard;
	int64_t local = utc + zone->standard, year;
	unsigned month, day;
	civil_from_days(local / 86400 - (local % 86400 < 0), &year, &month, &day);
	int64_t starts = change_in(&zone->starts, year) - zone->standard;
	int64_t ends = change_in(&zone->ends, year) - zone->summer;
	bool summer =
		starts < ends ? utc >= starts && utc < ends : utc >= starts || utc < ends;
	return summer ? zone->summer : zone->standard;
}

/* ---- the file */

static size_t
counts(const unsigned char *header, size_t time_size, size_t *n_times, size_t *n_infos)
{
	size_t utc = (size_t)number(header + 20, 4) & 0xffff,
	       standard = (size_t)number(header + 24, 4) & 0xffff;
	size_t leaps = (size_t)number(header + 28, 4) & 0xffff,
	       letters = (size_t)number(header + 40, 4) & 0xffff;
	*n_times = (size_t)number(header + 32, 4) & 0xffff;
	*n_infos = (size_t)number(header + 36, 4) & 0xffff;
	return *n_times * (time_size + 1) + *n_infos * 6 + letters
		+ leaps * (time_size + 4) + standard + utc;
}

static bool
read_file(struct zone *zone, const unsigned char *p, size_t n)
{
	size_t n_times, n_infos, skip, body;
	if (n < HEADER || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return false;
	skip = HEADER + counts(p, 4, &n_times, &n_infos);
	if (n < skip + HEADER || memcmp(p + skip, "TZif", 4) != 0)
		return false;
	p += skip;
	n -= skip;
	body = counts(p, 8, &n_times, &n_infos);
	if (n < HEADER + body || n_infos == 0)
		return false;
	zone->n = n_times;
	zone->times = p + HEADER;
	zone->kinds = zone->times + n_times * 8;
	zone->infos = zone->kinds + n_times;
	for (size_t i = 0; i < n_times; i++)
		if (zone->kinds[i] >= n_infos)
			return false;
	zone->first = (int32_t)number(zone->infos, 4);
	struct str footer = {(const char *)p + HEADER + body, n - HEADER - body}, rest;
	if (footer.n > 1 && footer.p[0] == '\n') {
		footer = str_cut(str_from(footer, 1), '\n', &rest);
		zone->has_rule = footer.n > 0 && read_rule(zone, footer);
	}
	return true;
}

static bool
is_name(struct str name)
{
	if (name.n == 0 || name.n > 64 || name.p[0] == '/'
		|| str_find(name, STR("..")) < name.n)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9')
		    && strchr("/_+-", c) == NULL)
			return false;
	}
	return true;
}

static bool
read_zone(struct arena *mem, struct str name, struct zone *zone)
{
	char path[128];
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", STR_FMT(name));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	off_t size = lseek(fd, 0, SEEK_END);
	bool sound = size > 0 && size < LARGEST_FILE;
	unsigned char *bytes = sound ? arena_alloc(mem, (size_t)size) : NULL;
	sound = sound && pread(fd, bytes, (size_t)size, 0) == size;
	close(fd);
	return sound && read_file(zone, bytes, (size_t)size);
}

/* [+-]hh:mm */
static bool
is_offset(struct str text, struct zone *zone)
{
	int h, m, sign = take(&text, '-') ? -1 : 1;
	take(&text, '+');
	if (text.n != 5 || !take_int(&text, &h) || !take(&text, ':')
		|| !take_int(&text, &m) || text.n > 0 || h > 23 || m > 59)
		return false;
	zone->has_rule = true;
	zone->standard = sign * (h * 3600 + m * 60);
	return true;
}

bool
zone_load(struct arena *mem, struct str name, const struct zone **out, struct err *err)
{
	struct zone *zone = arena_new_of(mem, struct zone);
	*out = zone;
	zone->has_rule = str_is(name, "UTC") || str_is(name, "Z");
	if (zone->has_rule || is_offset(name, zone))
		return true;
	if (is_name(name) && read_zone(mem, name, zone))
		return true;
	err_set(err, ERR_VALUE, "there is no time zone '%.*s'",
		(int)(name.n > 60 ? 60 : name.n), name.p);
	return err_hint(
		err, "UTC, a name such as America/New_York, or an offset such as +02:00");
}

int32_t
zone_offset(const struct zone *zone, int64_t utc)
{
	size_t low = 0, high = zone->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (number(zone->times + middle * 8, 8) <= utc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->n && zone->has_rule)
		return offset_by_rule(zone, utc);
	if (low == 0)
		return zone->first;
	return (int32_t)number(zone->infos + 6 * (size_t)zone->kinds[low - 1], 4);
}
