/* OP_CONNECT: look up, connect (each address in turn), then TLS where it is asked for,
 * then close. */
#include "host/address.h"
#include "host/http.h"
#include "host/names.h"
#include "host/starttls.h"
#include "host/tls.h"
#include "host/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRY_S = 10 };

enum phase { LOOKING, CONNECTING, ASKING, SHAKING };

struct connect {
	struct handle handle; /* first */
	const struct connect_ask *ask;
	const char *where, *ca_file;
	int64_t begun;
	enum phase phase;
	struct lookup *lookup;
	struct names names;
	size_t next; /* address to try */
	char address[ADDRESS_TEXT];
	struct watch *watch;
	struct timer timer; /* of the address */
	struct starttls talk;
	SSL *ssl;
	struct err last; /* why the last address failed */
};

static void
connect_over(struct connect *c, const struct connect_answer *answer,
	const struct err *err)
{
	struct op *op = c->handle.op;
	struct real *real = c->handle.real;
	real_timer_stop(real, &c->timer);
	names_cancel(c->lookup);
	if (c->ssl != NULL)
		SSL_free(c->ssl);
	watch_close(c->watch);
	if (answer == NULL)
		op->err = *err;
	op->answer = answer;
	op->reach = answer != NULL ? REACH_ANSWERED : REACH_NONE;
	handle_free(c);
	real_complete(real, op);
}

static void
connect_done(struct connect *c)
{
	struct op *op = c->handle.op;
	struct connect_answer *answer = arena_new_of(op->mem, struct connect_answer);
	answer->address = arena_strdup(op->mem, c->address);
	answer->total_ns = real_now() - c->begun;
	if (c->ssl != NULL)
		answer->certs = tls_certs(op->mem, c->ssl, &answer->n_certs);
	connect_over(c, answer, NULL);
}

static void
shake(struct connect *c)
{
	struct err err;
	switch (tls_shake(c->ssl, c->where, c->ca_file, &err)) {
	case TLS_DONE:
		connect_done(c);
		break;
	case TLS_READ:
		watch_for(c->watch, UV_READABLE);
		break;
	case TLS_WRITE:
		watch_for(c->watch, UV_WRITABLE);
		break;
	case TLS_FAILED:
		connect_over(c, NULL, &err);
		break;
	}
}

static void
begin_tls(struct connect *c)
{
	struct err err;
	const char *name =
		c->ask->server_name != NULL ? c->ask->server_name : c->ask->host;
	struct tls_kept *kept = c->handle.real->state[OP_CONNECT];
	c->phase = SHAKING;
	c->ssl = tls_open(&kept, c->ca_file, watch_fd(c->watch), name, &err);
	c->handle.real->state[OP_CONNECT] = kept;
	if (c->ssl == NULL)
		connect_over(c, NULL, &err);
	else
		shake(c);
}

/* The texts are short: on a fresh connection they fit into the socket's buffer at once.
 */
static void
talk(struct connect *c, struct str came)
{
	struct err err;
	struct str out;
	enum starttls_wants wants;
	while ((wants = starttls_next(&c->talk, came, &out, c->where, &err))
		== STARTTLS_SEND) {
		came = (struct str){0};
		if (send(watch_fd(c->watch), out.p, out.n, MSG_NOSIGNAL)
			!= (ssize_t)out.n) {
			err_set(&err, ERR_NETWORK, "the connection to %s was lost",
				c->where);
			err_transient(&err);
			connect_over(c, NULL, &err);
			return;
		}
	}
	if (wants == STARTTLS_READ)
		watch_for(c->watch, UV_READABLE);
	else if (wants == STARTTLS_TLS)
		begin_tls(c);
	else
		connect_over(c, NULL, &err);
}

static void
hear(struct connect *c)
{
	char bytes[1024];
	ssize_t n = recv(watch_fd(c->watch), bytes, sizeof bytes, 0);
	if (n > 0) {
		talk(c, (struct str){bytes, (size_t)n});
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	struct err err;
	err_set(&err, ERR_NETWORK, "%s closed the connection before TLS", c->where);
	err_transient(&err);
	connect_over(c, NULL, &err);
}

static void try_address(struct connect *c);

static void
address_failed(struct connect *c, int number)
{
	err_set(&c->last, number == ETIMEDOUT ? ERR_TIMEOUT : ERR_CONNECT,
		"connect to %s (%s): %s", c->where, c->address, strerror(number));
	err_transient(&c->last);
	watch_close(c->watch);
	c->watch = NULL;
	try_address(c);
}

static void
on_try_over(void *with)
{
	address_failed(with, ETIMEDOUT);
}

static void
on_event(void *with, int events)
{
	(void)events;
	struct connect *c = with;
	int number = 0;
	socklen_t n = sizeof number;
	if (c->phase == SHAKING) {
		shake(c);
		return;
	}
	if (c->phase == ASKING) {
		hear(c);
		return;
	}
	getsockopt(watch_fd(c->watch), SOL_SOCKET, SO_ERROR, &number, &n);
	if (number != 0) {
		address_failed(c, number);
		return;
	}
	real_timer_stop(c->handle.real, &c->timer);
	if (c->ask->starttls != NULL) {
		c->phase = ASKING;
		talk(c, (struct str){0});
	} else if (c->ask->tls) {
		begin_tls(c);
	} else {
		connect_done(c);
	}
}

static void
try_address(struct connect *c)
{
	while (c->next < c->names.n) {
		const struct sockaddr *addr =
			(const struct sockaddr *)&c->names.list[c->next++];
		address_text(addr, c->address);
		if (!address_allowed(addr, c->ask->addresses, false, &c->last))
			continue;
		int fd = watch_connect(addr, SOCK_STREAM);
		c->watch = fd < 0 ? NULL : watch_open(c->handle.real, fd, on_event, c);
		if (c->watch == NULL) {
			err_errno(&c->last, errno, "connect to %s (%s)", c->where,
				c->address);
			err_transient(&c->last);
			continue;
		}
		watch_for(c->watch, UV_WRITABLE);
		if (c->next < c->names.n)
			real_timer(c->handle.real, &c->timer, real_now() + TRY_S * NS_S,
				on_try_over, c);
		return;
	}
	connect_over(c, NULL, &c->last);
}

static void
on_names(void *with, const struct names *names, const struct err *err)
{
	struct connect *c = with;
	c->lookup = NULL;
	if (names == NULL) {
		connect_over(c, NULL, err);
		return;
	}
	c->names = *names;
	c->phase = CONNECTING;
	try_address(c);
}

static void
on_deadline(void *with)
{
	static const char *const words[] = {
		[LOOKING] = "looking up the name",
		[CONNECTING] = "connecting",
		[ASKING] = "waiting for the answer before TLS",
		[SHAKING] = "in the TLS handshake",
	};
	struct connect *c = with;
	struct err err;
	const char *address = c->address[0] != '\0' ? c->address : NULL;
	err_set(&err, ERR_TIMEOUT, "timed out %s: %s%s%s%s", words[c->phase], c->where,
		address ? " (" : "", address ? address : "", address ? ")" : "");
	err_transient(&err);
	connect_over(c, NULL, &err);
}

static bool
connect_set(struct connect *c, struct err *err)
{
	const struct connect_ask *ask = c->ask;
	if (text_has_control(str_of(ask->host))
		|| (ask->server_name != NULL
			&& text_has_control(str_of(ask->server_name))))
		return err_set(err, ERR_VALUE,
			"the host's name holds a control character");
	if (ask->starttls != NULL && !starttls_open(&c->talk, ask->starttls, err))
		return false;
	c->ca_file = tls_ca_file(ask->ca_file, &c->handle.real->options);
	if ((ask->tls || ask->starttls != NULL) && c->ca_file == NULL)
		return err_set(err, ERR_NOT_FOUND,
			"there is no file of trusted certificates on this system");
	c->lookup = names_find(c->handle.real, c->handle.op->mem, ask->host, ask->port,
		ask->resolver, c->handle.op->deadline, on_names, c, err);
	return c->lookup != NULL;
}

static void
connect_start(struct real *real, struct op *op)
{
	struct connect *c = handle_new(real, op, sizeof *c);
	struct err err;
	c->ask = op->ask;
	c->where = request_where(op->mem, c->ask->host, c->ask->port);
	c->begun = real_now();
	handle_deadline(c, on_deadline);
	if (!connect_set(c, &err))
		connect_over(c, NULL, &err);
}

static void
connect_cancel(struct real *real, struct op *op)
{
	(void)real;
	struct err err;
	err_set(&err, ERR_CANCELLED, "cancelled");
	connect_over(op->handle, NULL, &err);
}

static void
connect_close(struct real *real)
{
	tls_close_kept(real->state[OP_CONNECT]);
	real->state[OP_CONNECT] = NULL;
}

const struct real_kind real_connect = {
	.start = connect_start, .cancel = connect_cancel, .close = connect_close};
