#include "../unit.h"

#include "base/http_date.h"
#include "base/time.h"

static void
durations_read_and_write(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct err err;
	int64_t ns;
	assert_ok(duration_parse(STR("1h30m"), &ns, &err));
	assert_int_equal(ns, 90 * NS_MIN);
	assert_string_equal(duration_text(mem, ns), "1h30m");
	assert_ok(duration_parse(STR("92d"), &ns, &err));
	assert_string_equal(duration_text(mem, ns), "92d");
	const char *const bad[] = {"", "5", "5x", "-1s", "1m1h", "1s1s",
		"9223372036854775807s", "1.5s", "s"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(duration_parse(str_of(bad[i]), &ns, &err));
	arena_free(mem);
}

static void
times_read_and_write(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct err err;
	struct span t;
	assert_ok(time_parse(STR("2026-01-19T14:00:00.25+01:00"), &t, &err));
	assert_string_equal(time_text(mem, t), "2026-01-19T13:00:00.25Z");
	assert_ok(time_parse(STR("1969-12-31T23:59:59Z"), &t, &err));
	assert_int_equal(t.s, -1);
	const char *const bad[] = {"2026-02-29T00:00:00Z", "2026-01-19T13:00:00",
		"2026-01-19", "2026-01-19T24:00:00Z"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(time_parse(str_of(bad[i]), &t, &err));
	arena_free(mem);
}

static void
sizes_read(void **state)
{
	(void)state;
	struct err err;
	int64_t n;
	assert_ok(size_parse(STR("10MB"), &n, &err));
	assert_int_equal(n, 10000000);
	assert_ok(size_parse(STR("10MiB"), &n, &err));
	assert_int_equal(n, 10485760);
	assert_false(size_parse(STR("10mb"), &n, &err));
	assert_false(size_parse(STR("99999999999TiB"), &n, &err));
}

static void
dates_of_http_read(void **state)
{
	(void)state;
	int64_t us, now = INT64_C(1768827600) * 1000000;  /* 2026-01-19 */
	static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		assert_true(http_date_parse(str_of(same[i]), now, &us));
		assert_int_equal(us, INT64_C(784111777) * 1000000);
	}
	assert_true(http_date_parse(STR("Sunday, 06-Nov-76 08:49:37 GMT"), now, &us));
	assert_true(us > now);
	assert_true(http_date_parse(STR("Sunday, 06-Nov-77 08:49:37 GMT"), now, &us));
	assert_true(us < now);
	static const char *const bad[] = {"", "7", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 31 Feb 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT", "Su, 06 Nov 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994", "Sun, 06 Nov 1994 8:49:37 GMT"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (http_date_parse(str_of(bad[i]), now, &us))
			fail_msg("'%s'", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_read_and_write),
		cmocka_unit_test(times_read_and_write),
		cmocka_unit_test(sizes_read),
		cmocka_unit_test(dates_of_http_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
