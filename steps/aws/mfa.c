/* The code of an MFA device that a role wants: of the environment, else of the person at
 * the terminal. A code serves once. */
#include "../steps/aws/chain.h"

enum { ASKS = 3 };
static const int64_t code_time = 3 * NS_MIN;

static const char *
whose(struct step *step, const struct role *role)
{
	return arena_printf(step->mem, "%.*s (profile %s)", STR_FMT(role->serial),
		role->profile);
}

/* Not for a renewal: that one was used. */
static struct str
given(struct step *step)
{
	return step->saved == NULL ? str_trim(chain_env(step, MFA_VARIABLE))
				   : (struct str){NULL, 0};
}

enum verdict
mfa_ask(struct step *step, const struct event *event, const struct role *role)
{
	struct chain *c = step->state;
	struct str code = given(step);
	if (code.n > 0)
		return sts_assume(step, event, code);
	c->state = CHAIN_CODE;
	struct how how = {.reads = true, .title = "MFA code", .timeout = code_time};
	const char *text = arena_printf(step->mem, "%sMFA code of %s",
		c->codes > 0 ? "That one was not accepted. " : "", whose(step, role));
	if (step_ask(step, how, text) == STEP_WAIT)
		return STEP_WAIT;
	step_fail(step, ERR_SECRET, false,
		"role %.*s wants a code of the MFA device %s, and nobody can be asked",
		STR_FMT(role->arn), whose(step, role));
	err_hint(step->err, "give it as " MFA_VARIABLE ", or start at a terminal");
	return STEP_FAIL;
}

enum verdict
mfa_answered(struct step *step, const struct event *event, const struct role *role)
{
	struct chain *c = step->state;
	struct str code = str_trim(step_said(step));
	c->codes++;
	if (code.n > 0)
		return sts_assume(step, event, code);
	return step_fail(step, ERR_SECRET, false,
		"nobody gave the code of the MFA device %s", whose(step, role));
}

bool
mfa_may_ask_again(const struct step *step)
{
	const struct chain *c = step->state;
	return c->codes > 0 && c->codes < ASKS
		&& strstr(step->err->msg, "MultiFactorAuthentication") != NULL;
}
