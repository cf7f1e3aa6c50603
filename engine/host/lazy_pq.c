#include "host/lazy.h"

#include <libpq-fe.h>

#ifdef __APPLE__
static const char library[] = "libpq.5.dylib";
#else
static const char library[] = "libpq.so.5";
#endif

static struct {
	__typeof__(PQconnectStartParams) *connectStartParams;
	__typeof__(PQconnectPoll) *connectPoll;
	__typeof__(PQfinish) *finish;
	__typeof__(PQgetCancel) *getCancel;
	__typeof__(PQfreeCancel) *freeCancel;
	__typeof__(PQcancel) *cancel;
	__typeof__(PQhostaddr) *hostaddr;
	__typeof__(PQstatus) *status;
	__typeof__(PQtransactionStatus) *transactionStatus;
	__typeof__(PQparameterStatus) *parameterStatus;
	__typeof__(PQerrorMessage) *errorMessage;
	__typeof__(PQsocket) *socket;
	__typeof__(PQsetNoticeReceiver) *setNoticeReceiver;
	__typeof__(PQsendQuery) *sendQuery;
	__typeof__(PQsendQueryParams) *sendQueryParams;
	__typeof__(PQsetSingleRowMode) *setSingleRowMode;
	__typeof__(PQgetResult) *getResult;
	__typeof__(PQisBusy) *isBusy;
	__typeof__(PQconsumeInput) *consumeInput;
	__typeof__(PQsetnonblocking) *setnonblocking;
	__typeof__(PQflush) *flush;
	__typeof__(PQresultStatus) *resultStatus;
	__typeof__(PQresultErrorMessage) *resultErrorMessage;
	__typeof__(PQresultErrorField) *resultErrorField;
	__typeof__(PQnfields) *nfields;
	__typeof__(PQfname) *fname;
	__typeof__(PQftype) *ftype;
	__typeof__(PQcmdStatus) *cmdStatus;
	__typeof__(PQcmdTuples) *cmdTuples;
	__typeof__(PQgetvalue) *getvalue;
	__typeof__(PQgetlength) *getlength;
	__typeof__(PQgetisnull) *getisnull;
	__typeof__(PQclear) *clear;
} lib;

static const struct lazy_name names[] = {
	{"PQconnectStartParams", &lib.connectStartParams},
	{"PQconnectPoll", &lib.connectPoll},
	{"PQfinish", &lib.finish},
	{"PQgetCancel", &lib.getCancel},
	{"PQfreeCancel", &lib.freeCancel},
	{"PQcancel", &lib.cancel},
	{"PQhostaddr", &lib.hostaddr},
	{"PQstatus", &lib.status},
	{"PQtransactionStatus", &lib.transactionStatus},
	{"PQparameterStatus", &lib.parameterStatus},
	{"PQerrorMessage", &lib.errorMessage},
	{"PQsocket", &lib.socket},
	{"PQsetNoticeReceiver", &lib.setNoticeReceiver},
	{"PQsendQuery", &lib.sendQuery},
	{"PQsendQueryParams", &lib.sendQueryParams},
	{"PQsetSingleRowMode", &lib.setSingleRowMode},
	{"PQgetResult", &lib.getResult},
	{"PQisBusy", &lib.isBusy},
	{"PQconsumeInput", &lib.consumeInput},
	{"PQsetnonblocking", &lib.setnonblocking},
	{"PQflush", &lib.flush},
	{"PQresultStatus", &lib.resultStatus},
	{"PQresultErrorMessage", &lib.resultErrorMessage},
	{"PQresultErrorField", &lib.resultErrorField},
	{"PQnfields", &lib.nfields},
	{"PQfname", &lib.fname},
	{"PQftype", &lib.ftype},
	{"PQcmdStatus", &lib.cmdStatus},
	{"PQcmdTuples", &lib.cmdTuples},
	{"PQgetvalue", &lib.getvalue},
	{"PQgetlength", &lib.getlength},
	{"PQgetisnull", &lib.getisnull},
	{"PQclear", &lib.clear},
};

bool
lazy_pq(struct err *err)
{
	static bool loaded;
	if (!loaded)
		loaded = lazy_load(library, names, sizeof names / sizeof names[0], err);
	return loaded;
}

PGconn *
PQconnectStartParams(const char *const *keys, const char *const *values, int expand)
{
	return lib.connectStartParams(keys, values, expand);
}

PostgresPollingStatusType
PQconnectPoll(PGconn *conn)
{
	return lib.connectPoll(conn);
}

void
PQfinish(PGconn *conn)
{
	lib.finish(conn);
}

PGcancel *
PQgetCancel(PGconn *conn)
{
	return lib.getCancel(conn);
}

void
PQfreeCancel(PGcancel *cancel)
{
	lib.freeCancel(cancel);
}

int
PQcancel(PGcancel *cancel, char *text, int size)
{
	return lib.cancel(cancel, text, size);
}

char *
PQhostaddr(const PGconn *conn)
{
	return lib.hostaddr(conn);
}

ConnStatusType
PQstatus(const PGconn *conn)
{
	return lib.status(conn);
}

PGTransactionStatusType
PQtransactionStatus(const PGconn *conn)
{
	return lib.transactionStatus(conn);
}

const char *
PQparameterStatus(const PGconn *conn, const char *name)
{
	return lib.parameterStatus(conn, name);
}

char *
PQerrorMessage(const PGconn *conn)
{
	return lib.errorMessage(conn);
}

int
PQsocket(const PGconn *conn)
{
	return lib.socket(conn);
}

PQnoticeReceiver
PQsetNoticeReceiver(PGconn *conn, PQnoticeReceiver receiver, void *with)
{
	return lib.setNoticeReceiver(conn, receiver, with);
}

int
PQsendQuery(PGconn *conn, const char *query)
{
	return lib.sendQuery(conn, query);
}

int
PQsendQueryParams(PGconn *conn, const char *command, int n, const Oid *types, const char
	*const *values, const int *lengths, const int *formats, int format)
{
	return lib.sendQueryParams(conn, command, n, types, values, lengths, formats, format);
}

int
PQsetSingleRowMode(PGconn *conn)
{
	return lib.setSingleRowMode(conn);
}

PGresult *
PQgetResult(PGconn *conn)
{
	return lib.getResult(conn);
}

int
PQisBusy(PGconn *conn)
{
	return lib.isBusy(conn);
}

int
PQconsumeInput(PGconn *conn)
{
	return lib.consumeInput(conn);
}

int
PQsetnonblocking(PGconn *conn, int on)
{
	return lib.setnonblocking(conn, on);
}

int
PQflush(PGconn *conn)
{
	return lib.flush(conn);
}

ExecStatusType
PQresultStatus(const PGresult *result)
{
	return lib.resultStatus(result);
}

char *
PQresultErrorMessage(const PGresult *result)
{
	return lib.resultErrorMessage(result);
}

char *
PQresultErrorField(const PGresult *result, int code)
{
	return lib.resultErrorField(result, code);
}

int
PQnfields(const PGresult *result)
{
	return lib.nfields(result);
}

char *
PQfname(const PGresult *result, int at)
{
	return lib.fname(result, at);
}

Oid
PQftype(const PGresult *result, int at)
{
	return lib.ftype(result, at);
}

char *
PQcmdStatus(PGresult *result)
{
	return lib.cmdStatus(result);
}

char *
PQcmdTuples(PGresult *result)
{
	return lib.cmdTuples(result);
}

char *
PQgetvalue(const PGresult *result, int row, int at)
{
	return lib.getvalue(result, row, at);
}

int
PQgetlength(const PGresult *result, int row, int at)
{
	return lib.getlength(result, row, at);
}

int
PQgetisnull(const PGresult *result, int row, int at)
{
	return lib.getisnull(result, row, at);
}

void
PQclear(PGresult *result)
{
	lib.clear(result);
}
