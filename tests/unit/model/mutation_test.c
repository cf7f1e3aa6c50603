/* Drafts with one thing wrong: a misspelt key, or a map where a scalar stood. Each must
 * be refused with an error on the very line, unless the place takes any name or any
 * value. */
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
				|| is_one_of(m->key.str, any_values)};
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

static size_t
mutate(const char *path)
{
	struct arena *mem = arena_new();
	struct loader plain = {.with = mem};
	struct str text;
	char *full;
	struct err err;
	assert_ok(plain_read(&plain, path, &text, &full, &err));
	struct diags diags = {.mem = mem};
	struct value top;
	assert_true(yaml_parse(mem, source_new(mem, path, text), &top, &diags));
	struct places places = {.mem = mem};
	collect(&places, &top, false, false);
	size_t stride = getenv("RBX_MUTATIONS") != NULL ? 1 : STRIDE, tried = 0;
	for (size_t i = 0; i < places.n * 2; i += stride) {
		const struct place *place = &places.all[i / 2];
		struct buf said = buf_in(mem);
		bool key = i % 2 == 0;
		if (key ? place->free_key : place->free_value)
			continue;
		struct mark at = key ? place->key : place->value;
		const char *by = key ? "qqzz" : "{qqzz: 1}";
		uint32_t line, column;
		if (!key && text.p[at.from] == '|')
			continue;
		if (!is_refused(path, text, at, by, &said)) {
			mark_place(at, &line, &column);
			fail_msg("%s:%u:%u: '%.*s' as %s is not refused there:\n%s", path,
				line, column, (int)(at.to - at.from), text.p + at.from,
				by, buf_cstr(&said));
		}
		tried++;
	}
	arena_free(mem);
	return tried;
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
