#include "cmd/command.h"

#include <stdio.h>

#include "cmd/topics.h"
#include "model/playbook.h"

static void
write_type(struct buf *out, const struct step_type *type)
{
	const char *timeout =
		type->timeout == 0 ? "none" : duration_text(out->mem, type->timeout);
	buf_printf(out, "%s: %s\n\n", type->name, type->summary);
	buf_printf(out,
		"class %s%s   timeout %s   preview %s   probe %s   undo "
		"%s%s\n\narguments (* required):\n",
		effect_name(type->effect), type->effect_of != NULL ? " at worst" : "",
		timeout, type->preview != NULL ? "yes" : "no",
		type->probe != NULL ? "yes" : "no", type->can_undo ? "auto" : "no",
		type->run == NULL ? "   not in this version" : "");
	write_fields(out, type->in, 0);
	buf_puts(out, "\nresults (• an output without being named):\n");
	write_fields(out, type->out, 0);
}

/* What a type that knows more than its fields tells of the words after its name. */
static int
explain(struct cmd *cmd, const struct step_type *type)
{
	struct asked asked = {.words = cmd->words + 1,
		.n = cmd->n_words - 1,
		.classes = cmd_flag(cmd, "classes")};
	struct explained told;
	struct err err;
	if (!type->explain(cmd->mem, &asked, &told, &err))
		return cmd_error(cmd, EXIT_WRONG, &err);
	if (cmd->json) {
		told.text = buf_in(cmd->mem);
		json_write(&told.text, &told.value, JSON_COMPACT);
		buf_putc(&told.text, '\n');
	}
	cmd_print(cmd, &told.text);
	return EXIT_DONE;
}

static int
no_more(const struct step_type *type)
{
	cmd_say("rbx steps: all that there is to know of %s stands in `rbx steps %s`\n",
		type->name, type->name);
	return EXIT_WRONG;
}

static int
run(struct cmd *cmd)
{
	struct buf out = buf_in(cmd->mem);
	if (cmd->n_words == 0) {
		for (size_t i = 0; cmd_types(cmd)[i] != NULL; i++)
			buf_printf(&out, "%-18s %-11s %s%s\n", cmd_types(cmd)[i]->name,
				effect_name(cmd_types(cmd)[i]->effect),
				cmd_types(cmd)[i]->summary,
				cmd_types(cmd)[i]->run == NULL ? " (not in this version)"
							   : "");
		cmd_print(cmd, &out);
		return EXIT_DONE;
	}
	const struct step_type *type =
		step_type_find(cmd_types(cmd), str_of(cmd->words[0]));
	if (type == NULL) {
		size_t n = 0;
		while (cmd_types(cmd)[n] != NULL)
			n++;
		const char **names = arena_array(cmd->mem, const char *, n + 1);
		for (size_t i = 0; i < n; i++)
			names[i] = cmd_types(cmd)[i]->name;
		cmd_unknown("rbx steps: there is no type", cmd->words[0], names);
		return EXIT_WRONG;
	}
	bool more = cmd->n_words > 1 || cmd_flag(cmd, "classes") || cmd_flag(cmd, "more");
	if (more)
		return type->explain != NULL ? explain(cmd, type) : no_more(type);
	write_type(&out, type);
	cmd_print(cmd, &out);
	return EXIT_DONE;
}

const struct command steps_command = {
	.name = "steps",
	.summary = "the types of steps, their arguments and results",
	.words = "[TYPE [WORD…]]",
	.text = "A step is a check (pure) or a change; the class of a change says what may be done after a doubt. "
		"A type that knows more than its fields is asked by its name, too: rbx TYPE WORD…",
	.example = "  rbx steps route53_upsert\n"
		   "  rbx steps aws rds.CreateDBSnapshot\n"
		   "  rbx steps aws --classes rds",
	.options = (const struct option_row[]){
		{"classes", 0, NULL, "the class of each operation, and why"},
		{"more", 0, NULL, "what the type knows beyond its fields"}, {NULL}},
	.most = 3,
	.guard = GUARD_ALL,
	.run = run,
};
