/* The schema that editors use is made of the tables; the committed copy must be what they
 * give. RBX_GOLDEN_WRITE writes it anew. */
#include "../unit.h"

#include <limits.h>

#include "data/json.h"
#include "load.h"
#include "model/schema.h"

static struct str
file_text(struct arena *mem, const char *path)
{
	struct loader plain = {.with = mem};
	struct str text = {0};
	char *full;
	struct err err;
	plain_read(&plain, path, &text, &full, &err);
	return text;
}

static void
the_copy_is_fresh(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	char path[PATH_MAX];
	const char *root = getenv("RBX_SOURCE");
	snprintf(
		path, sizeof path, "%s/schemas/playbook.json", root == NULL ? "." : root);
	struct value schema = schema_playbook(mem, step_types);
	char *text = arena_printf(mem, "%s\n", json_text(mem, &schema, JSON_INDENT));
	if (getenv("RBX_GOLDEN_WRITE") != NULL) {
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		fputs(text, file);
		fclose(file);
	}
	if (!str_is(file_text(mem, path), text))
		fail_msg("%s is not what rbx schema prints: rbx schema >%s", path, path);
	arena_free(mem);
}

static void
inputs_have_a_schema(void **state)
{
	(void)state;
	struct arena *mem = arena_new();
	char path[PATH_MAX];
	const char *root = getenv("RBX_SOURCE");
	snprintf(path, sizeof path, "%s/playbooks/emergency-failover.yaml",
		root == NULL ? "." : root);
	struct diags diags = {0};
	const struct playbook *book = plain_load(mem, path, &diags);
	assert_non_null(book);
	struct value schema = schema_inputs(mem, book);
	assert_non_null(value_get(value_get(&schema, "properties"), "domain"));
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_copy_is_fresh),
		cmocka_unit_test(inputs_have_a_schema),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
