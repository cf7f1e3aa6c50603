/* JSON Schema 2020-12 of what a table describes, for editors. Where ${{ }} may stand a
 * text that holds it is taken for any value. */
#include "data/field.h"

#include "data/yaml.h"

static struct value
text(const char *s)
{
	return value_str(str_of(s));
}

static struct value
one(struct arena *mem, const char *key, struct value v)
{
	struct map_builder map = {.mem = mem};
	map_put(&map, key, v);
	return map_done(&map);
}

static struct value
two(struct arena *mem, struct value a, struct value b)
{
	struct list_builder list = {.mem = mem};
	list_push(&list, a);
	list_push(&list, b);
	return list_done(&list);
}

static struct value
words_of(struct arena *mem, const char *const *words)
{
	struct list_builder list = {.mem = mem};
	for (; *words != NULL; words++)
		list_push(&list, text(*words));
	return list_done(&list);
}

static void
put_pattern(struct map_builder *map, const char *pattern)
{
	map_put(map, "type", text("string"));
	map_put(map, "pattern", value_text(map->mem, "^(%s)$", pattern));
}

static void
put_text(struct map_builder *map, const struct field *field)
{
	if (field->words != NULL) {
		map_put(map, "enum", words_of(map->mem, field->words));
	} else if (field->pattern != NULL) {
		put_pattern(map, field->pattern);
	} else {
		struct value kinds = words_of(map->mem,
			(const char *const[]){"string", "number", "boolean", NULL});
		map_put(map, "type", kinds);
	}
}

static void
put_number(struct map_builder *map, const struct field *field, const char *type)
{
	map_put(map, "type", text(type));
	if (field->least == 0 && field->most == 0)
		return;
	map_put(map, "minimum", value_int(field->least));
	map_put(map, "maximum", value_int(field->most));
}

static struct field
item_row(const struct field *field)
{
	struct field row = *field;
	row.type = field->each;
	row.flags = field->flags & FIELD_WRITTEN;
	row.help = row.otherwise = NULL;
	return row;
}

static struct value
bare(struct arena *mem, const struct field *field)
{
	struct map_builder map = {.mem = mem};
	struct field row = item_row(field);
	switch (field->type) {
	case FIELD_INT: put_number(&map, field, "integer"); break;
	case FIELD_NUMBER: put_number(&map, field, "number"); break;
	case FIELD_BOOL: map_put(&map, "type", text("boolean")); break;
	case FIELD_DURATION: put_pattern(&map, "([0-9]+(ms|s|m|h|d|w))+"); break;
	case FIELD_SIZE: {
		struct value size = one(
			mem, "pattern", text("^[0-9]+(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$"));
		map_put(&map, "anyOf", two(mem, one(mem, "type", text("integer")), size));
		break;
	}
	case FIELD_S3_PLACE: put_pattern(&map, "s3://[^/]+/.*"); break;
	case FIELD_URL: put_pattern(&map, "https?://.+"); break;
	case FIELD_HOST_PORT: put_pattern(&map, ".+:[0-9]+"); break;
	case FIELD_TIMESTAMP:
	case FIELD_PLACE:
	case FIELD_REGEX: map_put(&map, "type", text("string")); break;
	case FIELD_EXPRESSION:
		map_put(&map, "type",
			words_of(mem,
				(const char *const[]){
					"string", "boolean", "number", NULL}));
		break;
	case FIELD_LIST:
		map_put(&map, "type", text("array"));
		map_put(&map, "items", field_schema(mem, &row));
		break;
	case FIELD_MAP:
		map_put(&map, "type", text("object"));
		map_put(&map, "additionalProperties", field_schema(mem, &row));
		break;
	case FIELD_OBJECT: return fields_schema(mem, field->fields);
	case FIELD_TEXT: case FIELD_SECRET: case FIELD_PATH: put_text(&map, field); break;
	case FIELD_DATA: case FIELD_ROWS: break;
	}
	return map_done(&map);
}

static bool
is_text(const struct field *field)
{
	bool free = field->words == NULL && field->pattern == NULL;
	return field->type == FIELD_DATA || field->type == FIELD_EXPRESSION
		|| field->type == FIELD_TIMESTAMP || field->type == FIELD_PLACE
		|| field->type == FIELD_REGEX
		|| ((field->type == FIELD_TEXT || field->type == FIELD_SECRET
			    || field->type == FIELD_PATH)
			&& free);
}

struct value
field_schema(struct arena *mem, const struct field *field)
{
	struct value schema = bare(mem, field);
	struct list_builder any = {.mem = mem};
	struct field row = item_row(field);
	struct map_builder map = {.mem = mem};
	list_push(&any, schema);
	if (field->flags & FIELD_SCALAR_OR_LIST)
		list_push(&any, bare(mem, &row));
	if (!(field->flags & FIELD_WRITTEN) && !is_text(field))
		list_push(&any, one(mem, "pattern", text("\\$\\{\\{")));
	if (field->help == NULL && any.n == 1)
		return schema;
	if (field->help != NULL)
		map_put(&map, "description", text(field->help));
	if (field->otherwise != NULL)
		map_put(&map, "default", yaml_scalar(mem, str_of(field->otherwise)));
	if (any.n > 1)
		map_put(&map, "anyOf", list_done(&any));
	for (size_t i = 0; any.n == 1 && i < schema.map->n; i++)
		map_put_str(&map, schema.map->members[i].key.str,
			schema.map->members[i].value);
	return map_done(&map);
}

struct value
fields_schema(struct arena *mem, const struct field *fields)
{
	struct map_builder properties = {.mem = mem}, map = {.mem = mem};
	struct list_builder required = {.mem = mem};
	const struct field *f;
	bool any = false;
	for (size_t i = 0; (f = field_at(fields, i)) != NULL; i++) {
		if (strcmp(f->name, "*") == 0) {
			any = true;
			continue;
		}
		map_put(&properties, f->name, field_schema(mem, f));
		if (f->flags & FIELD_REQUIRED && f->either == 0 && f->only_key == NULL)
			list_push(&required, text(f->name));
	}
	map_put(&map, "type", text("object"));
	map_put(&map, "properties", map_done(&properties));
	map_put(&map, "additionalProperties", value_bool(any));
	if (required.n > 0)
		map_put(&map, "required", list_done(&required));
	return map_done(&map);
}
