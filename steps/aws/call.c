#include "../steps/aws/call.h"

#include <assert.h>
#include <ctype.h>

#include "../steps/aws/class.h"
#include "../steps/aws/refusal.h"
#include "../steps/aws/result.h"

enum { PRESIGNED_S = 3600, MOST_OF_PAGES = 256 << 20 };

const char *
call_name(struct arena *mem, const struct call *call)
{
	return arena_printf(mem, "%s.%s", call->service->name, call->operation->name);
}

/* ---- what goes in */

/* Ids of Route 53 are answered with their kind in front, and not taken so. */
static struct value
without_kind(const struct service *service, const struct value *v)
{
	static const char *const kinds[] = {
		"/hostedzone/", "/change/", "/delegationset/", NULL};
	struct value out = *v;
	for (size_t i = 0; strcmp(service->name, "route53") == 0 && v->kind == V_STRING
		&& kinds[i] != NULL;
		i++)
		if (str_starts(v->str, str_of(kinds[i])))
			out.str = str_from(v->str, strlen(kinds[i]));
	return out;
}

static struct value
params_of(struct step *step, const struct call *call, const struct value *with)
{
	struct map_builder map = {.mem = step->mem};
	for (size_t i = 0; with != NULL && with->kind == V_MAP && i < with->map->n; i++)
		map_put_str(&map, with->map->members[i].key.str,
			without_kind(call->service, &with->map->members[i].value));
	for (size_t i = 0; call->operation->tokens[i] != NULL; i++) {
		const char *token = call->operation->tokens[i];
		if (value_get(with, token) == NULL && step->key != NULL)
			map_put(&map, token,
				value_str(str_of(class_token(step->mem, call->service,
					call->operation, token, step->key))));
	}
	return map_done(&map);
}

bool
call_begin(struct step *step, struct call *call, struct str name,
	const struct value *with, struct err *err)
{
	struct str operation, service = str_cut(name, '.', &operation);
	*call = (struct call){
		.service = model_service(model_open(step->mem), service)};
	call->operation = call->service == NULL
		? NULL
		: service_operation(call->service, operation);
	if (call->operation == NULL)
		return err_set(err, ERR_UNKNOWN_NAME, "AWS has no operation %.*s",
			STR_FMT(name));
	call->params = params_of(step, call, with);
	call->who = (struct aws_service){.name = call->service->name,
		.id = endpoint_variable(step->mem, call->service->id),
		.signing_name = call->service->signing};
	return true;
}

/* ---- copies between regions */

/* arn:partition:service:region:… */
static struct str
region_of_arn(struct str arn)
{
	struct str part = {NULL, 0};
	if (!str_starts(arn, STR("arn:")))
		return part;
	for (size_t i = 0; i < 4; i++)
		part = str_cut(arn, ':', &arn);
	return part;
}

/* What the author says, else what the ARN of a source says. */
static struct str
source_region(const struct call *call)
{
	struct str said = value_get_str(&call->params, "SourceRegion");
	for (size_t i = 0; said.n == 0 && i < call->params.map->n; i++) {
		const struct member *m = &call->params.map->members[i];
		bool is_source = str_starts(m->key.str, STR("Source"))
			|| str_starts(m->key.str, STR("ReplicationSource"));
		if (is_source && m->value.kind == V_STRING)
			said = region_of_arn(m->value.str);
	}
	return said;
}

static void
request_header(struct arena *mem, struct protocol_request *request, const char *name,
	const char *value)
{
	size_t n = request->n_headers;
	struct header *headers = arena_array(mem, struct header, n + 1);
	if (n > 0)
		memcpy(headers, request->headers, n * sizeof *headers);
	headers[n] = (struct header){name, value};
	request->headers = headers;
	request->n_headers = n + 1;
}

static bool
write_request(struct step *step, const struct call *call, const struct value *params,
	struct aws_call *out)
{
	struct protocol_request request;
	if (!protocol_write(step->mem, call->service, call->operation, params, &request,
		    step->err))
		return err_wrap(step->err, "%s", call_name(step->mem, call));
	/* API Gateway answers in another form unless it is asked for this one. */
	if (strcmp(call->service->signing, "apigateway") == 0)
		request_header(step->mem, &request, "Accept", "application/json");
	*out = (struct aws_call){.service = &call->who,
		.region = call->region,
		.most = call->most,
		.method = request.method,
		.path = request.path,
		.query = request.query,
		.headers = request.headers,
		.n_headers = request.n_headers,
		.content_type = request.content_type,
		.body = request.body,
		.host = call->operation->host,
		.host_prefix = request.host_prefix,
		.is_unsigned = call->operation->unsigned_};
	return true;
}

/* The same call as a GET of the region that the copy comes from (Amazon RDS API, "Copying
 * a snapshot across regions", PreSignedUrl). */
static bool
add_presigned(struct step *step, struct now now, struct call *call)
{
	const char *member = call->operation->presigned, *here = aws_region(step);
	struct str from = source_region(call);
	struct aws_call source;
	if (member == NULL || from.n == 0 || str_is(from, here)
		|| value_get(&call->params, member) != NULL)
		return true;
	if (!write_request(step, call, &call->params, &source))
		return false;
	source.method = "GET";
	source.region = str_cstr(step->mem, from);
	source.query = str_of(arena_printf(step->mem, "%.*s&DestinationRegion=%s",
		STR_FMT(source.body), here));
	source.body = (struct str){NULL, 0};
	source.content_type = NULL;
	const char *url = aws_presign(step, now, &source, PRESIGNED_S);
	struct map_builder map = {.mem = step->mem};
	for (size_t i = 0; url != NULL && i < call->params.map->n; i++)
		map_put_str(&map, call->params.map->members[i].key.str,
			call->params.map->members[i].value);
	map_put(&map, member, value_str(str_of(url)));
	call->params = map_done(&map);
	return url != NULL;
}

/* ---- sending */

/* Anything else than a name of DNS stays in the path, encoded. */
static bool
is_host_label(struct str bucket)
{
	for (size_t i = 0; i < bucket.n; i++)
		if (!islower((unsigned char)bucket.p[i])
			&& !isdigit((unsigned char)bucket.p[i]) && bucket.p[i] != '-'
			&& bucket.p[i] != '.')
			return false;
	return bucket.n >= 3 && bucket.n <= 63;
}

/* The bucket stands in the path by the model; it goes in front of the host where it can. */
static void
move_bucket(struct step *step, const struct call *call, struct aws_call *out)
{
	struct str bucket = value_get_str(&call->params, "Bucket"), rest;
	if (strcmp(call->service->name, "s3") != 0 || bucket.n == 0
		|| out->path.n < bucket.n + 1 || !is_host_label(bucket))
		return;
	rest = str_from(out->path, 1 + bucket.n);
	out->bucket = str_cstr(step->mem, bucket);
	out->path = rest.n == 0 ? STR("/") : rest;
}

static void
add_checksum(struct step *step, struct aws_call *out)
{
	uint8_t digest[MD5_SIZE];
	struct header *headers = arena_array(step->mem, struct header, out->n_headers + 1);
	for (size_t i = 0; i < out->n_headers; i++)
		if (strncmp(out->headers[i].name, "x-amz-checksum-", 15) == 0)
			return;
	if (out->n_headers > 0)
		memcpy(headers, out->headers, out->n_headers * sizeof *headers);
	if (!md5(out->body, digest))
		return;
	headers[out->n_headers++] = (struct header){
		"Content-MD5", base64_text(step->mem, digest, sizeof digest)};
	out->headers = headers;
}

enum verdict
call_send(struct step *step, struct how how, struct now now, struct call *call)
{
	struct aws_call out;
	if (!add_presigned(step, now, call)
		|| !write_request(step, call, &call->params, &out))
		return STEP_FAIL;
	move_bucket(step, call, &out);
	if (call->operation->checksum)
		add_checksum(step, &out);
	if (how.title == NULL)
		how.title = call_name(step->mem, call);
	return aws_send(step, how, now, &out);
}

/* ---- what comes out */

static struct value
unsecret(struct arena *mem, const struct value *v)
{
	struct value out = *v;
	out.flags &= (uint8_t)~VALUE_SECRET;
	if (v->kind == V_LIST) {
		struct list_builder list = {.mem = mem};
		for (size_t i = 0; i < v->list.n; i++)
			list_push(&list, unsecret(mem, &v->list.items[i]));
		return list_done(&list);
	}
	if (v->kind != V_MAP)
		return out;
	struct map_builder map = {.mem = mem};
	for (size_t i = 0; i < v->map->n; i++)
		map_put_str(&map, v->map->members[i].key.str,
			unsecret(mem, &v->map->members[i].value));
	return map_done(&map);
}

static enum verdict
take_page(struct step *step, struct how how, const struct event *event, struct call *call)
{
	bool more = false;
	struct value next;
	if (call->pages.n == 0
		&& !pages_begin(call->service, call->operation, step->mem, &call->pages))
		return STEP_DONE;
	if (!pages_add(step->mem, &call->pages, &call->params, &call->result, &more, &next,
		    step->err)) {
		err_wrap(step->err, "%s", call_name(step->mem, call));
		return STEP_FAIL;
	}
	call->bytes += ((const struct http_answer *)event->op->answer)->body.n;
	if (call->bytes > MOST_OF_PAGES)
		return step_fail(step, ERR_LIMIT, false,
			"%s: the pages are more than 256 MiB together",
			call_name(step->mem, call));
	if (!more) {
		call->result = pages_result(step->mem, &call->pages);
		return STEP_DONE;
	}
	call->params = next;
	return call_send(step, how, event->now, call);
}

static void
read_refusal(struct step *step, const struct event *event, struct call *call)
{
	struct protocol_refusal refusal;
	struct aws_error *error = &call->error;
	protocol_error(step->mem, call->service, call->operation, event->op->answer,
		&refusal);
	if (refusal.code.n > 0)
		error->code = refusal.code;
	if (refusal.message.n > 0)
		error->message = refusal.message;
	if (refusal.request_id.n > 0)
		error->request_id = refusal.request_id;
	call->said = refusal.members;
	error->transient = aws_error_is_transient(error);
	error->action = arena_printf(
		step->mem, "%s:%s", call->service->signing, call->operation->name);
}

enum verdict
call_take(struct step *step, struct how how, const struct event *event, struct call *call)
{
	const struct op *op = event->op;
	call->result = call->said = value_null();
	call->error = (struct aws_error){0};
	if (op->err.code != ERR_NONE)
		return step_fail_op(step, op);
	if (!aws_answered(step, op, true, &call->error)) {
		read_refusal(step, event, call);
		return STEP_DONE;
	}
	call->error = (struct aws_error){.status = call->error.status};
	if (!protocol_read(step->mem, call->service, call->operation, op->answer,
		    &call->result, step->err)) {
		err_wrap(step->err, "%s", call_name(step->mem, call));
		return STEP_FAIL;
	}
	if (result_is_plain(str_of(call->service->name), str_of(call->operation->name),
		    &call->params))
		call->result = unsecret(step->mem, &call->result);
	return call->all_pages ? take_page(step, how, event, call) : STEP_DONE;
}

bool
call_was_taken(const struct call *call)
{
	return call->error.code.n == 0 && call->error.status >= 200
		&& call->error.status < 300;
}

enum verdict
call_fail(struct step *step, const struct event *event, const struct call *call)
{
	assert(call->error.code.n > 0);
	/* A 200 that ends in an error may have done it all the same. */
	enum verdict verdict = aws_fail(step, event->op, &call->error);
	return call->error.status < 300 ? STEP_DOUBT : verdict;
}
