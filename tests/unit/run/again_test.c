/* The table of engine-sketch.md, "one attempt", cell by cell. */
#include "../unit.h"
#include "run/again.h"

static enum again
what(enum effect effect, enum fate fate, enum fate joined, bool transient)
{
	return again(&(struct bad_end){.effect = effect, .fate = fate, .joined = joined,
		.transient = transient, .tries_left = true, .in_window = true});
}

static void
test_nothing_was_sent(void **unused)
{
	(void)unused;
	for (int e = PURE; e <= REPEATABLE; e++) {
		assert_int_equal(what(e, FATE_NONE, FATE_NONE, true), AGAIN_RETRY);
		assert_int_equal(what(e, FATE_NONE, FATE_NONE, false), AGAIN_FAIL);
	}
	assert_int_equal(what(ONCE, FATE_NONE, FATE_DOUBT, true), AGAIN_PARK);
	assert_int_equal(what(ONCE, FATE_NONE, FATE_PARTIAL, true), AGAIN_FAIL);
}

static void
test_partial(void **unused)
{
	static const enum again cells[] = {
		[PURE] = AGAIN_RETRY, [IDEMPOTENT] = AGAIN_RETRY, [KEYED] = AGAIN_RETRY,
		[PROBED] = AGAIN_PROBE, [ONCE] = AGAIN_FAIL, [REPEATABLE] = AGAIN_RETRY,
	};

	(void)unused;
	for (int e = PURE; e <= REPEATABLE; e++)
		assert_int_equal(what(e, FATE_PARTIAL, FATE_PARTIAL, false), cells[e]);
}

static void
test_doubt(void **unused)
{
	static const enum again cells[] = {
		[PURE] = AGAIN_RETRY, [IDEMPOTENT] = AGAIN_RETRY, [KEYED] = AGAIN_RETRY,
		[PROBED] = AGAIN_PROBE, [ONCE] = AGAIN_PARK, [REPEATABLE] = AGAIN_RETRY,
	};

	(void)unused;
	for (int e = PURE; e <= REPEATABLE; e++)
		assert_int_equal(what(e, FATE_DOUBT, FATE_DOUBT, false), cells[e]);
}

static void
test_done_and_judged_bad(void **unused)
{
	(void)unused;
	assert_int_equal(what(PURE, FATE_DONE, FATE_DONE, false), AGAIN_RETRY);
	for (int e = IDEMPOTENT; e <= REPEATABLE; e++)
		assert_int_equal(what(e, FATE_DONE, FATE_DONE, true), AGAIN_FAIL);
}

static void
test_no_try_left(void **unused)
{
	struct bad_end end = {.fate = FATE_DOUBT, .joined = FATE_DOUBT,
		.in_window = true};

	(void)unused;
	end.effect = IDEMPOTENT;
	assert_int_equal(again(&end), AGAIN_PARK);
	end.effect = KEYED;
	assert_int_equal(again(&end), AGAIN_PARK);
	end.effect = REPEATABLE;
	assert_int_equal(again(&end), AGAIN_FAIL);
	end.fate = end.joined = FATE_PARTIAL;
	end.effect = IDEMPOTENT;
	assert_int_equal(again(&end), AGAIN_FAIL);
}

/* A key that is too old protects nothing: it counts as probed with a probe, else once. */
static void
test_old_key(void **unused)
{
	struct bad_end end = {.effect = KEYED, .fate = FATE_DOUBT, .joined = FATE_DOUBT,
		.tries_left = true};

	(void)unused;
	assert_int_equal(again(&end), AGAIN_PARK);
	end.probe = true;
	assert_int_equal(again(&end), AGAIN_PROBE);
	end = (struct bad_end){.effect = KEYED, .transient = true, .tries_left = true};
	assert_int_equal(again(&end), AGAIN_RETRY);
}

static void
test_fate(void **unused)
{
	(void)unused;
	assert_int_equal(fate_of(STEP_DONE, REACH_SENT), FATE_DONE);
	assert_int_equal(fate_of(STEP_FAIL, REACH_NONE), FATE_NONE);
	assert_int_equal(fate_of(STEP_FAIL, REACH_ANSWERED), FATE_NONE);
	assert_int_equal(fate_of(STEP_FAIL, REACH_SENT), FATE_DOUBT);
	assert_int_equal(fate_of(STEP_PARTIAL, REACH_ANSWERED), FATE_PARTIAL);
	assert_int_equal(fate_of(STEP_PARTIAL, REACH_SENT), FATE_DOUBT);
	assert_int_equal(fate_of(STEP_DOUBT, REACH_NONE), FATE_DOUBT);
	assert_int_equal(fate_worst(FATE_PARTIAL, FATE_DOUBT), FATE_DOUBT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_was_sent), cmocka_unit_test(test_partial),
		cmocka_unit_test(test_doubt), cmocka_unit_test(test_done_and_judged_bad),
		cmocka_unit_test(test_no_try_left), cmocka_unit_test(test_old_key),
		cmocka_unit_test(test_fate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
