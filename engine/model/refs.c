/* Which steps may be read from where: those that have surely ended before the reader. A
 * step that may have been skipped, or may have failed and been passed over, may be
 * absent; its members are then read by .? only, unless a `when` around the reader says
 * that it is done. Nothing is built before it is read, so a long list costs nothing. */
#include "model/load.h"

struct refs {
	struct expr_type type;                        /* of the root `steps` */
	struct book_load *load;
	struct info *reader; /* NULL: the playbook itself, after its end */
	unsigned flags;
	int branch;
};

/* ---- whether it has ended */

static struct info *
above(const struct info *info)
{
	const struct node *up = info->node.parent;
	return up == NULL || up->book != info->node.book ? NULL : info_of(up);
}

static bool
is_around(const struct info *outer, const struct info *inner)
{
	for (const struct info *at = inner; at != NULL; at = above(at))
		if (at == outer)
			return true;
	return false;
}

static size_t
depth_of(const struct info *info)
{
	size_t depth = 0;
	for (const struct info *at = info; at != NULL; at = above(at))
		depth++;
	return depth;
}

static bool
is_guarded(const struct refs *refs, const struct info *target)
{
	struct str id = str_of(target->node.id);
	const struct info *below = NULL;
	for (const struct info *at = refs->reader; at != NULL;
		below = at, at = above(at)) {
		const struct guard *branch = NULL;
		if (at->node.kind == NODE_CHOOSE && at->branch_guards != NULL) {
			if (below != NULL && below->list == IN_BRANCH)
				branch = at->branch_guards[below->branch];
			else if (below == NULL && refs->branch >= 0)
				branch = at->branch_guards[refs->branch];
		}
		for (const struct guard *g = branch; g != NULL; g = g->next)
			if (str_eq(g->id, id))
				return true;
		for (const struct guard *g = at->guards; g != NULL; g = g->next)
			if (str_eq(g->id, id))
				return true;
	}
	return false;
}

/* Whether the target may be absent, seen from outside of `top`, which is the target or
 * around it. */
static bool
may_be_absent(const struct info *target, const struct info *top)
{
	for (const struct info *at = target; at != NULL; at = above(at)) {
		if (value_get(at->map, "when") != NULL
			|| at->node.on_error == ON_ERROR_CONTINUE)
			return true;
		if (at == top)
			return false;
		if (at->list == IN_BRANCH || at->list == IN_PRECONDITIONS
			|| at->list == IN_FINALLY || at->list == IN_UNDO)
			return true;
	}
	return false;
}

static bool
in_loop(const struct info *target, const struct info *top, struct err *why)
{
	const struct info *loop = NULL;
	for (const struct info *at = target; at != top; ) {
		at = above(at);
		if (at->node.each != NULL)
			loop = at;
	}
	if (loop == NULL)
		return false;
	err_set(why, ERR_UNKNOWN_NAME, "step '%s' is carried out for each item of '%s'",
		target->node.id, loop->node.id);
	err_hint(why, "give '%s' outputs and read steps.%s.items[i]", loop->node.id,
		loop->node.id);
	return true;
}

static bool
not_ended(const struct info *target, struct err *why, const char *reason)
{
	err_set(why, ERR_UNKNOWN_NAME, "step '%s' has not surely ended here: %s",
		target->node.id, reason);
	return err_hint(why, "a step reads those above it, and siblings that it needs");
}

/* Both stand in lists of the same parent, or of the playbook itself. */
static bool
sibling_ended(const struct refs *refs, const struct info *reader,
	const struct info *target, bool *maybe, struct err *why, const struct info *asked)
{
	const struct info *parent = above(reader);
	if (reader->list != target->list) {
		if (reader->list == IN_FINALLY && target->list == IN_MEMBERS)
			return *maybe = true;
		if (reader->list == IN_UNDO && target->list != IN_PROBE)
			return *maybe = true;
		if (target->list == IN_PRECONDITIONS && reader->list != IN_PROBE)
			return *maybe = true;
		return not_ended(
			asked, why, "it stands in another list of the same step");
	}
	if (reader->list == IN_BRANCH && reader->branch != target->branch)
		return not_ended(asked, why, "it stands in another branch");
	if (reader->list == IN_MEMBERS && parent != NULL
		&& parent->node.kind == NODE_PARALLEL) {
		if (needs_reach(refs->load->all, reader, target))
			return true;
		not_ended(asked, why, "members of parallel run at once");
		return err_hint(why, "add to step '%s': needs: [%s]", reader->node.id,
			target->node.id);
	}
	return target->place < reader->place
		|| not_ended(asked, why, "it stands further down");
}

static bool
part_ended(enum part reader, enum part target, bool *maybe)
{
	if (target == PART_TRIGGER || (reader > PART_STEPS && target <= PART_STEPS))
		*maybe = true;
	if (reader == PART_FINALLY
		&& (target == PART_ON_SUCCESS || target == PART_ON_FAILURE))
		return *maybe = true;
	if (reader <= PART_STEPS)
		return target < reader;
	return target <= PART_STEPS;
}

/* The reader stands inside the target. */
static bool
inside_ended(
	const struct refs *refs, const struct info *target, bool *maybe, struct err *why)
{
	for (const struct info *at = refs->reader; at != target; at = above(at))
		if (above(at) == target && at->list == IN_UNDO)
			return *maybe = true;
	return not_ended(target, why,
		target == refs->reader ? "it is this step" : "this step is a part of it");
}

/* The target stands inside the reader: a group's outputs and measures read its members.
 */
static bool
member_ended(
	const struct refs *refs, const struct info *target, bool *maybe, struct err *why)
{
	const struct info *top = target;
	while (above(top) != refs->reader)
		top = above(top);
	if (!(refs->flags & SCOPE_AFTER)) {
		if (top->list == IN_PRECONDITIONS && refs->flags & SCOPE_ANSWER)
			return *maybe = true;
		return not_ended(target, why, "it is a part of this step");
	}
	if (in_loop(target, top, why))
		return false;
	*maybe = may_be_absent(target, top)
		|| (top->list == IN_BRANCH
			&& (refs->branch < 0 || (unsigned)refs->branch != top->branch))
		|| top->list == IN_FINALLY;
	if (top->list == IN_BRANCH && refs->branch >= 0
		&& (unsigned)refs->branch != top->branch)
		return not_ended(target, why, "it stands in another branch");
	return top->list != IN_UNDO || not_ended(target, why, "it takes this step back");
}

static bool
has_ended(const struct refs *refs, struct info *target, bool *maybe, struct err *why)
{
	struct info *reader = refs->reader, *r = reader, *t = target;
	if (reader == NULL) {                         /* outputs of the playbook */
		while (above(t) != NULL)
			t = above(t);
		if (t->node.part > PART_STEPS)
			return not_ended(target, why, "handlers come after the outputs");
		*maybe = t->node.part == PART_TRIGGER || may_be_absent(target, t);
		return !in_loop(target, t, why);
	}
	if (is_around(target, reader))
		return inside_ended(refs, target, maybe, why);
	if (is_around(reader, target))
		return member_ended(refs, target, maybe, why);
	size_t r_depth = depth_of(r), t_depth = depth_of(t);
	for (; r_depth > t_depth; r_depth--)
		r = above(r);
	for (; t_depth > r_depth; t_depth--)
		t = above(t);
	while (above(r) != above(t)) {
		r = above(r);
		t = above(t);
	}
	if (above(r) == NULL && r->node.part != t->node.part) {
		if (!part_ended(r->node.part, t->node.part, maybe))
			return not_ended(target, why, "it comes later");
	} else if (!sibling_ended(refs, r, t, maybe, why, target)) {
		return false;
	}
	if (in_loop(target, t, why))
		return false;
	*maybe = *maybe || t->node.part == PART_TRIGGER || t->node.part > PART_STEPS
		|| may_be_absent(target, t);
	return true;
}

static bool
is_gate(const struct info *info)
{
	return above(info) == NULL && (info->node.part == PART_TRIGGER
		|| info->node.part == PART_PRECONDITIONS);
}

/* Gates are asked at once, but for one that reads another. */
static void
note_gate(const struct refs *refs, const struct info *target)
{
	struct info *reader = refs->reader;
	if (reader == NULL || !is_gate(reader) || !is_gate(target))
		return;
	for (struct gate_read *it = reader->node.gate_reads; it != NULL; it = it->next)
		if (it->node == &target->node)
			return;
	struct gate_read *read = arena_new_of(refs->load->all->mem, struct gate_read);
	*read = (struct gate_read){&target->node, reader->node.gate_reads};
	reader->node.gate_reads = read;
}

static bool
refs_find(const struct expr_type *type, struct str name, struct expr_member *out,
	struct err *why)
{
	const struct refs *refs = type->with;
	struct info *target = ids_find(refs->load, name);
	bool maybe = false;
	if (target == NULL)
		return err_set(
			why, ERR_UNKNOWN_NAME, "there is no step '%.*s'", STR_FMT(name));
	if (!has_ended(refs, target, &maybe, why))
		return false;
	if (maybe && is_guarded(refs, target))
		maybe = false;
	note_gate(refs, target);
	*out = (struct expr_member){.type = view_type(target, maybe)};
	return true;
}

static const char *const *
refs_names(const struct expr_type *type, struct arena *mem)
{
	const struct refs *refs = type->with;
	const struct ids *ids = &refs->load->ids;
	const char **list = arena_array(mem, const char *, ids->n + 1);
	size_t n = 0;
	for (size_t i = 0; i < ids->size; i++)
		if (ids->places[i] != NULL)
			list[n++] = ids->places[i]->node.id;
	return list;
}

const struct expr_type *
refs_type(struct book_load *b, struct info *reader, unsigned flags, int branch)
{
	struct refs *refs = arena_new_of(b->all->mem, struct refs);
	*refs = (struct refs){
		{.kind = V_MAP, .find = refs_find, .names = refs_names, .with = refs}, b,
		reader, flags, branch};
	return &refs->type;
}
