#include "../unit.h"

#include "base/digest.h"

static int
setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void
is_hmac(struct arena *mem, struct str key, const char *text, const char *want)
{
	uint8_t out[SHA256_SIZE];
	hmac_sha256(key, str_of(text), out);
	assert_string_equal(hex_text(mem, out, sizeof out), want);
}

static struct str
filled(struct arena *mem, char c, size_t n)
{
	struct buf text = buf_in(mem);
	buf_fill(&text, c, n);
	return buf_str(&text);
}

/* RFC 4231: cases 1 and 2, 6 and 7, whose keys are longer than a block; and no key. */
static void
hmac_is_that_of_the_rfc(void **state)
{
	struct str large = filled(*state, '\xaa', 131);
	is_hmac(*state, filled(*state, '\x0b', 20), "Hi There",
		"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	is_hmac(*state, STR("Jefe"), "what do ya want for nothing?",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	is_hmac(*state, large, "Test Using Larger Than Block-Size Key - Hash Key First",
		"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	is_hmac(*state, large,
		"This is a test using a larger than block-size key and a larger than "
		"block-size data. The key needs to be hashed before being used by the "
		"HMAC algorithm.",
		"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
	is_hmac(*state, (struct str){NULL, 0}, "",
		"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hmac_is_that_of_the_rfc, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
