#include "cmd/command.h"

#include <stdlib.h>
#include <unistd.h>

#include "cmd/load.h"

static struct value
diag_value(struct arena *mem, const struct diag *diag)
{
	static const char *const levels[] = {"error", "warning", "note"};
	struct map_builder map = {.mem = mem};
	uint32_t line, column;
	mark_place(diag->err.at, &line, &column);
	map_put(&map, "level", value_str(str_of(levels[diag->level])));
	map_put(&map, "file",
		value_str(str_of(
			diag->err.at.source == NULL ? "" : diag->err.at.source->name)));
	map_put(&map, "line", value_int(line));
	map_put(&map, "column", value_int(column));
	map_put(&map, "message", value_str(str_of(diag->err.msg)));
	map_put(&map, "hint", value_str(str_of(diag->err.hint)));
	return map_done(&map);
}

/* resilience.md R10: what a message says of its sender counts for nothing. */
static void
note_persons(struct cmd *cmd, const struct playbook *book, struct diags *diags)
{
	const char *where = cmd_value(cmd, "store");
	if (where == NULL)
		where = getenv("RBX_STORE");
	if (where != NULL
		&& access(arena_printf(cmd->mem, "%s/letters", where), F_OK) == 0)
		return;
	for (size_t i = 0; i < book->n_nodes; i++) {
		const struct confirm *confirm = book->nodes[i]->confirm;
		if (confirm == NULL || (confirm->by == NULL && confirm->not_by == NULL
				&& confirm->at_least < 2))
			continue;
		struct err *note = diag_note(diags, book->nodes[i]->at,
			"'%s' asks who answers: the store has to know that",
			book->nodes[i]->id);
		err_hint(note,
			"in a store of one's own it is the login behind sudo; "
			"for a group: install -d -m 3770 -g GROUP STORE/letters");
	}
}

static bool
validate_one(struct cmd *cmd, struct buf *out, const char *path)
{
	struct diags diags = {.mem = cmd->mem};
	const struct playbook *book = book_read(cmd, path, &diags);
	if (book != NULL) {
		playbook_unsupported(book, &diags, DIAG_NOTE);
		note_persons(cmd, book, &diags);
	}
	diags_sort(&diags);
	bool good = book != NULL && diags.errors == 0;
	if (!cmd->json) {
		cmd_diags(cmd, &diags);
		if (good)
			buf_printf(out, "%s: good, %zu steps%s\n", path, book->n_nodes,
				diags.warnings > 0 ? ", with warnings" : "");
		return good;
	}
	struct list_builder list = {.mem = cmd->mem};
	struct map_builder map = {.mem = cmd->mem};
	for (const struct diag *diag = diags.first; diag != NULL; diag = diag->next)
		list_push(&list, diag_value(cmd->mem, diag));
	map_put(&map, "playbook", value_str(str_of(path)));
	map_put(&map, "good", value_bool(good));
	map_put(&map, "messages", list_done(&list));
	struct value v = map_done(&map);
	json_write(out, &v, JSON_COMPACT);
	buf_putc(out, '\n');
	return good;
}

static int
run(struct cmd *cmd)
{
	struct buf out = buf_in(cmd->mem);
	bool good = true;
	for (size_t i = 0; i < cmd->n_words; i++)
		good = validate_one(cmd, &out, cmd->words[i]) && good;
	cmd_print(cmd, &out);
	return good ? EXIT_DONE : EXIT_WRONG;
}

const struct command validate_command = {
	.name = "validate",
	.summary = "judge playbooks: every error, with its place",
	.words = "PLAYBOOK...",
	.text = "Names, types, forms, expressions, references between steps: whatever can be known before a run is known here.",
	.example = "  rbx validate playbooks/*.yaml",
	.least = 1,
	.most = SIZE_MAX,
	.guard = GUARD_ALL,
	.run = run,
};
