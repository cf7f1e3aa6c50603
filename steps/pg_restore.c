#include "shared.h"
#include "../steps/aws/s3.h"
#include "../steps/pg/pg.h"

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = connection_fields},
	{.name = "password", .type = FIELD_SECRET, .help = "else from ~/.pgpass"},
	{.name = "to", .type = FIELD_OBJECT, .flags = FIELD_SPREAD, .fields = connection_fields,
	 .help = "a connection; what is given beside it wins"},
	{.name = "from", .type = FIELD_PLACE, .flags = FIELD_REQUIRED,
	 .help = "the dump; the format is found out, directory from a path only"},
	{.name = "create", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "make the database first; one that exists is replaced only if rbx made it"},
	{.name = "clean", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "drop each object that exists before making it"},
	{.name = "jobs", .type = FIELD_INT, .otherwise = "1", .least = 1, .most = 64,
	 .help = "more than 1 needs a file: an object on S3 is fetched first"},
	{.name = "schemas", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "only these"},
	{.name = "tables", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "only these"},
	{.name = "owner", .type = FIELD_BOOL, .otherwise = "false", .help = "restore owners as well"},
	{.name = "privileges", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "restore privileges as well"},
	{.name = "ignore", .type = FIELD_LIST, .each = FIELD_REGEX,
	 .help = "errors of pg_restore that are harmless; any other fails the step"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "of the dump"},
	{.name = "ignored", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_OUTPUT,
	 .help = "errors that were harmless"},
	{.name = NULL},
};

static enum effect
effect_of(const struct value *args)
{
	bool again = value_get_bool(args, "create", false)
		|| value_get_bool(args, "clean", false);
	return again ? IDEMPOTENT : ONCE;
}

/* What one row cannot say: several jobs need a file in which they can seek, and rbx makes
 * databases of good names only. */
static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *from = value_get(args, "from"),
			   *jobs = value_get(args, "jobs"), *db = value_get(args, "db");
	size_t errors = diags->errors;
	if (jobs != NULL && jobs->kind == V_INT && jobs->i > 1 && from != NULL
		&& from->kind == V_STRING && s3_is_place(from->str))
		err_hint(diag_error(diags, value_mark(jobs),
				 "several jobs need a file, and %.*s is streamed",
				 STR_FMT(from->str)),
			"fetch it first with s3_get, and give its path");
	if (value_get_bool(args, "create", false) && db != NULL && db->kind == V_STRING
		&& !pg_name_is_good(db->str))
		diag_error(diags, value_mark(db), "'%.*s' is no name for a database",
			STR_FMT(db->str));
	return diags->errors == errors;
}

enum { TOOL_SLOT, SOURCE_SLOT, READ_SLOT, WRITE_SLOT, ASK_SLOT, SLOTS };
enum { PIECE = 256 << 10 };
enum phase { START, SOURCE, OPEN, MAGIC, LOOK, CLEAR, DROP, CREATE, COMMENT, RENAME, STREAM };

struct restore {
	enum phase phase;
	bool from_s3, is_folder, is_plain;
	struct s3_place place;
	const char *path, *database;
	char *piece;
	size_t got; /* bytes of the piece that are not yet written */
	uint64_t bytes, expected;
	bool reading, writing, at_end, answered, closed, tool_runs, changed;
	bool exists, is_ours, half_made;              /* the database */
	const struct exec_answer *ended;
	struct err source_error;
};

static step_fn preview, run;

/* Credentials are fetched only for a place on S3. */
static bool
is_on_s3(const struct value *args)
{
	return str_starts(value_get_str(args, "from"), STR("s3://"));
}

const struct step_type pg_restore_type = {
	.name = "pg_restore",
	.summary = "restore a dump into a database",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = 2 * NS_H,
	.uses = &aws_credentials,
	.uses_if = is_on_s3,
	.state = sizeof(struct restore),
	.slots = SLOTS,
	.check = check,
	.preview = preview,
	.run = run,
};

static const char look_query[] =
	"select shobj_description(oid, 'pg_database'), datname = $2 from pg_database "
	"where datname in ($1, $2)";
static const char our_mark[] = "made by rbx";

/* ---- the dump */

static enum verdict
ask_source(struct step *step, struct now now)
{
	struct restore *restore = step->state;
	struct str from = value_get_str(step->in, "from");
	restore->phase = SOURCE;
	restore->database = str_cstr(step->mem, value_get_str(step->in, "db"));
	restore->from_s3 = s3_is_place(from);
	if (restore->from_s3)
		return s3_place_parse(step->mem, from, &restore->place, step->err)
			? s3_head(step, (struct how){.slot = ASK_SLOT}, now,
				  &restore->place)
			: STEP_FAIL;
	restore->path = str_cstr(step->mem, from);
	struct file_ask ask = {.what = FILE_STAT, .path = restore->path};
	return step_file(step,
		(struct how){.slot = ASK_SLOT, .reads = true, .title = restore->path},
		&ask);
}

static bool
source_seen(struct step *step, const struct event *event, enum verdict *verdict)
{
	struct restore *restore = step->state;
	struct s3_object object;
	bool exists;
	if (restore->from_s3) {
		if (s3_moved(step, event->op, &restore->place)) {
			*verdict = s3_head(step, (struct how){.slot = ASK_SLOT},
				event->now, &restore->place);
			return false;
		}
		if (!s3_object_read(step, event->op, &object, verdict))
			return false;
		exists = object.exists;
		restore->expected = object.size;
	} else {
		const struct file_answer *answer = event->op->answer;
		exists = event->op->err.code == ERR_NONE && answer->exists;
		restore->is_folder = exists && answer->is_folder;
		restore->expected = exists ? answer->size : 0;
	}
	if (!exists)
		*verdict = step_fail(step, ERR_NOT_FOUND, false, "%.*s is not there",
			STR_FMT(value_get_str(step->in, "from")));
	return exists;
}

/* What pg_dump writes begins with PGDMP, a tar archive has ustar at 257; everything else
 * is a script for psql. */
static void
find_format(struct restore *restore)
{
	struct str head = {restore->piece, restore->got};
	bool tar = head.n > 262 && memcmp(head.p + 257, "ustar", 5) == 0;
	restore->is_plain = !tar && !str_starts(head, STR("PGDMP"));
}

/* ---- the database: made under a name of this step's own, marked, then named as it
 * shall be. So a database of that name is always marked, and what a crash left half made
 * is known by its name. */

static const char *
half_name(struct step *step)
{
	return arena_printf(step->mem, "rbx_%.24s", step->key);
}

static enum verdict
sql(struct step *step, enum phase phase, const char *text)
{
	struct restore *restore = step->state;
	struct sql_ask ask = pg_ask(step, "postgres", text);
	if (phase == LOOK) {
		const char **params = arena_array(step->mem, const char *, 2);
		params[0] = restore->database;
		params[1] = half_name(step);
		ask.params = params;
		ask.n_params = 2;
		ask.read_only = true;
	}
	restore->phase = phase;
	return step_sql(step,
		(struct how){
			.slot = ASK_SLOT, .reads = phase == LOOK, .title = "database"},
		&ask);
}

/* false: the operation failed or the server refused; end with *verdict. */
static bool
sql_went_well(struct step *step, const struct event *event, enum verdict *verdict)
{
	struct restore *restore = step->state;
	const struct sql_answer *answer = event->op->answer;
	if (event->op->err.code != ERR_NONE)
		*verdict = step_fail_op(step, event->op);
	else if (strcmp(answer->sqlstate, "00000") != 0)
		*verdict = step_fail(step, ERR_ANSWER, pg_is_transient(answer->sqlstate),
			"%s: %s", answer->sqlstate, answer->message);
	else
		return true;
	if (restore->changed && *verdict == STEP_FAIL)
		*verdict = STEP_PARTIAL;
	return false;
}

static void
database_seen(struct restore *restore, const struct sql_answer *answer)
{
	for (size_t i = 0; i < answer->n_rows; i++) {
		const struct sql_row *row = &answer->rows[i];
		if (str_is(row->cells[1], "t")) {
			restore->half_made = true;
			continue;
		}
		restore->exists = true;
		restore->is_ours = !row->nulls[0] && str_starts(row->cells[0], str_of(our_mark));
	}
}

static const char *
quoted(struct step *step)
{
	struct restore *restore = step->state;
	return pg_quote(step->mem, str_of(restore->database));
}

static enum verdict
create_database(struct step *step)
{
	struct restore *restore = step->state;
	restore->changed = true;
	return sql(step, CREATE,
		arena_printf(step->mem, "create database %s template template0",
			half_name(step)));
}

static enum verdict
drop_database(struct step *step, enum phase phase, const char *name)
{
	struct restore *restore = step->state;
	restore->changed = true;
	return sql(step, phase,
		arena_printf(step->mem, "drop database %s with (force)", name));
}

static enum verdict
make_room(struct step *step)
{
	struct restore *restore = step->state;
	if (restore->half_made) {
		restore->half_made = false;
		return drop_database(step, CLEAR, half_name(step));
	}
	if (!restore->exists)
		return create_database(step);
	if (restore->is_ours)
		return drop_database(step, DROP, quoted(step));
	step_fail(step, ERR_EXISTS, false, "database %s exists, and rbx did not make it",
		restore->database);
	err_hint(
		step->err, "choose another name, or drop it yourself if nobody needs it");
	return STEP_FAIL;
}

static enum verdict
mark_database(struct step *step)
{
	return sql(step, COMMENT,
		arena_printf(step->mem, "comment on database %s is '%s: run %s'",
			half_name(step), our_mark, step->run));
}

static enum verdict
name_database(struct step *step)
{
	return sql(step, RENAME,
		arena_printf(step->mem, "alter database %s rename to %s", half_name(step),
			quoted(step)));
}

/* ---- the tool */

static const char *
connection_word(struct step *step)
{
	struct restore *restore = step->state;
	struct buf word = buf_in(step->mem);
	buf_puts(&word, "--dbname=dbname='");
	for (const char *p = restore->database; *p != '\0'; p++) {
		if (*p == '\'' || *p == '\\')
			buf_putc(&word, '\\');
		buf_putc(&word, *p);
	}
	buf_putc(&word, '\'');
	return word.p;
}

static size_t
add_list(struct step *step, const char **argv, size_t n, const char *option,
	const char *name)
{
	const struct value *list = value_get(step->in, name);
	for (size_t i = 0;
		list != NULL && list->kind == V_LIST && i < list->list.n && n < 250; i++)
		argv[n++] = arena_printf(
			step->mem, "--%s=%.*s", option, STR_FMT(list->list.items[i].str));
	return n;
}

static const char *const *
restore_words(struct step *step)
{
	struct restore *restore = step->state;
	const char **argv = arena_array(step->mem, const char *, 256);
	const struct value *ignore = value_get(step->in, "ignore");
	int64_t jobs = value_get_int(step->in, "jobs", 1);
	size_t n = 0;
	argv[n++] = "pg_restore";
	argv[n++] = "--no-password";
	argv[n++] = connection_word(step);
	if (!value_get_bool(step->in, "owner", false))
		argv[n++] = "--no-owner";
	if (!value_get_bool(step->in, "privileges", false))
		argv[n++] = "--no-privileges";
	if (ignore == NULL || ignore->kind != V_LIST || ignore->list.n == 0)
		argv[n++] = "--exit-on-error";
	if (value_get_bool(step->in, "clean", false)) {
		argv[n++] = "--clean";
		argv[n++] = "--if-exists";
	}
	if (jobs > 1)
		argv[n++] = arena_printf(step->mem, "--jobs=%lld", (long long)jobs);
	n = add_list(step, argv, n, "schema", "schemas");
	n = add_list(step, argv, n, "table", "tables");
	if (!restore->from_s3)
		argv[n++] = restore->path;
	return argv;
}

static const char *const *
script_words(struct step *step)
{
	struct restore *restore = step->state;
	static const char *const words[] = {"psql", "--no-password", "--no-psqlrc",
		"--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
		"--output=/dev/null"};
	size_t n = sizeof words / sizeof words[0];
	const char **argv = arena_array(step->mem, const char *, n + 2);
	memcpy(argv, words, sizeof words);
	if (!restore->from_s3)
		argv[n] = arena_printf(step->mem, "--file=%s", restore->path);
	return argv;
}

static enum verdict
start_tool(struct step *step)
{
	struct restore *restore = step->state;
	struct exec_ask ask = pg_tool(step, restore->database,
		restore->is_plain ? script_words(step) : restore_words(step));
	ask.stream_in = restore->from_s3;
	restore->tool_runs = restore->changed = true;
	return step_exec(
		step, (struct how){.slot = TOOL_SLOT, .title = ask.argv[0]}, &ask);
}

/* pg_restore ends with 1 for any error that it went past: harmless are those that the
 * author named. */
static bool
errors_are_harmless(struct step *step, struct list_builder *ignored)
{
	struct restore *restore = step->state;
	const struct value *patterns = value_get(step->in, "ignore");
	size_t groups[2];
	for (struct str rest = restore->ended->err; rest.n > 0;) {
		struct str line = str_trim(str_cut(rest, '\n', &rest));
		bool harmless = str_find(line, STR("error: ")) == line.n;
		bool is_error = !harmless;
		for (size_t i = 0; !harmless && patterns != NULL && i < patterns->list.n;
			i++) {
			const struct regex *regex;
			if (!regex_compile(step->mem, patterns->list.items[i].str, &regex,
				    step->err))
				return false;
			harmless = regex_find(regex, line, 0, groups, 1, step->err);
		}
		if (!harmless)
			return false;
		if (is_error)
			list_push(ignored, value_str(line));
	}
	return ignored->n > 0 && !restore->ended->cut;
}

static enum verdict
judge(struct step *step)
{
	struct restore *restore = step->state;
	const struct exec_answer *ended = restore->ended;
	struct list_builder ignored = {.mem = step->mem};
	struct map_builder result = {.mem = step->mem};
	if (restore->source_error.code != ERR_NONE) {
		*step->err = restore->source_error;
		err_wrap(step->err, "the dump could not be read to its end");
		return STEP_PARTIAL;
	}
	bool well = ended->code == 0 && ended->signal == 0;
	if (!well
		&& !(ended->code == 1 && ended->signal == 0
			&& errors_are_harmless(step, &ignored))) {
		struct str why = pg_tool_error(ended->err);
		step_fail(step, ERR_ANSWER, false, "%s ended with %d: %.*s",
			restore->is_plain ? "psql" : "pg_restore",
			ended->signal != 0 ? 128 + ended->signal : ended->code,
			STR_FMT(why));
		return STEP_PARTIAL;
	}
	map_put(&result, "bytes",
		value_int((
			int64_t)(restore->from_s3 ? restore->bytes : restore->expected)));
	map_put(&result, "ignored", list_done(&ignored));
	return step_done(step, map_done(&result));
}

/* ---- the stream from S3: the first piece says which tool */

static enum verdict
read_on(struct step *step)
{
	struct restore *restore = step->state;
	if (restore->reading || restore->writing || restore->at_end
		|| restore->ended != NULL)
		return STEP_WAIT;
	restore->reading = true;
	return step_read(step, READ_SLOT, SOURCE_SLOT, restore->piece, PIECE, NULL);
}

static enum verdict
start_stream(struct step *step, struct now now)
{
	struct restore *restore = step->state;
	struct aws_call call = s3_call(step->mem, &restore->place, "GET");
	call.stream_out = true;
	struct how how = {.slot = SOURCE_SLOT,
		.reads = true,
		.title = arena_printf(step->mem, "GET s3://%s/%.*s",
			restore->place.bucket, STR_FMT(restore->place.key))};
	restore->phase = STREAM;
	restore->piece = arena_alloc(step->mem, PIECE);
	enum verdict verdict = aws_send(step, how, now, &call);
	return verdict == STEP_WAIT ? read_on(step) : verdict;
}

static enum verdict
piece_read(struct step *step, const struct event *event)
{
	struct restore *restore = step->state;
	const struct read_answer *answer = event->op->answer;
	restore->reading = false;
	if (event->op->err.code != ERR_NONE) {
		restore->source_error = event->op->err;
		restore->at_end = true;
		return STEP_WAIT;
	}
	restore->got = answer->got;
	restore->bytes += answer->got;
	restore->at_end = answer->end;
	step_progress(step, restore->bytes, restore->expected, "B");
	if (!restore->tool_runs) {
		find_format(restore);
		enum verdict verdict = start_tool(step);
		if (verdict != STEP_WAIT)
			return verdict;
	}
	if (restore->got == 0)
		return STEP_WAIT;
	restore->writing = true;
	return step_write(step, WRITE_SLOT, TOOL_SLOT,
		(struct str){restore->piece, restore->got}, false);
}

/* A source that broke off must not look like an end to the tool: it is stopped, not
 * closed. */
static enum verdict
close_tool(struct step *step)
{
	struct restore *restore = step->state;
	if (!restore->at_end || !restore->answered || restore->writing || restore->closed
		|| restore->ended != NULL)
		return STEP_WAIT;
	restore->closed = true;
	if (restore->source_error.code == ERR_NONE && restore->bytes != restore->expected)
		err_set(&restore->source_error, ERR_PROTOCOL, "%llu bytes came of %llu",
			(unsigned long long)restore->bytes,
			(unsigned long long)restore->expected);
	if (restore->source_error.code != ERR_NONE) {
		step_stop(step, TOOL_SLOT);
		return STEP_WAIT;
	}
	restore->writing = true;
	return step_write(step, WRITE_SLOT, TOOL_SLOT, (struct str){NULL, 0}, true);
}

static enum verdict
streamed(struct step *step, const struct event *event)
{
	struct restore *restore = step->state;
	struct aws_error error;
	enum verdict verdict = STEP_WAIT;
	switch (event->op->slot) {
	case SOURCE_SLOT:
		restore->answered = true;
		if (!aws_answered(step, event->op, false, &error))
			restore->source_error = *step->err;
		break;
	case READ_SLOT:
		verdict = piece_read(step, event);
		break;
	case WRITE_SLOT: /* a write that failed: the tool has ended, and says why */
		restore->writing = false;
		break;
	case TOOL_SLOT:
		if (event->op->err.code != ERR_NONE
			&& restore->source_error.code == ERR_NONE)
			return step_fail_op(step, event->op);
		restore->ended = event->op->answer;
		if (restore->ended == NULL)
			return *step->err = restore->source_error, STEP_PARTIAL;
		return judge(step);
	default:
		break;
	}
	if (verdict == STEP_WAIT)
		verdict = close_tool(step);
	return verdict == STEP_WAIT ? read_on(step) : verdict;
}

/* ---- the path: the tool reads it itself */

static enum verdict
open_path(struct step *step)
{
	struct restore *restore = step->state;
	struct open_ask ask = {.path = restore->path};
	restore->phase = OPEN;
	return step_open(step,
		(struct how){.slot = SOURCE_SLOT, .reads = true, .title = restore->path},
		&ask);
}

static enum verdict
after_source(struct step *step)
{
	if (value_get_bool(step->in, "create", false))
		return sql(step, LOOK, look_query);
	return STEP_DONE;
}

static enum verdict
begin_restore(struct step *step, struct now now)
{
	struct restore *restore = step->state;
	if (restore->from_s3)
		return start_stream(step, now);
	restore->phase = STREAM;
	return start_tool(step);
}

static enum verdict
path_step(struct step *step, const struct event *event)
{
	struct restore *restore = step->state;
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	if (restore->phase == OPEN) {
		restore->piece = arena_alloc(step->mem, PIECE);
		restore->phase = MAGIC;
		return step_read(step, READ_SLOT, SOURCE_SLOT, restore->piece, 512, NULL);
	}
	restore->got = ((const struct read_answer *)event->op->answer)->got;
	find_format(restore);
	return STEP_DONE;
}

static enum verdict
database_step(struct step *step, const struct event *event)
{
	struct restore *restore = step->state;
	enum verdict verdict;
	if (!sql_went_well(step, event, &verdict))
		return verdict;
	switch (restore->phase) {
	case LOOK:
		database_seen(restore, event->op->answer);
		return make_room(step);
	case CLEAR:
		return make_room(step);
	case DROP:
		return create_database(step);
	case CREATE:
		return mark_database(step);
	case COMMENT:
		return name_database(step);
	default:
		return begin_restore(step, event->now);
	}
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct restore *restore = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled"),
		       restore->changed ? STEP_DOUBT : STEP_FAIL;
	switch (restore->phase) {
	case START:
		return ask_source(step, event->now);
	case SOURCE:
		if (!source_seen(step, event, &verdict))
			return verdict;
		verdict = restore->from_s3 || restore->is_folder ? after_source(step)
								 : open_path(step);
		break;
	case OPEN: case MAGIC:
		if (event->op->slot != (restore->phase == OPEN ? SOURCE_SLOT : READ_SLOT))
			return STEP_WAIT;
		verdict = path_step(step, event);
		if (verdict == STEP_DONE)
			verdict = after_source(step);
		break;
	case STREAM:
		return streamed(step, event);
	default:
		return database_step(step, event);
	}
	return verdict == STEP_DONE ? begin_restore(step, event->now) : verdict;
}

/* ---- preview */

static enum verdict
previewed(struct step *step)
{
	struct restore *restore = step->state;
	struct map_builder before = {.mem = step->mem}, after = {.mem = step->mem},
			   result = {.mem = step->mem};
	map_put(&before, "database", value_str(str_of(restore->database)));
	map_put(&before, "exists", value_bool(restore->exists));
	map_put(&after, "database", value_str(str_of(restore->database)));
	map_put(&after, "exists", value_bool(true));
	map_put(&after, "restored_from", value_str(value_get_str(step->in, "from")));
	map_put(&after, "dump_bytes", value_int((int64_t)restore->expected));
	map_put(&result, "before", map_done(&before));
	map_put(&result, "after", map_done(&after));
	return step_done(step, map_done(&result));
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	struct restore *restore = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return ask_source(step, event->now);
	if (restore->phase == SOURCE)
		return source_seen(step, event, &verdict) ? sql(step, LOOK, look_query)
							  : verdict;
	if (!sql_went_well(step, event, &verdict))
		return verdict;
	database_seen(restore, event->op->answer);
	restore->half_made = false;
	if (value_get_bool(step->in, "create", false) && restore->exists
		&& !restore->is_ours)
		return make_room(step);
	return previewed(step);
}
