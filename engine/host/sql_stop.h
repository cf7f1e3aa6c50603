/* The statement that a server is at, ended. Internal to host/. */
#ifndef HOST_SQL_STOP_H
#define HOST_SQL_STOP_H

#include <libpq-fe.h>

#include "host/real.h"

/* The server would go on with a statement whose client is gone. conn: may be NULL, and
 * may be closed at once. */
void sql_stop(struct real *real, PGconn *conn);

#endif
