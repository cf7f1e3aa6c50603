#include "data/field_value.h"

#include <math.h>

#include "data/regex.h"

enum { SHORT = 40 };

static const char *const type_names[] = {
	[FIELD_TEXT] = "text",
	[FIELD_INT] = "integer",
	[FIELD_NUMBER] = "number",
	[FIELD_BOOL] = "bool",
	[FIELD_DURATION] = "duration",
	[FIELD_SIZE] = "size",
	[FIELD_TIMESTAMP] = "timestamp",
	[FIELD_PATH] = "path",
	[FIELD_PLACE] = "place",
	[FIELD_S3_PLACE] = "s3 place",
	[FIELD_URL] = "url",
	[FIELD_SECRET] = "secret",
	[FIELD_DATA] = "data",
	[FIELD_LIST] = "list",
	[FIELD_MAP] = "map",
	[FIELD_OBJECT] = "map",
	[FIELD_HOST_PORT] = "host:port",
	[FIELD_REGEX] = "regex",
	[FIELD_EXPRESSION] = "expression",
	[FIELD_ROWS] = "",
};

const char *
field_type_name(enum field_type type)
{
	return type_names[type];
}

const char *
field_type_wants(enum field_type type)
{
	switch (type) {
	case FIELD_INT: return "an integer";
	case FIELD_NUMBER: return "a number";
	case FIELD_BOOL: return "true or false";
	case FIELD_DURATION: return "a duration, as 90s, 5m or 1h30m";
	case FIELD_SIZE: return "a size, as 10MB or 10MiB";
	case FIELD_TIMESTAMP: return "a timestamp, as 2026-01-19T13:00:00Z";
	case FIELD_PATH: return "a path";
	case FIELD_PLACE: return "a path or s3://bucket/key";
	case FIELD_S3_PLACE: return "s3://bucket/key";
	case FIELD_URL: return "an http or https URL";
	case FIELD_LIST: return "a list";
	case FIELD_MAP: case FIELD_OBJECT: return "a map";
	case FIELD_HOST_PORT: return "host:port";
	case FIELD_REGEX: return "a regular expression";
	default: return "text";
	}
}

static const char *
found(struct arena *mem, const struct value *v)
{
	if (v->kind == V_NULL)
		return v->raw == NULL || v->raw[0] == '\0' ? "nothing" : "null";
	if (v->kind == V_LIST || v->kind == V_MAP || v->kind == V_BYTES)
		return kind_name(v->kind);
	return v->kind == V_STRING
		? arena_printf(mem, "text %s", value_short(mem, v, SHORT))
		: value_short(mem, v, SHORT);
}

static struct err *
wrong(const struct field_use *use, const struct field *field, const struct value *v,
	const char *want)
{
	struct err *err = diag_error(use->diags, value_mark(v), "'%s' takes %s, not %s",
		field->name, want, found(use->mem, v));
	err->code = ERR_TYPE;
	return err;
}

static bool
is_word(const struct field_use *use, const struct field *field, const struct value *text)
{
	for (const char *const *word = field->words; *word != NULL; word++)
		if (str_is(text->str, *word))
			return true;
	const char *near = near_name(text->str, field->words);
	struct buf list = buf_in(use->mem);
	for (const char *const *word = field->words; *word != NULL; word++)
		buf_printf(&list, "%s%s", list.n == 0 ? "" : ", ", *word);
	struct err *err =
		diag_error(use->diags, value_mark(text), "'%s' cannot be %s%s%s%s",
			field->name, value_short(use->mem, text, SHORT),
			near == NULL ? "" : ", did you mean '", near == NULL ? "" : near,
			near == NULL ? "" : "'?");
	err_hint(err, "one of %s", buf_cstr(&list));
	return false;
}

static bool
fits_pattern(
	const struct field_use *use, const struct field *field, const struct value *text)
{
	struct err err = {0};
	const struct regex *regex;
	if (field->pattern == NULL)
		return true;
	if (!regex_compile(use->mem, str_of(field->pattern), &regex, &err)
		|| regex_matches_whole(regex, text->str, &err))
		return true;
	err_hint(
		wrong(use, field, text, field->help), "it must match %s", field->pattern);
	return false;
}

static bool
judge_text(const struct field_use *use, const struct field *field, const struct value *v,
	struct value *out)
{
	if (!value_to_text(use->mem, v, out)) {
		struct err *err = wrong(use, field, v, "text");
		if (v->kind == V_LIST || v->kind == V_MAP)
			err_hint(err,
				"quote a text that begins with [ or {; json.marshal(e) "
				"makes text of data");
		return false;
	}
	if (memchr(out->str.n == 0 ? "" : out->str.p, '\0', out->str.n) != NULL) {
		diag_error(
			use->diags, value_mark(v), "'%s' holds a NUL byte", field->name);
		return false;
	}
	return (field->words == NULL || is_word(use, field, out))
		&& fits_pattern(use, field, out);
}

static bool
in_bounds(const struct field_use *use, const struct field *field, const struct value *v,
	int64_t number)
{
	if ((field->least == 0 && field->most == 0)
		|| (number >= field->least && number <= field->most))
		return true;
	diag_error(use->diags, value_mark(v),
		"'%s' is out of range: %s is not in %lld to %lld", field->name,
		value_short(use->mem, v, SHORT), (long long)field->least,
		(long long)field->most)
		->code = ERR_RANGE;
	return false;
}

static bool
judge_int(const struct field_use *use, const struct field *field, const struct value *v,
	struct value *out)
{
	int64_t number;
	if (v->kind == V_INT) {
		*out = *v;
		return in_bounds(use, field, v, v->i);
	}
	struct err *err = wrong(use, field, v, "an integer");
	if (v->kind == V_STRING && str_int(v->str, &number))
		err_hint(
			err, "write it without quotes; of text in an expression: int(…)");
	return false;
}

static bool
judge_number(const struct field_use *use, const struct field *field,
	const struct value *v, struct value *out)
{
	*out = *v;
	if (v->kind == V_INT || v->kind == V_UINT
		|| (v->kind == V_DOUBLE && isfinite(v->d)))
		return true;
	wrong(use, field, v, "a number");
	return false;
}

static bool
judge_bool(const struct field_use *use, const struct field *field, const struct value *v,
	struct value *out)
{
	static const char *const yes[] = {
		"yes", "on", "Yes", "On", "YES", "ON", "y", "Y", NULL};
	static const char *const no[] = {
		"no", "off", "No", "Off", "NO", "OFF", "n", "N", NULL};
	*out = *v;
	if (v->kind == V_BOOL)
		return true;
	struct err *err = wrong(use, field, v, "true or false");
	for (size_t i = 0; v->kind == V_STRING && yes[i] != NULL; i++) {
		if (str_is(v->str, yes[i]))
			err_hint(err, "write true");
		else if (str_is(v->str, no[i]))
			err_hint(err, "write false");
	}
	return false;
}

static struct value
placed(struct value made, const struct value *v)
{
	made.flags = v->flags & VALUE_SECRET;
	made.source = v->source;
	made.from = v->from;
	made.to = v->to;
	return made;
}

static bool
judge_time(const struct field_use *use, const struct field *field, const struct value *v,
	struct value *out)
{
	struct err err = {0};
	int64_t number = 0;
	struct span time;
	enum field_type type = field->type;
	if (v->kind == V_STRING && type == FIELD_DURATION
		&& duration_parse(v->str, &number, &err))
		*out = placed(value_duration_ns(number), v);
	else if (v->kind == V_DURATION && type == FIELD_DURATION && v->span.s >= 0)
		*out = *v;
	else if (v->kind == V_STRING && type == FIELD_TIMESTAMP
		&& time_parse(v->str, &time, &err))
		*out = placed(value_timestamp(time), v);
	else if (v->kind == V_TIMESTAMP && type == FIELD_TIMESTAMP)
		*out = *v;
	else if (v->kind == V_STRING && type == FIELD_SIZE
		&& size_parse(v->str, &number, &err))
		*out = placed(value_int(number), v);
	else if (v->kind == V_INT && type == FIELD_SIZE && v->i >= 0)
		*out = placed(value_int(number = v->i), v);
	else {
		struct err *said = wrong(use, field, v, field_type_wants(type));
		if (v->kind == V_INT && type == FIELD_DURATION)
			err_hint(said, "say the unit: %llds", (long long)v->i);
		else if (err.code != ERR_NONE)
			err_hint(said, "%s", err.msg);
		return false;
	}
	return type != FIELD_SIZE || in_bounds(use, field, v, number);
}

/* Texts of a form: paths, places, URLs, host:port, regular expressions. */
static bool
judge_form(const struct field_use *use, const struct field *field, const struct value *v,
	struct value *out)
{
	struct err err = {0};
	const struct regex *regex;
	if (v->kind != V_STRING
		&& (field->type != FIELD_PATH || !value_to_text(use->mem, v, out))) {
		wrong(use, field, v, field_type_wants(field->type));
		return false;
	}
	*out = v->kind == V_STRING ? *v : *out;
	bool is_s3 = str_starts(out->str, STR("s3:"));
	bool good = true;
	if (field->type == FIELD_URL)
		good = text_is_url(out->str, &err);
	else if (field->type == FIELD_HOST_PORT)
		good = text_is_host_port(out->str, &err);
	else if (field->type == FIELD_REGEX)
		good = regex_compile(use->mem, out->str, &regex, &err);
	else if (field->type == FIELD_S3_PLACE || (field->type == FIELD_PLACE && is_s3))
		good = text_is_s3(out->str, &err);
	else if (out->str.n == 0 || memchr(out->str.p, '\0', out->str.n) != NULL)
		good = err_set(&err, ERR_VALUE, "a path");
	else
		out->str = path_absolute(use->mem, use->folder, out->str);
	if (!good && field->type == FIELD_REGEX)
		diag_error(use->diags, value_mark(v), "'%s': %s", field->name, err.msg);
	else if (!good)
		wrong(use, field, v, err.msg);
	if (out->str.p != v->str.p)
		out->flags &= (uint8_t)~VALUE_PLAIN;
	return good;
}

static struct field
item_row(const struct field *field)
{
	struct field row = *field;
	row.type = field->each;
	row.flags = field->flags
		& (FIELD_TAKES_SECRET | FIELD_WRITTEN | FIELD_SHELL | FIELD_READ);
	row.otherwise = NULL;
	return row;
}

static bool
judge_list(const struct field_use *use, const struct field *field, const struct value *v,
	struct value *out)
{
	struct field row = item_row(field);
	bool single = v->kind != V_LIST && v->kind != V_MAP && v->kind != V_NULL
		&& field->flags & FIELD_SCALAR_OR_LIST;
	const struct value *items = single ? v : v->list.items;
	size_t n = single ? 1 : v->list.n;
	if (v->kind != V_LIST && !single) {
		struct err *err = wrong(use, field, v, "a list");
		if (v->kind == V_STRING)
			err_hint(err, "write [%.*s]", STR_FMT(v->str));
		else if (v->kind > V_NULL && v->kind <= V_DOUBLE && v->raw != NULL)
			err_hint(err, "write [%s]", v->raw);
		return false;
	}
	struct value *judged = arena_array(use->mem, struct value, n + 1);
	bool good = true;
	for (size_t i = 0; i < n; i++)
		good &= field_judge(use, &row, &items[i], &judged[i]);
	*out = placed(value_list(judged, n), v);
	return good;
}

static bool
judge_map(const struct field_use *use, const struct field *field, const struct value *v,
	struct value *out)
{
	if (v->kind != V_MAP) {
		wrong(use, field, v, "a map");
		return false;
	}
	struct member *members = arena_array(use->mem, struct member, v->map->n + 1);
	bool good = true;
	for (size_t i = 0; i < v->map->n; i++) {
		struct field row = item_row(field);
		members[i].key = v->map->members[i].key;
		row.name = str_cstr(use->mem, members[i].key.str);
		good &= field_judge(
			use, &row, &v->map->members[i].value, &members[i].value);
	}
	*out = placed(value_map(use->mem, members, v->map->n), v);
	return good;
}

static bool
judge_object(const struct field_use *use, const struct field *field,
	const struct value *v, struct value *out)
{
	struct field_use inner = *use;
	inner.of = field->name;
	inner.at = (struct mark){0};
	inner.partial = field->flags & FIELD_SPREAD;
	if (v->kind == V_MAP)
		return fields_judge(&inner, field->fields, v, out);
	wrong(use, field, v, "a map");
	return false;
}

static bool
may_be_secret(const struct field *field)
{
	return field->type == FIELD_SECRET || field->type == FIELD_LIST
		|| field->type == FIELD_MAP || field->type == FIELD_OBJECT
		|| field->flags & FIELD_TAKES_SECRET;
}

bool
field_judge(const struct field_use *use, const struct field *field, const struct value *v,
	struct value *out)
{
	*out = *v;
	if (v->flags & VALUE_SECRET && !may_be_secret(field)) {
		diag_error(use->diags, value_mark(v), "a secret may not stand in '%s'",
			field->name);
		return false;
	}
	bool expands = v->kind == V_UNKNOWN || (v->kind == V_STRING && v->source != NULL
		&& str_find(v->str, STR("${{")) < v->str.n);
	if (expands && field->flags & FIELD_WRITTEN) {
		diag_error(use->diags, value_mark(v),
			"'%s' takes no ${{ }}: it is needed before anything runs",
			field->name);
		return false;
	}
	if (v->kind == V_UNKNOWN)
		return true;
	switch (field->type) {
	case FIELD_INT: return judge_int(use, field, v, out);
	case FIELD_NUMBER: return judge_number(use, field, v, out);
	case FIELD_BOOL: return judge_bool(use, field, v, out);
	case FIELD_DURATION:
	case FIELD_SIZE:
	case FIELD_TIMESTAMP: return judge_time(use, field, v, out);
	case FIELD_PATH:
	case FIELD_PLACE:
	case FIELD_S3_PLACE:
	case FIELD_URL:
	case FIELD_HOST_PORT:
	case FIELD_REGEX: return judge_form(use, field, v, out);
	case FIELD_LIST: return judge_list(use, field, v, out);
	case FIELD_MAP: return judge_map(use, field, v, out);
	case FIELD_OBJECT: return judge_object(use, field, v, out);
	case FIELD_TEXT: case FIELD_SECRET: return judge_text(use, field, v, out);
	case FIELD_DATA: case FIELD_EXPRESSION: case FIELD_ROWS: return true;
	}
	return true;
}
