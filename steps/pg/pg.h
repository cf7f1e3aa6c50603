/* What steps share that speak to PostgreSQL: the connection as the step's arguments give
 * it, for SQL and for the tools of PostgreSQL; rows as values; which errors pass. */
#ifndef STEPS_PG_PG_H
#define STEPS_PG_PG_H

#include "run/step.h"

/* Keywords for struct sql_ask, the password apart. `database` NULL: the step's own.
 * sslmode, where it is not given, is verify-full, on loopback and sockets disable. */
struct sql_ask pg_ask(struct step *step, const char *database, const char *text);

/* For pg_dump, pg_restore and psql: the connection goes by PG… variables and a
 * PGPASSFILE, so that no value can be taken for an option or for a connection string, and
 * no password stands in argv or the environment. */
struct exec_ask pg_tool(struct step *step, const char *database, const char *const *argv);

/* `params` of a statement as text for the server, NULL for null; *n of them. */
const char *const *pg_params(struct arena *mem, const struct value *params, size_t *n);

/* The rows of an answer: int, double, bool, json as data, times as RFC 3339, the rest as
 * text. */
struct value pg_rows(struct arena *mem, const struct sql_answer *answer);

/* {rows, count, code} */
struct value pg_result(struct arena *mem, const struct sql_answer *answer);

/* Whether a statement that failed so may go well in a moment: SQLSTATE classes 08 (but
 * 08P01, which is about what was sent), 40, 53, 57P and 55006, 55P03. */
bool pg_is_transient(const char *sqlstate);

/* The last words of a tool on standard error that are an error, for a message: one line,
 * without its name, the detail in brackets. */
struct str pg_tool_error(struct arena *mem, struct str text);

bool pg_name_is_good(struct str name); /* of a database that rbx makes: no NUL, at most 63
					  bytes, not empty */
char *pg_quote(struct arena *mem, struct str name);   /* "name" with quotes doubled */

#endif
