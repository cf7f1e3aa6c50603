/* What an attempt may have begun of which nothing was saved. */
#include "../unit.h"

#include "run/leftover.h"
#include "steps/steps.h"
#include "whole.h"

struct bench { struct whole whole; unsigned failed; };

/* The world begins at 13:00. */
static void
answers(struct whole *whole, const char *asks, int status, const char *body)
{
	struct http_answer *answer = arena_new_of(whole->mem, struct http_answer);
	*answer = (struct http_answer){.status = status, .body = str_of(body)};
	fake_always(whole->fake,
		(struct expected){OP_HTTP, .asks = asks, .answer = answer});
}

static const char *
upload(struct arena *mem, const char *key, const char *id, const char *at)
{
	return arena_printf(mem, "<Upload><Key>%s</Key><UploadId>%s</UploadId>"
		"<Initiated>2026-01-19T%s.000Z</Initiated></Upload>", key, id, at);
}

/* A put of which no answer came, twice: nobody knows what is there. */
static struct bench *
put_in_doubt(struct arena *mem)
{
	struct bench *bench = arena_new_of(mem, struct bench);
	struct whole *whole = &bench->whole;
	whole_open(whole, mem);
	fake_env(whole->fake, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
	fake_env(whole->fake, "AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG");
	fake_always(whole->fake, (struct expected){OP_FILE, .code = ERR_NOT_FOUND});
	answers(whole, "GetCallerIdentity", 403, "");
	answers(whole, "HEAD ", 404, "");
	fake_always(whole->fake, (struct expected){OP_HTTP, .asks = "PUT ",
		.code = ERR_NETWORK, .reach = REACH_SENT, .transient = true});
	int code = whole_run(whole, whole_book(whole, "rbx: 1\nname: t\nsteps:\n"
		"  - {id: put, retry: {attempts: 2}, s3_put: {region: us-west-1,"
		" to: 's3://bucket-a/db/x.dump', body: hello}}\n"));
	if (code != 4)
		fail_msg("%d: %s\n%s", code, whole->err.msg, whole_trace(whole, 1));
	return bench;
}

static void
failed(const struct leftover *leftover, struct err *err, void *with)
{
	struct bench *bench = with;
	(void)leftover;
	(void)err;
	bench->failed++;
}

static size_t
searched(struct bench *bench, struct leftover **list)
{
	struct whole *whole = &bench->whole;
	struct err err = {0};
	size_t n;
	assert_ok(leftovers_saved(whole->store, step_types, whole->mem, list, &n, &err));
	assert_int_equal(n, 2);                       /* one for each attempt */
	assert_null((*list)[0].saved);
	leftovers_search(whole->store, whole->host, list, &n, whole->mem, failed, bench);
	return n;
}

/* Somewhere in the store an upload is known. */
static void
saves(struct whole *whole, const char *id)
{
	size_t n;
	const struct record *records = memory_records(whole->store, &n);
	struct record record = {.seq = records[n - 1].seq + 1, .kind = REC_SAVE,
		.at = records[n - 1].at, .path = "other",
		.body = str_of(arena_printf(whole->mem,
			"{\"v\":1,\"value\":{\"upload_id\":\"%s\"}}", id))};
	struct batch batch = {.run = whole->run, .records = &record, .n_records = 1};
	struct op op = {.kind = OP_POSTED, .mem = whole->mem, .deadline = INT64_MAX};
	int number;
	store_append(whole->store, &batch, &op);
	assert_ptr_equal(whole->host->type->wait(whole->host, INT64_MAX, &number), &op);
}

static void
an_upload_of_its_time_is_found(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct bench *bench = put_in_doubt(mem);
	struct leftover *list;
	saves(&bench->whole, "known");
	answers(&bench->whole, "max-uploads=1000&prefix=db%2Fx.dump&uploads=", 200,
		arena_printf(mem, "<ListMultipartUploadsResult>%s%s%s%s"
			"</ListMultipartUploadsResult>",
			upload(mem, "db/x.dump", "yesterday", "12:00:00"),
			upload(mem, "db/x.dump.2", "longer", "13:00:01"),
			upload(mem, "db/x.dump", "known", "13:00:01"),
			upload(mem, "db/x.dump", "ours", "13:00:01")));
	assert_int_equal(searched(bench, &list), 1);
	assert_true(str_is(value_get_str(list[0].saved, "upload_id"), "ours"));
	assert_true(str_is(value_get_str(list[0].saved, "bucket"), "bucket-a"));
	assert_true(str_is(value_get_str(list[0].saved, "key"), "db/x.dump"));
	assert_int_equal(bench->failed, 0);
	arena_free(mem);
}

static void
nothing_is_found_where_nothing_is(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct bench *bench = put_in_doubt(mem);
	struct leftover *list;
	answers(&bench->whole, "max-uploads=1000", 200,
		"<ListMultipartUploadsResult/>");
	assert_int_equal(searched(bench, &list), 0);
	assert_int_equal(bench->failed, 0);
	arena_free(mem);
}

static void
what_cannot_be_asked_is_told(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct bench *bench = put_in_doubt(mem);
	struct leftover *list;
	answers(&bench->whole, "max-uploads=1000", 403,
		"<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
	assert_int_equal(searched(bench, &list), 0);
	assert_int_equal(bench->failed, 2);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upload_of_its_time_is_found),
		cmocka_unit_test(nothing_is_found_where_nothing_is),
		cmocka_unit_test(what_cannot_be_asked_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
