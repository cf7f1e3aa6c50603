#include "conformance.h"

#include <stdio.h>
#include <stdlib.h>

enum { SKIPPED = 77 };

char *
conformance_path(struct arena *mem, const char *name, int argc, char **argv)
{
	const char *folder = getenv("RBX_CONFORMANCE"), *source = getenv("RBX_SOURCE");
	if (argc > 1)
		return argv[1];
	if (folder != NULL)
		return arena_printf(mem, "%s/%s", folder, name);
	return arena_printf(
		mem, "%s/../shared/conformance/%s", source == NULL ? "." : source, name);
}

bool
conformance_load(struct arena *mem, const char *path, struct str *out)
{
	FILE *file = fopen(path, "rb");
	struct buf text = buf_in(mem);
	char piece[65536];
	if (file == NULL)
		return false;
	for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
		buf_add(&text, (struct str){piece, n});
	fclose(file);
	*out = buf_str(&text);
	return true;
}

int
conformance_main(const char *name, int argc, char **argv,
	bool (*run_case)(struct arena *mem, const struct value *c))
{
	struct arena *mem = arena_new(), *each = arena_new();
	char *path = conformance_path(mem, name, argc, argv);
	struct str text;
	size_t passed = 0, failed = 0;
	if (!conformance_load(mem, path, &text)) {
		printf("%s: not there, skipped\n", path);
		return argc > 1 ? 1 : SKIPPED;
	}
	while (text.n > 0) {
		struct str line = str_cut(text, '\n', &text);
		struct value c;
		struct err err;
		if (line.n == 0)
			continue;
		bool ok = json_parse(each, line, NULL, &c, &err) && run_case(each, &c);
		*(ok ? &passed : &failed) += 1;
		arena_reset(each);
	}
	printf("%zu passed, %zu failed\n", passed, failed);
	arena_free(each);
	arena_free(mem);
	return failed > 0 || passed == 0;
}
