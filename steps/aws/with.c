#include "../steps/aws/with.h"

struct checking {
	struct service *service;
	const char *call; /* "rds.DescribeDBInstances": for messages */
	const char *payload; /* the member that is the whole body; NULL */
	struct diags *diags;
	bool wrong;
};

enum { DEPTH = 32, LEAST_WORDS = 6 };

static void
look(struct checking *c, const struct shape_ref *ref, const struct value *v,
	const char *path, unsigned depth);

static struct arena *
mem_of(const struct checking *c)
{
	return c->diags->mem;
}

static struct err *
wrong(struct checking *c, const struct value *v, const char *path, const char *wants)
{
	c->wrong = true;
	return diag_error(c->diags, value_mark(v), "'%s' of %s takes %s, not %s%s%s", path,
		c->call, wants, kind_name(v->kind), v->kind == V_STRING ? " " : "",
		v->kind == V_STRING ? value_short(mem_of(c), v, 40) : "");
}

static const char *
article_of(const struct shape *shape)
{
	static const char *const words[] = {
		[SHAPE_STRUCTURE] = "a map",
		[SHAPE_LIST] = "a list",
		[SHAPE_MAP] = "a map",
		[SHAPE_TEXT] = "text",
		[SHAPE_INT] = "an integer",
		[SHAPE_FLOAT] = "a number",
		[SHAPE_BOOL] = "true or false",
		[SHAPE_TIME] = "a time, as 2026-01-19T13:00:00Z",
		[SHAPE_BLOB] = "text or bytes",
	};
	return words[shape->kind];
}

/* ---- sizes, words, patterns */

static double
number_of(const struct value *v)
{
	return v->kind == V_INT	  ? (double)v->i
		: v->kind == V_UINT ? (double)v->u
				    : v->d;
}

static bool
is_number(const struct value *v)
{
	return v != NULL && (v->kind == V_INT || v->kind == V_UINT || v->kind == V_DOUBLE);
}

static void
in_range(struct checking *c, const struct shape *shape, const struct value *v,
	const char *path, double n, const char *what)
{
	bool low = is_number(shape->least) && n < number_of(shape->least),
	     high = is_number(shape->most) && n > number_of(shape->most);
	if (!low && !high)
		return;
	c->wrong = true;
	diag_error(c->diags, value_mark(v), "'%s' of %s: %s must be at %s %s, not %.15g", path,
		c->call, what, low ? "least" : "most",
		value_short(mem_of(c), low ? shape->least : shape->most, 30), n);
}

/* The nearest word; or all of them, where they are few. */
static void
hint_words(struct checking *c, struct err *err, const struct shape *shape, struct str text)
{
	size_t n = shape->words->list.n;
	const char **names = arena_array(mem_of(c), const char *, n + 1);
	struct buf all = buf_in(mem_of(c));
	for (size_t i = 0; i < n; i++) {
		names[i] = str_cstr(mem_of(c), shape->words->list.items[i].str);
		buf_printf(&all, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	const char *near = near_name(text, names);
	if (near != NULL)
		err_hint(err, "did you mean '%s'?", near);
	else if (n <= LEAST_WORDS)
		err_hint(err, "it knows %s", buf_cstr(&all));
}

static void
text_fits(struct checking *c, const struct shape *shape, const struct value *v,
	const char *path)
{
	struct str text = v->str;
	struct err ignored;
	const struct regex *regex;
	bool known = shape->words == NULL;
	in_range(c, shape, v, path, (double)str_runes(text), "its length");
	for (size_t i = 0; !known && i < shape->words->list.n; i++)
		known = str_eq(shape->words->list.items[i].str, text);
	if (!known)
		hint_words(c, diag_warning(c->diags, value_mark(v),
				      "the model knows no '%.*s' for '%s' of %s",
				      STR_FMT(text), path, c->call),
			shape, text);
	if (shape->pattern != NULL
		&& regex_compile(mem_of(c), str_of(shape->pattern), &regex, &ignored)
		&& !regex_find(regex, text, 0, NULL, 0, &ignored)
		&& ignored.code == ERR_NONE)
		diag_warning(c->diags, value_mark(v),
			"'%s' of %s does not look as the model wants it: %s", path,
			c->call, shape->pattern);
}

/* ---- kinds */

static bool
is_scalar_text(const struct value *v)
{
	return v->kind == V_STRING || is_number(v) || v->kind == V_BOOL
		|| v->kind == V_TIMESTAMP;
}

static bool
is_time(const struct value *v)
{
	struct span ignored;
	struct err err;
	return v->kind == V_TIMESTAMP || is_number(v)
		|| (v->kind == V_STRING && time_parse(v->str, &ignored, &err));
}

static bool
is_of_kind(const struct shape *shape, const struct value *v, bool is_payload)
{
	switch (shape->kind) {
	case SHAPE_STRUCTURE: return v->kind == V_MAP;
	case SHAPE_LIST: return v->kind == V_LIST;
	case SHAPE_MAP: return v->kind == V_MAP;
	case SHAPE_TEXT: return is_scalar_text(v) || is_payload;
	case SHAPE_INT: return v->kind == V_INT || v->kind == V_UINT;
	case SHAPE_FLOAT: return is_number(v);
	case SHAPE_BOOL: return v->kind == V_BOOL;
	case SHAPE_TIME: return is_time(v);
	case SHAPE_BLOB: return v->kind == V_STRING || v->kind == V_BYTES || is_payload;
	}
	return true;
}

static const char *
below(struct checking *c, const char *path, const char *name)
{
	return path[0] == '\0' ? name : arena_printf(mem_of(c), "%s.%s", path, name);
}

static const char *const *
names_of(struct checking *c, const struct shape *shape)
{
	const char **names = arena_array(mem_of(c), const char *, shape->n_members + 1);
	for (size_t i = 0; i < shape->n_members; i++)
		names[i] = shape->members[i].name;
	return names;
}

static void
unknown_member(struct checking *c, const struct shape *shape, const struct value *key,
	const char *path)
{
	const char *near = near_name(key->str, names_of(c, shape));
	c->wrong = true;
	diag_error(c->diags, value_mark(key), "unknown member '%.*s' of %s%s%s%s%s%s",
		STR_FMT(key->str), c->call, path[0] == '\0' ? "" : " in ", path,
		near == NULL ? "" : ", did you mean '", near == NULL ? "" : near,
		near == NULL ? "" : "'?");
}

static void
required_members(struct checking *c, const struct shape *shape, const struct value *v,
	struct mark at, const char *path)
{
	for (size_t i = 0; i < shape->n_members; i++) {
		const struct shape_ref *ref = &shape->members[i];
		if (!(ref->traits & TRAIT_REQUIRED) || ref->traits & TRAIT_TOKEN
			|| (v != NULL && map_at(v->map, str_of(ref->name)) != NULL))
			continue;
		c->wrong = true;
		diag_error(c->diags, at, "%s needs '%s'", c->call,
			below(c, path, ref->name));
	}
}

static void
structure(struct checking *c, const struct shape *shape, const struct value *v,
	const char *path, unsigned depth)
{
	for (size_t i = 0; i < v->map->n; i++) {
		const struct member *m = &v->map->members[i];
		const struct shape_ref *ref =
			m->key.kind == V_STRING ? shape_find(shape, m->key.str) : NULL;
		if (ref == NULL)
			unknown_member(c, shape, &m->key, path);
		else
			look(c, ref, &m->value, below(c, path, ref->name), depth + 1);
	}
	required_members(c, shape, v, value_mark(v), path);
	if (shape->traits & TRAIT_UNION && v->map->n != 1) {
		c->wrong = true;
		diag_error(c->diags, value_mark(v),
			"'%s' of %s takes exactly one of its members", path, c->call);
	}
}

static void
look_inside(struct checking *c, const struct shape *shape, const struct value *v,
	const char *path, unsigned depth)
{
	if (shape->kind == SHAPE_STRUCTURE)
		structure(c, shape, v, path, depth);
	else if (shape->kind == SHAPE_LIST) {
		in_range(c, shape, v, path, (double)v->list.n, "the number of items");
		for (size_t i = 0; i < v->list.n; i++)
			look(c, &shape->item, &v->list.items[i],
				arena_printf(mem_of(c), "%s[%zu]", path, i), depth + 1);
	} else if (shape->kind == SHAPE_MAP) {
		in_range(c, shape, v, path, (double)v->map->n, "the number of members");
		for (size_t i = 0; i < v->map->n; i++)
			look(c, &shape->value, &v->map->members[i].value,
				below(c, path,
					str_cstr(mem_of(c), v->map->members[i].key.str)),
				depth + 1);
	} else if (shape->kind == SHAPE_TEXT && v->kind == V_STRING
		   && !(v->flags & VALUE_SECRET))
		text_fits(c, shape, v, path);
	else if ((shape->kind == SHAPE_INT || shape->kind == SHAPE_FLOAT) && is_number(v))
		in_range(c, shape, v, path, number_of(v), "it");
}

static void
look(struct checking *c, const struct shape_ref *ref, const struct value *v,
	const char *path, unsigned depth)
{
	const struct shape *shape = service_shape(c->service, ref->shape);
	if (shape == NULL || v->kind == V_UNKNOWN || depth > DEPTH
		|| ref_traits(ref, shape) & (TRAIT_DOCUMENT | TRAIT_JSON_TEXT))
		return;
	/* A body of blob or text takes data, which is written as JSON. */
	bool is_payload = depth == 1 && c->payload != NULL
		&& strcmp(c->payload, ref->name) == 0;
	if (is_of_kind(shape, v, is_payload && v->kind != V_NULL))
		look_inside(c, shape, v, path, depth);
	else
		wrong(c, v, path, article_of(shape));
}

bool
with_judge(struct service *service, const struct operation *operation,
	const struct value *with, struct mark at, struct diags *diags)
{
	struct checking c = {.service = service,
		.diags = diags,
		.call = arena_printf(
			diags->mem, "%s.%s", service->name, operation->name)};
	const struct shape *input = service_shape(service, operation->input.shape);
	if (input != NULL)
		c.payload = input->payload;
	if (operation->deprecated)
		diag_warning(diags, at, "AWS calls %s deprecated", c.call);
	if (with != NULL && with->kind != V_MAP)
		return true;
	if (input == NULL && with != NULL && with->map->n > 0) {
		diag_error(diags, value_mark(with), "%s takes nothing", c.call);
		return false;
	}
	if (input != NULL && with == NULL)
		required_members(&c, input, NULL, at, "");
	else if (input != NULL)
		structure(&c, input, with, "", 0);
	return !c.wrong;
}

/* ---- the name of the call */

static void
unknown(struct diags *diags, const struct value *call, const char *what, struct str name,
	const char *const *names)
{
	const char *near = near_name(name, names);
	struct err *err = diag_error(diags, value_mark(call), "%s '%.*s'%s%s%s", what,
		STR_FMT(name), near == NULL ? "" : ", did you mean '",
		near == NULL ? "" : near, near == NULL ? "" : "'?");
	err_hint(err, "rbx aws lists services and their operations");
}

const struct operation *
with_call(struct model *model, const struct value *call, struct service **service,
	struct diags *diags)
{
	struct str operation, name = str_cut(call->str, '.', &operation);
	*service = NULL;
	if (model_err(model) != NULL) {
		diag_error(diags, value_mark(call), "%s", model_err(model)->msg);
		return NULL;
	}
	*service = model_service(model, name);
	if (*service == NULL) {
		unknown(diags, call, "AWS has no service", name, model_services(model));
		return NULL;
	}
	const struct operation *found = service_operation(*service, operation);
	if (found == NULL)
		unknown(diags, call,
			arena_printf(diags->mem, "%s has no operation", (*service)->name),
			operation, service_operations(*service));
	return found;
}
