#include "shared.h"
#include "../steps/aws/upload.h"
#include "../steps/pg/folder.h"
#include "../steps/pg/pg.h"
#include "../steps/pg/room.h"

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = connection_fields},
	{.name = "password", .type = FIELD_SECRET, .help = "else from ~/.pgpass"},
	{.name = "from", .type = FIELD_OBJECT, .flags = FIELD_SPREAD, .fields = connection_fields,
	 .help = "a connection; what is given beside it wins"},
	{.name = "to", .type = FIELD_PLACE, .flags = FIELD_REQUIRED,
	 .help = "a file, which appears by rename, or an object on S3"},
	{.name = "format", .type = FIELD_TEXT, .otherwise = "custom",
	 .words = (const char *const[]){"custom", "plain", "tar", "directory", NULL},
	 .help = "directory only to a path"},
	{.name = "jobs", .type = FIELD_INT, .otherwise = "1", .least = 1, .most = 64,
	 .help = "at once, with the format directory"},
	{.name = "schemas", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "only these (patterns)"},
	{.name = "tables", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "only these (patterns)"},
	{.name = "exclude_tables", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "not these (patterns)"},
	{.name = "memory", .type = FIELD_SIZE, .otherwise = "32MiB", .least = 5 << 20,
	 .most = INT64_C(4) << 30, .help = "part buffers of an upload"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "url", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "the place"},
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length"},
	{.name = "sha256", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "its digest"},
	{.name = "snapshot_at", .type = FIELD_TIMESTAMP, .flags = FIELD_OUTPUT,
	 .help = "the data is as of then"},
	{.name = "server_version", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "of PostgreSQL"},
	{.name = NULL},
};

/* What one row cannot say: a folder has no place on S3, and only a folder can be written
 * by several jobs. */
static bool
check(const struct value *args, struct diags *diags)
{
	bool folder = str_is(value_get_str(args, "format"), "directory");
	const struct value *to = value_get(args, "to"), *jobs = value_get(args, "jobs");
	size_t errors = diags->errors;
	if (folder && to != NULL && to->kind == V_STRING && s3_is_place(to->str))
		diag_error(diags, value_mark(to),
			"format directory writes to a path only, not to S3");
	if (!folder && jobs != NULL && jobs->kind == V_INT && jobs->i > 1)
		diag_error(diags, value_mark(jobs), "jobs needs format: directory");
	return diags->errors == errors;
}

enum {
	DUMP_SLOT,
	READ_SLOT,
	FILE_SLOT,
	WRITE_SLOT,
	ASK_SLOT,
	PARTS_SLOT,
	SLOTS = PARTS_SLOT + 1 + UPLOAD_PARALLEL
};
enum { PIECE = 256 << 10 };
enum phase { START, CLEAN, SERVER, OPEN, STREAM, CLEAR, FOLDER, FINISH, ROOM };

struct dump {
	enum phase phase;
	bool to_s3, to_folder;
	struct s3_place place;
	const char *path;
	struct folder folder;
	struct room room;
	struct value snapshot_at, server_version;
	uint64_t database_bytes, bytes;
	struct upload upload;
	struct digest *digest;
	const char *sha256;
	char *piece;
	bool reading, at_end, dumped, sent_end;
};

static step_fn preview, run;

/* Credentials are fetched only for a place on S3. */
static bool
is_on_s3(const struct value *args)
{
	return str_starts(value_get_str(args, "to"), STR("s3://"));
}

const struct step_type pg_dump_type = {
	.name = "pg_dump",
	.summary = "dump a database to a file or to S3",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = 2 * NS_H,
	.uses = &aws_credentials,
	.uses_if = is_on_s3,
	.state = sizeof(struct dump),
	.slots = SLOTS,
	.check = check,
	.preview = preview,
	.run = run,
	.leftover = multipart_leftover,
	.sweep = multipart_sweep,
	.astray = multipart_astray,
};

/* The clock of the server is read before the dump takes its snapshot: the data is as of
 * then or a little later. */
static const char server_query[] =
	"select now() as now, current_setting('server_version') as version, "
	"pg_database_size(current_database()) as bytes";

/* ---- the command */

static void
push(const char **argv, size_t *n, const char *word)
{
	argv[(*n)++] = word;
}

static void
push_list(struct step *step, const char **argv, size_t *n, const char *option,
	const char *name)
{
	const struct value *list = value_get(step->in, name);
	for (size_t i = 0;
		list != NULL && list->kind == V_LIST && i < list->list.n && *n < 250; i++)
		push(argv, n,
			arena_printf(step->mem, "--%s=%.*s", option,
				STR_FMT(list->list.items[i].str)));
}

static struct exec_ask
command(struct step *step)
{
	struct dump *dump = step->state;
	const char **argv = arena_array(step->mem, const char *, 256);
	size_t n = 0;
	push(argv, &n, "pg_dump");
	push(argv, &n, "--no-password");
	push(argv, &n,
		arena_printf(step->mem, "--format=%.*s",
			STR_FMT(value_get_str(step->in, "format"))));
	push(argv, &n, "--strict-names"); /* one that is not there is an error */
	push_list(step, argv, &n, "schema", "schemas");
	push_list(step, argv, &n, "table", "tables");
	push_list(step, argv, &n, "exclude-table", "exclude_tables");
	if (dump->to_folder) {
		push(argv, &n,
			arena_printf(step->mem, "--jobs=%lld",
				(long long)value_get_int(step->in, "jobs", 1)));
		push(argv, &n,
			arena_printf(step->mem, "--file=%s", dump->folder.partial));
	}
	struct exec_ask ask = pg_tool(step, NULL, argv);
	ask.stream_out = !dump->to_folder;
	return ask;
}

static enum verdict
start_dump(struct step *step)
{
	struct exec_ask ask = command(step);
	/* It reads: what it prints is an effect where it is written. To a folder it
	 * writes itself, under a name that nobody reads yet. */
	return step_exec(step,
		(struct how){.slot = DUMP_SLOT, .reads = true, .title = "pg_dump"}, &ask);
}

static enum verdict
dump_failed(struct step *step, const struct exec_answer *answer)
{
	struct str why = pg_tool_error(step->mem, answer->err);
	bool transient = str_find(why, STR("connection to server")) < why.n
		|| str_find(why, STR("terminating connection")) < why.n;
	if (answer->signal != 0)
		return step_fail(step, ERR_ANSWER, true, "pg_dump was ended by signal %d",
			answer->signal);
	return step_fail(step, ERR_ANSWER, transient, "pg_dump ended with %d: %.*s",
		answer->code, STR_FMT(why));
}

/* ---- where it goes */

static bool
target_of(struct step *step)
{
	struct dump *dump = step->state;
	struct str to = value_get_str(step->in, "to");
	dump->to_s3 = s3_is_place(to);
	dump->to_folder = str_is(value_get_str(step->in, "format"), "directory");
	if (dump->to_s3)
		return s3_place_parse(step->mem, to, &dump->place, step->err);
	dump->path = str_cstr(step->mem, to);
	dump->folder.path = dump->path;
	dump->folder.slot = ASK_SLOT;
	return true;
}

static enum verdict
ask_server(struct step *step, enum phase phase)
{
	struct dump *dump = step->state;
	struct sql_ask ask = pg_ask(step, NULL, server_query);
	ask.read_only = true;
	dump->phase = phase;
	return step_sql(step,
		(struct how){.slot = ASK_SLOT, .reads = true, .title = "ask the server"},
		&ask);
}

static bool
server_seen(struct step *step, const struct event *event, enum verdict *verdict)
{
	struct dump *dump = step->state;
	const struct sql_answer *answer = event->op->answer;
	struct span now;
	if (event->op->err.code != ERR_NONE) {
		*verdict = step_fail_op(step, event->op);
		return false;
	}
	if (strcmp(answer->sqlstate, "00000") != 0 || answer->n_rows != 1) {
		*verdict = step_fail(step, ERR_ANSWER, pg_is_transient(answer->sqlstate),
			"%s: %s", answer->sqlstate,
			answer->message == NULL ? "no row" : answer->message);
		return false;
	}
	struct value rows = pg_rows(step->mem, answer);
	dump->server_version = value_str(value_get_str(&rows.list.items[0], "version"));
	dump->database_bytes = (uint64_t)value_get_int(&rows.list.items[0], "bytes", 0);
	if (!time_parse(value_get_str(&rows.list.items[0], "now"), &now, step->err)) {
		*verdict = STEP_FAIL;
		return false;
	}
	dump->snapshot_at = value_timestamp(now);
	return true;
}

static enum verdict
start_upload(struct step *step)
{
	struct dump *dump = step->state;
	static const char *const names[] = {
		"x-amz-meta-rbx-run", "x-amz-meta-rbx-key", "Content-Type"};
	const char *const values[] = {step->run, step->key, "application/octet-stream"};
	struct header *headers = arena_array(step->mem, struct header, 3);
	for (size_t i = 0; i < 3; i++)
		headers[i] = (struct header){names[i], values[i]};
	upload_begin(&dump->upload, step->mem, dump->place,
		(size_t)value_get_int(step->in, "memory", 32 << 20), dump->database_bytes,
		PARTS_SLOT);
	dump->upload.headers = headers;
	dump->upload.n_headers = 3;
	return STEP_WAIT;
}

static enum verdict
open_file(struct step *step)
{
	struct dump *dump = step->state;
	struct open_ask ask = {.path = dump->path, .write = true};
	dump->phase = OPEN;
	return step_open(
		step, (struct how){.slot = FILE_SLOT, .title = dump->path}, &ask);
}

/* ---- the stream: child -> buffers -> parts or file. Who has no room does not read, and
 * pg_dump waits in its write. */

static enum verdict
read_on(struct step *step)
{
	struct dump *dump = step->state;
	size_t room = PIECE;
	char *to = dump->to_s3 ? upload_room(&dump->upload, &room) : dump->piece;
	if (room == 0 || dump->reading || dump->at_end)
		return STEP_WAIT;
	dump->reading = true;
	return step_read(step, READ_SLOT, DUMP_SLOT, to, room < PIECE ? room : PIECE,
		dump->digest);
}

static enum verdict
start_stream(struct step *step)
{
	struct dump *dump = step->state;
	dump->phase = STREAM;
	dump->digest = digest_new(step->mem);
	if (dump->to_s3)
		start_upload(step);
	else
		dump->piece = arena_alloc(step->mem, PIECE);
	enum verdict verdict = start_dump(step);
	return verdict == STEP_WAIT ? read_on(step) : verdict;
}

static struct value
result_of(struct step *step)
{
	struct dump *dump = step->state;
	struct map_builder result = {.mem = step->mem};
	map_put(&result, "url", value_str(value_get_str(step->in, "to")));
	map_put(&result, "bytes", value_int((int64_t)dump->bytes));
	map_put(&result, "sha256",
		value_str(str_of(dump->sha256 == NULL ? "" : dump->sha256)));
	map_put(&result, "snapshot_at", dump->snapshot_at);
	map_put(&result, "server_version", dump->server_version);
	return map_done(&result);
}

static enum verdict
give_up(struct step *step, struct now now, enum verdict verdict)
{
	struct dump *dump = step->state;
	step_stop(step, DUMP_SLOT);
	return dump->to_s3 ? upload_abort(step, &dump->upload, now, verdict) : verdict;
}

/* Nothing is made whole before pg_dump has ended with 0: a dump that was cut off would
 * look like a good one. */
static enum verdict
finish_if_whole(struct step *step, struct now now)
{
	struct dump *dump = step->state;
	uint8_t sum[SHA256_SIZE];
	if (!dump->at_end || !dump->dumped || dump->sent_end || dump->reading)
		return STEP_WAIT;
	dump->sent_end = true;
	digest_end(dump->digest, sum);
	dump->sha256 = hex_text(step->mem, sum, sizeof sum);
	if (dump->to_s3)
		return upload_finish(step, &dump->upload, now);
	return step_write(step, WRITE_SLOT, FILE_SLOT, (struct str){NULL, 0}, true);
}

static enum verdict
piece_read(struct step *step, const struct event *event)
{
	struct dump *dump = step->state;
	const struct read_answer *answer = event->op->answer;
	dump->reading = false;
	if (event->op->err.code != ERR_NONE)
		return give_up(step, event->now, step_fail_op(step, event->op));
	dump->at_end = answer->end;
	dump->bytes += answer->got;
	step_progress(step, dump->bytes, 0, "B");
	if (answer->got == 0)
		return STEP_WAIT;
	if (dump->to_s3)
		return upload_filled(step, &dump->upload, event->now, answer->got);
	dump->reading = true; /* the piece is free when it was written */
	return step_write(step, WRITE_SLOT, FILE_SLOT,
		(struct str){dump->piece, answer->got}, false);
}

static enum verdict
child_ended(struct step *step, const struct event *event)
{
	struct dump *dump = step->state;
	const struct exec_answer *answer = event->op->answer;
	if (event->op->err.code != ERR_NONE)
		return give_up(step, event->now, step_fail_op(step, event->op));
	if (answer->code != 0 || answer->signal != 0)
		return give_up(step, event->now, dump_failed(step, answer));
	dump->dumped = true;
	return STEP_WAIT;
}

static enum verdict
streamed(struct step *step, const struct event *event)
{
	struct dump *dump = step->state;
	enum verdict verdict = STEP_WAIT;
	if (dump->to_s3 && upload_owns(&dump->upload, event))
		verdict = upload_event(step, &dump->upload, event);
	else if (event->op->slot == READ_SLOT)
		verdict = piece_read(step, event);
	else if (event->op->slot == DUMP_SLOT)
		verdict = child_ended(step, event);
	else if (event->op->err.code != ERR_NONE)
		verdict = give_up(step, event->now, step_fail_op(step, event->op));
	else if (dump->sent_end)
		verdict = STEP_DONE;
	else
		dump->reading = false;
	if (verdict == STEP_DONE)
		return step_done(step, result_of(step));
	if (verdict != STEP_WAIT)
		return verdict;
	if (dump->to_s3 && dump->upload.state == UPLOAD_ABORTING)
		return STEP_WAIT;
	verdict = finish_if_whole(step, event->now);
	return verdict == STEP_WAIT && !dump->sent_end ? read_on(step) : verdict;
}

/* ---- the folder of format directory */

static enum verdict
folder_step(struct step *step, const struct event *event)
{
	struct dump *dump = step->state;
	const struct exec_answer *answer = event->op->answer;
	enum verdict verdict;
	if (dump->phase == FOLDER) {
		dump->phase = FINISH;
		if (event->op->err.code != ERR_NONE)
			return folder_give_up(
				step, &dump->folder, step_fail_op(step, event->op));
		if (answer->code != 0 || answer->signal != 0)
			return folder_give_up(
				step, &dump->folder, dump_failed(step, answer));
		return folder_finish(step, &dump->folder);
	}
	verdict = folder_event(step, &dump->folder, event);
	if (verdict != STEP_DONE)
		return verdict;
	if (dump->phase == CLEAR) {
		dump->phase = FOLDER;
		return start_dump(step);
	}
	dump->bytes = dump->folder.bytes;
	return step_done(step, result_of(step));
}

static enum verdict
go_to_target(struct step *step)
{
	struct dump *dump = step->state;
	if (dump->to_s3)
		return start_stream(step);
	if (!dump->to_folder)
		return open_file(step);
	dump->phase = CLEAR;
	return folder_begin(step, &dump->folder);
}

static enum verdict
start(struct step *step, struct now now)
{
	struct dump *dump = step->state;
	if (!target_of(step))
		return STEP_FAIL;
	dump->phase = CLEAN;
	enum verdict verdict =
		dump->to_s3 ? multipart_abort_saved(step, now, ASK_SLOT) : STEP_DONE;
	return verdict == STEP_DONE ? ask_server(step, SERVER) : verdict;
}

static enum verdict
cancelled(struct step *step, const struct event *event)
{
	struct dump *dump = step->state;
	step_fail(step, ERR_CANCELLED, false, "cancelled");
	enum verdict verdict =
		dump->sent_end
			|| (dump->phase == FINISH && dump->folder.state == FOLDER_MOVE)
		? STEP_DOUBT
		: STEP_FAIL;
	if (dump->phase == STREAM && dump->to_s3)
		return upload_cancel(step, &dump->upload, event->now, verdict);
	return verdict;
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct dump *dump = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return cancelled(step, event);
	switch (dump->phase) {
	case START:
		return start(step, event->now);
	case CLEAN: /* gone or never there: both are fine */
		return ask_server(step, SERVER);
	case SERVER:
		return server_seen(step, event, &verdict) ? go_to_target(step) : verdict;
	case OPEN:
		return event->op->err.code != ERR_NONE ? step_fail_op(step, event->op)
						       : start_stream(step);
	case STREAM:
		return streamed(step, event);
	case CLEAR: case FOLDER: case FINISH:
		return folder_step(step, event);
	case ROOM:
		break;
	}
	return STEP_WAIT;
}

/* ---- preview: the server answers, the tool is there, and so is room at the target */

static enum verdict
previewed(struct step *step)
{
	struct dump *dump = step->state;
	const struct room *room = &dump->room;
	struct map_builder after = {.mem = step->mem}, result = {.mem = step->mem};
	map_put(&after, "exists", value_bool(true));
	map_put(&after, "dump_of", value_str(value_get_str(step->in, "db")));
	map_put(&after, "database_bytes", value_int((int64_t)dump->database_bytes));
	map_put(&after, "server_version", dump->server_version);
	if (room->free >= 0)
		map_put(&after, "free_at_target", value_int(room->free));
	if (room->free >= 0 && (uint64_t)room->free < dump->database_bytes)
		step_note(step,
			"%lld bytes are free at the target, and the database has %llu: a "
			"dump that is not much smaller will not fit",
			(long long)room->free, (unsigned long long)dump->database_bytes);
	map_put(&result, "before", room->before);
	map_put(&result, "after", map_done(&after));
	return step_done(step, map_done(&result));
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	struct dump *dump = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return target_of(step) ? ask_server(step, SERVER) : STEP_FAIL;
	if (dump->phase == ROOM) {
		verdict = room_event(step, &dump->room, event);
		return verdict == STEP_DONE ? previewed(step) : verdict;
	}
	if (!server_seen(step, event, &verdict))
		return verdict;
	dump->phase = ROOM;
	dump->room = (struct room){.path = dump->to_s3 ? NULL : dump->path,
		.place = &dump->place,
		.server_version = dump->server_version.str,
		.slot = ASK_SLOT};
	return room_look(step, &dump->room);
}
