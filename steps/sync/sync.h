/* The transfers of a sync. Small objects go in many lanes at once, each one operation
 * after the other in memory of its own; large ones one by one, in parts. */
#ifndef STEPS_SYNC_SYNC_H
#define STEPS_SYNC_SYNC_H

#include "../steps/aws/copy.h"
#include "../steps/aws/s3_batch.h"
#include "../steps/aws/upload.h"
#include "../steps/sync/side.h"

enum {
	SYNC_SMALL = 2 << 20,                         /* bytes; held in memory */
	SYNC_LANES = 16,
	SYNC_FROM_SLOT = 0,
	SYNC_TO_SLOT,
	SYNC_LANE_SLOT,
	SYNC_FILE_SLOT = SYNC_LANE_SLOT + SYNC_LANES, /* of the large one */
	SYNC_PIECE_SLOT,
	SYNC_GET_SLOT, /* and from here on those of an upload or a copy */
	SYNC_PARTS_SLOT = SYNC_GET_SLOT,
	SYNC_BATCH_SLOT = SYNC_PARTS_SLOT + 1 + COPY_PARALLEL,
	SYNC_SLOTS = SYNC_BATCH_SLOT + S3_BATCH_LANES,
	SYNC_MEMORY = 32 << 20,                       /* of the large one's parts */
};

enum lane_at {
	LANE_FREE,
	LANE_DIGEST, LANE_HEAD_TO, LANE_HEAD_FROM,    /* compares */
	LANE_LOAD, LANE_PUT,                          /* file to object */
	LANE_GET, LANE_WRITE,                         /* object to file */
	LANE_COPY,                                    /* object to object */
	LANE_REMOVE,                                  /* a file */
};

struct sync_lane {
	struct arena *mem;
	struct sync_entry *entry;
	enum lane_at at;
	unsigned tried;
	struct str sha256;                            /* base64, of a file */
	struct s3_object seen;                        /* at `to`, while it is compared */
};

enum big_at {
	BIG_FREE,
	BIG_DIGEST, BIG_CLEAN, BIG_RESUME, BIG_LOST, BIG_OPEN, BIG_UPLOAD,
	BIG_CREATE, BIG_FETCH, BIG_CLOSE,
	BIG_COPY,
};

struct sync_big {
	struct arena *mem;
	struct sync_entry *entry;
	enum big_at at;
	struct upload upload;
	struct copy copy;
	struct header headers[3];
	struct digest *sha256, *md5;                  /* of what passes by */
	struct str wanted; /* SHA-256, base64; empty: unknown */
	uint8_t sum[SHA256_SIZE];
	char *piece;
	size_t held;                                  /* of the piece, being written */
	uint64_t bytes;
	bool reading, at_end, answered, is_encrypted;
};

struct sync {
	struct side from, to;
	struct sync_plan plan;
	struct sync_totals totals;
	struct sync_lane lanes[SYNC_LANES];
	struct sync_big big;
	struct s3_batch batch;
	bool batch_begun;
	size_t next, next_big;                        /* entries that come after */
	uint64_t copied, copied_bytes, deleted;
	bool changed;                                 /* an effect has been asked for */
	enum verdict failed;                          /* STEP_WAIT: nothing has */
	struct err why;
};

void sync_begin(struct sync *sync, struct arena *mem);
bool sync_is_big(const struct sync *sync, const struct sync_entry *entry);

/* Lanes: start one, and hand on the events of its slot. STEP_WAIT; STEP_DONE: it is free
 * again, its entry settled; else the entry failed, and step->err says why. */
enum verdict lane_compare(struct step *step, struct sync *sync, struct sync_lane *lane,
	struct sync_entry *entry, struct now now);
enum verdict lane_copy(struct step *step, struct sync *sync, struct sync_lane *lane,
	struct sync_entry *entry, struct now now);
enum verdict lane_remove(struct step *step, struct sync *sync, struct sync_lane *lane,
	struct sync_entry *entry);
enum verdict lane_event(struct step *step, struct sync *sync, const struct event *event);

/* The same for the large one. */
enum verdict big_copy(struct step *step, struct sync *sync, struct sync_entry *entry,
	struct now now);
enum verdict big_event(struct step *step, struct sync *sync, const struct event *event);
bool big_owns(const struct sync *sync, const struct event *event);
enum verdict big_cancel(struct step *step, struct sync *sync, struct now now);

#endif
