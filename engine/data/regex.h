/* Regular expressions of RE2's language by PCRE2: what RE2 lacks (back references,
 * look-around, atomic groups, recursion …) is refused when the pattern is compiled;
 * match, depth and heap limits bound the rest (resilience.md C24). */
#ifndef DATA_REGEX_H
#define DATA_REGEX_H

#include "base/err.h"

struct regex;

bool regex_compile(
	struct arena *mem, struct str pattern, const struct regex **out, struct err *err);
/* Whether it is found in text from byte `from` on. groups[2*i], groups[2*i+1]: bytes of
 * group i, SIZE_MAX where it took no part; at most n groups are written. false with
 * err->code ERR_NONE: no match; ERR_LIMIT: too complex. */
bool regex_find(const struct regex *regex, struct str text, size_t from, size_t *groups,
	size_t n, struct err *err);
bool regex_matches_whole(const struct regex *regex, struct str text, struct err *err);
size_t regex_groups(const struct regex *regex);       /* without group 0 */

#endif
