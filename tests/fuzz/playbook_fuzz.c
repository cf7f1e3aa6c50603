/* Loads whatever comes as a playbook, with the real step types. It must be understood or
 * refused with a message, the same twice, every place must lie in the text, and the
 * offsets of a scalar in its source. A called file is the text itself. */
#include <stdlib.h>

#include "data/yaml.h"
#include "model/playbook.h"
#include "steps/steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

struct given {
	struct arena *mem;
	struct str text;
};

static bool
read_given(const struct loader *loader, const char *path, struct str *bytes,
	char **full_path, struct err *err)
{
	const struct given *given = loader->with;
	(void)err;
	*bytes = given->text;
	*full_path = arena_printf(given->mem, "/%s", path);
	return true;
}

static void
look_at(struct arena *mem, const struct value *v)
{
	if (v->source != NULL && (v->from > v->to || v->to > v->source->text.n))
		abort();
	for (size_t i = 0; v->kind == V_LIST && i < v->list.n; i++)
		look_at(mem, &v->list.items[i]);
	for (size_t i = 0; v->kind == V_MAP && i < v->map->n; i++)
		look_at(mem, &v->map->members[i].value);
	if (v->kind != V_STRING)
		return;
	struct mark at;
	const uint32_t *map = yaml_offsets(mem, v, &at);
	for (size_t i = 0; map != NULL && i <= v->str.n; i++)
		if (map[i] > v->source->text.n || (i > 0 && map[i] < map[i - 1]))
			abort();
}

static void
load(struct str text, struct buf *out)
{
	struct given given = {out->mem, text};
	struct loader loader = {.read = read_given, .types = step_types, .with = &given};
	struct diags diags = {.mem = out->mem}, yaml = {.mem = out->mem};
	struct value top;
	if (yaml_parse(out->mem, source_new(out->mem, "fuzz", text), &top, &yaml))
		look_at(out->mem, &top);
	const struct playbook *book =
		playbook_load(out->mem, "fuzz.yaml", &loader, &diags);
	if ((book == NULL) != (diags.errors > 0))
		abort();
	diags_print(out, &diags, false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *mem = arena_new();
	struct str text = {(const char *)bytes, n};
	struct buf first = buf_in(mem), second = buf_in(mem);
	load(text, &first);
	load(text, &second);
	if (!str_eq(buf_str(&first), buf_str(&second)))
		abort();
	arena_free(mem);
	return 0;
}
