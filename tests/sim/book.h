/* Random playbooks with a world that answers the same whenever it is asked, as the text
 * of a scenario (model/README.md). The same seed gives the same text on every machine. */
#ifndef TESTS_SIM_BOOK_H
#define TESTS_SIM_BOOK_H

#include "base/str.h"

struct chance { uint64_t state; };
uint64_t chance_next(struct chance *chance);
unsigned chance_below(struct chance *chance, unsigned n);
bool chance_of(struct chance *chance, unsigned percent);

struct str book_text(struct arena *mem, uint64_t seed);

#endif
