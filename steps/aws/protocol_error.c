#include "../steps/aws/protocol_part.h"

#include <strings.h>

static struct str
header_of(const struct http_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strcasecmp(answer->headers[i].name, name) == 0)
			return str_of(answer->headers[i].value);
	return (struct str){NULL, 0};
}

/* "aws.protocol#FooError:http://example.com/" is FooError. */
static struct str
bare_code(struct str code)
{
	struct str rest, name = str_cut(code, ':', &rest);
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '#')
			return str_from(name, i);
	return name;
}

static struct str
first_of(struct str a, struct str b)
{
	return a.n > 0 ? a : b;
}

static struct str
text_of(struct arena *mem, const struct value *v, const char *name)
{
	const struct value *said = value_get(v, name);
	if (said == NULL || said->kind == V_NULL)
		return (struct str){NULL, 0};
	return said->kind == V_STRING ? said->str
				      : str_of(json_text(mem, said, JSON_COMPACT));
}

static bool
has_code(const struct shape *shape, struct str code)
{
	return str_is(code, shape->name)
		|| (shape->error_code != NULL && str_is(code, shape->error_code));
}

/* The shape of the error with that code: one that the operation names, else any of the
 * service. */
static const struct shape *
error_shape(struct wire *w, struct str code)
{
	const struct operation *operation = w->operation;
	const struct shape *shape;
	if (w->service == NULL)
		return NULL;
	for (size_t i = 0; operation != NULL && operation->errors[i] != NULL; i++) {
		shape = service_shape(w->service, operation->errors[i]);
		if (shape != NULL && has_code(shape, code))
			return shape;
	}
	shape = service_shape(w->service, str_cstr(w->mem, code));
	return shape != NULL && shape->traits & TRAIT_ERROR ? shape : NULL;
}

static struct str
id_in_headers(const struct http_answer *answer)
{
	return first_of(header_of(answer, "x-amzn-requestid"),
		first_of(header_of(answer, "x-amz-request-id"),
			header_of(answer, "x-amz-cf-id")));
}

static void
json_error(struct wire *w, const struct http_answer *answer, struct protocol_refusal *out)
{
	struct value body;
	struct str rest, query = str_cut(
		header_of(answer, "x-amzn-query-error"), ';', &rest);
	struct map_builder map = {.mem = w->mem};
	if (!json_parse(w->mem, str_trim(answer->body), NULL, &body, w->err)
		|| body.kind != V_MAP)
		body = value_map(w->mem, NULL, 0);
	out->message = first_of(text_of(w->mem, &body, "message"),
		first_of(text_of(w->mem, &body, "Message"),
			text_of(w->mem, &body, "errorMessage")));
	out->code = bare_code(first_of(header_of(answer, "x-amzn-errortype"),
		first_of(text_of(w->mem, &body, "__type"),
			first_of(text_of(w->mem, &body, "code"),
				text_of(w->mem, &body, "Code")))));
	out->request_id = id_in_headers(answer);
	const struct shape *shape = error_shape(w, out->code);
	if (shape != NULL && read_rest(w, shape, answer, &map))
		read_json_members(w, shape, &body,
			w->service->protocol == PROTOCOL_REST_JSON, &map);
	out->members = map_done(&map);
	/* "AWS.SimpleQueueService.NonExistentQueue;Sender": the code of the query
	 * protocol that the service spoke before. */
	if (query.n > 0 && rest.p != NULL)
		out->code = query;
}

/* <Error> is the root (S3), inside of <ErrorResponse> (query, rest-xml), or inside of
 * <Response><Errors> (EC2). NULL: there is none. */
static const struct xml *
error_element(const struct xml *root)
{
	if (root == NULL || str_is(root->name, "Error"))
		return root;
	const struct xml *inner = xml_child(root, "Error");
	return inner != NULL ? inner : xml_child(xml_child(root, "Errors"), "Error");
}

static struct str
message_in(const struct xml *error)
{
	struct str message =
		first_of(xml_text(error, "Message"), xml_text(error, "message"));
	/* <InvalidChangeBatch><Messages><Message> */
	const struct xml *several = xml_child(error, "Messages");
	if (several == NULL)
		several = xml_child(error, "messages");
	return str_trim(first_of(message, xml_text(several, "Message")));
}

static void
xml_error(struct wire *w, const struct http_answer *answer, struct protocol_refusal *out)
{
	struct map_builder map = {.mem = w->mem};
	const struct xml *root = str_trim(answer->body).n == 0
		? NULL
		: xml_parse(w->mem, str_trim(answer->body), w->err);
	const struct xml *error = error_element(root);
	const struct shape *shape = NULL;
	if (error != NULL)
		out->code = bare_code(str_trim(xml_text(error, "Code")));
	else if (root != NULL && error_shape(w, root->name) != NULL) {
		/* Route 53 answers some errors as an element of their name. */
		error = root;
		out->code = root->name;
	}
	out->message = message_in(error);
	out->request_id = first_of(
		first_of(xml_text(root, "RequestId"), xml_text(root, "RequestID")),
		first_of(xml_text(error, "RequestId"), id_in_headers(answer)));
	shape = error_shape(w, out->code);
	if (shape != NULL && read_rest(w, shape, answer, &map) && error != NULL)
		read_xml_members(w, shape, error,
			w->service->protocol == PROTOCOL_REST_XML, &map);
	out->members = map_done(&map);
}

static bool
is_json(const struct service *service, const struct http_answer *answer)
{
	if (service != NULL)
		return service->protocol == PROTOCOL_JSON
			|| service->protocol == PROTOCOL_REST_JSON;
	return str_starts(str_trim(answer->body), STR("{"));
}

void
protocol_error(struct arena *mem, struct service *service,
	const struct operation *operation, const struct http_answer *answer,
	struct protocol_refusal *out)
{
	struct err ignored = {0};
	struct wire w = {.mem = mem,
		.service = service,
		.operation = operation,
		.err = &ignored};
	*out = (struct protocol_refusal){.members = value_map(mem, NULL, 0)};
	if (is_json(service, answer))
		json_error(&w, answer, out);
	else
		xml_error(&w, answer, out);
}
