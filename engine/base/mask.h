/* Finding any of many texts in a stream in one pass: the automaton of Aho and Corasick
 * (CACM 18(6), 1975). Its nodes hold bytes of secrets, so they lie where the caller wants
 * them: in locked memory. Internal to base/. */
#ifndef BASE_MASK_H
#define BASE_MASK_H

#include "base/str.h"

struct mask_node {
	uint32_t child, next, fail; /* by number; 0: none (fail 0: the root) */
	uint32_t depth;
	uint32_t found; /* length of the longest text that ends here, 0: none */
	uint8_t byte;
	bool is_end; /* a text ends with this very node */
};

struct mask {
	struct mask_node *nodes;                      /* nodes[0] is the root */
	uint32_t n, cap;
	uint32_t first[256];                          /* children of the root */
	bool dirty; /* fail and found must be made anew */
	void *(*more)(void *with, size_t n); /* zeroed memory; what was given before is
						wiped by its owner */
	void *with;
};

void mask_add(struct mask *mask, struct str text);
uint32_t mask_next(struct mask *mask, uint32_t node, uint8_t byte);
void mask_ready(struct mask *mask); /* before mask_next, after the last mask_add */

struct vault;
struct mask *
vault_automaton(const struct vault *vault); /* ready; NULL: nothing is to be found */

#endif
