/* A text with whatever ${{ }} in it: compiled by the rules that the first byte names,
 * evaluated, recorded without its secrets, and restored to the same. */
#include <stdlib.h>

#include "data/json.h"
#include "data/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct expr_root roots[] = {
	{"self", &expr_dyn, false}, {"secrets", &expr_map, true}};

static void
run(struct arena *mem, struct str text, unsigned rules)
{
	struct value self, secrets, v, recorded, back, tree = value_str(text);
	struct source source = {.name = "fuzz", .text = text};
	struct expr_env env = {.roots = roots, .n_roots = 2};
	struct diags diags = {.mem = mem};
	struct err err;
	if (!json_parse(mem, STR("{\"a\":[1,\"x\"]}"), NULL, &self, &err)
	    || !json_parse(mem, STR("{\"p\":\"hunter2hunter2\"}"), NULL, &secrets, &err))
		abort();
	const struct value *places[] = {&self, &secrets};
	struct expr_scope scope = {.roots = places};
	tree.source = &source;
	tree.to = (uint32_t)text.n;
	const struct template *template =
		template_compile(mem, &tree, &env, rules, NULL, &diags);
	if (template == NULL) {
		struct buf out = buf_in(mem);
		diags_print(&out, &diags, false);
		return;
	}
	if (!template_eval(template, &scope, mem, &v, &err))
		return;
	recorded = template_record(template, &v, mem);
	bool written = str_find(text, STR("hunter2")) < text.n;
	if (!written && strstr(json_text(mem, &recorded, 0), "hunter2") != NULL)
		abort();
	if (rules == 0
		&& (!template_restore(mem, &recorded, &env, &scope, &back, &err)
			|| strcmp(json_text(mem, &v, 0), json_text(mem, &back, 0)) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n == 0)
		return 0;
	struct arena *mem = arena_new();
	run(mem, (struct str){(const char *)bytes + 1, n - 1}, bytes[0] & 7);
	arena_free(mem);
	return 0;
}
