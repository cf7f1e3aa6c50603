/* Which names an expression may use at its place, and their types (language.md, "Names
 * and scope"). */
#include "model/load.h"

static const char *const root_names[ROOTS] = {
	"inputs",
	"objectives",
	"run",
	"vars",
	"secrets",
	"now",
	"steps",
	"step",
	"self",
	"outputs",
	"failure",
	"waiting",
	"index",
	"item",
};

/* ---- maps whose members are known */

struct record {
	struct expr_type type;
	const struct expr_member *members;
	const char *const *names;
	size_t n;
};

static bool
find(const struct expr_type *type, struct str name, struct expr_member *out,
	struct err *why)
{
	const struct record *record = type->with;
	for (size_t i = 0; i < record->n; i++)
		if (str_is(name, record->names[i])) {
			*out = record->members[i];
			return true;
		}
	return err_set(why, ERR_UNKNOWN_NAME, "there is no '%.*s' here", STR_FMT(name));
}

static const char *const *
names(const struct expr_type *type, struct arena *mem)
{
	const struct record *record = type->with;
	const char **list = arena_array(mem, const char *, record->n + 1);
	for (size_t i = 0; i < record->n; i++)
		list[i] = record->names[i];
	return list;
}

const struct expr_type *
record_type(struct loading *all, const struct expr_member *members,
	const char *const *member_names, size_t n)
{
	struct record *record = arena_new_of(all->mem, struct record);
	struct expr_member *copy = arena_array(all->mem, struct expr_member, n + 1);
	const char **list = arena_array(all->mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		copy[i] = members[i];
		list[i] = member_names[i];
	}
	*record = (struct record){
		{.kind = V_MAP, .find = find, .names = names, .with = record}, copy, list,
		n};
	return &record->type;
}

static bool
find_written(const struct expr_type *type, struct str name, struct expr_member *out,
	struct err *why)
{
	const struct member_types *types = type->with;
	const struct value *v = map_at(types->map->map, name);
	const struct member *members = types->map->map->members;
	if (v == NULL)
		return err_set(
			why, ERR_UNKNOWN_NAME, "there is no '%.*s' here", STR_FMT(name));
	size_t i = (size_t)((const char *)v - (const char *)&members[0].value)
		/ sizeof *members;
	if (i >= types->known) {
		err_set(why, ERR_UNKNOWN_NAME, "'%.*s' stands further down",
			STR_FMT(name));
		return err_hint(why, "a var reads those above it");
	}
	*out = types->members[i];
	return true;
}

static const char *const *
names_written(const struct expr_type *type, struct arena *mem)
{
	const struct member_types *types = type->with;
	const char **list = arena_array(mem, const char *, types->known + 1);
	for (size_t i = 0; i < types->known; i++)
		list[i] = str_cstr(mem, types->map->map->members[i].key.str);
	return list;
}

struct member_types *
member_types_of(struct loading *all, const struct value *map)
{
	struct member_types *types = arena_new_of(all->mem, struct member_types);
	struct value *empty = arena_new_of(all->mem, struct value);
	*empty = value_map(all->mem, NULL, 0);
	types->map = map != NULL && map->kind == V_MAP ? map : empty;
	types->members =
		arena_array(all->mem, struct expr_member, types->map->map->n + 1);
	types->type = (struct expr_type){.kind = V_MAP,
		.find = find_written,
		.names = names_written,
		.with = types};
	return types;
}

static const struct expr_type *
fixed(struct loading *all, const char *const *member_names,
	const struct expr_type *const *types, size_t n)
{
	struct expr_member members[12];
	for (size_t i = 0; i < n; i++)
		members[i] = (struct expr_member){.type = types[i]};
	return record_type(all, members, member_names, n);
}

void
scope_types(struct book_load *b)
{
	static const char *const run[] = {
		"id", "name", "started", "elapsed", "mode", "operator", "host"};
	static const struct expr_type *const run_types[] = {
		&expr_string,
		&expr_string,
		&expr_timestamp,
		&expr_duration,
		&expr_string,
		&expr_string,
		&expr_string,
	};
	static const char *const step[] = {"id", "key"};
	static const char *const failure[] = {"kind", "step", "message", "all"};
	static const char *const waiting[] = {"kind", "step", "text", "since"};
	static const struct expr_type *const texts[] = {
		&expr_string, &expr_string, &expr_string, &expr_timestamp};
	static const char *const told[] = {"step", "message"};
	struct loading *all = b->all;
	if (b->up != NULL) /* the same for all playbooks of a load */
		memcpy(b->types, b->up->types, sizeof b->types);
	if (b->types[ROOT_RUN] == NULL) {
		const struct expr_type *list =
			expr_list_of(all->mem, fixed(all, told, texts, 2));
		const struct expr_type *failures[] = {
			&expr_string, &expr_string, &expr_string, list};
		b->types[ROOT_RUN] = fixed(all, run, run_types, 7);
		b->types[ROOT_STEP] = fixed(all, step, texts, 2);
		b->types[ROOT_FAILURE] = fixed(all, failure, failures, 4);
		b->types[ROOT_WAITING] = fixed(all, waiting, texts, 4);
	}
	b->types[ROOT_NOW] = &expr_timestamp;
	b->types[ROOT_VARS] = b->types[ROOT_INPUTS] = b->types[ROOT_OBJECTIVES] =
		b->types[ROOT_SECRETS] = NULL;
}

/* ---- where a root exists */

static bool
in_handler(const struct info *reader, enum part part)
{
	if (part == PART_ON_FAILURE || part == PART_FINALLY)
		return true;
	for (const struct info *at = reader; at != NULL && at->node.part == part; ) {
		if (at->list == IN_FINALLY)
			return true;
		const struct node *up = at->node.parent;
		at = up == NULL || up->book != at->node.book ? NULL : info_of(up);
	}
	return false;
}

/* The nearest undo list around a node gives `self` to arguments and `when`. */
static const struct info *
undone_by(const struct info *reader)
{
	for (const struct info *at = reader; at != NULL; ) {
		const struct node *up = at->node.parent;
		if (up == NULL || up->book != at->node.book)
			return NULL;
		if (at->list == IN_UNDO)
			return info_of(up);
		at = info_of(up);
	}
	return NULL;
}

static bool
why_not(const struct expr_env *env, struct str name, struct err *why)
{
	const struct scope *scope = env->with;
	if (str_is(name, "secrets"))
		return err_set(why, ERR_UNKNOWN_NAME,
			"'secrets' exists only in fields of type secret");
	if (str_is(name, "self") || str_is(name, "outputs"))
		return err_set(why, ERR_UNKNOWN_NAME,
			"'%.*s' is not known yet here: it is what the step's own "
			"until, fail_if, assert, outputs and measures read",
			STR_FMT(name));
	if ((str_is(name, "item") || str_is(name, "index")) && scope->reader != NULL
		&& value_get(scope->reader->map, "for_each") != NULL)
		return err_set(why, ERR_UNKNOWN_NAME,
			"'%.*s' is not known yet here: when, confirm and for_each stand "
			"before the loop",
			STR_FMT(name));
	if (str_is(name, "item") || str_is(name, "index"))
		return err_set(why, ERR_UNKNOWN_NAME,
			"'%.*s' exists only in a step with for_each", STR_FMT(name));
	if (str_is(name, "failure"))
		return err_set(why, ERR_UNKNOWN_NAME,
			"'failure' exists only in on_failure and finally");
	if (str_is(name, "waiting"))
		return err_set(
			why, ERR_UNKNOWN_NAME, "'waiting' exists only in on_waiting");
	for (size_t i = 0; i < ROOT_INDEX; i++)
		if (str_is(name, root_names[i])) {
			err_set(why, ERR_UNKNOWN_NAME, "'%.*s' does not exist here",
				STR_FMT(name));
			return err_hint(why, "%s",
				scope->reader == NULL
					? "a default reads run; a var reads inputs, "
					  "objectives, run and the vars above it"
					: "see the names and scope of the language");
		}
	if (ids_find(scope->load, name) != NULL) {
		err_set(why, ERR_UNKNOWN_NAME, "unknown name '%.*s'", STR_FMT(name));
		return err_hint(why, "of a step write steps.%.*s", STR_FMT(name));
	}
	if (value_get(value_get(&scope->load->top, "inputs"),
		    str_cstr(scope->load->all->scratch, name))
		!= NULL) {
		err_set(why, ERR_UNKNOWN_NAME, "unknown name '%.*s'", STR_FMT(name));
		return err_hint(why, "of an input write inputs.%.*s", STR_FMT(name));
	}
	return false;
}

static void
set(struct scope *scope, enum root root, const struct expr_type *type)
{
	scope->roots[root] = (struct expr_root){
		root_names[root], type == NULL ? &expr_map : type, root == ROOT_SECRETS};
}

static void
add_items(struct scope *scope, struct info *reader, bool own)
{
	size_t n = ROOT_ITEM;
	for (struct info *at = reader; at != NULL; ) {
		const struct node *up = at->node.parent;
		if (at->node.each != NULL) {
			bool here = at != reader || own;
			scope->roots[n] = (struct expr_root){
				here ? at->node.each->as : "", at->item, false};
			if (here && scope->roots[ROOT_INDEX].name[0] == '\0')
				set(scope, ROOT_INDEX, &expr_int);
			n++;
		}
		at = up == NULL || up->book != at->node.book ? NULL : info_of(up);
	}
	scope->env.n_roots = n;
}

static void
start(struct scope *scope, struct book_load *b, unsigned flags)
{
	scope->load = b;
	scope->flags = flags;
	for (size_t i = 0; i < ROOTS; i++)
		scope->roots[i] = (struct expr_root){"", &expr_dyn, false};
	set(scope, ROOT_INPUTS, b->types[ROOT_INPUTS]);
	set(scope, ROOT_OBJECTIVES, b->types[ROOT_OBJECTIVES]);
	set(scope, ROOT_RUN, b->types[ROOT_RUN]);
	set(scope, ROOT_VARS, b->types[ROOT_VARS]);
	set(scope, ROOT_NOW, b->types[ROOT_NOW]);
	if (flags & SCOPE_SECRETS)
		set(scope, ROOT_SECRETS, b->types[ROOT_SECRETS]);
	scope->env = (struct expr_env){.roots = scope->roots,
		.n_roots = ROOT_ITEM,
		.why_not = why_not,
		.with = scope};
}

struct scope *
scope_of(struct scope *scope, struct info *reader, unsigned flags, int branch)
{
	struct book_load *b = reader->load;
	start(scope, b, flags);
	scope->reader = reader;
	scope->part = reader->node.part;
	set(scope, ROOT_STEPS, refs_type(b, reader, flags, branch));
	set(scope, ROOT_STEP, b->types[ROOT_STEP]);
	const struct info *undone = undone_by(reader);
	if (flags & SCOPE_ANSWER) {
		if (reader->self != NULL)
			set(scope, ROOT_SELF, reader->self);
		set(scope, ROOT_OUTPUTS, outputs_type(reader, false));
	} else if (undone != NULL) {
		set(scope, ROOT_SELF, outputs_type(info_of(&undone->node), false));
	}
	if (in_handler(reader, scope->part))
		set(scope, ROOT_FAILURE, b->types[ROOT_FAILURE]);
	if (scope->part == PART_ON_WAITING)
		set(scope, ROOT_WAITING, b->types[ROOT_WAITING]);
	add_items(scope, reader, flags & SCOPE_ITEM);
	return scope;
}

struct scope *
scope_of_book(struct scope *scope, struct book_load *b, unsigned flags)
{
	start(scope, b, flags);
	scope->reader = NULL;
	scope->part = PART_STEPS;
	if (flags & SCOPE_AFTER)
		set(scope, ROOT_STEPS, refs_type(b, NULL, flags, -1));
	return scope;
}

/* ---- the numbers, for the engine */

static struct scope_names *
names_new(struct loading *all, bool in_step, bool failure, bool waiting,
	const char *const *items, size_t n_items)
{
	struct scope_names *made = arena_new_of(all->mem, struct scope_names);
	struct expr_root *roots =
		arena_array(all->mem, struct expr_root, ROOT_ITEM + n_items + 1);
	for (size_t i = 0; i < ROOT_ITEM; i++)
		roots[i] =
			(struct expr_root){root_names[i], &expr_dyn, i == ROOT_SECRETS};
	if (!failure)
		roots[ROOT_FAILURE].name = "";
	if (!waiting)
		roots[ROOT_WAITING].name = "";
	for (size_t i = 0; i < n_items; i++)
		roots[ROOT_ITEM + i] = (struct expr_root){items[i], &expr_dyn, false};
	*made = (struct scope_names){
		.env = {.roots = roots,
			.n_roots = ROOT_ITEM + n_items,
			.unchecked = true},
		.inputs = ROOT_INPUTS,
		.objectives = ROOT_OBJECTIVES,
		.run = ROOT_RUN,
		.vars = ROOT_VARS,
		.secrets = ROOT_SECRETS,
		.now = ROOT_NOW,
		.steps = ROOT_STEPS,
		.step = in_step ? ROOT_STEP : -1,
		.self = in_step ? ROOT_SELF : -1,
		.outputs = in_step ? ROOT_OUTPUTS : -1,
		.failure = failure ? ROOT_FAILURE : -1,
		.waiting = waiting ? ROOT_WAITING : -1,
		.index = n_items > 0 ? ROOT_INDEX : -1,
		.item = n_items > 0 ? ROOT_ITEM : -1,
		.n_items = (unsigned)n_items,
	};
	return made;
}

struct scope_names *
names_of_book(struct book_load *b, enum part part)
{
	if (b->names[part] == NULL)
		b->names[part] = names_new(b->all, true,
			part == PART_ON_FAILURE || part == PART_FINALLY,
			part == PART_ON_WAITING, NULL, 0);
	return b->names[part];
}

/* Siblings share the names of their group, unless they add an item or stand in a list of
 * their own kind. */
struct scope_names *
names_of(struct info *info)
{
	const char *items[MOST_LOOPS];
	size_t n = 0;
	const struct node *up = info->node.parent;
	bool is_top = up == NULL || up->book != info->node.book;
	if (info->node.each == NULL && info->list != IN_FINALLY)
		return is_top ? names_of_book(info->load, info->node.part)
			      : (struct scope_names *)up->names;
	for (struct info *at = info; at != NULL && n < MOST_LOOPS; ) {
		if (at->node.each != NULL)
			items[n++] = at->node.each->as;
		up = at->node.parent;
		at = up == NULL || up->book != at->node.book ? NULL : info_of(up);
	}
	return names_new(info->load->all, true, in_handler(info, info->node.part),
		info->node.part == PART_ON_WAITING, items, n);
}
