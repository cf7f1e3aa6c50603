#include "bench.h"

#include "steps/aws/records.h"

static struct value
argument(struct bench *bench, const char *json)
{
	struct value v;
	struct err err;
	assert_ok(json_parse(bench->mem, str_of(json), NULL, &v, &err));
	return record_from_argument(bench->mem, &v);
}

static struct value
answered(struct bench *bench, const char *xml, bool *strange)
{
	struct err err = {0};
	const struct xml *root = xml_parse(bench->mem, str_of(xml), &err);
	if (root == NULL)
		fail_msg("%s", err.msg);
	return record_from_xml(bench->mem, root, strange);
}

/* What is asked for and what Route 53 answers are one value, however they are written. */
static void
both_forms_are_one(void **state)
{
	static const struct { const char *json, *xml; } cases[] = {
		{"{\"name\":\"A.Example.org.\",\"type\":\"A\",\"ttl\":60,\"values\":[\"192.0.2.2\",\"192.0.2.1\"]}",
		 "<ResourceRecordSet><Name>a.example.org.</Name><Type>A</Type><TTL>60</TTL><ResourceRecords>"
		 "<ResourceRecord><Value>192.0.2.1</Value></ResourceRecord>"
		 "<ResourceRecord><Value>192.0.2.2</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"},
		{"{\"name\":\"*.example.org\",\"type\":\"A\",\"alias\":{\"to\":\"LB.example.com\",\"zone\":\"Z1\"}}",
		 "<ResourceRecordSet><Name>\\052.example.org.</Name><Type>A</Type><AliasTarget>"
		 "<HostedZoneId>Z1</HostedZoneId><DNSName>lb.example.com.</DNSName>"
		 "<EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>"},
		{"{\"name\":\"a.example.org\",\"type\":\"A\",\"ttl\":1,\"values\":[\"192.0.2.1\"],\"set\":\"x\","
		 "\"weight\":0,\"health_check\":\"h\"}",
		 "<ResourceRecordSet><Name>a.example.org.</Name><Type>A</Type><SetIdentifier>x</SetIdentifier>"
		 "<Weight>0</Weight><TTL>1</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value>"
		 "</ResourceRecord></ResourceRecords><HealthCheckId>h</HealthCheckId></ResourceRecordSet>"},
		{"{\"name\":\"a.example.org\",\"type\":\"A\",\"ttl\":1,\"values\":[\"192.0.2.1\"],\"set\":\"x\","
		 "\"failover\":\"primary\"}",
		 "<ResourceRecordSet><Name>a.example.org.</Name><Type>A</Type><SetIdentifier>x</SetIdentifier>"
		 "<Failover>PRIMARY</Failover><TTL>1</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value>"
		 "</ResourceRecord></ResourceRecords></ResourceRecordSet>"},
		{"{\"name\":\"a.example.org\",\"type\":\"A\",\"ttl\":1,\"values\":[\"192.0.2.1\"],\"set\":\"x\","
		 "\"latency\":\"eu-west-1\"}",
		 "<ResourceRecordSet><Name>a.example.org.</Name><Type>A</Type><SetIdentifier>x</SetIdentifier>"
		 "<Region>eu-west-1</Region><TTL>1</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value>"
		 "</ResourceRecord></ResourceRecords></ResourceRecordSet>"},
	};
	struct bench *bench = *state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool strange = true;
		struct value want = argument(bench, cases[i].json),
			     have = answered(bench, cases[i].xml, &strange);
		assert_false(strange);
		if (!value_equal(&want, &have))
			fail_msg("%s is not %s", json_text(bench->mem, &want, JSON_COMPACT),
				json_text(bench->mem, &have, JSON_COMPACT));
	}
}

static void
an_unknown_routing_is_strange(void **state)
{
	bool strange = false;
	answered(*state, "<ResourceRecordSet><Name>a.example.org.</Name><Type>A</Type>"
		"<SetIdentifier>x</SetIdentifier><GeoLocation><ContinentCode>EU</ContinentCode></GeoLocation>"
		"<TTL>1</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord>"
		"</ResourceRecords></ResourceRecordSet>", &strange);
	assert_true(strange);
}

/* What is written comes back as it was. */
static void
a_change_reads_back(void **state)
{
	struct bench *bench = *state;
	struct buf out = buf_in(bench->mem);
	struct err err;
	bool strange;
	struct value record = argument(bench,
		"{\"name\":\"a.example.org\",\"type\":\"TXT\",\"ttl\":5,\"values\":[\"a & <b>\"]}");
	record_write_change(&out, "UPSERT", &record);
	const struct xml *change = xml_parse(bench->mem, buf_str(&out), &err);
	assert_non_null(change);
	struct value back = record_from_xml(bench->mem, xml_child(change, "ResourceRecordSet"), &strange);
	assert_true(value_equal(&record, &back));
	assert_str(xml_text(change, "Action"), "UPSERT");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(both_forms_are_one),
		BENCH_TEST(an_unknown_routing_is_strange),
		BENCH_TEST(a_change_reads_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
