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

/* The shape of the error with that code. */
static const struct shape *
error_shape(struct service *service, const struct operation *operation, struct str code)
{
	for (size_t i = 0; operation != NULL && operation->errors[i] != NULL; i++) {
		const struct shape *shape = service_shape(service, operation->errors[i]);
		if (shape != NULL
			&& (str_is(code, shape->name)
				|| str_is(code, shape->error_code == NULL
					       ? ""
					       : shape->error_code)))
			return shape;
	}
	return NULL;
}

static void
json_error(struct wire *w, const struct http_answer *answer, struct protocol_refusal *out)
{
	struct value body = value_null();
	struct err ignored;
	struct str rest, query = str_cut(
		header_of(answer, "x-amzn-query-error"), ';', &rest);
	struct map_builder map = {.mem = w->mem};
	if (!json_parse(w->mem, str_trim(answer->body), NULL, &body, &ignored))
		body = value_null();
	out->message = first_of(text_of(w->mem, &body, "message"),
		text_of(w->mem, &body, "Message"));
	out->code = bare_code(first_of(header_of(answer, "x-amzn-errortype"),
		first_of(text_of(w->mem, &body, "__type"),
			first_of(text_of(w->mem, &body, "code"),
				text_of(w->mem, &body, "Code")))));
	out->request_id = header_of(answer, "x-amzn-requestid");
	const struct shape *shape = error_shape(w->service, w->operation, out->code);
	w->err = &ignored;
	if (shape != NULL && read_rest(w, shape, answer, &map))
		read_json_members(w, shape, &body, &map);
	out->members = map_done(&map);
	if (query.n > 0 && rest.p != NULL)
		out->code = query;
}

/* <Error> is the root (S3), inside of <ErrorResponse> (query, rest-xml), or inside of
 * <Response><Errors> (EC2). */
static const struct xml *
error_element(const struct xml *root)
{
	const struct xml *inner;
	if (root == NULL || str_is(root->name, "Error"))
		return root;
	inner = xml_child(root, "Error");
	if (inner == NULL && xml_child(root, "Errors") != NULL)
		inner = xml_child(xml_child(root, "Errors"), "Error");
	return inner == NULL ? root : inner;
}

static void
xml_error(struct wire *w, const struct http_answer *answer, struct protocol_refusal *out)
{
	struct err ignored;
	struct map_builder map = {.mem = w->mem};
	const struct xml *root = str_trim(answer->body).n == 0
		? NULL
		: xml_parse(w->mem, answer->body, &ignored);
	const struct xml *error = error_element(root);
	out->code = bare_code(str_trim(xml_text(error, "Code")));
	out->message = str_trim(
		first_of(xml_text(error, "Message"), xml_text(error, "message")));
	out->request_id = first_of(
		first_of(xml_text(root, "RequestId"), xml_text(root, "RequestID")),
		first_of(xml_text(error, "RequestId"),
			first_of(header_of(answer, "x-amzn-requestid"),
				header_of(answer, "x-amz-request-id"))));
	const struct shape *shape = error_shape(w->service, w->operation, out->code);
	w->err = &ignored;
	if (shape != NULL && read_rest(w, shape, answer, &map) && error != NULL)
		read_xml_members(w, shape, error, &map);
	out->members = map_done(&map);
}

void
protocol_error(struct arena *mem, struct service *service,
	const struct operation *operation, const struct http_answer *answer,
	struct protocol_refusal *out)
{
	struct wire w = {mem, service, operation, NULL};
	*out = (struct protocol_refusal){.members = value_map(mem, NULL, 0)};
	if (service->protocol == PROTOCOL_JSON || service->protocol == PROTOCOL_REST_JSON)
		json_error(&w, answer, out);
	else
		xml_error(&w, answer, out);
}
