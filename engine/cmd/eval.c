/* An expression against inputs, or against what a run recorded. */
#include "cmd/carry.h"

#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/expr.h"
#include "data/yaml.h"
#include "host/lazy.h"

enum root { ROOT_INPUTS, ROOT_VARS, ROOT_STEPS, ROOT_RUN, ROOT_NOW, ROOTS };

struct bench {
	struct cmd *cmd;
	struct value values[ROOTS];
	const struct value *places[ROOTS];
	struct expr_root roots[ROOTS];
	struct expr_env env;
	struct expr_scope scope;
};

static struct value
given_inputs(struct cmd *cmd, const struct value *recorded)
{
	struct map_builder inputs = {.mem = cmd->mem};
	for (size_t i = 0; recorded != NULL && recorded->kind == V_MAP && i < recorded->map->n; i++)
		map_put_str(&inputs, recorded->map->members[i].key.str,
			recorded->map->members[i].value);
	for (size_t i = 0; i < cmd->n_given; i++) {
		if (strcmp(cmd->given[i].row->name, "input") != 0)
			continue;
		struct str text, name = str_cut(str_of(cmd->given[i].value), '=', &text);
		map_put_str(&inputs, name, yaml_scalar(cmd->mem, str_copy(cmd->mem, text)));
	}
	return map_done(&inputs);
}

/* The last part of a path, without the number of an item: the step's id. */
static struct str
id_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct str rest;
	return str_cut(str_of(slash == NULL ? path : slash + 1), '[', &rest);
}

static struct value
step_of(struct arena *mem, const struct run_state *state, const struct path_state *path)
{
	struct map_builder step = {.mem = mem};
	struct value none = value_map(mem, NULL, 0);
	const char *status = path_status(state, path);
	map_put(&step, "status", value_str(str_of(status == NULL ? "pending" : status)));
	map_put(&step, "outputs", path->outputs == NULL ? none : *path->outputs);
	map_put(&step, "measures", path->measures == NULL ? none : *path->measures);
	if (path->started_at != 0)
		map_put(&step, "started", value_time_us(path->started_at));
	if (path->ended_at != 0)
		map_put(&step, "ended", value_time_us(path->ended_at));
	return map_done(&step);
}

static struct value
recorded_steps(struct arena *mem, const struct run_state *state)
{
	struct map_builder steps = {.mem = mem};
	for (const struct path_state *p = state->first; p != NULL; p = p->next)
		if (p->path[0] != '\0' && p->path[strlen(p->path) - 1] != ']')
			map_put_str(&steps, id_of(p->path), step_of(mem, state, p));
	return map_done(&steps);
}

static bool
lay_out(struct bench *bench)
{
	static const char *const names[] = {"inputs", "vars", "steps", "run", "now"};
	struct cmd *cmd = bench->cmd;
	struct value none = value_map(cmd->mem, NULL, 0);
	const char *word = cmd_value(cmd, "run");
	struct summary summary = {0};
	for (int i = 0; i < ROOTS; i++)
		bench->values[i] = none;
	if (!cmd_host(cmd))
		return false;
	bench->values[ROOT_NOW] = value_time_us(cmd->host->type->now(cmd->host).wall);
	if (word != NULL) {
		const char *run = cmd_run(cmd, word);
		if (run == NULL || !summary_load(cmd, run, &summary))
			return false;
		const struct value *vars = value_get(summary.state->run, "vars");
		bench->values[ROOT_VARS] = vars == NULL ? none : *vars;
		bench->values[ROOT_STEPS] = recorded_steps(cmd->mem, summary.state);
		bench->values[ROOT_RUN] = summary_value(cmd->mem, &summary);
	}
	bench->values[ROOT_INPUTS] = given_inputs(
		cmd, summary.state == NULL ? NULL : value_get(summary.state->run, "inputs"));
	for (int i = 0; i < ROOTS; i++) {
		bench->roots[i] = (struct expr_root){.name = names[i],
			.type = i == ROOT_NOW ? &expr_timestamp : &expr_dyn};
		bench->places[i] = &bench->values[i];
	}
	bench->env = (struct expr_env){.roots = bench->roots, .n_roots = ROOTS};
	bench->scope = (struct expr_scope){.roots = bench->places};
	return true;
}

static int
evaluate(struct bench *bench, const char *text)
{
	struct cmd *cmd = bench->cmd;
	struct arena *mem = arena_new();
	struct diags diags = {.mem = mem};
	struct buf out = buf_in(mem);
	struct err err;
	struct value v;
	struct source source = {.name = "expression", .text = str_of(text)};
	struct mark at = {&source, 0, (uint32_t)strlen(text)};
	const struct expr *expr =
		expr_compile(mem, source.text, at, NULL, &bench->env, &diags);
	int code = EXIT_DONE;
	if (expr == NULL) {
		cmd_diags(cmd, &diags);
		code = EXIT_WRONG;
	} else if (!expr_eval(expr, &bench->scope, mem, &v, &err)) {
		code = cmd_error(cmd, EXIT_FAILED, &err);
	} else {
		bool plain = !cmd->json && v.kind == V_STRING && !(v.flags & VALUE_SECRET);
		if (plain)
			buf_safe(&out, v.str, true);
		else
			json_write(&out, &v, JSON_MASK | (cmd->json ? 0 : JSON_INDENT));
		buf_putc(&out, '\n');
		cmd_print(cmd, &out);
	}
	arena_free(mem);
	return code;
}

/* ---- the prompt */

static char *
prompt_text(EditLine *line)
{
	static char text[] = "rbx> ";
	(void)line;
	return text;
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		|| c == '_' || c == '.';
}

/* The one name that the word before the cursor begins, of roots and functions. */
static unsigned char
complete(EditLine *line, int key)
{
	void *with;
	const LineInfo *info = el_line(line);
	const char *from = info->cursor, *found = NULL;
	size_t n_functions;
	(void)key;
	el_get(line, EL_CLIENTDATA, &with);
	const struct bench *bench = with;
	while (from > info->buffer && is_word(from[-1]))
		from--;
	struct str word = {from, (size_t)(info->cursor - from)};
	const struct expr_function *functions = expr_functions(&n_functions);
	for (size_t i = 0; i < bench->env.n_roots + n_functions && word.n > 0; i++) {
		const char *name = i < bench->env.n_roots
			? bench->roots[i].name
			: functions[i - bench->env.n_roots].name;
		if (!str_starts(str_of(name), word) || (found != NULL && strcmp(found, name) == 0))
			continue;
		if (found != NULL)
			return CC_REFRESH_BEEP;       /* several: nothing is guessed */
		found = name;
	}
	if (found == NULL || el_insertstr(line, found + word.n) < 0)
		return CC_ERROR;
	return CC_REFRESH;
}

static int
converse(struct bench *bench)
{
	struct err err;
	if (!lazy_edit(&err))
		return cmd_error(bench->cmd, EXIT_FAILED, &err);
	EditLine *line = el_init("rbx", stdin, stdout, stderr);
	History *past = history_init();
	HistEvent event;
	int n;
	history(past, &event, H_SETSIZE, 200);
	el_set(line, EL_PROMPT, prompt_text);
	el_set(line, EL_EDITOR, "emacs");
	el_set(line, EL_HIST, history, past);
	el_set(line, EL_CLIENTDATA, bench);
	el_set(line, EL_ADDFN, "complete", "complete a name", complete);
	el_set(line, EL_BIND, "^I", "complete", NULL);
	for (const char *text; (text = el_gets(line, &n)) != NULL && n > 0;) {
		struct str typed = str_copy(bench->cmd->mem, str_trim(str_of(text)));
		if (typed.n == 0)
			continue;
		history(past, &event, H_ENTER, text);
		evaluate(bench, typed.p);
	}
	history_end(past);
	el_end(line);
	return EXIT_DONE;
}

static int
run(struct cmd *cmd)
{
	struct bench *bench = arena_new_of(cmd->mem, struct bench);
	bench->cmd = cmd;
	if (cmd->n_words == 0 && !isatty(STDIN_FILENO)) {
		fputs("rbx eval: say an expression, or start it at a terminal\n", stderr);
		return EXIT_WRONG;
	}
	if (!lay_out(bench))
		return EXIT_WRONG;
	return cmd->n_words > 0 ? evaluate(bench, cmd->words[0]) : converse(bench);
}

static const struct option_row options[] = {
	{"input", 'i', "NAME=VALUE", "an input"},
	{"run", 0, "RUN", "what this run recorded: inputs, vars, steps, run"},
	{NULL, 0, NULL, NULL},
};

const struct command eval_command = {
	.name = "eval",
	.summary = "evaluate an expression",
	.words = "[EXPR]",
	.text = "Against inputs, or against the record of a run. Without EXPR a prompt; Tab\n"
		"completes a name.",
	.example = "  rbx eval \"now - timestamp('2026-01-19T13:00:00Z') < duration('5m')\"\n"
		   "  rbx eval --run last 'steps.dump.outputs.bytes'",
	.options = options,
	.most = 1,
	.guard = GUARD_BUT_STORE,
	.store_if = "run",
	.run = run,
};
