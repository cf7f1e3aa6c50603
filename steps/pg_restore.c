#include "shared.h"
#include "../steps/pg/database.h"
#include "../steps/pg/feed.h"
#include "../steps/pg/pg.h"
#include "../steps/pg/source.h"
#include "../steps/pg/spool.h"

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

/* What one row cannot say: rbx makes databases of good names only. */
static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *db = value_get(args, "db");
	size_t errors = diags->errors;
	if (value_get_bool(args, "create", false) && db != NULL && db->kind == V_STRING
		&& !pg_name_is_good(db->str))
		diag_error(diags, value_mark(db), "'%.*s' is no name for a database",
			STR_FMT(db->str));
	return diags->errors == errors;
}

enum { TOOL_SLOT, SOURCE_SLOT, READ_SLOT, WRITE_SLOT, FILE_SLOT, ASK_SLOT, SLOTS };
enum phase { START, SOURCE, LOOK, FETCH, MAKE, STREAM, TOOL, REMOVE };

struct restore {
	enum phase phase;
	struct pg_source source;
	struct pg_database database;
	struct spool spool;
	struct feed feed;
	const char *file; /* that the tool reads by its path; NULL: it is streamed */
	bool tool_runs;
	const struct exec_answer *ended;
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
	.leftover = spool_leftover,
	.sweep = spool_sweep,
};

static bool
makes_database(const struct step *step)
{
	return value_get_bool(step->in, "create", false);
}

/* Several jobs seek in the dump, each for itself. */
static bool
needs_file(struct step *step)
{
	struct restore *restore = step->state;
	return restore->source.on_s3 && value_get_int(step->in, "jobs", 1) > 1;
}

/* ---- the dump */

static enum verdict
look_at_source(struct step *step, struct now now)
{
	struct restore *restore = step->state;
	restore->phase = SOURCE;
	restore->source.ask_slot = ASK_SLOT;
	restore->source.open_slot = SOURCE_SLOT;
	restore->source.read_slot = READ_SLOT;
	restore->source.tool_slot = TOOL_SLOT;
	restore->database.slot = ASK_SLOT;
	restore->database.name = str_cstr(step->mem, value_get_str(step->in, "db"));
	return source_look(step, &restore->source, now);
}

static bool
is_asked(const struct step *step, const char *name)
{
	const struct value *v = value_get(step->in, name);
	return v != NULL
		&& ((v->kind == V_BOOL && v->b) || (v->kind == V_INT && v->i > 1)
			|| (v->kind == V_LIST && v->list.n > 0));
}

/* psql carries a script out as it stands: what would be left out of an archive, dropped
 * before or gone past cannot be. Nor can several jobs read a tar archive. */
static bool
suits(struct step *step)
{
	struct restore *restore = step->state;
	static const char *const names[] = {
		"clean", "jobs", "schemas", "tables", "ignore"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		bool jobs = i == 1;
		if (!is_asked(step, names[i])
			|| !(restore->source.is_script
				|| (jobs && restore->source.is_tar)))
			continue;
		step_fail(step, ERR_VALUE, false, "%.*s is %s: '%s' is not for it",
			STR_FMT(restore->source.from),
			restore->source.is_script ? "a script of SQL" : "a tar archive",
			names[i]);
		err_hint(step->err, "leave it out, or make the dump with format: custom");
		return false;
	}
	return true;
}

/* ---- the tool */

static const char *
connection_word(struct step *step)
{
	struct restore *restore = step->state;
	struct buf word = buf_in(step->mem);
	buf_puts(&word, "--dbname=dbname='");
	for (const char *p = restore->database.name; *p != '\0'; p++) {
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
	argv[n++] = "--strict-names"; /* one that is not in the dump is an error */
	argv[n] = restore->file;
	return argv;
}

static const char *const script_words[] = {"psql", "--no-password", "--no-psqlrc",
	"--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null",
	"--file=-", NULL};

static enum verdict
start_tool(struct step *step)
{
	struct restore *restore = step->state;
	struct exec_ask ask = pg_tool(step, restore->database.name,
		restore->source.is_script ? script_words : restore_words(step));
	ask.stream_in = restore->file == NULL;
	restore->tool_runs = true;
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
	bool well = ended->code == 0 && ended->signal == 0;
	if (!well
		&& !(ended->code == 1 && ended->signal == 0
			&& errors_are_harmless(step, &ignored))) {
		struct str why = pg_tool_error(step->mem, ended->err);
		step_fail(step, ERR_ANSWER, false, "%s ended with %d: %.*s",
			restore->source.is_script ? "psql" : "pg_restore",
			ended->signal != 0 ? 128 + ended->signal : ended->code,
			STR_FMT(why));
		return STEP_PARTIAL;
	}
	map_put(&result, "bytes", value_int((int64_t)restore->source.bytes));
	map_put(&result, "ignored", list_done(&ignored));
	return step_done(step, map_done(&result));
}

/* ---- streamed into the tool */

static enum verdict
start_stream(struct step *step, struct now now)
{
	struct restore *restore = step->state;
	restore->phase = STREAM;
	restore->feed.source_slot = SOURCE_SLOT;
	restore->feed.read_slot = READ_SLOT;
	restore->feed.write_slot = WRITE_SLOT;
	restore->feed.tool_slot = TOOL_SLOT;
	restore->feed.expected = restore->source.bytes;
	restore->feed.is_script = restore->source.is_script;
	enum verdict verdict = source_open(step, &restore->source, now);
	return verdict == STEP_WAIT && restore->source.on_s3
		? feed_begin(step, &restore->feed)
		: verdict;
}

static enum verdict
source_failed(struct step *step)
{
	struct restore *restore = step->state;
	*step->err = restore->feed.error;
	err_wrap(step->err, "the dump could not be read to its end");
	return restore->database.changed || restore->tool_runs ? STEP_PARTIAL : STEP_FAIL;
}

static enum verdict
source_answered(struct step *step, const struct op *op)
{
	struct restore *restore = step->state;
	if (!source_opened(step, &restore->source, op)) {
		struct err err = *step->err;
		feed_failed(&restore->feed, &err);
	} else {
		feed_answered(&restore->feed);
	}
	if (!restore->source.on_s3 && restore->feed.error.code == ERR_NONE)
		return feed_begin(step, &restore->feed);
	return STEP_WAIT;
}

static enum verdict
streamed(struct step *step, const struct event *event)
{
	struct restore *restore = step->state;
	struct feed *feed = &restore->feed;
	enum verdict verdict = STEP_WAIT;
	if (event->op->slot == SOURCE_SLOT)
		verdict = source_answered(step, event->op);
	if (verdict == STEP_WAIT)
		verdict = feed_event(step, feed, event);
	if (verdict == STEP_WAIT && feed->error.code != ERR_NONE && !restore->tool_runs)
		return source_failed(step);
	if (verdict == STEP_WAIT && feed->has_begun && !restore->tool_runs) {
		verdict = start_tool(step);
		return verdict == STEP_WAIT ? feed_tool(step, feed) : verdict;
	}
	if (verdict != STEP_DONE)
		return verdict;
	restore->ended = feed->ended;
	return feed->error.code != ERR_NONE ? source_failed(step) : judge(step);
}

/* ---- fetched first, for several jobs */

static enum verdict
start_fetch(struct step *step)
{
	struct restore *restore = step->state;
	struct fetch *fetch = &restore->spool.fetch;
	restore->phase = FETCH;
	fetch->place = restore->source.place;
	fetch->object = restore->source.object;
	fetch->get_slot = SOURCE_SLOT;
	fetch->read_slot = READ_SLOT;
	fetch->file_slot = FILE_SLOT;
	fetch->write_slot = WRITE_SLOT;
	return spool_begin(step, &restore->spool);
}

/* ---- one thing after the other: nothing is dropped before the dump was seen to be
 * readable, and is here where it has to be */

static enum verdict
restore_now(struct step *step, struct now now)
{
	struct restore *restore = step->state;
	if (restore->file == NULL)
		return start_stream(step, now);
	restore->phase = TOOL;
	return start_tool(step);
}

static enum verdict
make_room(struct step *step, struct now now)
{
	struct restore *restore = step->state;
	if (!makes_database(step))
		return restore_now(step, now);
	restore->phase = MAKE;
	return pg_database_make(step, &restore->database);
}

static enum verdict
source_seen(struct step *step, const struct event *event)
{
	struct restore *restore = step->state;
	enum verdict verdict = source_event(step, &restore->source, event);
	if (verdict != STEP_DONE)
		return verdict;
	if (!restore->source.on_s3 && !restore->source.is_script)
		restore->file = restore->source.path;
	return suits(step) ? STEP_DONE : STEP_FAIL;
}

static enum verdict
tool_ended(struct step *step, const struct op *op)
{
	struct restore *restore = step->state;
	if (op->err.code != ERR_NONE)
		return step_fail_op(step, op);
	restore->ended = op->answer;
	return judge(step);
}

static enum verdict
go_on(struct step *step, const struct event *event)
{
	struct restore *restore = step->state;
	enum verdict verdict;
	switch (restore->phase) {
	case START:
		return look_at_source(step, event->now);
	case SOURCE:
		verdict = source_seen(step, event);
		if (verdict != STEP_DONE)
			return verdict;
		if (makes_database(step)) {
			restore->phase = LOOK;
			return pg_database_look(step, &restore->database);
		}
		return needs_file(step) ? start_fetch(step) : make_room(step, event->now);
	case LOOK:
		verdict = pg_database_event(step, &restore->database, event);
		if (verdict != STEP_DONE)
			return verdict;
		if (!pg_database_may_go(step, &restore->database))
			return STEP_FAIL;
		return needs_file(step) ? start_fetch(step) : make_room(step, event->now);
	case FETCH:
		verdict = spool_event(step, &restore->spool, event);
		if (verdict != STEP_DONE)
			return verdict;
		restore->file = restore->spool.fetch.path;
		return make_room(step, event->now);
	case MAKE:
		verdict = pg_database_event(step, &restore->database, event);
		return verdict == STEP_DONE ? restore_now(step, event->now) : verdict;
	case STREAM:
		return streamed(step, event);
	case TOOL:
		return tool_ended(step, event->op);
	case REMOVE:
		return spool_event(step, &restore->spool, event);
	}
	return STEP_WAIT;
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct restore *restore = step->state;
	enum verdict verdict;
	if (event->kind == EV_CANCEL && restore->phase != REMOVE) {
		step_fail(step, ERR_CANCELLED, false, "cancelled");
		verdict = restore->database.changed || restore->tool_runs ? STEP_DOUBT
									  : STEP_FAIL;
	} else {
		verdict = go_on(step, event);
	}
	if (verdict == STEP_WAIT || !restore->spool.there || restore->phase == REMOVE)
		return verdict;
	restore->phase = REMOVE;
	return spool_remove(step, &restore->spool, verdict);
}

/* ---- preview */

static void
put_if(struct map_builder *map, const char *name, struct str text)
{
	if (text.n > 0)
		map_put(map, name, value_str(text));
}

static struct value
after_of(struct step *step)
{
	struct restore *restore = step->state;
	const struct pg_source *source = &restore->source;
	struct map_builder after = {.mem = step->mem};
	map_put(&after, "database", value_str(str_of(restore->database.name)));
	map_put(&after, "exists", value_bool(true));
	map_put(&after, "restored_from", value_str(source->from));
	map_put(&after, "dump_bytes", value_int((int64_t)source->bytes));
	put_if(&after, "dump_of", source->database);
	put_if(&after, "dumped_at", source->archived_at);
	put_if(&after, "dumped_from_version", source->server_version);
	if (source->entries > 0)
		map_put(&after, "entries", value_int(source->entries));
	if (needs_file(step))
		map_put(&after, "fetched_first_to",
			value_str(str_of(spool_path(step))));
	return map_done(&after);
}

static enum verdict
previewed(struct step *step)
{
	struct restore *restore = step->state;
	const struct pg_database *database = &restore->database;
	struct map_builder before = {.mem = step->mem}, result = {.mem = step->mem};
	if (makes_database(step) && !pg_database_may_go(step, database))
		return STEP_FAIL;
	if (!makes_database(step) && !database->exists) {
		step_fail(step, ERR_NOT_FOUND, false, "there is no database %s",
			database->name);
		err_hint(step->err, "create: true makes it");
		return STEP_FAIL;
	}
	map_put(&before, "database", value_str(str_of(database->name)));
	map_put(&before, "exists", value_bool(database->exists));
	if (database->bytes >= 0)
		map_put(&before, "bytes", value_int(database->bytes));
	put_if(&before, "server_version", str_of(database->server_version));
	map_put(&result, "before", map_done(&before));
	map_put(&result, "after", after_of(step));
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
		return look_at_source(step, event->now);
	if (restore->phase == SOURCE) {
		verdict = source_seen(step, event);
		restore->phase = verdict == STEP_DONE ? LOOK : SOURCE;
		return verdict == STEP_DONE ? pg_database_look(step, &restore->database)
					    : verdict;
	}
	verdict = pg_database_event(step, &restore->database, event);
	return verdict == STEP_DONE ? previewed(step) : verdict;
}
