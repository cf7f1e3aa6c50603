#include "cmd/command.h"

#include <stdio.h>
#include <unistd.h>

#include "model/type.h"
#include "run/leftover.h"

static const char *
bytes_of(struct arena *mem, const struct leftover *it)
{
	const struct value *bytes = value_get(it->found, "bytes");
	if (bytes == NULL || bytes->kind != V_INT)
		return "";
	return arena_printf(mem, ", %lld bytes", (long long)bytes->i);
}

static void
write_one(struct cmd *cmd, struct buf *out, const struct leftover *it, const char *did)
{
	if (cmd->json) {
		struct map_builder map = {.mem = cmd->mem};
		map_put(&map, "run", value_str(str_of(it->run)));
		map_put(&map, "step", value_str(str_of(it->path)));
		map_put(&map, "type", value_str(str_of(it->type->name)));
		map_put(&map, "found", *it->found);
		map_put(&map, "removed", value_bool(strcmp(did, "removed") == 0));
		struct value v = map_done(&map);
		json_write(out, &v, JSON_COMPACT);
		buf_putc(out, '\n');
		return;
	}
	buf_printf(out, "%s  ", did);
	buf_safe(out, value_get_str(it->found, "what"), false);
	buf_printf(out, "%s  (run %s, step ", bytes_of(cmd->mem, it), it->run);
	buf_safe(out, str_of(it->path), false);
	buf_puts(out, ")\n");
}

/* Those that are there come first; of the others what could not be asked is told. */
static size_t
look(struct cmd *cmd, struct leftover *list, size_t n, bool *all)
{
	size_t there = 0;
	for (size_t i = 0; i < n; i++) {
		struct err err = {0};
		enum leftover_end end =
			leftover_look(cmd->host, &list[i], cmd->mem, &err);
		if (end == LEFTOVER_THERE)
			list[there++] = list[i];
		if (end != LEFTOVER_UNKNOWN)
			continue;
		err_wrap(&err, "run %s, step %s", list[i].run, list[i].path);
		cmd_error(cmd, EXIT_FAILED, &err);
		*all = false;
	}
	return there;
}

struct telling { struct cmd *cmd; bool *all; };

static void
cannot_be_asked(const struct leftover *leftover, struct err *err, void *with)
{
	struct telling *telling = with;
	err_wrap(err, "run %s, step %s", leftover->run, leftover->path);
	cmd_error(telling->cmd, EXIT_FAILED, err);
	*telling->all = false;
}

static bool
is_wanted(struct cmd *cmd, const struct leftover *list, size_t n)
{
	struct buf out = buf_in(cmd->mem);
	char line[64];
	if (cmd_flag(cmd, "yes"))
		return true;
	bool json = cmd->json;
	cmd->json = false;
	for (size_t i = 0; i < n; i++)
		write_one(cmd, &out, &list[i], "left behind");
	cmd->json = json;
	fputs(buf_cstr(&out), stderr);
	if (!isatty(STDIN_FILENO)) {
		fputs("rbx gc: nobody can be asked here; --yes answers\n", stderr);
		return false;
	}
	fputs("Remove them? [y/N] ", stderr);
	return fgets(line, sizeof line, stdin) != NULL
		&& (line[0] == 'y' || line[0] == 'Y');
}

static void
sweep(struct cmd *cmd, struct leftover *list, size_t n, bool *all)
{
	struct buf out = buf_in(cmd->mem);
	for (size_t i = 0; i < n; i++) {
		struct err err = {0};
		if (leftover_sweep(cmd->host, &list[i], cmd->mem, &err)) {
			write_one(cmd, &out, &list[i], "removed");
			continue;
		}
		err_wrap(&err, "run %s, step %s", list[i].run, list[i].path);
		cmd_error(cmd, EXIT_FAILED, &err);
		*all = false;
	}
	cmd_print(cmd, &out);
}

static int
run(struct cmd *cmd)
{
	struct leftover *list;
	size_t n;
	struct err err;
	struct buf out = buf_in(cmd->mem);
	bool all = true;
	if (!cmd_store(cmd) || !cmd_host(cmd))
		return EXIT_WRONG;
	if (!leftovers_saved(cmd->store, cmd_types(cmd), cmd->mem, &list, &n, &err))
		return cmd_error(cmd, EXIT_FAILED, &err);
	struct telling telling = {cmd, &all};
	leftovers_search(cmd->store, cmd->host, &list, &n, cmd->mem, cannot_be_asked,
		&telling);
	n = look(cmd, list, n, &all);
	if (n == 0 && !cmd->json && all)
		buf_puts(&out, "nothing was left behind\n");
	if (n > 0 && cmd_flag(cmd, "dry-run"))
		for (size_t i = 0; i < n; i++)
			write_one(cmd, &out, &list[i], "left behind");
	else if (n > 0 && !is_wanted(cmd, list, n))
		return isatty(STDIN_FILENO) ? EXIT_CANCELLED : EXIT_WAITS;
	else
		sweep(cmd, list, n, &all);
	cmd_print(cmd, &out);
	return all ? EXIT_DONE : EXIT_FAILED;
}

static const struct option_row options[] = {
	{"yes", 'y', NULL, "do not ask before"},
	{"dry-run", 0, NULL, "show them only"},
	{NULL, 0, NULL, NULL},
};

const struct command gc_command = {
	.name = "gc",
	.summary = "remove what runs that ended left behind",
	.words = "",
	.text = "Of every run that nobody carries out: what its steps had begun and saved, and never finished, an upload of parts on S3\n"
		"above all, which costs money and is in no list of objects. It is asked for with the credentials that the step had,\n"
		"shown, and removed. What was begun and not saved any more, for rbx was killed in that moment, is found by the object that the\n"
		"step was to write and by the time. A run that may still be resumed goes on from such an upload; without it, it sends all anew.",
	.example = "  rbx gc --dry-run\n  rbx gc --yes",
	.options = options,
	.run = run,
};
