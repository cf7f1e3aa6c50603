#include "model/schema.h"

#include "model/keys.h"

static const char dialect[] = "https://json-schema.org/draft/2020-12/schema";

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
reference(struct arena *mem, const char *name)
{
	return one(mem, "$ref", value_text(mem, "#/$defs/%s", name));
}

static struct value
list_of(struct arena *mem, struct value item)
{
	struct map_builder map = {.mem = mem};
	map_put(&map, "type", text("array"));
	map_put(&map, "items", item);
	return map_done(&map);
}

static struct value
any_of(struct arena *mem, const struct value *items, size_t n)
{
	struct list_builder list = {.mem = mem};
	for (size_t i = 0; i < n; i++)
		list_push(&list, items[i]);
	return one(mem, "anyOf", list_done(&list));
}

static bool
is_step_list(const char *name)
{
	static const char *const names[] = {
		"trigger",
		"preconditions",
		"steps",
		"on_waiting",
		"on_success",
		"on_failure",
		"finally",
		"block",
		"parallel",
		NULL,
	};
	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* The forms of the keys that the tables call data. */
static struct value
form_of(struct arena *mem, const struct field *row)
{
	struct value string = one(mem, "type", text("string"));
	if (row->type != FIELD_DATA && !is_step_list(row->name)
		&& strcmp(row->name, "assert") != 0)
		return field_schema(mem, row);
	if (is_step_list(row->name))
		return list_of(mem, reference(mem, "step"));
	if (strcmp(row->name, "for_each") == 0)
		return any_of(mem,
			(struct value[]){one(mem, "type", text("array")), string,
				fields_schema(mem, each_keys)},
			3);
	if (strcmp(row->name, "confirm") == 0)
		return any_of(mem,
			(struct value[]){string, fields_schema(mem, confirm_keys)}, 2);
	if (strcmp(row->name, "undo") == 0)
		return any_of(mem,
			(struct value[]){string, list_of(mem, reference(mem, "step"))},
			2);
	if (strcmp(row->name, "probe") == 0)
		return reference(mem, "probe");
	if (strcmp(row->name, "assert") == 0) {
		struct field expression = {.type = FIELD_EXPRESSION};
		return list_of(mem,
			any_of(mem,
				(struct value[]){field_schema(mem, &expression),
					fields_schema(mem, assert_keys)},
				2));
	}
	return field_schema(mem, row);
}

static struct value
with_help(struct arena *mem, struct value schema, const char *help, const char *without)
{
	struct map_builder map = {.mem = mem};
	map_put(&map, "description", text(help));
	for (size_t i = 0; i < schema.map->n; i++)
		if (!str_is(schema.map->members[i].key.str, "description")
			&& !str_is(schema.map->members[i].key.str, without))
			map_put_str(&map, schema.map->members[i].key.str,
				schema.map->members[i].value);
	return map_done(&map);
}

static struct value
described(struct arena *mem, struct value schema, const char *help)
{
	return with_help(mem, schema, help, "");
}

/* A table in which some keys hold steps. */
static struct value
keys_schema(struct arena *mem, const struct field *keys)
{
	struct map_builder properties = {.mem = mem}, map = {.mem = mem};
	struct list_builder required = {.mem = mem};
	const struct field *f;
	for (size_t i = 0; (f = field_at(keys, i)) != NULL; i++) {
		map_put(&properties, f->name, described(mem, form_of(mem, f), f->help));
		if (f->flags & FIELD_REQUIRED)
			list_push(&required, text(f->name));
	}
	map_put(&map, "type", text("object"));
	map_put(&map, "properties", map_done(&properties));
	map_put(&map, "additionalProperties", value_bool(false));
	map_put(&map, "required", list_done(&required));
	return map_done(&map);
}

static void
put_types(struct map_builder *properties, struct list_builder *any,
	const struct step_type *const *types, bool groups)
{
	struct arena *mem = properties->mem;
	struct list_builder name = {.mem = mem};
	for (; *types != NULL; types++) {
		name = (struct list_builder){.mem = mem};
		list_push(&name, text((*types)->name));
		list_push(any, one(mem, "required", list_done(&name)));
		map_put(properties, (*types)->name, reference(mem, (*types)->name));
	}
	for (size_t i = 0; groups && group_names[i] != NULL; i++) {
		name = (struct list_builder){.mem = mem};
		list_push(&name, text(group_names[i]));
		list_push(any, one(mem, "required", list_done(&name)));
	}
	if (!groups)
		return;
	map_put(properties, "block",
		described(
			mem, list_of(mem, reference(mem, "step")), "one after another"));
	map_put(properties, "parallel",
		described(mem, list_of(mem, reference(mem, "step")),
			"at once, as needs allows"));
	map_put(properties, "choose",
		described(mem, list_of(mem, reference(mem, "branch")),
			"exactly one branch"));
	map_put(properties, "playbook",
		described(mem, fields_schema(mem, call_keys), "another playbook"));
}

static struct value
step_schema(struct arena *mem, const struct step_type *const *types, bool probe)
{
	struct map_builder properties = {.mem = mem}, map = {.mem = mem};
	struct list_builder any = {.mem = mem}, required = {.mem = mem};
	static const char *const of_probe[] = {"accept", "timeout", "outputs"};
	for (const struct step_key *key = step_keys; key->row.name != NULL; key++) {
		bool here = !probe;
		for (size_t i = 0; i < 3; i++)
			here |= strcmp(of_probe[i], key->row.name) == 0;
		if (here)
			map_put(&properties, key->row.name,
				described(mem, form_of(mem, &key->row), key->row.help));
	}
	if (probe) {
		struct field done = {.name = "done",
			.type = FIELD_EXPRESSION,
			.help = "true where the effect is there"};
		map_put(&properties, "done", field_schema(mem, &done));
	}
	put_types(&properties, &any, types, !probe);
	list_push(&required, text(probe ? "done" : "id"));
	if (!probe) {
		struct list_builder alone = {.mem = mem};
		list_push(&alone, text("assert"));
		list_push(&any, one(mem, "required", list_done(&alone)));
	}
	map_put(&map, "type", text("object"));
	map_put(&map, "properties", map_done(&properties));
	map_put(&map, "additionalProperties", value_bool(false));
	map_put(&map, "required", list_done(&required));
	map_put(&map, "anyOf", list_done(&any));
	return map_done(&map);
}

struct value
schema_playbook(struct arena *mem, const struct step_type *const *types)
{
	struct map_builder map = {.mem = mem}, defs = {.mem = mem};
	struct value top = keys_schema(mem, playbook_keys);
	map_put(&map, "$schema", text(dialect));
	map_put(&map, "title", text("rbx playbook, version 1"));
	for (size_t i = 0; i < top.map->n; i++)
		map_put_str(&map, top.map->members[i].key.str, top.map->members[i].value);
	map_put(&defs, "step", step_schema(mem, types, false));
	map_put(&defs, "branch", keys_schema(mem, branch_keys));
	map_put(&defs, "probe", step_schema(mem, types, true));
	for (; *types != NULL; types++) /* what is required, `defaults` may give */
		map_put(&defs, (*types)->name,
			with_help(mem, fields_schema(mem, (*types)->in),
				(*types)->summary, "required"));
	map_put(&map, "$defs", map_done(&defs));
	return map_done(&map);
}

struct value
schema_step(struct arena *mem, const struct step_type *type)
{
	struct map_builder map = {.mem = mem}, properties = {.mem = mem};
	map_put(&properties, "in", fields_schema(mem, type->in));
	map_put(&properties, "out", fields_schema(mem, type->out));
	map_put(&map, "$schema", text(dialect));
	map_put(&map, "title", text(type->name));
	map_put(&map, "description", text(type->summary));
	map_put(&map, "type", text("object"));
	map_put(&map, "properties", map_done(&properties));
	return map_done(&map);
}

static enum field_type
type_of(const char *type)
{
	static const struct { const char *name; enum field_type type;
	} rows[] = {
		{"int", FIELD_INT},
		{"number", FIELD_NUMBER},
		{"bool", FIELD_BOOL},
		{"duration", FIELD_DURATION},
		{"timestamp", FIELD_TIMESTAMP},
		{"size", FIELD_SIZE},
		{"url", FIELD_URL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].name, type) == 0)
			return rows[i].type;
	return FIELD_TEXT;
}

static struct value
input_schema(struct arena *mem, const struct input *input)
{
	if (strcmp(input->type, "list") == 0 || strcmp(input->type, "map") == 0)
		return one(mem, "type",
			text(strcmp(input->type, "list") == 0 ? "array" : "object"));
	if (input->words != NULL)
		return one(mem, "enum", *input->words);
	struct field row = {.name = input->name,
		.type = type_of(input->type),
		.flags = FIELD_WRITTEN,
		.pattern = input->pattern,
		.help = input->help};
	return field_schema(mem, &row);
}

struct value
schema_inputs(struct arena *mem, const struct playbook *book)
{
	struct map_builder map = {.mem = mem}, properties = {.mem = mem};
	struct list_builder required = {.mem = mem};
	for (size_t i = 0; i < book->n_inputs; i++) {
		const struct input *input = &book->inputs[i];
		struct value schema = input_schema(mem, input);
		map_put(&properties, input->name,
			input->help == NULL ? schema
					    : described(mem, schema, input->help));
		if (input->otherwise == NULL)
			list_push(&required, text(input->name));
	}
	map_put(&map, "$schema", text(dialect));
	map_put(&map, "title", value_text(mem, "inputs of %s", book->name));
	map_put(&map, "type", text("object"));
	map_put(&map, "properties", map_done(&properties));
	map_put(&map, "additionalProperties", value_bool(false));
	map_put(&map, "required", list_done(&required));
	return map_done(&map);
}
