#include "cmd/topics.h"

#include <string.h>

#include "data/expr.h"
#include "model/keys.h"

static const char *
form_of(struct arena *mem, const struct field *field)
{
	if (field->words == NULL)
		return field->type == FIELD_LIST
			? arena_printf(mem, "list of %s", field_type_name(field->each))
			: field->type == FIELD_MAP
			? arena_printf(mem, "map of %s", field_type_name(field->each))
			: field_type_name(field->type);
	struct buf out = buf_in(mem);
	for (size_t i = 0; field->words[i] != NULL; i++)
		buf_printf(&out, "%s%s", i > 0 ? "|" : "", field->words[i]);
	return out.n > 40 ? "word" : out.p;
}

static void
write_field(struct buf *out, const struct field *field, int depth)
{
	const char *mark = field->flags & FIELD_REQUIRED && field->either == 0 ? "*"
		: field->flags & FIELD_OUTPUT                                  ? "•"
									       : " ";
	buf_printf(out, "  %*s%s %-*s %-22s %s", depth * 2, "", mark, 22 - depth * 2,
		field->name, form_of(out->mem, field),
		field->help == NULL ? "" : field->help);
	if (field->otherwise != NULL)
		buf_printf(out, " (%s)", field->otherwise);
	buf_putc(out, '\n');
}

void
write_fields(struct buf *out, const struct field *fields, int depth)
{
	const struct field *field;
	for (size_t i = 0; (field = field_at(fields, i)) != NULL; i++) {
		write_field(out, field, depth);
		if (field->fields != NULL && !(field->flags & FIELD_SPREAD))
			write_fields(out, field->fields, depth + 1);
	}
}

static void
write_functions(struct buf *out)
{
	size_t n;
	const struct expr_function *functions = expr_functions(&n);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%-58s %s\n", functions[i].signature,
			functions[i].summary == NULL ? "" : functions[i].summary);
}

/* ---- the keys of the language */

static void
write_playbook(struct buf *out)
{
	buf_puts(out,
		"keys of a playbook (* required); `rbx help step` tells those of a "
		"step\n\n");
	write_fields(out, playbook_keys, 0);
}

/* Keys that also have a long form, which the loader reads by a table of its own. */
static const struct {
	const char *key;
	const struct field *form;
} long_forms[] = {
	{"for_each", each_keys},
	{"confirm", confirm_keys},
	{"assert", assert_keys},
};

static void
write_step_key(struct buf *out, const struct step_key *key)
{
	write_field(out, &key->row, 0);
	if (key->row.fields != NULL)
		write_fields(out, key->row.fields, 1);
	for (size_t i = 0; i < sizeof long_forms / sizeof *long_forms; i++)
		if (strcmp(long_forms[i].key, key->row.name) == 0)
			write_fields(out, long_forms[i].form, 1);
}

/* "checks, changes"; all of them: "all" */
static void
write_kinds(struct buf *out, unsigned on)
{
	static const struct {
		unsigned bit;
		const char *name;
	} kinds[] = {
		{ON_CHECK, "checks"},
		{ON_CHANGE, "changes"},
		{ON_GROUP, "groups"},
		{ON_CALL, "called playbooks"},
	};
	const char *between = "";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (on != ON_ALL && on & kinds[i].bit) {
			buf_printf(out, "%s%s", between, kinds[i].name);
			between = ", ";
		}
	if (on == ON_ALL)
		buf_puts(out, "all steps");
}

/* The keys that stand on the same kinds of steps together, the kinds in the order of the
 * table. */
static void
write_step_keys(struct buf *out)
{
	unsigned seen = 0;                            /* a bit for each set of kinds */
	for (const struct step_key *head = step_keys; head->row.name != NULL; head++) {
		if (seen & 1u << head->on)
			continue;
		seen |= 1u << head->on;
		buf_puts(out, "\nof ");
		write_kinds(out, head->on);
		buf_putc(out, '\n');
		for (const struct step_key *key = head; key->row.name != NULL; key++)
			if (key->on == head->on)
				write_step_key(out, key);
	}
}

static void
write_group(struct buf *out, const char *name, const char *form, const char *help)
{
	buf_printf(out, "    %-22s %-22s %s\n", name, form, help);
}

static void
write_step(struct buf *out)
{
	buf_puts(out,
		"keys of a step (* required). A step has exactly one type (`rbx steps`), is a "
		"group, calls a playbook,\nor has `assert` alone. A check changes nothing; a "
		"change does.\n");
	write_step_keys(out);
	buf_puts(out, "\ngroups and calls\n");
	write_group(out, "block", "list of steps", "one after another");
	write_group(out, "parallel", "list of steps",
		"at once; `needs` says what waits for what");
	write_group(out, "choose", "list of branches", "exactly one is carried out");
	write_fields(out, branch_keys, 1);
	write_group(out, "playbook", "map", "carries out another playbook");
	write_fields(out, call_keys, 1);
}

const struct topic topics[] = {
	{"playbook", "the keys of a playbook", write_playbook},
	{"step", "the keys of a step, the groups", write_step},
	{"functions", "what expressions can call", write_functions},
	{NULL, NULL, NULL},
};

const struct topic *
topic_find(const char *name)
{
	for (const struct topic *topic = topics; topic->name != NULL; topic++)
		if (strcmp(topic->name, name) == 0)
			return topic;
	return NULL;
}
