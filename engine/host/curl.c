#include "host/curl.h"

#include "host/lazy.h"
#include "host/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONNECT_MS = 30000, IDLE_S = 60, REUSE_S = 2 };

struct web {
	struct real *real;
	CURLM *multi;
	struct timer timer; /* curl's */
	struct link waiting;
	unsigned running;
	struct socket **sockets; /* by fd */
	size_t n_sockets;
	bool closing;
};

/* kept: ours from open_socket to close_socket, so that it may go on being known to the
 * kernel between two transfers. What curl opens for itself is closed without a word. */
struct socket {
	struct ear ear; /* first */
	struct web *web;
	bool kept;
};

static void admit_waiting(struct web *web);

/* Between calls into curl: hand out what has ended. A `done` may start and end other
 * transfers. */
static void
take_done(struct web *web)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(web->multi, &left)) != NULL) {
		struct transfer *t = NULL;
		CURLcode code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		curl_multi_remove_handle(web->multi, t->easy);
		t->running = false;
		web->running--;
		t->done(t, code);
	}
	admit_waiting(web);
}

static void
on_timer(void *with)
{
	struct web *web = with;
	int running;
	curl_multi_socket_action(web->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_done(web);
}

/* Never an action from here: curl calls this from within its own work. */
static int
set_timer(CURLM *multi, long ms, void *with)
{
	(void)multi;
	struct web *web = with;
	if (ms < 0 || web->closing)
		real_timer_stop(web->real, &web->timer);
	else
		real_timer(web->real, &web->timer, real_now() + ms * NS_MS, on_timer,
			web);
	return 0;
}

static void
on_socket(struct ear *ear, uint32_t events)
{
	struct web *web = ((struct socket *)ear)->web;
	int running, flags = 0;
	if (events & EPOLLERR)
		flags = CURL_CSELECT_ERR;
	if ((events & EPOLLIN) || (events & EPOLLHUP && ear->wanted & EPOLLIN))
		flags |= CURL_CSELECT_IN;
	if ((events & EPOLLOUT) || (events & EPOLLHUP && ear->wanted & EPOLLOUT))
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(web->multi, ear->fd, flags, &running);
	take_done(web);
}

static void
forget_socket(struct web *web, int fd)
{
	if (fd < 0 || (size_t)fd >= web->n_sockets || web->sockets[fd] == NULL)
		return;
	struct socket *socket = web->sockets[fd];
	web->sockets[fd] = NULL;
	ear_close(web->real, &socket->ear);
	free(socket);
}

static struct socket *
know_socket(struct web *web, int fd)
{
	if ((size_t)fd >= web->n_sockets) {
		size_t n = (size_t)fd + 64;
		struct socket **more = realloc(web->sockets, n * sizeof(struct socket *));
		if (more == NULL)
			abort();
		memset(more + web->n_sockets, 0, (n - web->n_sockets) * sizeof *more);
		web->sockets = more;
		web->n_sockets = n;
	}
	if (web->sockets[fd] != NULL)
		return web->sockets[fd];
	struct socket *socket = calloc(1, sizeof *socket);
	if (socket == NULL)
		abort();
	*socket = (struct socket){.ear = {.fd = fd, .heard = on_socket}, .web = web};
	return web->sockets[fd] = socket;
}

static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *with, void *per_socket)
{
	(void)easy;
	(void)per_socket;
	struct web *web = with;
	struct socket *socket = know_socket(web, fd);
	if (what == CURL_POLL_REMOVE && !socket->kept) {
		forget_socket(web, fd);
		return 0;
	}
	uint32_t in = what & CURL_POLL_IN ? EPOLLIN : 0;
	uint32_t out = what & CURL_POLL_OUT ? EPOLLOUT : 0;
	ear_listen(web->real, &socket->ear, what == CURL_POLL_REMOVE ? 0 : in | out);
	return 0;
}

static int
close_socket(void *with, curl_socket_t fd)
{
	forget_socket(with, fd);
	return close(fd);
}

/* The address that will be connected: what the name said before does not matter, so a
 * name that changes gains nothing. */
static curl_socket_t
open_socket(void *with, curlsocktype purpose, struct curl_sockaddr *to)
{
	(void)purpose;
	struct transfer *t = with;
	struct err err;
	address_text(&to->addr, t->address);
	if (!address_allowed(&to->addr, t->limits, t->link_local, &err)) {
		t->refused = err;
		return CURL_SOCKET_BAD;
	}
	t->fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	if (t->fd >= 0) {
		struct socket *socket = know_socket(t->web, t->fd);
		socket->kept = true;
		socket->ear.known = 0;                /* it is a new one */
	}
	return t->fd;
}

/* A connection stands, new or kept from before, and nothing of the request was sent on
 * it. */
static int
before_request(void *with, char *remote, char *local, int remote_port, int local_port)
{
	(void)local;
	(void)remote_port;
	(void)local_port;
	struct transfer *t = with;
	struct sockaddr_storage addr;
	struct err err;
	if (!address_parse(remote, 0, &addr, &err)
		|| !address_allowed((struct sockaddr *)&addr, t->limits, t->link_local,
			&err)) {
		t->refused = err;
		return CURL_PREREQFUNC_ABORT;
	}
	t->refused.code = ERR_NONE;
	address_text((struct sockaddr *)&addr, t->address);
	struct curl_tlssessioninfo *info = NULL;
	curl_easy_getinfo(t->easy, CURLINFO_TLS_SSL_PTR, &info);
	if (t->tls && info != NULL && info->backend == CURLSSLBACKEND_OPENSSL
		&& info->internals != NULL && !tls_names_host(info->internals)) {
		err_set(&t->refused, ERR_TLS,
			"the certificate of %s names no host (it has no subjectAltName)",
			t->where);
		return CURL_PREREQFUNC_ABORT;
	}
	t->connected = true;
	return CURL_PREREQFUNC_OK;
}

struct web *
web_of(struct real *real, struct err *err)
{
	struct web *web = real->state[OP_HTTP];
	if (web != NULL)
		return web;
	if (!lazy_curl(err) || !lazy_ssl(err)) /* it tells of the certificates */
		return NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_IO, "libcurl does not start");
		return NULL;
	}
	web = calloc(1, sizeof *web);
	if (web == NULL || (web->multi = curl_multi_init()) == NULL)
		abort();
	web->real = real;
	list_init(&web->waiting);
	curl_multi_setopt(web->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(web->multi, CURLMOPT_SOCKETDATA, web);
	curl_multi_setopt(web->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(web->multi, CURLMOPT_TIMERDATA, web);
	/* Else four for each transfer that is in it: when many have just ended, that is
	 * few, and the connections that the next ones would use are closed. */
	curl_multi_setopt(web->multi, CURLMOPT_MAXCONNECTS, (long)CURL_AT_ONCE);
	return real->state[OP_HTTP] = web;
}

void
web_close(struct real *real)
{
	struct web *web = real->state[OP_HTTP];
	if (web == NULL)
		return;
	web->closing = true;
	real_timer_stop(real, &web->timer);
	curl_multi_cleanup(web->multi);
	for (size_t fd = 0; fd < web->n_sockets; fd++)
		forget_socket(web, (int)fd);
	free(web->sockets);
	free(web);
	real->state[OP_HTTP] = NULL;
}

static void
look_for_stall(void *with)
{
	struct transfer *t = with;
	curl_off_t up = 0, down = 0;
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	uint64_t moved = (uint64_t)up + (uint64_t)down;
	if (moved != t->moved || !t->running || t->stalls == NULL || !t->stalls(t)) {
		t->moved = moved;
		real_timer(t->handle.real, &t->idle, real_now() + IDLE_S * NS_S,
			look_for_stall, t);
		return;
	}
	err_set(&t->refused, ERR_TIMEOUT, "timed out: no byte from or to %s for %d s",
		t->where, IDLE_S);
	err_transient(&t->refused);
	t->done(t, CURLE_OPERATION_TIMEDOUT);
}

static bool
set_tls(struct transfer *t, const char *ca_file, struct err *err)
{
	t->ca_file = tls_ca_file(ca_file, &t->handle.real->options);
	if (t->ca_file == NULL) {
		err_set(err, ERR_NOT_FOUND,
			"there is no file of trusted certificates on this system");
		return err_hint(err, "name one in `ca`");
	}
	if (access(t->ca_file, R_OK) != 0)
		return err_errno(err, errno, "certificates in %s", t->ca_file);
	curl_easy_setopt(t->easy, CURLOPT_CAINFO, t->ca_file);
	curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	return true;
}

bool
transfer_open(struct transfer *t, const char *ca_file, struct err *err)
{
	list_init(&t->link);
	t->web = web_of(t->handle.real, err);
	if (t->web == NULL)
		return false;
	t->easy = curl_easy_init();
	if (t->easy == NULL)
		abort();
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->message);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	/* Else a cancel would wait for the thread that looks up the name. */
	curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);
	/* A proxy of the environment would hide the address. */
	curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
	/* With a folder of them the store of certificates is read anew each time. */
	curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETDATA, t->web);
	curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	/* A name may have moved: that is our trade. */
	curl_easy_setopt(t->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(t->easy, CURLOPT_MAXAGE_CONN, (long)REUSE_S);
	curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	return !t->tls || set_tls(t, ca_file, err);
}

bool
transfer_login(struct transfer *t, const char *user, const struct secret *password,
	struct err *err)
{
	if (user == NULL)
		return true;
	struct str bytes = password == NULL ? STR("") : secret_reveal(password);
	if (memchr(bytes.p, '\0', bytes.n) != NULL)
		return err_set(err, ERR_VALUE, "the password holds a NUL character");
	char *text = malloc(bytes.n + 1);
	if (text == NULL)
		abort();
	memcpy(text, bytes.p, bytes.n);
	text[bytes.n] = '\0';
	curl_easy_setopt(t->easy, CURLOPT_USERNAME, user);
	curl_easy_setopt(t->easy, CURLOPT_PASSWORD, text);
	explicit_bzero(text, bytes.n);
	free(text);
	return true;
}

/* It goes into a cache of this transfer alone: curl's is common to all, and others may
 * ask another server. For the same reason the connection is neither an old one nor kept.
 */
void
transfer_names(struct transfer *t, struct arena *mem, const char *name, const char *port,
	const struct names *names)
{
	struct buf entry = buf_in(mem);
	char text[ADDRESS_TEXT];
	buf_printf(&entry, "%s:%s:", name, port);
	for (size_t i = 0; i < names->n; i++) {
		address_text((const struct sockaddr *)&names->list[i], text);
		buf_printf(&entry, strchr(text, ':') ? "%s[%s]" : "%s%s",
			i > 0 ? "," : "", text);
	}
	t->share = curl_share_init();
	if (t->share == NULL)
		abort();
	curl_share_setopt(t->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	t->lists[2] = curl_slist_append(NULL, buf_cstr(&entry));
	curl_easy_setopt(t->easy, CURLOPT_SHARE, t->share);
	curl_easy_setopt(t->easy, CURLOPT_RESOLVE, t->lists[2]);
	curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
}

static void
admit_waiting(struct web *web)
{
	while (web->running < CURL_AT_ONCE && !list_is_empty(&web->waiting)) {
		struct transfer *t = list_item(web->waiting.next, struct transfer, link);
		list_remove(&t->link);
		t->running = true;
		web->running++;
		CURLMcode code = curl_multi_add_handle(web->multi, t->easy);
		assert(code == CURLM_OK);
		(void)code;
		real_timer(web->real, &t->idle, real_now() + IDLE_S * NS_S,
			look_for_stall, t);
	}
}

void
transfer_start(struct transfer *t)
{
	list_append(&t->web->waiting, &t->link);
	admit_waiting(t->web);
}

void
transfer_close(struct transfer *t)
{
	if (t->easy == NULL)
		return;
	real_timer_stop(t->handle.real, &t->idle);
	list_remove(&t->link);
	if (t->running) {
		curl_multi_remove_handle(t->web->multi, t->easy);
		t->web->running--;
		t->running = false;
	}
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
	if (t->share != NULL)
		curl_share_cleanup(t->share);
	for (size_t i = 0; i < sizeof t->lists / sizeof *t->lists; i++)
		curl_slist_free_all(t->lists[i]);
	if (!t->web->closing)
		admit_waiting(t->web);
}

enum reach
transfer_reach(const struct transfer *t)
{
	long headers = 0;
	curl_off_t body = 0;
	if (t->easy == NULL || !t->connected)
		return REACH_NONE;
	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &headers);
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &body);
	return headers > 0 || body > 0 || t->answering ? REACH_SENT : REACH_NONE;
}
