/* IAM Identity Center: the token that `aws sso login` left in ~/.aws/sso/cache, exchanged
 * for keys of a role (AWS SDKs and Tools Reference, "IAM Identity Center credential
 * provider"). rbx logs in nobody. */
#include "../steps/aws/profile.h"

static const int64_t portal_time = 10 * NS_S;

enum sso_stage { SSO_BEGIN, SSO_TOKEN, SSO_KEYS };

struct wish { struct str name, region, account, role; }; /* name: of the cached token */

/* Of a session that profiles share, or in the older form of the profile itself. */
static bool
wish_of(struct step *step, struct wish *out)
{
	struct chain *c = step->state;
	struct str session = profile_get(step, c->profile, "sso_session");
	*out = (struct wish){
		.account = profile_get(step, c->profile, "sso_account_id"),
		.role = profile_get(step, c->profile, "sso_role_name"),
	};
	if (session.n > 0) {
		const char *section = arena_printf(
			step->mem, "sso-session %.*s", STR_FMT(session));
		out->name = session;
		out->region = ini_get(c->config, section, "sso_region");
	} else {
		out->name = profile_get(step, c->profile, "sso_start_url");
		out->region = profile_get(step, c->profile, "sso_region");
	}
	return session.n > 0 || out->name.n > 0;
}

/* The search ends: this is how the profile was set up. */
static enum found
log_in(struct step *step, const char *why)
{
	struct chain *c = step->state;
	c->hint = arena_printf(step->mem, "run: aws sso login --profile %s", c->profile);
	return chain_end(step, why);
}

static enum found
begin(struct step *step, const struct wish *wish)
{
	struct chain *c = step->state;
	const char *home = step_env(step, "HOME");
	if (wish->account.n == 0 || wish->role.n == 0 || wish->region.n == 0)
		return chain_end(step,
			"sso_account_id, sso_role_name or sso_region is missing");
	if (home == NULL)
		return chain_end(step, "HOME is not set");
	c->stage = SSO_TOKEN;
	return chain_load(step,
		arena_printf(step->mem, "%s/.aws/sso/cache/%s.json", home,
			sha1_hex(step->mem, wish->name)));
}

static const char *
portal_of(struct step *step, struct str region)
{
	struct aws_service sso = {
		.name = "sso", .id = "SSO", .signing_name = "awsssoportal"};
	struct endpoint endpoint;
	const char *template = "portal.sso.{region}.{dns}";
	if (!endpoint_find(step, &sso, str_cstr(step->mem, region), template, &endpoint,
		    step->err))
		return NULL;
	return arena_printf(step->mem, "%s%s%.*s", endpoint.scheme, endpoint.host,
		STR_FMT(endpoint.path));
}

static enum found
ask_portal(struct step *step, const struct wish *wish, struct str token)
{
	struct chain *c = step->state;
	const char *portal = portal_of(step, wish->region);
	struct buf url = buf_in(step->mem);
	if (portal == NULL)
		return FOUND_WRONG;
	buf_printf(&url, "%s/federation/credentials?account_id=", portal);
	uri_encode(&url, wish->account, false);
	buf_puts(&url, "&role_name=");
	uri_encode(&url, wish->role, false);
	const char **headers = arena_array(step->mem, const char *, 2);
	headers[0] = arena_printf(
		step->mem, "x-amz-sso_bearer_token: %.*s", STR_FMT(token));
	struct http_ask ask = {.method = "GET",
		.url = buf_cstr(&url),
		.headers = headers,
		.most = CHAIN_FILE_MOST};
	c->stage = SSO_KEYS;
	return chain_get(step, portal_time, &ask);
}

/* Older versions of the command line wrote "2020-06-17T10:02:08UTC". */
static bool
has_expired(struct step *step, struct str at, struct now now)
{
	struct span until;
	struct err ignored;
	if (str_ends(at, STR("UTC")))
		at = str_of(arena_printf(step->mem, "%.*sZ", (int)(at.n - 3), at.p));
	return time_parse(at, &until, &ignored) && span_us(until) <= now.wall;
}

/* {"accessToken", "expiresAt"} */
static enum found
use_token(struct step *step, const struct event *event, const struct wish *wish)
{
	struct value v;
	struct err ignored;
	struct str text = chain_loaded(event);
	if (text.n == 0)
		return log_in(step,
			"nobody has logged in: there is no token in ~/.aws/sso/cache");
	if (!json_parse(step->mem, text, NULL, &v, &ignored)
		|| value_get_str(&v, "accessToken").n == 0)
		return log_in(step, "the token in ~/.aws/sso/cache cannot be read");
	if (has_expired(step, value_get_str(&v, "expiresAt"), event->now))
		return log_in(step, "the login has expired");
	return ask_portal(step, wish, value_get_str(&v, "accessToken"));
}

static bool
read_keys(struct step *step, struct str json)
{
	struct chain *c = step->state;
	struct value v;
	struct err ignored;
	if (!json_parse(step->mem, json, NULL, &v, &ignored))
		return false;
	const struct value *keys = value_get(&v, "roleCredentials");
	c->keys = (struct keys){value_get_str(keys, "accessKeyId"),
		value_get_str(keys, "secretAccessKey"),
		value_get_str(keys, "sessionToken"),
		value_get_int(keys, "expiration", 0) * 1000}; /* ms */
	return c->keys.id.n > 0 && c->keys.secret.n > 0;
}

static enum found
use_answer(struct step *step, const struct event *event, const struct wish *wish)
{
	struct chain *c = step->state;
	const struct http_answer *answer = event->op->answer;
	int status = answer == NULL ? 0 : answer->status;
	if (status == 401)
		return log_in(step, "the login is no longer accepted");
	if (status == 403 || status == 404)
		return chain_end(step,
			arena_printf(step->mem, "the login gives no role %.*s in account"
				" %.*s", STR_FMT(wish->role), STR_FMT(wish->account)));
	if (status == 200 && read_keys(step, answer->body))
		return chain_found(
			step, arena_printf(step->mem, "SSO of profile %s", c->profile));
	return chain_end_op(step, event,
		status == 200 ? "its answer holds no keys"
			      : arena_printf(step->mem, "HTTP %d", status));
}

enum found
source_sso(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	struct wish wish;
	if (!wish_of(step, &wish))
		return chain_nothing(step, NULL);
	if (c->stage == SSO_BEGIN)
		return begin(step, &wish);
	if (c->stage == SSO_TOKEN)
		return use_token(step, event, &wish);
	return use_answer(step, event, &wish);
}
