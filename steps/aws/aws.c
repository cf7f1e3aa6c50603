#include "../steps/aws/aws.h"

#include "../steps/aws/refusal.h"

enum { MOST_BODY = 16 << 20 };

const struct aws_service aws_s3 = {.id = "S3", .signing_name = "s3", .host = "s3.%s.%s"};
const struct aws_service aws_route53 = {
	.id = "ROUTE_53",
	.signing_name = "route53",
	.host = "route53.amazonaws.com",
	.global_region = "us-east-1",
};
const struct aws_service aws_sts = {
	.id = "STS", .signing_name = "sts", .host = "sts.%s.%s"};

/* Error codes that may go well when asked again: the standard retry mode of the AWS SDKs
 * (botocore retries/standard.py). */
static const char *const transient_codes[] = {
	"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete", "Throttling", "ThrottlingException",
	"ThrottledException", "RequestThrottledException", "RequestThrottled", "TooManyRequestsException",
	"ProvisionedThroughputExceededException", "TransactionInProgressException", "RequestLimitExceeded",
	"BandwidthLimitExceeded", "LimitExceededException", "SlowDown", "EC2ThrottledException", "InternalError",
	"ServiceUnavailable", NULL,
};

const char *
aws_region(struct step *step)
{
	struct str region = value_get_str(step->in, "region");
	if (region.n == 0 && step->got != NULL)
		region = value_get_str(step->got, "region");
	const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
	for (size_t i = 0; i < 2 && region.n == 0; i++)
		region = str_of(step_env(step, names[i]));
	return region.n == 0 ? "us-east-1" : str_cstr(step->mem, region);
}

static const char *
dns_suffix(const char *region)
{
	struct str r = str_of(region);
	return str_starts(r, STR("cn-"))      ? "amazonaws.com.cn"
		: str_starts(r, STR("eusc-")) ? "amazonaws.eu"
					      : "amazonaws.com";
}

/* The endpoint that somebody set, the nearest first: the step's, the service's variable,
 * the variable of all. */
static struct str
own_endpoint(struct step *step, const struct aws_service *service)
{
	struct str url = value_get_str(step->in, "endpoint");
	bool ignored = str_is(
		str_of(step_env(step, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")), "true");
	if (url.n == 0 && !ignored)
		url = str_of(step_env(step,
			arena_printf(step->mem, "AWS_ENDPOINT_URL_%s", service->id)));
	if (url.n == 0 && !ignored)
		url = str_of(step_env(step, "AWS_ENDPOINT_URL"));
	while (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	return url;
}

struct target {
	const char *base, *host;
	struct str path;
};	  /* base: scheme and host */

static struct target
own_target(struct step *step, const struct aws_call *call, struct str endpoint)
{
	struct target t = {.base = str_cstr(step->mem, endpoint)};
	size_t scheme = str_find(endpoint, STR("://"));
	struct str rest, host = str_cut(str_from(endpoint, scheme + 3), '/', &rest);
	struct buf path = buf_in(step->mem);
	t.base = arena_printf(step->mem, "%.*s", (int)(scheme + 3 + host.n), endpoint.p);
	t.host = str_cstr(step->mem, host);
	if (rest.n > 0)
		buf_printf(&path, "/%.*s", STR_FMT(rest));
	if (call->bucket != NULL)
		buf_printf(&path, "/%s", call->bucket);
	buf_add(&path, call->path);
	t.path = buf_str(&path);
	return t;
}

static struct target
target_of(struct step *step, const struct aws_call *call, const char *region)
{
	struct str endpoint = own_endpoint(step, call->service);
	if (endpoint.n > 0)
		return own_target(step, call, endpoint);
	struct target t = {.path = call->path};
	const char *host =
		arena_printf(step->mem, call->service->host, region, dns_suffix(region));
	bool dotted = call->bucket != NULL && strchr(call->bucket, '.') != NULL;
	if (dotted)
		t.path = str_of(arena_printf(
			step->mem, "/%s%.*s", call->bucket, STR_FMT(call->path)));
	t.host = call->bucket != NULL && !dotted
		? arena_printf(step->mem, "%s.%s", call->bucket, host)
		: host;
	t.base = arena_printf(step->mem, "https://%s", t.host);
	return t;
}

/* "Name: value" lines for libcurl, all headers that go out. */
static const char *const *
header_lines(struct arena *mem, const struct header *own, size_t n_own,
	const struct sigv4_signed *more)
{
	const char **lines = arena_array(mem, const char *, n_own + more->n_headers + 1);
	size_t n = 0;
	for (size_t i = 0; i < n_own; i++)
		lines[n++] = arena_printf(mem, "%s: %s", own[i].name, own[i].value);
	for (size_t i = 0; i < more->n_headers; i++)
		lines[n++] = arena_printf(
			mem, "%s: %s", more->headers[i].name, more->headers[i].value);
	return lines;
}

static bool
region_is_allowed(struct step *step, const struct aws_call *call, const char *region)
{
	const struct value *regions = value_get(step->limits, "regions");
	const char *asked = call->service->global_region != NULL
		? call->service->signing_name
		: region;
	if (regions == NULL || regions->kind != V_LIST)
		return true;
	for (size_t i = 0; i < regions->list.n; i++)
		if (regions->list.items[i].kind == V_STRING
			&& str_is(regions->list.items[i].str, asked))
			return true;
	err_set(step->err, ERR_DENIED, "%s is not in limits.regions of the playbook",
		asked);
	return false;
}

enum verdict
aws_send(struct step *step, struct how how, struct now now, const struct aws_call *call)
{
	struct arena *mem = step->mem;
	const char *region = call->region != NULL ? call->region : aws_region(step);
	if (!region_is_allowed(step, call, region))
		return STEP_FAIL;
	struct target target = target_of(step, call, region);
	struct header *headers = arena_array(mem, struct header, call->n_headers + 3);
	size_t n = 0;
	headers[n++] = (struct header){"Host", target.host};
	if (call->content_type != NULL)
		headers[n++] = (struct header){"Content-Type", call->content_type};
	for (size_t i = 0; i < call->n_headers; i++)
		headers[n++] = call->headers[i];
	bool is_s3 = call->service == &aws_s3;
	struct sigv4 request = {
		.method = call->method,
		.path = target.path,
		.query = call->query,
		.headers = headers,
		.n_headers = n,
		.payload = call->payload != NULL ? call->payload
						 : sha256_hex(mem, call->body),
		.service = call->service->signing_name,
		.at = now.wall,
		.is_s3 = is_s3,
		.sign_payload_header = is_s3,
		.region = call->service->global_region != NULL
			? call->service->global_region
			: region,
	};
	struct sigv4_keys keys = {value_get_str(step->got, "access_key_id"),
		value_get_str(step->got, "secret_access_key"),
		value_get_str(step->got, "token")};
	/* Nobody's keys: the exchange of a web identity goes unsigned. */
	struct sigv4_signed signed_ = {0};
	if (keys.id.n > 0)
		signed_ = sigv4_header(mem, &request, &keys);
	struct http_ask ask = {
		.method = call->method,
		.body = call->body,
		.stream_out = call->stream_out,
		.headers = header_lines(mem, headers, n, &signed_),
		.most = call->most == 0 ? MOST_BODY : call->most,
		.url = arena_printf(mem, "%s%.*s%s%.*s", target.base,
			STR_FMT(target.path), call->query.n > 0 ? "?" : "",
			STR_FMT(call->query)),
	};
	return step_http(step, how, &ask);
}

const struct header *
aws_header(const struct http_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strcmp(answer->headers[i].name, name) == 0)
			return &answer->headers[i];
	return NULL;
}

/* <Error><Code/><Message/></Error>, or that inside <ErrorResponse>, with the id of the
 * request beside or around it. */
static void
read_error(struct step *step, const struct http_answer *answer, struct aws_error *error)
{
	struct err ignored;
	const struct xml *root =
		answer->body.n == 0 ? NULL : xml_parse(step->mem, answer->body, &ignored);
	const struct xml *inner = root == NULL || str_is(root->name, "Error")
		? root
		: xml_child(root, "Error");
	error->code = xml_text(inner, "Code");
	error->message = str_trim(xml_text(inner, "Message"));
	error->request_id = xml_text(inner, "RequestId");
	if (error->request_id.n == 0)
		error->request_id = xml_text(root, "RequestId");
	if (error->code.n == 0 && (answer->status < 200 || answer->status > 299))
		error->code = str_of(arena_printf(step->mem, "%d", answer->status));
}

static bool
is_transient(const struct aws_error *error)
{
	if (error->status == 429 || error->status == 500
		|| (error->status >= 502 && error->status <= 504))
		return true;
	for (size_t i = 0; transient_codes[i] != NULL; i++)
		if (str_is(error->code, transient_codes[i]))
			return true;
	return false;
}

bool
aws_answered(struct step *step, const struct op *op, bool quiet, struct aws_error *error)
{
	*error = (struct aws_error){0};
	if (op->err.code != ERR_NONE) {
		*step->err = op->err;
		error->transient = op->err.transient;
		return false;
	}
	const struct http_answer *answer = op->answer;
	error->status = answer->status;
	bool good = answer->status >= 200 && answer->status < 300;
	/* Some S3 operations answer 200 first and an error after minutes of blanks. */
	struct str body = str_trim(answer->body);
	if (good
		&& !(body.n > 0 && body.p[0] == '<'
			&& str_find((struct str){body.p, body.n < 200 ? body.n : 200},
				   STR("<Error>"))
				< 200))
		return true;
	read_error(step, answer, error);
	if (error->code.n == 0)
		return true;
	error->transient = is_transient(error);
	if (!quiet)
		refusal_tell(step, op, error);
	return false;
}

enum verdict
aws_fail(struct step *step, const struct op *op, const struct aws_error *error)
{
	if (op->err.code != ERR_NONE)
		return step_fail_op(step, op);
	refusal_tell(step, op, error);
	/* After a 5xx the other side may have done it all the same: nothing but a look
	 * can tell. */
	return error->status >= 500 ? STEP_DOUBT : STEP_FAIL;
}

const char *
aws_home_file(struct step *step, const char *variable, const char *name)
{
	const char *path = step_env(step, variable), *home = step_env(step, "HOME");
	return path != NULL    ? path
		: home == NULL ? NULL
			       : arena_printf(step->mem, "%s/.aws/%s", home, name);
}
