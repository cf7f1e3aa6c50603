#include "../steps/aws/mend.h"

#include "../steps/aws/aws.h"
#include "../steps/aws/dates.h"
#include "../steps/aws/refusal.h"

#include <strings.h>

/* Services take a signature that is up to 5 minutes off. */
static const int64_t apart_least = 4 * 60 * INT64_C(1000000);

static const char *
value_of(const struct http_ask *ask, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; ask->headers != NULL && ask->headers[i] != NULL; i++)
		if (strncasecmp(ask->headers[i], name, n) == 0
			&& str_starts(str_of(ask->headers[i] + n), STR(": ")))
			return ask->headers[i] + n + 2;
	return NULL;
}

/* ---- what was wrong */

static bool
is_one_of(struct str code, const char *const *codes)
{
	for (; *codes != NULL; codes++)
		if (str_is(code, *codes))
			return true;
	return false;
}

/* The answer to a HEAD has no body, so no code. */
static bool
has_no_code(const struct aws_error *error)
{
	return str_int(error->code, &(int64_t){0});
}

static bool
may_be_time(const struct aws_error *error)
{
	static const char *const codes[] = {"RequestTimeTooSkewed", "RequestExpired",
		"RequestInTheFuture", "InvalidSignatureException",
		"SignatureDoesNotMatch", "AuthFailure", NULL};
	return is_one_of(error->code, codes)
		|| (has_no_code(error) && error->status == 403);
}

static bool
may_be_expired(const struct http_ask *ask, const struct aws_error *error)
{
	static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException",
		"TokenRefreshRequired", "RequestExpired", NULL};
	return value_of(ask, "X-Amz-Security-Token") != NULL
		&& (is_one_of(error->code, codes)
			|| (has_no_code(error)
				&& (error->status == 400 || error->status == 403)));
}

/* How far their clock is from the time that stands in the request, us. */
static int64_t
apart(const struct http_ask *ask, const struct http_answer *answer, int64_t *theirs)
{
	const struct header *date = aws_header(answer, "date");
	const char *signed_at = value_of(ask, "X-Amz-Date");
	int64_t ours = signed_at == NULL ? 0 : date_of_amz(signed_at);
	*theirs = date == NULL ? 0 : date_of_http(date->value);
	return *theirs == 0 || ours == 0 ? 0 : *theirs - ours;
}

/* ---- signed again */

static bool
is_of_signature(const char *line)
{
	static const char *const names[] = {"Authorization: ", "X-Amz-Date: ",
		"X-Amz-Security-Token: ", "x-amz-content-sha256: "};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static struct header
header_of(struct arena *mem, const char *line)
{
	struct str value, name = str_cut(str_of(line), ':', &value);
	return (struct header){str_cstr(mem, name), str_cstr(mem, str_trim(value))};
}

/* The lines that were there before the signature, then those of the new one. */
static void
sign_again(struct step *step, const struct op *op, int64_t at, struct http_ask *ask)
{
	struct arena *mem = op->mem;
	struct str query, url = str_of(ask->url),
			  path = str_cut(url, '?', &query);
	size_t n = 0, lines = 0, start = str_find(path, STR("://")) + 3;
	while (ask->headers[lines] != NULL)
		lines++;
	struct header *headers = arena_array(mem, struct header, lines + 1);
	const char **out = arena_array(mem, const char *, lines + 2);
	for (size_t i = 0; i < lines; i++) {
		if (is_of_signature(ask->headers[i]))
			continue;
		headers[n] = header_of(mem, ask->headers[i]);
		out[n++] = ask->headers[i];
	}
	path = str_from(path, start);
	const char *payload = value_of(ask, "x-amz-content-sha256");
	bool is_s3 = str_is(refusal_scope(ask, REFUSAL_SERVICE), "s3");
	struct sigv4 request = {.method = ask->method,
		.path = str_from(path, str_find(path, STR("/"))),
		.query = query,
		.headers = headers,
		.n_headers = n,
		.payload = payload != NULL ? payload : sha256_hex(mem, ask->body),
		.service = str_cstr(mem, refusal_scope(ask, REFUSAL_SERVICE)),
		.region = str_cstr(mem, refusal_scope(ask, REFUSAL_REGION)),
		.at = at,
		.is_s3 = is_s3,
		.sign_payload_header = payload != NULL};
	struct sigv4_keys keys = aws_keys(step);
	struct sigv4_signed again = sigv4_header(mem, &request, &keys);
	for (size_t i = 0; i < again.n_headers; i++)
		out[n++] = arena_printf(mem, "%s: %s", again.headers[i].name,
			again.headers[i].value);
	ask->headers = out;
}

static const char *
host_of(struct step *step, const struct http_ask *ask)
{
	const char *host = value_of(ask, "Host");
	return host == NULL ? "" : arena_strdup(step->mem, host);
}

enum mend
aws_mend(struct step *step, const struct op *op, struct now now, bool renewed,
	struct http_ask *ask)
{
	const struct http_answer *answer = op->answer;
	struct aws_error error;
	int64_t theirs;
	if (answer->status < 400 || value_of(ask, "Authorization") == NULL
		|| aws_answered(step, op, true, &error))
		return MEND_NO;
	const char *host = host_of(step, ask);
	bool is_stale = !str_eq(refusal_scope(ask, REFUSAL_KEY),
		value_get_str(step->got, "access_key_id"));
	if (is_stale && may_be_expired(ask, &error)) {
		sign_again(step, op, now.wall + step_clock(step, host), ask);
		return MEND_AGAIN;
	}
	if (renewed)
		return MEND_NO;
	int64_t far = apart(ask, answer, &theirs);
	if (may_be_time(&error) && (far > apart_least || far < -apart_least)) {
		step_clock_learn(step, host, theirs - now.wall);
		sign_again(step, op, theirs, ask);
		return MEND_AGAIN;
	}
	return may_be_expired(ask, &error) ? MEND_RENEW : MEND_NO;
}
