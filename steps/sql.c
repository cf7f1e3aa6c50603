#include "shared.h"
#include "../steps/pg/pg.h"
#include "../steps/pg/statements.h"

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = connection_fields},
	{.name = "password", .type = FIELD_SECRET, .help = "else from ~/.pgpass"},
	{.name = "from", .type = FIELD_OBJECT, .flags = FIELD_SPREAD, .fields = connection_fields,
	 .help = "a connection; what is given beside it wins"},
	{.name = "query", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "one statement or several"},
	{.name = "file", .type = FIELD_PATH, .flags = FIELD_REQUIRED | FIELD_READ, .either = 1,
	 .help = "a file of statements, instead of query"},
	{.name = "params", .type = FIELD_LIST, .each = FIELD_DATA, .help = "$1, $2, … of one statement"},
	{.name = "transaction", .type = FIELD_BOOL, .otherwise = "true",
	 .help = "all in one, with a row of step.key in rbx_dedup: never carried out twice"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "rows", .type = FIELD_LIST, .each = FIELD_MAP, .help = "of the last statement"},
	{.name = "count", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "of rows"},
	{.name = "code", .type = FIELD_TEXT, .help = "SQLSTATE, 00000 on success"},
	{.name = NULL},
};

static enum effect
effect_of(const struct value *args)
{
	return value_get_bool(args, "transaction", true) ? KEYED : ONCE;
}

static const char dedup_table[] = "create table if not exists rbx_dedup "
	"(key text primary key, at timestamptz not null default now())";
static const char dedup_row[] = "insert into rbx_dedup (key) values ($1)";

enum { MOST_TEXT = 16 << 20 };
enum phase { START, LOAD, TABLE, STATEMENTS, LOOK };

struct change {
	enum phase phase;
	const char *text;
};

/* The row of the key stands for all statements: one that ends the transaction in their
 * middle would keep the row and lose the rest, and the next attempt would take the row
 * for the whole. */
static const char leaves[] = "%.*s ends the transaction in which all statements stand";
static const char leaves_hint[] =
	"leave it out (and BEGIN), or set transaction: false: then it is not repeated";

static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *query = value_get(args, "query");
	if (query == NULL || query->kind != V_STRING
		|| !value_get_bool(args, "transaction", true))
		return true;
	struct str word = statements_end(query->str);
	if (word.n == 0)
		return true;
	err_hint(diag_error(diags, value_mark(query), leaves, STR_FMT(word)), "%s",
		leaves_hint);
	return false;
}

static step_fn preview, probe, run;

const struct step_type sql_type = {
	.name = "sql",
	.summary = "change a database",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = 10 * NS_MIN,
	/* The row of the key is never removed by rbx: the window is as long as the table
	   is kept. */
	.window = 365 * NS_DAY,
	.takes_effect = true,
	.takes_accept = true,
	.state = sizeof(struct change),
	.check = check,
	.preview = preview,
	.probe = probe,
	.run = run,
};

static bool
is_keyed(const struct step *step)
{
	return value_get_bool(step->in, "transaction", true);
}

static enum verdict
send(struct step *step)
{
	struct change *change = step->state;
	struct sql_ask ask = pg_ask(step, NULL, change->text);
	ask.params = pg_params(step->mem, value_get(step->in, "params"), &ask.n_params);
	ask.transaction = is_keyed(step);
	if (ask.transaction) {
		ask.before = dedup_row;
		ask.before_param = step->key;
	}
	change->phase = STATEMENTS;
	return step_sql(step, (struct how){.title = "statements"}, &ask);
}

static enum verdict
begin(struct step *step)
{
	struct change *change = step->state;
	struct sql_ask ask = pg_ask(step, NULL, dedup_table);
	if (!is_keyed(step))
		return send(step);
	struct str word = statements_end(str_of(change->text));
	if (word.n > 0) {
		step_fail(step, ERR_VALUE, false, leaves, STR_FMT(word));
		err_hint(step->err, "%s", leaves_hint);
		return STEP_FAIL;
	}
	change->phase = TABLE;
	return step_sql(step, (struct how){.title = "table rbx_dedup"}, &ask);
}

static enum verdict
load(struct step *step)
{
	struct change *change = step->state;
	struct str query = value_get_str(step->in, "query");
	change->text = str_cstr(step->mem, query);
	if (query.p != NULL)
		return begin(step);
	struct file_ask ask = {.what = FILE_LOAD,
		.path = str_cstr(step->mem, value_get_str(step->in, "file")),
		.most = MOST_TEXT};
	change->phase = LOAD;
	return step_file(step, (struct how){.reads = true, .title = ask.path}, &ask);
}

static enum verdict
loaded(struct step *step, const struct event *event)
{
	struct change *change = step->state;
	const struct file_answer *answer = event->op->answer;
	if (!answer->exists)
		return step_fail(step, ERR_NOT_FOUND, false, "%.*s is not there",
			STR_FMT(value_get_str(step->in, "file")));
	if (!str_is_utf8(answer->bytes)
		|| memchr(answer->bytes.p, '\0', answer->bytes.n) != NULL)
		return step_fail(step, ERR_VALUE, false, "the file is not UTF-8 text");
	change->text = str_cstr(step->mem, answer->bytes);
	return begin(step);
}

/* Two that make the table in one moment: one of them is told so, and it is there. */
static bool
table_is_there(const struct sql_answer *answer)
{
	return strcmp(answer->sqlstate, "00000") == 0
		|| strcmp(answer->sqlstate, "23505") == 0
		|| strcmp(answer->sqlstate, "42P07") == 0;
}

/* Refused before the first statement: too many connections, starting up, shutting down
 * (PostgreSQL, appendix A). */
static bool
never_began(const char *sqlstate)
{
	return strcmp(sqlstate, "53300") == 0 || strcmp(sqlstate, "57P03") == 0
		|| strcmp(sqlstate, "08001") == 0 || strcmp(sqlstate, "08004") == 0;
}

static enum verdict
refused(struct step *step, const struct sql_answer *answer)
{
	const char *state = answer->sqlstate;
	step_fail(step, ERR_ANSWER, pg_is_transient(state), "%s: %s", state,
		answer->message);
	if (strcmp(state, "25001") == 0 && is_keyed(step))
		err_hint(
			step->err, "write `transaction: false`: then it is not repeated");
	/* Outside a transaction of ours the statements before the one that failed may
	 * stand. */
	return is_keyed(step) || never_began(state) ? STEP_FAIL : STEP_PARTIAL;
}

/* The key stands in rbx_dedup already: an attempt before committed, and these statements
 * were not carried out again. */
static bool
is_done_before(const struct sql_answer *answer)
{
	return strcmp(answer->sqlstate, "23505") == 0 && answer->message != NULL
		&& strstr(answer->message, "rbx_dedup") != NULL;
}

static struct value
done_before(struct step *step)
{
	struct map_builder result = {.mem = step->mem};
	map_put(&result, "rows", value_list(NULL, 0));
	map_put(&result, "count", value_int(0));
	map_put(&result, "code", value_str(STR("00000")));
	return map_done(&result);
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct change *change = step->state;
	if (event->kind == EV_START)
		return load(step);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled"),
		       change->phase == STATEMENTS ? STEP_DOUBT : STEP_FAIL;
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	if (change->phase == LOAD)
		return loaded(step, event);
	const struct sql_answer *answer = event->op->answer;
	if (change->phase == TABLE)
		return table_is_there(answer) ? send(step) : refused(step, answer);
	if (is_keyed(step) && is_done_before(answer))
		return step_done(step, done_before(step));
	if (strcmp(answer->sqlstate, "00000") != 0
		&& !step_accepts(step, str_of(answer->sqlstate)))
		return refused(step, answer);
	return step_done(step, pg_result(step->mem, answer));
}

/* It connects, and names the statements. */
static enum verdict
preview(struct step *step, const struct event *event)
{
	struct map_builder before = {.mem = step->mem}, after = {.mem = step->mem},
			   result = {.mem = step->mem};
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START) {
		struct sql_ask ask = pg_ask(step, NULL,
			"select current_database() as database, "
			"current_setting('server_version') as version");
		ask.read_only = true;
		return step_sql(step,
			(struct how){.reads = true, .tries = 2, .title = "connect"},
			&ask);
	}
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	const struct sql_answer *answer = event->op->answer;
	if (strcmp(answer->sqlstate, "00000") != 0)
		return refused(step, answer);
	struct str query = value_get_str(step->in, "query");
	map_put(&before, "database", value_str(value_get_str(step->in, "db")));
	map_put(&after, "database", value_str(value_get_str(step->in, "db")));
	map_put(&after, "statements",
		value_str(query.p != NULL ? query : value_get_str(step->in, "file")));
	map_put(&result, "before", map_done(&before));
	map_put(&result, "after", map_done(&after));
	map_put(&result, "assumed", value_bool(true));
	return step_done(step, map_done(&result));
}

/* Whether the key's row is there. No table: no row. */
static enum verdict
probe(struct step *step, const struct event *event)
{
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled"), STEP_DOUBT;
	if (event->kind == EV_START) {
		struct sql_ask ask =
			pg_ask(step, NULL, "select 1 from rbx_dedup where key = $1");
		const char **params = arena_array(step->mem, const char *, 1);
		params[0] = step->key;
		ask.params = params;
		ask.n_params = 1;
		ask.read_only = true;
		return step_sql(step,
			(struct how){
				.reads = true, .tries = 3, .title = "look the key up"},
			&ask);
	}
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op), STEP_DOUBT;
	const struct sql_answer *answer = event->op->answer;
	if (strcmp(answer->sqlstate, "42P01") == 0
		|| (strcmp(answer->sqlstate, "00000") == 0 && answer->n_rows == 0))
		return STEP_ABSENT;
	if (strcmp(answer->sqlstate, "00000") != 0)
		return refused(step, answer), STEP_DOUBT;
	return step_done(step, done_before(step));
}
