#include "aws_case.h"

/* botocore says a namespace as text or as a map, facts as a map alone. */
static struct value
as_facts(struct arena *mem, const struct value *v)
{
	struct map_builder map = {.mem = mem};
	if (v->kind != V_MAP)
		return *v;
	for (size_t i = 0; i < v->map->n; i++) {
		const struct member *m = &v->map->members[i];
		struct value member = as_facts(mem, &m->value);
		if (str_is(m->key.str, "xmlNamespace") && member.kind == V_STRING) {
			struct map_builder ns = {.mem = mem};
			map_put(&ns, "uri", member);
			member = map_done(&ns);
		}
		map_put_str(&map, m->key.str, member);
	}
	return map_done(&map);
}

static void
line(struct buf *out, const char *kind, struct str name, struct value facts)
{
	buf_printf(out, "%s %.*s\t", kind, STR_FMT(name));
	json_write(out, &facts, JSON_COMPACT);
	buf_putc(out, '\n');
}

static void
copy(struct map_builder *to, const struct value *from, const char *name, const char *as)
{
	const struct value *v = value_get(from, name);
	if (v != NULL)
		map_put(to, as, as_facts(to->mem, v));
}

static struct value
service_facts(struct arena *mem, const struct value *metadata)
{
	struct map_builder map = {.mem = mem}, hosts = {.mem = mem};
	map_put(&hosts, "", value_str(STR("example.com")));
	map_put(&map, "id", value_str(STR("Case")));
	map_put(&map, "title", value_str(STR("Case")));
	map_put(&map, "signing", value_str(STR("case")));
	map_put(&map, "hosts", map_done(&hosts));
	copy(&map, metadata, "protocol", "protocol");
	copy(&map, metadata, "apiVersion", "version");
	copy(&map, metadata, "jsonVersion", "jsonVersion");
	copy(&map, metadata, "targetPrefix", "targetPrefix");
	copy(&map, metadata, "xmlNamespace", "xmlNamespace");
	copy(&map, metadata, "awsQueryCompatible", "awsQueryCompatible");
	return map_done(&map);
}

static struct value
tokens_of(struct arena *mem, const struct value *suite, const struct value *operation)
{
	struct list_builder list = {.mem = mem};
	struct str name = value_get_str(value_get(operation, "input"), "shape");
	const struct value *shape =
		value_get(value_get(suite, "shapes"), str_cstr(mem, name));
	const struct value *members = value_get(shape, "members");
	for (size_t i = 0; members != NULL && i < members->map->n; i++)
		if (value_get_bool(&members->map->members[i].value, "idempotencyToken",
			    false))
			list_push(&list, members->map->members[i].key);
	return list_done(&list);
}

static struct value
names_of(struct arena *mem, const struct value *errors)
{
	struct list_builder list = {.mem = mem};
	for (size_t i = 0; errors != NULL && i < errors->list.n; i++)
		list_push(&list, *value_get(&errors->list.items[i], "shape"));
	return list_done(&list);
}

static struct value
operation_facts(struct arena *mem, const struct value *suite, const struct value *given)
{
	struct map_builder map = {.mem = mem};
	const struct value *http = value_get(given, "http");
	struct str method = value_get_str(http, "method"),
		   uri = value_get_str(http, "requestUri");
	map_put(&map, "http",
		value_text(mem, "%.*s %.*s", STR_FMT(method), STR_FMT(uri)));
	copy(&map, http, "responseCode", "status");
	copy(&map, given, "input", "input");
	copy(&map, given, "output", "output");
	copy(&map, given, "httpChecksumRequired", "checksum");
	copy(&map, value_get(given, "endpoint"), "hostPrefix", "hostPrefix");
	if (value_get(given, "requestcompression") != NULL)
		map_put(&map, "gzip", value_bool(true));
	map_put(&map, "errors", names_of(mem, value_get(given, "errors")));
	map_put(&map, "token", tokens_of(mem, suite, given));
	return map_done(&map);
}

static struct value
shape_facts(struct arena *mem, const struct value *shape)
{
	struct map_builder map = {.mem = mem};
	struct value facts = as_facts(mem, shape);
	for (size_t i = 0; i < facts.map->n; i++)
		map_put_str(&map, facts.map->members[i].key.str,
			facts.map->members[i].value);
	if (value_get_bool(shape, "exception", false)
		&& value_get(shape, "error") == NULL)
		map_put(&map, "error", value_map(mem, NULL, 0));
	return map_done(&map);
}

struct str
facts_text(struct arena *mem, const struct value *suite, const struct value *operation)
{
	struct buf out = buf_in(mem);
	const struct value *shapes = value_get(suite, "shapes");
	line(&out, "operation", value_get_str(operation, "name"),
		operation_facts(mem, suite, operation));
	line(&out, "service", STR("case"),
		service_facts(mem, value_get(suite, "metadata")));
	for (size_t i = 0; i < shapes->map->n; i++)
		line(&out, "shape", shapes->map->members[i].key.str,
			shape_facts(mem, &shapes->map->members[i].value));
	return buf_str(&out);
}
