#include "../steps/pg/source.h"

#include "../steps/pg/pg.h"

enum { HEAD = 256 << 10, KEEP = 16 << 10, MOST_FILES = 1000000 };

static enum verdict
ask_s3(struct step *step, struct pg_source *source, struct now now)
{
	return s3_head(
		step, (struct how){.slot = source->ask_slot}, now, &source->place);
}

enum verdict
source_look(struct step *step, struct pg_source *source, struct now now)
{
	source->state = SOURCE_ASK;
	source->from = value_get_str(step->in, "from");
	source->on_s3 = s3_is_place(source->from);
	if (source->on_s3)
		return s3_place_parse(
			       step->mem, source->from, &source->place, step->err)
			? ask_s3(step, source, now)
			: STEP_FAIL;
	source->path = str_cstr(step->mem, source->from);
	struct file_ask ask = {.what = FILE_STAT, .path = source->path};
	return step_file(step,
		(struct how){.slot = source->ask_slot,
			.reads = true,
			.title = source->path},
		&ask);
}

/* ---- whether it can be read */

static enum verdict
list(struct step *step, struct pg_source *source)
{
	static const char *const version[] = {"psql", "--version", NULL};
	const char **argv = arena_array(step->mem, const char *, 4);
	argv[0] = "pg_restore";
	argv[1] = "--list";
	argv[2] = source->path;
	struct exec_ask ask = {.argv = source->is_script ? version : argv,
		.env = step_child_env(step, NULL, NULL),
		.keep = KEEP};
	if (source->on_s3 && !source->is_script)
		ask.in = (struct str){source->head, source->n_head};
	source->state = SOURCE_LIST;
	return step_exec(step,
		(struct how){.slot = source->tool_slot,
			.reads = true,
			.title = ask.argv[0]},
		&ask);
}

/* What follows `name` in a line "; name: value" of the table of contents. */
static struct str
said(struct str contents, const char *name)
{
	size_t at = str_find(contents, str_of(name));
	if (at == contents.n)
		return (struct str){NULL, 0};
	return str_trim(str_cut(
		str_from(contents, at + strlen(name)), '\n', &(struct str){0}));
}

static enum verdict
listed(struct step *step, struct pg_source *source, const struct op *op)
{
	const struct exec_answer *answer = op->answer;
	if (op->err.code != ERR_NONE) {
		step_fail_op(step, op);
		if (op->err.code == ERR_NOT_FOUND)
			err_hint(step->err,
				"it comes with the client programs of PostgreSQL");
		return STEP_FAIL;
	}
	if (source->is_script && answer->code == 0)
		return STEP_DONE;
	if (answer->code == 0 && answer->signal == 0) {
		source->database = said(answer->out, "dbname: ");
		source->archived_at = said(answer->out, "Archive created at ");
		source->server_version =
			said(answer->out, "Dumped from database version: ");
		str_int(said(answer->out, "TOC Entries: "), &source->entries);
		return STEP_DONE;
	}
	struct str why = pg_tool_error(step->mem, answer->err);
	if (source->on_s3 && source->n_head < source->bytes
		&& str_find(why, STR("end of file")) < why.n)
		return STEP_DONE;
	step_fail(step, ERR_VALUE, false, "%s cannot read %.*s: %.*s",
		source->is_script ? "psql" : "pg_restore", STR_FMT(source->from),
		STR_FMT(why));
	if (str_find(why, STR("unsupported version")) < why.n)
		err_hint(step->err,
			"a newer pg_dump made it: pg_restore must be at least as new");
	return STEP_FAIL;
}

/* ---- how it begins */

/* What pg_dump writes begins with PGDMP, a tar archive has ustar at 257; everything else
 * is a script for psql. */
static void
find_format(struct pg_source *source)
{
	struct str head = {source->head, source->n_head};
	source->is_tar = head.n > 262 && memcmp(head.p + 257, "ustar", 5) == 0;
	source->is_script = !source->is_tar && !str_starts(head, STR("PGDMP"));
}

static enum verdict
ask_head(struct step *step, struct pg_source *source, struct now now)
{
	if (!source->on_s3)
		return source_open(step, source, now);
	struct header *headers = arena_array(step->mem, struct header, 2);
	headers[0] = (struct header){
		"Range", arena_printf(step->mem, "bytes=0-%d", HEAD - 1)};
	headers[1] = (struct header){"If-Match",
		arena_printf(step->mem, "\"%.*s\"", STR_FMT(source->object.etag))};
	struct aws_call call = s3_call(step->mem, &source->place, "GET");
	call.headers = headers;
	call.n_headers = source->object.etag.n > 0 ? 2 : 1;
	source->state = SOURCE_HEAD;
	return aws_send(step,
		(struct how){.slot = source->ask_slot,
			.reads = true,
			.tries = 3,
			.title = "GET (beginning)"},
		now, &call);
}

static enum verdict
head_seen(struct step *step, struct pg_source *source, const struct op *op)
{
	struct aws_error error;
	if (source->on_s3) {
		if (!aws_answered(step, op, true, &error))
			return aws_fail(step, op, &error);
		const struct http_answer *answer = op->answer;
		source->head = (char *)answer->body.p;
		source->n_head = answer->body.n < HEAD ? answer->body.n : HEAD;
	} else {
		if (op->err.code != ERR_NONE)
			return step_fail_op(step, op);
		source->n_head = ((const struct read_answer *)op->answer)->got;
	}
	if (str_starts((struct str){source->head, source->n_head}, STR("\x1f\x8b")))
		return step_fail(step, ERR_VALUE, false,
			"%.*s is packed by gzip, which neither pg_restore nor psql reads",
			STR_FMT(source->from));
	find_format(source);
	return list(step, source);
}

/* ---- whether it is there */

static enum verdict
not_there(struct step *step, const struct pg_source *source)
{
	return step_fail(step, ERR_NOT_FOUND, false, "%.*s is not there",
		STR_FMT(source->from));
}

static enum verdict
object_seen(struct step *step, struct pg_source *source, const struct event *event)
{
	enum verdict verdict;
	if (s3_moved(step, event->op, &source->place))
		return ask_s3(step, source, event->now);
	if (!s3_object_read(step, event->op, &source->object, &verdict))
		return verdict;
	source->bytes = source->object.size;
	return source->object.exists ? STEP_DONE : not_there(step, source);
}

static enum verdict
file_seen(struct step *step, struct pg_source *source, const struct op *op)
{
	const struct file_answer *answer = op->answer;
	if (op->err.code != ERR_NONE && op->err.code != ERR_NOT_FOUND)
		return step_fail_op(step, op);
	if (op->err.code == ERR_NOT_FOUND || !answer->exists)
		return not_there(step, source);
	source->is_folder = answer->is_folder;
	source->bytes = answer->is_folder ? 0 : answer->size;
	return STEP_DONE;
}

static enum verdict
walk(struct step *step, struct pg_source *source)
{
	struct file_ask ask = {
		.what = FILE_WALK, .path = source->path, .most = MOST_FILES};
	source->state = SOURCE_WALK;
	return step_file(step,
		(struct how){.slot = source->ask_slot,
			.reads = true,
			.title = source->path},
		&ask);
}

static enum verdict
walked(struct step *step, struct pg_source *source, const struct op *op)
{
	const struct file_answer *answer = op->answer;
	if (op->err.code != ERR_NONE)
		return step_fail_op(step, op);
	for (size_t i = 0; i < answer->n_entries; i++)
		source->bytes += answer->entries[i].size;
	return list(step, source);
}

static enum verdict
asked(struct step *step, struct pg_source *source, const struct event *event)
{
	enum verdict verdict = source->on_s3 ? object_seen(step, source, event)
					     : file_seen(step, source, event->op);
	if (verdict != STEP_DONE)
		return verdict;
	if (source->is_folder)
		return walk(step, source);
	if (source->bytes == 0)
		return step_fail(step, ERR_VALUE, false, "%.*s is empty: no dump is",
			STR_FMT(source->from));
	return ask_head(step, source, event->now);
}

enum verdict
source_event(struct step *step, struct pg_source *source, const struct event *event)
{
	const struct op *op = event->op;
	switch (source->state) {
	case SOURCE_ASK:
		return asked(step, source, event);
	case SOURCE_WALK:
		return walked(step, source, op);
	case SOURCE_OPEN:
		if (op->err.code != ERR_NONE)
			return step_fail_op(step, op);
		source->head = arena_alloc(step->mem, HEAD);
		source->state = SOURCE_HEAD;
		return step_read(step, source->read_slot, source->open_slot, source->head,
			HEAD, NULL);
	case SOURCE_HEAD:
		return head_seen(step, source, op);
	case SOURCE_LIST:
		break;
	}
	return listed(step, source, op);
}

/* ---- all of it */

enum verdict
source_open(struct step *step, struct pg_source *source, struct now now)
{
	struct open_ask file = {.path = source->path};
	source->state = SOURCE_OPEN;
	if (!source->on_s3)
		return step_open(step,
			(struct how){.slot = source->open_slot,
				.reads = true,
				.title = source->path},
			&file);
	return s3_stream(
		step, source->open_slot, now, &source->place, &source->object);
}

bool
source_opened(struct step *step, const struct pg_source *source, const struct op *op)
{
	struct aws_error error;
	if (source->on_s3)
		return aws_answered(step, op, false, &error);
	if (op->err.code != ERR_NONE)
		step_fail_op(step, op);
	return op->err.code == ERR_NONE;
}
