#include "external.h"

#include <stdio.h>

enum { KEEP = 1024 * 1024 };

/* A type and the program behind it: a step finds it by its type. */
struct external {
	struct step_type type;                        /* first */
	const char *program;
};

static const struct { const char *word; enum field_type type; } kinds[] = {
	{"text", FIELD_TEXT}, {"int", FIELD_INT}, {"number", FIELD_NUMBER}, {"bool", FIELD_BOOL},
	{"duration", FIELD_DURATION}, {"size", FIELD_SIZE}, {"timestamp", FIELD_TIMESTAMP},
	{"path", FIELD_PATH}, {"url", FIELD_URL}, {"secret", FIELD_SECRET}, {"data", FIELD_DATA},
	{"list", FIELD_LIST}, {"map", FIELD_MAP},
};

/* ---- what it says of itself */

static bool
field_of(struct arena *mem, const struct member *member, struct field *out, struct err *err)
{
	struct str kind = value_get_str(&member->value, "type"), text;
	*out = (struct field){.name = str_cstr(mem, member->key.str), .type = FIELD_TEXT,
		.each = FIELD_DATA};
	size_t i = 0, n = sizeof kinds / sizeof *kinds;
	while (i < n && !str_is(kind, kinds[i].word))
		i++;
	if (i == n)
		return err_set(err, ERR_TYPE, "field '%s' has no type that is known: '%.*s'", out->name,
			STR_FMT(kind));
	out->type = kinds[i].type;
	out->flags = (value_get_bool(&member->value, "required", false) ? FIELD_REQUIRED : 0) |
		(value_get_bool(&member->value, "output", false) ? FIELD_OUTPUT : 0) |
		(value_get_bool(&member->value, "sensitive", false) ? FIELD_SENSITIVE : 0) |
		(value_get_bool(&member->value, "maybe", false) ? FIELD_MAYBE : 0);
	text = value_get_str(&member->value, "help");
	out->help = text.p == NULL ? "" : str_cstr(mem, text);
	text = value_get_str(&member->value, "default");
	out->otherwise = text.p == NULL ? NULL : str_cstr(mem, text);
	return true;
}

static const struct field *
fields_of(struct arena *mem, const struct value *map, struct err *err)
{
	size_t n = map == NULL || map->kind != V_MAP ? 0 : map->map->n;
	struct field *fields = arena_array(mem, struct field, n + 1);
	for (size_t i = 0; i < n; i++)
		if (!field_of(mem, &map->map->members[i], &fields[i], err))
			return NULL;
	return fields;
}

static bool
effect_of(struct str word, enum effect *out)
{
	static const char *const words[] = {"pure", "idempotent", "keyed", "probed", "once", "repeatable"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_is(word, words[i])) {
			*out = (enum effect)i;
			return true;
		}
	return false;
}

static bool
has_phase(const struct value *phases, const char *word)
{
	for (size_t i = 0; phases != NULL && phases->kind == V_LIST && i < phases->list.n; i++)
		if (phases->list.items[i].kind == V_STRING && str_is(phases->list.items[i].str, word))
			return true;
	return false;
}

static step_fn run, preview, probe, undo;

const struct step_type *
external_type(struct arena *mem, const char *name, const char *program, struct str described,
	struct err *err)
{
	struct value v;
	struct external *out = arena_new_of(mem, struct external);
	struct step_type *type = &out->type;
	if (!json_parse(mem, described, NULL, &v, err))
		return NULL;
	const struct value *phases = value_get(&v, "phases");
	struct str summary = value_get_str(&v, "summary"), timeout = value_get_str(&v, "timeout");
	out->program = program;
	*type = (struct step_type){.name = name, .run = run, .timeout = 10 * NS_MIN,
		.summary = summary.p == NULL ? "" : str_cstr(mem, summary),
		.version = (unsigned)value_get_int(&v, "version", 1)};
	if (value_get_int(&v, "v", 0) != 1) {
		err_set(err, ERR_VERSION, "it speaks another version of the protocol than 1");
		return NULL;
	}
	if (!effect_of(value_get_str(&v, "effect"), &type->effect)) {
		err_set(err, ERR_VALUE, "its effect is none of pure, idempotent, keyed, probed, once, repeatable");
		return NULL;
	}
	if (timeout.p != NULL && !duration_parse(timeout, &type->timeout, err))
		return NULL;
	type->is_check = type->effect == PURE;
	type->preview = has_phase(phases, "preview") ? preview : NULL;
	type->probe = has_phase(phases, "probe") ? probe : NULL;
	type->undo = has_phase(phases, "undo") ? undo : NULL;
	type->can_undo = type->undo != NULL;
	if (type->effect == PROBED && type->probe == NULL) {
		err_set(err, ERR_VALUE, "its effect is probed, but it has no phase probe");
		return NULL;
	}
	type->in = fields_of(mem, value_get(&v, "in"), err);
	type->out = type->in == NULL ? NULL : fields_of(mem, value_get(&v, "out"), err);
	return type->out == NULL ? NULL : type;
}

/* ---- one call */

static void
put(struct map_builder *map, const char *key, const struct value *v)
{
	if (v != NULL)
		map_put(map, key, *v);
}

static struct str
request(struct step *step)
{
	struct map_builder map = {.mem = step->mem};
	map_put(&map, "v", value_int(1));
	put(&map, "in", step->in);
	put(&map, "was", step->was);
	put(&map, "saved", step->saved);
	map_put(&map, "run", value_str(str_of(step->run)));
	map_put(&map, "path", value_str(str_of(step->path)));
	map_put(&map, "key", value_str(str_of(step->key)));
	map_put(&map, "attempt", value_int(step->attempt));
	map_put(&map, "drill", value_bool(step->drill));
	struct value v = map_done(&map);
	return str_of(json_text(step->mem, &v, JSON_COMPACT));
}

static enum verdict
call(struct step *step, const char *phase, bool reads)
{
	const struct external *external = (const struct external *)step->type;
	const char **argv = arena_array(step->mem, const char *, 3);
	argv[0] = external->program;
	argv[1] = phase;
	struct exec_ask ask = {.argv = argv, .env = step_child_env(step, NULL, NULL), .dir = step->folder,
		.in = request(step), .keep = KEEP};
	return step_exec(step, (struct how){.reads = reads, .title = step->type->name}, &ask);
}

/* One result in its final form, a duration as such, as expressions were told of it; one
 * that is sensitive carries the mark from here on. */
static bool
take(struct step *step, const struct field *field, struct value *v)
{
	struct diags diags = {.mem = step->mem};
	struct value given = *v;
	if (!field_apply(field, &given, step->folder, step->mem, v, &diags)) {
		step_fail(step, ERR_PROTOCOL, false, "%s gave '%s' otherwise than it says: %s",
			step->type->name, field->name,
			diags.first != NULL ? diags.first->err.msg : "wrong type");
		return false;
	}
	if (field->flags & FIELD_SENSITIVE)
		v->flags |= VALUE_SECRET;
	return true;
}

static bool
all_given(struct step *step, const struct value *out)
{
	const struct field *field;
	for (size_t i = 0; (field = field_at(step->type->out, i)) != NULL; i++) {
		if (field->flags & FIELD_MAYBE || value_get(out, field->name) != NULL)
			continue;
		step_fail(step, ERR_PROTOCOL, false,
			"%s gave no '%s', and does not say that it may be left out",
			step->type->name, field->name);
		return false;
	}
	return true;
}

static bool
take_all(struct step *step, const struct value *out, struct value *taken)
{
	struct map_builder map = {.mem = step->mem};
	for (size_t i = 0; out != NULL && out->kind == V_MAP && i < out->map->n; i++) {
		const struct member *member = &out->map->members[i];
		const struct field *field = field_find(step->type->out, member->key.str);
		struct value v = member->value;
		if (field != NULL && !take(step, field, &v))
			return false;
		map_put_str(&map, member->key.str, v);
	}
	*taken = map_done(&map);
	return true;
}

/* What it says is done may be: results that are none are no reason to do it again. */
static enum verdict
done(struct step *step, const struct value *out, bool previews)
{
	struct value taken;
	if (previews)
		return step_done(step, out == NULL ? value_map(step->mem, NULL, 0) : *out);
	if (!all_given(step, out) || !take_all(step, out, &taken))
		return STEP_PARTIAL;
	return step_done(step, taken);
}

static enum verdict
verdict_of(struct step *step, const struct value *answer, bool has_results)
{
	struct str word = value_get_str(answer, "verdict"), message = value_get_str(answer, "message");
	const struct value *out = value_get(answer, "out");
	struct value taken;
	if (str_is(word, "done"))
		return done(step, out, !has_results);
	if (take_all(step, out, &taken))
		step_done(step, taken);
	if (str_is(word, "absent"))
		return STEP_ABSENT;
	if (value_get_bool(answer, "unmet", false))
		step_unmet(step, "%.*s", STR_FMT(message));
	else
		step_fail(step, ERR_ANSWER, value_get_bool(answer, "transient", false), "%.*s", STR_FMT(message));
	if (str_is(word, "fail"))
		return STEP_FAIL;
	if (str_is(word, "partial"))
		return STEP_PARTIAL;
	if (!str_is(word, "doubt"))
		step_fail(step, ERR_PROTOCOL, false, "%s gave no verdict that is known: '%.*s'", step->type->name,
			STR_FMT(word));
	return STEP_DOUBT;
}

static enum verdict
judge(struct step *step, const struct exec_answer *answer, bool has_results)
{
	struct value v;
	struct err err;
	bool told = json_parse(step->mem, str_trim(answer->out), NULL, &v, &err);
	if (told && answer->signal == 0 && answer->code == 0)
		return verdict_of(step, &v, has_results);
	struct buf said = buf_in(step->mem);
	buf_safe(&said, str_trim(answer->err), false);
	if (answer->signal != 0 || answer->code != 0)
		step_fail(step, ERR_ANSWER, false, "%s ended with exit code %d: %.200s", step->type->name,
			answer->signal != 0 ? 128 + answer->signal : answer->code, buf_cstr(&said));
	else
		step_fail(step, ERR_PROTOCOL, false, "%s did not answer in JSON: %s", step->type->name, err.msg);
	return STEP_PARTIAL;
}

static enum verdict
drive(struct step *step, const struct event *event, const char *phase, bool reads)
{
	if (event->kind == EV_START)
		return call(step, phase, reads);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "ended before it was done");
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	/* Those of a run or a probe are the step's; a preview has its own form. */
	bool has_results = strcmp(phase, "run") == 0 || strcmp(phase, "probe") == 0;
	enum verdict verdict = judge(step, event->op->answer, has_results);
	return reads && verdict == STEP_PARTIAL ? STEP_FAIL : verdict;
}

static enum verdict
run(struct step *step, const struct event *event)
{
	return drive(step, event, "run", step->type->effect == PURE);
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	return drive(step, event, "preview", true);
}

static enum verdict
probe(struct step *step, const struct event *event)
{
	return drive(step, event, "probe", true);
}

static enum verdict
undo(struct step *step, const struct event *event)
{
	return drive(step, event, "undo", false);
}
