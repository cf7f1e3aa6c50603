/* Keys in the environment. */
#include "../steps/aws/chain.h"

bool
chain_env_keys(struct step *step)
{
	struct chain *c = step->state;
	struct span until;
	struct err ignored;
	struct keys keys = {chain_env(step, "AWS_ACCESS_KEY_ID"),
		chain_env(step, "AWS_SECRET_ACCESS_KEY"),
		chain_env(step, "AWS_SESSION_TOKEN"), 0};
	if (keys.id.n == 0 || keys.secret.n == 0)
		return false;
	if (time_parse(chain_env(step, "AWS_CREDENTIAL_EXPIRATION"), &until, &ignored))
		keys.valid_until = span_us(until);
	c->keys = keys;
	return true;
}

enum found
source_environment(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	if (c->is_chosen)
		return chain_nothing(step, "the step names a profile");
	if (!chain_env_keys(step))
		return chain_nothing(step,
			chain_env(step, "AWS_ACCESS_KEY_ID").n > 0
				? "AWS_ACCESS_KEY_ID without AWS_SECRET_ACCESS_KEY"
				: "no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
	if (c->keys.valid_until != 0 && c->keys.valid_until <= event->now.wall)
		return chain_end(step, "expired at AWS_CREDENTIAL_EXPIRATION");
	return chain_found(step, "environment");
}
