#include "net.h"

static struct servers servers;
static struct host *host;
static struct arena *mem;

static struct op
ask(const char *scheme, const char *server, struct http_ask more)
{
	struct http_ask *ask = arena_new_of(mem, struct http_ask);
	*ask = more;
	ask->url = arena_printf(mem, "%s://127.0.0.1:%d/path?q=1", scheme,
		servers_port(&servers, server));
	if (ask->method == NULL)
		ask->method = "GET";
	return (struct op){.kind = OP_HTTP, .ask = ask, .mem = mem};
}

static struct op
get(const char *server)
{
	struct op op = ask("http", server, (struct http_ask){0});
	net_run(host, &op);
	return op;
}

static struct op
get_tls(const char *server, bool with_ca)
{
	struct http_ask more = {.ca_file = with_ca
			? arena_printf(mem, "%s/ca.pem", servers.folder)
			: NULL};
	struct op op = ask("https", server, more);
	net_run(host, &op);
	return op;
}

#define assert_fails(op, its_code, its_reach, text)                                      \
	do {                                                                             \
		if ((op).err.code != (its_code) || (op).reach != (its_reach)             \
			|| strstr((op).err.msg, text) == NULL)                           \
			fail_msg("code %d, reach %d: %s", (op).err.code, (op).reach,     \
				(op).err.msg);                                           \
	} while (0)

#define assert_answer(op)                                                                \
	do {                                                                             \
		if ((op).err.code != ERR_NONE || (op).reach != REACH_ANSWERED)           \
			fail_msg("reach %d: %s", (op).reach, (op).err.msg);              \
	} while (0)

static void
a_request_arrives_as_asked(void **state)
{
	(void)state;
	static const char *const headers[] = {"X-One: 1", "X-Empty:", NULL};
	struct op op = ask("http", "echo",
		(struct http_ask){
			.method = "POST", .headers = headers, .body = STR("{}")});
	net_run(host, &op);
	assert_answer(op);
	const struct http_answer *a = op.answer;
	assert_int_equal(a->status, 200);
	assert_string_equal(a->address, "127.0.0.1");
	assert_int_equal(a->n_headers, 3);
	assert_string_equal(a->headers[1].name, "x-twice");
	assert_string_equal(a->headers[1].value, "b");
	assert_true(str_starts(a->body, STR("POST /path?q=1 HTTP/1.1\r\n")));
	assert_true(str_ends(a->body, STR("\r\n\r\n{}")));
	assert_true(str_find(a->body, STR("X-One: 1\r\n")) < a->body.n);
	assert_true(str_find(a->body, STR("X-Empty:\r\n")) < a->body.n);
	assert_true(str_find(a->body, STR("Content-Type")) == a->body.n);
	assert_true(a->total_ns > 0 && a->first_byte_ns > 0 && a->n_certs == 0);
}

static void
a_large_body_needs_no_leave(void **state)
{
	(void)state;
	char *large = arena_alloc(mem, 1 << 20);
	memset(large, 'x', 1 << 20);
	struct op op = ask("http", "echo",
		(struct http_ask){
			.method = "PUT", .body = {large, 1 << 20}, .most = 2 << 20});
	net_run(host, &op);
	assert_answer(op);
	const struct http_answer *a = op.answer;
	assert_true(a->body.n > 1 << 20);
	assert_true(str_find(a->body, STR("Expect")) == a->body.n);
}

static void
nothing_sent_is_told_from_perhaps_sent(void **state)
{
	(void)state;
	struct op op = get("refuse");
	assert_fails(op, ERR_CONNECT, REACH_NONE, "Connection refused");
	assert_true(op.err.transient);
	op = get("no_answer");
	assert_fails(op, ERR_NETWORK, REACH_SENT, "without an answer");
	op = get("rst");
	assert_fails(op, ERR_NETWORK, REACH_SENT, "was lost");
	op = get("short");
	assert_fails(op, ERR_NETWORK, REACH_SENT, "in the middle of the answer");
	op = get("garbage");
	assert_fails(op, ERR_PROTOCOL, REACH_SENT, "not the protocol");
	op = get("missing");
	assert_answer(op);
	assert_int_equal(((const struct http_answer *)op.answer)->status, 404);
}

static struct op
get_within(const char *scheme, const char *server, int64_t ns)
{
	struct op op = ask(scheme, server, (struct http_ask){0});
	op.deadline = net_now(host) + ns;
	net_run(host, &op);
	int64_t over = net_now(host) - op.deadline;
	assert_true(over >= 0 && over < NET_LATE);
	return op;
}

static void
a_deadline_says_where_it_stood(void **state)
{
	(void)state;
	struct op op = get_within("http", "silent", 200 * NS_MS);
	assert_fails(op, ERR_TIMEOUT, REACH_SENT, "first byte");
	assert_true(op.err.transient);
	op = get_within("https", "silent", 200 * NS_MS);
	assert_fails(op, ERR_TIMEOUT, REACH_NONE, "TLS handshake");
	op = get_within("http", "stall_head", 200 * NS_MS);
	assert_fails(op, ERR_TIMEOUT, REACH_SENT, "in the middle");
	op = get_within("http", "stall_body", 200 * NS_MS);
	assert_fails(op, ERR_TIMEOUT, REACH_SENT, "in the middle");
}

static void
answers_are_bounded(void **state)
{
	(void)state;
	struct op op = get("endless");
	assert_fails(op, ERR_LIMIT, REACH_SENT, "larger than 16777216 bytes");
	op = get("bomb");
	assert_fails(op, ERR_LIMIT, REACH_SENT, "larger than 16777216 bytes");
	op = get("long_header");
	assert_fails(op, ERR_LIMIT, REACH_SENT, "64 KiB");
	op = get("many_headers");
	assert_fails(op, ERR_LIMIT, REACH_SENT, "64 KiB");
	op = get("flood");
	assert_fails(op, ERR_LIMIT, REACH_SENT, "64 KiB");
	op = get("packed");
	assert_answer(op);
	assert_str(((const struct http_answer *)op.answer)->body, "unpacked");
}

static void
a_redirect_is_an_answer(void **state)
{
	(void)state;
	struct op op = get("redirect");
	assert_answer(op);
	assert_int_equal(((const struct http_answer *)op.answer)->status, 302);
}

static void
each_fault_of_tls_has_its_words(void **state)
{
	(void)state;
	struct op op = get_tls("tls_echo", true);
	assert_answer(op);
	const struct http_answer *a = op.answer;
	assert_int_equal(a->n_certs, 1);
	assert_string_equal(a->certs[0].subject, "CN=localhost");
	assert_string_equal(a->certs[0].issuer, "CN=Test authority");
	assert_string_equal(a->certs[0].names[0], "localhost");
	assert_string_equal(a->certs[0].names[1], "127.0.0.1");
	int64_t days = (a->certs[0].not_after - a->certs[0].not_before) / 86400000000;
	assert_int_equal(days, 30);
	assert_true(a->tls_ns > 0);
	op = get_tls("self_signed", true);
	assert_fails(op, ERR_TLS, REACH_NONE, "is self-signed");
	op = get_tls("wrong_host", true);
	assert_fails(op, ERR_TLS, REACH_NONE, "is for another host");
	op = get_tls("expired", true);
	assert_fails(op, ERR_TLS, REACH_NONE, "has expired");
	op = get_tls("untrusted", true);
	assert_fails(op, ERR_TLS, REACH_NONE, "not trusted");
	struct http_ask *named = arena_new_of(mem, struct http_ask);
	*named = *(const struct http_ask *)op.ask;
	named->url = arena_printf(mem, "https://localhost:%d/",
		servers_port(&servers, "no_names"));
	op = (struct op){.kind = OP_HTTP, .ask = named, .mem = mem};
	net_run(host, &op);
	assert_fails(op, ERR_TLS, REACH_NONE, "no subjectAltName");
	op = get_tls("old_tls", true);
	assert_fails(op, ERR_TLS, REACH_NONE, "version 1.2");
	op = get_tls("greet", true);
	assert_fails(op, ERR_TLS, REACH_NONE, "does not speak TLS");
	op = get_tls("tls_echo", false);
	assert_fails(op, ERR_TLS, REACH_NONE, "not trusted");
}

static struct op
get_url(const char *url, const struct addresses *limits)
{
	struct http_ask *ask = arena_new_of(mem, struct http_ask);
	*ask = (struct http_ask){.method = "GET", .url = url, .addresses = limits};
	struct op op = {.kind = OP_HTTP, .ask = ask, .mem = mem};
	net_run(host, &op);
	return op;
}

static void
metadata_is_not_reached_by_any_spelling(void **state)
{
	(void)state;
	static const char *const urls[] = {
		"http://169.254.169.254/",
		"http://2852039166/",
		"http://0xA9FEA9FE/",
		"http://[::ffff:a9fe:a9fe]/",
		"http://[fd00:ec2::254]/",
		"http://0251.0376.0251.0376/",
		"http://169.254.43518/",
	};
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct op op = get_url(urls[i], NULL);
		assert_fails(op, ERR_DENIED, REACH_NONE, "is not allowed");
	}
	struct op op = ask("http", "echo",
		(struct http_ask){.addresses = &(struct addresses){0}});
	net_run(host, &op);
	assert_fails(op, ERR_DENIED, REACH_NONE, "127.0.0.1 is not allowed");
}

static void
only_well_formed_requests_start(void **state)
{
	(void)state;
	static const char *const urls[] = {
		"file:///etc/shadow",
		"gopher://x/",
		"scp://x/",
		"HTTP://h#@evil",
		"http://h\r\nHost: x/",
		"http://",
		"http://a\\@b/",
		"ftp://x/",
		"//x",
		"http://a b/",
	};
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct op op = get_url(urls[i], NULL);
		assert_fails(op, ERR_VALUE, REACH_NONE, "URL");
	}
	static const char *const headers[] = {
		"X: v\r\nHost: evil",
		"X\n: 1",
		"X",
		": 1",
		"X: \x1b",
		"Transfer-Encoding: chunked",
		"Content-Length: 5",
	};
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		const char *list[] = {headers[i], NULL};
		struct op op = ask("http", "echo", (struct http_ask){.headers = list});
		net_run(host, &op);
		assert_fails(op, ERR_VALUE, REACH_NONE, "header");
	}
	struct op op =
		ask("http", "echo", (struct http_ask){.method = "GET / HTTP/1.1\r\nX:"});
	net_run(host, &op);
	assert_fails(op, ERR_VALUE, REACH_NONE, "method");
}

static void
a_password_in_a_url_is_not_shown(void **state)
{
	(void)state;
	struct op op = get_url(arena_printf(mem, "http://user:CANARY@127.0.0.1:%d/",
				       servers_port(&servers, "refuse")),
		NULL);
	assert_fails(op, ERR_CONNECT, REACH_NONE, "refused");
	assert_null(strstr(op.err.msg, "CANARY"));
}

static void
the_connection_can_go_elsewhere(void **state)
{
	(void)state;
	struct http_ask *ask = arena_new_of(mem, struct http_ask);
	*ask = (struct http_ask){.method = "GET",
		.url = "http://nowhere.invalid/x",
		.connect_to = arena_printf(mem, "127.0.0.1:%d",
			servers_port(&servers, "echo"))};
	struct op op = {.kind = OP_HTTP, .ask = ask, .mem = mem};
	net_run(host, &op);
	assert_answer(op);
	struct str body = ((const struct http_answer *)op.answer)->body;
	assert_true(str_find(body, STR("Host: nowhere.invalid\r\n")) < body.n);
	op = get_url("http://nowhere.invalid/x", NULL);
	assert_fails(op, ERR_RESOLVE, REACH_NONE, "nowhere.invalid:80");
}

static struct op
read_part(struct op *from, void *into, size_t want)
{
	struct read_ask *ask = arena_new_of(mem, struct read_ask);
	*ask = (struct read_ask){.from = from, .into = into, .want = want};
	struct op part = {.kind = OP_READ, .ask = ask, .mem = mem};
	net_run(host, &part);
	return part;
}

static void
a_body_is_read_in_pieces(void **state)
{
	(void)state;
	struct op op = ask("http", "large", (struct http_ask){.stream_out = true});
	net_run(host, &op);
	assert_answer(op);
	assert_int_equal(((const struct http_answer *)op.answer)->status, 200);
	uint8_t *into = malloc(1000003);
	size_t all = 0;
	for (bool end = false; !end;) {
		struct op part = read_part(&op, into, 1000003);
		assert_int_equal(part.err.code, ERR_NONE);
		const struct read_answer *got = part.answer;
		for (size_t i = 0; i < got->got; i++) {
			uint32_t word = (uint32_t)((all + i) / 4);
			assert_int_equal(into[i],
				(uint8_t)(word >> (24 - (all + i) % 4 * 8)));
		}
		all += got->got;
		end = got->end;
	}
	assert_int_equal(all, 8 << 20);
	assert_null(op.handle);
	op = ask("http", "large_cut", (struct http_ask){.stream_out = true});
	net_run(host, &op);
	assert_answer(op);
	struct op part = read_part(&op, into, 1000003);
	assert_int_equal(part.err.code, ERR_NETWORK);
	op = ask("http", "missing", (struct http_ask){.stream_out = true});
	net_run(host, &op);
	assert_answer(op);
	assert_str(((const struct http_answer *)op.answer)->body,
		"<Error>no such key</Error>");
	op = ask("http", "large", (struct http_ask){.stream_out = true});
	net_run(host, &op);
	host->type->cancel(host, &op);
	assert_null(op.handle);
	free(into);
}

static void
a_cancelled_request_completes(void **state)
{
	(void)state;
	struct op op = ask("http", "silent", (struct http_ask){0});
	op.deadline = net_now(host) + 10 * NS_S;
	host->type->start(host, &op);
	host->type->cancel(host, &op);
	net_wait(host, &op);
	assert_fails(op, ERR_CANCELLED, REACH_NONE, "cancelled");
	host->type->start(host, &op);
	assert_null(host->type->wait(host, net_now(host) + 100 * NS_MS, NULL));
	host->type->cancel(host, &op);
	net_wait(host, &op);
	assert_fails(op, ERR_CANCELLED, REACH_SENT, "cancelled");
}

static int
requests_so_far(void)
{
	struct op op = get("count");
	assert_answer(op);
	return atoi(((const struct http_answer *)op.answer)->body.p);
}

static void
a_post_is_sent_once(void **state)
{
	(void)state;
	int before = requests_so_far();
	for (int i = 0; i < 2; i++) {
		struct op op =
			ask("http", "dies_kept", (struct http_ask){.method = "POST"});
		net_run(host, &op);
		assert_answer(op);
	}
	assert_int_equal(requests_so_far() - before, 3);
}

static void
many_wait_for_their_turn(void **state)
{
	(void)state;
	enum { N = 300 };
	struct op ops[N];
	for (size_t i = 0; i < N; i++) {
		ops[i] = ask("http", "echo", (struct http_ask){0});
		ops[i].deadline = net_now(host) + 30 * NS_S;
		host->type->start(host, &ops[i]);
	}
	for (size_t i = 0; i < N; i++) {
		struct op *op = host->type->wait(host, net_now(host) + 30 * NS_S, NULL);
		assert_non_null(op);
		assert_answer(*op);
	}
}

static int
open_all(void **state)
{
	(void)state;
	struct err err;
	servers_start(&servers, "tests/fault/bytes.py");
	mem = arena_new();
	host = host_open(NULL, &err);
	return host == NULL;
}

static int
close_all(void **state)
{
	(void)state;
	arena_free(mem);
	host_close(host);
	servers_stop(&servers);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_arrives_as_asked),
		cmocka_unit_test(a_large_body_needs_no_leave),
		cmocka_unit_test(nothing_sent_is_told_from_perhaps_sent),
		cmocka_unit_test(a_deadline_says_where_it_stood),
		cmocka_unit_test(answers_are_bounded),
		cmocka_unit_test(a_redirect_is_an_answer),
		cmocka_unit_test(each_fault_of_tls_has_its_words),
		cmocka_unit_test(metadata_is_not_reached_by_any_spelling),
		cmocka_unit_test(only_well_formed_requests_start),
		cmocka_unit_test(a_password_in_a_url_is_not_shown),
		cmocka_unit_test(the_connection_can_go_elsewhere),
		cmocka_unit_test(a_body_is_read_in_pieces),
		cmocka_unit_test(a_cancelled_request_completes),
		cmocka_unit_test(a_post_is_sent_once),
		cmocka_unit_test(many_wait_for_their_turn),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
