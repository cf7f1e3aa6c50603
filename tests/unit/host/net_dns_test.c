#include "net.h"

enum { A = 1, SOA = 6, MX = 15, TXT = 16, AAAA = 28, SRV = 33, CAA = 257 };

static struct servers servers, web;
static struct host *host;
static struct arena *mem;
static const char *server;

static struct op
ask_within(const char *name, uint16_t type, int64_t ns)
{
	struct dns_ask *ask = arena_new_of(mem, struct dns_ask);
	*ask = (struct dns_ask){
		.server = server, .name = name, .type = type, .recurse = true};
	struct op op = {
		.kind = OP_DNS, .ask = ask, .mem = mem, .deadline = net_now(host) + ns};
	net_run(host, &op);
	return op;
}

static const struct dns_answer *
ask(const char *name, uint16_t type)
{
	struct op op = ask_within(name, type, 10 * NS_S);
	if (op.err.code != ERR_NONE || op.reach != REACH_ANSWERED)
		fail_msg("%s: %s", name, op.err.msg);
	return op.answer;
}

static void
values_are_fit_to_compare(void **state)
{
	(void)state;
	const struct dns_answer *a = ask("alias.test", A);
	assert_int_equal(a->n_records, 2);
	assert_true(a->authoritative);
	assert_string_equal(a->records[0].name, "alias.test");
	assert_string_equal(a->records[0].value, "a.test");
	assert_int_equal(a->records[0].ttl, 5);
	assert_string_equal(a->records[1].value, "127.0.0.1");
	assert_int_equal(a->records[1].section, 1);
	assert_string_equal(ask("text.test", TXT)->records[0].value, "v=one two");
	assert_string_equal(ask("mail.test.", MX)->records[0].value, "10 mx.mail.test");
	assert_string_equal(ask("service.test", SRV)->records[0].value,
		"1 2 5432 db.test");
	assert_string_equal(ask("zone.test", SOA)->records[0].value,
		"ns.test root.test 7 1 2 3 4");
	assert_string_equal(ask("zone.test", CAA)->records[0].value,
		"0 issue \"ca.test\"");
	assert_int_equal(ask("a.test", AAAA)->n_records, 0);
	assert_int_equal(ask("nx.test", A)->rcode, 3);
	assert_int_equal(ask("fail.test", A)->rcode, 2);
}

static void
a_cut_answer_comes_by_tcp(void **state)
{
	(void)state;
	const struct dns_answer *a = ask("large.test", TXT);
	assert_int_equal(a->n_records, 40);
	assert_int_equal(strlen(a->records[39].value), 255);
}

static void
forged_answers_are_passed_over(void **state)
{
	(void)state;
	const struct dns_answer *a = ask("forged.test", A);
	assert_int_equal(a->n_records, 1);
	assert_string_equal(a->records[0].value, "127.0.0.1");
}

static void
a_lost_query_is_sent_again(void **state)
{
	(void)state;
	int64_t from = net_now(host);
	assert_int_equal(ask("lost.test", A)->n_records, 1);
	assert_true(net_now(host) - from >= NS_S);
	struct op op = ask_within("silent.test", A, 300 * NS_MS);
	assert_int_equal(op.err.code, ERR_TIMEOUT);
	assert_int_equal(op.reach, REACH_SENT);
	assert_true(net_now(host) - op.deadline < NET_LATE);
	op = ask_within("loop.test", A, 300 * NS_MS);
	assert_int_equal(op.err.code, ERR_TIMEOUT);
	op = ask_within("a..test", A, NS_S);
	assert_int_equal(op.err.code, ERR_VALUE);
}

static void
nobody_listening_is_told(void **state)
{
	(void)state;
	const char *was = server;
	server = arena_printf(mem, "127.0.0.1:%d", servers_port(&web, "refuse"));
	struct op op = ask_within("a.test", A, 5 * NS_S);
	server = was;
	assert_int_equal(op.err.code, ERR_CONNECT);
	assert_true(op.err.transient);
}

static void
the_system_knows_localhost(void **state)
{
	(void)state;
	const char *was = server;
	server = NULL;
	const struct dns_answer *a = ask("localhost", A);
	server = was;
	assert_int_equal(a->n_records, 1);
	assert_string_equal(a->records[0].value, "127.0.0.1");
}

static struct op
get(const char *name, const char *resolver)
{
	struct http_ask *ask = arena_new_of(mem, struct http_ask);
	*ask = (struct http_ask){.method = "GET",
		.resolver = resolver,
		.url = arena_printf(mem, "http://%s:%d/", name,
			servers_port(&web, "echo"))};
	struct op op = {.kind = OP_HTTP, .ask = ask, .mem = mem};
	net_run(host, &op);
	return op;
}

static void
http_asks_the_resolver_of_its_own(void **state)
{
	(void)state;
	struct op op = get("a.test", server);
	assert_int_equal(op.err.code, ERR_NONE);
	op = get("two.test", server); /* the first address does not answer */
	assert_int_equal(op.err.code, ERR_NONE);
	op = get("a.test", NULL); /* what the resolver said does not stay */
	assert_int_equal(op.err.code, ERR_RESOLVE);
	op = get("nx.test", server);
	assert_int_equal(op.err.code, ERR_RESOLVE);
	assert_int_equal(op.reach, REACH_NONE);
	assert_non_null(strstr(op.err.msg, "no such name"));
}

static void
a_name_that_changes_gains_nothing(void **state)
{
	(void)state;
	struct op op = get("flip.test", server);
	assert_int_equal(op.err.code, ERR_NONE);
	bool refused = false;
	for (int i = 0; i < 3; i++) {
		op = get("flip.test", server);
		if (op.err.code == ERR_NONE)
			continue;
		assert_int_equal(op.err.code, ERR_DENIED);
		assert_non_null(strstr(op.err.msg, "169.254.169.254"));
		refused = true;
	}
	assert_true(refused);
}

static int
open_all(void **state)
{
	(void)state;
	struct err err;
	servers_start(&servers, "tests/fault/names.py");
	servers_start(&web, "tests/fault/bytes.py");
	mem = arena_new();
	host = host_open(NULL, &err);
	server = arena_printf(mem, "127.0.0.1:%d", servers_port(&servers, "dns"));
	return host == NULL;
}

static int
close_all(void **state)
{
	(void)state;
	arena_free(mem);
	host_close(host);
	servers_stop(&servers);
	servers_stop(&web);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_fit_to_compare),
		cmocka_unit_test(a_cut_answer_comes_by_tcp),
		cmocka_unit_test(forged_answers_are_passed_over),
		cmocka_unit_test(a_lost_query_is_sent_again),
		cmocka_unit_test(nobody_listening_is_told),
		cmocka_unit_test(the_system_knows_localhost),
		cmocka_unit_test(http_asks_the_resolver_of_its_own),
		cmocka_unit_test(a_name_that_changes_gains_nothing),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
