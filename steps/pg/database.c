#include "../steps/pg/database.h"

#include "../steps/pg/pg.h"

static const char look_query[] =
	"select shobj_description(oid, 'pg_database'), datname = $2, "
	"case when has_database_privilege(oid, 'CONNECT') then pg_database_size(oid) end "
	"from pg_database where datname in ($1, $2)";
static const char our_mark[] = "made by rbx";

static const char *
half_name(struct step *step)
{
	return arena_printf(step->mem, "rbx_%.24s", step->key);
}

enum verdict
pg_database_look(struct step *step, struct pg_database *database)
{
	struct sql_ask ask = pg_ask(step, "postgres", look_query);
	const char **params = arena_array(step->mem, const char *, 2);
	params[0] = database->name;
	params[1] = half_name(step);
	ask.params = params;
	ask.n_params = 2;
	ask.read_only = true;
	database->state = DATABASE_LOOK;
	return step_sql(step,
		(struct how){.slot = database->slot, .reads = true, .title = "database"},
		&ask);
}

static enum verdict
change(struct step *step, struct pg_database *database, int state, const char *text)
{
	struct sql_ask ask = pg_ask(step, "postgres", text);
	database->state = state;
	database->changed = true;
	return step_sql(
		step, (struct how){.slot = database->slot, .title = "database"}, &ask);
}

static const char *
quoted(struct step *step, const struct pg_database *database)
{
	return pg_quote(step->mem, str_of(database->name));
}

static enum verdict
create(struct step *step, struct pg_database *database)
{
	return change(step, database, DATABASE_CREATE,
		arena_printf(step->mem, "create database %s template template0",
			half_name(step)));
}

static enum verdict
drop(struct step *step, struct pg_database *database, int state, const char *name)
{
	return change(step, database, state,
		arena_printf(step->mem, "drop database %s with (force)", name));
}

static enum verdict
mark(struct step *step, struct pg_database *database)
{
	return change(step, database, DATABASE_COMMENT,
		arena_printf(step->mem, "comment on database %s is '%s: run %s'",
			half_name(step), our_mark, step->run));
}

static enum verdict
give_name(struct step *step, struct pg_database *database)
{
	return change(step, database, DATABASE_RENAME,
		arena_printf(step->mem, "alter database %s rename to %s", half_name(step),
			quoted(step, database)));
}

bool
pg_database_may_go(struct step *step, const struct pg_database *database)
{
	if (!database->exists || database->is_ours)
		return true;
	step_fail(step, ERR_EXISTS, false, "database %s exists, and rbx did not make it",
		database->name);
	err_hint(
		step->err, "choose another name, or drop it yourself if nobody needs it");
	return false;
}

enum verdict
pg_database_make(struct step *step, struct pg_database *database)
{
	if (!pg_database_may_go(step, database))
		return STEP_FAIL;
	if (database->half_made) {
		database->half_made = false;
		return drop(step, database, DATABASE_CLEAR, half_name(step));
	}
	if (!database->exists)
		return create(step, database);
	return drop(step, database, DATABASE_DROP, quoted(step, database));
}

static void
seen(struct step *step, struct pg_database *database, const struct sql_answer *answer)
{
	database->server_version = arena_strdup(step->mem, answer->server_version);
	database->bytes = -1;
	for (size_t i = 0; i < answer->n_rows; i++) {
		const struct sql_row *row = &answer->rows[i];
		if (str_is(row->cells[1], "t")) {
			database->half_made = true;
			continue;
		}
		database->exists = true;
		database->is_ours =
			!row->nulls[0] && str_starts(row->cells[0], str_of(our_mark));
		if (!row->nulls[2])
			str_int(row->cells[2], &database->bytes);
	}
}

static bool
went_well(struct step *step, const struct pg_database *database,
	const struct event *event, enum verdict *verdict)
{
	const struct sql_answer *answer = event->op->answer;
	if (event->op->err.code != ERR_NONE)
		*verdict = step_fail_op(step, event->op);
	else if (strcmp(answer->sqlstate, "00000") != 0)
		*verdict = step_fail(step, ERR_ANSWER, pg_is_transient(answer->sqlstate),
			"%s: %s", answer->sqlstate, answer->message);
	else
		return true;
	if (database->changed && *verdict == STEP_FAIL)
		*verdict = STEP_PARTIAL;
	return false;
}

enum verdict
pg_database_event(
	struct step *step, struct pg_database *database, const struct event *event)
{
	enum verdict verdict;
	if (!went_well(step, database, event, &verdict))
		return verdict;
	switch (database->state) {
	case DATABASE_LOOK:
		seen(step, database, event->op->answer);
		return STEP_DONE;
	case DATABASE_CLEAR:
		return pg_database_make(step, database);
	case DATABASE_DROP:
		return create(step, database);
	case DATABASE_CREATE:
		return mark(step, database);
	case DATABASE_COMMENT:
		return give_name(step, database);
	case DATABASE_RENAME:
		break;
	}
	return STEP_DONE;
}
