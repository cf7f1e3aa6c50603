#include "../steps/aws/profile.h"

#include <strings.h>

/* The next line of a section that is no comment: a head in brackets or "key = value". */
static bool
next_line(struct str *text, struct str *line)
{
	while (text->n > 0) {
		*line = str_cut(*text, '\n', text);
		bool inner = line->n > 0 && (line->p[0] == ' ' || line->p[0] == '\t');
		*line = str_trim(*line);
		if (!inner && line->n > 0 && line->p[0] != '#' && line->p[0] != ';')
			return true;
	}
	return false;
}

/* [profile  a name] is [profile a name]. */
static bool
is_head(struct str line, const char *section)
{
	struct str rest, name, wanted, after;
	str_cut(line, '[', &rest);
	name = str_trim(str_cut(rest, ']', &after));
	struct str kind = str_cut(name, ' ', &name),
		   wanted_kind = str_cut(str_of(section), ' ', &wanted);
	return str_eq(kind, wanted_kind) && str_eq(str_trim(name), str_trim(wanted));
}

static bool
find_section(struct str *text, const char *section)
{
	struct str line;
	while (next_line(text, &line))
		if (line.p[0] == '[' && is_head(line, section))
			return true;
	return false;
}

static bool
is_key(struct str name, const char *key)
{
	return name.n == strlen(key) && strncasecmp(name.p, key, name.n) == 0;
}

/* " # …" and " ; …" end a value; inside of a word they belong to it. */
static struct str
without_comment(struct str value)
{
	for (size_t i = 1; i < value.n; i++)
		if ((value.p[i] == '#' || value.p[i] == ';')
			&& (value.p[i - 1] == ' ' || value.p[i - 1] == '\t'))
			value.n = i;
	return str_trim(value);
}

struct str
ini_get(struct str text, const char *section, const char *key)
{
	struct str line, value;
	while (find_section(&text, section)) {
		struct str rest = text;
		while (next_line(&rest, &line) && line.p[0] != '[')
			if (is_key(str_trim(str_cut(line, '=', &value)), key))
				return without_comment(str_trim(value));
	}
	return (struct str){NULL, 0};
}

bool
ini_has(struct str text, const char *section)
{
	return find_section(&text, section);
}

static const char *
section_of(struct step *step, const char *profile)
{
	return strcmp(profile, "default") == 0
		? profile
		: arena_printf(step->mem, "profile %s", profile);
}

struct str
profile_get(struct step *step, const char *profile, const char *key)
{
	struct chain *c = step->state;
	struct str value = ini_get(c->credentials, profile, key);
	return value.n > 0 ? value : ini_get(c->config, section_of(step, profile), key);
}

bool
profile_exists(struct step *step, const char *profile)
{
	struct chain *c = step->state;
	return ini_has(c->credentials, profile)
		|| ini_has(c->config, section_of(step, profile));
}

/* ---- keys that stand in a profile */

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

static enum found
found_in(struct step *step, const char *profile)
{
	return chain_found(step, arena_printf(step->mem, "profile %s", profile));
}

enum found
source_profile(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	(void)event;
	return static_keys(step, c->profile)
		? found_in(step, c->profile)
		: chain_nothing(step, "no aws_access_key_id and aws_secret_access_key");
}

/* ---- roles */

static bool
push_role(struct step *step, const char *profile, struct str arn)
{
	struct chain *c = step->state;
	if (c->n_roles == CHAIN_ROLES)
		return false;
	c->roles[c->n_roles++] = (struct role){
		.arn = arn,
		.external_id = profile_get(step, profile, "external_id"),
		.session = profile_get(step, profile, "role_session_name"),
		.serial = profile_get(step, profile, "mfa_serial"),
		.seconds = profile_get(step, profile, "duration_seconds"),
		.profile = profile,
	};
	return true;
}

/* credential_source: who vouches for the role of a profile. */
static enum found
vouched(struct step *step, const char *profile, struct str source)
{
	struct chain *c = step->state;
	if (str_is(source, "Ec2InstanceMetadata"))
		c->only = "instance metadata";
	else if (str_is(source, "EcsContainer"))
		c->only = "container";
	else if (!str_is(source, "Environment"))
		return chain_end(step,
			arena_printf(step->mem, "credential_source of profile %s is %.*s,"
				" not Environment, Ec2InstanceMetadata or EcsContainer",
				profile, STR_FMT(source)));
	else if (chain_env_keys(step))
		return chain_found(step, "environment");
	else
		return chain_end(step,
			arena_printf(step->mem,
				"profile %s rests on the environment, which"
				" has no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
				profile));
	return chain_nothing(step, NULL);
}

struct walk { const char *seen[CHAIN_ROLES]; size_t n; };

static bool
was_seen(const struct walk *walk, struct str profile)
{
	for (size_t i = 0; i < walk->n; i++)
		if (str_is(profile, walk->seen[i]))
			return true;
	return false;
}

static const char *
walk_text(struct step *step, const struct walk *walk, struct str last)
{
	struct buf text = buf_in(step->mem);
	for (size_t i = 0; i < walk->n; i++)
		buf_printf(&text, "%s -> ", walk->seen[i]);
	buf_add(&text, last);
	return buf_cstr(&text);
}

/* From a role to the profile that has its keys. */
static enum found
descend(struct step *step, struct walk *walk, struct str next)
{
	struct chain *c = step->state;
	if (str_is(next, c->profile) && static_keys(step, c->profile))
		return found_in(step, c->profile);
	if (was_seen(walk, next))
		return chain_end(step,
			arena_printf(step->mem, "source_profile goes in a circle: %s",
				walk_text(step, walk, next)));
	const char *profile = str_cstr(step->mem, next);
	if (!profile_exists(step, profile))
		return chain_end(step,
			arena_printf(step->mem, "profile %s, the source_profile of %s, is"
				" in neither file", profile, c->profile));
	c->profile = profile;
	return FOUND_NOTHING;
}

static enum found
walk_roles(struct step *step)
{
	struct chain *c = step->state;
	struct walk walk = {.n = 0};
	for (;;) {
		const char *p = c->profile;
		struct str role = profile_get(step, p, "role_arn"),
			   next = profile_get(step, p, "source_profile"),
			   source = profile_get(step, p, "credential_source");
		if (role.n == 0
			|| profile_get(step, p, "web_identity_token_file").n > 0)
			return chain_nothing(step, NULL);
		c->is_bound = true;
		if ((next.n == 0) == (source.n == 0))
			return chain_end(step,
				next.n == 0 ? "role_arn without source_profile or "
					      "credential_source"
					    : "role_arn with both source_profile and "
					      "credential_source");
		if (!push_role(step, p, role))
			return chain_end(step, "more than 8 roles, one upon the other");
		if (source.n > 0)
			return vouched(step, p, source);
		walk.seen[walk.n++] = p;
		enum found found = descend(step, &walk, next);
		if (found != FOUND_NOTHING)
			return found;
	}
}

enum found
source_roles(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	bool is_named =
		c->is_chosen || chain_env(step, "AWS_PROFILE").n > 0;
	(void)event;
	if (profile_exists(step, c->profile))
		return walk_roles(step);
	c->is_absent = true;
	c->is_bound = c->is_bound || is_named;
	return chain_nothing(step,
		arena_printf(step->mem, "in neither %s nor %s",
			aws_home_file(step, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
			aws_home_file(step, "AWS_CONFIG_FILE", "config")));
}
