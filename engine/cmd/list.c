#include "cmd/carry.h"

/* Of a run without an end the fold tells whether it waits for a person. */
static const char *
word_of(struct cmd *cmd, const struct run_line *line)
{
	struct arena *mem = arena_new();
	struct run_state state;
	struct err ignored;
	const char *word = line->alive ? "running" : "crashed";
	if (strcmp(line->state, "ok") == 0)
		word = "done";
	else if (line->ended != 0)
		word = line->state;
	else if (run_fold(cmd->store, line->run, mem, &state, &ignored)) {
		word = run_word(&state, line->alive);
		state_close(&state);
	}
	arena_free(mem);
	return word;
}

/* The newest run that takes this one back; NULL: none does. */
static const struct run_line *
undoing(const struct run_line *lines, size_t n, const struct run_line *line)
{
	for (size_t i = n; i-- > 0 && &lines[i] > line;)
		if (strcmp(lines[i].mode, "undo") == 0
			&& strcmp(lines[i].of, line->run) == 0)
			return &lines[i];
	return NULL;
}

static struct value
undo_value(struct arena *mem, const struct run_line *undo, const char *word)
{
	struct map_builder map = {.mem = mem};
	if (undo == NULL)
		return value_null();
	map_put(&map, "run", value_str(str_of(undo->run)));
	map_put(&map, "state", value_str(str_of(word)));
	return map_done(&map);
}

static struct value
line_value(struct arena *mem, const struct run_line *line, const char *word,
	struct value undo)
{
	struct map_builder map = {.mem = mem};
	map_put(&map, "run", value_str(str_of(line->run)));
	map_put(&map, "playbook", value_str(str_of(line->playbook)));
	map_put(&map, "mode", value_str(str_of(line->mode)));
	map_put(&map, "state", value_str(str_of(word)));
	map_put(&map, "started", value_time_us(line->started));
	map_put(&map, "ended",
		line->ended == 0 ? value_null() : value_time_us(line->ended));
	map_put(&map, "records", value_int((int64_t)line->records));
	map_put(&map, "alive", value_bool(line->alive));
	map_put(&map, "undo", undo);
	return map_done(&map);
}

static const char *
colour_of(const char *state)
{
	static const struct { const char *state, *colour;
	} colours[] = {
		{"done", "\033[32m"},
		{"ok", "\033[32m"},
		{"failed", "\033[31m"},
		{"out_of_time", "\033[31m"},
		{"refused", "\033[33m"},
		{"cancelled", "\033[33m"},
		{"waiting", "\033[35m"},
		{"crashed", "\033[1;31m"},
		{"running", "\033[36m"},
	};
	for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++)
		if (strcmp(colours[i].state, state) == 0)
			return colours[i].colour;
	return "";
}

static void
write_line(struct cmd *cmd, struct buf *out, const struct run_line *line,
	const struct run_line *undo)
{
	const char *word = word_of(cmd, line);
	const char *took = line->ended == 0
		? ""
		: duration_short(cmd->mem, (line->ended - line->started) * 1000);
	buf_printf(out, "%-20s %s%-12s%s %-8s %s  %8s  %s", line->run,
		cmd->colour ? colour_of(word) : "", word,
		cmd->colour ? "\033[0m" : "", line->mode,
		time_text_us(cmd->mem, line->started / 1000000 * 1000000), took,
		line->playbook);
	if (undo != NULL)
		buf_printf(out, "  taken back by %s: %s", undo->run, word_of(cmd, undo));
	if (line->owner != NULL && line->alive)
		buf_printf(out, "  (%s)", line->owner);
	buf_putc(out, '\n');
}

static int
run(struct cmd *cmd)
{
	const struct run_line *lines;
	struct err err;
	size_t n;
	struct buf out = buf_in(cmd->mem);
	if (!cmd_store(cmd))
		return EXIT_WRONG;
	if (!store_list(cmd->store, cmd->mem, &lines, &n, &err))
		return cmd_error(cmd, EXIT_FAILED, &err);
	for (size_t i = n; i-- > 0;) {                /* the newest first */
		const struct run_line *undo = undoing(lines, n, &lines[i]);
		if (cmd->json) {
			struct value v = line_value(cmd->mem, &lines[i],
				word_of(cmd, &lines[i]),
				undo_value(cmd->mem, undo,
					undo == NULL ? "" : word_of(cmd, undo)));
			json_write(&out, &v, JSON_COMPACT);
			buf_putc(&out, '\n');
		} else {
			write_line(cmd, &out, &lines[i], undo);
		}
	}
	if (n == 0 && !cmd->json)
		buf_printf(&out, "no runs in %s\n", store_where(cmd->store));
	cmd_print(cmd, &out);
	return EXIT_DONE;
}

const struct command list_command = {
	.name = "list",
	.summary = "the runs of the store, the newest first",
	.words = "",
	.text = "A run that has no end and no owner has crashed, or waits for a person: `rbx show RUN` says which, `rbx resume RUN`\n"
		"goes on.",
	.example = "  rbx list",
	.guard = GUARD_BUT_STORE,
	.no_types = true,
	.run = run,
};
