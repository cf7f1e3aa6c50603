#include "../steps/pg/room.h"

static enum verdict
run_tool(struct step *step, struct room *room, int state, const char *const *argv)
{
	struct exec_ask ask = {
		.argv = argv, .env = step_child_env(step, NULL, NULL), .keep = 4096};
	room->state = state;
	return step_exec(step,
		(struct how){.slot = room->slot, .reads = true, .title = argv[0]}, &ask);
}

enum verdict
room_look(struct step *step, struct room *room)
{
	static const char *const argv[] = {"pg_dump", "--version", NULL};
	room->free = -1;
	return run_tool(step, room, ROOM_TOOL, argv);
}

static enum verdict
ask_file(struct step *step, struct room *room, int state, const char *path)
{
	struct file_ask ask = {.what = FILE_STAT, .path = path};
	room->state = state;
	return step_file(step,
		(struct how){.slot = room->slot, .reads = true, .title = path}, &ask);
}

static enum verdict
ask_object(struct step *step, struct room *room, struct now now)
{
	room->state = ROOM_TARGET;
	return s3_head(step, (struct how){.slot = room->slot}, now, room->place);
}

static int64_t
major_of(struct str version)
{
	int64_t major = 0;
	str_int(str_cut(version, '.', &(struct str){0}), &major);
	return major;
}

/* "pg_dump (PostgreSQL) 15.20 (Debian …)" */
static enum verdict
tool_seen(struct step *step, struct room *room, const struct event *event)
{
	const struct exec_answer *answer = event->op->answer;
	if (event->op->err.code != ERR_NONE) {
		step_fail_op(step, event->op);
		if (event->op->err.code == ERR_NOT_FOUND)
			err_hint(step->err,
				"it comes with the client programs of PostgreSQL");
		return STEP_FAIL;
	}
	struct str version = str_trim(answer->out), mark = STR("(PostgreSQL) ");
	size_t at = str_find(version, mark);
	version = at < version.n ? str_from(version, at + mark.n) : (struct str){NULL, 0};
	int64_t mine = major_of(version), server = major_of(room->server_version);
	if (mine > 0 && mine < server) {
		step_fail(step, ERR_UNSUPPORTED, false,
			"pg_dump %.*s cannot dump a server of %.*s", STR_FMT(version),
			STR_FMT(room->server_version));
		err_hint(step->err, "it must be at least as new as the server");
		return STEP_FAIL;
	}
	return room->path == NULL ? ask_object(step, room, event->now)
				  : ask_file(step, room, ROOM_TARGET, room->path);
}

/* ---- on S3 */

static enum verdict
object_seen(struct step *step, struct room *room, const struct event *event)
{
	struct s3_object object;
	enum verdict verdict;
	if (s3_moved(step, event->op, room->place))
		return ask_object(step, room, event->now);
	if (!s3_object_read(step, event->op, &object, &verdict))
		return verdict;
	room->before = s3_object_value(step->mem, &object);
	if (object.exists)
		return STEP_DONE;
	struct s3_place bucket = *room->place;
	bucket.key = (struct str){NULL, 0};
	room->state = ROOM_BUCKET;
	return s3_head(step, (struct how){.slot = room->slot}, event->now, &bucket);
}

/* Only its absence is certain: who may put objects need not be able to ask for it. */
static enum verdict
bucket_seen(struct step *step, struct room *room, const struct event *event)
{
	const struct http_answer *answer = event->op->answer;
	if (event->op->err.code == ERR_NONE && answer->status == 404)
		return step_fail(step, ERR_NOT_FOUND, false, "there is no bucket %s",
			room->place->bucket);
	return STEP_DONE;
}

/* ---- at a path */

static const char *
folder_of(struct arena *mem, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return ".";
	return slash == path ? "/" : arena_printf(mem, "%.*s", (int)(slash - path), path);
}

static enum verdict
file_seen(struct step *step, struct room *room, const struct op *op)
{
	const struct file_answer *answer = op->answer;
	struct map_builder before = {.mem = step->mem};
	bool exists = op->err.code == ERR_NONE && answer->exists;
	map_put(&before, "exists", value_bool(exists));
	if (exists && !answer->is_folder)
		map_put(&before, "bytes", value_int((int64_t)answer->size));
	room->before = map_done(&before);
	room->folder = folder_of(step->mem, room->path);
	return ask_file(step, room, ROOM_FOLDER, room->folder);
}

static enum verdict
folder_seen(struct step *step, struct room *room, const struct op *op)
{
	const struct file_answer *answer = op->answer;
	const char **argv = arena_array(step->mem, const char *, 6);
	const char *const words[] = {
		"df", "--block-size=1", "--output=avail", "--", room->folder};
	if (op->err.code != ERR_NONE && op->err.code != ERR_NOT_FOUND)
		return step_fail_op(step, op);
	if (op->err.code == ERR_NOT_FOUND || !answer->exists || !answer->is_folder)
		return step_fail(step, ERR_NOT_FOUND, false, "there is no folder %s",
			room->folder);
	memcpy(argv, words, sizeof words);
	return run_tool(step, room, ROOM_FREE, argv);
}

static enum verdict
free_seen(struct room *room, const struct op *op)
{
	const struct exec_answer *answer = op->answer;
	struct str rest;
	if (op->err.code == ERR_NONE && answer->code == 0) {
		str_cut(answer->out, '\n', &rest);
		if (!str_int(str_trim(rest), &room->free))
			room->free = -1;
	}
	return STEP_DONE;
}

enum verdict
room_event(struct step *step, struct room *room, const struct event *event)
{
	switch (room->state) {
	case ROOM_TOOL:
		return tool_seen(step, room, event);
	case ROOM_TARGET:
		return room->path == NULL ? object_seen(step, room, event)
					  : file_seen(step, room, event->op);
	case ROOM_BUCKET:
		return bucket_seen(step, room, event);
	case ROOM_FOLDER:
		return folder_seen(step, room, event->op);
	case ROOM_FREE:
		break;
	}
	return free_seen(room, event->op);
}
