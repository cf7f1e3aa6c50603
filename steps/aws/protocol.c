#include "../steps/aws/protocol_part.h"

static bool
is_rest(const struct service *service)
{
	return service->protocol == PROTOCOL_REST_JSON
		|| service->protocol == PROTOCOL_REST_XML;
}

static struct str
json_str(struct arena *mem, const struct value *v)
{
	return str_of(json_text(mem, v, JSON_COMPACT));
}

/* ---- what is said */

static void
write_query_request(
	struct wire *w, const struct value *params, struct protocol_request *out)
{
	out->body = write_query(w, params);
	out->content_type = "application/x-www-form-urlencoded";
}

static void
write_json_request(
	struct wire *w, const struct value *params, struct protocol_request *out)
{
	struct header *headers = arena_array(w->mem, struct header, 2);
	const char *version = w->service->json_version;
	struct value body = value_map(w->mem, NULL, 0);
	if (w->operation->input.shape != NULL)
		body = write_json(w, &w->operation->input, params, false);
	headers[0] = (struct header){"X-Amz-Target", arena_printf(w->mem, "%s.%s",
		w->service->target_prefix == NULL ? "" : w->service->target_prefix,
		w->operation->name)};
	headers[1] = (struct header){"x-amzn-query-mode", "true"};
	out->headers = headers;
	out->n_headers = w->service->query_compatible ? 2 : 1;
	out->content_type = arena_printf(w->mem, "application/x-amz-json-%s",
		version == NULL ? "1.0" : version);
	out->body = json_str(w->mem, &body);
}

static bool
has_body_member(const struct shape *shape)
{
	for (size_t i = 0; i < shape->n_members; i++)
		if (shape->members[i].place == IN_BODY)
			return true;
	return false;
}

static bool
says_body(const struct shape *shape, const struct value *params)
{
	for (size_t i = 0; i < shape->n_members; i++)
		if (shape->members[i].place == IN_BODY
			&& value_there(value_get(params, shape->members[i].name)) != NULL)
			return true;
	return false;
}

static struct str
xml_str(struct wire *w, const struct shape_ref *ref, const char *name,
	const struct value *v, bool body_only)
{
	struct buf out = buf_in(w->mem);
	write_xml(w, &out, ref, name, v, body_only);
	return buf_str(&out);
}

static void
content_type(struct protocol_request *out, const char *type)
{
	if (out->content_type == NULL)
		out->content_type = type;
}

/* A structure's own name is that of a document (Smithy, "xmlName"); what refers to it has
 * one for documents too. */
static const char *
root_name(const struct shape_ref *ref, const struct shape *shape)
{
	return ref->wire != NULL     ? ref->wire
		: shape->wire != NULL ? shape->wire
				      : shape->name;
}

/* What stands for a structure that is not given: a union has no member that is. */
static bool
is_empty_object(const struct shape *shape)
{
	return shape->kind == SHAPE_STRUCTURE
		&& !(shape->traits & (TRAIT_UNION | TRAIT_DOCUMENT | TRAIT_EVENTS));
}

/* The member that is the whole body. */
static void
write_payload(struct wire *w, const struct shape *input, const struct value *params,
	struct protocol_request *out)
{
	const struct shape_ref *ref = shape_find(input, str_of(input->payload));
	const struct shape *shape = ref == NULL ? NULL : wire_shape(w, ref);
	const struct value *v =
		ref == NULL ? NULL : value_there(value_get(params, ref->name));
	bool is_json = w->service->protocol == PROTOCOL_REST_JSON;
	if (v == NULL) {
		if (is_json && shape != NULL && is_empty_object(shape)) {
			out->body = STR("{}");
			content_type(out, "application/json");
		}
	} else if (ref_traits(ref, shape) & TRAIT_DOCUMENT || shape->kind < SHAPE_TEXT) {
		struct value body =
			is_json ? write_json(w, ref, v, false) : value_null();
		out->body = is_json ? json_str(w->mem, &body)
				    : xml_str(w, ref, root_name(ref, shape), v, false);
		content_type(out, is_json ? "application/json" : "application/xml");
	} else {
		out->body = scalar_bytes(w, ref->name, v);
		content_type(out, shape->kind == SHAPE_BLOB ? "application/octet-stream"
							    : "text/plain");
	}
}

static void
write_members(struct wire *w, const struct shape *input, const struct value *params,
	struct protocol_request *out)
{
	const struct shape_ref *ref = &w->operation->input;
	if (w->service->protocol == PROTOCOL_REST_JSON) {
		if (!has_body_member(input))
			return;
		struct value body = write_json(w, ref, params, true);
		out->body = json_str(w->mem, &body);
		content_type(out, "application/json");
	} else if (says_body(input, params)) {
		const char *name = input->wire != NULL ? input->wire
			: ref->wire != NULL	       ? ref->wire
						       : input->name;
		out->body = xml_str(w, ref, name, params, true);
		content_type(out, "application/xml");
	}
}

static bool
write_rest_request(
	struct wire *w, const struct value *params, struct protocol_request *out)
{
	const struct shape *input = service_shape(w->service, w->operation->input.shape);
	if (!write_rest(w, params, out))
		return false;
	if (input != NULL && input->payload != NULL)
		write_payload(w, input, params, out);
	else if (input != NULL)
		write_members(w, input, params, out);
	return true;
}

bool
protocol_write(struct arena *mem, struct service *service,
	const struct operation *operation, const struct value *params,
	struct protocol_request *out, struct err *err)
{
	struct wire w = {
		.mem = mem, .service = service, .operation = operation, .err = err};
	*out = (struct protocol_request){
		.method = operation->method, .path = STR("/"), .host_prefix = ""};
	if (params == NULL || params->kind != V_MAP)
		return err_set(err, ERR_VALUE, "the members must be a map");
	if (operation->host_prefix != NULL && !write_host(&w, params, out))
		return false;
	if (is_rest(service) && !write_rest_request(&w, params, out))
		return false;
	if (service->protocol == PROTOCOL_JSON)
		write_json_request(&w, params, out);
	else if (!is_rest(service))
		write_query_request(&w, params, out);
	write_gzip(&w, out);
	return !w.failed;
}

/* ---- what is answered */

/* An answer that is one bare element says the member of that name (GetBucketLocation). */
static bool
read_xml_root(struct wire *w, const struct shape *shape, const struct xml *root,
	struct map_builder *map)
{
	const struct shape_ref *ref = shape_find(shape, root->name);
	struct value v;
	if (ref == NULL || wire_shape(w, ref)->kind < SHAPE_TEXT || root->first != NULL)
		return read_xml_members(w, shape, root, true, map);
	if (!read_xml(w, ref, root, &v))
		return false;
	if (v.kind != V_NULL)
		map_put(map, ref->name, v);
	return true;
}

/* In the element that the model names or, as the query protocol has it by rule, in
 * OperationResult; EC2 has none. */
static const struct xml *
result_of(const struct wire *w, const struct xml *root)
{
	const char *wrapper = w->operation->result_wrapper;
	if (wrapper == NULL && w->service->protocol == PROTOCOL_QUERY)
		wrapper = arena_printf(w->mem, "%sResult", w->operation->name);
	const struct xml *inner = wrapper == NULL ? NULL : xml_child(root, wrapper);
	return inner == NULL ? root : inner;
}

static bool
read_query_answer(struct wire *w, const struct shape *shape,
	const struct http_answer *answer, struct map_builder *map)
{
	if (str_trim(answer->body).n == 0)
		return true;
	const struct xml *root = xml_parse(w->mem, answer->body, w->err);
	return root != NULL && read_xml_members(
		       w, shape, result_of(w, root), false, map);
}

static bool
read_json_answer(struct wire *w, const struct shape *shape, struct str body,
	struct map_builder *map)
{
	struct value v;
	if (str_trim(body).n == 0)
		return true;
	if (!json_parse(w->mem, body, NULL, &v, w->err))
		return false;
	if (v.kind != V_MAP)
		return err_set(w->err, ERR_PROTOCOL, "the answer is %s, not a map",
			kind_name((enum value_kind)v.kind));
	return read_json_members(w, shape, &v, is_rest(w->service), map);
}

static bool
read_payload_value(struct wire *w, const struct shape_ref *ref, const struct shape *shape,
	struct str body, struct value *out)
{
	struct value json;
	bool is_data =
		shape->kind < SHAPE_TEXT || ref_traits(ref, shape) & TRAIT_DOCUMENT;
	if (!is_data) {
		*out = shape->kind == SHAPE_BLOB || !str_is_utf8(body)
			? value_bytes(body)
			: value_str(body);
		return true;
	}
	if (w->service->protocol == PROTOCOL_REST_JSON)
		return json_parse(w->mem, body, NULL, &json, w->err)
			&& read_json(w, ref, &json, out);
	const struct xml *root = xml_parse(w->mem, body, w->err);
	return root != NULL && read_xml(w, ref, root, out);
}

static bool
read_payload(struct wire *w, const struct shape *shape, struct str body,
	struct map_builder *map)
{
	const struct shape_ref *ref = shape_find(shape, str_of(shape->payload));
	const struct shape *inner = ref == NULL ? NULL : wire_shape(w, ref);
	struct value v = value_null();
	if (inner == NULL || (ref_traits(ref, inner) | inner->traits) & TRAIT_EVENTS)
		return true;
	if (body.n == 0
		&& !(inner->kind == SHAPE_BLOB
			&& ref_traits(ref, inner) & TRAIT_STREAMING))
		return true;
	if (!read_payload_value(w, ref, inner, body, &v))
		return false;
	if (ref_traits(ref, inner) & TRAIT_SENSITIVE)
		v.flags |= VALUE_SECRET;
	if (v.kind != V_NULL)
		map_put(map, ref->name, v);
	return true;
}

static bool
read_rest_answer(struct wire *w, const struct shape *shape,
	const struct http_answer *answer, struct map_builder *map)
{
	if (!read_rest(w, shape, answer, map))
		return false;
	if (shape->payload != NULL)
		return read_payload(w, shape, answer->body, map);
	if (!has_body_member(shape) || str_trim(answer->body).n == 0)
		return true;
	if (w->service->protocol == PROTOCOL_REST_JSON)
		return read_json_answer(w, shape, answer->body, map);
	const struct xml *root = xml_parse(w->mem, answer->body, w->err);
	return root != NULL && read_xml_root(w, shape, root, map);
}

bool
protocol_read(struct arena *mem, struct service *service,
	const struct operation *operation, const struct http_answer *answer,
	struct value *out, struct err *err)
{
	struct wire w = {
		.mem = mem, .service = service, .operation = operation, .err = err};
	struct map_builder map = {.mem = mem};
	const struct shape *shape = service_shape(service, operation->output.shape);
	bool good = true;
	if (shape != NULL && is_rest(service))
		good = read_rest_answer(&w, shape, answer, &map);
	else if (shape != NULL && service->protocol == PROTOCOL_JSON)
		good = read_json_answer(&w, shape, answer->body, &map);
	else if (shape != NULL)
		good = read_query_answer(&w, shape, answer, &map);
	*out = map_done(&map);
	if (good)
		return true;
	err->code = ERR_PROTOCOL;
	return err_wrap(err, "what %s answered cannot be read", operation->name);
}
