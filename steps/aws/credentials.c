/* The provider of AWS credentials: the chain of the SDKs (botocore credentials.py), then
 * roles, then whose they are. Each source that does not serve leaves its reason, so that
 * the end of the chain tells the whole search. */
#include "../steps/aws/profile.h"

/* In the order in which they are asked. */
static const struct origin {
	const char *name;
	source_fn *run;
	bool of_profile; /* not asked where there is no such profile */
	bool of_host;    /* not asked where a profile must serve */
} origins[] = {
	{"environment", source_environment, false, false},
	{"profile", source_roles, false, false},
	{"web identity", source_web_identity, false, false},
	{"SSO", source_sso, true, false},
	{"profile", source_profile, true, false},
	{"credential_process", source_process, true, false},
	{"container", source_container, false, true},
	{"instance metadata", source_instance, false, true},
};

enum { ORIGINS = sizeof origins / sizeof origins[0] };

static const struct field credentials_in[] = {
	{.name = "region", .type = FIELD_TEXT},
	{.name = "account", .type = FIELD_TEXT},
	{.name = "profile", .type = FIELD_TEXT},
	{.name = "role", .type = FIELD_TEXT},
	{.name = NULL},
};

/* ---- whose they are */

static struct value
identity_value(struct step *step, const char *unknown)
{
	struct chain *c = step->state;
	struct map_builder map = {.mem = step->mem};
	const char *who = unknown == NULL
		? arena_printf(step->mem, "AWS account %s, %s", c->account, c->arn)
		: arena_printf(step->mem, "AWS key %.*s, of whom is unknown: %s",
			STR_FMT(c->keys.id), unknown);
	map_put(&map, "text",
		value_text(step->mem, "%s (keys from %s)", who, c->source));
	if (c->account != NULL)
		map_put(&map, "account", value_str(str_of(c->account)));
	if (c->arn != NULL)
		map_put(&map, "arn", value_str(str_of(c->arn)));
	map_put(&map, "source", value_str(str_of(c->source)));
	return map_done(&map);
}

static enum verdict
finish(struct step *step, const char *unknown)
{
	struct chain *c = step->state;
	struct map_builder out = {.mem = step->mem};
	struct value secret = value_str(c->keys.secret), token = value_str(c->keys.token);
	secret.flags = token.flags = VALUE_SECRET;
	map_put(&out, "access_key_id", value_str(c->keys.id));
	map_put(&out, "secret_access_key", secret);
	map_put(&out, "token", token);
	map_put(&out, "region", value_str(str_of(c->region)));
	map_put(&out, "source", value_str(str_of(c->source)));
	if (c->account != NULL)
		map_put(&out, "account", value_str(str_of(c->account)));
	if (c->arn != NULL)
		map_put(&out, "arn", value_str(str_of(c->arn)));
	if (c->keys.valid_until != 0)
		map_put(&out, "valid_until", value_time_us(c->keys.valid_until));
	map_put(&out, "identity", identity_value(step, unknown));
	c->state = CHAIN_OVER;
	return step_done(step, map_done(&out));
}

static const struct value *
allowed_accounts(const struct step *step)
{
	const struct value *accounts = value_get(step->limits, "accounts");
	return accounts != NULL && accounts->kind == V_LIST ? accounts : NULL;
}

static bool
is_limited(const struct step *step)
{
	return allowed_accounts(step) != NULL
		|| value_get_str(step->in, "account").n > 0;
}

static bool
account_is_allowed(struct step *step, struct str account)
{
	const struct value *accounts = allowed_accounts(step);
	struct str wanted = value_get_str(step->in, "account");
	if (wanted.n > 0 && !str_eq(wanted, account))
		return err_set(step->err, ERR_DENIED,
			"the credentials belong to account %.*s, the step wants %.*s",
			STR_FMT(account), STR_FMT(wanted));
	if (accounts == NULL)
		return true;
	for (size_t i = 0; i < accounts->list.n; i++)
		if (str_eq(accounts->list.items[i].str, account))
			return true;
	return err_set(step->err, ERR_DENIED,
		"the credentials belong to account %.*s, which is not in limits.accounts",
		STR_FMT(account));
}

/* The same key, or new ones of the same role, are whose they were: that is asked once. */
static bool
is_known(struct step *step)
{
	struct chain *c = step->state;
	struct str account = value_get_str(step->saved, "account"),
		   arn = value_get_str(step->saved, "arn"),
		   id = value_get_str(step->saved, "access_key_id"),
		   source = value_get_str(step->saved, "source");
	if (arn.n == 0 || !str_is(source, c->source)
		|| !(str_eq(id, c->keys.id) || str_starts(source, STR("role "))))
		return false;
	c->account = str_cstr(step->mem, account);
	c->arn = str_cstr(step->mem, arn);
	return true;
}

static enum verdict
check_identity(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	if (is_known(step))
		return finish(step, NULL);
	c->state = CHAIN_IDENTITY;
	return sts_ask_identity(step, event, is_limited(step));
}

static enum verdict
identity(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	if (!sts_identity(step, event))
		return is_limited(step)
			? STEP_FAIL
			: finish(step, arena_strdup(step->mem, step->err->msg));
	if (!account_is_allowed(step, str_of(c->account)))
		return STEP_FAIL;
	return finish(step, NULL);
}

/* ---- roles */

static const struct role *
role_next(const struct chain *c)
{
	return &c->roles[c->n_roles - 1];
}

static enum verdict
have_keys(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	if (c->n_roles == 0)
		return check_identity(step, event);
	if (role_next(c)->serial.n > 0)
		return mfa_ask(step, event, role_next(c));
	return sts_assume(step, event, (struct str){NULL, 0});
}

static enum verdict
assumed(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	if (sts_assumed(step, event)) {
		c->n_roles--;
		c->codes = 0;
		return have_keys(step, event);
	}
	return mfa_may_ask_again(step) ? mfa_ask(step, event, role_next(c)) : STEP_FAIL;
}

/* ---- the search */

static const char default_hint[] =
	"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or `profile:` "
	"of the step";

static enum verdict
exhausted(struct step *step)
{
	struct chain *c = step->state;
	step_fail(step, ERR_SECRET, c->transient, "no AWS credentials; tried %s",
		buf_cstr(&c->tried));
	err_hint(step->err, "%s", c->hint != NULL ? c->hint : default_hint);
	return STEP_FAIL;
}

static void
note(struct chain *c, const struct origin *origin)
{
	if (c->why == NULL)
		return;
	bool of_profile = strcmp(origin->name, "profile") == 0;
	buf_printf(&c->tried, "%s%s%s%s: %s", c->tried.n > 0 ? "; " : "", origin->name,
		of_profile ? " " : "", of_profile ? c->profile : "", c->why);
	c->why = NULL;
}

static bool
may_serve(const struct chain *c, const struct origin *origin)
{
	if (c->only != NULL)
		return strcmp(origin->name, c->only) == 0;
	return !(origin->of_profile && c->is_absent) && !(origin->of_host && c->is_bound);
}

static enum verdict
search(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	for (; c->at < ORIGINS; c->at++, c->stage = 0) {
		const struct origin *origin = &origins[c->at];
		if (c->stage == 0 && !may_serve(c, origin))
			continue;
		switch (origin->run(step, event)) {
		case FOUND_LATER:
			return STEP_WAIT;
		case FOUND_KEYS:
			return have_keys(step, event);
		case FOUND_WRONG:
			return STEP_FAIL;
		case FOUND_NOTHING:
			note(c, origin);
			break;
		case FOUND_END:
			note(c, origin);
			return exhausted(step);
		}
	}
	return exhausted(step);
}

static enum verdict
begin_search(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	c->config = chain_loaded(event);
	struct str wanted = value_get_str(step->in, "region");
	if (c->region == NULL) {
		struct str region = profile_get(step, c->profile, "region");
		c->region = region.n > 0 ? str_cstr(step->mem, region) : "us-east-1";
	}
	c->sts_region = wanted.n > 0 ? str_cstr(step->mem, wanted) : c->region;
	c->state = CHAIN_SEARCH;
	return search(step, event);
}

/* ---- the files */

static enum verdict
load(struct step *step, enum chain_state state, const char *variable, const char *name)
{
	struct chain *c = step->state;
	const char *path = aws_home_file(step, variable, name);
	c->state = state;
	chain_load(step, path == NULL ? "/nonexistent" : path);
	return STEP_WAIT;
}

static void
read_wishes(struct step *step)
{
	struct chain *c = step->state;
	static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
	struct str profile = value_get_str(step->in, "profile"),
		   role = value_get_str(step->in, "role"), region = {NULL, 0};
	for (size_t i = 0; i < 2 && region.n == 0; i++)
		region = chain_env(step, variables[i]);
	c->region = region.n > 0 ? str_cstr(step->mem, region) : NULL;
	c->tried = buf_in(step->mem);
	/* As in the SDKs: keys of the environment give way to a profile that the step
	 * names, not to AWS_PROFILE. */
	c->is_chosen = c->is_bound = profile.n > 0;
	if (profile.n == 0)
		profile = chain_env(step, "AWS_PROFILE");
	c->profile = profile.n > 0 ? str_cstr(step->mem, profile) : "default";
	if (role.n > 0)
		c->roles[c->n_roles++] = (struct role){.arn = role};
}

static enum verdict
go(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false,
			"cancelled while AWS credentials were fetched");
	switch (c->state) {
	case CHAIN_START:
		read_wishes(step);
		return load(step, CHAIN_CREDENTIALS_FILE, "AWS_SHARED_CREDENTIALS_FILE",
			"credentials");
	case CHAIN_CREDENTIALS_FILE:
		c->credentials = chain_loaded(event);
		return load(step, CHAIN_CONFIG_FILE, "AWS_CONFIG_FILE", "config");
	case CHAIN_CONFIG_FILE:
		return begin_search(step, event);
	case CHAIN_SEARCH:
		return search(step, event);
	case CHAIN_CODE:
		return mfa_answered(step, event, role_next(c));
	case CHAIN_ASSUME:
		return assumed(step, event);
	case CHAIN_IDENTITY:
		return identity(step, event);
	case CHAIN_OVER:
		break;
	}
	return STEP_WAIT;
}

static bool
key_of(const struct value *in, struct buf *key, struct err *err)
{
	static const char *const names[] = {"profile", "role", "account"};
	(void)err;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct str text = value_get_str(in, names[i]);
		buf_printf(key, "%.*s|", STR_FMT(text));
	}
	return true;
}

const struct provider aws_credentials = {
	.name = "aws_credentials",
	.in = credentials_in,
	.key = key_of,
	.state = sizeof(struct chain),
	.run = go,
};
