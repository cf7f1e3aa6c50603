#include "../unit.h"

#include "host/address.h"

static bool
allowed(const char *ip, const struct addresses *limits, bool link_local)
{
	struct sockaddr_storage addr;
	struct err err;
	assert_true(address_parse(ip, 80, &addr, &err));
	return address_allowed((struct sockaddr *)&addr, limits, link_local, &err);
}

static void
metadata_is_refused_in_every_form(void **state)
{
	(void)state;
	static const char *const forms[] = {
		"169.254.169.254",
		"169.254.170.2",
		"::ffff:169.254.169.254",
		"::a9fe:a9fe",
		"64:ff9b::a9fe:a9fe",
		"2002:a9fe:a9fe::1",
		"fe80::1",
		"fd00:ec2::254",
		"fd20:ce::254",
		"100.100.100.200",
		"168.63.129.16",
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		assert_false(allowed(forms[i], NULL, false));
		assert_true(allowed(forms[i], NULL, true));
		assert_false(allowed(forms[i], &(struct addresses){0}, false));
	}
	assert_true(allowed("169.253.255.255", NULL, false));
	assert_true(allowed("169.255.0.0", NULL, false));
	assert_true(allowed("127.0.0.1", NULL, false));
	assert_true(allowed("::1", NULL, false));
}

static void
limits_leave_public_and_listed(void **state)
{
	(void)state;
	static const struct address_range ranges[] = {
		{{[10] = 0xff, 0xff, 10, 1, 0, 0}, 96 + 15},
		{{[10] = 0xff, 0xff, 169, 254, 169, 254}, 128},
	};
	const struct addresses limits = {ranges, 2};
	assert_true(allowed("10.1.2.3", &limits, false));
	assert_true(allowed("10.0.255.255", &limits, false));
	assert_false(allowed("10.2.0.0", &limits, false));
	assert_true(allowed("169.254.169.254", &limits, false));
	assert_false(allowed("169.254.169.253", &limits, false));
	assert_true(allowed("8.8.8.8", &limits, false));
	assert_true(allowed("2606:4700::1", &limits, false));
	static const char *const inner[] = {"127.0.0.1", "192.168.1.1", "172.31.0.1",
		"100.64.0.1", "::1", "fc00::1", "0.0.0.0"};
	for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
		assert_false(allowed(inner[i], &limits, false));
}

static void
host_and_port_are_split(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct err err;
	char *host, *port;
	assert_ok(address_split(mem, "[2001:db8::1]:5432", &host, &port, &err));
	assert_string_equal(host, "2001:db8::1");
	assert_string_equal(port, "5432");
	assert_ok(address_split(mem, "db.example:80", &host, &port, &err));
	assert_string_equal(host, "db.example");
	static const char *const wrong[] = {"", "db", ":80", "db:", "db:0", "db:65536",
		"db:8x", "::1:80", "[::1]", "[]:1"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(address_split(mem, wrong[i], &host, &port, &err));
	arena_free(mem);
}

/* Of a called playbook: its caller's have to allow it as well. */
static void
limits_of_both_hold(void **state)
{
	(void)state;
	static const struct address_range outer_ranges[] = {
		{{[10] = 0xff, 0xff, 10, 1, 0, 0}, 96 + 16}};
	static const struct address_range inner_ranges[] = {
		{{[10] = 0xff, 0xff, 10, 0, 0, 0}, 96 + 8},
		{{[10] = 0xff, 0xff, 169, 254, 169, 254}, 128}};
	const struct addresses outer = {.ranges = outer_ranges, .n = 1};
	const struct addresses none = {.no_list = true};
	struct addresses inner = {.ranges = inner_ranges, .n = 2};
	assert_true(allowed("10.2.0.1", &inner, false));
	assert_true(allowed("169.254.169.254", &inner, false));
	inner.also = &outer;
	assert_true(allowed("10.1.0.1", &inner, false));
	assert_false(allowed("10.2.0.1", &inner, false));
	assert_false(allowed("169.254.169.254", &inner, false));
	assert_true(allowed("8.8.8.8", &inner, false));
	inner.also = &none;
	assert_true(allowed("10.2.0.1", &inner, false));
	assert_false(allowed("192.168.1.1", &inner, false));
	assert_false(allowed("169.254.169.254", &inner, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_is_refused_in_every_form),
		cmocka_unit_test(limits_leave_public_and_listed),
		cmocka_unit_test(limits_of_both_hold),
		cmocka_unit_test(host_and_port_are_split),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
