#include "run/rebase.h"

/* What the records say about a node, over all its paths. */
struct past {
	const char *path;                             /* one of them; NULL: none */
	const struct node *now; /* what it became; NULL: it is gone */
	bool settled; /* its arguments were used for good */
	bool ended, doubt;
};

struct rebase {
	const struct run_state *state;
	const struct playbook *from, *to;
	struct past *past;                            /* by the number of the node */
	bool reopens;
	struct arena *mem;
	struct diags *diags;
};

/* ---- places */

static bool
is_among(struct node *const *nodes, size_t n, const struct node *node)
{
	for (size_t i = 0; i < n; i++) {
		if (nodes[i] == node)
			return true;
	}
	return false;
}

/* Which list of its parent it stands in: 0 its members, 1 … a branch of `choose`, -1 a
 * list beside the course (undo, finally, preconditions of a step). */
static int
list_of(const struct node *node)
{
	const struct node *up = node->parent;

	if (up == NULL || is_among(up->members, up->n_members, node))
		return 0;
	for (size_t i = 0; i < up->n_branches; i++) {
		if (is_among(up->branches[i].steps, up->branches[i].n_steps, node))
			return (int)i + 1;
	}
	return -1;
}

static bool
is_on_course(const struct node *node)
{
	for (; node != NULL; node = node->parent) {
		if (list_of(node) < 0 || node->part > PART_STEPS)
			return false;
	}
	return true;
}

/* a/b/c, without the indices of loops. */
static struct str
plain_path(struct arena *mem, const struct node *node)
{
	struct str below = STR("");

	for (; node != NULL; node = node->parent)
		below = str_of(arena_printf(mem, "%s%s%.*s", node->id,
			below.n > 0 ? "/" : "", STR_FMT(below)));
	return below;
}

static bool
is_same_place(struct arena *mem, const struct node *a, const struct node *b)
{
	return a->part == b->part && list_of(a) == list_of(b)
		&& str_eq(plain_path(mem, a), plain_path(mem, b));
}

/* ---- what the records say */

/* The resume tries it again, and nothing of it was ever sent. */
static bool
is_tried_anew(const struct rebase *r, const struct path_state *path)
{
	if (!r->reopens || path->intents > 0
		|| (path->state != OUT_FAILED && path->state != OUT_CANCELLED))
		return false;
	for (const struct path_state *up = path->parent; up != NULL; up = up->parent) {
		if (up->state == OUT_OK)
			return false;
	}
	return true;
}

static void
note(struct rebase *r, const struct path_state *path)
{
	bool doubt = path->open || path->state == OUT_DOUBT || path->fate == FATE_DOUBT;
	bool begun = path->begun || path->ask != 0 || path->intents > 0
		|| path->state != OUT_NONE;
	const struct node *node = playbook_node(r->from, str_of(path->path));

	if (!begun || node == NULL || path_is_undo(path->path)
		|| (r->reopens && path_is_handler(path->path)))
		return;
	struct past *past = &r->past[node->number];
	past->path = path->path;
	past->now = playbook_node(r->to, str_of(path->path));
	if (past->now != NULL && !is_same_place(r->mem, node, past->now))
		past->now = NULL;
	past->doubt |= doubt;
	if (is_tried_anew(r, path))
		return;
	past->settled |= path->intents > 0 || path->state != OUT_NONE;
	past->ended |= path->state != OUT_NONE;
}

/* ---- what was written */

static bool
same_data(const struct template *a, const struct template *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return value_equal(template_source(a), template_source(b));
}

static bool
same_expr(const struct expr *a, const struct expr *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return str_eq(expr_text(a), expr_text(b));
}

static bool
same_asserts(const struct node *a, const struct node *b)
{
	bool same = a->n_asserts == b->n_asserts;

	for (size_t i = 0; same && i < a->n_asserts; i++)
		same = same_expr(a->asserts[i].check, b->asserts[i].check);
	return same;
}

static const char *
type_name(const struct node *node)
{
	static const char *const kinds[] = {
		[NODE_ASSERT] = "assert", [NODE_BLOCK] = "block",
		[NODE_PARALLEL] = "parallel", [NODE_CHOOSE] = "choose",
		[NODE_PLAYBOOK] = "playbook",
	};

	return node->kind == NODE_STEP ? node->type->name : kinds[node->kind];
}

/* What differs, as a person would call it; NULL: nothing that matters. */
static const char *
difference(const struct node *a, const struct node *b, bool doubt)
{
	if (strcmp(type_name(a), type_name(b)) != 0)
		return "its type";
	if (!same_data(a->args, b->args))
		return "its arguments";
	if (a->kind == NODE_ASSERT && !same_asserts(a, b))
		return "its assertions";
	if (a->kind == NODE_PLAYBOOK
		&& (strcmp(a->called->file, b->called->file) != 0
			|| !same_data(a->call_inputs, b->call_inputs)))
		return "what it calls";
	if ((a->each == NULL) != (b->each == NULL))
		return "whether it is a loop";
	if (doubt && a->class != b->class)
		return "its effect class";
	return NULL;
}

/* ---- the judgement */

static void
judge_step(struct rebase *r, const struct node *node)
{
	const struct past *past = &r->past[node->number];
	const char *what;
	struct err *err;

	if (past->path == NULL)
		return;
	if (past->now == NULL) {
		err = diag_error(r->diags, node->at,
			"%s has begun and may not be taken away or moved (shown as it "
			"was stored)", past->path);
	} else {
		what = past->settled || past->doubt
			? difference(node, past->now, past->doubt)
			: node->kind == past->now->kind ? NULL : "what it is";
		if (what == NULL)
			return;
		err = diag_error(r->diags, past->now->at,
			"%s has begun, and %s may not change any more", past->path, what);
	}
	if (past->doubt)
		err_hint(err, "it is in doubt; settle it first: rbx resolve %.*s %s",
			STR_FMT(r->state->id), past->path);
}

/* Places of what has begun, in the order of the old page; each must stand below the one
 * before it. The last of them in *last. */
static void
judge_order(struct rebase *r, const struct node **last)
{
	*last = NULL;
	for (size_t i = 0; i < r->from->n_nodes; i++) {
		const struct past *past = &r->past[r->from->nodes[i]->number];
		const struct node *now = past->path == NULL ? NULL : past->now;
		if (now == NULL || !is_on_course(now))
			continue;
		if (*last != NULL && now->number < (*last)->number)
			diag_error(r->diags, now->at,
				"%s has begun and may not be moved: "
				"it stood below %s",
				past->path, (*last)->id);
		else
			*last = now;
	}
}

static void
judge_new(struct rebase *r, const struct node *node, const struct node *last)
{
	struct str path = plain_path(r->mem, node);
	const struct node *old = playbook_node(r->from, path);
	const struct node *up = node->parent == NULL ? NULL
		: playbook_node(r->from, plain_path(r->mem, node->parent));

	if (!is_on_course(node) || (old != NULL && is_same_place(r->mem, old, node)))
		return;
	if (up != NULL && r->past[up->number].ended)
		diag_error(r->diags, node->at,
			"%s has ended: %s would never be carried out",
			r->past[up->number].path, node->id);
	else if (last != NULL && node->number < last->number)
		diag_error(r->diags, node->at,
			"%s is new and stands before %s, which has begun", node->id,
			last->id);
}

/* ---- what was fixed when the run began */

static void
judge_inputs(struct rebase *r)
{
	const struct playbook *from = r->from, *to = r->to;

	for (size_t i = 0; i < to->n_inputs; i++) {
		const struct input *now = &to->inputs[i], *was = NULL;
		for (size_t k = 0; k < from->n_inputs; k++) {
			if (strcmp(from->inputs[k].name, now->name) == 0)
				was = &from->inputs[k];
		}
		if (was == NULL)
			diag_error(r->diags, now->at,
				"input %s is new: the run keeps those "
				"that it was started with",
				now->name);
		else if (strcmp(was->type, now->type) != 0)
			diag_error(r->diags, now->at, "input %s was of type %s, and is "
				"recorded so", now->name, was->type);
	}
}

static void
judge_vars(struct rebase *r)
{
	const struct playbook *from = r->from, *to = r->to;

	for (size_t i = 0; i < to->n_vars; i++) {
		const struct named_template *now = &to->vars[i], *was = NULL;
		for (size_t k = 0; k < from->n_vars; k++) {
			if (strcmp(from->vars[k].name, now->name) == 0)
				was = &from->vars[k];
		}
		if (was == NULL || !same_data(was->value, now->value))
			diag_error(r->diags, now->at,
				"var %s %s: vars are evaluated once, "
				"when the run starts",
				now->name, was == NULL ? "is new" : "has changed");
	}
}

static void
judge_locks(struct rebase *r)
{
	const struct playbook *from = r->from, *to = r->to;
	bool same = from->n_locks == to->n_locks;

	for (size_t i = 0; same && i < to->n_locks; i++)
		same = same_data(from->locks[i].name, to->locks[i].name)
			&& same_data(from->locks[i].postgres, to->locks[i].postgres);
	if (!same)
		diag_error(r->diags,
			to->n_locks > 0 ? to->locks[0].at : from->locks[0].at,
			"the locks have changed: they are taken when the run starts");
}

bool
rebase_judge(const struct run_state *state, const struct playbook *from,
	const struct playbook *to, bool reopens, struct arena *mem, struct diags *diags)
{
	struct rebase r = {.state = state, .from = from, .to = to, .reopens = reopens,
		.mem = mem, .diags = diags,
		.past = arena_array(mem, struct past, from->n_nodes + 1)};
	const struct node *last;
	size_t before = diags->errors;

	if (strcmp(from->name, to->name) != 0)
		diag_error(diags, (struct mark){0},
			"%s is the playbook %s; the run is of %s", to->file, to->name,
			from->name);
	judge_inputs(&r);
	judge_vars(&r);
	judge_locks(&r);
	for (const struct path_state *path = state->first; path != NULL;
		path = path->next)
		note(&r, path);
	for (size_t i = 0; i < from->n_nodes; i++)
		judge_step(&r, from->nodes[i]);
	judge_order(&r, &last);
	for (size_t i = 0; i < to->n_nodes; i++)
		judge_new(&r, to->nodes[i], last);
	return diags->errors == before;
}
