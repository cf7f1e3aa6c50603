/* What a dry run of pg_dump has to know besides the database: that the tool is there and
 * not older than the server, and that the target can take a dump. Reads only. Part of a
 * step that has it in its state. */
#ifndef STEPS_PG_ROOM_H
#define STEPS_PG_ROOM_H

#include "../steps/aws/s3.h"

struct room {
	/* given */
	const char *path;                             /* NULL: on S3 */
	struct s3_place *place;
	struct str server_version;
	unsigned slot;

	/* found */
	struct value before; /* what stands at the target now */
	int64_t free;                                 /* bytes there; -1: not to be known */

	/* its own */
	enum { ROOM_TOOL, ROOM_TARGET, ROOM_BUCKET, ROOM_FOLDER, ROOM_FREE } state;
	const char *folder;
};

enum verdict room_look(struct step *step, struct room *room);
enum verdict room_event(struct step *step, struct room *room, const struct event *event);

#endif
