#include "scenario.h"

#include <assert.h>
#include <stdlib.h>

struct reading {
	struct arena *mem;
	struct script *scripts;
	unsigned n, cap;
};

static enum verdict
never(struct step *step, const struct event *event)
{
	(void)step;
	(void)event;
	abort();
}

static const struct provider a_provider = {.name = "scripted"};

static const struct value *
get(const struct value *map, const char *key)
{
	const struct value *v = value_get(map, key);

	return v == NULL || v->kind == V_NULL ? NULL : v;
}

static int64_t
seconds(const struct value *map, const char *key, int64_t otherwise)
{
	return value_get_int(map, key, otherwise) * NS_S;
}

static enum effect
effect_of_word(struct str word)
{
	static const char *const words[] = {
		"pure", "idempotent", "keyed", "probed", "once", "repeatable",
	};

	for (int i = 0; i < 6; i++) {
		if (str_is(word, words[i]))
			return (enum effect)i;
	}
	return PURE;
}

static const struct step_type *
read_type(struct reading *r, const struct value *from)
{
	struct step_type *type = arena_new_of(r->mem, struct step_type);

	*type = (struct step_type){
		.name = "scripted",
		.version = 1,
		.effect = effect_of_word(value_get_str(from, "effect")),
		.window = seconds(from, "window", 3600),
		.preview = value_get_bool(from, "preview", false) ? never : NULL,
		.settle = value_get_bool(from, "settle", false) ? never : NULL,
		.uses = value_get_bool(from, "provider", false) ? &a_provider : NULL,
		.asks = value_get_bool(from, "asks", false),
	};
	return type;
}

static struct node *const *read_nodes(struct reading *r, const struct value *list,
	struct node *parent, enum part part, size_t *n);

static void
read_policy(struct reading *r, struct node *node, const struct value *from)
{
	const struct value *retry = get(from, "retry"), *samples = get(from, "samples");

	node->retry = (struct retry){
		.attempts = (unsigned)value_get_int(retry == NULL ? from : retry,
			"attempts", 3),
		.delay = seconds(retry == NULL ? from : retry, "delay", 1), .backoff = 2,
	};
	node->retry.max_delay = node->retry.delay * 64;
	node->retry_written = retry != NULL;
	if (samples != NULL) {
		struct samples *s = arena_new_of(r->mem, struct samples);
		s->count = (unsigned)value_get_int(samples, "count", 1);
		s->pass = (unsigned)value_get_int(samples, "pass", 1);
		s->every = seconds(samples, "every", 1);
		node->samples = s;
	}
}

static const char *
maybe(struct reading *r, const struct value *from, const char *name)
{
	struct str text = value_get_str(from, name);

	return text.p == NULL ? NULL : str_cstr(r->mem, text);
}

static void
read_step(struct reading *r, struct node *node, const struct value *from)
{
	const struct value *confirm = get(from, "confirm");
	struct str on_error = value_get_str(from, "on_error");

	node->type = read_type(r, from);
	node->settles = node->type->settle != NULL;
	node->timeout = seconds(from, "timeout", 60);
	node->deadline = seconds(from, "deadline", 0);
	node->every = seconds(from, "every", 0);
	node->undo = str_is(value_get_str(from, "undo"), "auto") ? UNDO_AUTO : UNDO_NONE;
	node->on_error = str_is(on_error, "stop") ? ON_ERROR_STOP
		: str_is(on_error, "continue") ? ON_ERROR_CONTINUE
		: str_is(on_error, "undo") ? ON_ERROR_UNDO
		: str_is(on_error, "ask") ? ON_ERROR_ASK : ON_ERROR_UNSET;
	if (value_get_bool(from, "probe", false)) {
		node->probe = arena_new_of(r->mem, struct node);
		node->probe->timeout = node->timeout;
	}
	if (value_get_bool(from, "preconditions", false)) {
		node->preconditions = arena_array(r->mem, struct node *, 1);
		node->n_preconditions = 1;
	}
	if (confirm != NULL) {
		struct confirm *c = arena_new_of(r->mem, struct confirm);
		c->within = seconds(confirm, "within", 1000000000);
		c->by = maybe(r, confirm, "by");
		c->not_by = maybe(r, confirm, "not_by");
		c->at_least = (unsigned)value_get_int(confirm, "at_least", 1);
		node->confirm = c;
	}
	if (get(from, "each") != NULL) {
		struct each *each = arena_new_of(r->mem, struct each);
		each->at_once = (unsigned)value_get_int(from, "at_once", 1);
		node->each = each;
	}
	read_policy(r, node, from);
}

static struct script *
script_new(struct reading *r, const struct value *from)
{
	if (r->n == r->cap) {
		unsigned cap = r->cap == 0 ? 16 : 2 * r->cap;
		struct script *more = arena_array(r->mem, struct script, cap);
		if (r->n > 0)
			memcpy(more, r->scripts, r->n * sizeof *more);
		r->scripts = more;
		r->cap = cap;
	}
	r->scripts[r->n] = (struct script){
		.when = get(from, "when"), .each = value_get_int(from, "each", 0),
		.reads = get(from, "reads"), .branches = get(from, "branches"),
	};
	return &r->scripts[r->n++];
}

static void read_book(struct reading *r, const struct value *from, struct playbook *out);

static void
read_call(struct reading *r, struct node *node, const struct value *from)
{
	struct playbook *called = arena_new_of(r->mem, struct playbook);

	read_book(r, get(from, "book"), called);
	node->called = called;
	node->call_dry_run = value_get_bool(from, "dry_run", false);
	node->members = called->parts[PART_STEPS].nodes;
	node->n_members = called->parts[PART_STEPS].n;
	for (int p = 0; p < PARTS; p++) {
		for (size_t i = 0; i < called->parts[p].n; i++)
			called->parts[p].nodes[i]->parent = node;
	}
}

static void
read_undo(struct reading *r, struct node *node, const struct value *from)
{
	const struct value *undo = get(from, "undo");

	node->undo_written = undo != NULL;
	if (undo == NULL || undo->kind != V_LIST)
		return;
	node->undo = UNDO_STEPS;
	node->undo_steps = read_nodes(r, undo, node, node->part, &node->n_undo_steps);
}

static void
read_branches(struct reading *r, struct node *node, const struct value *list)
{
	struct branch *branches = arena_array(r->mem, struct branch, list->list.n);

	for (size_t i = 0; i < list->list.n; i++)
		branches[i].steps = read_nodes(r, value_get(&list->list.items[i],
			"steps"), node,
			node->part, &branches[i].n_steps);
	node->branches = branches;
	node->n_branches = list->list.n;
}

static struct node *
read_node(struct reading *r, const struct value *from, struct node *parent,
	enum part part)
{
	struct node *node = arena_new_of(r->mem, struct node);
	struct str kind = value_get_str(from, "type");
	const struct value *branches = get(from, "branches");

	node->id = str_cstr(r->mem, value_get_str(from, "id"));
	node->kind = str_is(kind, "block") ? NODE_BLOCK : str_is(kind, "parallel")
		? NODE_PARALLEL
		: str_is(kind, "choose") ? NODE_CHOOSE
		: str_is(kind, "playbook") ? NODE_PLAYBOOK : NODE_STEP;
	node->parent = parent;
	node->part = part;
	node->effect = -1;
	node->number = r->n;
	if (script_new(r, from)->when != NULL)
		/* only asked whether it is there */
		node->when = (const struct expr *)from;
	read_step(r, node, from);
	node->members = read_nodes(r, get(from, "steps"), node, part, &node->n_members);
	node->finally = read_nodes(r, get(from, "finally"), node, part, &node->n_finally);
	read_undo(r, node, from);
	if (branches != NULL)
		read_branches(r, node, branches);
	if (node->kind == NODE_PLAYBOOK)
		read_call(r, node, from);
	return node;
}

static void
read_needs(struct reading *r, struct node *node, const struct value *from,
	struct node *const *siblings, size_t n)
{
	const struct value *needs = get(from, "needs");
	size_t count = needs == NULL ? 0 : needs->list.n;
	unsigned *places = arena_array(r->mem, unsigned, count + 1);

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < n; k++) {
			if (str_is(needs->list.items[i].str, siblings[k]->id))
				places[node->n_needs++] = (unsigned)k;
		}
	}
	node->needs = places;
}

static struct node *const *
read_nodes(struct reading *r, const struct value *list, struct node *parent,
	enum part part,
	size_t *n)
{
	*n = list == NULL ? 0 : list->list.n;
	struct node **nodes = arena_array(r->mem, struct node *, *n + 1);
	for (size_t i = 0; i < *n; i++)
		nodes[i] = read_node(r, &list->list.items[i], parent, part);
	for (size_t i = 0; i < *n; i++)
		read_needs(r, nodes[i], &list->list.items[i], nodes, *n);
	return nodes;
}

static void
read_drill(struct reading *r, const struct value *from, struct drill *out)
{
	const struct value *leaves = from == NULL ? NULL : get(from, "leaves");
	size_t n = leaves == NULL ? 0 : leaves->list.n;
	const char **names = arena_array(r->mem, const char *, n + 1);

	for (size_t i = 0; i < n; i++)
		names[i] = str_cstr(r->mem, leaves->list.items[i].str);
	*out = (struct drill){
		.undo = from == NULL || value_get_bool(from, "undo", true),
		.confirm = from == NULL || value_get_bool(from, "confirm", true),
		.leaves = names,
	};
}

static void
read_book(struct reading *r, const struct value *from, struct playbook *out)
{
	static const char *const parts[PARTS] = {
		"trigger", "preconditions", "steps", "on_waiting", "on_success", "on_failure",
		"finally",
	};

	for (int p = 0; p < PARTS; p++)
		out->parts[p].nodes = read_nodes(r, get(from, parts[p]), NULL, (enum part)p,
			&out->parts[p].n);
	out->deadline = seconds(from, "deadline", 0);
	out->handlers = seconds(from, "handlers", 600);
	out->parallel = (unsigned)value_get_int(from, "parallel", 8);
	read_drill(r, get(from, "drill"), &out->drill);
}

void
scenario_read(struct arena *mem, const struct value *from, struct scenario *out)
{
	const struct value *override = get(from, "override");
	struct str mode = value_get_str(from, "mode");
	struct reading r = {.mem = mem};

	*out = (struct scenario){
		.name = str_cstr(mem, value_get_str(from, "name")),
		.world = get(from, "world"), .events = get(from, "events"),
		.mode = str_is(mode, "dry") ? MODE_DRY : str_is(mode, "drill") ? MODE_DRILL
			: str_is(mode, "undo") ? MODE_UNDO : MODE_RUN,
		.tty = value_get_bool(from, "tty", false),
		.by = get(from, "by"),
	};
	read_book(&r, value_get(from, "book"), &out->book);
	out->scripts = r.scripts;
	size_t n = override == NULL ? 0 : override->list.n;
	const char **names = arena_array(mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		names[i] = str_cstr(mem, override->list.items[i].str);
	out->overrides = names;
}
