#include "cmd/given.h"

#include <stdio.h>
#include <unistd.h>

#include "data/yaml.h"

enum { MOST_GIVEN = 256 };

struct gathering {
	struct cmd *cmd;
	const struct playbook *book;
	struct diags diags;
	struct input_given given[MOST_GIVEN];
	size_t n;
	int64_t now;
	struct expr_scope scope;                      /* of defaults: `run` alone */
	struct value run;
};

static void
add(struct gathering *g, const char *name, struct str text, const struct value *value,
	struct mark at)
{
	if (g->n < MOST_GIVEN)
		g->given[g->n++] = (struct input_given){
			.name = name, .text = text, .value = value, .at = at};
	else
		diag_error(&g->diags, at, "more than %d inputs are given", MOST_GIVEN);
}

static void
read_file(struct gathering *g, const char *path)
{
	struct arena *mem = g->cmd->mem;
	struct str bytes;
	struct err err;
	struct value v;
	if (!file_read(mem, path, &bytes, NULL, &err)) {
		diag_add(&g->diags, DIAG_ERROR, &err);
		return;
	}
	if (!yaml_parse(
		    mem, source_new(mem, arena_strdup(mem, path), bytes), &v, &g->diags))
		return;
	if (v.kind != V_MAP) {
		diag_error(&g->diags, value_mark(&v),
			"a file of inputs is a map: name: value");
		return;
	}
	for (size_t i = 0; i < v.map->n; i++) {
		const struct member *member = &v.map->members[i];
		add(g, str_cstr(mem, member->key.str), (struct str){NULL, 0},
			&member->value, value_mark(&member->key));
	}
}

static void
read_word(struct gathering *g, const char *word)
{
	struct arena *mem = g->cmd->mem;
	struct str text, name = str_cut(str_of(word), '=', &text);
	const struct source *source = source_new(
		mem, arena_printf(mem, "-i %.*s", STR_FMT(name)), str_of(word));
	struct mark at = {source, 0, (uint32_t)name.n};
	if (text.p == NULL)
		err_hint(diag_error(&g->diags, at, "'%s' gives no value", word),
			"write -i name=value");
	else
		add(g, str_cstr(mem, name), text, NULL, at);
}

static bool
is_given(const struct gathering *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->given[i].name, name) == 0)
			return true;
	return false;
}

/* At a terminal what is missing is asked for, with its help. */
static void
ask_missing(struct gathering *g)
{
	char line[4096];
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || g->cmd->json)
		return;
	for (size_t i = 0; i < g->book->n_inputs; i++) {
		const struct input *input = &g->book->inputs[i];
		if (input->otherwise != NULL || is_given(g, input->name))
			continue;
		cmd_say("%s (%s)%s%s: ", input->name, input->type,
			input->help != NULL ? ", " : "",
			input->help != NULL ? input->help : "");
		if (fgets(line, sizeof line, stdin) == NULL)
			return;
		struct str typed = str_copy(g->cmd->mem, str_trim(str_of(line)));
		if (typed.n > 0)
			add(g, input->name, typed, NULL,
				(struct mark){source_new(g->cmd->mem, input->name, typed),
					0, 0});
	}
}

static bool
scope_root(
	const struct expr_scope *scope, size_t number, struct value *out, struct err *err)
{
	const struct gathering *g = scope->with;
	if ((int)number != g->book->names->run)
		return err_set(err, ERR_UNKNOWN_NAME, "only `run` exists here");
	*out = g->run;
	return true;
}

static void
make_scope(struct gathering *g, struct run_options *options)
{
	static const char *const modes[] = {[MODE_RUN] = "run", [MODE_DRY] = "dry_run",
		[MODE_DRILL] = "drill", [MODE_UNDO] = "run"};
	const struct self *self = g->cmd->host->type->self(g->cmd->host);
	struct map_builder run = {.mem = g->cmd->mem};
	g->now = g->cmd->host->type->now(g->cmd->host).wall;
	options->id = run_id(g->cmd->host, g->cmd->mem);
	map_put(&run, "id", value_str(str_of(options->id)));
	map_put(&run, "mode", value_str(str_of(modes[options->mode])));
	map_put(&run, "name", value_str(str_of(g->book->name)));
	map_put(&run, "started", value_time_us(g->now));
	map_put(&run, "elapsed", value_duration_ns(0));
	map_put(&run, "operator", value_str(str_of(self->user)));
	map_put(&run, "host", value_str(str_of(self->host)));
	g->run = map_done(&run);
	g->scope = (struct expr_scope){.root = scope_root, .with = g};
	g->scope.roots = arena_array(
		g->cmd->mem, const struct value *, g->book->names->env.n_roots + 1);
}

static void
add_templates(struct gathering *g, const struct named_template *more, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct value *v = arena_new_of(g->cmd->mem, struct value);
		struct err err;
		if (template_eval(more[i].value, &g->scope, g->cmd->mem, v, &err))
			add(g, more[i].name, (struct str){NULL, 0}, v, more[i].at);
		else
			diag_add(&g->diags, DIAG_ERROR, &err);
	}
}

bool
inputs_gather(struct cmd *cmd, const struct playbook *book,
	const struct named_template *more, size_t n_more, struct run_options *options)
{
	struct value *out = arena_new_of(cmd->mem, struct value);
	struct gathering *g = arena_new_of(cmd->mem, struct gathering);
	if (!cmd_host(cmd))
		return false;
	g->cmd = cmd;
	g->book = book;
	g->diags.mem = cmd->mem;
	make_scope(g, options);
	options->inputs = out;
	add_templates(g, more, n_more);
	for (size_t i = 0; i < cmd->n_given; i++)
		if (strcmp(cmd->given[i].row->name, "inputs") == 0)
			read_file(g, cmd->given[i].value);
	for (size_t i = 0; i < cmd->n_given; i++)
		if (strcmp(cmd->given[i].row->name, "input") == 0)
			read_word(g, cmd->given[i].value);
	ask_missing(g);
	bool good = inputs_apply(
		book, g->given, g->n, &g->scope, g->now, cmd->mem, out, &g->diags);
	diags_sort(&g->diags);
	cmd_diags(cmd, &g->diags);
	return good && g->diags.errors == 0;
}
