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

/* Answers come as text, from a terminal or a command line: judged as an argument of that type would be. */
static bool
answer_of(struct step *step, const char *name, const struct value *asked, struct value *out)
{
	const struct value *given = value_get(step->got, name);
	struct diags diags = {.mem = step->mem};
	struct str pattern = value_get_str(asked, "pattern");
	struct field field = {.name = name, .type = type_of(value_get_str(asked, "type")),
		.pattern = pattern.p == NULL ? NULL : str_cstr(step->mem, pattern),
		.least = value_get_int(asked, "min", 0), .most = value_get_int(asked, "max", 0)};
	if (value_get(asked, "min") != NULL && value_get(asked, "max") == NULL)
		field.most = INT64_MAX;
	if (given == NULL)
		return err_set(step->err, ERR_VALUE, "nobody answered '%s'", name);
	struct value v = *given;
	v.flags |= VALUE_PLAIN;
	if (v.kind == V_STRING && field.type != FIELD_TEXT)
		v = plain_value(step->mem, v.str);
	if (!field_apply(&field, &v, step->folder, step->mem, out, &diags)) {
		*step->err = diags.first->err;
		return false;
	}
	if (is_among(value_get(asked, "enum"), out))
		return true;
	return err_set(step->err, ERR_VALUE, "the answer to '%s' is none of those that may be given", name);
}

/* The engine has asked, and somebody has said that it is done: what was answered is the result. */
static enum verdict
run(struct step *step, const struct event *event)
{
	const struct value *ask = value_get(step->in, "ask");
	struct map_builder out = {.mem = step->mem};
	(void)event;
	for (size_t i = 0; ask != NULL && i < ask->map->n; i++) {
		const struct member *member = &ask->map->members[i];
		const char *name = str_cstr(step->mem, member->key.str);
		struct value v;
		if (!answer_of(step, name, &member->value, &v)) {
			err_hint(step->err, "rbx approve %s %s --answer %s=…", step->run, step->path, name);
			return STEP_FAIL;
		}
		map_put(&out, name, v);
	}
	return step_done(step, map_done(&out));
}

const struct step_type manual_type = {
	.name = "manual",
	.summary = "have a person do something",
	.version = 1,
	.in = in_rows,
	.out = out_rows,
	.effect = REPEATABLE,
	.asks = true,
	.run = run,
};
