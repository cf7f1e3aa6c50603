#include "cmd/command.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "store/place.h"
#include "../steps/external.h"
#include "../steps/steps.h"

static const char plugin_path[] = "/usr/local/lib/rbx/steps:/usr/lib/rbx/steps";

/* A relative one counts: it is told. */
static bool
is_any_there(struct arena *mem, const char *path)
{
	for (struct str rest = str_of(path), folder; rest.n > 0;) {
		struct stat st;
		folder = str_cut(rest, ':', &rest);
		if (folder.n == 0 || *folder.p != '/'
			|| stat(str_cstr(mem, folder), &st) == 0)
			return true;
	}
	return false;
}

/* Without a plug-in folder nothing is opened and nothing is asked. */
const struct step_type *const *
cmd_types(struct cmd *cmd)
{
	const char *path = getenv("RBX_PLUGINS");
	struct diags diags = {.mem = cmd->mem};
	if (cmd->types != NULL)
		return cmd->types;
	cmd->types = step_types;
	if (path == NULL)
		path = plugin_path;
	if (!is_any_there(cmd->mem, path) || !cmd_host(cmd))
		return cmd->types;
	cmd->types = external_types(
		cmd->mem, cmd->host, step_types, path, place_owned, &diags);
	cmd_diags(cmd, &diags);
	return cmd->types;
}
