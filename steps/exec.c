#include "shared.h"

#include <stdio.h>

static const struct field in_rows[] = {
	{.name = "argv", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "the program and its arguments, no shell"},
	{.name = "shell", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_SHELL, .either = 1,
	 .help = "text for sh -eu"},
	{.name = "args", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "$1, $2, … of shell"},
	{.name = "cwd", .type = FIELD_PATH, .help = "else the playbook's folder"},
	{.name = "stdin", .type = FIELD_SECRET, .help = "what it reads; else nothing"},
	{.name = "json", .type = FIELD_BOOL, .otherwise = "false", .help = "standard output must be JSON"},
	{.name = "env", .type = FIELD_MAP, .each = FIELD_SECRET, .help = "values for its environment"},
	{.name = "pass_env", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .help = "names passed on from rbx's own environment"},
	{.name = "files", .type = FIELD_MAP, .each = FIELD_SECRET,
	 .help = "each goes to a file of mode 0600, its path to the environment under that name"},
	{.name = "creates", .type = FIELD_PATH, .help = "exists: done, unchanged"},
	{.name = NULL},
};

static const struct field out_rows[] = {
	{.name = "code", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "exit code"},
	{.name = "stdout", .type = FIELD_TEXT, .help = "first and last 64 KiB"},
	{.name = "stderr", .type = FIELD_TEXT, .help = "first and last 64 KiB"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "with json: standard output"},
	{.name = NULL},
};

static enum effect
effect_of(const struct value *args)
{
	return value_get(args, "creates") != NULL ? PROBED : ONCE;
}

enum { KEEP = 65536 };

/* The program's arguments, NULL-ended. Of `shell`: sh -eu -c TEXT sh ARGS, so that data
 * is never part of the text. */
static const char *const *
argv_of(struct step *step)
{
	const struct value *argv = value_get(step->in, "argv"),
			   *args = value_get(step->in, "args");
	const struct value *list = argv != NULL ? argv : args;
	size_t n = list == NULL ? 0 : list->list.n, at = 0;
	const char **out = arena_array(step->mem, const char *, n + 6);
	if (argv == NULL) {
		static const char *const shell[] = {"/bin/sh", "-eu", "-c"};
		for (; at < 3; at++)
			out[at] = shell[at];
		out[at++] = str_cstr(step->mem, value_get_str(step->in, "shell"));
		out[at++] = "sh";
	}
	for (size_t i = 0; i < n; i++)
		out[at++] = str_cstr(step->mem, list->list.items[i].str);
	return out;
}

static void
add_files(struct step *step, struct exec_ask *ask)
{
	const struct value *files = value_get(step->in, "files");
	if (files == NULL || files->map->n == 0)
		return;
	struct exec_file *out = arena_array(step->mem, struct exec_file, files->map->n);
	for (size_t i = 0; i < files->map->n; i++) {
		const struct member *member = &files->map->members[i];
		out[i] = (struct exec_file){
			.variable = str_cstr(step->mem, member->key.str),
			.text = member->value.str};
	}
	ask->files = out;
	ask->n_files = files->map->n;
}

static enum verdict
start(struct step *step)
{
	struct str cwd = value_get_str(step->in, "cwd");
	struct exec_ask ask = {
		.argv = argv_of(step),
		.env = step_child_env(step, value_get(step->in, "env"),
			value_get(step->in, "pass_env")),
		.dir = cwd.n > 0 ? str_cstr(step->mem, cwd) : step->folder,
		.in = value_get_str(step->in, "stdin"),
		.keep = KEEP,
		.keep_log = true,
	};
	add_files(step, &ask);
	return step_exec(step, (struct how){.title = ask.argv[0]}, &ask);
}

static struct str
last_line(struct str text)
{
	text = str_trim(text);
	for (size_t i = text.n; i > 0; i--)
		if (text.p[i - 1] == '\n')
			return str_from(text, i);
	return text;
}

/* It ended badly by itself: half of its work may be done. */
static enum verdict
ended_badly(struct step *step, const struct exec_answer *answer)
{
	struct str words = last_line(answer->err.n > 0 ? answer->err : answer->out);
	struct buf said = buf_in(step->mem);
	buf_safe(&said, words, false);
	const char *colon = said.n > 0 ? ": " : "";
	if (answer->signal != 0)
		step_unmet(step, "ended by signal %d%s%.200s", answer->signal, colon,
			buf_cstr(&said));
	else
		step_unmet(step, "exit code %d%s%.200s", answer->code, colon,
			buf_cstr(&said));
	return STEP_PARTIAL;
}

static enum verdict
judge(struct step *step, const struct exec_answer *answer)
{
	char code[16];
	struct map_builder out = {.mem = step->mem};
	map_put(&out, "code", value_int(answer->code));
	map_put(&out, "stdout", value_str(answer->out));
	map_put(&out, "stderr", value_str(answer->err));
	snprintf(code, sizeof code, "%d", answer->code);
	bool good = answer->signal == 0
		&& (answer->code == 0 || step_accepts(step, str_of(code)));
	struct err err;
	struct value json;
	bool parse = value_get_bool(step->in, "json", false);
	bool parsed =
		parse && json_parse(step->mem, str_trim(answer->out), NULL, &json, &err);
	if (parsed)
		map_put(&out, "json", json);
	step_done(step, map_done(&out));
	if (!good)
		return ended_badly(step, answer);
	if (parse && !parsed && answer->code == 0 && answer->cut)
		return step_fail(step, ERR_LIMIT, false,
			       "standard output is longer than %d KiB: it cannot be "
			       "read as JSON",
			       2 * KEEP / 1024),
		       STEP_PARTIAL;
	if (parse && !parsed && answer->code == 0) {
		*step->err = err;
		err_wrap(step->err, "standard output is no JSON");
		return STEP_PARTIAL;
	}
	return STEP_DONE;
}

static enum verdict
look(struct step *step)
{
	struct file_ask ask = {.what = FILE_STAT,
		.path = str_cstr(step->mem, value_get_str(step->in, "creates"))};
	return step_file(step, (struct how){.reads = true}, &ask);
}

static bool
is_there(const struct op *op)
{
	return op->err.code == ERR_NONE
		&& ((const struct file_answer *)op->answer)->exists;
}

static struct value
out_of_none(struct step *step)
{
	struct map_builder out = {.mem = step->mem};
	map_put(&out, "code", value_int(0));
	map_put(&out, "stdout", value_str(STR("")));
	map_put(&out, "stderr", value_str(STR("")));
	return map_done(&out);
}

static enum verdict
was_made(struct step *step)
{
	return step_done(step, out_of_none(step));
}

static enum verdict
run(struct step *step, const struct event *event)
{
	switch (event->kind) {
	case EV_START:
		return value_get(step->in, "creates") != NULL ? look(step) : start(step);
	case EV_OP:
		if (event->op->err.code != ERR_NONE)
			return step_fail_op(step, event->op);
		if (event->op->kind == OP_FILE)
			return is_there(event->op) ? was_made(step) : start(step);
		return judge(step, event->op->answer);
	default:
		return step_fail(step, ERR_CANCELLED, false, "ended before it was done");
	}
}

/* `creates` says whether the program has done its work. */
static enum verdict
probe(struct step *step, const struct event *event)
{
	if (event->kind == EV_START)
		return look(step);
	if (event->kind != EV_OP)
		return step_fail(step, ERR_CANCELLED, false, "ended before it was known");
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	return is_there(event->op) ? was_made(step) : STEP_ABSENT;
}

static bool
has_creates(const struct value *in)
{
	return value_get(in, "creates") != NULL;
}

static struct value
made(struct step *step, bool there)
{
	struct map_builder map = {.mem = step->mem};
	map_put_str(&map, value_get_str(step->in, "creates"),
		value_str(there ? STR("there") : STR("not there")));
	return map_done(&map);
}

/* What the program does besides making `creates` nobody knows. */
static enum verdict
preview(struct step *step, const struct event *event)
{
	struct map_builder out = {.mem = step->mem};
	if (event->kind == EV_START)
		return look(step);
	if (event->kind != EV_OP)
		return step_fail(step, ERR_CANCELLED, false, "ended before it was known");
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	bool there = is_there(event->op);
	map_put(&out, "before", made(step, there));
	map_put(&out, "after", made(step, true));
	map_put(&out, "out", out_of_none(step));
	map_put(&out, "assumed", value_bool(!there));
	return step_done(step, map_done(&out));
}

const struct step_type exec_type = {
	.name = "exec",
	.summary = "run a program",
	.version = 1,
	.in = in_rows,
	.out = out_rows,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = 10 * NS_MIN,
	.takes_effect = true,
	.takes_accept = true,
	.looks_if = has_creates,
	.preview = preview,
	.run = run,
	.probe = probe,
};
