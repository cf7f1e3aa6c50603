#include "shared.h"

static const struct field question[] = {
	{.name = "type", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_WRITTEN,
	 .words = (const char *const[]){"string", "int", "number", "bool", "duration", "timestamp", "size",
	                                "hostname", "url", "path", NULL},
	 .help = "of the answer"},
	{.name = "enum", .type = FIELD_LIST, .each = FIELD_DATA, .flags = FIELD_WRITTEN,
	 .help = "the only answers"},
	{.name = "pattern", .type = FIELD_REGEX, .flags = FIELD_WRITTEN, .help = "for the whole answer"},
	{.name = "min", .type = FIELD_DATA, .flags = FIELD_WRITTEN, .help = "at least"},
	{.name = "max", .type = FIELD_DATA, .flags = FIELD_WRITTEN, .help = "at most"},
	{.name = "help", .type = FIELD_TEXT, .flags = FIELD_WRITTEN, .help = "shown with the question"},
	{.name = NULL},
};

static const struct field in_rows[] = {
	{.name = "text", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "instructions to a person"},
	{.name = "word", .type = FIELD_TEXT, .help = "must be typed; without it yes or no"},
	{.name = "ask", .type = FIELD_MAP, .each = FIELD_OBJECT, .fields = question, .flags = FIELD_WRITTEN,
	 .help = "questions; the answers are outputs"},
	{.name = "by", .type = FIELD_TEXT, .help = "a group that may answer"},
	{.name = "within", .type = FIELD_DURATION, .otherwise = "24h", .help = "no answer by then fails"},
	{.name = NULL},
};

static const struct field out_rows[] = {
	{.name = NULL},
};

/* A text as YAML would read it without quotes. */
static struct value
plain_value(struct arena *mem, struct str text)
{
	struct value v;
	struct err err;
	if (json_parse(mem, text, NULL, &v, &err) && v.kind <= V_DOUBLE && v.kind != V_NULL)
		return v;
	return value_str(text);
}

static enum field_type
type_of(struct str name)
{
	static const struct { const char *name; enum field_type type; } types[] = {
		{"int", FIELD_INT}, {"number", FIELD_NUMBER}, {"bool", FIELD_BOOL}, {"duration", FIELD_DURATION},
		{"timestamp", FIELD_TIMESTAMP}, {"size", FIELD_SIZE}, {"url", FIELD_URL}, {"path", FIELD_PATH},
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_is(name, types[i].name))
			return types[i].type;
	return FIELD_TEXT;
}

static bool
is_among(const struct value *words, const struct value *v)
{
	if (words == NULL || words->kind != V_LIST)
		return true;
	for (size_t i = 0; i < words->list.n; i++)
		if (value_equal(&words->list.items[i], v))
			return true;
	return false;
}

static const char *
expected(struct arena *mem, const struct value *asked)
{
	struct buf out = buf_in(mem);
	static const char *const rules[] = {"pattern", "min", "max", "enum"};
	static const char *const words[] = {" that matches ", ", at least ", ", at most ", ", one of "};
	buf_add(&out, value_get_str(asked, "type"));
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		const struct value *v = value_get(asked, rules[i]);
		if (v != NULL)
			buf_printf(&out, "%s%s", words[i], json_text(mem, v, JSON_COMPACT));
	}
	return buf_cstr(&out);
}

/* Answers come as text, from a terminal or a command line: judged as an argument of that type would be. */
static bool
answer_of(struct arena *mem, const char *name, const struct value *asked, const struct value *given,
	struct value *out, struct err *err)
{
	struct diags diags = {.mem = mem};
	struct str pattern = value_get_str(asked, "pattern");
	struct field field = {.name = name, .type = type_of(value_get_str(asked, "type")),
		.pattern = pattern.p == NULL ? NULL : str_cstr(mem, pattern),
		.least = value_get_int(asked, "min", 0), .most = value_get_int(asked, "max", 0)};
	if (value_get(asked, "min") != NULL && value_get(asked, "max") == NULL)
		field.most = INT64_MAX;
	if (given == NULL)
		return err_set(err, ERR_VALUE, "nobody answered '%s'", name);
	struct value v = *given;
	v.flags |= VALUE_PLAIN;
	if (v.kind == V_STRING && field.type != FIELD_TEXT)
		v = plain_value(mem, v.str);
	if (!field_apply(&field, &v, NULL, mem, out, &diags)) {
		*err = diags.first->err;
		return false;
	}
	if (is_among(value_get(asked, "enum"), out))
		return true;
	return err_set(err, ERR_VALUE, "the answer to '%s' is none of those that may be given", name);
}

static bool
no_such_question(const struct value *ask, const struct member *given, struct err *err)
{
	err_set(err, ERR_UNKNOWN_NAME, "it does not ask for '%.*s'", STR_FMT(given->key.str));
	if (ask == NULL || ask->map->n == 0)
		return err_hint(err, "it only asks whether it was done");
	return err_hint(err, "it asks for %.*s%s", STR_FMT(ask->map->members[0].key.str),
		ask->map->n > 1 ? " and others" : "");
}

static bool
answers(struct arena *mem, const struct value *in, const struct value *given, struct value *out,
	struct err *err)
{
	const struct value *ask = value_get(in, "ask");
	struct map_builder map = {.mem = mem};
	for (size_t i = 0; ask != NULL && i < ask->map->n; i++) {
		const struct member *member = &ask->map->members[i];
		const char *name = str_cstr(mem, member->key.str);
		struct value v;
		if (!answer_of(mem, name, &member->value, value_get(given, name), &v, err))
			return err_hint(err, "--answer %s=…: %s", name, expected(mem, &member->value));
		map_put(&map, name, v);
	}
	for (size_t i = 0; given != NULL && i < given->map->n; i++)
		if (ask == NULL || map_at(ask->map, given->map->members[i].key.str) == NULL)
			return no_such_question(ask, &given->map->members[i], err);
	*out = map_done(&map);
	return true;
}

/* The engine has asked, and somebody has said that it is done: what was answered is the result. */
static enum verdict
run(struct step *step, const struct event *event)
{
	struct value out;
	(void)event;
	if (!answers(step->mem, step->in, step->got, &out, step->err))
		return STEP_FAIL;
	return step_done(step, out);
}

const struct step_type manual_type = {
	.name = "manual",
	.summary = "have a person do something",
	.version = 1,
	.in = in_rows,
	.out = out_rows,
	.effect = REPEATABLE,
	.asks = true,
	.answers = answers,
	.run = run,
};
