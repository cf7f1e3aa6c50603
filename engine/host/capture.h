/* Both ends of a stream of which the middle may be left out: internal to host/. */
#ifndef HOST_CAPTURE_H
#define HOST_CAPTURE_H

#include "base/str.h"

struct capture {
	size_t keep;                  /* bytes of each end; 0: nothing is kept */
	char *head, *tail;            /* malloced; tail is a ring of `keep` bytes */
	size_t n_head;
	uint64_t n_after;             /* bytes that came after the head */
};

void capture_add(struct capture *capture, struct str piece);
bool capture_is_cut(const struct capture *capture);
/* All of it, or both ends with a line between them that says how much is missing; in
 * mem. */
struct str capture_text(struct arena *mem, const struct capture *capture);
void capture_free(struct capture *capture);   /* wipes */

#endif
