#include "shared.h"
#include "../steps/pg/pg.h"

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = connection_fields},
	{.name = "password", .type = FIELD_SECRET, .help = "else from ~/.pgpass"},
	{.name = "from", .type = FIELD_OBJECT, .flags = FIELD_SPREAD, .fields = connection_fields,
	 .help = "a connection; what is given beside it wins"},
	{.name = "query", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "one statement"},
	{.name = "params", .type = FIELD_LIST, .each = FIELD_DATA, .help = "its $1, $2, …"},
	{.name = "max_rows", .type = FIELD_INT, .otherwise = "1000", .least = 1, .most = 1000000,
	 .help = "more is an error"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "rows", .type = FIELD_LIST, .each = FIELD_MAP, .help = "what it gave"},
	{.name = "count", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "of rows"},
	{.name = "code", .type = FIELD_TEXT, .help = "SQLSTATE, 00000 on success"},
	{.name = NULL},
};

static step_fn run;

const struct step_type sql_check_type = {
	.name = "sql_check",
	.summary = "run a query in a read-only transaction",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 30 * NS_S,
	.is_check = true,
	.takes_accept = true,
	.run = run,
};

static enum verdict
ask(struct step *step)
{
	struct sql_ask ask =
		pg_ask(step, NULL, str_cstr(step->mem, value_get_str(step->in, "query")));
	ask.params = pg_params(step->mem, value_get(step->in, "params"), &ask.n_params);
	ask.read_only = true;
	ask.most_rows = (size_t)value_get_int(step->in, "max_rows", 1000);
	return step_sql(step, (struct how){.reads = true, .title = "query"}, &ask);
}

/* A query that the server refuses is an answer: the check does not hold. One that it
 * could not carry out now is unknown. */
static enum verdict
run(struct step *step, const struct event *event)
{
	if (event->kind == EV_START)
		return ask(step);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	const struct sql_answer *answer = event->op->answer;
	bool refused = strcmp(answer->sqlstate, "00000") != 0;
	if (refused && !step_accepts(step, str_of(answer->sqlstate))) {
		if (pg_is_transient(answer->sqlstate))
			return step_fail(step, ERR_CONNECT, true, "%s: %s",
				answer->sqlstate, answer->message);
		return step_fail(step, ERR_VALUE, false, "%s: %s", answer->sqlstate,
			answer->message);
	}
	return step_done(step, pg_result(step->mem, answer));
}
