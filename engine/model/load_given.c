/* What a run is given and makes of it: inputs, secrets, vars. */
#include "model/load.h"

#include "data/regex.h"

/* ---- inputs */

static bool
judge_bound(struct book_load *b, const struct input *input, const struct value *map,
	const char *name, const struct value **out)
{
	const struct value *v = value_get(map, name);
	struct input bare = {.name = name, .type = input->type};
	struct value *judged = arena_new_of(b->all->mem, struct value);
	if (v == NULL)
		return true;
	static const char *const ordered[] = {
		"int", "number", "duration", "timestamp", "size"};
	bool has_order = false;
	for (size_t i = 0; i < 5; i++)
		has_order |= strcmp(input->type, ordered[i]) == 0;
	if (!has_order) {
		diag_error(b->diags, value_mark(v),
			"'%s' is for numbers and times, not for type %s", name,
			input->type);
		return false;
	}
	*out = judged;
	return input_judge(&bare, v, b->file->folder, b->all->mem, judged, b->diags);
}

static bool
judge_words(struct book_load *b, struct input *input, const struct value *list)
{
	struct input bare = {.name = input->name, .type = input->type};
	struct value *items, *words = arena_new_of(b->all->mem, struct value);
	bool good = true;
	if (list == NULL)
		return true;
	items = arena_array(b->all->mem, struct value, list->list.n + 1);
	for (size_t i = 0; i < list->list.n; i++)
		good &= input_judge(&bare, &list->list.items[i], b->file->folder,
			b->all->mem, &items[i], b->diags);
	*words = value_list(items, list->list.n);
	input->words = words;
	if (list->list.n == 0)
		diag_error(b->diags, value_mark(list), "'enum' is empty");
	return good;
}

static void
judge_default(struct book_load *b, struct input *input)
{
	struct scope scope;
	struct value constant = constant_part(b->all->scratch, input->otherwise), judged;
	scope_of_book(&scope, b, 0);
	static const enum root only_run[] = {
		ROOT_INPUTS, ROOT_OBJECTIVES, ROOT_VARS, ROOT_NOW};
	for (size_t i = 0; i < 4; i++)
		scope.roots[only_run[i]].name = "";
	if (!input_judge(input, &constant, b->file->folder, b->all->scratch, &judged,
		    b->diags))
		return;
	if (strcmp(input->type, "run") != 0 || input->otherwise->kind != V_STRING)
		input->otherwise_template =
			text_read(&scope, input->otherwise, TEMPLATE_NO_SECRET);
	else
		input->otherwise_template = text_read(
			&scope, input->otherwise, TEMPLATE_TEXT | TEMPLATE_NO_SECRET);
}

static void
read_input(struct book_load *b, const struct member *m, struct input *input)
{
	struct arena *mem = b->all->mem;
	const struct value *v = &m->value, *pattern = value_get(v, "pattern");
	*input = (struct input){.name = str_cstr(mem, m->key.str),
		.at = value_mark(&m->key),
		.type = "string"};
	struct str type = value_get_str(v, "type"), help = value_get_str(v, "help"),
		   of = value_get_str(v, "of");
	for (size_t i = 0; input_types[i] != NULL; i++)
		if (str_is(type, input_types[i]))
			input->type = input_types[i];
	input->help = help.p == NULL ? NULL : str_cstr(mem, help);
	input->of = of.p == NULL ? NULL : str_cstr(mem, of);
	input->pattern = pattern == NULL || pattern->kind != V_STRING
		? NULL
		: str_cstr(mem, pattern->str);
	bool is_run = strcmp(input->type, "run") == 0;
	if (is_run && of.p == NULL)
		err_hint(diag_error(
				 b->diags, input->at, "an input of type run needs 'of'"),
			"of: NAME of the playbook");
	if (!is_run && of.p != NULL)
		diag_error(b->diags, value_mark(value_get(v, "of")),
			"'of' is for inputs of type run");
	const struct value *words = value_get(v, "enum");
	judge_bound(b, input, v, "min", &input->least);
	judge_bound(b, input, v, "max", &input->most);
	if (words != NULL && words->kind == V_LIST)
		judge_words(b, input, words);
	input->otherwise = value_get(v, "default");
	if (input->otherwise != NULL)
		judge_default(b, input);
}

void
inputs_read(struct book_load *b)
{
	const struct value *map = value_get(&b->top, "inputs");
	struct member_types *types = member_types_of(b->all, map);
	size_t n = types->map->map->n;
	struct input *inputs = arena_array(b->all->mem, struct input, n + 1);
	b->types[ROOT_INPUTS] = &types->type;
	for (size_t i = 0; i < n; i++) {
		const struct member *m = &types->map->map->members[i];
		types->members[i].type = &expr_dyn;
		if (m->value.kind != V_MAP || !name_judge(b, &m->key)) {
			inputs[i] =
				(struct input){.name = str_cstr(b->all->mem, m->key.str),
					.type = "string",
					.at = value_mark(&m->key)};
			continue;
		}
		read_input(b, m, &inputs[i]);
		types->members[i].type = input_type(&inputs[i]);
	}
	types->known = n;
	b->book->inputs = inputs;
	b->book->n_inputs = n;
}

/* ---- secrets */

/* A source of its own: text or a list. */
static bool
plain_source(struct book_load *b, const struct value *map, struct secret_ref *ref)
{
	static const char *const names[] = {"env", "file", "command"};
	struct scope scope;
	for (enum secret_source s = SECRET_ENV; s < SECRET_PROVIDED; s++) {
		const struct value *v = value_get(map, names[s]);
		if (v == NULL)
			continue;
		scope_of_book(&scope, b, 0);
		ref->source = s;
		ref->from = field_read(
			&scope, &scope, field_find(secret_keys, str_of(names[s])), v);
		return true;
	}
	return false;
}

/* What the source takes: its own, and what `defaults` gives. */
static struct value
source_args(struct book_load *b, const struct provider *provider, const struct value *map)
{
	struct member *members =
		arena_array(b->all->mem, struct member, map->map->n + 1);
	size_t n = 0;
	for (size_t i = 0; i < map->map->n; i++)
		if (field_find(provider->in, map->map->members[i].key.str) != NULL)
			members[n++] = map->map->members[i];
	struct value args = value_map(b->all->mem, members, n);
	args.source = map->source;
	args.from = map->from;
	args.to = map->to;
	args_defaults(b, provider->in, provider->name, &args);
	return args;
}

static void
provided_source(struct book_load *b, const struct value *map, struct secret_ref *ref)
{
	struct scope scope;
	struct value args = source_args(b, ref->provider, map), in;
	struct value constant = constant_part(b->all->scratch, &args);
	struct field_use use = {.of = ref->provider->name,
		.folder = b->file->folder,
		.at = ref->at,
		.mem = b->all->scratch,
		.diags = b->diags};
	ref->source = SECRET_PROVIDED;
	if (fields_judge(&use, ref->provider->in, &constant, &in))
		region_judge(b, &in);
	scope_of_book(&scope, b, 0);
	ref->from = fields_read(&scope, &scope, ref->provider->in, &args);
}

/* Keys that do not go with the source. */
static void
judge_keys(struct book_load *b, const struct value *map, const struct secret_ref *ref)
{
	static const char *const plain[] = {"env", "file", "command", "field", "max_age"};
	for (size_t i = 0; i < map->map->n; i++) {
		const struct value *key = &map->map->members[i].key;
		bool good = ref->provider != NULL
			&& field_find(ref->provider->in, key->str) != NULL;
		for (size_t j = 0; j < sizeof plain / sizeof plain[0]; j++)
			good |= str_is(key->str, plain[j]);
		if (!good)
			diag_error(b->diags, value_mark(key),
				"'%.*s' does not go with this source of a secret",
				STR_FMT(key->str));
	}
}

static void
read_secret(struct book_load *b, const struct member *m, struct secret_ref *ref)
{
	const struct step_type *const *types = b->all->loader->types;
	const struct value *map = &m->value, *max_age = value_get(map, "max_age");
	struct str field = value_get_str(map, "field");
	ref->field = field.p == NULL ? NULL : str_cstr(b->all->mem, field);
	if (!plain_source(b, map, ref))
		for (size_t i = 0; i < map->map->n && ref->provider == NULL; i++)
			ref->provider = secret_source_find(
				types, map->map->members[i].key.str);
	if (ref->provider != NULL)
		provided_source(b, map, ref);
	if (max_age != NULL && max_age->kind == V_DURATION)
		ref->max_age = span_ns(max_age->span);
	if (max_age != NULL && ref->source != SECRET_COMMAND)
		diag_error(b->diags, value_mark(max_age),
			"'max_age' is for secrets that a command gives");
	if (ref->provider != NULL || ref->from != NULL)
		judge_keys(b, map, ref);
}

void
secrets_read(struct book_load *b)
{
	const struct value *map = value_get(&b->top, "secrets");
	struct member_types *types = member_types_of(b->all, map);
	size_t n = types->map->map->n;
	struct secret_ref *refs = arena_array(b->all->mem, struct secret_ref, n + 1);
	b->types[ROOT_SECRETS] = &types->type;
	types->known = n;
	for (size_t i = 0; i < n; i++) {
		const struct member *m = &types->map->map->members[i];
		types->members[i] =
			(struct expr_member){.type = &expr_string, .secret = true};
		refs[i] = (struct secret_ref){.name = str_cstr(b->all->mem, m->key.str),
			.at = value_mark(&m->key)};
		if (name_judge(b, &m->key) && m->value.kind == V_MAP)
			read_secret(b, m, &refs[i]);
	}
	b->book->secrets = refs;
	b->book->n_secrets = n;
}

/* ---- vars */

void
vars_read(struct book_load *b)
{
	const struct value *map = value_get(&b->top, "vars");
	struct member_types *types = member_types_of(b->all, map);
	size_t n = types->map->map->n;
	struct named_template *vars =
		arena_array(b->all->mem, struct named_template, n + 1);
	struct scope scope;
	b->types[ROOT_VARS] = &types->type;
	scope_of_book(&scope, b, 0);
	for (size_t i = 0; i < n; i++) {
		const struct member *m = &types->map->map->members[i];
		name_judge(b, &m->key);
		vars[i] = (struct named_template){
			.name = str_cstr(b->all->mem, m->key.str),
			.at = value_mark(&m->key),
			.value = text_read(&scope, &m->value, TEMPLATE_NO_SECRET)};
		types->members[i].type =
			vars[i].value == NULL ? &expr_dyn : template_type(vars[i].value);
		types->known = i + 1;
	}
	b->book->vars = vars;
	b->book->n_vars = n;
}
