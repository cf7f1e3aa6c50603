/* Every draft of a runbook must be understood; so must the project's own playbooks and
 * examples. */
#include "../unit.h"

#include <glob.h>

#include "load.h"

static size_t
load_all(const char *pattern)
{
	glob_t found;
	size_t n = 0;
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (; n < found.gl_pathc; n++) {
		struct arena *mem = arena_new();
		struct diags diags = {0};
		if (plain_load(mem, found.gl_pathv[n], &diags) == NULL) {
			struct buf out = buf_in(mem);
			diags_print(&out, &diags, false);
			fail_msg("%s", buf_cstr(&out));
		}
		arena_free(mem);
	}
	globfree(&found);
	return n;
}

static void
drafts_validate(void **state)
{
	(void)state;
	char pattern[PATH_MAX];
	const char *drafts = getenv("RBX_DRAFTS"), *root = getenv("RBX_SOURCE");
	if (drafts != NULL)
		snprintf(pattern, sizeof pattern, "%s/*.yaml", drafts);
	else
		snprintf(pattern, sizeof pattern, "%s/../shared/drafts/*.yaml",
			root == NULL ? "." : root);
	size_t n = load_all(pattern);
	if (n == 0) {
		print_message("# no drafts at %s: set RBX_DRAFTS\n", pattern);
		skip();
	}
	print_message("# %zu drafts\n", n);
}

static void
own_playbooks_validate(void **state)
{
	(void)state;
	static const char *const folders[] = {"playbooks", "examples"};
	const char *root = getenv("RBX_SOURCE");
	for (size_t i = 0; i < 2; i++) {
		char pattern[PATH_MAX];
		snprintf(pattern, sizeof pattern, "%s/%s/*.yaml",
			root == NULL ? "." : root, folders[i]);
		load_all(pattern);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drafts_validate),
		cmocka_unit_test(own_playbooks_validate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
