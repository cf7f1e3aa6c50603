#include "host/sql_stop.h"

#include <stdlib.h>

struct stop {
	struct job job;                               /* first */
	PGcancel *cancel;
};

static void
work(struct job *base)
{
	struct stop *stop = (struct stop *)base;
	char message[256];
	PQcancel(stop->cancel, message, sizeof message);
}

static void
done(struct job *base)
{
	PQfreeCancel(((struct stop *)base)->cancel);
}

/* PQcancel opens a connection of its own and blocks. */
void
sql_stop(struct real *real, PGconn *conn)
{
	if (conn == NULL || PQtransactionStatus(conn) != PQTRANS_ACTIVE)
		return;
	struct stop *stop = job_new(real, NULL, sizeof *stop);
	stop->cancel = PQgetCancel(conn);
	if (stop->cancel != NULL)
		real_blocking(&stop->job, work, done);
	else
		free(stop);
}
