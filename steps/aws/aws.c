#include "../steps/aws/aws.h"

#include "../steps/aws/mend.h"
#include "../steps/aws/protocol.h"
#include "../steps/aws/refusal.h"

enum { MOST_BODY = 16 << 20 };

/* Error codes that may go well when asked again: the standard retry mode of the AWS SDKs
 * (botocore retries/standard.py). */
static const char *const transient_codes[] = {
	"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete", "Throttling", "ThrottlingException",
	"ThrottledException", "RequestThrottledException", "RequestThrottled", "TooManyRequestsException",
	"ProvisionedThroughputExceededException", "TransactionInProgressException", "RequestLimitExceeded",
	"BandwidthLimitExceeded", "LimitExceededException", "SlowDown", "EC2ThrottledException", "InternalError",
	"ServiceUnavailable", NULL,
};

struct target { const char *base, *host; struct str path; }; /* base: scheme and host */

/* The bucket stands in front of the host, or of the path: at an endpoint of one's own,
 * and where a name with dots would not fit the certificate. */
static struct target
target_of(struct arena *mem, const struct aws_call *call, const struct endpoint *endpoint)
{
	bool by_path = endpoint->is_own
		|| (call->bucket != NULL && strchr(call->bucket, '.') != NULL);
	const char *label = call->bucket == NULL || by_path ? ""
		: arena_printf(mem, "%s.", call->bucket);
	const char *prefix = call->host_prefix == NULL || endpoint->is_own
		? ""
		: call->host_prefix;
	struct target t = {
		.host = arena_printf(mem, "%s%s%s", label, prefix, endpoint->host)};
	struct buf path = buf_in(mem);
	buf_add(&path, endpoint->path);
	if (call->bucket != NULL && by_path)
		buf_printf(&path, "/%s", call->bucket);
	buf_add(&path, call->path);
	t.path = buf_str(&path);
	t.base = arena_printf(mem, "%s%s", endpoint->scheme, t.host);
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

/* A global service counts as the region of its control plane, or by its own name. */
static bool
region_is_allowed(struct step *step, const struct aws_service *service,
	const char *region)
{
	const struct value *regions = value_get(step->limits, "regions");
	if (regions == NULL || regions->kind != V_LIST)
		return true;
	for (size_t i = 0; i < regions->list.n; i++) {
		const struct value *item = &regions->list.items[i];
		if (item->kind == V_STRING && (str_is(item->str, region)
			|| str_is(item->str, service->name)))
			return true;
	}
	return err_set(step->err, ERR_DENIED,
		"%s is not in limits.regions of the playbook", region);
}

/* A call in the words of HTTP, ready to be signed. */
struct request {
	struct target target;
	struct header *headers;
	size_t n;
	struct sigv4 sign;
};

static bool
request_of(struct step *step, struct arena *mem, struct now now,
	const struct aws_call *call, struct request *out)
{
	struct endpoint endpoint;
	if (call->endpoint != NULL)
		endpoint = *call->endpoint;
	else if (!endpoint_find(step, call->service,
			 call->region != NULL ? call->region : aws_region(step),
			 call->host, &endpoint, step->err))
		return false;
	if (!region_is_allowed(step, call->service, endpoint.signing_region))
		return false;
	bool is_s3 = strcmp(call->service->signing_name, "s3") == 0;
	*out = (struct request){.target = target_of(mem, call, &endpoint),
		.headers = arena_array(mem, struct header, call->n_headers + 3)};
	out->headers[out->n++] = (struct header){"Host", out->target.host};
	if (call->content_type != NULL)
		out->headers[out->n++] =
			(struct header){"Content-Type", call->content_type};
	for (size_t i = 0; i < call->n_headers; i++)
		out->headers[out->n++] = call->headers[i];
	out->sign = (struct sigv4){
		.method = call->method,
		.path = out->target.path,
		.query = call->query,
		.headers = out->headers,
		.n_headers = out->n,
		.service = call->service->signing_name,
		.at = now.wall + step_clock(step, out->target.host),
		.is_s3 = is_s3,
		.sign_payload_header = is_s3,
		.region = endpoint.signing_region,
	};
	return true;
}

struct sigv4_keys
aws_keys(const struct step *step)
{
	return (struct sigv4_keys){value_get_str(step->got, "access_key_id"),
		value_get_str(step->got, "secret_access_key"),
		value_get_str(step->got, "token")};
}

static const char *
url_of(struct arena *mem, const struct target *target, struct str query)
{
	return arena_printf(mem, "%s%.*s%s%.*s", target->base, STR_FMT(target->path),
		query.n > 0 ? "?" : "", STR_FMT(query));
}

enum verdict
aws_send(struct step *step, struct how how, struct now now, const struct aws_call *call)
{
	struct arena *mem = how.mem != NULL ? how.mem : step->mem;
	struct request request;
	if (!request_of(step, mem, now, call, &request))
		return STEP_FAIL;
	request.sign.payload =
		call->payload != NULL ? call->payload : sha256_hex(mem, call->body);
	struct sigv4_keys keys = aws_keys(step);
	/* Nobody's keys: the exchange of a web identity goes unsigned. */
	struct sigv4_signed signed_ = {0};
	if (keys.id.n > 0 && !call->is_unsigned)
		signed_ = sigv4_header(mem, &request.sign, &keys);
	struct http_ask ask = {
		.method = call->method,
		.body = call->body,
		.stream_out = call->stream_out,
		.headers = header_lines(mem, request.headers, request.n, &signed_),
		.most = call->most == 0 ? MOST_BODY : call->most,
		.url = url_of(mem, &request.target, call->query),
	};
	if (how.mend == NULL)
		how.mend = aws_mend;
	return step_http(step, how, &ask);
}

const char *
aws_presign(
	struct step *step, struct now now, const struct aws_call *call, int64_t expires)
{
	struct arena *mem = step->mem;
	struct request request;
	if (!request_of(step, mem, now, call, &request))
		return NULL;
	request.sign.expires = expires;
	request.sign.payload =
		request.sign.is_s3 ? "UNSIGNED-PAYLOAD" : sha256_hex(mem, call->body);
	struct sigv4_keys keys = aws_keys(step);
	struct sigv4_signed signed_ = sigv4_query(mem, &request.sign, &keys);
	return url_of(mem, &request.target, str_of(signed_.query));
}

const struct header *
aws_header(const struct http_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strcmp(answer->headers[i].name, name) == 0)
			return &answer->headers[i];
	return NULL;
}

static void
read_error(struct step *step, const struct http_answer *answer, struct aws_error *error)
{
	struct protocol_refusal said;
	protocol_error(step->mem, NULL, NULL, answer, &said);
	error->code = said.code;
	error->message = said.message;
	error->request_id = said.request_id;
	if (error->code.n == 0 && (answer->status < 200 || answer->status > 299))
		error->code = str_of(arena_printf(step->mem, "%d", answer->status));
}

bool
aws_error_is_transient(const struct aws_error *error)
{
	if (error->status == 429 || error->status == 500
		|| (error->status >= 502 && error->status <= 504))
		return true;
	for (size_t i = 0; transient_codes[i] != NULL; i++)
		if (str_is(error->code, transient_codes[i]))
			return true;
	return false;
}

/* Some S3 operations answer 200 first, and an error after minutes of blanks. A list of
 * what went wrong inside (<DeleteResult>) is none. */
static bool
begins_with_error(struct str body)
{
	body = str_trim(body);
	if (str_starts(body, STR("<?xml")))
		body = str_trim(str_from(body, str_find(body, STR("?>")) + 2));
	return str_starts(body, STR("<Error>")) || str_starts(body, STR("<Error "));
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
	/* What is read may be somebody's file and begin as it likes. */
	bool is_read = strcmp(((const struct http_ask *)op->ask)->method, "GET") == 0;
	if (good && (is_read || !begins_with_error(answer->body)))
		return true;
	read_error(step, answer, error);
	if (error->code.n == 0)
		return true;
	error->transient = aws_error_is_transient(error);
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
