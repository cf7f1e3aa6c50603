/* Which keys may stand on which steps. */
#include "model/load.h"

bool
is_condition_part(enum part part)
{
	return part == PART_TRIGGER || part == PART_PRECONDITIONS;
}

bool
is_handler(const struct info *info)
{
	return info->node.part >= PART_ON_WAITING;
}

static bool
in_list(const struct info *info, enum list_kind kind)
{
	for (const struct info *at = info; at != NULL; ) {
		const struct node *up = at->node.parent;
		if (at->list == kind)
			return true;
		at = up == NULL || up->book != at->node.book ? NULL : info_of(up);
	}
	return false;
}

static const char *
what_it_is(const struct info *info)
{
	switch (info->node.kind) {
	case NODE_ASSERT: return "assert alone";
	case NODE_BLOCK: return "a block";
	case NODE_PARALLEL: return "a parallel";
	case NODE_CHOOSE: return "a choose";
	case NODE_PLAYBOOK: return "a call of a playbook";
	case NODE_STEP: break;
	}
	return info->is_check ? "a check" : "a change";
}

static unsigned
on_of(const struct info *info)
{
	switch (info->node.kind) {
	case NODE_BLOCK: case NODE_PARALLEL: case NODE_CHOOSE: return ON_GROUP;
	case NODE_PLAYBOOK: return ON_CALL;
	default: return info->is_check ? ON_CHECK : ON_CHANGE;
	}
}

static const char *
for_whom(struct arena *mem, unsigned on)
{
	struct buf out = buf_in(mem);
	static const char *const names[] = {
		"checks", "changes", "groups", "calls of playbooks"};
	for (unsigned i = 0; i < 4; i++)
		if (on & 1u << i)
			buf_printf(&out, "%s%s", out.n == 0 ? "" : ", ", names[i]);
	return buf_cstr(&out);
}

static bool
is_word(const char *word, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

static void
not_here(struct info *info, const char *name, const char *reason, const char *hint)
{
	struct err *err = diag_error(info->load->diags, key_mark(info, name),
		"'%s' cannot stand here: %s", name, reason);
	if (hint != NULL)
		err_hint(err, "%s", hint);
	info->is_wrong = true;
}

/* What the table of keys cannot say. false: told. */
static bool
judge_place(struct info *info, const char *name)
{
	static const char *const of_assert[] = {
		"id",
		"assert",
		"when",
		"for_each",
		"needs",
		"outputs",
		"measures",
		"on_error",
		NULL,
	};
	static const char *const of_probe[] = {"accept", "timeout", "outputs", NULL};
	const struct node *node = &info->node;
	bool in_parallel =
		info->list == IN_MEMBERS && node->parent->kind == NODE_PARALLEL;
	if (node->kind == NODE_ASSERT && !is_word(name, of_assert))
		not_here(info, name,
			"assert alone takes id, when, for_each, needs, outputs, "
			"measures, on_error",
			NULL);
	else if (info->list == IN_PROBE && !is_word(name, of_probe))
		not_here(info, name,
			"a probe takes its type, done, accept, timeout and outputs",
			NULL);
	else if (strcmp(name, "needs") == 0 && !in_parallel)
		not_here(info, name, "only members of parallel run at once",
			"parallel: [{id: a, …}, {id: b, needs: [a], …}]; in a list each "
			"step waits for the one above");
	else if (strcmp(name, "finally") == 0 && node->kind != NODE_BLOCK)
		not_here(info, name, "only a block has a finally", NULL);
	else if (strcmp(name, "outputs") == 0 && node->kind == NODE_CHOOSE)
		not_here(info, name, "the branches of a choose give its outputs",
			"choose: [{when, steps, outputs}]");
	else if (strcmp(name, "on_error") == 0
		&& (is_handler(info) || is_condition_part(node->part)))
		not_here(info, name,
			"handlers, trigger and preconditions have no on_error", NULL);
	else if (strcmp(name, "confirm") == 0 && is_handler(info))
		not_here(info, name, "handlers never wait for a person", NULL);
	else if (strcmp(name, "effect") == 0 && node->type != NULL
		&& !node->type->takes_effect)
		not_here(info, name, "the class of this type is fixed",
			"it stands on exec, ssh, http_request, sql, aws and azure");
	else if (strcmp(name, "accept") == 0 && node->type != NULL
		&& !node->type->takes_accept)
		not_here(info, name, "this type has no codes", NULL);
	else
		return true;
	return false;
}

static void
judge_key(struct info *info, const struct value *key)
{
	const struct step_key *row = step_key_find(key->str);
	struct book_load *b = info->load;
	if (row == NULL || !judge_place(info, row->row.name))
		return;
	if (row->on & on_of(info) || (info->list == IN_PROBE && !info->is_check))
		return;
	if (info->is_wrong
		&& info->node.kind == NODE_STEP) /* perhaps its class is not known */
		return;
	const char *name = row->row.name;
	struct err *err =
		diag_error(b->diags, value_mark(key), "'%s' is for %s; this is %s", name,
			for_whom(b->all->scratch, row->on), what_it_is(info));
	if (row->on == ON_CHECK && info->node.type != NULL
		&& info->node.type->takes_effect)
		err_hint(err, "a step that changes nothing is a check with effect: pure");
}

static void
judge_role(struct info *info)
{
	struct diags *diags = info->load->diags;
	const struct node *node = &info->node;
	struct mark at = info->type_key == NULL ? node->at : value_mark(info->type_key);
	bool group = node->kind >= NODE_BLOCK;
	bool condition = info->list == IN_PRECONDITIONS
		|| (info->list == IN_PART && is_condition_part(node->part));
	if (info->is_wrong)
		return;
	if (condition && group && node->kind != NODE_PLAYBOOK)
		diag_error(diags, at, "only checks stand here, no groups");
	else if (condition && !info->is_check)
		diag_error(diags, at,
			"only checks stand here, and this step changes something (%s)",
			effect_name(node->class));
	else if (info->list == IN_PROBE && !info->is_check)
		diag_error(diags, at,
			"a probe is a check, and this changes something (%s)",
			effect_name(node->class));
	else if (node->part == PART_ON_WAITING && !group && !info->is_check
		&& node->class != REPEATABLE)
		diag_error(diags, at,
			"in on_waiting stand only checks and steps that may be repeated "
			"at will, such as "
			"notify");
	else if (is_handler(info) && node->type != NULL
		&& strcmp(node->type->name, "manual") == 0)
		diag_error(diags, at, "handlers never wait for a person");
}

/* Keys that need or exclude others. */
static void
judge_together(struct info *info)
{
	struct diags *diags = info->load->diags;
	bool every = key_raw(info, "every") != NULL,
	     waiter = value_get(info->in, "waiter") != NULL;
	if (every && key_raw(info, "deadline") == NULL)
		err_hint(diag_error(diags, key_mark(info, "every"),
				 "'every' needs 'deadline': no wait is endless"),
			"deadline: 5m");
	if (waiter && key_raw(info, "deadline") == NULL)
		err_hint(diag_error(diags, value_mark(value_get(info->in, "waiter")),
				 "'waiter' needs 'deadline': no wait is endless"),
			"deadline: 30m");
	if (every && key_raw(info, "samples") != NULL)
		diag_error(diags, key_mark(info, "samples"),
			"'samples' and 'every' exclude each other");
	static const char *const with_every[] = {"until", "fail_if"};
	for (size_t i = 0; i < 2; i++)
		if (key_raw(info, with_every[i]) != NULL && !every && !waiter)
			err_hint(diag_error(diags, key_mark(info, with_every[i]),
					 "'%s' needs 'every'", with_every[i]),
				"of a single answer say assert");
	if (info->node.on_error == ON_ERROR_UNDO && info->node.kind < NODE_BLOCK)
		err_hint(diag_error(diags, key_mark(info, "on_error"),
				 "'on_error: undo' is for groups and calls of playbooks"),
			"put the step into a block with on_error: undo");
}

void
keys_judge(struct info *info)
{
	for (size_t i = 0; i < info->map->map->n; i++)
		judge_key(info, &info->map->map->members[i].key);
	judge_role(info);
	judge_together(info);
}

/* ---- warnings */

static bool
is_undone(const struct info *info)
{
	const struct playbook *book = info->node.book;
	if (book->drill.written && book->drill.real && book->drill.undo
		&& info->node.part == PART_STEPS)
		return true;
	for (const struct node *up = info->node.parent; up != NULL && up->book == book;
		up = up->parent)
		if (up->on_error == ON_ERROR_UNDO)
			return true;
	return false;
}

void
info_warn(struct info *info)
{
	struct diags *diags = info->load->diags;
	const struct node *node = &info->node;
	if (info->is_wrong || node->type == NULL)
		return;
	bool told = strcmp(node->type->name, "notify") == 0
		|| strcmp(node->type->name, "manual") == 0;
	if (info->is_check && node->on_error == ON_ERROR_CONTINUE && !info->status_read)
		err_hint(diag_warning(diags, key_mark(info, "on_error"),
				 "nobody reads whether this check holds"),
			"read steps.%s.status, or leave on_error out", node->id);
	if (!info->is_check && !told && node->undo == UNDO_NONE && !node->undo_written
		&& is_undone(info) && !in_list(info, IN_UNDO)
		&& !in_list(info, IN_FINALLY))
		err_hint(diag_warning(diags, node->at,
				 "step '%s' cannot be undone, and stands where it would "
				 "be",
				 node->id),
			"give it undo steps, or write undo: none where that is meant");
}
