/* Inputs: what a run is given, judged by type, enum, pattern and bounds; the same for
 * defaults, for calls of playbooks and for the answers of `manual`. */
#include "model/load.h"

#include "data/field_value.h"
#include "data/regex.h"
#include "data/yaml.h"

enum { SHORT = 60 };

static enum field_type
field_of(const char *type)
{
	static const struct { const char *name; enum field_type type;
	} rows[] = {
		{"string", FIELD_TEXT},
		{"int", FIELD_INT},
		{"number", FIELD_NUMBER},
		{"bool", FIELD_BOOL},
		{"duration", FIELD_DURATION},
		{"timestamp", FIELD_TIMESTAMP},
		{"size", FIELD_SIZE},
		{"hostname", FIELD_TEXT},
		{"url", FIELD_URL},
		{"path", FIELD_PATH},
		{"list", FIELD_LIST},
		{"map", FIELD_MAP},
		{"run", FIELD_TEXT},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].name, type) == 0)
			return rows[i].type;
	return FIELD_DATA;
}

const struct expr_type *
input_type(const struct input *input)
{
	if (input->otherwise != NULL && input->otherwise->kind == V_NULL)
		return &expr_dyn;
	switch (field_of(input->type)) {
	case FIELD_INT: case FIELD_SIZE: return &expr_int;
	case FIELD_NUMBER: return &expr_dyn;
	case FIELD_BOOL: return &expr_bool;
	case FIELD_DURATION: return &expr_duration;
	case FIELD_TIMESTAMP: return &expr_timestamp;
	case FIELD_LIST: return &expr_list;
	case FIELD_MAP: return &expr_map;
	default: return strcmp(input->type, "run") == 0 ? &expr_dyn : &expr_string;
	}
}

static bool
is_one_of(const struct input *input, const struct value *v, struct arena *mem,
	struct diags *diags)
{
	if (input->words == NULL)
		return true;
	struct buf list = buf_in(mem);
	for (size_t i = 0; i < input->words->list.n; i++) {
		if (value_equal(&input->words->list.items[i], v))
			return true;
		buf_printf(&list, "%s%s", i == 0 ? "" : ", ",
			value_short(mem, &input->words->list.items[i], SHORT));
	}
	diag_error(diags, value_mark(v), "'%s' cannot be %s: one of %s", input->name,
		value_short(mem, v, SHORT), buf_cstr(&list));
	return false;
}

/* -1, 0, 1; both have the type of the input. */
static int
order(const struct value *a, const struct value *b)
{
	if (a->kind == V_TIMESTAMP || a->kind == V_DURATION) {
		if (a->span.s != b->span.s)
			return a->span.s < b->span.s ? -1 : 1;
		return (a->span.ns > b->span.ns) - (a->span.ns < b->span.ns);
	}
	if (a->kind == V_INT && b->kind == V_INT)
		return (a->i > b->i) - (a->i < b->i);
	double x = a->kind == V_INT ? (double)a->i
		: a->kind == V_UINT ? (double)a->u
				    : a->d;
	double y = b->kind == V_INT ? (double)b->i
		: b->kind == V_UINT ? (double)b->u
				    : b->d;
	return (x > y) - (x < y);
}

static bool
has_order(const struct value *v)
{
	return v->kind == V_INT || v->kind == V_UINT || v->kind == V_DOUBLE
		|| v->kind == V_TIMESTAMP || v->kind == V_DURATION;
}

/* As an author writes it. */
static const char *
bound_text(const struct input *input, const struct value *bound, struct arena *mem)
{
	if (bound->kind == V_DURATION)
		return duration_text(mem, span_ns(bound->span));
	if (field_of(input->type) == FIELD_SIZE && bound->kind == V_INT && bound->i >= 0)
		return arena_printf(mem, "%lld bytes (%s)", (long long)bound->i,
			size_short(mem, (uint64_t)bound->i));
	return value_short(mem, bound, SHORT);
}

static bool
in_bounds(const struct input *input, const struct value *v, struct arena *mem,
	struct diags *diags)
{
	if (!has_order(v))
		return true;
	if (input->least != NULL && order(v, input->least) < 0)
		diag_error(diags, value_mark(v), "'%s' is out of range: at least %s",
			input->name, bound_text(input, input->least, mem))
			->code = ERR_RANGE;
	else if (input->most != NULL && order(v, input->most) > 0)
		diag_error(diags, value_mark(v), "'%s' is out of range: at most %s",
			input->name, bound_text(input, input->most, mem))
			->code = ERR_RANGE;
	else
		return true;
	return false;
}

static bool
fits(const struct input *input, const struct value *v, struct arena *mem,
	struct diags *diags)
{
	const struct regex *regex;
	struct err err = {0};
	if (v->kind == V_STRING && strcmp(input->type, "hostname") == 0
		&& !text_is_hostname(v->str)) {
		diag_error(diags, value_mark(v), "'%s' takes a hostname, not %s",
			input->name, value_short(mem, v, SHORT));
		return false;
	}
	if (input->pattern == NULL || v->kind != V_STRING
		|| !regex_compile(mem, str_of(input->pattern), &regex, &err)
		|| regex_matches_whole(regex, v->str, &err))
		return true;
	diag_error(diags, value_mark(v), "'%s' does not match %s: %s", input->name,
		input->pattern, value_short(mem, v, SHORT));
	return false;
}

bool
input_judge(const struct input *input, const struct value *v, const char *folder,
	struct arena *mem, struct value *out, struct diags *diags)
{
	*out = *v;
	if (v->kind == V_UNKNOWN)
		return true;
	if (v->kind == V_NULL && input->otherwise != NULL
		&& input->otherwise->kind == V_NULL)
		return true;
	if (v->flags & VALUE_SECRET) {
		diag_error(diags, value_mark(v),
			"'%s' is an input, and inputs take no secret", input->name);
		return false;
	}
	struct field field = {
		.name = input->name, .type = field_of(input->type), .each = FIELD_DATA};
	return field_apply(&field, v, folder, mem, out, diags)
		&& is_one_of(input, out, mem, diags) && in_bounds(input, out, mem, diags)
		&& fits(input, out, mem, diags);
}

/* ---- what is given on the command line */

static bool
time_ago(struct str text, int64_t now_us, struct value *out)
{
	int64_t ns;
	struct err err;
	if (str_is(text, "now")) {
		*out = value_time_us(now_us);
		return true;
	}
	if (text.n < 2 || text.p[0] != '-'
		|| !duration_parse(str_from(text, 1), &ns, &err))
		return false;
	*out = value_time_us(now_us - ns / 1000);
	return true;
}

/* Where the value stands that a person typed: behind the name, if both are there. */
static struct mark
typed_mark(const struct input *input, const struct input_given *given, struct arena *mem)
{
	const struct source *source = given->at.source;
	if (source == NULL)
		source = source_new(mem, arena_printf(mem, "-i %s", input->name),
			str_copy(mem, given->text));
	size_t n = given->text.n, from = n <= source->text.n ? source->text.n - n : 0;
	return (struct mark){source, (uint32_t)from, (uint32_t)source->text.n};
}

static bool
typed_time(const struct input *input, struct str text, int64_t now_us, struct mark at,
	struct value *out, struct diags *diags)
{
	struct span span;
	struct err err;
	if (time_ago(text, now_us, out))
		return true;
	*out = value_str(text);
	if (time_parse(text, &span, &err))
		return true;
	err_hint(diag_error(diags, at, "'%s' takes a timestamp, not '%.*s'", input->name,
			 STR_FMT(text)),
		"a time with its zone, as 2026-01-19T13:00:00Z; or now; or -12m for that "
		"long ago");
	return false;
}

/* A text from -i: of a string type as it is, else as YAML writes it. */
static bool
text_value(const struct input *input, const struct input_given *given, int64_t now_us,
	struct arena *mem, struct value *out, struct diags *diags)
{
	enum field_type type = field_of(input->type);
	struct str text = str_copy(mem, given->text);
	struct mark at = typed_mark(input, given, mem);
	bool may_be_left_out =
		input->otherwise != NULL && input->otherwise->kind == V_NULL;
	if (may_be_left_out && str_is(text, "null")) {
		*out = value_null();
	} else if (type == FIELD_TIMESTAMP) {
		if (!typed_time(input, text, now_us, at, out, diags))
			return false;
	} else if (type == FIELD_LIST || type == FIELD_MAP) {
		char *name = arena_printf(mem, "-i %s", input->name);
		if (!yaml_parse(mem, source_new(mem, name, text), out, diags))
			return false;
		if (out->source != NULL)
			return true;
	} else {
		bool typed = type == FIELD_INT || type == FIELD_NUMBER
			|| type == FIELD_BOOL || type == FIELD_SIZE;
		*out = typed ? yaml_scalar(mem, text) : value_str(text);
	}
	out->source = at.source;
	out->from = at.from;
	out->to = at.to;
	return true;
}

static const struct input *
input_named(const struct playbook *book, struct str name)
{
	for (size_t i = 0; i < book->n_inputs; i++)
		if (str_is(name, book->inputs[i].name))
			return &book->inputs[i];
	return NULL;
}

static void
unknown_input(const struct playbook *book, const char *name, struct mark at,
	struct arena *mem, struct diags *diags)
{
	const char **names = arena_array(mem, const char *, book->n_inputs + 1);
	struct buf list = buf_in(mem);
	for (size_t i = 0; i < book->n_inputs; i++) {
		names[i] = book->inputs[i].name;
		buf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
	}
	const char *near = near_name(str_of(name), names);
	struct err *err = diag_error(diags, at, "'%s' has no input '%s'%s%s%s",
		book->name, name, near == NULL ? "" : ", did you mean '",
		near == NULL ? "" : near, near == NULL ? "" : "'?");
	err->code = ERR_UNKNOWN_NAME;
	if (near == NULL)
		err_hint(err, "%s%s", book->n_inputs == 0 ? "it takes none" : "it takes ",
			buf_cstr(&list));
}

static bool
given_value(const struct input *input, const struct input_given *given, size_t n,
	int64_t now_us, struct arena *mem, struct value *out, bool *found,
	struct diags *diags)
{
	for (size_t i = n; i > 0; i--) {              /* the last one counts */
		const struct input_given *g = &given[i - 1];
		if (strcmp(g->name, input->name) != 0)
			continue;
		*found = true;
		if (g->value == NULL)
			return text_value(input, g, now_us, mem, out, diags);
		*out = *g->value;
		if (g->value->kind == V_STRING
			&& field_of(input->type) == FIELD_TIMESTAMP)
			time_ago(g->value->str, now_us, out);
		return true;
	}
	return true;
}

bool
inputs_apply(const struct playbook *book, const struct input_given *given, size_t n,
	const struct expr_scope *scope, int64_t now_us, struct arena *mem,
	struct value *out, struct diags *diags)
{
	struct map_builder map = {.mem = mem};
	size_t errors = diags->errors;
	for (size_t i = 0; i < n; i++)
		if (input_named(book, str_of(given[i].name)) == NULL)
			unknown_input(book, given[i].name, given[i].at, mem, diags);
	for (size_t i = 0; i < book->n_inputs; i++) {
		const struct input *input = &book->inputs[i];
		struct value v = value_null(), judged;
		bool found = false;
		struct err err = {0};
		if (!given_value(input, given, n, now_us, mem, &v, &found, diags))
			continue;
		if (!found && input->otherwise == NULL) {
			err_hint(diag_error(diags, input->at,
					 "the input '%s' is needed%s%s", input->name,
					 input->help == NULL ? "" : ": ",
					 input->help == NULL ? "" : input->help),
				"give it: -i %s=…", input->name);
			continue;
		}
		if (!found
			&& !template_eval(
				input->otherwise_template, scope, mem, &v, &err)) {
			diag_add(diags, DIAG_ERROR, &err);
			continue;
		}
		if (input_judge(input, &v, book->folder, mem, &judged, diags))
			map_put(&map, input->name, judged);
	}
	*out = map_done(&map);
	return diags->errors == errors;
}
