#include "bench.h"

static struct trial
put(struct bench *bench, const char *phase, const char *in)
{
	return bench_try(bench, phase,
		(struct trial){.type = bench_type("s3_put"),
			.in = in,
			.was = "{\"exists\":false}",
			.got = bench_keys});
}

static const char hello[] = "{\"to\":\"s3://bucket/a b\",\"body\":\"hello\"}";
static const char hello_digest[] = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";

static void
stands(struct bench *bench, const char *asks, int status, struct header header)
{
	struct header *headers = arena_array(bench->mem, struct header, 2);
	struct http_answer *answer = arena_new_of(bench->mem, struct http_answer);
	headers[0] = (struct header){"content-length", "5"};
	headers[1] = header;
	*answer = (struct http_answer){
		.status = status, .headers = headers, .n_headers = 2};
	fake_expect(
		bench->fake, (struct expected){OP_HTTP, .asks = asks, .answer = answer});
}

static void
an_object_is_put(void **state)
{
	stands(*state, "PUT https://bucket.s3.eu-west-1.amazonaws.com/a%20b", 200,
		(struct header){"etag", "\"e\""});
	struct trial trial = put(*state, "run", hello);
	bench_ends(&trial, STEP_DONE, NULL);
	assert_non_null(strstr(trial.out_text, "\"etag\":\"e\",\"bytes\":5"));
}

static void
the_same_content_is_unchanged(void **state)
{
	stands(*state, "HEAD", 200,
		(struct header){"x-amz-checksum-sha256", hello_digest});
	struct trial trial = put(*state, "preview", hello);
	bench_ends(&trial, STEP_DONE, NULL);
	assert_true(value_equal(
		value_get(trial.out, "before"), value_get(trial.out, "after")));
	stands(*state, "HEAD", 200,
		(struct header){"x-amz-meta-rbx-sha256", hello_digest});
	trial = put(*state, "preview", hello);
	assert_true(value_equal(
		value_get(trial.out, "before"), value_get(trial.out, "after")));
}

static void
a_bucket_is_followed_to_its_region_once(void **state)
{
	stands(*state, "PUT", 301, (struct header){"x-amz-bucket-region", "eu-west-3"});
	stands(*state, "PUT https://bucket.s3.eu-west-3.amazonaws.com/a%20b", 200,
		(struct header){"etag", "\"e\""});
	struct trial trial = put(*state, "run", hello);
	bench_ends(&trial, STEP_DONE, NULL);
	assert_non_null(strstr(trial.output, "is in eu-west-3, not in eu-west-1"));
	stands(*state, "PUT", 301, (struct header){"x-amz-bucket-region", "eu-west-3"});
	stands(*state, "PUT", 301, (struct header){"x-amz-bucket-region", "us-west-2"});
	trial = put(*state, "run", hello);
	bench_ends(&trial, STEP_FAIL,
		"the bucket is in us-west-2: write `region: us-west-2`");
}

static void
who_may_not_put_is_named(void **state)
{
	bench_http(*state, "PUT", 403,
		"<Error><Code>AccessDenied</Code><Message>Access "
		"Denied</Message></Error>");
	struct trial trial = put(*state, "run", hello);
	bench_ends(&trial, STEP_FAIL, "s3:PutObject");
	bench_ends(&trial, STEP_FAIL, "key AKIDEXAMPLE (from environment)");
}

static void
a_clock_that_is_off_is_told(void **state)
{
	struct bench *bench = *state;
	/* It runs away even from what was just learned. */
	static const struct header dates[] = {{"date", "Mon, 19 Jan 2026 13:20:00 GMT"},
		{"date", "Mon, 19 Jan 2026 13:40:00 GMT"}};
	for (size_t i = 0; i < 2; i++) {
		struct http_answer *answer = arena_new_of(bench->mem, struct http_answer);
		*answer = (struct http_answer){.status = 403,
			.headers = &dates[i],
			.n_headers = 1,
			.body = STR("<Error><Code>RequestTimeTooSkewed</Code><Message>too "
				    "large</Message></Error>")};
		fake_expect(bench->fake,
			(struct expected){OP_HTTP, .asks = "PUT", .answer = answer});
	}
	struct trial trial = put(bench, "run", hello);
	bench_ends(&trial, STEP_FAIL, "20m00s behind that of AWS");
}

static void
a_busy_store_is_asked_again_and_then_in_doubt(void **state)
{
	for (int i = 0; i < 3; i++)
		bench_http(*state, "PUT", 503, "<Error><Code>SlowDown</Code></Error>");
	struct trial trial = put(*state, "run", hello);
	bench_ends(&trial, STEP_DOUBT, "SlowDown");
	assert_true(trial.err.transient);
}

static void
where_another_object_stands_nothing_is_put(void **state)
{
	bench_http(*state, "[If-None-Match: *]", 412,
		"<Error><Code>PreconditionFailed</Code></Error>");
	stands(*state, "HEAD", 200, (struct header){"x-amz-checksum-sha256", "other"});
	struct trial trial = put(*state, "run",
		"{\"to\":\"s3://bucket/a\",\"body\":\"hello\",\"if_absent\":true}");
	bench_ends(&trial, STEP_FAIL, "another object stands at s3://bucket/a");
}

static void
undo_removes_only_what_it_wrote(void **state)
{
	stands(*state, "HEAD", 200,
		(struct header){"x-amz-checksum-sha256", hello_digest});
	bench_http(*state, "DELETE https://bucket.s3", 204, "");
	struct trial trial = put(*state, "undo", hello);
	bench_ends(&trial, STEP_DONE, NULL);
	stands(*state, "HEAD", 200, (struct header){"etag", "\"another\""});
	trial = put(*state, "undo", hello);
	bench_ends(&trial, STEP_FAIL, "neither what was there nor what this run wrote");
}

static void
checked(struct bench *bench, const char *in, enum verdict verdict, const char *told)
{
	struct trial trial = bench_try(bench, "run",
		(struct trial){
			.type = bench_type("s3_check"), .in = in, .got = bench_keys});
	bench_ends(&trial, verdict, told);
}

static void
an_object_may_have_to_be_absent(void **state)
{
	static const char in[] =
		"{\"url\":\"s3://bucket/a\",\"expect\":{\"absent\":true}}";
	bench_http(*state, "HEAD", 404, "");
	checked(*state, in, STEP_DONE, NULL);
	stands(*state, "HEAD", 200, (struct header){"etag", "\"e\""});
	checked(*state, in, STEP_FAIL, "is there, expected none");
	bench_http(*state, "HEAD", 403, "");
	checked(*state, in, STEP_FAIL, "s3:GetObject");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(an_object_is_put),
		BENCH_TEST(the_same_content_is_unchanged),
		BENCH_TEST(a_bucket_is_followed_to_its_region_once),
		BENCH_TEST(who_may_not_put_is_named),
		BENCH_TEST(a_clock_that_is_off_is_told),
		BENCH_TEST(a_busy_store_is_asked_again_and_then_in_doubt),
		BENCH_TEST(where_another_object_stands_nothing_is_put),
		BENCH_TEST(undo_removes_only_what_it_wrote),
		BENCH_TEST(an_object_may_have_to_be_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
