/* Where the steps of a run may act: what is judged before anything is asked, and what
 * before it is sent. */
#include "../unit.h"

#include "whole.h"

static struct whole *
opened(struct arena *mem)
{
	struct whole *whole = arena_new_of(mem, struct whole);
	whole_open(whole, mem);
	fake_env(whole->fake, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
	fake_env(whole->fake, "AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG");
	fake_always(whole->fake, (struct expected){OP_FILE, .code = ERR_NOT_FOUND});
	return whole;
}

static void
is_account(struct whole *whole, const char *account)
{
	struct http_answer *answer = arena_new_of(whole->mem, struct http_answer);
	answer->status = 200;
	answer->body = str_of(arena_printf(whole->mem,
		"<GetCallerIdentityResponse><GetCallerIdentityResult>"
		"<Arn>arn:aws:iam::%s:user/ana</Arn><UserId>A</UserId>"
		"<Account>%s</Account></GetCallerIdentityResult>"
		"</GetCallerIdentityResponse>", account, account));
	fake_expect(whole->fake, (struct expected){OP_HTTP,
		.asks = "Action=GetCallerIdentity", .answer = answer});
}

static void
lists_no_queues(struct whole *whole, const char *region)
{
	static const struct http_answer answer = {.status = 200, .body = {"{}", 2}};
	fake_expect(whole->fake, (struct expected){OP_HTTP,
		.asks = arena_printf(whole->mem, "https://sqs.%s.amazonaws.com", region),
		.answer = &answer});
}

/* `first` is asked only where nothing is refused before the first check. */
static const char *const text =
	"rbx: 1\nname: t\n"
	"limits: {regions: [us-west-2]}\n"
	"inputs: {where: {type: string, default: %s}}\n"
	"vars: {there: '${{ inputs.where }}'}\n"
	"steps:\n"
	"  - {id: first, exec: {argv: [tell]}, effect: pure}\n"
	"  - {id: list, aws: {call: sqs.ListQueues, region: '${{ %s }}'}}\n";

static const char *
text_of(struct arena *mem, const char *where, const char *region)
{
	return arena_printf(mem, text, where, region);
}

static void
refused_before_anything(struct whole *whole, const char *book, const char *why)
{
	int code = whole_run(whole, whole_book(whole, book));
	if (code != 3)
		fail_msg("%d: %s\n%s", code, whole->err.msg, whole_trace(whole, 1));
	assert_null(whole->run);
	assert_null(fake_left(whole->fake));
	if (strstr(whole->err.msg, why) == NULL)
		fail_msg("%s", whole->err.msg);
}

static void
a_region_of_an_input_is_judged_at_the_start(void **state)
{
	static const char *const from[] = {"inputs.where", "vars.there"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct arena *mem = arena_new();
		refused_before_anything(opened(mem), text_of(mem, "eu-west-1", from[i]),
			"step 'list': the region eu-west-1 is not in limits.regions");
		arena_free(mem);
	}
}

static void
one_that_is_allowed_is_asked(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	fake_expect(whole->fake, (struct expected){OP_EXEC, .asks = "tell"});
	is_account(whole, "111111111111");
	lists_no_queues(whole, "us-west-2");
	int code = whole_run(whole, whole_book(whole, text_of(mem, "us-west-2",
		"inputs.where")));
	if (code != 0)
		fail_msg("%d: %s\n%s", code, whole->err.msg, whole_trace(whole, 1));
	assert_null(fake_left(whole->fake));
	arena_free(mem);
}

/* What a step gives is known when it is needed: nothing is sent then. */
static void
a_region_of_a_step_is_judged_before_the_send(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	fake_expect(whole->fake, (struct expected){OP_EXEC, .asks = "tell",
		.out = STR("eu-west-1")});
	is_account(whole, "111111111111");
	assert_int_equal(whole_run(whole, whole_book(whole, "rbx: 1\nname: t\n"
		"limits: {regions: [us-west-2]}\n"
		"steps:\n"
		"  - id: first\n"
		"    exec: {argv: [tell]}\n"
		"    effect: pure\n"
		"    outputs:\n"
		"      where: self.stdout\n"
		"  - {id: list, aws: {call: sqs.ListQueues,"
		" region: '${{ steps.first.outputs.where }}'}}\n")), 1);
	assert_null(fake_left(whole->fake));
	size_t n;
	const struct record *records = memory_records(whole->store, &n);
	bool told = false;
	for (size_t i = 0; i < n; i++)
		told |= str_find(records[i].body,
				STR("eu-west-1 is not in limits.regions"))
			< records[i].body.n;
	assert_true(told);
	arena_free(mem);
}

static void
an_account_of_an_input_is_judged_at_the_start(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	is_account(whole, "111111111111");
	refused_before_anything(whole, "rbx: 1\nname: t\n"
		"limits: {accounts: ['222222222222']}\n"
		"inputs: {where: {type: string, default: us-west-2}}\n"
		"steps:\n"
		"  - {id: list, aws: {call: sqs.ListQueues,"
		" region: '${{ inputs.where }}'}}\n",
		"step 'list': the credentials belong to account 111111111111");
	arena_free(mem);
}

/* ---- called playbooks */

static const char *const inner =
	"rbx: 1\nname: inner\n"
	"limits: {%s}\n"
	"inputs: {where: {type: string}}\n"
	"steps:\n"
	"  - {id: list, aws: {call: sqs.ListQueues, region: '${{ inputs.where }}'}}\n";

static const char *const outer =
	"rbx: 1\nname: outer\n"
	"limits: {%s}\n"
	"steps:\n"
	"  - {id: own, aws: {call: sqs.ListQueues, region: us-west-2}}\n"
	"  - {id: call, playbook: {file: inner.yaml, inputs: {where: %s}}}\n";

static void
called(struct whole *whole, const char *limits)
{
	whole_file(whole, "inner.yaml", arena_printf(whole->mem, inner, limits));
}

static void
the_regions_of_caller_and_called_hold(void **state)
{
	static const struct { const char *outer, *inner, *where; } rows[] = {
		{"regions: [us-west-2]", "parallel: 2", "us-east-1"},
		{"parallel: 2", "regions: [us-west-2]", "us-east-1"},
		{"regions: [us-west-2, us-east-1]", "regions: [us-east-1]", "us-west-2"},
		{"regions: [us-west-2]", "regions: [us-east-1]", "us-east-1"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *mem = arena_new();
		struct whole *whole = opened(mem);
		called(whole, rows[i].inner);
		refused_before_anything(whole,
			arena_printf(mem, outer, rows[i].outer, rows[i].where),
			"is not in limits.regions");
		arena_free(mem);
	}
}

static void
what_both_allow_is_asked(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	called(whole, "regions: [us-east-1]");
	is_account(whole, "111111111111");
	lists_no_queues(whole, "us-west-2");
	is_account(whole, "111111111111");            /* within other limits */
	lists_no_queues(whole, "us-east-1");
	int code = whole_run(whole, whole_book(whole, arena_printf(mem, outer,
		"regions: [us-west-2, us-east-1]", "us-east-1")));
	if (code != 0)
		fail_msg("%d: %s\n%s", code, whole->err.msg, whole_trace(whole, 1));
	assert_null(fake_left(whole->fake));
	arena_free(mem);
}

/* Though the caller may use these credentials, and has them already. */
static void
the_accounts_of_the_called_one_hold(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	called(whole, "accounts: ['222222222222']");
	is_account(whole, "111111111111");
	is_account(whole, "111111111111");
	refused_before_anything(whole, arena_printf(mem, outer,
		"accounts: ['111111111111', '222222222222']", "us-west-2"),
		"which is not in limits.accounts");
	arena_free(mem);
}

/* A region that is written out is told by the place, when the caller is read. */
static void
a_written_region_is_judged_by_the_callers_limits(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	struct whole *whole = opened(mem);
	struct diags diags = {.mem = mem};
	whole_file(whole, "inner.yaml", "rbx: 1\nname: inner\nsteps:\n"
		"  - {id: list, aws: {call: sqs.ListQueues, region: eu-west-1}}\n");
	whole_file(whole, "book.yaml", "rbx: 1\nname: outer\n"
		"limits: {regions: [us-west-2]}\nsteps:\n"
		"  - {id: call, playbook: {file: inner.yaml}}\n");
	assert_null(playbook_load(mem, "book.yaml", &whole->loader, &diags));
	assert_string_equal(diags.first->err.msg,
		"the region \"eu-west-1\" is not in limits.regions of book.yaml");
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_region_of_an_input_is_judged_at_the_start),
		cmocka_unit_test(one_that_is_allowed_is_asked),
		cmocka_unit_test(a_region_of_a_step_is_judged_before_the_send),
		cmocka_unit_test(an_account_of_an_input_is_judged_at_the_start),
		cmocka_unit_test(the_regions_of_caller_and_called_hold),
		cmocka_unit_test(what_both_allow_is_asked),
		cmocka_unit_test(the_accounts_of_the_called_one_hold),
		cmocka_unit_test(a_written_region_is_judged_by_the_callers_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
