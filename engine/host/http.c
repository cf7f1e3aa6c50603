/* OP_HTTP. One request on one easy handle; the answer's body goes whole to the answer, or
 * to a reader piece by piece. */
#include "host/curl.h"
#include "host/http.h"
#include "host/names.h"
#include "host/tls.h"

#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>

enum {
	MOST_HEADERS = 64 << 10,
	MOST_BODY = 16 << 20,
	MOST_FAILED = 64 << 10,
	HELD = 256 << 10, /* of a stream that nobody reads */
};

struct held { /* in op->mem: its end is the end of the stream */
	struct http *http;
};

struct http {
	struct transfer t; /* first */
	struct op *op; /* as long as op->handle may point here */
	const struct http_ask *ask;
	struct held *held;
	struct request_url url;
	const char *name, *port; /* to look up */
	struct lookup *lookup;
	struct http_answer *answer;
	struct header *headers;
	size_t n_headers, cap_headers, header_bytes;
	bool headers_done,
		streams; /* streams: a reader takes the body, the operation is complete */
	char *body;
	size_t from, n, cap, most; /* body[from..n) is not yet read */
	bool paused, ended;
	struct err fault; /* why a stream ended before its end */
	struct op *part;
	size_t got; /* of part */
};

static void
http_free(struct http *http)
{
	names_cancel(http->lookup);
	transfer_close(&http->t);
	http->held->http = NULL;
	if (http->op->handle == http)
		http->op->handle = NULL;
	free(http->body);
	handle_free(http);
}

static void
memory_ends(void *with)
{
	struct held *held = with;
	if (held->http != NULL)
		http_free(held->http);
}

/* {{{ What comes */

static void
body_add(struct http *http, const char *p, size_t n)
{
	if (http->from > 0 && (http->from == http->n || http->from >= HELD)) {
		memmove(http->body, http->body + http->from, http->n - http->from);
		http->n -= http->from;
		http->from = 0;
	}
	if (http->n + n > http->cap) {
		http->cap =
			http->cap * 2 > http->n + n ? http->cap * 2 : http->n + n + 4096;
		http->body = realloc(http->body, http->cap);
		if (http->body == NULL)
			abort();
	}
	memcpy(http->body + http->n, p, n);
	http->n += n;
}

/* Hand what there is to the waiting part. True: that was the end, and the stream is to be
 * given back. */
static bool
part_feed(struct http *http)
{
	struct op *part = http->part;
	if (part == NULL)
		return false;
	const struct read_ask *ask = part->ask;
	size_t n = http->n - http->from < ask->want - http->got ? http->n - http->from
								: ask->want - http->got;
	if (n > 0) {
		memcpy((char *)ask->into + http->got, http->body + http->from, n);
		if (ask->digest != NULL)
			digest_add(ask->digest, (struct str){http->body + http->from, n});
	}
	http->got += n;
	http->from += n;
	bool end = http->ended && http->from == http->n;
	if (http->got < ask->want && !end)
		return false;
	http->part = NULL;
	if (http->got < ask->want && http->fault.code != ERR_NONE) {
		part->err = http->fault;
		real_complete(http->t.handle.real, part);
		return true;
	}
	end = end && http->fault.code == ERR_NONE;
	struct read_answer *answer = arena_new_of(part->mem, struct read_answer);
	*answer = (struct read_answer){http->got, end};
	real_answer(http->t.handle.real, part, answer);
	return end;
}

static size_t
on_body(char *p, size_t size, size_t count, void *with)
{
	struct http *http = with;
	size_t n = size * count;
	if (http->streams) {
		if (http->n - http->from >= HELD) {
			http->paused = true;
			return CURL_WRITEFUNC_PAUSE;
		}
		body_add(http, p, n);
		(void)part_feed(http); /* not the end: that comes with on_done */
		return n;
	}
	if (http->n + n > http->most) {
		err_set(&http->t.refused, ERR_LIMIT,
			"the answer of %s is larger than %zu bytes", http->t.where,
			http->most);
		return 0;
	}
	body_add(http, p, n);
	return n;
}

static void
header_add(struct http *http, struct str line)
{
	struct arena *mem = http->op->mem;
	struct str value, name = str_cut(line, ':', &value);
	if (value.p == NULL || name.n == 0)
		return;
	if (http->n_headers == http->cap_headers) {
		http->cap_headers = http->cap_headers == 0 ? 16 : http->cap_headers * 2;
		struct header *more = arena_array(mem, struct header, http->cap_headers);
		if (http->n_headers > 0)
			memcpy(more, http->headers, http->n_headers * sizeof *more);
		http->headers = more;
	}
	char *lower = str_cstr(mem, str_trim(name));
	for (char *c = lower; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	http->headers[http->n_headers++] =
		(struct header){lower, str_cstr(mem, str_trim(value))};
}

static int64_t
info_ns(struct http *http, CURLINFO what)
{
	curl_off_t us = 0;
	curl_easy_getinfo(http->t.easy, what, &us);
	return us * 1000;
}

static void
fill_times(struct http *http)
{
	struct http_answer *answer = http->answer;
	int64_t name = info_ns(http, CURLINFO_NAMELOOKUP_TIME_T),
		connect = info_ns(http, CURLINFO_CONNECT_TIME_T);
	int64_t tls = info_ns(http, CURLINFO_APPCONNECT_TIME_T);
	answer->dns_ns = name;
	answer->connect_ns = connect > name ? connect - name : 0;
	answer->tls_ns = tls > connect ? tls - connect : 0;
	answer->first_byte_ns = info_ns(http, CURLINFO_STARTTRANSFER_TIME_T);
	answer->total_ns = info_ns(http, CURLINFO_TOTAL_TIME_T);
}

/* At the end of the headers, while the connection still belongs to the transfer. */
static void
take_head(struct http *http)
{
	struct arena *mem = http->op->mem;
	struct curl_tlssessioninfo *info = NULL;
	http->answer = arena_new_of(mem, struct http_answer);
	http->answer->headers = http->headers;
	http->answer->n_headers = http->n_headers;
	http->answer->address = arena_strdup(mem, http->t.address);
	curl_easy_getinfo(http->t.easy, CURLINFO_TLS_SSL_PTR, &info);
	if (http->t.tls && info != NULL && info->internals != NULL)
		http->answer->certs =
			tls_certs(mem, info->internals, &http->answer->n_certs);
	long status = 0;
	curl_easy_getinfo(http->t.easy, CURLINFO_RESPONSE_CODE, &status);
	http->answer->status = (int)status;
}

/* The operation is complete with the head; what follows belongs to the reader. */
static void
begin_stream(struct http *http)
{
	struct op *op = http->op;
	http->streams = true;
	fill_times(http);
	http->t.handle.op = NULL;
	real_answer(http->t.handle.real, op, http->answer);
}

/* curl takes one that it cannot count for none, and reads to the end of the connection. */
static bool
fits_length(struct http *http, struct str line)
{
	struct str value;
	uint64_t length;
	str_cut(line, ':', &value);
	if (value.p == NULL || strncasecmp(line.p, "content-length:", 15) != 0
		|| (str_uint(str_trim(value), &length) && length <= INT64_MAX))
		return true;
	return err_set(&http->t.refused, ERR_PROTOCOL,
		"the Content-Length of %s is no number or out of range", http->t.where);
}

static size_t
on_header(char *p, size_t size, size_t count, void *with)
{
	struct http *http = with;
	struct str line = {p, size * count};
	http->t.answering = true;
	http->header_bytes += line.n;
	if (http->header_bytes > MOST_HEADERS) {
		err_set(&http->t.refused, ERR_LIMIT,
			"the headers of %s are larger than 64 KiB", http->t.where);
		return 0;
	}
	if (http->headers_done)
		return line.n; /* trailers */
	if (!fits_length(http, line))
		return 0;
	long status = 0;
	curl_easy_getinfo(http->t.easy, CURLINFO_RESPONSE_CODE, &status);
	if (str_starts(line, STR("HTTP/"))) {
		http->n_headers = 0;
	} else if (str_trim(line).n > 0) {
		header_add(http, line);
	} else if (status >= 200) {
		http->headers_done = true;
		take_head(http);
		if (http->ask->stream_out && status < 300)
			begin_stream(http);
	}
	return line.n;
}

/* }}} */

static void
end_stream(struct http *http, CURLcode code)
{
	if (code != CURLE_OK)
		transfer_explain(&http->t, code, &http->fault);
	http->ended = true;
	transfer_close(&http->t);
	real_timer_stop(http->t.handle.real, &http->t.handle.deadline);
	if (part_feed(http))
		http_free(http);
}

static void
on_done(struct transfer *t, CURLcode code)
{
	struct http *http = (struct http *)t;
	if (http->streams) {
		end_stream(http, code);
		return;
	}
	struct op *op = http->op;
	struct real *real = t->handle.real;
	if (code == CURLE_OK && http->answer == NULL) {
		err_set(&t->refused, ERR_PROTOCOL, "%s gave no answer that is HTTP",
			t->where);
		code = CURLE_WEIRD_SERVER_REPLY;
	}
	if (code == CURLE_OK) {
		fill_times(http);
		http->answer->body = str_copy(op->mem, (struct str){http->body, http->n});
		op->answer = http->answer;
		op->reach = REACH_ANSWERED;
	} else {
		op->reach = transfer_reach(t);
		transfer_explain(t, code, &op->err);
	}
	struct op *part = http->part;
	if (part != NULL) {
		http->part = NULL;
		part->err = op->err;
		real_answer(real, part, arena_new_of(part->mem, struct read_answer));
	}
	http_free(http);
	real_complete(real, op);
}

static void
on_deadline(void *with)
{
	struct http *http = with;
	on_done(&http->t, CURLE_OPERATION_TIMEDOUT);
}

static bool
in_answer(struct transfer *t)
{
	struct http *http = (struct http *)t;
	curl_off_t up = 0;
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	bool sending = t->connected && !t->answering && (uint64_t)up < http->ask->body.n;
	return (sending || http->headers_done) && !http->paused;
}

/* {{{ What goes */

static void
set_headers(struct http *http)
{
	struct curl_slist *list = NULL;
	bool has_type = false, has_encoding = http->ask->stream_out;
	for (const char *const *h = http->ask->headers; h != NULL && *h != NULL; h++) {
		struct str value, name = str_cut(str_of(*h), ':', &value);
		has_type |= strncasecmp(*h, "content-type:", 13) == 0;
		has_encoding |= strncasecmp(*h, "accept-encoding:", 16) == 0;
		if (strncasecmp(*h, "content-length:", 15) == 0)
			continue; /* it is known; request_check has compared it */
		if (str_trim(value).n > 0)
			list = curl_slist_append(list, *h);
		else /* "Name;" is how curl sends an empty one */
			list = curl_slist_append(list,
				arena_printf(http->op->mem, "%.*s;", STR_FMT(name)));
	}
	list = curl_slist_append(list, "Expect:");
	if (!has_type)
		list = curl_slist_append(list, "Content-Type:");
	if (!has_encoding)
		curl_easy_setopt(http->t.easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	curl_easy_setopt(http->t.easy, CURLOPT_HTTPHEADER, list);
	http->t.lists[0] = list;
}

static void
set_method(struct http *http)
{
	const struct http_ask *ask = http->ask;
	CURL *easy = http->t.easy;
	bool head = strcmp(ask->method, "HEAD") == 0,
	     get = strcmp(ask->method, "GET") == 0;
	bool put = strcmp(ask->method, "PUT") == 0;
	if (head)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (ask->body.n > 0 || put || strcmp(ask->method, "POST") == 0
		|| strcmp(ask->method, "PATCH") == 0) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)ask->body.n);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
			ask->body.n > 0 ? ask->body.p : "");
	}
	if (!head)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, ask->method);
	/* On a kept connection that has died curl sends the request again by itself. */
	if (!head && !get && !put)
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	bool large = ask->body.n >= 64 << 10 || ask->stream_out;
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
		large ? (long)CURL_HTTP_VERSION_1_1 : (long)CURL_HTTP_VERSION_2TLS);
}

static bool
http_set(struct http *http, struct err *err)
{
	const struct http_ask *ask = http->ask;
	if (!request_check(http->op->mem, ask, &http->url, err))
		return false;
	http->t.tls = http->url.tls;
	http->t.where = request_where(http->op->mem, http->url.host, http->url.port);
	http->t.limits = ask->addresses;
	http->t.link_local = ask->link_local;
	http->t.stalls = in_answer;
	http->t.done = on_done;
	if (!transfer_open(&http->t, ask->ca_file, err)
		|| !transfer_login(&http->t, ask->user, ask->password, err))
		return false;
	CURL *easy = http->t.easy;
	curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	curl_easy_setopt(easy, CURLOPT_URL, ask->url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "rbx/" RBX_VERSION);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	set_headers(http);
	set_method(http);
	if (ask->connect_to != NULL) {
		char *to = arena_printf(http->op->mem, "::%s", ask->connect_to);
		http->t.lists[1] = curl_slist_append(NULL, to);
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, http->t.lists[1]);
	}
	return true;
}

/* }}} */

static void
on_names(void *with, const struct names *names, const struct err *err)
{
	struct http *http = with;
	http->lookup = NULL;
	http->t.looking = false;
	if (names == NULL) {
		http->t.refused = *err;
		on_done(&http->t, CURLE_COULDNT_RESOLVE_HOST);
		return;
	}
	transfer_names(&http->t, http->op->mem, http->name, http->port, names);
	transfer_start(&http->t);
}

/* Through our own DNS client where a resolver is named; else curl asks the system. */
static bool
find_name(struct http *http, struct err *err)
{
	const struct http_ask *ask = http->ask;
	struct real *real = http->t.handle.real;
	struct op *op = http->op;
	char *name = (char *)http->url.host, *port = (char *)http->url.port;
	struct sockaddr_storage literal;
	struct err no;
	if (ask->connect_to != NULL
		&& !address_split(op->mem, ask->connect_to, &name, &port, err))
		return false;
	http->name = name;
	http->port = port;
	if ((ask->resolver == NULL && real->options.resolver == NULL)
		|| address_parse(name, 0, &literal, &no)) {
		transfer_start(&http->t);
		return true;
	}
	http->t.looking = true;
	http->lookup = names_find(real, op->mem, name, port, ask->resolver, op->deadline,
		on_names, http, err);
	return http->lookup != NULL;
}

static void
http_start(struct real *real, struct op *op)
{
	struct http *http = handle_new(real, op, sizeof *http);
	http->op = op;
	http->ask = op->ask;
	http->most = http->ask->stream_out ? MOST_FAILED
		: http->ask->most > 0      ? http->ask->most
					   : MOST_BODY;
	http->held = arena_new_of(op->mem, struct held);
	http->held->http = http;
	arena_defer(op->mem, memory_ends, http->held);
	if (!http_set(http, &op->err) || !find_name(http, &op->err)) {
		http_free(http);
		real_complete(real, op);
		return;
	}
	handle_deadline(http, on_deadline);
}

static void
http_cancel(struct real *real, struct op *op)
{
	struct http *http = op->handle;
	struct op *part = http->part;
	bool complete = http->streams;
	op->reach = complete ? op->reach : transfer_reach(&http->t);
	http_free(http);
	if (part != NULL)
		real_fail(real, part, REACH_NONE, ERR_CANCELLED, "cancelled");
	if (!complete)
		real_fail(real, op, op->reach, ERR_CANCELLED, "cancelled");
}

static void
http_read(struct real *real, struct op *stream, struct op *part)
{
	(void)real;
	struct http *http = stream->handle;
	assert(http->part == NULL);
	http->part = part;
	http->got = 0;
	if (part_feed(http)) {
		http_free(http);
		return;
	}
	if (!http->paused || http->n - http->from >= HELD / 2 || http->t.easy == NULL)
		return;
	http->paused = false;
	curl_easy_pause(http->t.easy, CURLPAUSE_CONT);
}

static void
http_stop(struct real *real, struct op *stream, struct op *part)
{
	(void)real;
	struct http *http = stream->handle;
	if (http != NULL && http->part == part)
		http->part = NULL;
}

const struct real_kind real_http = {
	.start = http_start,
	.cancel = http_cancel,
	.read = http_read,
	.stop = http_stop,
	.close = web_close,
};
