#include "../steps/aws/own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MOST_FILE = 32 << 20 };

static bool
load(struct arena *mem, const char *path, struct str *text, struct err *err)
{
	struct stat stat;
	FILE *file = fopen(path, "re");
	if (file == NULL || fstat(fileno(file), &stat) != 0) {
		int number = errno;
		if (file != NULL)
			fclose(file);
		return err_errno(err, number, "RBX_AWS_MODELS: %s", path);
	}
	bool good = S_ISREG(stat.st_mode) && stat.st_size <= MOST_FILE;
	char *bytes = good ? arena_alloc(mem, (size_t)stat.st_size + 1) : NULL;
	size_t n = good ? fread(bytes, 1, (size_t)stat.st_size, file) : 0;
	fclose(file);
	*text = (struct str){bytes, n};
	return good
		|| err_set(err, ERR_LIMIT,
			"RBX_AWS_MODELS: %s is no file of at most 32 MiB", path);
}

static const char *
service_of(struct arena *mem, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct str name = str_of(slash == NULL ? path : slash + 1);
	if (str_ends(name, STR(".model")))
		name.n -= strlen(".model");
	return str_cstr(mem, name);
}

bool
own_models_add(struct facts *facts, struct arena *mem, struct err *err)
{
	struct str paths = str_of(getenv("RBX_AWS_MODELS"));
	while (paths.n > 0) {
		const char *path = str_cstr(mem, str_cut(paths, ':', &paths));
		struct str text;
		if (path[0] == '\0')
			continue;
		if (!load(mem, path, &text, err))
			return false;
		if (!facts_add(facts, service_of(mem, path), text, err))
			return err_wrap(err, "%s", path);
	}
	return true;
}
