#include "../unit.h"

#include "model/retry.h"

static const char key[] = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst";

static void
pauses_grow_up_to_a_cap(void **state)
{
	(void)state;
	struct retry retry = {
		.attempts = 9, .delay = 2 * NS_S, .max_delay = 30 * NS_S, .backoff = 2};
	static const int64_t seconds[] = {2, 4, 8, 16, 30, 30};
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(retry_delay(&retry, key, i + 2), seconds[i] * NS_S);
	assert_int_equal(retry_delay(&retry, key, UINT32_MAX), 30 * NS_S);
}

static void
jitter_is_bounded_and_comes_from_the_key(void **state)
{
	(void)state;
	struct retry retry = retry_otherwise;
	int64_t least = INT64_MAX, most = 0;
	for (uint32_t i = 6; i < 1006; i++) {
		int64_t pause = retry_delay(&retry, key, i);
		assert_int_equal(pause, retry_delay(&retry, key, i));
		assert_in_range(pause, 24 * NS_S, 36 * NS_S);
		least = pause < least ? pause : least;
		most = pause > most ? pause : most;
	}
	assert_true(least < 25 * NS_S && most > 35 * NS_S);
	assert_int_not_equal(
		retry_delay(&retry, key, 2), retry_delay(&retry, key + 1, 2));
}

static void
extremes_do_not_wrap(void **state)
{
	(void)state;
	struct retry retry = {.attempts = 2,
		.delay = INT64_MAX,
		.max_delay = INT64_MAX / 4,
		.backoff = 100,
		.jitter = 1};
	for (uint32_t i = 2; i < 50; i++)
		assert_true(retry_delay(&retry, key, i) >= 0);
	retry = (struct retry){.attempts = 2, .backoff = 1};
	assert_int_equal(retry_delay(&retry, key, 7), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_up_to_a_cap),
		cmocka_unit_test(jitter_is_bounded_and_comes_from_the_key),
		cmocka_unit_test(extremes_do_not_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
