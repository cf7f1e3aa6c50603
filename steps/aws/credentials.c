/* Where AWS credentials come from: the chain of the SDKs (botocore credentials.py), as
 * one machine of named states. Each source that does not serve leaves its reason, so that
 * the end of the chain tells the whole search. */
#include "../steps/aws/aws.h"

#include <stdlib.h>

enum state {
	START,
	READ_CREDENTIALS,
	READ_CONFIG,
	WEB_TOKEN,
	WEB_IDENTITY,
	PROCESS,
	CONTAINER_TOKEN,
	CONTAINER,
	IMDS_TOKEN,
	IMDS_ROLE,
	IMDS_KEYS,
	ASSUME,
	IDENTITY,
	OVER,
};

enum { MOST_FILE = 1 << 20, CHAIN = 8 };

struct keys { struct str id, secret, token; int64_t valid_until; };

struct chain {
	enum state state;
	struct buf tried; /* why each source so far did not serve */
	struct str credentials, config;               /* texts of the two files */
	const char *profile;
	bool profile_is_chosen;
	struct keys keys;
	const char *source;
	struct str roles[CHAIN]; /* to be assumed, the last one first */
	const char *external_ids[CHAIN];
	size_t n_roles;
	struct str role_now, web_role, web_token, imds_token, container_auth;
	const char *region, *account, *arn;
};

static const struct field credentials_in[] = {
	{.name = "region", .type = FIELD_TEXT}, {.name = "account", .type = FIELD_TEXT},
	{.name = "profile", .type = FIELD_TEXT}, {.name = "role", .type = FIELD_TEXT}, {.name = NULL},
};

static enum verdict go(struct step *step, const struct event *event);

static void
not_served(struct chain *c, const char *source, const char *why)
{
	buf_printf(&c->tried, "%s%s: %s", c->tried.n > 0 ? "; " : "", source, why);
}

static struct str
env(struct step *step, const char *name)
{
	return str_of(step_env(step, name));
}

/* The value of `key` in section [name] of an INI text. */
static struct str
ini_get(struct str text, const char *section, const char *key)
{
	bool inside = false;
	while (text.n > 0) {
		struct str line = str_trim(str_cut(text, '\n', &text)), value;
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (line.p[0] == '[') {
			struct str name = str_trim(
				(struct str){line.p + 1, line.n >= 2 ? line.n - 2 : 0});
			inside = str_is(name, section);
		} else if (inside) {
			struct str name = str_trim(str_cut(line, '=', &value));
			if (str_is(name, key))
				return str_trim(value);
		}
	}
	return (struct str){NULL, 0};
}

/* A key of a profile: from the config file ([profile x], [default]), then from the
 * credentials file ([x]). */
static struct str
profile_get(struct step *step, const char *profile, const char *key)
{
	struct chain *c = step->state;
	const char *section = strcmp(profile, "default") == 0
		? profile
		: arena_printf(step->mem, "profile %s", profile);
	struct str value = ini_get(c->credentials, profile, key);
	return value.n > 0 ? value : ini_get(c->config, section, key);
}

static enum verdict
load(struct step *step, const char *path)
{
	if (path == NULL)
		return step_fail(step, ERR_NOT_FOUND, false, "HOME is not set");
	struct file_ask ask = {.what = FILE_LOAD, .path = path, .most = MOST_FILE};
	return step_file(step, (struct how){.reads = true, .title = path}, &ask);
}

static struct str
loaded(const struct event *event)
{
	const struct file_answer *answer = event->op->answer;
	return event->op->err.code == ERR_NONE && answer != NULL && answer->exists
		? answer->bytes
		: (struct str){NULL, 0};
}

static enum verdict
get(struct step *step, const char *method, const char *url, const char *const *headers,
	bool link_local)
{
	struct http_ask ask = {.method = method,
		.url = url,
		.headers = headers,
		.most = MOST_FILE,
		.link_local = link_local};
	return step_http(step,
		(struct how){.reads = true,
			.title = "AWS credentials",
			.tries = 2,
			.timeout = 2 * NS_S},
		&ask);
}

static const struct http_answer *
got_page(const struct event *event)
{
	const struct http_answer *answer = event->op->answer;
	return event->op->err.code == ERR_NONE && answer != NULL && answer->status == 200
		? answer
		: NULL;
}

static bool
keys_from_json(struct step *step, struct str text, const char *id, const char *expiry)
{
	struct chain *c = step->state;
	struct value v;
	struct err ignored;
	struct span until;
	if (!json_parse(step->mem, text, NULL, &v, &ignored))
		return false;
	struct keys keys = {value_get_str(&v, id), value_get_str(&v, "SecretAccessKey"),
		value_get_str(&v, "Token"), 0};
	if (keys.token.n == 0)
		keys.token = value_get_str(&v, "SessionToken");
	if (time_parse(value_get_str(&v, expiry), &until, &ignored))
		keys.valid_until = span_us(until);
	if (keys.id.n == 0 || keys.secret.n == 0)
		return false;
	c->keys = keys;
	return true;
}

/* ---- STS */

static enum verdict
sts(struct step *step, const struct event *event, struct str body)
{
	struct chain *c = step->state;
	struct value got = value_null();
	struct map_builder map = {.mem = step->mem};
	map_put(&map, "access_key_id", value_str(c->keys.id));
	map_put(&map, "secret_access_key", value_str(c->keys.secret));
	map_put(&map, "token", value_str(c->keys.token));
	got = map_done(&map);
	const struct value *before = step->got;
	struct aws_call call = {
		.service = &aws_sts,
		.method = "POST",
		.path = STR("/"),
		.body = body,
		.region = c->region,
		.content_type = "application/x-www-form-urlencoded; charset=utf-8",
	};
	/* limits.regions is about what a playbook touches, not about who vouches for it. */
	const struct value *limits = step->limits;
	step->got = &got;
	step->limits = NULL;
	enum verdict verdict =
		aws_send(step, (struct how){.reads = true, .title = "STS", .tries = 3},
			event->now, &call);
	step->got = before;
	step->limits = limits;
	return verdict;
}

static void
form(struct buf *out, const char *name, struct str value)
{
	buf_printf(out, "%s%s=", out->n > 0 ? "&" : "", name);
	uri_encode(out, value, false);
}

static enum verdict
assume(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	struct buf body = buf_in(step->mem);
	c->n_roles--;
	c->role_now = c->roles[c->n_roles];
	form(&body, "Action", STR("AssumeRole"));
	form(&body, "Version", STR("2011-06-15"));
	form(&body, "RoleArn", c->role_now);
	form(&body, "RoleSessionName",
		str_of(arena_printf(
			step->mem, "rbx-%s", step->run == NULL ? "run" : step->run)));
	if (c->external_ids[c->n_roles] != NULL)
		form(&body, "ExternalId", str_of(c->external_ids[c->n_roles]));
	c->state = ASSUME;
	return sts(step, event, buf_str(&body));
}

static enum verdict
finish(struct step *step)
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
	c->state = OVER;
	return step_done(step, map_done(&out));
}

/* The account is asked only where somebody limits it. */
static enum verdict
check_identity(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	const struct value *accounts = value_get(step->limits, "accounts");
	if (value_get_str(step->in, "account").n == 0
		&& (accounts == NULL || accounts->kind != V_LIST))
		return finish(step);
	c->state = IDENTITY;
	return sts(step, event, STR("Action=GetCallerIdentity&Version=2011-06-15"));
}

static bool
account_is_allowed(struct step *step, struct str account)
{
	const struct value *accounts = value_get(step->limits, "accounts");
	struct str wanted = value_get_str(step->in, "account");
	if (wanted.n > 0 && !str_eq(wanted, account))
		return err_set(step->err, ERR_DENIED,
			"the credentials belong to account %.*s, the step wants %.*s",
			STR_FMT(account), STR_FMT(wanted));
	for (size_t i = 0;
		accounts != NULL && accounts->kind == V_LIST && i < accounts->list.n; i++)
		if (str_eq(accounts->list.items[i].str, account))
			return true;
	if (accounts == NULL || accounts->kind != V_LIST)
		return true;
	return err_set(step->err, ERR_DENIED,
		"the credentials belong to account %.*s, which is not in limits.accounts",
		STR_FMT(account));
}

static enum verdict
identity(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	struct aws_error error;
	if (!aws_answered(step, event->op, false, &error))
		return err_wrap(
			       step->err, "whose the credentials are could not be asked"),
		       STEP_FAIL;
	const struct http_answer *answer = event->op->answer;
	const struct xml *root = xml_parse(step->mem, answer->body, step->err);
	const struct xml *result = xml_child(root, "GetCallerIdentityResult");
	c->account = str_cstr(step->mem, xml_text(result, "Account"));
	c->arn = str_cstr(step->mem, xml_text(result, "Arn"));
	if (root == NULL || !account_is_allowed(step, str_of(c->account)))
		return STEP_FAIL;
	return finish(step);
}

static enum verdict
have_keys(struct step *step, const struct event *event, const char *source)
{
	struct chain *c = step->state;
	c->source = source;
	return c->n_roles > 0 ? assume(step, event) : check_identity(step, event);
}

static enum verdict
assumed(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	struct aws_error error;
	struct span until;
	struct err ignored;
	if (!aws_answered(step, event->op, false, &error))
		return err_wrap(step->err, "role %.*s cannot be assumed",
			       STR_FMT(c->role_now)),
		       STEP_FAIL;
	const struct http_answer *answer = event->op->answer;
	const struct xml *root = xml_parse(step->mem, answer->body, step->err);
	if (root == NULL)
		return STEP_FAIL;
	const struct xml *keys = xml_child(root->first, "Credentials");
	c->keys = (struct keys){xml_text(keys, "AccessKeyId"),
		xml_text(keys, "SecretAccessKey"), xml_text(keys, "SessionToken"), 0};
	if (time_parse(xml_text(keys, "Expiration"), &until, &ignored))
		c->keys.valid_until = span_us(until);
	if (c->keys.id.n == 0)
		return step_fail(step, ERR_PROTOCOL, false,
			"STS gave no credentials for role %.*s", STR_FMT(c->role_now));
	return have_keys(
		step, event, arena_printf(step->mem, "role %.*s", STR_FMT(c->role_now)));
}

/* ---- the sources after the files */

static enum verdict
exhausted(struct step *step)
{
	struct chain *c = step->state;
	step_fail(step, ERR_SECRET, false, "no AWS credentials; tried %s",
		buf_cstr(&c->tried));
	err_hint(step->err,
		"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or "
		"`profile:` of the step");
	return STEP_FAIL;
}

static enum verdict
ask_imds(struct step *step)
{
	struct chain *c = step->state;
	static const char *const headers[] = {
		"X-aws-ec2-metadata-token-ttl-seconds: 21600", NULL};
	if (str_is(env(step, "AWS_EC2_METADATA_DISABLED"), "true")) {
		not_served(
			c, "instance metadata", "disabled by AWS_EC2_METADATA_DISABLED");
		return exhausted(step);
	}
	c->state = IMDS_TOKEN;
	return get(step, "PUT", "http://169.254.169.254/latest/api/token", headers, true);
}

static enum verdict
imds_get(struct step *step, enum state state, const char *path)
{
	struct chain *c = step->state;
	const char **headers = arena_array(step->mem, const char *, 2);
	headers[0] = arena_printf(
		step->mem, "X-aws-ec2-metadata-token: %.*s", STR_FMT(c->imds_token));
	c->state = state;
	return get(step, "GET",
		arena_printf(step->mem,
			"http://169.254.169.254/latest/meta-data/iam/"
			"security-credentials/%s",
			path),
		headers, true);
}

static enum verdict
imds(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	const struct http_answer *page = got_page(event);
	if (page == NULL) {
		not_served(c, "instance metadata",
			event->op->err.code != ERR_NONE ? event->op->err.msg
							: "no role for this instance");
		return exhausted(step);
	}
	if (c->state == IMDS_TOKEN) {
		c->imds_token = str_trim(page->body);
		return imds_get(step, IMDS_ROLE, "");
	}
	if (c->state == IMDS_ROLE) {
		struct str rest;
		return imds_get(step, IMDS_KEYS,
			str_cstr(step->mem, str_trim(str_cut(page->body, '\n', &rest))));
	}
	if (keys_from_json(step, page->body, "AccessKeyId", "Expiration"))
		return have_keys(step, event, "instance metadata");
	not_served(c, "instance metadata", "its answer holds no keys");
	return exhausted(step);
}

static enum verdict
ask_container(struct step *step)
{
	struct chain *c = step->state;
	struct str relative = env(step, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		   full = env(step, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	if (relative.n == 0 && full.n == 0) {
		not_served(c, "container",
			"no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI");
		return ask_imds(step);
	}
	const char *url = relative.n > 0
		? arena_printf(step->mem, "http://169.254.170.2%.*s", STR_FMT(relative))
		: str_cstr(step->mem, full);
	const char **headers = arena_array(step->mem, const char *, 2);
	if (c->container_auth.n == 0)
		c->container_auth = env(step, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
	if (c->container_auth.n > 0)
		headers[0] = arena_printf(
			step->mem, "Authorization: %.*s", STR_FMT(c->container_auth));
	c->state = CONTAINER;
	return get(step, "GET", url, headers, true);
}

static enum verdict
container(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	if (c->state == CONTAINER_TOKEN) {
		c->container_auth = str_trim(loaded(event));
		return ask_container(step);
	}
	const struct http_answer *page = got_page(event);
	if (page != NULL && keys_from_json(step, page->body, "AccessKeyId", "Expiration"))
		return have_keys(step, event, "container");
	not_served(c, "container",
		event->op->err.code != ERR_NONE ? event->op->err.msg
						: "its answer holds no keys");
	return ask_imds(step);
}

static enum verdict
begin_container(struct step *step)
{
	struct chain *c = step->state;
	const char *file = step_env(step, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	if (file == NULL)
		return ask_container(step);
	c->state = CONTAINER_TOKEN;
	return load(step, file);
}

static enum verdict
after_profiles(struct step *step)
{
	struct chain *c = step->state;
	return c->profile_is_chosen ? exhausted(step) : begin_container(step);
}

/* ---- profiles */

static enum verdict
ask_process(struct step *step, struct str command)
{
	struct chain *c = step->state;
	struct list_builder words = {.mem = step->mem};
	for (struct str rest = command; rest.n > 0;) {
		struct str word = str_cut(rest, ' ', &rest);
		if (word.n > 0)
			list_push(&words, value_str(word));
	}
	const char **argv = arena_array(step->mem, const char *, words.n + 1);
	for (size_t i = 0; i < words.n; i++)
		argv[i] = str_cstr(step->mem, words.items[i].str);
	struct exec_ask ask = {
		.argv = argv, .env = step_child_env(step, NULL, NULL), .keep = 65536};
	c->state = PROCESS;
	return step_exec(
		step, (struct how){.reads = true, .title = "credential_process"}, &ask);
}

static enum verdict
process(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	const struct exec_answer *answer = event->op->answer;
	if (event->op->err.code == ERR_NONE && answer->code == 0 && answer->signal == 0
	    && keys_from_json(step, answer->out, "AccessKeyId", "Expiration"))
		return have_keys(step, event, "credential_process");
	not_served(c, "credential_process",
		event->op->err.code != ERR_NONE ? event->op->err.msg
						: "it failed or gave no keys");
	return after_profiles(step);
}

static enum verdict
ask_web_identity(struct step *step, struct str file, struct str role)
{
	struct chain *c = step->state;
	c->web_role = role;
	c->state = WEB_TOKEN;
	return load(step, str_cstr(step->mem, file));
}

static enum verdict
web_token(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	struct str token = str_trim(loaded(event));
	if (token.n == 0) {
		not_served(c, "web identity", "the token file cannot be read");
		return after_profiles(step);
	}
	struct buf body = buf_in(step->mem);
	form(&body, "Action", STR("AssumeRoleWithWebIdentity"));
	form(&body, "Version", STR("2011-06-15"));
	form(&body, "RoleArn", c->web_role);
	form(&body, "RoleSessionName", STR("rbx"));
	form(&body, "WebIdentityToken", token);
	c->role_now = c->web_role;
	c->state = ASSUME;
	return sts(step, event, buf_str(&body));
}

static bool
static_keys(struct step *step, const char *profile)
{
	struct chain *c = step->state;
	struct keys keys = {profile_get(step, profile, "aws_access_key_id"),
		profile_get(step, profile, "aws_secret_access_key"),
		profile_get(step, profile, "aws_session_token"), 0};
	if (keys.id.n == 0 || keys.secret.n == 0)
		return false;
	c->keys = keys;
	return true;
}

static void
push_role(struct step *step, const char *profile, struct str role)
{
	struct chain *c = step->state;
	struct str id = profile_get(step, profile, "external_id");
	c->external_ids[c->n_roles] = id.n > 0 ? str_cstr(step->mem, id) : NULL;
	c->roles[c->n_roles++] = role;
}

static bool
env_keys(struct step *step)
{
	struct chain *c = step->state;
	struct keys keys = {env(step, "AWS_ACCESS_KEY_ID"),
		env(step, "AWS_SECRET_ACCESS_KEY"), env(step, "AWS_SESSION_TOKEN"), 0};
	if (keys.id.n == 0 || keys.secret.n == 0)
		return false;
	c->keys = keys;
	return true;
}

/* credential_source of a profile: who vouches for its role. */
static enum verdict
from_source(struct step *step, const struct event *event, struct str source)
{
	struct chain *c = step->state;
	if (str_is(source, "Ec2InstanceMetadata"))
		return ask_imds(step);
	if (str_is(source, "EcsContainer"))
		return begin_container(step);
	if (str_is(source, "Environment") && env_keys(step))
		return have_keys(step, event, "environment");
	not_served(c, arena_printf(step->mem, "credential_source %.*s", STR_FMT(source)),
		str_is(source, "Environment")
			? "no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
			: "it is Environment, Ec2InstanceMetadata or EcsContainer");
	return exhausted(step);
}

/* Follow role_arn and source_profile down to a profile that has keys of its own. */
static enum verdict
use_profile(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	const char *profile = c->profile;
	for (size_t depth = 0; depth < CHAIN; depth++) {
		struct str role = profile_get(step, profile, "role_arn"),
			   next = profile_get(step, profile, "source_profile");
		struct str web = profile_get(step, profile, "web_identity_token_file"),
			   command = profile_get(step, profile, "credential_process"),
			   source = profile_get(step, profile, "credential_source");
		if (role.n > 0 && web.n > 0)
			return ask_web_identity(step, web, role);
		if (role.n > 0 && next.n > 0 && c->n_roles < CHAIN) {
			push_role(step, profile, role);
			if (str_is(next, profile) && static_keys(step, profile))
				return have_keys(step, event,
					arena_printf(step->mem, "profile %s", profile));
			profile = str_cstr(step->mem, next);
			continue;
		}
		if (role.n > 0 && source.n > 0 && c->n_roles < CHAIN) {
			push_role(step, profile, role);
			return from_source(step, event, source);
		}
		if (static_keys(step, profile))
			return have_keys(step, event,
				arena_printf(step->mem, "profile %s", profile));
		if (command.n > 0)
			return ask_process(step, command);
		not_served(c, arena_printf(step->mem, "profile %s", profile),
			"no keys, role or credential_process in it");
		return after_profiles(step);
	}
	return step_fail(step, ERR_LIMIT, false,
		"source_profile of profile %s goes in a circle", c->profile);
}

static enum verdict
read_config(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	c->config = loaded(event);
	if (c->region == NULL) {
		struct str region = profile_get(step, c->profile, "region");
		c->region = region.n > 0 ? str_cstr(step->mem, region) : "us-east-1";
	}
	if (!c->profile_is_chosen && env_keys(step))
		return have_keys(step, event, "environment");
	not_served(c, "environment",
		c->profile_is_chosen ? "the step names a profile"
				     : "no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
	struct str web = env(step, "AWS_WEB_IDENTITY_TOKEN_FILE"),
		   role = env(step, "AWS_ROLE_ARN");
	if (!c->profile_is_chosen && web.n > 0 && role.n > 0)
		return ask_web_identity(step, web, role);
	return use_profile(step, event);
}

static enum verdict
start(struct step *step)
{
	struct chain *c = step->state;
	struct str chosen = value_get_str(step->in, "profile"),
		   role = value_get_str(step->in, "role");
	struct str region = value_get_str(step->in, "region");
	const char *variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
	for (size_t i = 0; i < 2 && region.n == 0; i++)
		region = env(step, variables[i]);
	c->region = region.n > 0 ? str_cstr(step->mem, region) : NULL;
	c->tried = buf_in(step->mem);
	/* As in the SDKs: keys of the environment give way to a profile that the step
	 * names, not to AWS_PROFILE. */
	c->profile_is_chosen = chosen.n > 0;
	if (chosen.n == 0)
		chosen = env(step, "AWS_PROFILE");
	c->profile = chosen.n > 0 ? str_cstr(step->mem, chosen) : "default";
	if (role.n > 0)
		c->roles[c->n_roles++] = role;
	c->state = READ_CREDENTIALS;
	const char *path =
		aws_home_file(step, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
	return load(step, path == NULL ? "/nonexistent" : path);
}

static enum verdict
go(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	const char *path;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false,
			"cancelled while AWS credentials were fetched");
	switch (c->state) {
	case START:
		return start(step);
	case READ_CREDENTIALS:
		c->credentials = loaded(event);
		c->state = READ_CONFIG;
		path = aws_home_file(step, "AWS_CONFIG_FILE", "config");
		return load(step, path == NULL ? "/nonexistent" : path);
	case READ_CONFIG:
		return read_config(step, event);
	case WEB_TOKEN:
		return web_token(step, event);
	case PROCESS:
		return process(step, event);
	case CONTAINER_TOKEN: case CONTAINER:
		return container(step, event);
	case IMDS_TOKEN: case IMDS_ROLE: case IMDS_KEYS:
		return imds(step, event);
	case WEB_IDENTITY: case ASSUME:
		return assumed(step, event);
	case IDENTITY:
		return identity(step, event);
	case OVER:
		break;
	}
	return STEP_WAIT;
}

static bool
key_of(const struct value *in, struct buf *key, struct err *err)
{
	static const char *const names[] = {"profile", "role", "account", "region"};
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
