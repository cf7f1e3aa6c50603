#include "cmd/carry.h"
#include "cmd/given.h"

#include <stdio.h>
#include <string.h>

/* Each --override names a gate; the --reason after it is its reason. */
static bool
read_overrides(struct cmd *cmd, struct run_options *options)
{
	const char **paths = arena_array(cmd->mem, const char *, cmd->n_given + 1);
	const char **reasons = arena_array(cmd->mem, const char *, cmd->n_given + 1);
	size_t n = 0;
	for (size_t i = 0; i < cmd->n_given; i++) {
		const char *name = cmd->given[i].row->name;
		if (strcmp(name, "override") == 0)
			paths[n++] = cmd->given[i].value;
		else if (strcmp(name, "reason") == 0 && n == 0)
			return cmd_say("rbx %s: --reason stands after the --override "
				"that it is for\n", cmd->command->name), false;
		else if (strcmp(name, "reason") == 0)
			reasons[n - 1] = cmd->given[i].value;
	}
	for (size_t i = 0; i < n; i++)
		if (reasons[i] == NULL) {
			cmd_say("rbx %s: --override %s needs --reason TEXT after it\n",
				cmd->command->name, paths[i]);
			return false;
		}
	options->overrides = n > 0 ? paths : NULL;
	options->reasons = n > 0 ? reasons : NULL;
	return true;
}

static bool
is_gate(const struct part_list *part, const char *list, const char *path)
{
	size_t n = strlen(list);
	const char *id = strncmp(path, list, n) == 0 && path[n] == '/' ? path + n + 1
								       : path;
	for (size_t i = 0; i < part->n; i++)
		if (strcmp(part->nodes[i]->id, id) == 0)
			return true;
	return false;
}

/* What is let pass must be there: a slip of the pen would be found too late. */
static bool
overrides_exist(struct cmd *cmd, const struct playbook *book,
	const struct run_options *options)
{
	const struct part_list *trigger = &book->parts[PART_TRIGGER],
			       *preconditions = &book->parts[PART_PRECONDITIONS];
	for (size_t i = 0; options->overrides != NULL && options->overrides[i] != NULL;
		i++) {
		const char *path = options->overrides[i];
		if (is_gate(trigger, "trigger", path)
			|| is_gate(preconditions, "preconditions", path))
			continue;
		cmd_say("rbx %s: --override %s: %s has no such trigger or "
			"precondition; it has", cmd->command->name, path, book->name);
		for (size_t j = 0; j < trigger->n; j++)
			cmd_say(" trigger/%s", trigger->nodes[j]->id);
		for (size_t j = 0; j < preconditions->n; j++)
			cmd_say(" preconditions/%s", preconditions->nodes[j]->id);
		cmd_say("%s\n", trigger->n + preconditions->n == 0 ? " none" : "");
		return false;
	}
	return true;
}

static const struct playbook *
load(struct cmd *cmd, bool to_run)
{
	struct diags diags = {.mem = cmd->mem};
	const struct playbook *book = book_read(cmd, cmd->words[0], &diags);
	if (book != NULL && to_run)
		playbook_unsupported(book, &diags, DIAG_ERROR);
	diags_sort(&diags);
	cmd_diags(cmd, &diags);
	return diags.errors > 0 ? NULL : book;
}

static int
start(struct cmd *cmd, const struct playbook *book, struct run_options *options)
{
	struct err err = {0};
	const char *run = NULL;
	if (!read_overrides(cmd, options) || !overrides_exist(cmd, book, options)
		|| !cmd_store(cmd))
		return EXIT_WRONG;
	options->yes = cmd_flag(cmd, "yes");
	options->no_wait = cmd_flag(cmd, "no-wait");
	options->wait_for_locks = cmd_flag(cmd, "wait");
	carry_prepare(cmd, book, options);
	int code = run_start(cmd->host, cmd->store, book, options, cmd->mem, &run, &err);
	return carry_finish(cmd, options, book, run, code, &err);
}

static int
run(struct cmd *cmd)
{
	struct run_options options = {
		.mode = cmd_flag(cmd, "dry-run") ? MODE_DRY : MODE_RUN};
	const struct playbook *book = load(cmd, true);
	if (book == NULL || !inputs_gather(cmd, book, NULL, 0, &options))
		return EXIT_WRONG;
	return start(cmd, book, &options);
}

static int
drill(struct cmd *cmd)
{
	struct run_options options = {0};
	const struct playbook *book = load(cmd, true);
	if (book == NULL)
		return EXIT_WRONG;
	if (!book->drill.written)
		return cmd_say("%s has no `drill:`: how it is rehearsed is not said\n",
			       cmd->words[0]),
		       EXIT_WRONG;
	options.mode = book->drill.real ? MODE_DRILL : MODE_DRY;
	if (!inputs_gather(cmd, book, book->drill.inputs, book->drill.n_inputs, &options))
		return EXIT_WRONG;
	return start(cmd, book, &options);
}

static const struct option_row run_options[] = {
	{"input", 'i', "NAME=VALUE", "an input; a list or map as YAML"},
	{"inputs", 0, "FILE", "inputs from a YAML file"},
	{"dry-run", 'n', NULL, "read everything, change nothing, show what would change"},
	{"yes", 'y', NULL, "answer the questions that want no word and no group"},
	{"override", 0, "PATH",
		"let this trigger or precondition fail, in this run only"},
	{"reason", 0, "TEXT", "of the override before it; stands first in the report"},
	{"no-wait", 0, NULL, "end with 4 instead of waiting for a person"},
	{"wait", 0, NULL, "wait for locks that another run holds"},
	{NULL, 0, NULL, NULL},
};

const struct command run_command = {
	.name = "run",
	.summary = "carry out a playbook",
	.words = "PLAYBOOK",
	.text = "Each change is on the record before it starts and after it ended. After "
		"a crash, a failure or a cancel\n"
		"`rbx resume` goes on, and nothing is done twice in silence.",
	.example = "  rbx run playbooks/emergency-failover.yaml -i down_since=-7m "
		   "--dry-run\n"
		   "  rbx run playbooks/emergency-failover.yaml -i down_since=-7m",
	.options = run_options,
	.least = 1,
	.most = 1,
	.secrets = true,
	.run = run,
};

static const struct option_row drill_options[] = {
	{"input", 'i', "NAME=VALUE", "an input, instead of that of drill.inputs"},
	{"inputs", 0, "FILE", "inputs from a YAML file"},
	{"yes", 'y', NULL, "answer the questions that want no word and no group"},
	{"no-wait", 0, NULL, "end with 4 instead of waiting for a person"},
	{"wait", 0, NULL, "wait for locks that another run holds"},
	{NULL, 0, NULL, NULL},
};

const struct command drill_command = {
	.name = "drill",
	.summary = "rehearse a playbook as its `drill:` says",
	.words = "PLAYBOOK",
	.text = "Carried out for real on the inputs of the drill, or as a dry run; undone at the end; what stays is named. Green if every\n"
		"objective was measured and met and nothing but `leaves` was left behind.",
	.example = "  rbx drill playbooks/emergency-failover.yaml",
	.options = drill_options,
	.least = 1,
	.most = 1,
	.secrets = true,
	.run = drill,
};
