#include "run/marks.h"

#include <assert.h>

void
marks_init(struct marks *marks, struct arena *mem, size_t n)
{
	size_t words = n;

	marks->n = n;
	marks->levels = 0;
	do {
		assert(marks->levels < MARKS_LEVELS);
		words = (words + 63) / 64;
		marks->level[marks->levels++] = arena_array(mem, uint64_t, words + 1);
	} while (words > 1);
}

bool
marks_set(struct marks *marks, size_t i)
{
	assert(i < marks->n);
	if (marks_has(marks, i))
		return false;
	for (unsigned l = 0; l < marks->levels; l++, i /= 64) {
		uint64_t *word = &marks->level[l][i / 64];
		bool was_empty = *word == 0;
		*word |= UINT64_C(1) << (i % 64);
		if (!was_empty)
			break;
	}
	return true;
}

void
marks_clear(struct marks *marks, size_t i)
{
	assert(i < marks->n);
	for (unsigned l = 0; l < marks->levels; l++, i /= 64) {
		uint64_t *word = &marks->level[l][i / 64];
		*word &= ~(UINT64_C(1) << (i % 64));
		if (*word != 0)
			break;
	}
}

bool
marks_has(const struct marks *marks, size_t i)
{
	return (marks->level[0][i / 64] >> (i % 64) & 1) != 0;
}

bool
marks_is_empty(const struct marks *marks)
{
	return marks->n == 0 || marks->level[marks->levels - 1][0] == 0;
}

/* Down from a member of level l to the first number below it. */
static size_t
first_below(const struct marks *marks, unsigned l, size_t i)
{
	while (l-- > 0)
		i = i * 64 + (size_t)__builtin_ctzll(marks->level[l][i]);
	return i;
}

size_t
marks_next(const struct marks *marks, size_t from)
{
	size_t i = from;

	if (from >= marks->n)
		return marks->n;
	for (unsigned l = 0; l < marks->levels; l++) {
		uint64_t word = marks->level[l][i / 64] & (~UINT64_C(0) << (i % 64));
		if (word != 0)
			return first_below(marks, l,
				i / 64 * 64 + (size_t)__builtin_ctzll(word));
		/* a spare word stands behind each level */
		i = i / 64 + 1;
	}
	return marks->n;
}
