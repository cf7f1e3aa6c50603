/* The objects below a prefix, or all their versions, page by page (ListObjectsV2,
 * ListObjectVersions). Keys come percent-encoded, so that any key can be told. */
#ifndef STEPS_AWS_S3_LIST_H
#define STEPS_AWS_S3_LIST_H

#include "../steps/aws/s3.h"

enum { S3_MOST_OBJECTS = 1000000 };                   /* more is ERR_LIMIT */

struct s3_item {
	struct str key, etag, version;
	uint64_t size;
	int64_t modified;                             /* us */
	bool is_marker, is_latest;                    /* of versions */
	unsigned place;                               /* in the page, as it came */
};

struct s3_list {
	struct s3_place place;                        /* its key is the prefix */
	bool versions;
	unsigned slot, page;                          /* page: keys at most; 0: 1000 */
	struct arena *mem;                            /* of the page */
	/* the page that was read, until the next is asked for; the versions of a key
	 * newest first, its markers among them */
	const struct s3_item *items;
	size_t n;
	bool more;                                    /* another page follows */
	uint64_t told;                                /* items of all pages */
	struct str token, version_token;              /* where the next page begins */
};

void s3_list_begin(struct s3_list *list, struct arena *mem, struct s3_place place,
	bool versions, unsigned slot);
/* Ask for the first page, or the one after that which was read. */
enum verdict s3_list_next(struct step *step, struct s3_list *list, struct now now);
/* The answer of list->slot. false: end with *verdict, or go on waiting (STEP_WAIT: it was
 * asked again, in the bucket's own region). */
bool s3_list_read(struct step *step, struct s3_list *list, const struct event *event,
	enum verdict *verdict);
struct s3_item s3_item_copy(struct arena *mem, const struct s3_item *item);

#endif
