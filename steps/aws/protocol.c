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
	for (size_t i = 0; i < params->map->n; i++) {
		const struct member *m = &params->map->members[i];
		const struct shape_ref *ref = shape_find(shape, m->key.str);
		if (ref != NULL && ref->place == IN_BODY && m->value.kind != V_NULL)
			return true;
	}
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

/* The member that is the whole body. */
static void
write_payload(struct wire *w, const struct shape *input, const struct value *params,
	struct protocol_request *out)
{
	const struct shape_ref *ref = shape_find(input, str_of(input->payload));
	const struct shape *shape = service_shape(w->service, ref->shape);
	const struct value *v = value_get(params, ref->name);
	bool is_json = w->service->protocol == PROTOCOL_REST_JSON,
	     is_there = v != NULL && v->kind != V_NULL;
	if (shape->kind == SHAPE_BLOB || shape->kind == SHAPE_TEXT) {
		if (!is_there)
			return;
		out->body = scalar_bytes(w->mem, v);
		content_type(out, shape->kind == SHAPE_BLOB ? "application/octet-stream"
							    : "text/plain");
		return;
	}
	if (!is_there && !is_json)
		return;
	struct value body =
		is_there ? write_json(w, ref, v, false) : value_map(w->mem, NULL, 0);
	out->body = is_json
		? json_str(w->mem, &body)
		: xml_str(w, ref, root_name(ref, shape), v, false);
	content_type(out, is_json ? "application/json" : "application/xml");
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
	struct wire w = {mem, service, operation, err};
	*out = (struct protocol_request){
		.method = operation->method, .path = STR("/"), .host_prefix = ""};
	if (params == NULL || params->kind != V_MAP)
		return err_set(err, ERR_VALUE, "the members must be a map");
	if (operation->host_prefix != NULL && !write_host(&w, params, out))
		return false;
	if (is_rest(service))
		return write_rest_request(&w, params, out);
	if (service->protocol == PROTOCOL_JSON)
		write_json_request(&w, params, out);
	else
		write_query_request(&w, params, out);
	return true;
}

/* ---- what is answered */

/* An answer that is one bare element says the member of that name (GetBucketLocation). */
static bool
read_xml_root(struct wire *w, const struct shape *shape, const struct xml *root,
	struct map_builder *map)
{
	const struct shape_ref *ref = shape_find(shape, root->name);
	const struct shape *inner =
		ref == NULL ? NULL : service_shape(w->service, ref->shape);
	struct value v;
	if (inner == NULL || inner->kind < SHAPE_TEXT || root->first != NULL)
		return read_xml_members(w, shape, root, map);
	if (!read_xml(w, ref, root, &v))
		return false;
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
	return root != NULL && read_xml_members(w, shape, result_of(w, root), map);
}

static bool
read_json_answer(struct wire *w, const struct shape *shape, struct str body,
	struct map_builder *map)
{
	struct value v;
	if (str_trim(body).n == 0)
		return true;
	if (!json_parse(w->mem, body, NULL, &v, w->err)) {
		w->err->code = ERR_PROTOCOL;
		return false;
	}
	return read_json_members(w, shape, &v, map);
}

static bool
read_payload(struct wire *w, const struct shape *shape, struct str body,
	struct map_builder *map)
{
	const struct shape_ref *ref = shape_find(shape, str_of(shape->payload));
	const struct shape *inner = service_shape(w->service, ref->shape);
	struct value v;
	if (body.n == 0 && inner->kind != SHAPE_BLOB)
		return true;
	if (inner->kind == SHAPE_BLOB && (body.n > 0 || ref->traits & TRAIT_STREAMING))
		v = value_bytes(body);
	else if (inner->kind == SHAPE_BLOB)
		return true;
	else if (inner->kind == SHAPE_TEXT)
		v = value_str(body);
	else if (w->service->protocol == PROTOCOL_REST_JSON) {
		struct value json;
		if (!json_parse(w->mem, body, NULL, &json, w->err)
			|| !read_json(w, ref, &json, &v))
			return false;
	} else {
		const struct xml *root = xml_parse(w->mem, body, w->err);
		if (root == NULL || !read_xml(w, ref, root, &v))
			return false;
	}
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
	struct wire w = {mem, service, operation, err};
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
	if (!good)
		err->code = ERR_PROTOCOL;
	return good;
}
