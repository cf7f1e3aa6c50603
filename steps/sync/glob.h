/* Patterns for paths with '/' between their parts: '*' and '?' stay within a part, "**"
 * goes over any number of them, [a-z] and [!a-z] are one character. A pattern without '/'
 * is for the last part of a path, wherever that lies; one that ends in '/' is for all
 * below it. Bytes are compared, '?' and classes take one character of UTF-8. */
#ifndef STEPS_SYNC_GLOB_H
#define STEPS_SYNC_GLOB_H

#include "run/step.h"

bool glob_matches(struct str pattern, struct str path);

#endif
