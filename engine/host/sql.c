/* OP_SQL: one connection, one ask. The name is looked up off the loop, libpq connects and
 * talks without blocking. */
#include "host/address.h"
#include "host/lazy.h"
#include "host/names.h"
#include "host/sql_rows.h"
#include "host/sql_settings.h"
#include "host/sql_stop.h"
#include "host/tls.h"
#include "host/watch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum phase { LOOKING, CONNECTING, BEGINNING, BEFORE, TEXT, ENDING, DONE, KEPT, LOST };

struct sql {
	struct handle handle; /* first */
	const struct sql_ask *ask;
	enum phase phase;
	struct lookup *lookup;
	PGconn *conn;
	struct watch *watch;
	const char *where; /* for messages */
	struct sql_settings settings;
	struct sql_rows before, rows, other; /* other: of BEGIN and its end */
	bool sent; /* what went may hold for good */
	struct op *part; /* KEPT: the OP_READ that hears of its loss; NULL */
	struct err why;  /* LOST: nobody has heard of it yet */
};

static void
sql_over(struct sql *sql, const struct sql_answer *answer, enum reach reach,
	const struct err *err)
{
	struct op *op = sql->handle.op;
	struct real *real = sql->handle.real;
	names_cancel(sql->lookup);
	watch_end(sql->watch);
	PQfinish(sql->conn);
	if (answer == NULL)
		op->err = *err;
	op->answer = answer;
	op->reach = reach;
	handle_free(sql);
	real_complete(real, op);
}

static enum reach
sql_reach(const struct sql *sql)
{
	return sql->sent ? REACH_SENT : REACH_NONE;
}

static void
session_end(struct sql *sql)
{
	watch_end(sql->watch);
	PQfinish(sql->conn);
	sql->watch = NULL;
	sql->conn = NULL;
}

/* Of a session that was kept: its operation has completed long ago. */
static void
session_over(struct sql *sql, const struct err *err)
{
	struct real *real = sql->handle.real;
	struct op *part = sql->part;
	session_end(sql);
	handle_free(sql);
	if (part != NULL)
		real_fail(real, part, REACH_ANSWERED, err->code, "%s", err->msg);
}

/* Between two reads nobody listens: the next one hears of it. */
static void
session_lost(struct sql *sql, const struct err *err)
{
	if (sql->part != NULL) {
		session_over(sql, err);
		return;
	}
	session_end(sql);
	sql->phase = LOST;
	sql->why = *err;
}

static void
sql_lost(struct sql *sql)
{
	struct err err;
	err_set(&err, ERR_NETWORK, "the connection to %s was lost: %s", sql->where,
		sql_message(sql->handle.op->mem, PQerrorMessage(sql->conn)));
	err_transient(&err);
	if (sql->phase == KEPT)
		session_lost(sql, &err);
	else
		sql_over(sql, NULL, sql_reach(sql), &err);
}

static void
sql_kept(struct sql *sql, const struct sql_answer *answer)
{
	sql->phase = KEPT;
	real_timer_stop(sql->handle.real, &sql->handle.deadline);
	watch_for(sql->watch, UV_READABLE);
	real_answer(sql->handle.real, sql->handle.op, answer);
}

static void
sql_answered(struct sql *sql)
{
	struct arena *mem = sql->handle.op->mem;
	const struct sql_rows *rows = sql_rows_failed(&sql->before) ? &sql->before
		: sql_rows_failed(&sql->other)                      ? &sql->other
								    : &sql->rows;
	const char *version = PQparameterStatus(sql->conn, "server_version"),
		   *address = PQhostaddr(sql->conn);
	struct sql_answer *answer = arena_new_of(mem, struct sql_answer);
	*answer = (struct sql_answer){
		.rows = rows->rows,
		.n_rows = rows->n,
		.n_cols = rows->n_cols,
		.names = rows->names,
		.types = rows->types,
		.affected = rows->affected,
		.before_affected = sql->before.affected,
		.sqlstate = rows->sqlstate,
		.message = rows->message,
		.server_version = arena_strdup(mem, version != NULL ? version : ""),
		.address = arena_strdup(mem, address != NULL ? address : ""),
	};
	if (sql->ask->keep && !sql_rows_failed(rows))
		sql_kept(sql, answer);
	else
		sql_over(sql, answer, REACH_ANSWERED, NULL);
}

/* {{{ What is sent, one thing after the other */

static bool
is_in_word(char c)
{
	return c == '_' || c == '$' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
		|| (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* Words with which a text could end the transaction that it stands in; then its loss is
 * no proof that nothing holds. A procedure or a block may do so as well. */
static bool
may_commit(const char *text)
{
	static const char *const words[] = {
		"commit", "end", "prepare", "rollback", "abort", "call"};
	for (const char *c = text; *c != '\0'; c++)
		for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
			size_t n = strlen(words[i]);
			if (strncasecmp(c, words[i], n) == 0 && !is_in_word(c[n])
				&& (c == text || !is_in_word(c[-1])))
				return true;
		}
	return false;
}

static bool
send_text(struct sql *sql)
{
	const struct sql_ask *ask = sql->ask;
	if (!ask->transaction || (ask->n_params == 0 && may_commit(ask->text)))
		sql->sent = true;
	/* By the extended protocol the server takes one statement only: none can leave
	 * the READ ONLY. */
	if (ask->n_params > 0 || ask->read_only)
		return PQsendQueryParams(sql->conn, ask->text, (int)ask->n_params, NULL,
			       ask->params, NULL, NULL, 0)
			== 1;
	return PQsendQuery(sql->conn, ask->text) == 1;
}

static bool
send_phase(struct sql *sql)
{
	const struct sql_ask *ask = sql->ask;
	switch (sql->phase) {
	case BEGINNING:
		return PQsendQuery(sql->conn,
			       ask->read_only ? "BEGIN READ ONLY" : "BEGIN")
			== 1;
	case BEFORE:
		return PQsendQueryParams(sql->conn, ask->before,
			       ask->before_param != NULL, NULL, &ask->before_param, NULL,
			       NULL, 0)
			== 1;
	case TEXT:
		return send_text(sql);
	case ENDING:
		sql->sent |= !ask->read_only;
		return PQsendQuery(sql->conn, ask->read_only ? "ROLLBACK" : "COMMIT")
			== 1;
	default:
		return false;
	}
}

static struct sql_rows *
rows_of(struct sql *sql)
{
	return sql->phase == BEFORE  ? &sql->before
		: sql->phase == TEXT ? &sql->rows
				     : &sql->other;
}

static bool
is_wanted(const struct sql_ask *ask, enum phase phase)
{
	bool in_transaction = ask->transaction || ask->read_only;
	return phase == TEXT || (phase == BEFORE && ask->before != NULL)
		|| ((phase == BEGINNING || phase == ENDING) && in_transaction);
}

static void sql_read(struct sql *sql);

static void
on_talk(void *with, int events)
{
	struct sql *sql = with;
	if ((events & UV_READABLE) && PQconsumeInput(sql->conn) != 1) {
		sql_lost(sql);
		return;
	}
	int left = PQflush(sql->conn);
	if (left < 0) {
		sql_lost(sql);
		return;
	}
	watch_for(sql->watch, left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
	if (sql->phase == KEPT)
		(void)PQisBusy(sql->conn);            /* takes notices off the wire */
	else
		sql_read(sql);
}

static void
next_phase(struct sql *sql)
{
	do
		sql->phase++;
	while (sql->phase < DONE && !is_wanted(sql->ask, sql->phase));
	if (sql->phase == DONE) {
		sql_answered(sql);
		return;
	}
	if (!send_phase(sql)) {
		sql_lost(sql);
		return;
	}
	PQsetSingleRowMode(sql->conn);
	watch_for(sql->watch,
		PQflush(sql->conn) > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

/* }}} */
/* {{{ What comes */

/* The last words of a connection that ends: they say nothing about a COMMIT under way.
 * 08P01 is about what we sent, such as too few parameters. */
static bool
is_farewell(const struct sql *sql, const struct sql_rows *rows)
{
	return rows->fatal || PQstatus(sql->conn) == CONNECTION_BAD
		|| (strncmp(rows->sqlstate, "08", 2) == 0
			&& strcmp(rows->sqlstate, "08P01") != 0);
}

/* What was sent before our own COMMIT has left the transaction: it may hold. */
static void
sql_left(struct sql *sql, const char *then)
{
	struct err err;
	err_set(&err, ERR_ANSWER,
		"the statements ended the transaction by themselves%s%s",
		then == NULL ? "" : ", then: ", then == NULL ? "" : then);
	err_hint(&err, "leave out COMMIT and ROLLBACK, or set transaction: false");
	sql_over(sql, NULL, REACH_SENT, &err);
}

static void
phase_over(struct sql *sql)
{
	struct sql_rows *rows = rows_of(sql);
	struct err err;
	PGTransactionStatusType status = PQtransactionStatus(sql->conn);
	bool ours = sql->phase == TEXT && sql->ask->transaction;
	if (sql_rows_failed(rows)) {
		if (is_farewell(sql, rows)) {
			err_set(&err, ERR_NETWORK, "the connection to %s was lost: %s",
				sql->where, rows->message);
			err_transient(&err);
			sql_over(sql, NULL, sql_reach(sql), &err);
		} else if (ours && status != PQTRANS_INERROR) {
			sql_left(sql, rows->message);
		} else {
			sql_answered(sql);
		}
		return;
	}
	if (ours && status != PQTRANS_INTRANS) {
		sql_left(sql, NULL);
		return;
	}
	next_phase(sql);
}

static void
sql_read(struct sql *sql)
{
	struct err err;
	while (!PQisBusy(sql->conn)) {
		PGresult *result = PQgetResult(sql->conn);
		if (result == NULL) {
			phase_over(sql);
			return;
		}
		bool ok = sql_rows_add(rows_of(sql), result, &err);
		bool rolled_back = sql->phase == ENDING && sql->ask->transaction
			&& strcmp(PQcmdStatus(result), "ROLLBACK") == 0;
		PQclear(result);
		if (!ok || rolled_back) {
			if (ok)
				err_set(&err, ERR_ANSWER,
					"the database rolled the transaction back");
			sql_stop(sql->handle.real, sql->conn);
			sql_over(sql, NULL, ok ? REACH_ANSWERED : sql_reach(sql), &err);
			return;
		}
	}
}

/* }}} */
/* {{{ Connecting */

static void
connect_failed(struct sql *sql)
{
	struct err err;
	sql_refusal(sql_message(sql->handle.op->mem, PQerrorMessage(sql->conn)),
		sql->where, &err);
	sql_over(sql, NULL, REACH_NONE, &err);
}

static void on_connect(void *with, int events);

/* The socket may be another one after each step, even under the same number: so it is
 * watched anew each time. */
static void
connect_step(struct sql *sql, PostgresPollingStatusType polled)
{
	if (polled == PGRES_POLLING_FAILED) {
		connect_failed(sql);
		return;
	}
	bool ready = polled == PGRES_POLLING_OK;
	sql->watch = watch_open(sql->handle.real, PQsocket(sql->conn),
		ready ? on_talk : on_connect, sql);
	if (sql->watch == NULL || (ready && PQsetnonblocking(sql->conn, 1) != 0)) {
		connect_failed(sql);
		return;
	}
	if (ready)
		next_phase(sql);
	else
		watch_for(sql->watch,
			polled == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE);
}

static void
on_connect(void *with, int events)
{
	(void)events;
	struct sql *sql = with;
	watch_end(sql->watch);
	sql->watch = NULL;
	connect_step(sql, PQconnectPoll(sql->conn));
}

static void
no_notice(void *with, const PGresult *result)
{
	(void)with;
	(void)result;
}

static void
connect_begin(struct sql *sql)
{
	struct str password = sql->ask->password == NULL
		? (struct str){0}
		: secret_reveal(sql->ask->password);
	char *text = NULL;
	if (sql->ask->password != NULL) {
		text = malloc(password.n + 1);
		if (text == NULL)
			abort();
		memcpy(text, password.p, password.n);
		text[password.n] = '\0';
		setting_put(&sql->settings, "password", text);
	}
	sql->phase = CONNECTING;
	sql->conn = PQconnectStartParams(sql->settings.names, sql->settings.values, 0);
	if (text != NULL)
		explicit_bzero(text, password.n);
	free(text);
	if (sql->conn == NULL)
		abort();
	PQsetNoticeReceiver(sql->conn, no_notice, NULL);
	if (PQstatus(sql->conn) == CONNECTION_BAD)
		connect_failed(sql);
	else
		connect_step(sql, PGRES_POLLING_WRITING);
}

/* libpq tries the addresses in turn, each with the host's name for TLS. */
static void
on_names(void *with, const struct names *names, const struct err *err)
{
	struct sql *sql = with;
	struct arena *mem = sql->handle.op->mem;
	char text[ADDRESS_TEXT];
	sql->lookup = NULL;
	struct names allowed;
	struct err why = *err;
	names = names_allow(names, sql->ask->addresses, &allowed, &why);
	if (names == NULL) {
		sql_over(sql, NULL, REACH_NONE, &why);
		return;
	}
	struct buf hosts = buf_in(mem), addrs = buf_in(mem);
	const char *host = setting(&sql->settings, "host");
	for (size_t i = 0; i < names->n; i++) {
		buf_printf(&hosts, "%s%s", i > 0 ? "," : "", host);
		buf_printf(&addrs, "%s%s", i > 0 ? "," : "",
			address_text((const struct sockaddr *)&names->list[i], text));
	}
	setting_replace(&sql->settings, "host", buf_cstr(&hosts));
	setting_put(&sql->settings, "hostaddr", buf_cstr(&addrs));
	connect_begin(sql);
}

static bool
sql_set(struct sql *sql, struct err *err)
{
	struct op *op = sql->handle.op;
	if (!lazy_pq(err) || !settings_make(&sql->settings, sql->ask,
			    tls_ca_file(NULL, &sql->handle.real->options), err))
		return false;
	const char *host = setting(&sql->settings, "host"),
		   *port = setting(&sql->settings, "port");
	if (sql->ask->before != NULL && !sql->ask->transaction)
		return err_set(err, ERR_VALUE, "a statement before needs a transaction");
	if (host != NULL && strchr(host, ',') != NULL)
		return err_set(err, ERR_VALUE, "'%s' is more than one host", host);
	bool by_name = host != NULL && host[0] != '\0' && host[0] != '/'
		&& setting(&sql->settings, "hostaddr") == NULL;
	if (port == NULL || port[0] == '\0')
		port = "5432";
	sql->where = arena_printf(op->mem, "%s:%s",
		host != NULL ? host : "the local socket", port);
	if (!by_name) {
		connect_begin(sql);
		return true;
	}
	sql->lookup = names_find(sql->handle.real, op->mem, host, port, NULL,
		op->deadline, on_names, sql, err);
	return sql->lookup != NULL;
}

/* }}} */

static void
on_deadline(void *with)
{
	static const char *const words[] = {
		[LOOKING] = "looking up",
		[CONNECTING] = "connecting to",
		[BEGINNING] = "opening a transaction on",
		[BEFORE] = "waiting for the answer of",
		[TEXT] = "waiting for the answer of",
		[ENDING] = "waiting for the commit of",
	};
	struct sql *sql = with;
	struct err err;
	err_set(&err, ERR_TIMEOUT, "timed out %s %s", words[sql->phase], sql->where);
	err_transient(&err);
	sql_stop(sql->handle.real, sql->conn);
	sql_over(sql, NULL, sql_reach(sql), &err);
}

static void
sql_start(struct real *real, struct op *op)
{
	struct sql *sql = handle_new(real, op, sizeof *sql);
	struct err err;
	sql->ask = op->ask;
	sql->where = "the database";
	sql->before = sql_rows_in(op->mem, 0);
	sql->rows = sql_rows_in(op->mem, sql->ask->most_rows);
	sql->other = sql_rows_in(op->mem, 0);
	handle_deadline(sql, on_deadline);
	if (!sql_set(sql, &err))
		sql_over(sql, NULL, REACH_NONE, &err);
}

static void
sql_cancel(struct real *real, struct op *op)
{
	(void)real;
	struct sql *sql = op->handle;
	struct err err;
	err_set(&err, ERR_CANCELLED, "cancelled");
	if (sql->phase == KEPT || sql->phase == LOST) {
		session_over(sql, &err);
		return;
	}
	sql_stop(sql->handle.real, sql->conn);
	sql_over(sql, NULL, sql_reach(sql), &err);
}

/* {{{ A kept session as a stream: there is nothing to read but its end. */

static void
session_read(struct real *real, struct op *stream, struct op *part)
{
	struct sql *sql = stream->handle;
	(void)real;
	assert(sql->phase >= KEPT && sql->part == NULL);
	sql->part = part;
	struct err why = sql->why;
	if (sql->phase == LOST)
		session_over(sql, &why);
}

static void
session_stop(struct real *real, struct op *stream, struct op *part)
{
	struct sql *sql = stream->handle;
	(void)real;
	assert(sql->part == part);
	sql->part = NULL;
	part->reach = REACH_ANSWERED;
}

/* }}} */

const struct real_kind real_sql = {.start = sql_start, .cancel = sql_cancel,
	.read = session_read, .stop = session_stop};
