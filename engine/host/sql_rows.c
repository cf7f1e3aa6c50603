#include "host/sql_rows.h"

#include <stdlib.h>

struct sql_rows
sql_rows_in(struct arena *mem, size_t most_rows)
{
	return (struct sql_rows){
		.mem = mem, .most_rows = most_rows, .fresh = true, .sqlstate = "00000"};
}

bool
sql_rows_failed(const struct sql_rows *rows)
{
	return rows->message != NULL;
}

char *
sql_message(struct arena *mem, const char *text)
{
	struct buf out = buf_in(mem);
	for (const char *c = text; *c != '\0'; c++) {
		bool blank = *c == ' ' || *c == '\n' || *c == '\t';
		if (!blank)
			buf_putc(&out, *c);
		else if (out.n > 0 && out.p[out.n - 1] != ' ')
			buf_putc(&out, ' ');
	}
	if (out.n > 0 && out.p[out.n - 1] == ' ')
		buf_cut(&out, out.n - 1);
	return arena_strdup(mem, buf_cstr(&out));
}

static void
begin_statement(struct sql_rows *rows, const PGresult *result)
{
	int n = PQnfields(result);
	rows->fresh = false;
	rows->n = rows->cap = 0;
	rows->rows = NULL;
	rows->affected = 0;
	rows->n_cols = (size_t)n;
	rows->names = arena_array(rows->mem, const char *, (size_t)n);
	rows->types = arena_array(rows->mem, uint32_t, (size_t)n);
	for (int i = 0; i < n; i++) {
		rows->names[i] = arena_strdup(rows->mem, PQfname(result, i));
		rows->types[i] = PQftype(result, i);
	}
}

static bool
add_row(struct sql_rows *rows, const PGresult *result, struct err *err)
{
	if (rows->most_rows > 0 && rows->n >= rows->most_rows)
		return err_set(err, ERR_LIMIT, "the answer has more than %zu rows",
			rows->most_rows);
	struct str *cells = arena_array(rows->mem, struct str, rows->n_cols);
	bool *nulls = arena_array(rows->mem, bool, rows->n_cols);
	for (size_t i = 0; i < rows->n_cols; i++) {
		nulls[i] = PQgetisnull(result, 0, (int)i);
		size_t n = (size_t)PQgetlength(result, 0, (int)i);
		rows->bytes += n + sizeof *cells;
		if (rows->bytes > SQL_MOST_BYTES)
			return err_set(err, ERR_LIMIT, "the answer is larger than %d MiB",
				SQL_MOST_BYTES >> 20);
		cells[i] = str_copy(rows->mem,
			(struct str){PQgetvalue(result, 0, (int)i), n});
	}
	if (rows->n == rows->cap) {
		rows->cap = rows->cap == 0 ? 16 : rows->cap * 2;
		struct sql_row *more = arena_array(rows->mem, struct sql_row, rows->cap);
		if (rows->n > 0)
			memcpy(more, rows->rows, rows->n * sizeof *more);
		rows->rows = more;
	}
	rows->rows[rows->n++] = (struct sql_row){cells, nulls};
	return true;
}

static void
keep_error(struct sql_rows *rows, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	rows->fatal |= severity != NULL
		&& (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
	if (rows->message != NULL)
		return;
	/* Without a state the text is libpq's own: the connection is gone. */
	rows->sqlstate = arena_strdup(rows->mem, state != NULL ? state : "08006");
	rows->message = sql_message(rows->mem,
		text != NULL ? text : PQresultErrorMessage(result));
}

bool
sql_rows_add(struct sql_rows *rows, const PGresult *result, struct err *err)
{
	int64_t affected;
	switch (PQresultStatus(result)) {
	case PGRES_SINGLE_TUPLE:
		if (rows->fresh)
			begin_statement(rows, result);
		return add_row(rows, result, err);
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		if (rows->fresh)
			begin_statement(rows, result);
		if (str_int(str_of(PQcmdTuples((PGresult *)result)), &affected))
			rows->affected = affected;
		rows->fresh = true;
		return true;
	case PGRES_EMPTY_QUERY:
		return true;
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		return err_set(err, ERR_UNSUPPORTED,
			"COPY to or from the client cannot be used here");
	default:
		keep_error(rows, result);
		return true;
	}
}
