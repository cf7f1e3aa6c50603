#include "host/query.h"

#include "host/address.h"
#include "host/message.h"
#include "host/watch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum { TRIES = 3, UDP_MOST = 4096 };

struct query {
	struct real *real;
	struct arena *mem;
	struct query_ask ask;
	query_fn *done;
	void *with;
	struct str wire;
	unsigned tries; /* begun */
	bool sent, tcp,
		writing; /* writing: the query is not yet all on the TCP connection */
	struct watch *watch;
	struct timer timer; /* of the try */
	struct err last; /* what the last try ended with */
	uint8_t *stream; /* TCP: first what goes, then what comes */
	size_t moved, size;
};

static void try_next(struct query *query);

static void
query_free(struct query *query)
{
	real_timer_stop(query->real, &query->timer);
	watch_close(query->watch);
	free(query->stream);
	free(query);
}

bool
query_cancel(struct query *query)
{
	bool sent = query->sent;
	query_free(query);
	return sent;
}

static const char *
server_text(const struct query *query, char out[ADDRESS_TEXT + 8])
{
	const struct sockaddr_storage *server =
		&query->ask.servers[(query->tries - 1) % query->ask.n_servers];
	char ip[ADDRESS_TEXT];
	address_text((const struct sockaddr *)server, ip);
	snprintf(out, ADDRESS_TEXT + 8, strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip,
		ntohs(((const struct sockaddr_in *)server)->sin_port));
	return out;
}

static void
finish(struct query *query, const struct dns_answer *answer)
{
	query_fn *done = query->done;
	void *with = query->with;
	struct err err = query->last;
	bool sent = query->sent;
	query_free(query);
	done(with, answer, sent, &err);
}

static void
try_failed(struct query *query, int number)
{
	char server[ADDRESS_TEXT + 8];
	err_set(&query->last, number == ETIMEDOUT ? ERR_TIMEOUT : ERR_CONNECT,
		"DNS server %s: %s", server_text(query, server),
		number == ETIMEDOUT ? "no answer" : strerror(number));
	err_transient(&query->last);
	try_next(query);
}

static void
on_try_over(void *with)
{
	try_failed(with, ETIMEDOUT);
}

/* With several servers, one that cannot or may not say is passed over as long as a try is
 * left. */
static bool
is_useless(const struct query *query, const struct dns_answer *answer)
{
	return query->ask.n_servers > 1 && query->tries < TRIES
		&& (answer->rcode == 2 || answer->rcode == 5);
}

static void start_tcp(struct query *query);

static void
take_answer(struct query *query, struct str bytes)
{
	struct dns_answer *answer = arena_new_of(query->mem, struct dns_answer);
	bool cut = false;
	if (!message_parse(query->mem, bytes, query->wire, answer, &cut)) {
		if (query->tcp)
			try_failed(query, EPROTO);
		return; /* UDP: forged or late; the right one may still come */
	}
	if (cut && !query->tcp)
		start_tcp(query);
	else if (is_useless(query, answer))
		try_next(query);
	else
		finish(query, answer);
}

static void
on_udp(void *with, int events)
{
	(void)events;
	struct query *query = with;
	char bytes[UDP_MOST];
	ssize_t n = recv(watch_fd(query->watch), bytes, sizeof bytes, 0);
	if (n >= 0)
		take_answer(query, (struct str){bytes, (size_t)n});
	else if (errno != EAGAIN && errno != EINTR)
		try_failed(query, errno);
}

/* {{{ TCP: the length in two bytes before each message (RFC 1035, 4.2.2) */

static void
tcp_write(struct query *query)
{
	ssize_t n = send(watch_fd(query->watch), query->stream + query->moved,
		query->size - query->moved, MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN)
			try_failed(query, errno);
		return;
	}
	query->sent = true;
	query->moved += (size_t)n;
	if (query->moved < query->size)
		return;
	query->writing = false;
	query->moved = 0;
	watch_for(query->watch, UV_READABLE);
}

static void
tcp_read(struct query *query)
{
	size_t want =
		query->moved < 2 ? 2 : query->size; /* size is known after two bytes */
	ssize_t n = recv(watch_fd(query->watch), query->stream + query->moved,
		want - query->moved, 0);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			try_failed(query, n == 0 ? ECONNRESET : errno);
		return;
	}
	query->moved += (size_t)n;
	if (query->moved == 2)
		query->size = 2 + (size_t)(query->stream[0] << 8 | query->stream[1]);
	else if (query->moved > 2 && query->moved == query->size)
		take_answer(query,
			(struct str){(char *)query->stream + 2, query->size - 2});
}

static void
on_tcp(void *with, int events)
{
	(void)events;
	struct query *query = with;
	if (query->writing)
		tcp_write(query);
	else
		tcp_read(query);
}

/* }}} */

static void
start_tcp(struct query *query)
{
	const struct sockaddr_storage *server =
		&query->ask.servers[(query->tries - 1) % query->ask.n_servers];
	int fd = watch_connect((const struct sockaddr *)server, SOCK_STREAM);
	watch_close(query->watch);
	query->watch = fd < 0 ? NULL : watch_open(query->real, fd, on_tcp, query);
	if (query->watch == NULL) {
		try_failed(query, errno);
		return;
	}
	if (query->stream == NULL && (query->stream = malloc(MESSAGE_MOST + 2)) == NULL)
		abort();
	query->stream[0] = (uint8_t)(query->wire.n >> 8);
	query->stream[1] = (uint8_t)query->wire.n;
	memcpy(query->stream + 2, query->wire.p, query->wire.n);
	query->size = query->wire.n + 2;
	query->moved = 0;
	query->tcp = query->writing = true;
	watch_for(query->watch, UV_WRITABLE);
}

static bool
start_udp(struct query *query)
{
	const struct sockaddr_storage *server =
		&query->ask.servers[(query->tries - 1) % query->ask.n_servers];
	uint16_t id;
	if (getrandom(&id, sizeof id, 0) != sizeof id
		|| !message_query(query->mem, query->ask.name, query->ask.type,
			query->ask.recurse, id, &query->wire, &query->last))
		return false;
	int fd = watch_connect((const struct sockaddr *)server, SOCK_DGRAM);
	query->watch = fd < 0 ? NULL : watch_open(query->real, fd, on_udp, query);
	if (query->watch == NULL)
		return err_errno(&query->last, errno, "DNS");
	watch_for(query->watch, UV_READABLE);
	query->sent |=
		send(fd, query->wire.p, query->wire.n, 0) == (ssize_t)query->wire.n;
	return true;
}

/* Also what ends it: the tries are over. A try never lasts past the deadline. */
static void
try_next(struct query *query)
{
	int64_t now = real_now();
	watch_close(query->watch);
	query->watch = NULL;
	query->tcp = false;
	if (query->tries == TRIES || now >= query->ask.deadline) {
		finish(query, NULL);
		return;
	}
	int64_t at = now + ++query->tries * NS_S;
	real_timer(query->real, &query->timer,
		at < query->ask.deadline ? at : query->ask.deadline, on_try_over, query);
	if (!start_udp(query))
		real_timer(query->real, &query->timer, now, on_try_over, query);
}

/* The first try, too, is begun by the loop: `done` is never called from within
 * query_start. */
static void
on_first(void *with)
{
	try_next(with);
}

struct query *
query_start(struct real *real, struct arena *mem, const struct query_ask *ask,
	query_fn *done, void *with, struct err *err)
{
	struct str wire;
	if (!message_query(mem, ask->name, ask->type, ask->recurse, 0, &wire, err))
		return NULL;
	struct query *query = calloc(1, sizeof *query);
	if (query == NULL)
		abort();
	*query = (struct query){
		.real = real, .mem = mem, .ask = *ask, .done = done, .with = with};
	query->ask.name = arena_strdup(mem, ask->name);
	err_set(&query->last, ERR_TIMEOUT, "DNS: no answer in time");
	real_timer(real, &query->timer, real_now(), on_first, query);
	return query;
}

static bool
system_servers(struct query_ask *ask, struct err *err)
{
	FILE *file = fopen("/etc/resolv.conf", "re");
	char line[512], ip[128];
	while (file != NULL && ask->n_servers < QUERY_SERVERS
		&& fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, " nameserver %127s", ip) == 1
			&& address_parse(ip, 53, &ask->servers[ask->n_servers], err))
			ask->n_servers++;
	if (file != NULL)
		fclose(file);
	if (ask->n_servers == 0) /* resolv.conf(5): then the server on this host */
		ask->n_servers = address_parse("127.0.0.1", 53, &ask->servers[0], err);
	return true;
}

bool
query_servers(struct query_ask *ask, const char *server,
	const struct host_options *options, struct err *err)
{
	ask->n_servers = 0;
	if (server == NULL)
		server = options->resolver;
	if (server == NULL)
		return system_servers(ask, err);
	ask->n_servers = 1;
	return address_parse(server, 53, &ask->servers[0], err);
}
