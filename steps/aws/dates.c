#include "../steps/aws/dates.h"

#include "run/step.h"

#include <stdio.h>

int64_t
date_of_http(const char *text)
{
	int64_t us;
	return http_date_parse(str_of(text), 0, &us) ? us : 0;
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
	int64_t s = days_from_civil(year, month, day) * 86400 + clock[0] * INT64_C(3600)
		+ clock[1] * 60 + clock[2];
	return s * 1000000;
}
