/* Drafts with one thing wrong: a misspelt key, a map where a scalar stood, an id that
 * stands above already, a key of a step among its arguments, another name in an
 * expression. Each must be refused with an error on the very line, unless the place takes
 * any name or any value. */
#include "../unit.h"

#include <glob.h>

#include "data/yaml.h"
#include "load.h"

enum { STRIDE = 5 }; /* of all places; RBX_MUTATIONS=all: each */

struct mutant {
	struct loader loader;
	const char *path;
	struct str text;
	struct arena *mem;
};

struct place {
	struct mark key, value;
	bool free_key, free_value;
	bool is_id;
	struct mark first; /* of a type: where its arguments begin; from 0: it is none */
};

struct places {
	struct arena *mem;
	struct place *all;
	size_t n, cap;
};

static bool
is_one_of(struct str name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (str_is(name, *list))
			return true;
	return false;
}

/* Below these stand names and values of the author's own. */
static const char *const any_names[] = {
	"vars",
	"with",
	"json",
	"env",
	"headers",
	"form",
	"metadata",
	"body",
	"query",
	"outputs",
	"measures",
	"objectives",
	"ask",
	"files",
	"params",
	NULL,
};
static const char *const any_values[] = {"default", "min", "max", "enum", "in", NULL};

static bool
is_type(struct str name)
{
	for (const struct step_type *const *it = step_types; *it != NULL; it++)
		if (str_is(name, (*it)->name))
			return true;
	return false;
}

static struct mark
first_of(const struct member *m)
{
	bool is = is_type(m->key.str) && m->value.kind == V_MAP && m->value.map->n > 0;
	struct mark at = is ? value_mark(&m->value.map->members[0].key) : (struct mark){0};
	at.to = at.from;
	return at;
}

static void
collect(struct places *places, const struct value *v, bool free_names, bool own_names)
{
	for (size_t i = 0; v->kind == V_LIST && i < v->list.n; i++)
		collect(places, &v->list.items[i], free_names, false);
	for (size_t i = 0; v->kind == V_MAP && i < v->map->n; i++) {
		const struct member *m = &v->map->members[i];
		bool below = free_names || is_one_of(m->key.str, any_names);
		if (places->n == places->cap) {
			size_t cap = places->cap == 0 ? 64 : places->cap * 2;
			struct place *more = arena_array(places->mem, struct place, cap);
			if (places->n > 0)
				memcpy(more, places->all, places->n * sizeof *more);
			places->all = more;
			places->cap = cap;
		}
		bool scalar = m->value.kind != V_LIST && m->value.kind != V_MAP;
		places->all[places->n++] = (struct place){value_mark(&m->key),
			value_mark(&m->value), free_names || own_names,
			below || own_names || !scalar
				|| is_one_of(m->key.str, any_values),
			str_is(m->key.str, "id") && scalar && !below,
			below || own_names ? (struct mark){0} : first_of(m)};
		bool names_next = str_is(m->key.str, "inputs")
			|| str_is(m->key.str, "secrets")
			|| str_is(m->key.str, "defaults");
		collect(places, &m->value, below, names_next);
	}
}

static bool
mutant_read(const struct loader *loader, const char *path, struct str *bytes,
	char **full_path, struct err *err)
{
	const struct mutant *mutant = loader->with;
	struct loader plain = {.with = mutant->mem};
	if (!plain_read(&plain, path, bytes, full_path, err))
		return false;
	if (strcmp(path, mutant->path) == 0)
		*bytes = mutant->text;
	return true;
}

/* Whether the text with [from, to) replaced is refused on the line of `from`. */
static bool
is_refused(const char *path, struct str text, struct mark at, const char *by,
	struct buf *said)
{
	struct arena *mem = arena_new();
	struct buf changed = buf_in(mem);
	buf_add(&changed, (struct str){text.p, at.from});
	buf_puts(&changed, by);
	buf_add(&changed, str_from(text, at.to));
	struct mutant mutant = {.path = path, .text = buf_str(&changed), .mem = mem};
	mutant.loader = (struct loader){
		.read = mutant_read, .types = step_types, .with = &mutant};
	struct diags diags = {.mem = mem};
	uint32_t line, column, want;
	bool found = false;
	mark_place(at, &want, &column);
	playbook_load(mem, path, &mutant.loader, &diags);
	for (const struct diag *d = diags.first; d != NULL; d = d->next) {
		mark_place(d->err.at, &line, &column);
		bool here = d->err.at.source != NULL
			&& strcmp(d->err.at.source->name, path) == 0;
		found |= d->level == DIAG_ERROR && here && line == want;
	}
	diags_print(said, &diags, false);
	arena_free(mem);
	return found;
}

struct draft {
	struct arena *mem;
	const char *path;
	struct str text;
	const struct source *source;
	struct places places;
	size_t seen, tried;
};

/* Every STRIDEth is tried. */
static void
try(struct draft *draft, struct mark at, const char *by)
{
	struct buf said = buf_in(draft->mem);
	uint32_t line, column;
	if (getenv("RBX_MUTATIONS") == NULL && draft->seen++ % STRIDE != 0)
		return;
	draft->tried++;
	if (is_refused(draft->path, draft->text, at, by, &said))
		return;
	mark_place(at, &line, &column);
	fail_msg("%s:%u:%u: '%.*s' as %s is not refused there:\n%s", draft->path, line,
		column, (int)(at.to - at.from), draft->text.p + at.from, by,
		buf_cstr(&said));
}

static void
try_keys_and_values(struct draft *draft)
{
	for (size_t i = 0; i < draft->places.n; i++) {
		const struct place *place = &draft->places.all[i];
		if (!place->free_key)
			try(draft, place->key, "qqzz");
		if (!place->free_value && draft->text.p[place->value.from] != '|')
			try(draft, place->value, "{qqzz: 1}");
	}
}

static void
try_ids(struct draft *draft)
{
	const char *first = NULL;
	for (size_t i = 0; i < draft->places.n; i++) {
		struct mark at = draft->places.all[i].value;
		struct str id = {draft->text.p + at.from, at.to - at.from};
		/* a resource of a cloud has an `id` too */
		if (!draft->places.all[i].is_id || str_find(id, STR("/")) < id.n
			|| str_find(id, STR("$")) < id.n)
			continue;
		if (first != NULL)
			try(draft, at, first);
		else
			first = arena_strndup(
				draft->mem, draft->text.p + at.from, at.to - at.from);
	}
}

/* "deadline" belongs to the step, not to what its type takes. */
static void
try_keys_among_arguments(struct draft *draft)
{
	for (size_t i = 0; i < draft->places.n; i++) {
		struct mark at = draft->places.all[i].first;
		uint32_t from = at.from;
		if (at.source == NULL)
			continue;
		while (from > 0 && draft->text.p[from - 1] == ' ')
			from--;
		bool block = from > 0 && draft->text.p[from - 1] == '\n';
		try(draft, at,
			block ? arena_printf(draft->mem, "deadline: 5s\n%*s",
				(int)(at.from - from), "")
			      : "deadline: 5s, ");
	}
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		|| c == '_' || c == '.';
}

static bool
is_in_comment(struct str text, size_t at)
{
	for (size_t i = at; i > 0 && text.p[i - 1] != '\n'; i--)
		if (text.p[i - 1] == '#')
			return true;
	return false;
}

/* Each name that follows `root` in the text: steps.NAME. */
static void
try_names(struct draft *draft, const char *root, bool after)
{
	struct str text = draft->text;
	size_t n = strlen(root);
	for (size_t i = 1; i + n < text.n; i++) {
		if (memcmp(text.p + i, root, n) != 0 || is_word(text.p[i - 1])
			|| is_in_comment(text, i))
			continue;
		size_t from = after ? i + n : i, to = i + n;
		while (after && to < text.n && is_word(text.p[to]) && text.p[to] != '.')
			to++;
		try(draft,
			(struct mark){draft->source, (uint32_t)from,
				(uint32_t)(after ? to : i + n - 1)},
			"qqzz");
	}
}

static size_t
mutate(const char *path)
{
	struct draft draft = {.mem = arena_new(), .path = path};
	struct loader plain = {.with = draft.mem};
	char *full;
	struct err err;
	struct diags diags = {.mem = draft.mem};
	struct value top;
	assert_ok(plain_read(&plain, path, &draft.text, &full, &err));
	draft.source = source_new(draft.mem, path, draft.text);
	draft.places.mem = draft.mem;
	assert_true(yaml_parse(draft.mem, draft.source, &top, &diags));
	collect(&draft.places, &top, false, false);
	try_keys_and_values(&draft);
	try_ids(&draft);
	try_keys_among_arguments(&draft);
	try_names(&draft, "steps.", true);
	try_names(&draft, "inputs.", true);
	try_names(&draft, "vars.", true);
	try_names(&draft, "secrets.", true);
	try_names(&draft, "run.", true);
	try_names(&draft, "timestamp(", false);
	try_names(&draft, "duration(", false);
	arena_free(draft.mem);
	return draft.tried;
}

static void
mutants_are_refused(void **state)
{
	(void)state;
	char pattern[PATH_MAX];
	const char *drafts = getenv("RBX_DRAFTS"), *root = getenv("RBX_SOURCE");
	glob_t found;
	size_t tried = 0;
	if (drafts != NULL)
		snprintf(pattern, sizeof pattern, "%s/*.yaml", drafts);
	else
		snprintf(pattern, sizeof pattern, "%s/../shared/drafts/*.yaml",
			root == NULL ? "." : root);
	if (glob(pattern, 0, NULL, &found) != 0) {
		print_message("# no drafts at %s: set RBX_DRAFTS\n", pattern);
		skip();
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		tried += mutate(found.gl_pathv[i]);
	globfree(&found);
	print_message("# %zu mutants\n", tried);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(mutants_are_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
