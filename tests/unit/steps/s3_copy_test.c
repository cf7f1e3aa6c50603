#include "bench.h"

static const char in[] = "{\"from\":\"s3://source/a b\",\"to\":\"s3://bucket/c\","
	"\"from_region\":\"us-east-2\"}";
static const char size[] = "5368709121";              /* 5 GiB and a byte: 21 parts */
static const char part_md5[] = "0123456789abcdef0123456789abcdef";

static struct trial
copy(struct bench *bench, const char *phase)
{
	return bench_try(bench, phase, (struct trial){.type = bench_type("s3_copy"),
		.in = in, .was = "{\"exists\":false}", .got = bench_keys});
}

static void
stands(struct bench *bench, const char *asks, const char *bytes, const char *etag)
{
	struct header *headers = arena_array(bench->mem, struct header, 3);
	struct http_answer *answer = arena_new_of(bench->mem, struct http_answer);
	headers[0] = (struct header){"content-length", bytes};
	headers[1] = (struct header){"etag", etag};
	headers[2] = (struct header){"x-amz-meta-color", "blue"};
	*answer = (struct http_answer){.status = 200, .headers = headers, .n_headers = 3};
	fake_expect(
		bench->fake, (struct expected){OP_HTTP, .asks = asks, .answer = answer});
}

static const char *
part(struct bench *bench, unsigned number)
{
	unsigned long long from = (number - 1) * 268435456ull, to = from + 268435455;
	return arena_printf(bench->mem,
		"c?partNumber=%u&uploadId=u%%2F1 "
		"[Host: bucket.s3.eu-west-1.amazonaws.com] "
		"[x-amz-copy-source: /source/a%%20b] [x-amz-copy-source-range: "
		"bytes=%llu-%llu]",
		number, from, number == 21 ? 5368709120ull : to);
}

static void
parts(struct bench *bench, unsigned from, unsigned to)
{
	const char *answer = arena_printf(bench->mem,
		"<CopyPartResult><ETag>\"%s\"</ETag></CopyPartResult>", part_md5);
	for (unsigned i = from; i <= to; i++)
		bench_http(bench, part(bench, i), 200, answer);
}

static const char made[] = "<InitiateMultipartUploadResult><UploadId>u/1</UploadId>"
	"</InitiateMultipartUploadResult>";

static void
an_object_above_5_gib_goes_part_by_part(void **state)
{
	stands(*state, "HEAD https://source.s3.us-east-2.amazonaws.com/a%20b", size,
		"\"e-3\"");
	bench_http(*state, "[x-amz-meta-color: blue]", 200, made);
	parts(*state, 1, 21);
	bench_http(*state, "<PartNumber>21</PartNumber>", 200,
		"<CompleteMultipartUploadResult><ETag>\"x-21\"</ETag>"
		"</CompleteMultipartUploadResult>");
	stands(*state, "HEAD https://bucket.s3.eu-west-1", size, "\"x-21\"");
	struct trial trial = copy(*state, "run");
	bench_ends(&trial, STEP_DONE, NULL);
	assert_non_null(strstr(trial.out_text, "\"etag\":\"x-21\",\"bytes\":5368709121"));
	assert_int_equal(trial.saves, 1);
	assert_string_equal(trial.last_saved,
		"{\"upload_id\":\"u/1\",\"bucket\":\"bucket\",\"key\":\"c\"}");
}

static void
up_to_5_gib_it_goes_in_one(void **state)
{
	stands(*state, "HEAD", "5368709120", "\"e-3\"");
	bench_http(*state,
		"[x-amz-copy-source: /source/a%20b] [x-amz-copy-source-if-match: "
		"\"e-3\"]",
		200, "<CopyObjectResult/>");
	stands(*state, "HEAD", "5368709120", "\"f\"");
	struct trial trial = copy(*state, "run");
	bench_ends(&trial, STEP_DONE, NULL);
}

/* S3 may say 200, and after minutes that it failed. */
static void
an_error_behind_200_is_none_the_less_one(void **state)
{
	static const char late[] = "<?xml version=\"1.0\"?>\n      \n     "
		"<Error><Code>InternalError</Code><Message>We failed</Message></Error>";
	stands(*state, "HEAD", "10", "\"e\"");
	bench_http(*state, "PUT", 200, late);
	struct trial trial = copy(*state, "run");
	bench_ends(&trial, STEP_FAIL, "InternalError");
	assert_true(trial.err.transient);
}

static void
a_part_with_an_error_behind_200_is_sent_again(void **state)
{
	stands(*state, "HEAD", size, "\"e-3\"");
	bench_http(*state, "POST", 200, made);
	bench_http(*state, part(*state, 1), 200, "<Error><Code>SlowDown</Code></Error>");
	parts(*state, 2, 6);
	parts(*state, 1, 1);
	parts(*state, 7, 21);
	bench_http(*state, "POST", 200, "<CompleteMultipartUploadResult/>");
	stands(*state, "HEAD", size, "\"x-21\"");
	struct trial trial = copy(*state, "run");
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
a_part_that_is_refused_ends_the_upload(void **state)
{
	stands(*state, "HEAD", size, "\"e-3\"");
	bench_http(*state, "POST", 200, made);
	bench_http(*state, part(*state, 1), 412,
		"<Error><Code>PreconditionFailed</Code></Error>");
	parts(*state, 2, 6);
	bench_http(*state,
		"DELETE https://bucket.s3.eu-west-1.amazonaws.com/c?uploadId=u%2F1", 204,
		"");
	struct trial trial = copy(*state, "run");
	bench_ends(&trial, STEP_FAIL, "part 1: ");
}

/* The answer was lost and the request came twice: the upload is gone, the object there.
 */
static void
a_completion_that_is_asked_twice_is_found_by_the_object(void **state)
{
	stands(*state, "HEAD", size, "\"e-3\"");
	bench_http(*state, "POST", 200, made);
	parts(*state, 1, 21);
	bench_http(*state, "POST", 404, "<Error><Code>NoSuchUpload</Code></Error>");
	stands(*state, "HEAD", size, "\"of another\"");
	struct trial trial = copy(*state, "run");
	bench_ends(&trial, STEP_FAIL, "somebody ended it");
	stands(*state, "HEAD", size, "\"e-3\"");
	bench_http(*state, "POST", 200, made);
	parts(*state, 1, 21);
	bench_http(*state, "POST", 404, "<Error><Code>NoSuchUpload</Code></Error>");
	for (int i = 0; i < 2; i++)
		stands(*state, "HEAD", size, "\"3143fe9715676b1362d860418fb07b85-21\"");
	trial = copy(*state, "run");
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
a_former_upload_is_given_up_first(void **state)
{
	bench_http(*state,
		"DELETE https://bucket.s3.eu-west-1.amazonaws.com/c?uploadId=old", 204,
		"");
	stands(*state, "HEAD https://source", "10", "\"e\"");
	bench_http(*state, "PUT", 200, "<CopyObjectResult/>");
	stands(*state, "HEAD", "10", "\"e\"");
	struct trial trial = bench_try(*state, "run",
		(struct trial){.type = bench_type("s3_copy"),
			.in = in,
			.got = bench_keys,
			.saved = "{\"upload_id\":\"old\",\"bucket\":\"bucket\",\"key\":"
				 "\"c\"}"});
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
a_copy_of_another_length_is_found_out(void **state)
{
	stands(*state, "HEAD", "10", "\"e\"");
	bench_http(*state, "PUT", 200, "<CopyObjectResult/>");
	stands(*state, "HEAD", "9", "\"e\"");
	struct trial trial = copy(*state, "run");
	bench_ends(&trial, STEP_PARTIAL, "not the same object");
}

static void
the_same_object_there_is_unchanged(void **state)
{
	stands(*state, "HEAD https://source", "10", "\"e\"");
	stands(*state, "HEAD https://bucket", "10", "\"e\"");
	struct trial trial = copy(*state, "preview");
	bench_ends(&trial, STEP_DONE, NULL);
	assert_true(value_equal(
		value_get(trial.out, "before"), value_get(trial.out, "after")));
	stands(*state, "HEAD https://source", "10", "\"e\"");
	stands(*state, "HEAD https://bucket", "10", "\"f\"");
	trial = copy(*state, "preview");
	assert_false(value_equal(
		value_get(trial.out, "before"), value_get(trial.out, "after")));
}

/* ---- s3_delete */

static struct trial
removal(struct bench *bench, const char *phase)
{
	return bench_try(bench, phase, (struct trial){.type = bench_type("s3_delete"),
		.in = "{\"url\":\"s3://bucket/p/\",\"all\":true}", .got = bench_keys});
}

static const char one_page[] = "<ListBucketResult><EncodingType>url</EncodingType>"
	"<Contents><Key>p/a%20%26%2B</Key><Size>3</Size></Contents>"
	"<Contents><Key>p/b+%01</Key><Size>4</Size></Contents></ListBucketResult>";

/* XML cannot say every key that S3 allows. */
static void
a_key_that_xml_cannot_say_goes_alone(void **state)
{
	bench_http(*state, "encoding-type=url&list-type=2&prefix=p%2F", 200, one_page);
	bench_http(*state, "<Object><Key>p/a &amp;+</Key></Object></Delete>", 200,
		"<DeleteResult/>");
	bench_http(*state, "DELETE https://bucket.s3.eu-west-1.amazonaws.com/p/b%20%01",
		204, "");
	struct trial trial = removal(*state, "run");
	bench_ends(&trial, STEP_DONE, NULL);
	assert_string_equal(trial.out_text, "{\"deleted\":2}");
}

static void
what_may_not_go_is_told_and_the_rest_is_gone(void **state)
{
	bench_http(*state, "GET", 200,
		"<ListBucketResult><Contents><Key>p/a</Key></Contents>"
		"<Contents><Key>p/b</Key></Contents><Contents><Key>p/c</Key></Contents></"
		"ListBucketResult>");
	bench_http(*state, "POST", 200,
		"<DeleteResult><Error><Key>p/a</Key><Code>AccessDenied</Code>"
		"<Message>Access "
		"Denied</Message></Error><Error><Key>p/b</Key><Code>InternalError</Code>"
		"<Message>again</Message></Error></DeleteResult>");
	bench_http(*state, "<Quiet>true</Quiet><Object><Key>p/b</Key></Object></Delete>",
		200, "<DeleteResult/>");
	struct trial trial = removal(*state, "run");
	bench_ends(&trial, STEP_PARTIAL,
		"1 of 3 objects could not be deleted: AccessDenied");
}

static void
a_list_without_end_is_refused(void **state)
{
	static const char page[] = "<ListBucketResult><IsTruncated>true</IsTruncated>"
		"<NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
	bench_http(*state, "GET", 200, page);
	bench_http(*state, "continuation-token=t", 200, page);
	struct trial trial = removal(*state, "preview");
	bench_ends(&trial, STEP_FAIL, "has no end");
}

/* Each refusal names the right that is missing, as a policy has to say it. */
static void
the_missing_right_is_named(void **state)
{
	static const char denied[] = "<Error><Code>AccessDenied</Code></Error>";
	bench_http(*state, "list-type=2", 403, denied);
	struct trial trial = removal(*state, "run");
	bench_ends(&trial, STEP_FAIL, "s3:ListBucket ");
	bench_http(*state, "list-type=2", 200, one_page);
	bench_http(*state, "POST", 403, denied);
	bench_http(*state, "DELETE", 204, "");
	trial = removal(*state, "run");
	bench_ends(&trial, STEP_FAIL, "s3:DeleteObject ");
	bench_http(*state, "versions=", 403, denied);
	trial = removal(*state, "undo");
	bench_ends(&trial, STEP_FAIL, "s3:ListBucketVersions ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(an_object_above_5_gib_goes_part_by_part),
		BENCH_TEST(up_to_5_gib_it_goes_in_one),
		BENCH_TEST(an_error_behind_200_is_none_the_less_one),
		BENCH_TEST(a_part_with_an_error_behind_200_is_sent_again),
		BENCH_TEST(a_part_that_is_refused_ends_the_upload),
		BENCH_TEST(a_completion_that_is_asked_twice_is_found_by_the_object),
		BENCH_TEST(a_former_upload_is_given_up_first),
		BENCH_TEST(a_copy_of_another_length_is_found_out),
		BENCH_TEST(the_same_object_there_is_unchanged),
		BENCH_TEST(a_key_that_xml_cannot_say_goes_alone),
		BENCH_TEST(what_may_not_go_is_told_and_the_rest_is_gone),
		BENCH_TEST(a_list_without_end_is_refused),
		BENCH_TEST(the_missing_right_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
