#include "../unit.h"

#include "base/digest.h"
#include "store/store.h"

static void
every_kind_has_a_word(void **state)
{
	(void)state;
	for (int i = 0; i < REC_KINDS; i++) {
		enum kind kind;
		assert_true(kind_parse(str_of(kind_word((enum kind)i)), &kind));
		assert_int_equal(kind, i);
	}
	enum kind kind;
	assert_false(kind_parse(STR("deed"), &kind));
	assert_false(kind_parse(STR(""), &kind));
}

/* The bytes of the header comment written out by hand: whoever verifies without rbx
 * relies on them. */
static void
the_hash_is_over_the_documented_bytes(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct buf bytes = buf_in(mem);
	const uint8_t zero[32] = {0};
	struct record record = {.seq = 1,
		.at = 2,
		.boot = 3,
		.kind = REC_RUN,
		.path = "p",
		.attempt = 4,
		.body = STR("{}")};
	buf_add(&bytes, (struct str){"\0\0\0\0\0\0\0\x20", 8});
	buf_add(&bytes, (struct str){(const char *)zero, 32});
	buf_add(&bytes, (struct str){"\0\0\0\0\0\0\0\x02r1", 10});
	buf_add(&bytes, (struct str){"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x01", 16});
	buf_add(&bytes, (struct str){"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x02", 16});
	buf_add(&bytes, (struct str){"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x03", 16});
	buf_add(&bytes, (struct str){"\0\0\0\0\0\0\0\x03run", 11});
	buf_add(&bytes, (struct str){"\0\0\0\0\0\0\0\x01p", 9});
	buf_add(&bytes, (struct str){"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x04", 16});
	buf_add(&bytes, (struct str){"\0\0\0\0\0\0\0\x02{}", 10});
	record_chain("r1", zero, &record, 1);
	assert_string_equal(
		hex_text(mem, record.hash, 32), sha256_hex(mem, buf_str(&bytes)));
	arena_free(mem);
}

static void
each_field_changes_the_hash(void **state)
{
	(void)state;
	const struct record one = {.seq = 2,
		.at = 7,
		.boot = 8,
		.kind = REC_INTENT,
		.path = "a/b",
		.attempt = 1,
		.body = STR("{\"v\":1}")};
	struct record changed[8];
	const uint8_t zero[32] = {0}, other[32] = {1};
	for (size_t i = 0; i < 8; i++)
		changed[i] = one;
	changed[1].seq = 3;
	changed[2].at = 8;
	changed[3].boot = 9;
	changed[4].kind = REC_SAVE;
	changed[5].path = "a/b{";
	changed[6].attempt = 2;
	changed[7].body = STR("{\"v\":2}");
	for (size_t i = 0; i < 8; i++)
		record_chain("r", zero, &changed[i], 1);
	for (size_t i = 1; i < 8; i++)
		assert_memory_not_equal(changed[0].hash, changed[i].hash, 32);
	struct record moved = one;
	record_chain("r", other, &moved, 1);
	assert_memory_not_equal(changed[0].hash, moved.hash, 32);
	record_chain("r2", zero, &moved, 1);
	assert_memory_not_equal(changed[0].hash, moved.hash, 32);
}

static void
a_chain_in_one_go_is_the_same(void **state)
{
	(void)state;
	const uint8_t zero[32] = {0};
	struct record all[3] = {
		{.seq = 1, .path = ""}, {.seq = 2, .path = "a"}, {.seq = 3, .path = "b"}};
	struct record apart[3];
	memcpy(apart, all, sizeof all);
	record_chain("r", zero, all, 3);
	record_chain("r", zero, apart, 1);
	record_chain("r", apart[0].hash, apart + 1, 2);
	assert_memory_equal(all[2].hash, apart[2].hash, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_word),
		cmocka_unit_test(the_hash_is_over_the_documented_bytes),
		cmocka_unit_test(each_field_changes_the_hash),
		cmocka_unit_test(a_chain_in_one_go_is_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
