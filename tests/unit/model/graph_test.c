/* The pictures of examples, as text, for Graphviz and for Mermaid: tests/golden/graph.
 * RBX_GOLDEN_WRITE writes them anew. */
#include "../unit.h"

#include "load.h"
#include "model/graph.h"

static const char *const names[] = {"parallel", "choose", "for-each", "undo", NULL};
static const char *const endings[] = {"txt", "dot", "mermaid"};

static void
compare(struct arena *mem, const char *name, enum graph_form form)
{
	char from[PATH_MAX], to[PATH_MAX];
	const char *root = getenv("RBX_SOURCE");
	struct diags diags = {0};
	struct loader plain = {.with = mem};
	struct buf out = buf_in(mem);
	struct str kept = {0};
	struct err err;
	char *full;
	root = root == NULL ? "." : root;
	snprintf(from, sizeof from, "%s/examples/%s.yaml", root, name);
	snprintf(to, sizeof to, "%s/tests/golden/graph/%s.%s", root, name, endings[form]);
	const struct playbook *book = plain_load(mem, from, &diags);
	assert_non_null(book);
	graph_write(&out, book, form, false);
	if (getenv("RBX_GOLDEN_WRITE") != NULL) {
		FILE *file = fopen(to, "w");
		assert_non_null(file);
		fwrite(out.p, 1, out.n, file);
		fclose(file);
	}
	assert_ok(plain_read(&plain, to, &kept, &full, &err));
	if (!str_eq(kept, buf_str(&out)))
		fail_msg("%s is not\n%s", to, buf_cstr(&out));
}

static void
pictures_are_as_they_were(void **state)
{
	(void)state;
	for (size_t i = 0; names[i] != NULL; i++)
		for (enum graph_form form = GRAPH_TEXT; form <= GRAPH_MERMAID; form++) {
			struct arena *mem = arena_new();
			compare(mem, names[i], form);
			arena_free(mem);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(pictures_are_as_they_were)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
