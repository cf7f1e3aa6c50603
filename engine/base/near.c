#include "base/diag.h"

enum { LONGEST = 64 };

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment (Damerau 1964): insert, delete, replace, swap of neighbours.
 */
unsigned
near_distance(struct str a, struct str b)
{
	unsigned rows[3][LONGEST + 1];
	if (a.n > LONGEST || b.n > LONGEST)
		return LONGEST;
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	for (unsigned j = 0; j <= b.n; j++)
		last[j] = before[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		now[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			now[j] = least(least(last[j], now[j - 1]) + 1,
				last[j - 1] + (a.p[i - 1] != b.p[j - 1]));
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2]
				&& a.p[i - 2] == b.p[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		unsigned *free = before;
		before = last;
		last = now;
		now = free;
	}
	return last[b.n];
}

const char *
near_name(struct str name, const char *const *names)
{
	const char *best = NULL;
	unsigned best_distance = LONGEST;
	for (; names != NULL && *names != NULL; names++) {
		struct str other = str_of(*names);
		unsigned distance = near_distance(name, other);
		size_t most = (name.n > other.n ? name.n : other.n) / 3;
		if (distance <= (most < 1 ? 1 : most) && distance < best_distance
			&& distance < name.n) {
			best = *names;
			best_distance = distance;
		}
	}
	return best;
}
