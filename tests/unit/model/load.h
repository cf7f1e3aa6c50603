/* A loader that reads files plainly, for tests. */
#ifndef TESTS_UNIT_MODEL_LOAD_H
#define TESTS_UNIT_MODEL_LOAD_H

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/playbook.h"
#include "steps/steps.h"

static inline bool
plain_read(const struct loader *loader, const char *path, struct str *bytes,
	char **full_path, struct err *err)
{
	struct arena *mem = loader->with;
	char full[PATH_MAX];
	FILE *file = realpath(path, full) == NULL ? NULL : fopen(full, "r");
	struct buf buf = buf_in(mem);
	char block[65536];
	if (file == NULL)
		return err_errno(err, errno, "%s", path);
	for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0; )
		buf_add(&buf, (struct str){block, n});
	fclose(file);
	*bytes = (struct str){buf_cstr(&buf), buf.n};
	*full_path = arena_strdup(mem, full);
	return true;
}

static inline const struct playbook *
plain_load(struct arena *mem, const char *path, struct diags *diags)
{
	struct loader loader = {.read = plain_read, .types = step_types, .with = mem};
	diags->mem = mem;
	return playbook_load(mem, path, &loader, diags);
}

#endif
