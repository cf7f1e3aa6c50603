/* Keys from the machine that rbx runs on: the container's agent, the instance's metadata
 * (IMDSv2). Both answer on the spot or not at all. */
#include "../steps/aws/chain.h"

enum { CONTAINER_NS = 2 * NS_S, IMDS_TRIES = 2 };

/* ---- container */

enum container_stage { CONTAINER_BEGIN, CONTAINER_TOKEN, CONTAINER_PAGE };

static const char container_host[] = "http://169.254.170.2";

/* A token goes over the wire only encrypted, or to this very machine. */
static bool
is_near(struct str url)
{
	static const char *const hosts[] = {"localhost", "[::1]", "169.254.170.2",
		"169.254.170.23", "[fd00:ec2::23]"};
	struct str rest;
	if (str_starts(url, STR("https://")))
		return true;
	if (!str_starts(url, STR("http://")))
		return false;
	struct str host = str_cut(str_from(url, 7), '/', &rest);
	size_t end = str_starts(host, STR("[")) ? str_find(host, STR("]")) + 1
						: str_find(host, STR(":"));
	host.n = end < host.n ? end : host.n;
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		if (str_is(host, hosts[i]))
			return true;
	for (size_t i = 0; i < host.n; i++)
		if ((host.p[i] < '0' || host.p[i] > '9') && host.p[i] != '.')
			return false;
	return str_starts(host, STR("127."));
}

static bool
is_header_value(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	return true;
}

static enum found
ask_container(struct step *step, struct str token)
{
	struct chain *c = step->state;
	struct str relative = chain_env(step, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		   full = chain_env(step, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	const char **headers = arena_array(step->mem, const char *, 2);
	if (!is_header_value(token))
		return chain_end(step, "its authorization token holds a newline");
	if (token.n > 0)
		headers[0] = arena_printf(
			step->mem, "Authorization: %.*s", STR_FMT(token));
	struct http_ask ask = {
		.method = "GET",
		.url = relative.n > 0 ? arena_printf(step->mem, "%s%.*s", container_host,
						STR_FMT(relative))
				      : str_cstr(step->mem, full),
		.headers = headers,
		.most = CHAIN_FILE_MOST,
		.link_local = true,
	};
	c->stage = CONTAINER_PAGE;
	return chain_get(step, CONTAINER_NS, &ask);
}

static enum found
begin_container(struct step *step)
{
	struct chain *c = step->state;
	const char *file = step_env(step, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	struct str full = chain_env(step, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	if (chain_env(step, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").n == 0) {
		if (full.n == 0)
			return chain_nothing(step,
				"no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI");
		if (!is_near(full))
			return chain_end(step, "AWS_CONTAINER_CREDENTIALS_FULL_URI is "
				"neither https nor an address of this machine");
	}
	if (file == NULL)
		return ask_container(
			step, chain_env(step, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
	c->stage = CONTAINER_TOKEN;
	return chain_load(step, file);
}

static const char *
status_text(struct step *step, const struct event *event)
{
	const struct http_answer *answer = event->op->answer;
	return answer == NULL ? "no answer"
		: answer->status != 200
		? arena_printf(step->mem, "HTTP %d", answer->status)
		: "its answer holds no keys";
}

enum found
source_container(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	if (c->stage == CONTAINER_BEGIN)
		return begin_container(step);
	if (c->stage == CONTAINER_TOKEN) {
		struct str token = str_trim(chain_loaded(event));
		return token.n > 0
			? ask_container(step, token)
			: chain_end(step, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot"
				" be read");
	}
	const struct http_answer *page = chain_page(event);
	if (page != NULL && chain_read_keys(step, page->body))
		return chain_found(step, "container");
	return chain_end_op(step, event, status_text(step, event));
}

/* ---- instance */

enum instance_stage { IMDS_BEGIN, IMDS_TOKEN, IMDS_ROLE, IMDS_KEYS = IMDS_ROLE + 1 };

static const char *
imds_url(struct step *step, const char *path)
{
	struct str own = chain_env(step, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	bool is_six =
		str_is(chain_env(step, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), "IPv6");
	if (own.n == 0)
		own = is_six ? STR("http://[fd00:ec2::254]")
			     : STR("http://169.254.169.254");
	while (own.n > 0 && own.p[own.n - 1] == '/')
		own.n--;
	return arena_printf(step->mem, "%.*s/latest/%s", STR_FMT(own), path);
}

static enum found
ask_instance(struct step *step, const char *method, const char *header, const char *path)
{
	const char **headers = arena_array(step->mem, const char *, 2);
	headers[0] = header;
	struct http_ask ask = {.method = method,
		.url = imds_url(step, path),
		.headers = headers,
		.most = CHAIN_FILE_MOST,
		.link_local = true};
	return chain_get(step, NS_S, &ask);
}

static enum found
ask_token(struct step *step)
{
	struct chain *c = step->state;
	c->stage = IMDS_TOKEN;
	return ask_instance(step, "PUT", "X-aws-ec2-metadata-token-ttl-seconds: 21600",
		"api/token");
}

static enum found
ask_role(struct step *step, enum instance_stage stage, struct str role)
{
	struct chain *c = step->state;
	c->stage = stage;
	return ask_instance(step, "GET",
		arena_printf(step->mem, "X-aws-ec2-metadata-token: %.*s",
			STR_FMT(c->secret_now)),
		arena_printf(step->mem, "meta-data/iam/security-credentials/%.*s",
			STR_FMT(role)));
}

/* There is no instance around us: nothing is wrong with that. */
static enum found
no_instance(struct step *step, const struct event *event)
{
	const struct err *err = &event->op->err;
	return chain_nothing(step,
		err->code != ERR_NONE ? arena_strdup(step->mem, err->msg)
				      : "no role for this instance");
}

static enum found
instance_answer(struct step *step, const struct http_answer *page)
{
	struct chain *c = step->state;
	struct str rest, text = str_trim(page->body);
	if (c->stage == IMDS_TOKEN) {
		if (!is_header_value(text))
			return chain_nothing(step, "its token is none");
		c->secret_now = text;
		return ask_role(step, IMDS_ROLE, (struct str){NULL, 0});
	}
	if (c->stage == IMDS_ROLE)
		return ask_role(step, IMDS_KEYS, str_trim(str_cut(text, '\n', &rest)));
	return chain_read_keys(step, text)
		? chain_found(step, "instance metadata")
		: chain_nothing(step, "its answer holds no keys");
}

enum found
source_instance(struct step *step, const struct event *event)
{
	struct chain *c = step->state;
	if (c->stage == IMDS_BEGIN) {
		if (str_is(chain_env(step, "AWS_EC2_METADATA_DISABLED"), "true"))
			return chain_nothing(
				step, "disabled by AWS_EC2_METADATA_DISABLED");
		return ask_token(step);
	}
	const struct http_answer *page = chain_page(event);
	if (page != NULL)
		return instance_answer(step, page);
	if (c->stage == IMDS_TOKEN && event->op->err.code == ERR_TIMEOUT
		&& ++c->tries < IMDS_TRIES)
		return ask_token(step);
	return no_instance(step, event);
}
