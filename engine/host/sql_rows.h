/* What a database answers, gathered row by row within bounds. Internal to host/. */
#ifndef HOST_SQL_ROWS_H
#define HOST_SQL_ROWS_H

#include "host/host.h"

#include <libpq-fe.h>

enum { SQL_MOST_BYTES = 64 << 20 };

struct sql_rows {
	struct arena *mem;
	size_t most_rows, bytes;
	bool fresh; /* the next result begins another statement */
	struct sql_row *rows;
	size_t n, cap, n_cols;
	const char **names;
	uint32_t *types;
	int64_t affected;
	const char *sqlstate, *message; /* of the first error; else "00000" and NULL */
	bool fatal; /* that error ended the session */
};

struct sql_rows sql_rows_in(struct arena *mem, size_t most_rows);
/* One PGresult of a series in single-row mode. False: ERR_LIMIT, or COPY. An error of the
 * server is kept in the fields. */
bool sql_rows_add(struct sql_rows *rows, const PGresult *result, struct err *err);
bool sql_rows_failed(const struct sql_rows *rows);

/* The text of libpq in one line, without its "connection to server at" and doubled
 * blanks. */
char *sql_message(struct arena *mem, const char *text);

#endif
