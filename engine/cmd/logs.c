#include "cmd/command.h"

#include <unistd.h>

struct following {
	struct cmd *cmd;
	struct arena *scratch;                        /* of one look */
	struct buf *out;
	uint64_t last;
	const char *only;
};

static bool
print_chunk(const struct chunk *chunk, uint64_t id, void *with)
{
	struct following *f = with;
	f->last = id;
	if (f->only != NULL && strcmp(f->only, chunk->path) != 0)
		return true;
	for (struct str rest = chunk->text; rest.n > 0;) {
		struct str line = str_cut(rest, '\n', &rest);
		if (f->cmd->json) {
			buf_puts(f->out, "{\"step\":");
			json_write_str(f->out, str_of(chunk->path));
			buf_printf(f->out, ",\"attempt\":%u,\"text\":", chunk->attempt);
			json_write_str(f->out, line);
			buf_puts(f->out, "}\n");
			continue;
		}
		buf_printf(f->out, "%s: ", chunk->path);
		buf_safe(f->out, line, true);
		buf_putc(f->out, '\n');
	}
	return true;
}

/* One look at what came since; false: told. */
static bool
look(struct following *f, const char *run)
{
	struct err err;
	struct buf out = buf_in(f->scratch);
	f->out = &out;
	if (!store_chunks(f->cmd->store, run, NULL, f->last, print_chunk, f, &err))
		return cmd_error(f->cmd, EXIT_FAILED, &err), false;
	cmd_print(f->cmd, &out);
	return true;
}

static bool
goes_on(struct following *f, const char *run)
{
	const struct holder *holder;
	arena_reset(f->scratch);
	return cmd_flag(f->cmd, "follow") && f->cmd->lost == 0
		&& store_alive(f->cmd->store, run, f->scratch, &holder);
}

static bool
follow(struct following *f, const char *run)
{
	if (!look(f, run))
		return false;
	while (goes_on(f, run)) {
		usleep(200000);
		if (!look(f, run))
			return false;
	}
	return !cmd_flag(f->cmd, "follow") || look(f, run);   /* what came between the look and the end */
}

static int
run(struct cmd *cmd)
{
	struct following f = {
		.cmd = cmd, .only = cmd->n_words > 1 ? cmd->words[1] : NULL};
	const char *run = cmd_run(cmd, cmd->words[0]);
	if (run == NULL)
		return EXIT_WRONG;
	f.scratch = arena_new();
	bool good = follow(&f, run);
	arena_free(f.scratch);
	return good ? EXIT_DONE : EXIT_FAILED;
}

static const struct option_row options[] = {
	{"follow", 'f', NULL, "go on until the run ends"},
	{NULL, 0, NULL, NULL},
};

const struct command logs_command = {
	.name = "logs",
	.summary = "what the programs of a run wrote",
	.words = "RUN [STEP]",
	.text = "Secrets are masked before anything is stored; control characters are shown, not obeyed.",
	.example = "  rbx logs last -f",
	.options = options,
	.least = 1,
	.most = 2,
	.guard = GUARD_BUT_STORE,
	.no_types = true,
	.run = run,
};
