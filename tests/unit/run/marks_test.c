#include "../unit.h"
#include "run/marks.h"

static size_t
count(const struct marks *marks)
{
	size_t n = 0;

	for (size_t i = 0; (i = marks_next(marks, i)) < marks->n; i++)
		n++;
	return n;
}

static void
test_sizes(void **unused)
{
	static const size_t sizes[] = {1, 63, 64, 65, 4095, 4096, 4097, 262144, 262145};

	(void)unused;
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		struct arena *mem = arena_new();
		struct marks marks;
		size_t n = sizes[s];
		marks_init(&marks, mem, n);
		assert_true(marks_is_empty(&marks));
		assert_int_equal(marks_next(&marks, 0), n);
		assert_true(marks_set(&marks, n - 1));
		assert_false(marks_set(&marks, n - 1));
		assert_int_equal(marks_next(&marks, 0), n - 1);
		assert_int_equal(marks_next(&marks, n - 1), n - 1);
		assert_int_equal(marks_next(&marks, n), n);
		marks_clear(&marks, n - 1);
		assert_true(marks_is_empty(&marks));
		arena_free(mem);
	}
}

/* Against a plain array, over all positions. */
static void
test_as_array(void **unused)
{
	enum { N = 5000 };
	static bool plain[N];
	struct arena *mem = arena_new();
	struct marks marks;
	uint32_t random = 1;

	(void)unused;
	marks_init(&marks, mem, N);
	for (int round = 0; round < 20000; round++) {
		random = random * 1664525 + 1013904223;
		size_t i = (random >> 8) % N;
		plain[i] = (random >> 4 & 3) == 0;
		if (plain[i])
			marks_set(&marks, i);
		else
			marks_clear(&marks, i);
	}
	size_t want = 0, next = N;
	for (size_t i = N; i-- > 0;) {
		assert_int_equal(marks_has(&marks, i), plain[i]);
		next = plain[i] ? i : next;
		want += plain[i];
		assert_int_equal(marks_next(&marks, i), next);
	}
	assert_int_equal(count(&marks), want);
	arena_free(mem);
}

static void
test_none(void **unused)
{
	struct arena *mem = arena_new();
	struct marks marks;

	(void)unused;
	marks_init(&marks, mem, 0);
	assert_true(marks_is_empty(&marks));
	assert_int_equal(marks_next(&marks, 0), 0);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes), cmocka_unit_test(test_as_array),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
