#include "bench.h"

static struct trial
checked(struct bench *bench, const char *type, const char *in)
{
	return bench_try(bench, "run", (struct trial){.type = bench_type(type), .in = in});
}

/* Does not hold: the other side answered. */
static void
unmet(const struct trial *trial, const char *told)
{
	bench_ends(trial, STEP_FAIL, told);
	assert_int_equal(trial->err.code, ERR_ANSWER);
}

static void
unknown(const struct trial *trial, const char *told)
{
	bench_ends(trial, STEP_FAIL, told);
	assert_int_not_equal(trial->err.code, ERR_ANSWER);
}

static void
another_status_does_not_hold(void **state)
{
	bench_http(*state, "GET https://a.example/", 503, "");
	struct trial trial = checked(*state, "http_check", "{\"url\":\"https://a.example/\"}");
	unmet(&trial, "it answers 503");
}

static void
a_lost_connection_is_unknown(void **state)
{
	bench_fails(*state, OP_HTTP, NULL, ERR_NETWORK, REACH_SENT);
	struct trial trial = checked(*state, "http_check", "{\"url\":\"https://a.example/\"}");
	unknown(&trial, "as the network says");
}

static void
the_body_must_match(void **state)
{
	static const char in[] = "{\"url\":\"https://a.example/\",\"expect\":{\"matches\":\"o(k|kay)$\"}}";
	bench_http(*state, NULL, 200, "all okay");
	struct trial trial = checked(*state, "http_check", in);
	bench_ends(&trial, STEP_DONE, NULL);
	bench_http(*state, NULL, 200, "trouble");
	trial = checked(*state, "http_check", in);
	unmet(&trial, "does not match");
}

static const char down[] = "{\"url\":\"https://a.example/\",\"control\":\"https://c.example/\","
	"\"expect\":{\"down\":true}}";

static void
down_needs_its_control(void **state)
{
	bench_http(*state, "https://c.example/", 200, "");
	bench_fails(*state, OP_HTTP, "https://a.example/", ERR_CONNECT, REACH_NONE);
	struct trial trial = checked(*state, "http_check", down);
	bench_ends(&trial, STEP_DONE, NULL);
	bench_fails(*state, OP_HTTP, "https://c.example/", ERR_CONNECT, REACH_NONE);
	bench_fails(*state, OP_HTTP, "https://a.example/", ERR_CONNECT, REACH_NONE);
	trial = checked(*state, "http_check", down);
	unknown(&trial, "control does not answer");
}

static void
what_answers_is_not_down(void **state)
{
	bench_http(*state, "https://c.example/", 200, "");
	bench_http(*state, "https://a.example/", 404, "");
	struct trial trial = checked(*state, "http_check", down);
	unmet(&trial, "it is not down");
}

static void
a_bad_certificate_is_not_down(void **state)
{
	bench_http(*state, "https://c.example/", 200, "");
	bench_fails(*state, OP_HTTP, "https://a.example/", ERR_TLS, REACH_NONE);
	struct trial trial = checked(*state, "http_check", down);
	unknown(&trial, "unknown");
}

static void
redirected(struct bench *bench, const char *to)
{
	static const char *location;
	location = to;
	struct header *header = arena_new_of(bench->mem, struct header);
	struct http_answer *answer = arena_new_of(bench->mem, struct http_answer);
	*header = (struct header){"location", location};
	*answer = (struct http_answer){.status = 302, .headers = header, .n_headers = 1};
	fake_expect(bench->fake, (struct expected){OP_HTTP, .answer = answer});
}

static void
credentials_stay_at_their_origin(void **state)
{
	struct bench *bench = *state;
	redirected(bench, "https://b.example/y");
	fake_expect(bench->fake, (struct expected){OP_HTTP, .asks = "GET https://b.example/y",
		.lacks = "token", .answer = &(struct http_answer){.status = 200}});
	struct trial trial = checked(bench, "http_check", "{\"url\":\"https://a.example/x\","
		"\"redirects\":1,\"connect_to\":\"a.internal:443\","
		"\"headers\":{\"Authorization\":\"token\"}}");
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
https_is_not_left(void **state)
{
	redirected(*state, "http://a.example/y");
	struct trial trial = checked(*state, "http_check",
		"{\"url\":\"https://a.example/x\",\"redirects\":1}");
	unknown(&trial, "is not followed");
}

static void
a_port_that_refuses_is_down(void **state)
{
	bench_fails(*state, OP_CONNECT, "connect a.example:22", ERR_CONNECT, REACH_NONE);
	struct trial trial = checked(*state, "tcp_check",
		"{\"host\":\"a.example\",\"port\":22,\"expect\":{\"down\":true}}");
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
a_bad_certificate_is_an_answer(void **state)
{
	bench_fails(*state, OP_CONNECT, "tls", ERR_TLS, REACH_NONE);
	struct trial trial = checked(*state, "tls_check", "{\"host\":\"a.example\"}");
	unmet(&trial, NULL);
}

static void
every_server_of_the_zone_is_asked(void **state)
{
	struct bench *bench = *state;
	static const struct dns_record ns[] = {{"example.org", "n1.example.net", 2, 60, 1},
		{"example.org", "n2.example.net", 2, 60, 1}};
	static const struct dns_record n1[] = {{"n1.example.net", "192.0.2.1", 1, 60, 1}},
		n2[] = {{"n2.example.net", "192.0.2.2", 1, 60, 1}};
	static const struct dns_record old[] = {{"a.example.org", "192.0.2.7", 1, 60, 1}},
		new[] = {{"a.example.org", "192.0.2.8", 1, 60, 1}};
	static const struct dns_answer none = {.rcode = 0}, zone = {.records = ns, .n_records = 2},
		first = {.records = n1, .n_records = 1}, second = {.records = n2, .n_records = 1},
		is_old = {.records = old, .n_records = 1, .authoritative = true},
		is_new = {.records = new, .n_records = 1, .authoritative = true};
	const struct { const char *asks; const struct dns_answer *answer; } script[] = {
		{"dns a.example.org 2 at system", &none}, {"dns example.org 2", &zone},
		{"dns n1.example.net 1", &first}, {"dns n2.example.net 1", &second},
		{"dns a.example.org 1 at 192.0.2.1:53", &is_new},
		{"dns a.example.org 1 at 192.0.2.2:53", &is_old},
	};
	for (size_t i = 0; i < sizeof script / sizeof script[0]; i++)
		fake_expect(bench->fake,
			(struct expected){OP_DNS, .asks = script[i].asks, .answer = script[i].answer});
	struct trial trial = checked(bench, "dns_check", "{\"name\":\"a.example.org\","
		"\"at\":\"authoritative\",\"expect\":{\"values\":[\"192.0.2.8\"]}}");
	unmet(&trial, "192.0.2.2:53 answers [\"192.0.2.7\"]");
}

static void
a_name_server_in_trouble_is_unknown(void **state)
{
	struct bench *bench = *state;
	static const struct dns_answer refused = {.rcode = 5};
	fake_expect(bench->fake, (struct expected){OP_DNS, .answer = &refused});
	struct trial trial = checked(bench, "dns_check",
		"{\"name\":\"a.example.org\",\"expect\":{\"absent\":true}}");
	unknown(&trial, "REFUSED (5)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(another_status_does_not_hold),
		BENCH_TEST(a_lost_connection_is_unknown),
		BENCH_TEST(the_body_must_match),
		BENCH_TEST(down_needs_its_control),
		BENCH_TEST(what_answers_is_not_down),
		BENCH_TEST(a_bad_certificate_is_not_down),
		BENCH_TEST(credentials_stay_at_their_origin),
		BENCH_TEST(https_is_not_left),
		BENCH_TEST(a_port_that_refuses_is_down),
		BENCH_TEST(a_bad_certificate_is_an_answer),
		BENCH_TEST(every_server_of_the_zone_is_asked),
		BENCH_TEST(a_name_server_in_trouble_is_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
