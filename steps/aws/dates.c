#include "../steps/aws/dates.h"

#include "run/step.h"

#include <stdio.h>
#include <string.h>

static int64_t
micros(unsigned year, unsigned month, unsigned day, const unsigned clock[3])
{
	int64_t days = days_from_civil(year, month, day);
	return (days * 86400 + clock[0] * INT64_C(3600) + clock[1] * 60 + clock[2])
		* 1000000;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
int64_t
date_of_http(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4] = "";
	unsigned day, year, clock[3];
	if (sscanf(text, "%*3s, %2u %3s %4u %2u:%2u:%2u GMT", &day, month, &year,
		    &clock[0], &clock[1], &clock[2])
		!= 6)
		return 0;
	const char *found = strstr(months, month);
	if (found == NULL || strlen(month) != 3)
		return 0;
	return micros(year, (unsigned)(found - months) / 3 + 1, day, clock);
}

int64_t
date_of_amz(const char *text)
{
	unsigned day, month, year, clock[3];
	if (sscanf(text, "%4u%2u%2uT%2u%2u%2uZ", &year, &month, &day, &clock[0],
		    &clock[1], &clock[2])
			!= 6
		|| month < 1 || month > 12)
		return 0;
	return micros(year, month, day, clock);
}
