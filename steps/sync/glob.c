#include "../steps/sync/glob.h"

/* One class after its '['; *length: of it, with the ']'. False where it does not hold or
 * is not closed: then '[' stands for itself, and *length is 0. */
static bool
class_holds(struct str pattern, int32_t rune, size_t *length)
{
	size_t i = 0, n;
	bool negated = i < pattern.n && (pattern.p[i] == '!' || pattern.p[i] == '^');
	bool in = false;
	i += negated;
	for (size_t first = i; i < pattern.n && (pattern.p[i] != ']' || i == first);) {
		int32_t low = str_rune(str_from(pattern, i), &n), high = low;
		i += n;
		if (i + 1 < pattern.n && pattern.p[i] == '-' && pattern.p[i + 1] != ']') {
			high = str_rune(str_from(pattern, i + 1), &n);
			i += 1 + n;
		}
		in = in || (rune >= low && rune <= high);
	}
	*length = i < pattern.n ? i + 1 : 0;
	return *length > 0 && in != negated;
}

/* Without stars: one character of each. False: they differ. */
static bool
step_both(struct str *pattern, struct str *path)
{
	size_t taken, length = 0, used;
	int32_t rune = str_rune(*path, &taken);
	char c = pattern->p[0];
	if (c == '[' && rune != '/') {
		bool holds = class_holds(str_from(*pattern, 1), rune, &length);
		if (length > 0) {
			*pattern = str_from(*pattern, 1 + length);
			*path = str_from(*path, taken);
			return holds;
		}
	}
	if (c == '?' && rune != '/') {
		*pattern = str_from(*pattern, 1);
		*path = str_from(*path, taken);
		return true;
	}
	if (rune != str_rune(*pattern, &used) || pattern->p[0] != path->p[0])
		return false;
	*pattern = str_from(*pattern, used);
	*path = str_from(*path, taken);
	return true;
}

/* Where to go on when a star takes more. p NULL: no star was passed. */
struct retry { struct str pattern, path; bool parts; };

/* One character more, or with `parts` up to behind the next slash; false: it may not. */
static bool
widen(struct retry *star, bool deep, struct str *pattern, struct str *path)
{
	struct str left = star->path;
	if (left.p == NULL || left.n == 0 || (!deep && left.p[0] == '/'))
		return false;
	size_t n = 1;
	while (star->parts && left.p[n - 1] != '/' && n < left.n)
		n++;
	if (star->parts && left.p[n - 1] != '/')
		return false;
	star->path = str_from(left, n);
	*pattern = star->pattern;
	*path = star->path;
	return true;
}

/* "**" at the beginning of a part and before a slash is any number of whole parts, none
 * among them. */
static struct retry
deep_star(struct str whole, struct str pattern, struct str path)
{
	bool first = pattern.p == whole.p || pattern.p[-1] == '/';
	pattern = str_from(pattern, 2);
	bool parts = first && pattern.n > 0 && pattern.p[0] == '/';
	return (struct retry){str_from(pattern, parts), path, parts};
}

/* Two stars to go back to, the last of each kind: an earlier one could not help, so that
 * no more than pattern × path steps are made. */
static bool
matches(struct str whole, struct str path)
{
	struct retry one = {0}, any = {0};
	for (struct str pattern = whole;;) {
		if (str_starts(pattern, STR("**"))) {
			any = deep_star(whole, pattern, path);
			one = (struct retry){0};
			pattern = any.pattern;
			continue;
		}
		if (pattern.n > 0 && pattern.p[0] == '*') {
			pattern = str_from(pattern, 1);
			one = (struct retry){.pattern = pattern, .path = path};
			continue;
		}
		if (pattern.n == 0 && path.n == 0)
			return true;
		if (pattern.n > 0 && path.n > 0 && step_both(&pattern, &path))
			continue;
		if (widen(&one, false, &pattern, &path))
			continue;
		one = (struct retry){0};
		if (!widen(&any, true, &pattern, &path))
			return false;
	}
}

bool
glob_matches(struct str pattern, struct str path)
{
	if (pattern.n == 0)
		return path.n == 0;
	if (memchr(pattern.p, '/', pattern.n) == NULL) {
		size_t last = path.n;
		while (last > 0 && path.p[last - 1] != '/')
			last--;
		path = str_from(path, last);
	} else if (pattern.p[pattern.n - 1] == '/') {
		/* all below it: some first part of the path, with its slash, matches */
		for (size_t i = 0; i < path.n; i++)
			if (path.p[i] == '/'
				&& matches(pattern, (struct str){path.p, i + 1}))
				return true;
		return false;
	}
	return matches(pattern, path);
}
