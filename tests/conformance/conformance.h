/* What the runners of official cases share: where the cases lie, one JSON value a line, the count at the end. */
#ifndef TESTS_CONFORMANCE_H
#define TESTS_CONFORMANCE_H

#include "data/json.h"

/* The file: argv[1], else RBX_CONFORMANCE/NAME, else ../shared/conformance/NAME beside the source. A missing default is said
 * and skipped (exit 77). Prints "N passed, N failed" last; exit 1 if a case failed or none ran. */
int conformance_main(const char *name, int argc, char **argv, bool (*run_case)(struct arena *mem, const struct value *c));
char *conformance_path(struct arena *mem, const char *name, int argc, char **argv);
bool conformance_load(struct arena *mem, const char *path, struct str *out);

#endif
