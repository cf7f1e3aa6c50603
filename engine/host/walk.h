/* Everything below a folder, for OP_FILE: blocks, in a thread of the pool. */
#ifndef HOST_WALK_H
#define HOST_WALK_H

#include "host/host.h"

/* Sets exists, is_folder, entries and n_entries. More than `most` entries or folders 128
 * deep are ERR_LIMIT; no folder there at all is an answer without exists. */
bool walk_below(struct arena *mem, const char *path, size_t most,
	struct file_answer *answer, struct err *err);
const struct file_entry *
walk_copy(struct arena *mem, const struct file_entry *entries, size_t n);

#endif
