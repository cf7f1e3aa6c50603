#include "net.h"

static struct servers servers;
static struct host *host;
static struct arena *mem;

static struct op
start(const char *server, struct connect_ask more, int64_t within)
{
	struct connect_ask *ask = arena_new_of(mem, struct connect_ask);
	*ask = more;
	if (ask->host == NULL)
		ask->host = "127.0.0.1";
	ask->port = arena_printf(mem, "%d", servers_port(&servers, server));
	if (ask->ca_file == NULL)
		ask->ca_file = arena_printf(mem, "%s/ca.pem", servers.folder);
	struct op op = {.kind = OP_CONNECT,
		.ask = ask,
		.mem = mem,
		.deadline = net_now(host) + within};
	net_run(host, &op);
	return op;
}

static struct op
connect_to(const char *server, struct connect_ask more)
{
	return start(server, more, 10 * NS_S);
}

#define assert_fails(op, its_code, text)                                                 \
	do {                                                                             \
		if ((op).err.code != (its_code) || (op).reach != REACH_NONE              \
			|| strstr((op).err.msg, text) == NULL)                           \
			fail_msg("code %d, reach %d: %s", (op).err.code, (op).reach,     \
				(op).err.msg);                                           \
	} while (0)

static void
a_port_is_open_or_not(void **state)
{
	(void)state;
	struct op op = connect_to("silent", (struct connect_ask){0});
	assert_int_equal(op.err.code, ERR_NONE);
	const struct connect_answer *a = op.answer;
	assert_string_equal(a->address, "127.0.0.1");
	assert_true(a->total_ns > 0);
	op = connect_to("silent", (struct connect_ask){.host = "localhost"});
	assert_int_equal(op.err.code, ERR_NONE);
	op = connect_to("refuse", (struct connect_ask){0});
	assert_fails(op, ERR_CONNECT, "(127.0.0.1): Connection refused");
	assert_true(op.err.transient);
	op = connect_to("silent",
		(struct connect_ask){.addresses = &(struct addresses){0}});
	assert_fails(op, ERR_DENIED, "is not allowed");
	op = connect_to("silent", (struct connect_ask){.host = "nowhere.invalid"});
	assert_fails(op, ERR_RESOLVE, "nowhere.invalid");
}

static void
certificates_are_judged(void **state)
{
	(void)state;
	struct op op = connect_to("tls_echo", (struct connect_ask){.tls = true});
	assert_int_equal(op.err.code, ERR_NONE);
	const struct connect_answer *a = op.answer;
	assert_int_equal(a->n_certs, 1);
	assert_string_equal(a->certs[0].names[0], "localhost");
	op = connect_to("tls_echo",
		(struct connect_ask){.tls = true, .server_name = "localhost"});
	assert_int_equal(op.err.code, ERR_NONE);
	op = connect_to("tls_echo",
		(struct connect_ask){.tls = true, .server_name = "other.example"});
	assert_fails(op, ERR_TLS, "is for another host");
	op = connect_to("self_signed", (struct connect_ask){.tls = true});
	assert_fails(op, ERR_TLS, "is self-signed");
	op = connect_to("expired", (struct connect_ask){.tls = true});
	assert_fails(op, ERR_TLS, "has expired");
	op = connect_to("untrusted", (struct connect_ask){.tls = true});
	assert_fails(op, ERR_TLS, "not trusted here");
	op = connect_to("no_names",
		(struct connect_ask){.tls = true, .server_name = "localhost"});
	assert_fails(op, ERR_TLS, "names no host");
	op = connect_to("old_tls", (struct connect_ask){.tls = true});
	assert_fails(op, ERR_TLS, "version 1.2");
	op = connect_to("greet", (struct connect_ask){.tls = true});
	assert_fails(op, ERR_TLS, "does not speak TLS");
	op = connect_to("tls_echo",
		(struct connect_ask){.tls = true, .ca_file = "/nowhere/ca.pem"});
	assert_fails(op, ERR_NOT_FOUND, "/nowhere/ca.pem");
}

static void
tls_begins_later(void **state)
{
	(void)state;
	struct op op = connect_to("pg_tls", (struct connect_ask){.starttls = "postgres"});
	assert_int_equal(op.err.code, ERR_NONE);
	assert_int_equal(((const struct connect_answer *)op.answer)->n_certs, 1);
	op = connect_to("smtp_tls", (struct connect_ask){.starttls = "smtp"});
	assert_int_equal(op.err.code, ERR_NONE);
	assert_int_equal(((const struct connect_answer *)op.answer)->n_certs, 1);
	op = connect_to("pg_no", (struct connect_ask){.starttls = "postgres"});
	assert_fails(op, ERR_TLS, "does not offer TLS");
	op = connect_to("smtp_no", (struct connect_ask){.starttls = "smtp"});
	assert_fails(op, ERR_TLS, "does not offer TLS");
	op = connect_to("smtp_inject", (struct connect_ask){.starttls = "smtp"});
	assert_fails(op, ERR_PROTOCOL, "does not answer as a mail server");
	op = connect_to("greet", (struct connect_ask){.starttls = "smtp"});
	assert_fails(op, ERR_PROTOCOL, "does not answer as a mail server");
	op = connect_to("no_answer", (struct connect_ask){.starttls = "imap"});
	assert_fails(op, ERR_VALUE, "imap");
}

static void
a_deadline_says_where_it_stood(void **state)
{
	(void)state;
	struct op op = start("silent", (struct connect_ask){.tls = true}, 200 * NS_MS);
	assert_fails(op, ERR_TIMEOUT, "in the TLS handshake");
	assert_true(net_now(host) - op.deadline < NET_LATE);
	op = start("silent", (struct connect_ask){.starttls = "postgres"}, 200 * NS_MS);
	assert_fails(op, ERR_TIMEOUT, "before TLS");
	op = start("silent", (struct connect_ask){.starttls = "smtp"}, 200 * NS_MS);
	assert_fails(op, ERR_TIMEOUT, "before TLS");
	op.deadline = net_now(host) + 5 * NS_S;
	host->type->start(host, &op);
	host->type->cancel(host, &op);
	net_wait(host, &op);
	assert_fails(op, ERR_CANCELLED, "cancelled");
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
		cmocka_unit_test(a_port_is_open_or_not),
		cmocka_unit_test(certificates_are_judged),
		cmocka_unit_test(tls_begins_later),
		cmocka_unit_test(a_deadline_says_where_it_stood),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
