#include "../steps/aws/model.h"

#include "../steps/aws/own.h"

enum { BUCKETS = 128 };

struct model {
	struct arena *mem;
	struct facts *facts;
	bool is_whole;
	struct err err;
	struct kept_service { struct service service; struct kept_service *next; } *services;
};

struct kept_shape { struct shape shape; struct kept_shape *next; };
struct shape_table { struct kept_shape *buckets[BUCKETS]; };

struct model *
model_open(struct arena *mem)
{
	struct model *model = arena_new_of(mem, struct model);
	*model = (struct model){.mem = mem, .facts = facts_open(mem)};
	model->is_whole = own_models_add(model->facts, mem, &model->err);
	return model;
}

const struct err *
model_err(const struct model *model)
{
	return model->is_whole ? NULL : &model->err;
}

struct facts *
model_facts(struct model *model)
{
	return model->facts;
}

struct arena *
service_mem(const struct service *service)
{
	return service->model->mem;
}

/* ---- reading values of facts */

static const char *
text_of(struct arena *mem, const struct value *map, const char *key)
{
	struct str text = value_get_str(map, key);
	return text.p == NULL ? NULL : str_cstr(mem, text);
}

static const char *
namespace_of(struct arena *mem, const struct value *ns)
{
	if (ns != NULL && ns->kind == V_STRING)
		return str_cstr(mem, ns->str);
	return text_of(mem, ns, "uri");
}

static unsigned
place_in(const char *const *words, struct str word, unsigned otherwise)
{
	for (unsigned i = 0; words[i] != NULL; i++)
		if (str_is(word, words[i]))
			return i;
	return otherwise;
}

static enum time_form
time_form_of(const struct value *facts)
{
	static const char *const forms[] = {
		"", "iso8601", "unixTimestamp", "rfc822", NULL};
	return place_in(forms, value_get_str(facts, "timestampFormat"), TIME_BY_PROTOCOL);
}

static unsigned
traits_of(const struct value *facts)
{
	static const struct { const char *name; enum trait trait; } rows[] = {
		{"flattened", TRAIT_FLATTENED},
		{"xmlAttribute", TRAIT_ATTRIBUTE},
		{"streaming", TRAIT_STREAMING},
		{"idempotencyToken", TRAIT_TOKEN},
		{"hostLabel", TRAIT_HOST_LABEL},
		{"jsonvalue", TRAIT_JSON_TEXT},
		{"sensitive", TRAIT_SENSITIVE},
		{"union", TRAIT_UNION},
		{"document", TRAIT_DOCUMENT},
		{"eventstream", TRAIT_EVENTS},
		{"client", TRAIT_CLIENT},
	};
	unsigned traits = value_get(facts, "error") != NULL ? TRAIT_ERROR : 0;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (value_get_bool(facts, rows[i].name, false))
			traits |= rows[i].trait;
	return traits;
}

static struct shape_ref
ref_of(struct arena *mem, const char *name, const struct value *facts)
{
	static const char *const places[] = {
		"", "uri", "querystring", "header", "headers", "statusCode", NULL};
	if (facts == NULL)
		return (struct shape_ref){0};
	if (facts->kind == V_STRING)
		return (struct shape_ref){
			.name = name, .shape = str_cstr(mem, facts->str)};
	const struct value *ns = value_get(facts, "xmlNamespace");
	return (struct shape_ref){.name = name,
		.shape = text_of(mem, facts, "shape"),
		.wire = text_of(mem, facts, "locationName"),
		.query_name = text_of(mem, facts, "queryName"),
		.ns = namespace_of(mem, ns),
		.ns_prefix = text_of(mem, ns, "prefix"),
		.place = place_in(places, value_get_str(facts, "location"), IN_BODY),
		.time = time_form_of(facts),
		.traits = traits_of(facts)};
}

static bool
is_in(const struct value *list, struct str name)
{
	if (list == NULL || list->kind != V_LIST)
		return false;
	for (size_t i = 0; i < list->list.n; i++)
		if (str_eq(list->list.items[i].str, name))
			return true;
	return false;
}

static void
read_members(struct arena *mem, const struct value *facts, struct shape *shape)
{
	const struct value *members = value_get(facts, "members"),
			   *required = value_get(facts, "required");
	if (members == NULL || members->kind != V_MAP)
		return;
	size_t n = members->map->n;
	struct shape_ref *rows = arena_array(mem, struct shape_ref, n);
	for (size_t i = 0; i < n; i++) {
		struct str name = members->map->members[i].key.str;
		rows[i] = ref_of(mem, str_cstr(mem, name),
			&members->map->members[i].value);
		if (is_in(required, name))
			rows[i].traits |= TRAIT_REQUIRED;
	}
	shape->members = rows;
	shape->n_members = n;
}

static enum shape_kind
kind_of(const struct value *facts)
{
	static const struct { const char *name; enum shape_kind kind; } rows[] = {
		{"structure", SHAPE_STRUCTURE},
		{"list", SHAPE_LIST},
		{"map", SHAPE_MAP},
		{"integer", SHAPE_INT},
		{"long", SHAPE_INT},
		{"short", SHAPE_INT},
		{"byte", SHAPE_INT},
		{"bigInteger", SHAPE_INT},
		{"float", SHAPE_FLOAT},
		{"double", SHAPE_FLOAT},
		{"bigDecimal", SHAPE_FLOAT},
		{"boolean", SHAPE_BOOL},
		{"timestamp", SHAPE_TIME},
		{"blob", SHAPE_BLOB},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (str_is(value_get_str(facts, "type"), rows[i].name))
			return rows[i].kind;
	return SHAPE_TEXT;
}

static struct shape
shape_from(struct arena *mem, const char *name, const struct value *facts)
{
	const struct value *ns = value_get(facts, "xmlNamespace"),
			   *error = value_get(facts, "error");
	struct shape shape = {.name = name,
		.kind = kind_of(facts),
		.traits = traits_of(facts),
		.time = time_form_of(facts),
		.wire = text_of(mem, facts, "locationName"),
		.ns = namespace_of(mem, ns),
		.ns_prefix = text_of(mem, ns, "prefix"),
		.payload = text_of(mem, facts, "payload"),
		.item = ref_of(mem, NULL, value_get(facts, "member")),
		.key = ref_of(mem, NULL, value_get(facts, "key")),
		.value = ref_of(mem, NULL, value_get(facts, "value")),
		.words = value_get(facts, "enum"),
		.least = value_get(facts, "min"),
		.most = value_get(facts, "max"),
		.pattern = text_of(mem, facts, "pattern"),
		.error_code = text_of(mem, error, "code"),
		.error_status = (int)value_get_int(error, "httpStatusCode", 0)};
	read_members(mem, facts, &shape);
	return shape;
}

const struct shape *
service_shape(struct service *service, const char *name)
{
	struct arena *mem = service->model->mem;
	if (name == NULL)
		return NULL;
	struct kept_shape **bucket =
		&service->shapes->buckets[str_hash(str_of(name)) % BUCKETS];
	for (struct kept_shape *it = *bucket; it != NULL; it = it->next)
		if (strcmp(it->shape.name, name) == 0)
			return &it->shape;
	const struct value *facts = facts_find(
		service->model->facts, service->name, "shape", str_of(name));
	if (facts == NULL)
		return NULL;
	struct kept_shape *kept = arena_new_of(mem, struct kept_shape);
	kept->shape = shape_from(mem, arena_strdup(mem, name), facts);
	kept->next = *bucket;
	*bucket = kept;
	return &kept->shape;
}

const struct shape_ref *
shape_find(const struct shape *shape, struct str name)
{
	for (size_t i = 0; i < shape->n_members; i++)
		if (str_is(name, shape->members[i].name))
			return &shape->members[i];
	return NULL;
}

enum time_form
ref_time(const struct shape_ref *member, const struct shape *shape)
{
	return member->time != TIME_BY_PROTOCOL ? member->time : shape->time;
}

unsigned
ref_traits(const struct shape_ref *member, const struct shape *shape)
{
	return member->traits | shape->traits;
}

/* ---- services and operations */

static bool
read_service(struct model *model, const char *name, const struct value *facts,
	struct service *out)
{
	static const char *const protocols[] = {
		"query", "ec2", "json", "rest-json", "rest-xml", NULL};
	struct arena *mem = model->mem;
	unsigned protocol = place_in(protocols, value_get_str(facts, "protocol"), 99);
	*out = (struct service){.model = model,
		.name = name,
		.id = text_of(mem, facts, "id"),
		.title = text_of(mem, facts, "title"),
		.protocol = protocol,
		.version = text_of(mem, facts, "version"),
		.signing = text_of(mem, facts, "signing"),
		.json_version = text_of(mem, facts, "jsonVersion"),
		.target_prefix = text_of(mem, facts, "targetPrefix"),
		.ns = text_of(mem, facts, "xmlNamespace"),
		.query_compatible = value_get(facts, "awsQueryCompatible") != NULL,
		.facts = facts,
		.shapes = arena_new_of(mem, struct shape_table)};
	return protocol != 99;
}

struct service *
model_service(struct model *model, struct str name)
{
	for (struct kept_service *it = model->services; it != NULL; it = it->next)
		if (str_is(name, it->service.name))
			return &it->service;
	const struct value *facts = facts_find(model->facts, "-", "service", name);
	struct kept_service *kept = arena_new_of(model->mem, struct kept_service);
	if (facts == NULL
		|| !read_service(
			model, str_cstr(model->mem, name), facts, &kept->service))
		return NULL;
	kept->next = model->services;
	model->services = kept;
	return &kept->service;
}

const char *const *
model_services(struct model *model)
{
	return facts_names(model->facts, "-", "service");
}

static const char *const *
texts_of(struct arena *mem, const struct value *list)
{
	size_t n = list != NULL && list->kind == V_LIST ? list->list.n : 0;
	const char **texts = arena_array(mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		texts[i] = str_cstr(mem, list->list.items[i].str);
	return texts;
}

const struct operation *
service_operation(struct service *service, struct str name)
{
	struct arena *mem = service->model->mem;
	const struct value *facts =
		facts_find(service->model->facts, service->name, "operation", name);
	if (facts == NULL)
		return NULL;
	struct str uri, method = str_cut(value_get_str(facts, "http"), ' ', &uri);
	struct operation *operation = arena_new_of(mem, struct operation);
	const struct value *output = value_get(facts, "output");
	*operation = (struct operation){.name = str_cstr(mem, name),
		.method = str_cstr(mem, method),
		.uri = str_cstr(mem, uri),
		.status = (int)value_get_int(facts, "status", 0),
		.input = ref_of(mem, NULL, value_get(facts, "input")),
		.output = ref_of(mem, NULL, output),
		.result_wrapper = text_of(mem, output, "resultWrapper"),
		.errors = texts_of(mem, value_get(facts, "errors")),
		.tokens = texts_of(mem, value_get(facts, "token")),
		.presigned = text_of(mem, facts, "presigned"),
		.host_prefix = text_of(mem, facts, "hostPrefix"),
		.host = text_of(mem, facts, "host"),
		.unsigned_ = value_get_bool(facts, "unsigned", false),
		.unsigned_payload = value_get_bool(facts, "unsignedPayload", false),
		.checksum = value_get_bool(facts, "checksum", false),
		.deprecated = value_get_bool(facts, "deprecated", false),
		.gzip = value_get_bool(facts, "gzip", false)};
	return operation;
}

const char *const *
service_operations(struct service *service)
{
	return facts_names(service->model->facts, service->name, "operation");
}
