/* What the aws step makes of a change that may have been made before. */
#include "bench.h"

#define BEGAN (INT64_C(1768827600) * 1000000)         /* 2026-01-19T13:00:00Z */

static const char snapshot[] =
	"{\"call\":\"rds.CreateDBSnapshot\",\"region\":\"us-west-1\",\"with\":"
	"{\"DBSnapshotIdentifier\":\"before-cut\",\"DBInstanceIdentifier\":\"prod\"}}";

static struct trial
looked(struct bench *bench, const char *times)
{
	bench_http(bench, "Action=DescribeDBSnapshots", 200,
		arena_printf(bench->mem,
			"<DescribeDBSnapshotsResponse><DescribeDBSnapshotsResult>"
			"<DBSnapshots><DBSnapshot>"
			"<DBSnapshotIdentifier>before-cut</DBSnapshotIdentifier>"
			"<DBInstanceIdentifier>prod</DBInstanceIdentifier>"
			"<Status>available</Status>%s</DBSnapshot></DBSnapshots>"
			"</DescribeDBSnapshotsResult></DescribeDBSnapshotsResponse>",
			times));
	return bench_try(bench, "probe", (struct trial){.type = bench_type("aws"),
		.in = snapshot, .got = bench_keys, .began = BEGAN});
}

static void
what_was_made_since_is_taken_over(void **state)
{
	struct trial trial = looked(*state,
		"<SnapshotCreateTime>2026-01-19T13:00:07Z</SnapshotCreateTime>");
	bench_ends(&trial, STEP_DONE, NULL);
	assert_non_null(strstr(trial.out_text, "before-cut"));
}

/* The clocks may be apart by as much as a signature may be late. */
static void
a_minute_before_may_be_the_clock(void **state)
{
	struct trial trial = looked(*state,
		"<SnapshotCreateTime>2026-01-19T12:56:00Z</SnapshotCreateTime>");
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
what_was_there_before_is_somebody_elses(void **state)
{
	struct trial trial = looked(*state,
		"<SnapshotCreateTime>2026-01-19T12:30:00Z</SnapshotCreateTime>");
	bench_ends(&trial, STEP_DOUBT, "2026-01-19T12:30:00Z, which is before this step"
		" began: somebody else made it");
}

/* A copy tells when its source was made, too. */
static void
the_time_of_the_source_does_not_count(void **state)
{
	struct trial trial = looked(*state,
		"<OriginalSnapshotCreateTime>2020-01-01T00:00:00Z"
		"</OriginalSnapshotCreateTime>"
		"<SnapshotCreateTime>2026-01-19T13:01:00Z</SnapshotCreateTime>");
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
without_a_time_the_name_decides(void **state)
{
	struct trial trial = looked(*state, "");
	bench_ends(&trial, STEP_DONE, NULL);
}

/* ---- a token that is known already */

static struct trial
refused(struct bench *bench, const char *in, int status, const char *body)
{
	bench_http(bench, "https://", status, body);
	return bench_try(bench, "run", (struct trial){.type = bench_type("aws"),
		.in = in, .got = bench_keys});
}

static void
a_file_system_with_our_token_is_ours(void **state)
{
	static const struct header type[] = {
		{"x-amzn-errortype", "FileSystemAlreadyExists:"}};
	static const char body[] = "{\"ErrorCode\":\"FileSystemAlreadyExists\","
		"\"Message\":\"exists\",\"FileSystemId\":\"fs-0123\"}";
	static const struct http_answer answer = {.status = 409, .headers = type,
		.n_headers = 1, .body = {body, sizeof body - 1}};
	struct bench *bench = *state;
	fake_expect(bench->fake, (struct expected){
		OP_HTTP, .asks = "/file-systems", .answer = &answer});
	struct trial trial = bench_try(bench, "run",
		(struct trial){.type = bench_type("aws"), .got = bench_keys,
			.in = "{\"call\":\"efs.CreateFileSystem\","
			      "\"region\":\"us-west-1\"}"});
	bench_ends(&trial, STEP_DONE, NULL);
	assert_non_null(strstr(trial.out_text, "\"FileSystemId\":\"fs-0123\""));
	assert_non_null(strstr(trial.out_text, "\"code\":\"\""));
}

static const char vault[] =
	"{\"call\":\"backup.CreateBackupVault\",\"region\":\"us-west-1\",\"with\":"
	"{\"BackupVaultName\":\"dr\",\"CreatorRequestId\":\"abc\"}}";

static struct trial
vault_refused(struct bench *bench, const char *token)
{
	return refused(bench, vault, 400, arena_printf(bench->mem,
		"{\"__type\":\"AlreadyExistsException\",\"message\":\"exists\","
		"\"CreatorRequestId\":\"%s\",\"Arn\":\"arn:aws:backup:x\"}", token));
}

static void
a_vault_with_our_token_is_ours(void **state)
{
	struct trial trial = vault_refused(*state, "abc");
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
a_vault_with_another_token_is_not(void **state)
{
	struct trial trial = vault_refused(*state, "of-somebody-else");
	bench_ends(&trial, STEP_FAIL, "AlreadyExistsException");
}

static const char instances[] =
	"{\"call\":\"cloudformation.CreateStackInstances\",\"region\":\"us-west-1\","
	"\"with\":{\"StackSetName\":\"s\",\"Regions\":[\"us-west-2\"],"
	"\"OperationId\":\"op-1\"}}";

static void
an_operation_of_our_id_is_ours(void **state)
{
	struct trial trial = refused(*state, instances, 409,
		"<ErrorResponse><Error><Code>OperationIdAlreadyExistsException</Code>"
		"<Message>exists</Message></Error></ErrorResponse>");
	bench_ends(&trial, STEP_DONE, NULL);
	assert_non_null(strstr(trial.out_text, "\"OperationId\":\"op-1\""));
}

/* The name says nothing about who made it. */
static void
a_stack_set_of_the_same_name_is_a_failure(void **state)
{
	struct trial trial = refused(*state,
		"{\"call\":\"cloudformation.CreateStackSet\",\"region\":\"us-west-1\","
		"\"with\":{\"StackSetName\":\"s\"}}", 409,
		"<ErrorResponse><Error><Code>NameAlreadyExistsException</Code>"
		"<Message>exists</Message></Error></ErrorResponse>");
	bench_ends(&trial, STEP_FAIL, "NameAlreadyExistsException");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(what_was_made_since_is_taken_over),
		BENCH_TEST(a_minute_before_may_be_the_clock),
		BENCH_TEST(what_was_there_before_is_somebody_elses),
		BENCH_TEST(the_time_of_the_source_does_not_count),
		BENCH_TEST(without_a_time_the_name_decides),
		BENCH_TEST(a_file_system_with_our_token_is_ours),
		BENCH_TEST(a_vault_with_our_token_is_ours),
		BENCH_TEST(a_vault_with_another_token_is_not),
		BENCH_TEST(an_operation_of_our_id_is_ours),
		BENCH_TEST(a_stack_set_of_the_same_name_is_a_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
