/* The dates of HTTP headers (RFC 9110, 5.6.7): the one form that is sent today and the
 * two old ones that a recipient has to take. */
#ifndef BASE_HTTP_DATE_H
#define BASE_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* us since 1970. now: us; a year of two digits that lies more than 50 years after it is
 * of the century before. */
bool http_date_parse(struct str text, int64_t now, int64_t *us);

#endif
