#include "../unit.h"

#include "step.h"

extern const struct step_type exec_type;

static struct trial
tried(struct fake *fake, struct arena *mem, const char *phase, struct trial trial)
{
	trial.type = &exec_type;
	trial_run(fake, mem, phase, &trial);
	return trial;
}

static void
a_program_gets_what_it_may(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_env(fake, "HOME", "/home/ana");
	fake_env(fake, "AWS_SECRET_ACCESS_KEY", "not-for-children");
	fake_env(fake, "DEPLOY", "blue");
	fake_expect(fake, (struct expected){OP_EXEC, .asks = "exec: tool --x", .lacks = "not-for-children",
		.out = STR("said\n")});
	struct trial trial = tried(fake, mem, "run", (struct trial){
		.in = "{\"argv\": [\"tool\", \"--x\"], \"env\": {\"A\": \"b\"}, \"pass_env\": [\"DEPLOY\"]}"});
	assert_int_equal(trial.verdict, STEP_DONE);
	assert_string_equal(trial.out_text, "{\"code\":0,\"stdout\":\"said\\n\",\"stderr\":\"\"}");
	assert_string_equal(trial.output, "said\n");
	arena_free(mem);
}

static void
the_environment_is_named(void **state)
{
	(void)state;
	static const char *const wanted[] = {"{HOME=/home/ana}", "{A=b}", "{DEPLOY=blue}", "{RBX_RUN=r-test}", "{F: hidden}"};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		struct arena *mem = arena_new();
		struct fake *fake = fake_new(mem);
		fake_env(fake, "HOME", "/home/ana");
		fake_env(fake, "DEPLOY", "blue");
		fake_expect(fake, (struct expected){OP_EXEC, .asks = wanted[i]});
		struct trial trial = tried(fake, mem, "run", (struct trial){
			.in = "{\"argv\": [\"tool\"], \"env\": {\"A\": \"b\"}, \"pass_env\": [\"DEPLOY\"], "
			      "\"files\": {\"F\": \"hidden\"}}"});
		assert_int_equal(trial.verdict, STEP_DONE);
		arena_free(mem);
	}
}

static void
shell_text_takes_data_as_arguments(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_expect(fake, (struct expected){OP_EXEC, .asks = "exec: /bin/sh -eu -c echo $1 sh a; rm -rf /"});
	struct trial trial = tried(fake, mem, "run", (struct trial){
		.in = "{\"shell\": \"echo $1\", \"args\": [\"a; rm -rf /\"]}"});
	assert_int_equal(trial.verdict, STEP_DONE);
	arena_free(mem);
}

static void
a_failing_code_is_partial(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_expect(fake, (struct expected){OP_EXEC, .exit = 3, .err = STR("first\nno room\n")});
	struct trial trial = tried(fake, mem, "run", (struct trial){.in = "{\"argv\": [\"tool\"]}"});
	assert_int_equal(trial.verdict, STEP_PARTIAL);
	assert_string_equal(trial.err.msg, "exit code 3: no room");
	assert_int_equal(trial.reach, REACH_ANSWERED);
	arena_free(mem);
}

static void
an_accepted_code_is_an_answer(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_expect(fake, (struct expected){OP_EXEC, .exit = 3});
	struct trial trial = tried(fake, mem, "run", (struct trial){.in = "{\"argv\": [\"tool\"]}", .accept = "[3]"});
	assert_int_equal(trial.verdict, STEP_DONE);
	arena_free(mem);
}

static void
what_cannot_start_changed_nothing(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_expect(fake, (struct expected){OP_EXEC, .code = ERR_NOT_FOUND, .reach = REACH_NONE,
		.message = "no program 'tool'"});
	struct trial trial = tried(fake, mem, "run", (struct trial){.in = "{\"argv\": [\"tool\"]}"});
	assert_int_equal(trial.verdict, STEP_FAIL);
	assert_int_equal(trial.reach, REACH_NONE);
	arena_free(mem);
}

static void
what_is_created_is_not_made_again(void **state)
{
	(void)state;
	static const struct file_answer there = {.exists = true};
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	const char *in = "{\"argv\": [\"tool\"], \"creates\": \"made\"}";
	fake_expect(fake, (struct expected){OP_FILE, .asks = "stat /folder/made", .answer = &there});
	assert_int_equal(tried(fake, mem, "run", (struct trial){.in = in}).verdict, STEP_DONE);
	assert_int_equal(fake_started(fake, OP_EXEC), 0);
	fake_expect(fake, (struct expected){OP_FILE, .asks = "stat /folder/made"});
	assert_int_equal(tried(fake, mem, "probe", (struct trial){.in = in}).verdict, STEP_ABSENT);
	arena_free(mem);
}

static void
what_is_killed_is_in_doubt(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_expect(fake, (struct expected){OP_EXEC, .hangs = true});
	struct trial trial = tried(fake, mem, "run", (struct trial){.in = "{\"argv\": [\"tool\"]}", .cancel_after = NS_S});
	assert_int_equal(trial.verdict, STEP_FAIL);
	assert_int_equal(trial.reach, REACH_SENT);    /* which the engine takes for a doubt */
	arena_free(mem);
}

static void
json_is_read(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct fake *fake = fake_new(mem);
	fake_expect(fake, (struct expected){OP_EXEC, .out = STR(" {\"n\": 1}\n")});
	struct trial trial = tried(fake, mem, "run", (struct trial){.in = "{\"argv\": [\"tool\"], \"json\": true}"});
	assert_int_equal(value_get_int(value_get(trial.out, "json"), "n", 0), 1);
	fake_expect(fake, (struct expected){OP_EXEC, .out = STR("n=1\n")});
	trial = tried(fake, mem, "run", (struct trial){.in = "{\"argv\": [\"tool\"], \"json\": true}"});
	assert_int_equal(trial.verdict, STEP_PARTIAL);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_gets_what_it_may),
		cmocka_unit_test(the_environment_is_named),
		cmocka_unit_test(shell_text_takes_data_as_arguments),
		cmocka_unit_test(a_failing_code_is_partial),
		cmocka_unit_test(an_accepted_code_is_an_answer),
		cmocka_unit_test(what_cannot_start_changed_nothing),
		cmocka_unit_test(what_is_created_is_not_made_again),
		cmocka_unit_test(what_is_killed_is_in_doubt),
		cmocka_unit_test(json_is_read),
	};
	return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
