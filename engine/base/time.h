/* Durations and times of day. A duration is int64 nanoseconds in the engine (292 years);
 * expressions use struct span. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/err.h"

#define NS_MS  INT64_C(1000000)
#define NS_S   INT64_C(1000000000)
#define NS_MIN (60 * NS_S)
#define NS_H   (60 * NS_MIN)
#define NS_DAY (24 * NS_H)

/* Seconds and nanoseconds with 0 <= ns < 1e9: a length of time, or a time since
 * 1970-01-01T00:00:00Z. */
struct span {
	int64_t s;
	int32_t ns;
};

/* "90s", "1h30m", "92d": integers with ms, s, m, h, d, w, each unit at most once, largest
 * first (language.md). */
bool duration_parse(struct str text, int64_t *ns, struct err *err);
char *duration_text(struct arena *mem, int64_t ns);    /* exact, in the same form; "0s" */
char *duration_short(struct arena *mem,
	int64_t ns); /* for people, two units at most: "3m12s", "1.4s", "12ms" */

/* "10MB" is 10,000,000 bytes, "10MiB" 10,485,760; a bare integer is bytes (language.md).
 */
bool size_parse(struct str text, int64_t *bytes, struct err *err);
char *size_short(struct arena *mem, uint64_t bytes);   /* "1.4 MB" */

/* RFC 3339 with a zone: 2026-01-19T13:00:00.25+01:00; years 1 to 9999. */
bool time_parse(struct str text, struct span *out, struct err *err);
char *time_text(struct arena *mem,
	struct span time); /* UTC, fraction only where there is one: …T13:00:00Z */
char *time_text_us(struct arena *mem, int64_t us);     /* microseconds since 1970 */
char *time_mail(
	struct arena *mem, int64_t us); /* RFC 5322: "Fri, 21 Nov 1997 09:55:06 +0000" */
/* Local time, for lines that scroll by: "2026-01-19 CET", "13:00:07". */
char *time_day(struct arena *mem, int64_t us);
char *time_clock(struct arena *mem, int64_t us);

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar, and back (H.
 * Hinnant's algorithms). */
int64_t days_from_civil(int64_t year, unsigned month, unsigned day);
void civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

#endif
