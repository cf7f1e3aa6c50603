#include "bench.h"

#include "steps/aws/secret.h"

/* The source as a type of its own, so that it can be tried. */
static struct trial
fetched(struct bench *bench, const char *name, const char *in)
{
	struct step_type *type = arena_new_of(bench->mem, struct step_type);
	for (const struct provider *const *it = aws_secrets; *it != NULL; it++)
		if (strcmp((*it)->name, name) == 0)
			*type = (struct step_type){.name = name, .in = (*it)->in,
				.state = (*it)->state, .run = (*it)->run, .effect = PURE};
	return bench_try(bench, "run",
		(struct trial){.type = type, .in = in, .got = bench_keys});
}

static void
gives(const struct trial *trial, const char *text)
{
	bench_ends(trial, STEP_DONE, NULL);
	assert_str(value_get_str(trial->out, "value"), text);
	assert_true((value_get(trial->out, "value")->flags & VALUE_SECRET) != 0);
}

static void
a_secret_is_text(void **state)
{
	bench_http(*state, "POST https://secretsmanager.eu-west-1.amazonaws.com/", 200,
		"{\"SecretString\":\"hunter2\"}");
	struct trial trial = fetched(*state, "aws_secret", "{\"aws_secret\":\"prod/db\"}");
	gives(&trial, "hunter2");
}

static void
a_secret_may_be_bytes(void **state)
{
	bench_http(*state, "[X-Amz-Target: secretsmanager.GetSecretValue]", 200,
		"{\"SecretBinary\":\"aHVudGVyMg==\"}");
	struct trial trial = fetched(*state, "aws_secret", "{\"aws_secret\":\"prod/db\"}");
	gives(&trial, "hunter2");
}

static void
an_arn_says_the_region(void **state)
{
	bench_http(*state, "https://secretsmanager.us-west-2.amazonaws.com/", 200,
		"{\"SecretString\":\"hunter2\"}");
	struct trial trial = fetched(*state, "aws_secret",
		"{\"aws_secret\":\"arn:aws:secretsmanager:us-west-2:1:secret:db-AbCdEf\"}");
	gives(&trial, "hunter2");
}

static void
a_parameter_is_decrypted(void **state)
{
	bench_http(*state, "{\"Name\":\"/db/password\",\"WithDecryption\":true}", 200,
		"{\"Parameter\":{\"Name\":\"/db/password\",\"Value\":\"hunter2\"}}");
	struct trial trial =
		fetched(*state, "aws_parameter", "{\"aws_parameter\":\"/db/password\"}");
	gives(&trial, "hunter2");
}

static void
what_is_not_there_is_named(void **state)
{
	bench_http(*state, "POST", 400,
		"{\"__type\":\"com.amazon#ResourceNotFoundException\",\"Message\":\"no such\"}");
	struct trial trial = fetched(*state, "aws_secret", "{\"aws_secret\":\"prod/db\"}");
	bench_ends(&trial, STEP_FAIL, "prod/db: AWS refuses secretsmanager:GetSecretValue");
	bench_ends(&trial, STEP_FAIL, "ResourceNotFoundException (HTTP 400): no such");
}

static void
an_answer_without_a_value_is_told(void **state)
{
	bench_http(*state, "POST", 200, "{}");
	struct trial trial = fetched(*state, "aws_parameter", "{\"aws_parameter\":\"/x\"}");
	bench_ends(&trial, STEP_FAIL, "/x has no value");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(a_secret_is_text),
		BENCH_TEST(a_secret_may_be_bytes),
		BENCH_TEST(an_arn_says_the_region),
		BENCH_TEST(a_parameter_is_decrypted),
		BENCH_TEST(what_is_not_there_is_named),
		BENCH_TEST(an_answer_without_a_value_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
