#include "run/run.h"

#include "run/bundle.h"
#include "run/limits.h"
#include "run/loop.h"
#include "run/provide.h"
#include "run/rebase.h"
#include "run/scope.h"
#include "run/secrets.h"

/* From a playbook or a run of the store to the loop, and back out. */

static void
clock_learned(struct clocks *clocks, const char *host, int64_t us)
{
	struct shell *shell =
		(struct shell *)((char *)clocks - offsetof(struct shell, clocks));
	int64_t apart = us < 0 ? -us : us;
	shell_note(shell, "clock",
		arena_printf(shell->mem,
			"the clock of this host is %s %s that of %s: what is"
			" signed for it is signed by its clock",
			duration_short(shell->mem, apart * 1000),
			us > 0 ? "behind" : "ahead of", host),
		NULL);
}

static void
shell_open(struct shell *shell, struct host *host, struct store *store,
	const struct playbook *book, const struct run_options *options,
	struct arena *callers, struct err *err)
{
	struct arena *mem = arena_new();
	*shell = (struct shell){.host = host,
		.store = store,
		.book = book,
		.options = options,
		.observer = options->observer,
		.mem = mem,
		.err = err};
	shell->vault = vault_new(mem);
	shell->clocks = (struct clocks){.mem = mem, .learned = clock_learned};
	shell->letters_end = &shell->letters;
	shell->secrets_end = &shell->secrets;
	list_init(&shell->jobs);
	*err = (struct err){0};
	state_init(&shell->state, options->left == NULL ? mem : callers);
	shell->state.mode = options->mode;
	shell->state.store = str_of(store_uuid(store));
	asker_init(shell);
}

/* What is not acknowledged is not what the run came to. */
static void
hand_over(struct shell *shell)
{
	struct run_state *left = shell->options->left;
	bool whole = !shell->lost && shell->owner != NULL && shell->flying == NULL
		&& shell->next == NULL;
	if (left == NULL || !whole) {
		if (left != NULL)
			*left = (struct run_state){0};
		state_close(&shell->state);
		return;
	}
	state_move(left, &shell->state);
}

/* What the host still holds of the inbox comes back first. */
static void
shell_close(struct shell *shell)
{
	shell->leaving = true;
	provide_close(shell);
	secrets_close(shell);
	shell_tidy(shell);
	if (shell->inbox_sleeps)
		shell->host->type->cancel(shell->host, &shell->inbox_sleep);
	while (shell->inbox_sleeps || shell->inbox_busy) {
		int number;
		struct op *op = shell->host->type->wait(shell->host, INT64_MAX, &number);
		if (op != NULL)
			((struct waiter *)op->owner)->done(op->owner, op);
	}
	holds_drop(shell);
	claim_drop(shell, false);
	hand_over(shell);
	batch_drop(shell);
	arena_free(shell->mem);
}

const char *
run_id(struct host *host, struct arena *mem)
{
	uint8_t bytes[6];
	host->type->random(host, bytes, sizeof bytes);
	return arena_printf(mem, "r%s", base32_text(mem, bytes, sizeof bytes));
}

/* ---- bodies */

static struct value
by_of(struct shell *shell, bool process)
{
	const struct self *self = shell->host->type->self(shell->host);
	struct map_builder by = {.mem = shell->mem};
	map_put(&by, "uid", value_int(self->uid));
	map_put(&by, "user", value_text(shell->mem, "%s", self->user));
	map_put(&by, "host", value_text(shell->mem, "%s", self->host));
	if (self->person != NULL) {
		map_put(&by, "person", value_text(shell->mem, "%s", self->person));
		map_put(&by, "known_by", value_text(shell->mem, "%s", self->known_by));
	}
	if (self->tty != NULL && !process)
		map_put(&by, "tty", value_text(shell->mem, "%s", self->tty));
	if (process) {
		map_put(&by, "pid", value_int(self->pid));
		map_put(&by, "started", value_int((int64_t)self->started));
		map_put(&by, "boot_id", value_text(shell->mem, "%s", self->boot_id));
	}
	return map_done(&by);
}

static const struct value *
own_members(struct shell *shell)
{
	struct map_builder map = {.mem = shell->mem};
	struct value *out = arena_new_of(shell->mem, struct value);
	map_put(&map, "by", by_of(shell, true));
	if (shell->options->reason != NULL)
		map_put(&map, "reason",
			value_text(shell->mem, "%s", shell->options->reason));
	map_put(&map, "rbx", value_text(shell->mem, "%s", RBX_VERSION));
	*out = map_done(&map);
	return out;
}

static const struct value *
run_members(struct shell *shell, const struct value *inputs, const struct value *locks,
	struct str bundle)
{
	struct map_builder map = {.mem = shell->mem};
	struct value *out = arena_new_of(shell->mem, struct value);
	const struct frame *frame = frame_of(shell, shell->book, "");
	map_put(&map, "playbook",
		value_text(shell->mem, "%s", sha256_hex(shell->mem, bundle)));
	map_put(&map, "file", value_text(shell->mem, "%s", shell->book->file));
	map_put(&map, "name", value_text(shell->mem, "%s", shell->book->name));
	if (shell->options->of != NULL)
		map_put(&map, "of", value_text(shell->mem, "%s", shell->options->of));
	map_put(&map, "inputs",
		inputs == NULL ? value_map(shell->mem, NULL, 0) : *inputs);
	map_put(&map, "vars", frame->vars);
	map_put(&map, "locks", *locks);
	if (shell->book->limits != NULL)
		map_put(&map, "limits", *shell->book->limits);
	map_put(&map, "by", by_of(shell, false));
	map_put(&map, "rbx", value_text(shell->mem, "%s", RBX_VERSION));
	*out = map_done(&map);
	return out;
}

/* ---- inputs */

/* Recorded inputs with their types; an input of type run as what that run left. */
static bool
set_inputs(struct shell *shell, const struct value *inputs, struct err *err)
{
	struct map_builder map = {.mem = shell->mem};
	bool drill = shell->state.mode == MODE_DRILL;
	for (size_t i = 0; i < shell->book->n_inputs; i++) {
		const struct input *input = &shell->book->inputs[i];
		const struct value *v = value_get(inputs, input->name);
		struct value full;
		if (v == NULL)
			continue;
		if (strcmp(input->type, "run") != 0 || v->kind != V_STRING) {
			map_put(&map, input->name,
				typed_input(shell->mem, v, input->type));
			continue;
		}
		if (run_earlier(shell->store, v->str, input->of, drill, shell->mem, &full,
			    err)) {
			map_put(&map, input->name, full);
		} else if (shell->state.mode == MODE_DRY && err->code == ERR_NOT_FOUND) {
			map_put(&map, input->name,
				value_unknown(
					str_of(arena_strdup(shell->mem, err->msg))));
		} else {
			err_wrap(err, "input '%s'", input->name);
			return false;
		}
	}
	struct value all = map_done(&map);
	frame_set(frame_of(shell, shell->book, ""), &all, NULL);
	return true;
}

static void
close_state(void *state)
{
	state_close(state);
}

/* The run that is undone, as it ended. */
static bool
set_undone(struct shell *shell, const char *of, struct err *err)
{
	if (of == NULL)
		return true;
	struct run_state *state = arena_new_of(shell->mem, struct run_state);
	shell->of = state;
	arena_defer(shell->mem, close_state, state);
	return run_fold(shell->store, of, shell->mem, state, err);
}

static bool
set_vars(struct shell *shell, struct err *err)
{
	struct value vars;
	return frame_vars(
		shell, frame_of(shell, shell->book, ""), shell->mem, &vars, err);
}

/* As they were recorded: a var that was evaluated then is not evaluated again. */
static void
restore_vars(struct shell *shell)
{
	const struct value *recorded = value_get(shell->state.run, "vars");
	struct map_builder map = {.mem = shell->mem};
	for (size_t i = 0; i < shell->book->n_vars; i++) {
		const struct named_template *var = &shell->book->vars[i];
		const struct value *v = value_get(recorded, var->name);
		if (v != NULL)
			map_put(&map, var->name,
				typed_value(shell->mem, v, template_type(var->value)));
	}
	struct value vars = map_done(&map);
	frame_set(frame_of(shell, shell->book, ""), NULL, &vars);
}

/* ---- runs */

static void
owner_make(struct shell *shell)
{
	const struct run_options *options = shell->options;
	struct owner_options *made = arena_new_of(shell->mem, struct owner_options);
	const struct self *self = shell->host->type->self(shell->host);
	*made = (struct owner_options){.yes = options->yes,
		.uid = self->uid,
		.user = self->user,
		.host = self->host,
		.person = self->person,
		.known_by = self->known_by,
		.tty = options->tty && !options->no_wait,
		.overrides = options->overrides,
		.reasons = options->reasons,
		.of = shell->of};
	shell->owner =
		owner_new(shell->mem, shell->book, &shell->state, &shell->asker, made);
}

static int
carry_out(struct shell *shell, const struct news *news)
{
	struct observer *observer = shell->observer;
	if (observer != NULL && observer->opened != NULL)
		observer->opened(observer, shell->book, &shell->state, shell->owner);
	shell_decide(shell, news);
	return shell_loop(shell);
}

static int
exit_of(const struct shell *shell, const struct err *err)
{
	if (shell->leaving)
		return shell->exit;
	return err->code == ERR_SECRET ? 3 : err->code == ERR_BUSY ? 75 : 2;
}

static int
start(struct shell *shell, const char **run, struct err *err)
{
	struct value locks;
	if (!set_undone(shell, shell->options->of, err))
		return exit_of(shell, err);
	const struct value *inputs = shell->of == NULL
		? shell->options->inputs
		: value_get(shell->of->run, "inputs");
	if (!limits_open(shell, err)
		|| !persons_check(shell, err) || !set_inputs(shell, inputs, err)
		|| !set_vars(shell, err) || !secrets_fetch(shell, err)
		|| !identities_judge(shell, err))
		return exit_of(shell, err);
	if (!reask(shell, err))
		return err->code == ERR_CANCELLED ? exit_of(shell, err) : 3;
	if (!claim_all(shell, &locks, err) || !holds_wait(shell, true, err))
		return exit_of(shell, err);
	struct str bundle = bundle_make(shell->book, batch_mem(shell));
	struct news news = {.kind = NEWS_START,
		.mode = shell->options->mode,
		.run = run_members(shell, inputs, &locks, bundle),
		.own = own_members(shell)};
	batch_blob(shell, bundle);
	owner_make(shell);
	*run = shell->state.id.p;
	return carry_out(shell, &news);
}

int
run_start(struct host *host, struct store *store, const struct playbook *book,
	const struct run_options *options, struct arena *mem, const char **run,
	struct err *err)
{
	struct shell shell;
	shell_open(&shell, host, store, book, options, mem, err);
	shell.state.id = str_of(options->id != NULL ? options->id : run_id(host, mem));
	*run = NULL;
	int code = start(&shell, run, err);
	if (err->code != ERR_NONE)
		vault_mask_err(shell.vault, err);
	shell_close(&shell);
	return code;
}

static bool
fold_again(struct shell *shell, const char *run, struct err *err)
{
	struct arena *mem = shell->state.mem;
	state_close(&shell->state);
	return run_fold(shell->store, run, mem, &shell->state, err);
}

/* What was sent while nobody carried the run out comes with the claim. */
static bool
read_inbox(struct shell *shell, struct news *claim, struct err *err)
{
	struct call reading = {.waiter.done = call_done};
	struct op op = {.kind = OP_POSTED,
		.mem = shell->mem,
		.owner = &reading,
		.deadline = INT64_MAX};
	store_inbox(shell->store, str_cstr(shell->mem, shell->state.id),
		shell->state.last_message, &op);
	shell_wait(shell, &reading.done);
	if (op.err.code != ERR_NONE) {
		*err = op.err;
		return false;
	}
	const struct inbox_answer *answer = op.answer;
	shell->inbox_after = shell->state.last_message;
	struct message *messages = arena_array(shell->mem, struct message, answer->n + 1);
	for (size_t i = 0; i < answer->n; i++) {
		messages[i] = answer->messages[i];
		persons_place(shell, &messages[i], shell->mem);
	}
	claim->messages = messages;
	claim->n_messages = answer->n;
	for (size_t i = 0; i < answer->n; i++)
		shell->inbox_after = answer->messages[i].id;
	return true;
}

static const struct value *
rebase_members(struct shell *shell, struct str bundle)
{
	struct map_builder map = {.mem = shell->mem};
	struct value *out = arena_new_of(shell->mem, struct value);
	const struct run_state *state = &shell->state;
	const struct value *from =
		state->rebase != NULL ? state->rebase : value_get(state->run, "playbook");
	if (from != NULL)
		map_put(&map, "from", *from);
	map_put(&map, "to", value_text(shell->mem, "%s", sha256_hex(shell->mem, bundle)));
	map_put(&map, "file", value_text(shell->mem, "%s", shell->book->file));
	map_put(&map, "by", by_of(shell, false));
	if (shell->options->reason != NULL)
		map_put(&map, "reason",
			value_text(shell->mem, "%s", shell->options->reason));
	*out = map_done(&map);
	return out;
}

/* Before anything is done: the other playbook may take the place of the run's. */
static bool
rebase(struct shell *shell, bool reopens, struct news *news, struct err *err)
{
	if (shell->options->instead_of == NULL)
		return true;
	if (value_get(shell->state.run, "of") != NULL)
		return err_set(err, ERR_VALUE,
			"a run that undoes another goes by the playbook of that one");
	if (!rebase_judge(&shell->state, shell->options->instead_of, shell->book, reopens,
		    shell->mem, shell->options->diags))
		return err_set(err, ERR_VALUE,
			"run %.*s cannot go on with %s; nothing was done",
			STR_FMT(shell->state.id), shell->book->file);
	struct str bundle = bundle_make(shell->book, batch_mem(shell));
	news->rebase = rebase_members(shell, bundle);
	batch_blob(shell, bundle);
	return true;
}

static int
resume(struct shell *shell, const char *run, struct err *err)
{
	const char *why;
	struct now now = shell_now(shell);
	if (!fold_again(shell, run, err))
		return 1;
	/* The records that were read before the claim may not be all of them. */
	if (!claim_again(shell, err)
		|| !run_fold_on(shell->store, run, &shell->state, err))
		return exit_of(shell, err);
	if (!state_may_resume(
		    &shell->state, now.wall, shell->options->deadline > 0, &why, err))
		return 2;
	struct news news = {.kind = NEWS_CLAIM,
		.why = why,
		.deadline = shell->options->deadline,
		.own = own_members(shell)};
	struct str of = value_get_str(shell->state.run, "of");
	if (!rebase(shell, strcmp(why, "reopen") == 0, &news, err)
		|| !set_undone(shell, of.p == NULL ? NULL : str_cstr(shell->mem, of), err)
		|| !limits_open(shell, err)
		|| !set_inputs(shell, value_get(shell->state.run, "inputs"), err))
		return 2;
	restore_vars(shell);
	if (!secrets_fetch(shell, err) || !identities_judge(shell, err)
		|| !holds_wait(shell, false, err))
		return exit_of(shell, err);
	if (!reask(shell, err))
		return err->code == ERR_CANCELLED ? exit_of(shell, err) : 3;
	if (!read_inbox(shell, &news, err))
		return 2;
	owner_make(shell);
	return carry_out(shell, &news);
}

int
run_resume(struct host *host, struct store *store, const char *run,
	const struct playbook *book, const struct run_options *options, struct arena *mem,
	struct err *err)
{
	struct shell shell;
	shell_open(&shell, host, store, book, options, mem, err);
	shell.state.id = str_of(run);
	int code = resume(&shell, run, err);
	if (err->code != ERR_NONE)
		vault_mask_err(shell.vault, err);
	shell_close(&shell);
	return code;
}

/* ---- the stored playbook */

struct first {
	struct arena *mem;
	struct value body;
	struct err *err;
	bool good;
};

static bool
first_record(const struct record *record, void *with)
{
	struct first *first = with;
	struct str body = str_copy(first->mem, record->body);
	first->good = json_parse(first->mem, body, NULL, &first->body, first->err);
	return false;
}

/* The digest of the last `rebase`, else of the first record. */
static bool
book_digest(struct store *store, const char *run, struct first *first, uint8_t digest[32],
	struct err *err)
{
	struct value body;
	struct str text;
	if (!store_newest(store, run, REC_REBASE, first->mem, &text, err))
		return false;
	if (text.p != NULL && json_parse(first->mem, text, NULL, &body, err)
		&& hex_parse(value_get_str(&body, "to"), digest, SHA256_SIZE))
		return true;
	if (!store_read(store, run, 1, first_record, first, err))
		return false;
	if (first->good
		&& hex_parse(
			value_get_str(&first->body, "playbook"), digest, SHA256_SIZE))
		return true;
	return err_set(err, ERR_NOT_FOUND, "run '%s' has no stored playbook", run);
}

const struct playbook *
run_book(struct store *store, const char *run, const struct step_type *const *types,
	struct arena *mem, struct diags *diags, struct err *err)
{
	struct first first = {.mem = mem, .err = err};
	uint8_t digest[SHA256_SIZE];
	struct str text;
	if (!book_digest(store, run, &first, digest, err))
		return NULL;
	if (!store_blob(store, digest, mem, &text, err))
		return NULL;
	return bundle_load(text, types, mem, diags, err);
}
