#include "data/field.h"

#include "data/field_value.h"
#include "data/yaml.h"

#include <assert.h>

const struct field *
field_find(const struct field *fields, struct str name)
{
	for (const struct field *f = fields; f->name != NULL; f++) {
		if (f->type == FIELD_ROWS) {
			const struct field *inner = field_find(f->fields, name);
			if (inner != NULL)
				return inner;
		} else if (str_is(name, f->name)) {
			return f;
		}
	}
	return NULL;
}

static size_t
count(const struct field *fields)
{
	size_t n = 0;
	for (const struct field *f = fields; f->name != NULL; f++)
		n += f->type == FIELD_ROWS ? count(f->fields) : 1;
	return n;
}

const struct field *
field_at(const struct field *fields, size_t i)
{
	for (const struct field *f = fields; f->name != NULL; f++) {
		size_t n = f->type == FIELD_ROWS ? count(f->fields) : 1;
		if (i < n)
			return f->type == FIELD_ROWS ? field_at(f->fields, i) : f;
		i -= n;
	}
	return NULL;
}

const struct field *
field_next(struct field_walk *walk)
{
	for (;;) {
		const struct field *row = walk->rows[walk->depth];
		if (row->name == NULL && walk->depth == 0)
			return NULL;
		if (row->name == NULL) {
			walk->depth--;
			walk->rows[walk->depth]++;
		} else if (row->type == FIELD_ROWS) {
			assert(walk->depth + 1 < sizeof walk->rows / sizeof walk->rows[0]);
			walk->rows[++walk->depth] = row->fields;
		} else {
			walk->rows[walk->depth]++;
			return row;
		}
	}
}

/* The row through which a field is there: itself, or the ROWS that hold it. */
static const struct field *
holder(const struct field *fields, const struct field *field)
{
	for (const struct field *f = fields; f->name != NULL; f++)
		if (f == field
			|| (f->type == FIELD_ROWS
				&& field_find(f->fields, str_of(field->name)) == field))
			return f;
	return field;
}

static const char *const *
names_of(struct arena *mem, const struct field *fields)
{
	size_t n = count(fields);
	const char **names = arena_array(mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		names[i] = field_at(fields, i)->name;
	return names;
}

bool
field_is_there(
	const struct field *fields, const struct field *field, const struct value *map)
{
	field = holder(fields, field);
	if (field->only_key == NULL)
		return true;
	const struct value *key = value_get(map, field->only_key);
	if (key == NULL || key->kind != V_STRING)
		return true;
	for (const char *const *word = field->only_words; *word != NULL; word++)
		if (str_is(key->str, *word))
			return true;
	return false;
}

static void
unknown_name(
	const struct field_use *use, const struct field *fields, const struct value *key)
{
	const char *near = near_name(key->str, names_of(use->mem, fields));
	const char *of = use->of == NULL ? "" : use->of;
	struct err *err = diag_error(use->diags, value_mark(key),
		"unknown field '%.*s'%s%s%s%s%s", STR_FMT(key->str),
		use->of == NULL ? "" : " of ", of, near == NULL ? "" : ", did you mean '",
		near == NULL ? "" : near, near == NULL ? "" : "'?");
	err->code = ERR_UNKNOWN_NAME;
	if (near != NULL)
		return;
	struct buf list = buf_in(use->mem);
	const struct field *f;
	for (size_t i = 0; (f = field_at(fields, i)) != NULL; i++)
		buf_printf(&list, "%s%s", i == 0 ? "" : ", ", f->name);
	err_hint(err, "it takes %s", buf_cstr(&list));
}

static void
not_in_this_form(
	const struct field_use *use, const struct field *field, const struct value *key)
{
	struct buf list = buf_in(use->mem);
	for (const char *const *word = field->only_words; *word != NULL; word++)
		buf_printf(&list, "%s%s", list.n == 0 ? "" : ", ", *word);
	diag_error(use->diags, value_mark(key), "'%.*s' is there only with %s: %s",
		STR_FMT(key->str), field->only_key, buf_cstr(&list));
}

static struct mark
place_of(const struct field_use *use, const struct value *map)
{
	return use->at.source != NULL ? use->at : value_mark(map);
}

/* Of the rows that exclude each other: more than one given, or none where one must be. */
static bool
judge_either(const struct field_use *use, const struct field *fields,
	const struct value *map, unsigned number)
{
	const struct field *f, *given = NULL;
	struct buf list = buf_in(use->mem);
	bool required = false;
	for (struct field_walk w = {{fields}, 0}; (f = field_next(&w)) != NULL;) {
		if (f->either != number)
			continue;
		buf_printf(&list, "%s'%s'", list.n == 0 ? "" : ", ", f->name);
		required |= f->flags & FIELD_REQUIRED;
		const struct value *key = map_at(map->map, str_of(f->name));
		if (key != NULL && given != NULL) {
			diag_error(use->diags, value_mark(key),
				"'%s' and '%s' exclude each other", given->name, f->name);
			return false;
		}
		given = key != NULL ? f : given;
	}
	if (given != NULL || !required || use->partial)
		return true;
	diag_error(use->diags, place_of(use, map), "%s%sone of %s is needed",
		use->of == NULL ? "" : use->of, use->of == NULL ? "" : ": ",
		buf_cstr(&list));
	return false;
}

static bool
is_spread(const struct field *fields, const char *name, const struct map_builder *out)
{
	for (const struct field *f = fields; f->name != NULL; f++)
		if (f->flags & FIELD_SPREAD
			&& field_find(f->fields, str_of(name)) != NULL)
			for (size_t i = 0; i < out->n; i++)
				if (str_is(out->members[i].key.str, name))
					return true;
	return false;
}

static bool
missing(const struct field_use *use, const struct field *field, const struct value *map)
{
	struct err *err = diag_error(use->diags, place_of(use, map),
		"%s%s'%s' is missing", use->of == NULL ? "" : use->of,
		use->of == NULL ? "" : ": ", field->name);
	err_hint(err, "%s: %s", field_type_name(field->type), field->help);
	return false;
}

/* Members of a spread object take the places of rows that are not given. */
static bool
spread(const struct field_use *use, const struct field *fields, const struct value *map,
	const struct field *field, const struct value *v, struct map_builder *out)
{
	struct field_use inner = {
		field->name, use->folder, {0}, true, use->mem, use->diags};
	struct value judged = *v;
	if (v->kind != V_UNKNOWN && !field_judge(&inner, field, v, &judged))
		return false;
	const struct field *f;
	for (size_t i = 0; (f = field_at(field->fields, i)) != NULL; i++) {
		const struct value *given = judged.kind == V_MAP
			? map_at(judged.map, str_of(f->name))
			: &judged;
		if (given != NULL && map_at(map->map, str_of(f->name)) == NULL
			&& field_find(fields, str_of(f->name)) == f)
			map_put(out, f->name, *given);
	}
	return true;
}

/* What is wrong in a list or map is told; the rest of it still counts, so that no error
 * hides others. */
static bool
is_container(const struct field *field, const struct value *v)
{
	return (field->type == FIELD_LIST && v->kind == V_LIST)
		|| ((field->type == FIELD_MAP || field->type == FIELD_OBJECT)
			&& v->kind == V_MAP);
}

static bool
judge_given(const struct field_use *use, const struct field *fields,
	const struct value *map, struct map_builder *out)
{
	bool good = true;
	for (size_t i = 0; i < map->map->n; i++) {
		const struct value *key = &map->map->members[i].key,
				   *v = &map->map->members[i].value;
		const struct field *field = field_find(fields, key->str);
		struct value judged;
		if (field == NULL) {
			unknown_name(use, fields, key);
			good = false;
		} else if (!use->partial && !field_is_there(fields, field, map)) {
			not_in_this_form(use, holder(fields, field), key);
			good = false;
		} else if (field->flags & FIELD_SPREAD && !use->partial) {
			good &= spread(use, fields, map, field, v, out);
		} else {
			bool fits = field_judge(use, field, v, &judged);
			good &= fits;
			if (fits || is_container(field, &judged)) {
				map_put(out, field->name, judged);
				out->members[out->n - 1].key = *key;
			}
		}
	}
	return good;
}

static bool
fill_in(const struct field_use *use, const struct field *fields, const struct value *map,
	struct map_builder *out)
{
	bool good = true;
	const struct field *f;
	for (struct field_walk w = {{fields}, 0}; (f = field_next(&w)) != NULL;) {
		if (map_at(map->map, str_of(f->name)) != NULL
			|| is_spread(fields, f->name, out)
			|| !field_is_there(fields, f, map))
			continue;
		if (f->otherwise != NULL) {
			struct value v = yaml_scalar(use->mem, str_of(f->otherwise)),
				     judged;
			if (field_judge(use, f, &v, &judged))
				map_put(out, f->name, judged);
		} else if (f->flags & FIELD_REQUIRED && f->either == 0) {
			good = missing(use, f, map);
		}
	}
	return good;
}

static unsigned
most_either(const struct field *fields)
{
	unsigned most = 0;
	for (const struct field *f = fields; f->name != NULL; f++) {
		unsigned n = f->type == FIELD_ROWS ? most_either(f->fields) : f->either;
		most = n > most ? n : most;
	}
	return most;
}

bool
fields_judge(const struct field_use *use, const struct field *fields,
	const struct value *map, struct value *out)
{
	if (map->kind != V_MAP) {
		diag_error(use->diags, value_mark(map), "%s takes a map, not %s",
			use->of == NULL ? "this" : use->of, kind_name(map->kind))
			->code = ERR_TYPE;
		return false;
	}
	struct map_builder built = {.mem = use->mem};
	bool good = judge_given(use, fields, map, &built);
	for (unsigned number = 1; number <= most_either(fields); number++)
		good &= judge_either(use, fields, map, number);
	if (!use->partial)
		good &= fill_in(use, fields, map, &built);
	*out = map_done(&built);
	out->flags = map->flags;
	out->source = map->source;
	out->from = map->from;
	out->to = map->to;
	return good;
}

bool
fields_apply(const struct field *fields, const struct value *map, const char *folder,
	struct arena *mem, struct value *out, struct diags *diags)
{
	struct field_use use = {.folder = folder, .mem = mem, .diags = diags};
	return fields_judge(&use, fields, map, out);
}

bool
field_apply(const struct field *field, const struct value *v, const char *folder,
	struct arena *mem, struct value *out, struct diags *diags)
{
	struct field_use use = {.folder = folder, .mem = mem, .diags = diags};
	return field_judge(&use, field, v, out);
}
