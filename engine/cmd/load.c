#include "cmd/load.h"

#include <unistd.h>

static bool
read_file(const struct loader *loader, const char *path, struct str *bytes,
	char **full_path, struct err *err)
{
	return file_read(loader->with, path, bytes, full_path, err);
}

/* Of a file that a step reads: a warning where it is missing. */
static bool
is_there(const struct loader *loader, const char *path)
{
	(void)loader;
	return access(path, F_OK) == 0;
}

const struct playbook *
book_read(struct cmd *cmd, const char *path, struct diags *diags)
{
	struct loader loader = {.read = read_file, .exists = is_there, .types = cmd_types(cmd), .with = cmd->mem};
	return playbook_load(cmd->mem, path, &loader, diags);
}
