/* The types that expressions see of values that a table describes. */
#include "data/field.h"

struct table_type {
	struct expr_type type;
	const struct field *fields;
	size_t n;
	const struct expr_type **types;               /* of the rows, by their number */
};

static const struct expr_type *
type_of(struct arena *mem, enum field_type type, enum field_type each,
	const struct field *fields)
{
	switch (type) {
	case FIELD_INT: case FIELD_SIZE: return &expr_int;
	case FIELD_NUMBER: return &expr_double;
	case FIELD_BOOL: return &expr_bool;
	case FIELD_DURATION: return &expr_duration;
	case FIELD_TIMESTAMP: return &expr_timestamp;
	case FIELD_DATA: return &expr_dyn;
	case FIELD_LIST: return expr_list_of(mem, type_of(mem, each, FIELD_DATA, fields));
	case FIELD_MAP:
		return each == FIELD_DATA
			? &expr_map
			: expr_map_of(mem, type_of(mem, each, FIELD_DATA, fields));
	case FIELD_OBJECT: return fields_expr_type(mem, fields);
	default: return &expr_string;
	}
}

static bool
find(const struct expr_type *type, struct str name, struct expr_member *out,
	struct err *why)
{
	const struct table_type *table = type->with;
	const struct field *f;
	for (size_t i = 0; (f = field_at(table->fields, i)) != NULL; i++)
		if (str_is(name, f->name) || strcmp(f->name, "*") == 0) {
			*out = (struct expr_member){.type = table->types[i],
				.secret = f->flags & FIELD_SENSITIVE};
			return true;
		}
	return err_set(why, ERR_UNKNOWN_NAME, "there is no '%.*s' here", STR_FMT(name));
}

static const char *const *
names(const struct expr_type *type, struct arena *mem)
{
	const struct table_type *table = type->with;
	const char **list = arena_array(mem, const char *, table->n + 1);
	for (size_t i = 0; i < table->n; i++)
		list[i] = field_at(table->fields, i)->name;
	return list;
}

const struct expr_type *
fields_expr_type(struct arena *mem, const struct field *fields)
{
	struct table_type *table = arena_new_of(mem, struct table_type);
	const struct field *f;
	while (field_at(fields, table->n) != NULL)
		table->n++;
	table->fields = fields;
	table->types = arena_array(mem, const struct expr_type *, table->n + 1);
	for (size_t i = 0; (f = field_at(fields, i)) != NULL; i++)
		table->types[i] = type_of(mem, f->type, f->each, f->fields);
	table->type = (struct expr_type){
		.kind = V_MAP, .find = find, .names = names, .with = table};
	return &table->type;
}

static bool
is_scalar(enum value_kind kind)
{
	return kind == V_BOOL || kind == V_INT || kind == V_UINT || kind == V_DOUBLE
		|| kind == V_STRING || kind == V_TIMESTAMP || kind == V_DURATION;
}

bool
field_takes(const struct field *field, const struct expr_type *type)
{
	if (type == NULL || type->dyn || field->type == FIELD_DATA)
		return true;
	switch (field->type) {
	case FIELD_INT: return type->kind == V_INT;
	case FIELD_NUMBER:
		return type->kind == V_INT || type->kind == V_UINT
			|| type->kind == V_DOUBLE;
	case FIELD_BOOL: return type->kind == V_BOOL;
	case FIELD_DURATION: return type->kind == V_DURATION || type->kind == V_STRING;
	case FIELD_TIMESTAMP: return type->kind == V_TIMESTAMP || type->kind == V_STRING;
	case FIELD_SIZE: return type->kind == V_INT || type->kind == V_STRING;
	case FIELD_LIST: return type->kind == V_LIST
		|| (field->flags & FIELD_SCALAR_OR_LIST && is_scalar(type->kind));
	case FIELD_MAP: case FIELD_OBJECT: return type->kind == V_MAP;
	case FIELD_TEXT: case FIELD_SECRET: case FIELD_PATH: return is_scalar(type->kind);
	default: return type->kind == V_STRING;
	}
}
