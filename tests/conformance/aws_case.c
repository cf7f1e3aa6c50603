#include "aws_case.h"

#include <ctype.h>
#include <strings.h>

#include "../steps/aws/protocol.h"

/* Smithy fills a token that is not given with this one; the step with its key. */
#define TOKEN "00000000-0000-4000-8000-000000000000"

struct subject { struct service *service; const struct operation *operation; };

static const char *
subject_make(struct arena *mem, const struct value *suite, const struct value *c,
	struct subject *out)
{
	struct err err;
	struct model *model = model_open(mem);
	const struct value *given = value_get(c, "given");
	struct str facts = facts_text(mem, suite, given);
	if (!facts_add(model_facts(model), "case", facts, &err))
		return arena_printf(mem, "no facts: %s", err.msg);
	out->service = model_service(model, STR("case"));
	out->operation = out->service == NULL
		? NULL
		: service_operation(out->service, value_get_str(given, "name"));
	return out->operation == NULL ? "no such operation" : NULL;
}

static char *
differs(struct arena *mem, const char *what, struct str want, struct str got)
{
	return arena_printf(mem, "%s: want\n%.*s\ngot\n%.*s", what, STR_FMT(want),
		STR_FMT(got));
}

/* ---- requests */

static struct value
with_tokens(struct arena *mem, const struct operation *operation,
	const struct value *params)
{
	struct map_builder map = {.mem = mem};
	for (size_t i = 0; i < params->map->n; i++)
		map_put_str(&map, params->map->members[i].key.str,
			params->map->members[i].value);
	for (size_t i = 0; operation->tokens[i] != NULL; i++)
		if (value_get(params, operation->tokens[i]) == NULL)
			map_put(&map, operation->tokens[i], value_str(STR(TOKEN)));
	return map_done(&map);
}

/* As it will be sent: Content-Type and Content-Length are among the headers. */
static const char *
header_said(struct arena *mem, const struct protocol_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	if (strcasecmp(name, "Content-Type") == 0)
		return request->content_type;
	return strcasecmp(name, "Content-Length") == 0 && request->body.n > 0
		? arena_printf(mem, "%zu", request->body.n)
		: NULL;
}

static const char *
check_headers(struct arena *mem, const struct value *want,
	const struct protocol_request *request)
{
	const struct value *headers = value_get(want, "headers"),
			   *require = value_get(want, "requireHeaders"),
			   *forbid = value_get(want, "forbidHeaders");
	for (size_t i = 0; headers != NULL && i < headers->map->n; i++) {
		const struct member *m = &headers->map->members[i];
		const char *name = str_cstr(mem, m->key.str),
			   *said = header_said(mem, request, name);
		if (said == NULL || !str_is(m->value.str, said))
			return differs(mem, name, m->value.str,
				said == NULL ? STR("(nothing)") : str_of(said));
	}
	for (size_t i = 0; require != NULL && i < require->list.n; i++) {
		const char *name = str_cstr(mem, require->list.items[i].str);
		if (header_said(mem, request, name) == NULL)
			return arena_printf(mem, "%s is missing", name);
	}
	for (size_t i = 0; forbid != NULL && i < forbid->list.n; i++) {
		const char *name = str_cstr(mem, forbid->list.items[i].str);
		if (header_said(mem, request, name) != NULL)
			return arena_printf(mem, "%s must not be there", name);
	}
	return NULL;
}

static const char *
check_body(struct arena *mem, const struct service *service, const struct value *want,
	const struct protocol_request *request)
{
	struct str body = value_get_str(want, "body"), got = request->body;
	const char *type = request->content_type == NULL ? "" : request->content_type;
	bool same;
	if (body.p == NULL)
		return NULL;
	if (body.n == 0)
		same = got.n == 0;
	else if (service->protocol == PROTOCOL_QUERY || service->protocol == PROTOCOL_EC2)
		same = same_query(mem, body, got);
	else if (service->protocol == PROTOCOL_JSON
		|| strcmp(type, "application/json") == 0)
		same = same_json(mem, body, got);
	else if (strcmp(type, "application/xml") == 0)
		same = same_xml(mem, body, got);
	else
		same = str_eq(body, got);
	return same ? NULL : differs(mem, "body", body, got);
}

/* "https://example.com/custom" is put in front of what the protocol says. */
static const char *
check_place(struct arena *mem, const struct value *suite, const struct value *want,
	const struct protocol_request *request)
{
	struct str url = value_get_str(suite, "clientEndpoint"), base_path, want_query;
	struct str base = str_cut(
		str_from(url, url.n == 0 ? 0 : strlen("https://")), '/', &base_path);
	const char *slash = base_path.n > 0 ? "/" : "";
	struct str path = str_of(arena_printf(mem, "%s%.*s%.*s", slash,
		STR_FMT(base_path), STR_FMT(request->path)));
	struct str host = str_of(arena_printf(mem, "%s%.*s%s%.*s", request->host_prefix,
		STR_FMT(base), slash, STR_FMT(base_path)));
	struct str want_host = value_get_str(want, "host");
	struct str want_path = str_cut(value_get_str(want, "uri"), '?', &want_query);
	if (!str_eq(want_path, path))
		return differs(mem, "path", want_path, path);
	if (!same_query(mem, want_query, request->query))
		return differs(mem, "query", want_query, request->query);
	if (want_host.n > 0 && !str_eq(want_host, host))
		return differs(mem, "host", want_host, host);
	return NULL;
}

static const char *
run_request(struct arena *mem, const struct value *suite, const struct value *c,
	const struct subject *subject)
{
	struct err err;
	struct protocol_request request;
	const struct value *want = value_get(c, "serialized");
	struct value params =
		with_tokens(mem, subject->operation, value_get(c, "params"));
	if (!protocol_write(mem, subject->service, subject->operation, &params, &request,
		    &err))
		return arena_printf(mem, "%s", err.msg);
	struct str method = value_get_str(want, "method");
	if (!str_is(method, request.method))
		return differs(mem, "method", method, str_of(request.method));
	const char *why = check_place(mem, suite, want, &request);
	if (why == NULL)
		why = check_headers(mem, want, &request);
	return why != NULL ? why : check_body(mem, subject->service, want, &request);
}

/* ---- answers */

static char *
lower(struct arena *mem, struct str text)
{
	char *copy = str_cstr(mem, text);
	for (char *p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static struct http_answer
answer_of(struct arena *mem, const struct value *response)
{
	const struct value *headers = value_get(response, "headers");
	size_t n = headers == NULL ? 0 : headers->map->n;
	struct header *list = arena_array(mem, struct header, n + 1);
	for (size_t i = 0; i < n; i++)
		list[i] = (struct header){lower(mem, headers->map->members[i].key.str),
			str_cstr(mem, headers->map->members[i].value.str)};
	return (struct http_answer){
		.status = (int)value_get_int(response, "status_code", 0),
		.headers = list,
		.n_headers = n,
		.body = value_get_str(response, "body")};
}

static const char *
check_value(struct arena *mem, const char *what, const struct value *want,
	const struct value *got)
{
	if (want == NULL || same_value(want, got))
		return NULL;
	return differs(mem, what, str_of(json_text(mem, want, JSON_COMPACT)),
		str_of(json_text(mem, got, JSON_COMPACT)));
}

static const char *
run_refusal(struct arena *mem, const struct value *c, const struct subject *subject,
	const struct http_answer *answer)
{
	struct protocol_refusal refusal;
	struct str code = value_get_str(c, "errorCode"),
		   message = value_get_str(c, "errorMessage");
	protocol_error(mem, subject->service, subject->operation, answer, &refusal);
	if (!str_eq(code, refusal.code))
		return differs(mem, "code", code, refusal.code);
	if (message.p != NULL && !str_eq(message, refusal.message))
		return differs(mem, "message", message, refusal.message);
	return check_value(mem, "error", value_get(c, "error"), &refusal.members);
}

static const char *
run_answer(struct arena *mem, const struct value *c, const struct subject *subject)
{
	struct err err;
	struct value result;
	struct http_answer answer = answer_of(mem, value_get(c, "response"));
	if (answer.status / 100 != 2)
		return run_refusal(mem, c, subject, &answer);
	if (!protocol_read(mem, subject->service, subject->operation, &answer, &result,
		    &err))
		return arena_printf(mem, "%s", err.msg);
	return check_value(mem, "result", value_get(c, "result"), &result);
}

const char *
case_run(struct arena *mem, const struct value *suite, const struct value *c)
{
	struct subject subject;
	const char *why = subject_make(mem, suite, c, &subject);
	if (why != NULL)
		return why;
	return value_get(c, "serialized") != NULL ? run_request(mem, suite, c, &subject)
						  : run_answer(mem, c, &subject);
}
