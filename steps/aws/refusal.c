#include "../steps/aws/refusal.h"

#include "../steps/aws/dates.h"

#include <strings.h>

enum { MOST_MESSAGE = 240, MOST_ID = 60, CLOCKS_AGREE_S = 60 };

/* The credential scope of the signature: key/date/region/service/aws4_request. */
struct str
refusal_scope(const struct http_ask *ask, enum refusal_scope number)
{
	static const char start[] = "Authorization: AWS4-HMAC-SHA256 Credential=";
	for (size_t i = 0; ask->headers != NULL && ask->headers[i] != NULL; i++) {
		struct str line = str_of(ask->headers[i]), part = {NULL, 0};
		if (!str_starts(line, str_of(start)))
			continue;
		line = str_from(line, sizeof start - 1);
		for (unsigned j = 0; j <= (unsigned)number; j++)
			part = str_cut(line, '/', &line);
		return part;
	}
	return (struct str){NULL, 0};
}

static bool
asks(struct str query, const char *word)
{
	return str_find(query, str_of(word)) < query.n;
}

/* Actions of the service authorization reference. A part and its abort go by the rights
 * of the object; HEAD by that of GET. */
static const char *
s3_action(struct str method, struct str query)
{
	if (str_is(method, "GET") && asks(query, "uploadId="))
		return "s3:ListMultipartUploadParts";
	if (str_is(method, "GET") && asks(query, "versions="))
		return "s3:ListBucketVersions";
	if (str_is(method, "POST") && asks(query, "delete="))
		return "s3:DeleteObject";
	if (str_is(method, "GET")
		&& (asks(query, "list-type=") || asks(query, "prefix=")))
		return "s3:ListBucket";
	if (str_is(method, "GET") || str_is(method, "HEAD"))
		return "s3:GetObject";
	if (str_is(method, "DELETE") && asks(query, "uploadId="))
		return "s3:AbortMultipartUpload";
	if (str_is(method, "DELETE"))
		return asks(query, "versionId=") ? "s3:DeleteObjectVersion"
						 : "s3:DeleteObject";
	return "s3:PutObject";
}

static const char *
route53_action(struct str method, struct str url)
{
	if (str_is(method, "POST"))
		return "route53:ChangeResourceRecordSets";
	return asks(url, "/change/") ? "route53:GetChange"
				     : "route53:ListResourceRecordSets";
}

/* The operation of a JSON protocol: "X-Amz-Target: Prefix.Operation". NULL: none. */
static const char *
target_of(const struct http_ask *ask)
{
	for (size_t i = 0; ask->headers != NULL && ask->headers[i] != NULL; i++)
		if (strncasecmp(ask->headers[i], "X-Amz-Target: ", 14) == 0)
			return strrchr(ask->headers[i], '.') == NULL
				? ask->headers[i] + 14
				: strrchr(ask->headers[i], '.') + 1;
	return NULL;
}

const char *
refusal_action(struct arena *mem, const struct http_ask *ask)
{
	struct str service = refusal_scope(ask, REFUSAL_SERVICE), query, action, rest;
	struct str method = str_of(ask->method), url = str_of(ask->url);
	str_cut(url, '?', &query);
	if (str_is(service, "s3"))
		return s3_action(method, query);
	if (str_is(service, "route53"))
		return route53_action(method, url);
	const char *target = target_of(ask);
	if (target != NULL)
		return arena_printf(mem, "%.*s:%s", STR_FMT(service), target);
	size_t at = str_find(ask->body, STR("Action="));
	action = str_cut(str_from(ask->body, at), '&', &rest);
	if (at == ask->body.n)
		return service.n == 0 ? "the request" : str_cstr(mem, service);
	action = str_from(action, 7);
	/* The exchange of a web identity is not signed and has no scope. */
	return arena_printf(mem, "%.*s:%.*s",
		STR_FMT(service.n == 0 ? STR("sts") : service), STR_FMT(action));
}

struct str
refusal_region(struct arena *mem, const struct http_answer *answer)
{
	struct err ignored;
	const struct header *said = aws_header(answer, "x-amz-bucket-region");
	if (said != NULL)
		return str_of(said->value);
	const struct xml *root =
		answer->body.n == 0 ? NULL : xml_parse(mem, answer->body, &ignored);
	return xml_text(root, "Region");
}

static bool
is_about_time(struct str code, struct str message)
{
	static const char *const codes[] = {"RequestTimeTooSkewed", "RequestExpired",
		"RequestInTheFuture", "InvalidSignatureException",
		"SignatureDoesNotMatch"};
	for (size_t i = 0; i < 3; i++)
		if (str_is(code, codes[i]))
			return true;
	for (size_t i = 3; i < sizeof codes / sizeof codes[0]; i++)
		if (str_is(code, codes[i])
			&& (str_find(message, STR("expired")) < message.n
				|| str_find(message, STR("not yet")) < message.n))
			return true;
	return false;
}

/* How far our clock is from that of the server, by its Date and our X-Amz-Date. */
static bool
hint_clock(
	struct step *step, const struct http_ask *ask, const struct http_answer *answer)
{
	const struct header *date = aws_header(answer, "date");
	int64_t theirs = date == NULL ? 0 : date_of_http(date->value), ours = 0;
	for (size_t i = 0; ask->headers != NULL && ask->headers[i] != NULL; i++)
		if (strncasecmp(ask->headers[i], "X-Amz-Date: ", 12) == 0)
			ours = date_of_amz(ask->headers[i] + 12);
	int64_t apart = (ours - theirs) / 1000000;
	if (theirs == 0 || ours == 0
		|| (apart < CLOCKS_AGREE_S && -apart < CLOCKS_AGREE_S))
		return false;
	err_hint(step->err,
		"the clock of this host is %s %s that of AWS: set it (timedatectl), then "
		"go on",
		duration_short(step->mem, (apart < 0 ? -apart : apart) * NS_S),
		apart < 0 ? "behind" : "ahead of");
	return true;
}

static void
hint_identity(struct step *step, const struct http_ask *ask, const char *action)
{
	struct str arn = value_get_str(step->got, "arn"),
		   source = value_get_str(step->got, "source");
	struct str key = refusal_scope(ask, REFUSAL_KEY);
	if (arn.n > 0)
		err_hint(step->err,
			"%.*s is not allowed %s here; its keys come from %.*s",
			STR_FMT(arn), action, STR_FMT(source));
	else
		err_hint(step->err,
			"key %.*s (from %.*s) is not allowed %s here; `aws sts "
			"get-caller-identity` tells whose it is",
			STR_FMT(key), STR_FMT(source.n == 0 ? STR("the chain") : source),
			action);
}

static void
hint_keys(struct step *step, const struct http_ask *ask)
{
	struct str key = refusal_scope(ask, REFUSAL_KEY), source = value_get_str(step->got, "source");
	err_hint(step->err,
		"key %.*s (from %.*s) does not exist, or its secret is another one",
		STR_FMT(key), STR_FMT(source.n == 0 ? STR("the chain") : source));
}

static bool
is_wrong_key(const struct aws_error *error)
{
	static const char *const codes[] = {"SignatureDoesNotMatch", "AuthFailure",
		"InvalidSignatureException", "InvalidClientTokenId",
		"UnrecognizedClientException", "InvalidAccessKeyId"};
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (str_is(error->code, codes[i]))
			return true;
	return false;
}

static bool
is_denied(const struct aws_error *error)
{
	return str_find(error->code, STR("Denied")) < error->code.n
		|| str_find(error->code, STR("Unauthorized")) < error->code.n
		|| str_is(error->code, "403");
}

static bool
is_elsewhere(const struct aws_error *error)
{
	return error->status == 301 || str_is(error->code, "PermanentRedirect")
		|| str_is(error->code, "AuthorizationHeaderMalformed")
		|| (error->status == 400 && str_is(error->code, "400"));
}

static void
hint(struct step *step, const struct op *op, const struct aws_error *error,
	const char *action)
{
	const struct http_ask *ask = op->ask;
	const struct http_answer *answer = op->answer;
	struct str region = is_elsewhere(error) ? refusal_region(step->mem, answer)
						: (struct str){NULL, 0};
	if (region.n > 0)
		err_hint(step->err, "the bucket is in %.*s: write `region: %.*s`",
			STR_FMT(region), STR_FMT(region));
	else if (is_about_time(error->code, error->message)
		 && hint_clock(step, ask, answer))
		return;
	else if (is_wrong_key(error))
		hint_keys(step, ask);
	else if (is_denied(error))
		hint_identity(step, ask, action);
	else if (str_is(error->code, "ExpiredToken")
		 || str_is(error->code, "ExpiredTokenException"))
		err_hint(step->err,
			"log in again where these credentials came from, then go on");
}

/* Scheme, host and path, without a query: which object, which zone. */
static struct str
where(const struct http_ask *ask)
{
	struct str rest, url = str_of(ask->url);
	return str_cut(url, '?', &rest);
}

void
refusal_tell(struct step *step, const struct op *op, const struct aws_error *error)
{
	const struct http_ask *ask = op->ask;
	const char *action = error->action != NULL ? error->action
						   : refusal_action(step->mem, ask);
	struct buf text = buf_in(step->mem);
	struct str url = where(ask);
	buf_printf(&text, "AWS refuses %s at %.*s", action,
		url.n > 160 ? 160 : STR_FMT(url));
	if (error->status >= 500)
		buf_printf(&text, " for now");
	if (str_int(error->code, &(int64_t){0}))
		buf_printf(&text, ": HTTP %d", error->status);
	else
		buf_printf(&text, ": %.*s (HTTP %d)", STR_FMT(error->code),
			error->status);
	/* What follows a newline is the canonical request, or a stack trace. */
	struct str rest, message = str_cut(error->message, '\n', &rest);
	if (message.n > 0)
		buf_printf(&text, ": %.*s",
			message.n > MOST_MESSAGE ? MOST_MESSAGE : STR_FMT(message));
	if (error->request_id.n > 0)
		buf_printf(&text, " [request %.*s]",
			error->request_id.n > MOST_ID ? MOST_ID
						      : STR_FMT(error->request_id));
	err_set(step->err, ERR_ANSWER, "%s", buf_cstr(&text));
	step->err->transient = error->transient;
	hint(step, op, error, action);
}
