/* Records whose bodies are too large for a row. The big members of such a body are blobs
 * of the store; the body names them by digest under `blobs`, so that the chain covers
 * them, and has the version 2. Whoever folds sees the whole body. */
#ifndef RUN_BLOBS_H
#define RUN_BLOBS_H

#include "data/value.h"
#include "store/store.h"

enum {
	BODY_INLINE = 64 * 1024,                     /* bytes of a body without blobs */
	/* bytes of a member that stays; times all members that a body has it is less
	 * than what a record may hold */
	MEMBER_INLINE = 4 * 1024,
};

/* Where the bytes of a digest are. */
struct blob_source {
	bool (*find)(const struct blob_source *source, const uint8_t digest[32],
		struct arena *mem, struct str *out, struct err *err);
	const void *with;
};

/* `text` is the body as JSON. Of a body that is too large: changes both, and gives the
 * blobs. Returns how many. */
size_t blobs_split(struct arena *mem, struct value *body, struct str *text,
	struct blob **blobs);

/* A body of version 2: puts back what stands in blobs. Pure but for the source. */
bool blobs_join(struct arena *mem, struct value *body, const struct blob_source *source,
	struct err *err);

struct blob_source blobs_stored(struct store *store);

#endif
