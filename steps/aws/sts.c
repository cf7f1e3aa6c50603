/* The Security Token Service: roles assumed with keys, a role for a web identity, and
 * whose keys they are. Its regional endpoint is asked. */
#include "../steps/aws/profile.h"

static const int64_t identity_time = 5 * NS_S;

static struct value
value_of_keys(struct arena *mem, const struct keys *keys)
{
	struct map_builder map = {.mem = mem};
	map_put(&map, "access_key_id", value_str(keys->id));
	map_put(&map, "secret_access_key", value_str(keys->secret));
	map_put(&map, "token", value_str(keys->token));
	return map_done(&map);
}

/* Signed with `keys`, or by nobody. */
static enum verdict
ask(struct step *step, const struct event *event, const struct keys *keys,
	struct str body, int64_t timeout)
{
	struct chain *c = step->state;
	struct value got = value_of_keys(step->mem, keys);
	const struct value *before = step->got, *limits = step->limits;
	struct aws_call call = {
		.service = &aws_sts,
		.method = "POST",
		.path = STR("/"),
		.body = body,
		.region = c->sts_region,
		.content_type = "application/x-www-form-urlencoded; charset=utf-8",
	};
	/* limits.regions is about what a playbook touches, not about who vouches for it.
	 */
	step->got = &got;
	step->limits = NULL;
	struct how how = {
		.reads = true, .title = "STS", .tries = 3, .timeout = timeout};
	enum verdict verdict = aws_send(step, how, event->now, &call);
	step->got = before;
	step->limits = limits;
	return verdict;
}

static void
form(struct buf *out, const char *name, struct str value)
{
	if (value.n == 0)
		return;
	buf_printf(out, "%s%s=", out->n > 0 ? "&" : "", name);
	uri_encode(out, value, false);
}

static struct buf
request(struct step *step, struct str action, const struct role *role)
{
	struct buf body = buf_in(step->mem);
	struct str session = role->session;
	if (session.n == 0)
		session = str_of(arena_printf(
			step->mem, "rbx-%s", step->run == NULL ? "run" : step->run));
	form(&body, "Action", action);
	form(&body, "Version", STR("2011-06-15"));
	form(&body, "RoleArn", role->arn);
	form(&body, "RoleSessionName", session);
	form(&body, "DurationSeconds", role->seconds);
	return body;
}

enum verdict
sts_assume(struct step *step, const struct event *event, struct str code)
{
	struct chain *c = step->state;
	const struct role *role = &c->roles[c->n_roles - 1];
	struct buf body = request(step, STR("AssumeRole"), role);
	form(&body, "ExternalId", role->external_id);
	if (code.n > 0)
		form(&body, "SerialNumber", role->serial);
	form(&body, "TokenCode", code);
	c->role_now = role->arn;
	c->state = CHAIN_ASSUME;
	return ask(step, event, &c->keys, buf_str(&body), 0);
}

static const struct xml *
result_with(const struct xml *root, const char *name)
{
	const struct xml *it = root == NULL ? NULL : root->first;
	while (it != NULL && xml_child(it, name) == NULL)
		it = it->next;
	return it;
}

bool
sts_assumed(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	struct aws_error error;
	struct span until;
	struct err ignored;
	if (!aws_answered(step, event->op, false, &error))
		return err_wrap(step->err, "role %.*s cannot be assumed",
			STR_FMT(c->role_now));
	const struct http_answer *answer = event->op->answer;
	const struct xml *root = xml_parse(step->mem, answer->body, step->err);
	if (root == NULL)
		return false;
	const struct xml *keys =
		xml_child(result_with(root, "Credentials"), "Credentials");
	c->keys = (struct keys){xml_text(keys, "AccessKeyId"),
		xml_text(keys, "SecretAccessKey"), xml_text(keys, "SessionToken"), 0};
	if (time_parse(xml_text(keys, "Expiration"), &until, &ignored))
		c->keys.valid_until = span_us(until);
	if (c->keys.id.n == 0)
		return err_set(step->err, ERR_PROTOCOL,
			"STS gave no credentials for role %.*s", STR_FMT(c->role_now));
	c->source = arena_printf(step->mem, "role %.*s", STR_FMT(c->role_now));
	return true;
}

/* ---- web identity */

enum web_stage { WEB_BEGIN, WEB_TOKEN, WEB_ASSUME };

/* From the environment, unless a profile is meant, else from the profile. */
static const char *
web_role(struct step *step, struct role *role)
{
	struct chain *c = step->state;
	struct str file = chain_env(step, "AWS_WEB_IDENTITY_TOKEN_FILE");
	*role = (struct role){.arn = chain_env(step, "AWS_ROLE_ARN"),
		.session = chain_env(step, "AWS_ROLE_SESSION_NAME")};
	if (!c->is_bound && file.n > 0 && role->arn.n > 0)
		return str_cstr(step->mem, file);
	file = profile_get(step, c->profile, "web_identity_token_file");
	*role = (struct role){.arn = profile_get(step, c->profile, "role_arn"),
		.session = profile_get(step, c->profile, "role_session_name"),
		.seconds = profile_get(step, c->profile, "duration_seconds")};
	return file.n > 0 && role->arn.n > 0 ? str_cstr(step->mem, file) : NULL;
}

static enum found
exchange(struct step *step, const struct event *event, const struct role *role)
{
	struct chain *c = step->state;
	static const struct keys nobody;
	struct str token = str_trim(chain_loaded(event));
	if (token.n == 0)
		return chain_end(step, "its token file cannot be read");
	struct buf body = request(step, STR("AssumeRoleWithWebIdentity"), role);
	form(&body, "WebIdentityToken", token);
	c->role_now = role->arn;
	c->stage = WEB_ASSUME;
	return ask(step, event, &nobody, buf_str(&body), 0) == STEP_WAIT ? FOUND_LATER
								       : FOUND_WRONG;
}

enum found
source_web_identity(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	struct role role;
	const char *file = web_role(step, &role);
	if (file == NULL)
		return chain_nothing(
			step, "no AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN");
	if (c->stage == WEB_BEGIN) {
		c->stage = WEB_TOKEN;
		return chain_load(step, file);
	}
	if (c->stage == WEB_TOKEN)
		return exchange(step, event, &role);
	return sts_assumed(step, event) ? FOUND_KEYS : FOUND_WRONG;
}

/* ---- whose keys */

enum verdict
sts_ask_identity(struct step *step, const struct event *event, bool must)
{
	struct chain *c = step->state;
	return ask(step, event, &c->keys,
		STR("Action=GetCallerIdentity&Version=2011-06-15"),
		must ? 0 : identity_time);
}

bool
sts_identity(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	struct aws_error error;
	if (!aws_answered(step, event->op, false, &error))
		return err_wrap(
			step->err, "whose the credentials are could not be asked");
	const struct http_answer *answer = event->op->answer;
	const struct xml *root = xml_parse(step->mem, answer->body, step->err);
	const struct xml *result = xml_child(root, "GetCallerIdentityResult");
	struct str account = xml_text(result, "Account"), arn = xml_text(result, "Arn");
	if (account.n == 0 || arn.n == 0)
		return err_set(step->err, ERR_PROTOCOL, "STS said no account and arn");
	c->account = str_cstr(step->mem, account);
	c->arn = str_cstr(step->mem, arn);
	return true;
}
