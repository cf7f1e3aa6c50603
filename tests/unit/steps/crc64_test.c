#include "../unit.h"

#include "base/arena.h"
#include "steps/aws/crc64.h"

static void
the_check_value_holds(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct crc64 *crc = crc64_new(mem);
	assert_true(crc64_add(crc, 0, STR("123456789")) == UINT64_C(0xae8b14860a799888));
	assert_true(crc64_add(crc, 0, STR("")) == 0);
	assert_string_equal(
		crc64_text(mem, UINT64_C(0xae8b14860a799888)), "rosUhgp5mIg=");
	arena_free(mem);
}

static void
pieces_give_the_same_as_the_whole(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct crc64 *crc = crc64_new(mem);
	char bytes[1000];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7 + i / 3);
	uint64_t whole = crc64_add(crc, 0, (struct str){bytes, sizeof bytes});
	for (size_t cut = 0; cut < sizeof bytes; cut += 37) {
		uint64_t first = crc64_add(crc, 0, (struct str){bytes, cut});
		assert_true(crc64_add(crc, first,
				    (struct str){bytes + cut, sizeof bytes - cut})
			== whole);
	}
	bytes[500] ^= 1;
	assert_true(crc64_add(crc, 0, (struct str){bytes, sizeof bytes}) != whole);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_check_value_holds),
		cmocka_unit_test(pieces_give_the_same_as_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
