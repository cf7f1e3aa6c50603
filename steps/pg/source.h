/* A dump as pg_restore finds it, at a path or on S3: that it is there and not empty, its
 * format, and that the tool which shall restore it is there and can read it. All of this
 * only reads, so that it stands before anything is dropped. Part of a step that has it in
 * its state. */
#ifndef STEPS_PG_SOURCE_H
#define STEPS_PG_SOURCE_H

#include "../steps/aws/s3.h"

struct pg_source {
	/* given */
	unsigned ask_slot, open_slot, read_slot, tool_slot;

	/* found */
	struct str from;
	bool on_s3, is_folder;
	bool is_script; /* SQL for psql; else an archive for pg_restore */
	bool is_tar;
	struct s3_place place;                        /* on_s3 */
	struct s3_object object;
	const char *path;                             /* else */
	uint64_t bytes;                               /* of all files of a folder */
	/* What the archive says of itself; empty where it was not read: of a script, or
	 * where its table of contents is longer than what was fetched of it. */
	struct str database, server_version, archived_at;
	int64_t entries;

	/* its own */
	enum { SOURCE_ASK, SOURCE_WALK, SOURCE_OPEN, SOURCE_HEAD, SOURCE_LIST } state;
	char *head;
	size_t n_head;
};

/* Of step->in.from. */
enum verdict source_look(struct step *step, struct pg_source *source, struct now now);
/* STEP_DONE: all is known. STEP_WAIT, or how the step ends: nothing was changed. */
enum verdict
source_event(struct step *step, struct pg_source *source, const struct event *event);

/* Starts reading it from its beginning, in open_slot. Of an object its answer completes
 * there; false: it is not as it was looked at, and step->err says so. */
enum verdict source_open(struct step *step, struct pg_source *source, struct now now);
bool
source_opened(struct step *step, const struct pg_source *source, const struct op *op);

#endif
