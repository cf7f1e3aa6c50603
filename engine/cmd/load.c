#include "cmd/load.h"


static bool
read_file(const struct loader *loader, const char *path, struct str *bytes,
	char **full_path, struct err *err)
{
	return file_read(loader->with, path, bytes, full_path, err);
}

const struct playbook *
book_read(struct cmd *cmd, const char *path, struct diags *diags)
{
	struct loader loader = {.read = read_file, .types = cmd_types(cmd), .with = cmd->mem};
	return playbook_load(cmd->mem, path, &loader, diags);
}
