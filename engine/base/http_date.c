#include "base/http_date.h"

#include "base/time.h"

/* w: the name of a day; D: 2 digits; d: the same, or a blank and one; M: a month; Y, y: 4
 * or 2 digits; T: hh:mm:ss; Z: GMT. Everything else stands for itself. */
static const char *const forms[] = {
	"w, D M Y T Z",                               /* Sun, 06 Nov 1994 08:49:37 GMT */
	"w, D-M-y T Z",                               /* Sunday, 06-Nov-94 08:49:37 GMT */
	"w M d T Y",                                  /* Sun Nov  6 08:49:37 1994 */
};

struct date { unsigned year, month, day, hour, minute, second; bool short_year; };

static bool
number(struct str *text, size_t digits, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < digits; i++) {
		if (text->n == 0 || text->p[0] < '0' || text->p[0] > '9')
			return false;
		*out = *out * 10 + (unsigned)(text->p[0] - '0');
		*text = str_from(*text, 1);
	}
	return true;
}

static bool
literal(struct str *text, char c)
{
	if (text->n == 0 || text->p[0] != c)
		return false;
	*text = str_from(*text, 1);
	return true;
}

static bool
weekday(struct str *text)
{
	size_t n = 0;
	while (n < text->n && ((text->p[n] | 32) >= 'a' && (text->p[n] | 32) <= 'z'))
		n++;
	*text = str_from(*text, n);
	return n >= 3;
}

static bool
month(struct str *text, unsigned *out)
{
	static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	for (unsigned i = 0; i < 12; i++)
		if (str_starts(*text, str_of(names[i]))) {
			*out = i + 1;
			*text = str_from(*text, 3);
			return true;
		}
	return false;
}

static bool
clock(struct str *text, struct date *date)
{
	return number(text, 2, &date->hour) && literal(text, ':')
		&& number(text, 2, &date->minute) && literal(text, ':')
		&& number(text, 2, &date->second);
}

static bool
part(char form, struct str *text, struct date *date)
{
	switch (form) {
	case 'w': return weekday(text);
	case 'd':
		if (literal(text, ' '))
			return number(text, 1, &date->day);
		return number(text, 2, &date->day);
	case 'D': return number(text, 2, &date->day);
	case 'M': return month(text, &date->month);
	case 'Y': return number(text, 4, &date->year);
	case 'y': date->short_year = true; return number(text, 2, &date->year);
	case 'T': return clock(text, date);
	case 'Z': return literal(text, 'G') && literal(text, 'M') && literal(text, 'T');
	default: return literal(text, form);
	}
}

static bool
matches(const char *form, struct str text, struct date *date)
{
	*date = (struct date){0};
	while (*form != '\0' && part(*form, &text, date))
		form++;
	return *form == '\0' && text.n == 0;
}

static bool
is_real(const struct date *date)
{
	int64_t days = days_from_civil(date->year, date->month, date->day), year;
	unsigned month_of, day_of;
	civil_from_days(days, &year, &month_of, &day_of);
	return date->day >= 1 && month_of == date->month && day_of == date->day
		&& date->hour < 24 && date->minute < 60 && date->second <= 60;
}

static int64_t
us_of(const struct date *date)
{
	int64_t days = days_from_civil(date->year, date->month, date->day);
	return (days * 86400 + date->hour * 3600 + date->minute * 60 + date->second)
		* INT64_C(1000000);
}

bool
http_date_parse(struct str text, int64_t now, int64_t *us)
{
	struct date date;
	size_t n = sizeof forms / sizeof forms[0], i = 0;
	while (i < n && !matches(forms[i], text, &date))
		i++;
	if (i == n)
		return false;
	if (date.short_year) {
		int64_t this_year;
		unsigned ignored;
		civil_from_days(now / 1000000 / 86400, &this_year, &ignored, &ignored);
		date.year += (unsigned)(this_year / 100 * 100);
		if (date.year > this_year + 50)
			date.year -= 100;
	}
	if (!is_real(&date))
		return false;
	*us = us_of(&date);
	return true;
}
