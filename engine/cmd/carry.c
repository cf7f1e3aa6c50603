#include "cmd/carry.h"

#include <unistd.h>

#include "show/view.h"

static void
free_state(void *with)
{
	state_close(with);
}

/* By which the live view tells how long the rest may take; NULL: there is none. */
static const struct run_state *
former_run(struct cmd *cmd, const struct playbook *book, enum mode mode)
{
	struct run_state *former = arena_new_of(cmd->mem, struct run_state);
	struct err ignored;
	if (mode == MODE_DRY || mode == MODE_UNDO
		|| !run_former(cmd->store, book->name, mode == MODE_DRILL, cmd->mem,
			former, &ignored))
		return NULL;
	arena_defer(cmd->mem, free_state, former);
	return former;
}

void
carry_prepare(struct cmd *cmd, const struct playbook *book, struct run_options *options)
{
	struct style style = style_of(cmd->colour);
	options->tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !cmd->json;
	options->left = arena_new_of(cmd->mem, struct run_state);
	arena_defer(cmd->mem, free_state, options->left);
	if (cmd->json)
		options->observer = json_view(cmd->mem);
	else if (options->tty && style.width > 20)
		options->observer = live_view_new(
			cmd->mem, style, former_run(cmd, book, options->mode));
	else
		options->observer = plain_view(cmd->mem, style);
}

/* What a summary needs of the records besides the fold. */
struct reading {
	struct arena *mem;
	uint8_t head[SHA256_SIZE];
	bool *ticked;
	size_t n_ticked;
};

static bool
read_record(const struct record *record, void *with)
{
	struct reading *reading = with;
	struct value body;
	struct err ignored;
	memcpy(reading->head, record->hash, SHA256_SIZE);
	if (record->kind != REC_TICK
		|| !json_parse(reading->mem, record->body, NULL, &body, &ignored))
		return true;
	size_t number = (size_t)value_get_int(&body, "number", 0);
	if (number >= 1 && number <= reading->n_ticked)
		reading->ticked[number - 1] = true;
	return true;
}

/* Without follow-ups there is nothing to find in the records but the head, which is the
 * last one's. */
static bool
fill(struct cmd *cmd, const char *run, const struct run_state *state,
	const struct playbook *book, struct summary *out)
{
	struct reading reading = {.mem = cmd->mem};
	struct err err;
	*out = (struct summary){.state = state, .book = book};
	reading.n_ticked = book == NULL ? 0 : book->n_follow_ups;
	reading.ticked = arena_array(cmd->mem, bool, reading.n_ticked + 1);
	if (!store_read(cmd->store, run, reading.n_ticked > 0 ? 1 : state->seq,
		    read_record, &reading, &err)) {
		cmd_error(cmd, EXIT_FAILED, &err);
		return false;
	}
	out->head = hex_text(cmd->mem, reading.head, sizeof reading.head);
	out->ticked = reading.ticked;
	if (!store_alive(cmd->store, run, cmd->mem, &out->holder))
		out->holder = NULL;
	return true;
}

static bool
load_of_book(struct cmd *cmd, const char *run, const struct playbook *book,
	struct summary *out)
{
	struct run_state *state = arena_new_of(cmd->mem, struct run_state);
	struct err err;
	arena_defer(cmd->mem, free_state, state);
	if (run_fold(cmd->store, run, cmd->mem, state, &err))
		return fill(cmd, run, state, book, out);
	cmd_error(cmd, EXIT_FAILED, &err);
	return false;
}

/* The newest run that takes it back; NULL: none does. */
static const struct run_line *
undoing_line(struct cmd *cmd, const char *run)
{
	const struct run_line *lines;
	struct err ignored;
	size_t n;
	if (!store_list(cmd->store, cmd->mem, &lines, &n, &ignored))
		return NULL;
	for (size_t i = n; i-- > 0;)
		if (strcmp(lines[i].mode, "undo") == 0 && strcmp(lines[i].of, run) == 0)
			return &lines[i];
	return NULL;
}

bool
undoing_load(struct cmd *cmd, const char *run, struct summary *out)
{
	const struct run_line *line = undoing_line(cmd, run);
	struct summary other;
	if (line == NULL)
		return true;
	if (!load_of_book(cmd, line->run, NULL, &other))
		return false;
	out->undoing = other.state;
	out->undoing_word = run_word(other.state, line->alive);
	return true;
}

bool
summary_load(struct cmd *cmd, const char *run, struct summary *out)
{
	struct diags ignored = {.mem = cmd->mem};
	struct err quiet;
	const struct playbook *book =
		run_book(cmd->store, run, cmd_types(cmd), cmd->mem, &ignored, &quiet);
	return load_of_book(cmd, run, book, out) && undoing_load(cmd, run, out);
}

int
carry_finish(struct cmd *cmd, const struct run_options *options,
	const struct playbook *book, const char *run, int code, const struct err *err)
{
	struct style style = style_of(cmd->colour);
	struct buf out = buf_in(cmd->mem);
	struct summary summary;
	if (options->tty && style.width > 20)
		live_view_close(options->observer);
	if (err->code != ERR_NONE)
		cmd_error(cmd, code, err);
	if (run == NULL)
		return code;
	bool known = options->left != NULL && options->left->seq > 0;
	if (known ? !fill(cmd, run, options->left, book, &summary)
		  : !load_of_book(cmd, run, book, &summary))
		return code;
	if (cmd->json) {
		struct value v = summary_value(cmd->mem, &summary);
		json_write(&out, &v, JSON_COMPACT);
		buf_putc(&out, '\n');
	} else {
		summary_end(&out, &style, &summary);
		buf_printf(&out, "  record    rbx show %s    (in %s)\n", run,
			store_where(cmd->store));
	}
	cmd_print(cmd, &out);
	return code;
}
