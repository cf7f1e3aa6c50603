#include "bench.h"

#include "steps/aws/endpoint.h"

static void
asks(struct bench *bench, const char *in, const char *url)
{
	bench_http(bench, arena_printf(bench->mem, "HEAD %s", url), 404, "");
	struct trial trial = bench_try(bench, "run",
		(struct trial){.type = bench_type("s3_check"), .in = in, .got = bench_keys});
	bench_ends(&trial, STEP_FAIL, NULL);
}

static const char eu[] = "{\"url\":\"s3://pot/k\",\"region\":\"eu-central-1\"}";

static void
a_region_has_its_host(void **state)
{
	asks(*state, eu, "https://pot.s3.eu-central-1.amazonaws.com/k");
	asks(*state, "{\"url\":\"s3://pot/k\",\"region\":\"cn-north-1\"}",
		"https://pot.s3.cn-north-1.amazonaws.com.cn/k");
	asks(*state, "{\"url\":\"s3://p.ot/k\",\"region\":\"us-gov-west-1\"}",
		"https://s3.us-gov-west-1.amazonaws.com/p.ot/k");
}

static void
variants_are_asked_for_by_the_environment(void **state)
{
	struct bench *bench = *state;
	fake_env(bench->fake, "AWS_USE_FIPS_ENDPOINT", "true");
	asks(bench, "{\"url\":\"s3://pot/k\",\"region\":\"us-east-1\"}",
		"https://pot.s3-fips.us-east-1.amazonaws.com/k");
	fake_env(bench->fake, "AWS_USE_DUALSTACK_ENDPOINT", "true");
	asks(bench, "{\"url\":\"s3://pot/k\",\"region\":\"us-east-1\"}",
		"https://pot.s3-fips.dualstack.us-east-1.amazonaws.com/k");
}

static void
an_endpoint_of_ones_own_goes_before(void **state)
{
	struct bench *bench = *state;
	fake_env(bench->fake, "AWS_ENDPOINT_URL", "http://all.example");
	asks(bench, eu, "http://all.example/pot/k");
	fake_env(bench->fake, "AWS_ENDPOINT_URL_S3", "http://s3.example:9000/store/");
	asks(bench, eu, "http://s3.example:9000/store/pot/k");
	fake_env(bench->fake, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
	asks(bench, eu, "https://pot.s3.eu-central-1.amazonaws.com/k");
}

static void
a_global_service_counts_where_it_is_controlled(void **state)
{
	struct bench *bench = *state;
	assert_string_equal(endpoint_control(bench->mem, "route53", "eu-west-1"), "us-east-1");
	assert_string_equal(
		endpoint_control(bench->mem, "route53", "cn-north-1"), "cn-northwest-1");
	assert_string_equal(endpoint_control(bench->mem, "rds", "eu-west-1"), "eu-west-1");
	assert_string_equal(endpoint_variable(bench->mem, "Route 53"), "ROUTE_53");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(a_region_has_its_host),
		BENCH_TEST(variants_are_asked_for_by_the_environment),
		BENCH_TEST(an_endpoint_of_ones_own_goes_before),
		BENCH_TEST(a_global_service_counts_where_it_is_controlled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
