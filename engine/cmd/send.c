/* The commands that leave a message for the owner of a run, alive or to come: approve,
 * cancel, resolve. Who sends it is what the store knows; what became of it stands
 * on the record of the run. */
#include "cmd/carry.h"

#include "run/permit.h"

#include <stdio.h>
#include <unistd.h>

static struct map_builder
message_of(struct cmd *cmd, const char *what)
{
	struct map_builder map = {.mem = cmd->mem};
	const char *reason = cmd_value(cmd, "reason");
	map_put(&map, "do", value_str(str_of(what)));
	if (reason != NULL)
		map_put(&map, "reason", value_str(str_of(reason)));
	return map;
}

/* still: who has to answer besides, for people; NULL: nobody. */
static int
send(struct cmd *cmd, struct map_builder *message, const char *still)
{
	struct err err;
	struct buf out = buf_in(cmd->mem);
	const struct holder *holder;
	uint64_t id;
	const char *run = cmd_run(cmd, cmd->words[0]);
	if (run == NULL)
		return EXIT_WRONG;
	struct value body = map_done(message);
	if (!store_send(cmd->store, run, str_of(json_text(cmd->mem, &body, JSON_COMPACT)),
		    &id, &err))
		return cmd_error(cmd, EXIT_FAILED, &err);
	bool alive = store_alive(cmd->store, run, cmd->mem, &holder);
	if (cmd->json)
		buf_printf(&out, "{\"run\":\"%s\",\"message\":%llu,\"alive\":%s}\n", run,
			(unsigned long long)id, alive ? "true" : "false");
	else if (alive)
		buf_printf(&out, "sent to run %s on %s\n", run, holder->host);
	else
		buf_printf(&out,
			"left for run %s, which nobody carries out now; go on with: rbx "
			"resume %s\n",
			run, run);
	if (!cmd->json && still != NULL)
		buf_printf(&out, "it still needs %s\n", still);
	cmd_print(cmd, &out);
	return EXIT_DONE;
}

/* --answer NAME=VALUE: what the step judges by the types of its questions. */
static bool
add_answers(struct cmd *cmd, struct map_builder *message)
{
	struct map_builder answers = {.mem = cmd->mem};
	for (size_t i = 0; i < cmd->n_given; i++) {
		struct str value;
		if (strcmp(cmd->given[i].row->name, "answer") != 0)
			continue;
		struct str name = str_cut(str_of(cmd->given[i].value), '=', &value);
		if (value.p == NULL)
			return false;
		map_put_str(&answers, name, value_str(value));
	}
	if (answers.n > 0)
		map_put(message, "answers", map_done(&answers));
	return true;
}

/* The path of a run that waits for a person there; NULL: the error was told. */
static const struct path_state *
waiting_path(struct cmd *cmd, const struct run_state *state, const char *name)
{
	const struct path_state *path = state_find(state, name);
	struct err err;
	struct buf list = buf_in(cmd->mem);
	if (path != NULL && (path->ask != 0 || path->state == OUT_DOUBT))
		return path;
	for (struct link *l = state->waiting.next; l != &state->waiting; l = l->next)
		buf_printf(&list, "%s%s", list.n > 0 ? ", " : "",
			list_item(l, struct path_state, waiting)->path);
	err_set(&err, ERR_UNKNOWN_NAME, "nobody is waited for at '%s' of run %.*s", name,
		STR_FMT(state->id));
	err_hint(&err, list.n > 0 ? "it waits at %s" : "it waits for nobody%s",
		buf_cstr(&list));
	cmd_error(cmd, EXIT_WRONG, &err);
	return NULL;
}

/* What the step would fail by is refused here, with what was expected. Questions are written
 * without expressions. */
static bool
fit_answers(struct cmd *cmd, const struct summary *summary, const struct path_state *path,
	const struct value *given)
{
	const struct node *node = summary->book == NULL ? NULL
		: playbook_node(summary->book, str_of(path->path));
	bool asks = node != NULL && node->type != NULL && node->type->answers != NULL;
	const struct value *all = given != NULL ? given : path->answers;
	struct value ignored;
	struct err err;
	if (!asks && given != NULL) {
		err_set(&err, ERR_VALUE, "%s is a question of yes or no: it takes no --answer",
			path->path);
	} else if (!asks || node->type->answers(cmd->mem, template_source(node->args), all,
			&ignored, &err)) {
		return true;
	}
	cmd_error(cmd, EXIT_WRONG, &err);
	return false;
}

/* What the owner will find, told at once where it refuses. *still: who has to answer
 * besides. */
static bool
may_answer(struct cmd *cmd, const struct run_state *state, struct path_state *path,
	bool yes, const char **still)
{
	const struct self *self = cmd->host->type->self(cmd->host);
	const char *group = path->by, *groups[] = {group, NULL};
	struct answerer from = {.person = self->person};
	struct err err;
	if (group != NULL && self->person != NULL
		&& cmd->host->type->in_group(cmd->host, self->person, group))
		from.groups = groups;
	if (!permit_answer(state, path, &from, yes, &err)) {
		cmd_error(cmd, EXIT_WRONG, &err);
		return false;
	}
	if (!yes || permit_missing(path) < 2)
		return true;
	const char **answered = arena_array(cmd->mem, const char *, path->n_answers + 1);
	for (unsigned i = 0; i < path->n_answers; i++)
		answered[i] = path->answered[i];
	answered[path->n_answers++] = self->person;
	path->answered = answered;
	*still = permit_text(cmd->mem, state, path);
	return true;
}

/* An answer binds the question that stands now: it names it, and holds its word. */
static int
run_approve(struct cmd *cmd)
{
	struct map_builder message = message_of(cmd, "approve");
	const char *word = cmd_value(cmd, "word"), *run = cmd_run(cmd, cmd->words[0]);
	bool no = cmd_flag(cmd, "no");
	struct summary summary;
	struct err err;
	if (!add_answers(cmd, &message)) {
		err_set(&err, ERR_VALUE, "--answer wants NAME=VALUE");
		return cmd_error(cmd, EXIT_WRONG, &err);
	}
	if (run == NULL || !summary_load(cmd, run, &summary))
		return EXIT_WRONG;
	const struct path_state *path = waiting_path(cmd, summary.state, cmd->words[1]);
	if (path == NULL)
		return EXIT_WRONG;
	if (path->ask == 0 || path->what != ASK_CHANGE) {
		err_set(&err, ERR_VALUE, "%s is no question of yes or no", path->path);
		err_hint(&err, "settle it with rbx resolve");
		return cmd_error(cmd, EXIT_WRONG, &err);
	}
	if (!no && path->word != NULL
		&& (word == NULL || strcmp(word, path->word) != 0)) {
		err_set(&err, ERR_VALUE, "the question wants the word %s", path->word);
		err_hint(&err, "add --word %s, if that is what you mean", path->word);
		return cmd_error(cmd, EXIT_WRONG, &err);
	}
	int64_t now = cmd->host->type->now(cmd->host).wall;
	if (path->until_at != 0 && path->until_at <= now && summary.holder == NULL) {
		err_set(&err, ERR_TIMEOUT, "the time to answer was over at %s",
			time_text_us(cmd->mem, path->until_at));
		err_hint(&err, "rbx resume %s says what comes of it; a step asks again", run);
		return cmd_error(cmd, EXIT_WRONG, &err);
	}
	struct value answers = map_done(&message);
	if (!no && !fit_answers(cmd, &summary, path, value_get(&answers, "answers")))
		return EXIT_WRONG;
	const char *still = NULL;
	if (!may_answer(cmd, summary.state, state_find(summary.state, path->path), !no,
		    &still))
		return EXIT_WRONG;
	map_put(&message, "step", value_str(str_of(cmd->words[1])));
	map_put(&message, "yes", value_bool(!no));
	map_put(&message, "ask", value_int((int64_t)path->ask));
	if (word != NULL)
		map_put(&message, "word", value_str(str_of(word)));
	return send(cmd, &message, still);
}

/* A run that has ended hears nothing: false, and the error was told. */
static bool
open_run(struct cmd *cmd, struct summary *summary)
{
	const char *run = cmd_run(cmd, cmd->words[0]);
	struct err err;
	if (run == NULL || !summary_load(cmd, run, summary))
		return false;
	if (summary->state->end == END_NONE)
		return true;
	err_set(&err, ERR_VALUE, "run %s has ended as %s", run,
		run_word(summary->state, false));
	if (summary->state->end == END_FAILED || summary->state->end == END_CANCELLED)
		err_hint(&err, "rbx resume %s opens it again", run);
	cmd_error(cmd, EXIT_WRONG, &err);
	return false;
}

/* An answer names what it settles: the question, or the attempt that is in doubt. An intent that a
 * crash left open is settled by the next resume, before it decides. */
static bool
name_attempt(struct cmd *cmd, const struct summary *summary, struct map_builder *message)
{
	const struct path_state *path = state_find(summary->state, cmd->words[1]);
	bool crashed = path != NULL && summary->holder == NULL
		&& (path->open || path->fate == FATE_DOUBT);
	if (!crashed && waiting_path(cmd, summary->state, cmd->words[1]) == NULL)
		return false;
	if (path->ask != 0)
		map_put(message, "ask", value_int((int64_t)path->ask));
	map_put(message, "attempt", value_int(path->attempt));
	return true;
}

static int
run_cancel(struct cmd *cmd)
{
	struct summary summary;
	if (!open_run(cmd, &summary))
		return EXIT_WRONG;
	struct map_builder message =
		message_of(cmd, cmd_flag(cmd, "now") ? "stop" : "cancel");
	return send(cmd, &message, NULL);
}

static const struct { const char *flag, *choice;
} choices[] = {
	{"done", "done"},
	{"failed", "failed"},
	{"skip", "skip"},
	{"retry", "retry"},
	{"retry-as-new", "retry-as-new"},
};

static struct value
outputs_of(struct cmd *cmd)
{
	struct map_builder outputs = {.mem = cmd->mem};
	for (size_t i = 0; i < cmd->n_given; i++) {
		if (strcmp(cmd->given[i].row->name, "output") != 0)
			continue;
		struct str text, name = str_cut(str_of(cmd->given[i].value), '=', &text);
		struct value v;
		struct err ignored;
		if (!json_parse(cmd->mem, text, NULL, &v, &ignored))
			v = value_str(text);
		map_put_str(&outputs, name, v);
	}
	return map_done(&outputs);
}

static int
run_resolve(struct cmd *cmd)
{
	struct map_builder message = message_of(cmd, "resolve");
	const char *choice = NULL;
	size_t n = 0;
	for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
		if (cmd_flag(cmd, choices[i].flag)) {
			choice = choices[i].choice;
			n++;
		}
	if (n != 1)
		return cmd_say("rbx resolve: say one of --done, --failed, --skip, "
			       "--retry, --retry-as-new\n"),
		       EXIT_WRONG;
	if (cmd_value(cmd, "reason") == NULL)
		return cmd_say("rbx resolve: --reason TEXT is needed: it stands in the "
			       "record\n"),
		       EXIT_WRONG;
	struct summary summary;
	if (!open_run(cmd, &summary) || !name_attempt(cmd, &summary, &message))
		return EXIT_WRONG;
	map_put(&message, "step", value_str(str_of(cmd->words[1])));
	map_put(&message, "choice", value_str(str_of(choice)));
	if (cmd_value(cmd, "output") != NULL)
		map_put(&message, "outputs", outputs_of(cmd));
	return send(cmd, &message, NULL);
}

static const struct option_row approve_options[] = {
	{"no", 0, NULL, "refuse instead"},
	{"word", 0, "WORD", "the word that the question wants typed"},
	{"answer", 0, "NAME=VALUE", "an answer to one of its questions"},
	{"reason", 0, "TEXT", "stands in the record"},
	{NULL, 0, NULL, NULL},
};

const struct command approve_command = {
	.name = "approve",
	.summary = "answer a question of a run",
	.words = "RUN STEP",
	.text = "The answer binds what the question showed. If the world has changed since, the question is asked again.\n"
		"Where the question wants a group, several persons or somebody else than who asked for the run, it counts who\n"
		"sits there: the login as the kernel keeps it over su and sudo, else who called sudo, else the user. Root is no\n"
		"person. Whoever may write the store's files could write another name: keep such runs under an account that\n"
		"people reach by sudo only.",
	.example = "  rbx approve last move/cutover --reason 'agreed in the call'",
	.options = approve_options,
	.least = 2,
	.most = 2,
	.run = run_approve,
};

static const struct option_row cancel_options[] = {
	{"now", 0, NULL, "end what runs: changes under way are left in doubt"},
	{"reason", 0, "TEXT", "stands in the record"},
	{NULL, 0, NULL, NULL},
};

const struct command cancel_command = {
	.name = "cancel",
	.summary = "stop a run cleanly",
	.words = "RUN",
	.text = "Nothing new starts, changes that have begun are brought to their end, handlers follow.",
	.example = "  rbx cancel last",
	.options = cancel_options,
	.least = 1,
	.most = 1,
	.run = run_cancel,
};

static const struct option_row resolve_options[] = {
	{"done", 0, NULL, "it took effect"},
	{"failed", 0, NULL, "it did not, and the step has failed"},
	{"skip", 0, NULL, "go on without it"},
	{"retry", 0, NULL, "try again with the same key"},
	{"retry-as-new", 0, NULL,
		"try again with a new key: the far side may do it a second time"},
	{"output", 0, "NAME=VALUE",
		"an output that the step would have given (with --done)"},
	{"reason", 0, "TEXT", "stands in the record; required"},
	{NULL, 0, NULL, NULL},
};

const struct command resolve_command = {
	.name = "resolve",
	.summary = "settle a step that is in doubt or has failed",
	.words = "RUN STEP",
	.text = "A step is in doubt when nobody knows whether its change took place. "
		"Look at the world, then say what you saw.",
	.example = "  rbx resolve last move/cutover --done --reason 'the record points "
		   "at Staging'",
	.options = resolve_options,
	.least = 2,
	.most = 2,
	.run = run_resolve,
};
