#include "bench.h"

#include <stdio.h>

#include "steps/sync/plan.h"

static struct sync_item
item(const char *path, uint64_t size, const char *etag, int64_t modified)
{
	return (struct sync_item){str_of(path), str_of(etag), size, modified};
}

static void
the_sides_are_merged_by_path(void **state)
{
	struct bench *bench = *state;
	struct sync_items from = {.mem = bench->mem}, to = {.mem = bench->mem};
	struct sync_plan plan;
	struct err err;
	sync_add(&from, item("new", 1, "", 0));
	sync_add(&from, item("longer", 2, "", 0));
	sync_add(&from, item("like", 3, "", 0));
	sync_add(&from, item("same", 4, "\x01", 0));
	sync_add(&from, item("empty", 0, "", 0));
	sync_add(&to, item("stale", 5, "e", 0));
	sync_add(&to, item("same", 4, "\x01", 0));
	sync_add(&to, item("longer", 1, "e", 0));
	sync_add(&to, item("like", 3, "e", 0));
	sync_add(&to, item("empty", 0, "e", 0));
	assert_ok(sync_merge(bench->mem, &from, &to, true, &plan, &err));
	static const struct { const char *path; enum sync_action action; } wanted[] = {
		{"empty", SYNC_SAME}, {"like", SYNC_UNDECIDED}, {"longer", SYNC_COPY},
		{"new", SYNC_COPY}, {"same", SYNC_SAME}, {"stale", SYNC_DELETE}};
	assert_int_equal(plan.n, 6);
	for (size_t i = 0; i < 6; i++) {
		const struct sync_entry *entry = &plan.entries[i];
		assert_str((entry->from != NULL ? entry->from : entry->to)->path,
			wanted[i].path);
		assert_int_equal(entry->action, wanted[i].action);
	}
	struct sync_totals totals = sync_count(&plan);
	assert_int_equal(totals.copies, 2);
	assert_int_equal(totals.copy_bytes, 3);
	assert_int_equal(totals.deletes, 1);
	assert_int_equal(totals.delete_bytes, 5);
	assert_int_equal(totals.there, 5);
	assert_ok(sync_merge(bench->mem, &from, &to, false, &plan, &err));
	assert_int_equal(sync_count(&plan).deletes, 0);
	sync_add(&from, item("new", 1, "", 0));
	assert_false(sync_merge(bench->mem, &from, &to, true, &plan, &err));
}

static void
paths_that_leave_are_not_safe(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "/a", "a/", "a//b", "..", "a/..", "../a",
		"a/../b", ".", "a/./b", "a\nb", "a/\x7f"};
	static const char *const good[] = {
		"a", "a/b", "...", "a..b/.c", "a b", "\xc3\xbc"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (sync_path_is_safe(str_of(bad[i])))
			fail_msg("'%s' is taken for safe", bad[i]);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!sync_path_is_safe(str_of(good[i])))
			fail_msg("'%s' is refused", good[i]);
}

static void
the_size_of_parts_is_found_by_their_number(void **state)
{
	(void)state;
	static const char md5[] = "0123456789abcdef0123456789abcdef";
	char etag[64];
	snprintf(etag, sizeof etag, "%s-3", md5);
	assert_true(sync_part(str_of(md5), 5) == UINT64_MAX);
	assert_true(sync_part(str_of(etag), (20 << 20) + 7) == 8 << 20);
	assert_true(sync_part(str_of(etag), 15 << 20) == 5 << 20);
	assert_true(sync_part(str_of(etag), UINT64_C(60) << 20) == 20 << 20);
	assert_true(sync_part(str_of(etag), 2) == 0);
	assert_true(sync_part(STR("of-kms"), 20 << 20) == 0);
	assert_true(sync_part(STR("0123456789abcdef0123456789abcdef-x"), 9) == 0);
}

static void
an_etag_is_made_of_md5s(void **state)
{
	struct bench *bench = *state;
	uint8_t sums[2][16];
	assert_true(md5(STR("hello"), sums[0]));
	assert_true(md5(STR("world"), sums[1]));
	const uint8_t (*md5s)[16] = (const uint8_t (*)[16])sums;
	assert_true(sync_etag_is(
		bench->mem, STR("5d41402abc4b2a76b9719d911017c592"), md5s, 1));
	assert_false(sync_etag_is(
		bench->mem, STR("5d41402abc4b2a76b9719d911017c592"), md5s, 2));
	assert_true(sync_etag_is(
		bench->mem, STR("065947336a2f2a95ba8899f3675c3be6-2"), md5s, 2));
	assert_false(sync_etag_is(
		bench->mem, STR("065947336a2f2a95ba8899f3675c3be6-3"), md5s, 2));
	assert_false(sync_etag_is(bench->mem, STR(""), NULL, 0));
}

/* ---- the step: what it does with an answer that is not what S3 says it keeps */

static const char down[] = "{\"from\":\"s3://bucket/p/\",\"to\":\"/folder/down\"}";
static const char page[] = "<ListBucketResult><Contents><Key>p/a</Key><Size>5</Size>"
	"<ETag>\"5d41402abc4b2a76b9719d911017c592\"</ETag></Contents></ListBucketResult>";

static void
got(struct bench *bench, const char *body)
{
	static const struct header headers[] = {{"content-length", "5"},
		{"etag", "\"5d41402abc4b2a76b9719d911017c592\""}};
	struct http_answer *answer = arena_new_of(bench->mem, struct http_answer);
	*answer = (struct http_answer){.status = 200, .headers = headers, .n_headers = 2,
		.body = str_of(body)};
	fake_expect(bench->fake,
		(struct expected){OP_HTTP,
			.asks = "[If-Match: \"5d41402abc4b2a76b9719d911017c592\"]",
			.answer = answer});
}

static struct trial
sync(struct bench *bench, const char *in)
{
	return bench_try(bench, "run", (struct trial){.type = bench_type("s3_sync"),
		.in = in, .got = bench_keys});
}

static void
a_file_appears_when_its_bytes_are_right(void **state)
{
	bench_http(*state, "list-type=2&prefix=p%2F", 200, page);
	bench_file(*state, "walk", NULL);
	got(*state, "hello");
	bench_file(*state, "replace /folder/down/a hello", NULL);
	struct trial trial = sync(*state, down);
	bench_ends(&trial, STEP_DONE, NULL);
	assert_string_equal(trial.out_text,
		"{\"copied\":1,\"deleted\":0,\"unchanged\":0,\"bytes\":5}");
}

static void
other_bytes_make_no_file(void **state)
{
	bench_http(*state, "list-type=2", 200, page);
	bench_file(*state, "walk", NULL);
	got(*state, "hallo");
	struct trial trial = sync(*state, down);
	bench_ends(&trial, STEP_FAIL, "other bytes came than S3 says it keeps");
	assert_true(trial.err.transient);
}

static void
a_key_that_leaves_the_folder_is_refused(void **state)
{
	bench_http(*state, "list-type=2", 200, "<ListBucketResult><Contents>"
		"<Key>p/../../etc/cron.d/x</Key><Size>1</Size></Contents></ListBucketResult>");
	bench_file(*state, "walk", NULL);
	struct trial trial = sync(*state, down);
	bench_ends(&trial, STEP_FAIL, "would be no file below the folder");
	assert_false(trial.any_effect);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(the_sides_are_merged_by_path),
		BENCH_TEST(paths_that_leave_are_not_safe),
		BENCH_TEST(the_size_of_parts_is_found_by_their_number),
		BENCH_TEST(an_etag_is_made_of_md5s),
		BENCH_TEST(a_file_appears_when_its_bytes_are_right),
		BENCH_TEST(other_bytes_make_no_file),
		BENCH_TEST(a_key_that_leaves_the_folder_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
