#include "net.h"

#include <netdb.h>

static struct servers servers, web, names;
static struct host *host;
static struct arena *mem;

static struct op
mail_to(const char *url, struct mail_ask more)
{
	static const char *const to[] = {"ops@example.org", "boss@example.org", NULL};
	struct mail_ask *ask = arena_new_of(mem, struct mail_ask);
	*ask = more;
	ask->url = url;
	if (ask->from == NULL)
		ask->from = "rbx@example.org";
	if (ask->to == NULL)
		ask->to = to;
	ask->message = STR("Subject: hello\r\n\r\none\r\n.two\r\n");
	struct op op = {.kind = OP_MAIL, .ask = ask, .mem = mem};
	int64_t from = net_now(host);
	net_run(host, &op);
	assert_true(net_now(host) - from < 4 * NS_S);
	return op;
}

static struct op
mail(const char *server)
{
	return mail_to(arena_printf(mem, "smtp://127.0.0.1:%d",
			       servers_port(&servers, server)),
		(struct mail_ask){0});
}

#define assert_fails(op, its_code, its_reach, text)                                      \
	do {                                                                             \
		if ((op).err.code != (its_code) || (op).reach != (its_reach)             \
			|| strstr((op).err.msg, text) == NULL)                           \
			fail_msg("code %d, reach %d: %s", (op).err.code, (op).reach,     \
				(op).err.msg);                                           \
	} while (0)

static void
assert_code(struct op op, int code, const char *text)
{
	if (op.err.code != ERR_NONE || op.reach != REACH_ANSWERED)
		fail_msg("reach %d: %s", op.reach, op.err.msg);
	const struct mail_answer *a = op.answer;
	assert_int_equal(a->code, code);
	assert_str(a->text, text);
}

static void
a_message_arrives_whole(void **state)
{
	(void)state;
	assert_code(mail("plain"), 250, "2.0.0 taken as 77");
	char line[1000];
	FILE *file = fopen(servers.folder, "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof line, file));
	fclose(file);
	assert_non_null(strstr(line, "<ops@example.org>"));
	assert_non_null(strstr(line, "<boss@example.org>"));
	assert_non_null(strstr(line, "one\\r\\n..two\\r\\n"));
}

static bool
last_was_safe(void)
{
	char line[1000], last[1000] = "";
	FILE *file = fopen(servers.folder, "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL)
		strcpy(last, line);
	fclose(file);
	return strstr(last, "\"tls\": true") != NULL;
}

/* Here it may go without TLS, and takes it where it is offered. */
static void
on_loopback_tls_is_taken_if_offered(void **state)
{
	(void)state;
	assert_code(mail("starttls"), 250, "2.0.0 taken as 77");
	assert_true(last_was_safe());
	assert_code(mail("plain"), 250, "2.0.0 taken as 77");
	assert_false(last_was_safe());
}

/* a.test is known to that server alone. */
static void
mail_asks_the_resolver_of_the_run(void **state)
{
	(void)state;
	struct err err;
	struct host *kept = host;
	const struct host_options options = {.resolver =
			arena_printf(mem, "127.0.0.1:%d", servers_port(&names, "dns"))};
	host = host_open(&options, &err);
	assert_non_null(host);
	struct op op = mail_to(arena_printf(mem, "smtp://a.test:%d",
				       servers_port(&servers, "plain")),
		(struct mail_ask){.ca_file = arena_printf(mem, "%s/ca.pem", web.folder)});
	assert_fails(op, ERR_TLS, REACH_NONE, "does not offer TLS");
	op = mail_to("smtp://nx.test:25", (struct mail_ask){.ca_file =
			arena_printf(mem, "%s/ca.pem", web.folder)});
	assert_fails(op, ERR_RESOLVE, REACH_NONE, "there is no such name");
	host_close(host);
	host = kept;
}

static void
a_refusal_is_an_answer(void **state)
{
	(void)state;
	assert_code(mail("refuse_rcpt"), 550, "5.1.1 no such user");
	assert_code(mail("refuse_end"), 451, "4.3.0 try later");
	const struct secret *password;
	struct err err;
	assert_ok(vault_add(vault_new(mem), STR("canary-secret"), &password, &err));
	struct mail_ask login = {.user = "rbx", .password = password};
	struct op op = mail_to(arena_printf(mem, "smtp://127.0.0.1:%d",
				       servers_port(&servers, "login")),
		login);
	assert_fails(op, ERR_DENIED, REACH_NONE,
		"does not accept the user or the password");
	assert_code(mail_to(arena_printf(mem, "smtp://127.0.0.1:%d",
				    servers_port(&servers, "welcome")),
			    login),
		250, "2.0.0 taken as 77");
}

static void
a_lost_message_is_told_from_none(void **state)
{
	(void)state;
	struct op op = mail("drop_data");
	assert_int_equal(op.reach, REACH_NONE);
	assert_int_equal(op.err.code, ERR_NETWORK);
	op = mail("drop_end");
	assert_int_equal(op.reach, REACH_SENT);
	assert_int_equal(op.err.code, ERR_NETWORK);
	op = mail_to(arena_printf(mem, "smtp://127.0.0.1:%d",
			     servers_port(&web, "refuse")),
		(struct mail_ask){0});
	assert_fails(op, ERR_CONNECT, REACH_NONE, "refused");
}

static void
elsewhere_tls_is_required(void **state)
{
	(void)state;
	const char *ca = arena_printf(mem, "%s/ca.pem", web.folder);
	char name[256];
	struct hostent *self =
		gethostname(name, sizeof name) == 0 ? gethostbyname(name) : NULL;
	/* A name that is only found out to be this host. */
	if (self != NULL && self->h_addrtype == AF_INET
		&& self->h_addr_list[0][0] == 127) {
		struct op op = mail_to(arena_printf(mem, "smtp://%s:%d", name,
					       servers_port(&servers, "plain")),
			(struct mail_ask){.ca_file = ca});
		assert_fails(op, ERR_TLS, REACH_NONE, "does not offer TLS");
	}
	struct op op = mail_to(arena_printf(mem, "smtps://127.0.0.1:%d",
				       servers_port(&web, "self_signed")),
		(struct mail_ask){.ca_file = ca});
	assert_fails(op, ERR_TLS, REACH_NONE, "self-signed");
}

static void
only_well_formed_mail_starts(void **state)
{
	(void)state;
	static const char *const froms[] = {
		"a@b\r\nRCPT TO:<c@d>", "a@b> x", "nobody", "a b@c"};
	for (size_t i = 0; i < sizeof froms / sizeof *froms; i++) {
		struct op op = mail_to("smtp://127.0.0.1:1",
			(struct mail_ask){.from = froms[i]});
		assert_fails(op, ERR_VALUE, REACH_NONE, "mail address");
	}
	struct op op = mail_to("http://127.0.0.1:1", (struct mail_ask){0});
	assert_fails(op, ERR_VALUE, REACH_NONE, "smtp");
}

static int
open_all(void **state)
{
	(void)state;
	struct err err;
	servers_start(&servers, "tests/fault/mails.py");
	servers_start(&web, "tests/fault/bytes.py");
	servers_start(&names, "tests/fault/names.py");
	mem = arena_new();
	host = host_open(NULL, &err);
	return host == NULL;
}

static int
close_all(void **state)
{
	(void)state;
	host_close(host);
	arena_free(mem);
	servers_stop(&servers);
	servers_stop(&web);
	servers_stop(&names);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_arrives_whole),
		cmocka_unit_test(a_refusal_is_an_answer),
		cmocka_unit_test(on_loopback_tls_is_taken_if_offered),
		cmocka_unit_test(mail_asks_the_resolver_of_the_run),
		cmocka_unit_test(a_lost_message_is_told_from_none),
		cmocka_unit_test(elsewhere_tls_is_required),
		cmocka_unit_test(only_well_formed_mail_starts),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
