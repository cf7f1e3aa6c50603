#include "bench.h"

#define SET(value)                                                                       \
	"<ResourceRecordSet><Name>a.example.org.</Name><Type>A</Type><TTL>60</TTL>"      \
	"<ResourceRecords><ResourceRecord><Value>" value "</Value></ResourceRecord>"     \
	"</ResourceRecords></ResourceRecordSet>"
#define LIST(sets)                                                                       \
	"<ListResourceRecordSetsResponse><ResourceRecordSets>" sets                      \
	"</ResourceRecordSets><IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>"

static const char in[] = "{\"zone\":\"Z1\",\"records\":[{\"name\":\"a.example.org\",\"type\":\"A\","
	"\"ttl\":60,\"values\":[\"192.0.2.2\"]}]}";
static const char was[] = "[{\"name\":\"a.example.org\",\"type\":\"A\",\"ttl\":60,\"values\":[\"192.0.2.1\"]}]";
static const char made[] = "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id>"
	"<Status>PENDING</Status></ChangeInfo></ChangeResourceRecordSetsResponse>";
static const char insync[] = "<GetChangeResponse><ChangeInfo><Id>/change/C1</Id>"
	"<Status>INSYNC</Status></ChangeInfo></GetChangeResponse>";

static struct trial
pointed(struct bench *bench, const char *phase)
{
	return bench_try(bench, phase, (struct trial){.type = bench_type("route53_upsert"), .in = in,
		.was = was, .got = bench_keys});
}

static void
the_change_gives_what_was(void **state)
{
	bench_http(*state, "GET https://route53.amazonaws.com/2013-04-01/hostedzone/Z1/rrset?name=a.example.org",
		200, LIST(SET("192.0.2.1")));
	bench_http(*state, "<Action>UPSERT</Action>", 200, made);
	struct trial trial = pointed(*state, "run");
	bench_ends(&trial, STEP_DONE, NULL);
	assert_non_null(strstr(trial.out_text, "\"values\":[\"192.0.2.1\"]"));
	assert_non_null(strstr(trial.out_text, "\"change_id\":\"C1\""));
}

static void
what_is_so_already_is_not_sent(void **state)
{
	bench_http(*state, "GET", 200, LIST(SET("192.0.2.2")));
	struct trial trial = pointed(*state, "run");
	bench_ends(&trial, STEP_DONE, NULL);
	assert_false(trial.any_effect);
}

static void
a_throttle_changed_nothing(void **state)
{
	bench_http(*state, "GET", 200, LIST(SET("192.0.2.1")));
	bench_http(*state, "POST", 400,
		"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>");
	struct trial trial = pointed(*state, "run");
	bench_ends(&trial, STEP_FAIL, "Throttling");
	assert_true(trial.err.transient);
}

static void
a_server_error_may_have_changed_it(void **state)
{
	bench_http(*state, "GET", 200, LIST(SET("192.0.2.1")));
	bench_http(*state, "POST", 500, "");
	struct trial trial = pointed(*state, "run");
	bench_ends(&trial, STEP_DOUBT, "500");
}

static void
a_lost_answer_may_have_changed_it(void **state)
{
	bench_http(*state, "GET", 200, LIST(SET("192.0.2.1")));
	bench_fails(*state, OP_HTTP, "POST", ERR_NETWORK, REACH_SENT);
	struct trial trial = pointed(*state, "run");
	assert_int_equal(trial.reach, REACH_SENT);
}

static void
who_may_not_is_named(void **state)
{
	bench_http(*state, "GET", 200, LIST(SET("192.0.2.1")));
	bench_http(*state, "POST", 403,
		"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>");
	struct trial trial = pointed(*state, "run");
	bench_ends(&trial, STEP_FAIL, "route53:ChangeResourceRecordSets");
	bench_ends(&trial, STEP_FAIL, "key AKIDEXAMPLE (from environment)");
}

static void
undo_puts_back_what_was(void **state)
{
	bench_http(*state, "GET", 200, LIST(SET("192.0.2.2")));
	bench_http(*state, "<Value>192.0.2.1</Value>", 200, made);
	bench_http(*state, "/2013-04-01/change/C1", 200, insync);
	struct trial trial = pointed(*state, "undo");
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
undo_touches_nothing_of_others(void **state)
{
	bench_http(*state, "GET", 200, LIST(SET("192.0.2.99")));
	struct trial trial = pointed(*state, "undo");
	bench_ends(&trial, STEP_FAIL, "neither as it was nor as this run left it");
	assert_false(trial.any_effect);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(the_change_gives_what_was),
		BENCH_TEST(what_is_so_already_is_not_sent),
		BENCH_TEST(a_throttle_changed_nothing),
		BENCH_TEST(a_server_error_may_have_changed_it),
		BENCH_TEST(a_lost_answer_may_have_changed_it),
		BENCH_TEST(who_may_not_is_named),
		BENCH_TEST(undo_puts_back_what_was),
		BENCH_TEST(undo_touches_nothing_of_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
