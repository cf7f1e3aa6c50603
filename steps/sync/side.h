/* One side of a sync: a folder, or all objects below a prefix. */
#ifndef STEPS_SYNC_SIDE_H
#define STEPS_SYNC_SIDE_H

#include "../steps/aws/s3_list.h"
#include "../steps/sync/plan.h"

struct side {
	const char *word;                             /* "from", "to" */
	bool is_folder, is_there, loaded;
	unsigned slot;
	const char *folder;
	struct s3_place place;                        /* of a prefix */
	struct s3_list list;
	struct sync_filter filter;
	struct sync_items items;
	/* Its objects become files: names that would leave the folder are refused. */
	bool feeds_folder;
};

/* `region`: of the bucket; empty: the step's. */
bool side_open(struct step *step, struct side *side, struct str text, struct str region);
enum verdict side_load(struct step *step, struct side *side, struct now now);
/* STEP_DONE: all of it is known. */
enum verdict side_event(struct step *step, struct side *side, const struct event *event);

struct s3_place side_object(struct arena *mem, const struct side *side, struct str path);
/* For open_ask and file_ask: path below root. A folder that is not there is made below
 * the one around it. */
struct side_file { const char *root, *path; };
struct side_file side_file(struct arena *mem, const struct side *side, struct str path);

#endif
