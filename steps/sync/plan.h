/* What makes one side like the other: both sides by their relative paths, and for each
 * path what has to be done. Pure. */
#ifndef STEPS_SYNC_PLAN_H
#define STEPS_SYNC_PLAN_H

#include "run/step.h"

struct sync_item {
	struct str path;                              /* relative */
	struct str etag;                              /* of an object; empty: of a file */
	uint64_t size;
	int64_t modified;                             /* us */
};

struct sync_items { struct arena *mem; struct sync_item *items; size_t n, cap; };

void sync_add(struct sync_items *items, struct sync_item item);

/* Selected: by include, or there is none, and by no exclude. NULL: no list. */
struct sync_filter { const struct value *include, *exclude; };
bool sync_selects(const struct sync_filter *filter, struct str path);

/* A path that a file may have below a folder: no empty part, "." or "..", no slash at an
 * end, no control character. */
bool sync_path_is_safe(struct str path);

enum sync_action {
	SYNC_SAME,
	SYNC_UNDECIDED, /* the same length: to be compared */
	SYNC_COPY,
	SYNC_DELETE,
};

struct sync_entry {
	const struct sync_item *from, *to;            /* NULL: not on that side */
	enum sync_action action;
};

struct sync_plan {
	struct sync_entry *entries;                   /* by path */
	size_t n;
};

/* Another length, or nothing there: to be copied. The same ETag, or no byte at all: the
 * same. False: two items have one path. */
bool sync_merge(struct arena *mem, struct sync_items *from, struct sync_items *to,
	bool delete, struct sync_plan *plan, struct err *err);

struct sync_totals {
	uint64_t copies, copy_bytes, deletes, delete_bytes, same, there, there_bytes;
};

struct sync_totals sync_count(const struct sync_plan *plan); /* there: at `to` now */

/* Of how many bytes the parts of a file were, if an object of this ETag and length was
 * made of it: UINT64_MAX for one that went up in one; 0: the ETag is no MD5, or the parts
 * had no size that tools use. */
uint64_t sync_part(struct str etag, uint64_t size);
/* Whether the MD5s of the parts give the ETag. */
bool
sync_etag_is(struct arena *mem, struct str etag, const uint8_t (*md5s)[16], size_t n);

/* By its ending, as browsers need it; application/octet-stream at last. */
const char *sync_media_type(struct str path);

#endif
