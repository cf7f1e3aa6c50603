/* The two forms of a time in HTTP as AWS speaks it. */
#ifndef STEPS_AWS_DATES_H
#define STEPS_AWS_DATES_H

#include <stdint.h>

/* us since 1970 UTC; 0: it has another form. */
int64_t date_of_http(const char *text); /* IMF-fixdate (RFC 9110, 5.6.7) */
int64_t date_of_amz(const char *text);  /* X-Amz-Date: 20150830T123600Z */

#endif
