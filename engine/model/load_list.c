/* Pass 2: the lists of a playbook become nodes. Here a step gets its id, its type and its
 * children; what its other keys say is understood later. */
#include "model/load.h"

/* ---- ids */

static struct info **
ids_place(const struct ids *ids, struct str id)
{
	size_t i = str_hash(id) & (ids->size - 1);
	while (ids->places[i] != NULL && !str_is(id, ids->places[i]->node.id))
		i = (i + 1) & (ids->size - 1);
	return &ids->places[i];
}

struct info *
ids_find(const struct book_load *b, struct str id)
{
	return b->ids.size == 0 ? NULL : *ids_place(&b->ids, id);
}

static void
ids_add(struct book_load *b, struct info *info)
{
	struct ids *ids = &b->ids;
	if (ids->n * 2 >= ids->size) {
		struct ids more = {
			.n = ids->n, .size = ids->size == 0 ? 32 : ids->size * 2};
		more.places = arena_array(b->all->mem, struct info *, more.size);
		for (size_t i = 0; i < ids->size; i++)
			if (ids->places[i] != NULL)
				*ids_place(&more, str_of(ids->places[i]->node.id)) =
					ids->places[i];
		*ids = more;
	}
	struct info **place = ids_place(ids, str_of(info->node.id));
	if (*place == NULL) {
		*place = info;
		ids->n++;
		return;
	}
	struct err *err = diag_error(
		b->diags, info->node.at, "the id '%s' stands twice", info->node.id);
	err_hint(err, "an id is unique in its file, also among handlers and undo");
	if (b->diags->last != NULL && &b->diags->last->err == err)
		b->diags->last->also = (*place)->node.at;
	info->is_wrong = true;
}

/* ---- what a step is */

static void
unknown_key(struct info *info, const struct value *key)
{
	struct loading *all = info->load->all;
	const struct step_type *const *types = all->loader->types;
	size_t n = 0, t = 0;
	while (types[t] != NULL)
		t++;
	const char **names = arena_array(all->scratch, const char *, t + 40);
	for (const struct step_key *k = step_keys; k->row.name != NULL; k++)
		names[n++] = k->row.name;
	for (size_t i = 0; group_names[i] != NULL; i++)
		names[n++] = group_names[i];
	for (size_t i = 0; i < t; i++)
		names[n++] = types[i]->name;
	const char *near = near_name(key->str, names);
	struct err *err = diag_error(info->load->diags, value_mark(key),
		"unknown key or type '%.*s' of a step%s%s%s", STR_FMT(key->str),
		near == NULL ? "" : ", did you mean '", near == NULL ? "" : near,
		near == NULL ? "" : "'?");
	err->code = ERR_UNKNOWN_NAME;
	if (near == NULL)
		err_hint(err, "rbx steps lists the types");
}

static bool
is_group_name(struct str name, enum node_kind *kind)
{
	static const enum node_kind kinds[] = {
		NODE_BLOCK, NODE_PARALLEL, NODE_CHOOSE, NODE_PLAYBOOK};
	for (size_t i = 0; group_names[i] != NULL; i++)
		if (str_is(name, group_names[i])) {
			*kind = kinds[i];
			return true;
		}
	return false;
}

static void
second_type(struct info *info, const struct value *key)
{
	diag_error(info->load->diags, value_mark(key),
		"a step has one type: '%.*s' or '%.*s'", STR_FMT(info->type_key->str),
		STR_FMT(key->str));
	info->is_wrong = true;
}

static void
find_type(struct info *info)
{
	const struct loader *loader = info->load->all->loader;
	size_t unknown = 0;
	info->node.kind = NODE_ASSERT;
	for (size_t i = 0; i < info->map->map->n; i++) {
		const struct value *key = &info->map->map->members[i].key;
		enum node_kind kind = NODE_STEP;
		if (step_key_find(key->str) != NULL
			|| (info->list == IN_PROBE && str_is(key->str, "done")))
			continue;
		const struct step_type *type = is_group_name(key->str, &kind) ? NULL
			: step_type_find(loader->types, key->str);
		if (type == NULL && kind == NODE_STEP) {
			unknown_key(info, key);
			unknown++;
			continue;
		}
		if (info->type_key != NULL) {
			second_type(info, key);
			continue;
		}
		info->type_key = key;
		info->type_value = &info->map->map->members[i].value;
		info->node.kind = kind;
		info->node.type = type;
	}
	info->is_wrong |= unknown > 0;
	if (info->type_key == NULL && map_at(info->map->map, STR("assert")) == NULL) {
		info->is_wrong = true;
		if (unknown == 0)
			err_hint(diag_error(info->load->diags, info->node.at,
					 "this step has no type"),
				"a step has one type with its arguments, or 'assert' "
				"alone; rbx steps lists the types");
	}
}

static bool
is_id(struct str id)
{
	if (id.n == 0 || id.n > 64 || id.p[0] < 'a' || id.p[0] > 'z')
		return false;
	for (size_t i = 0; i < id.n; i++)
		if ((id.p[i] < 'a' || id.p[i] > 'z') && (id.p[i] < '0' || id.p[i] > '9')
			&& id.p[i] != '_')
			return false;
	return true;
}

/* Paths tell by these names in which list of a group a step is carried out. */
static bool
is_part(struct str id)
{
	static const char *const parts[] = {"trigger", "preconditions", "on_waiting",
		"on_success", "on_failure", "finally", "undo"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (str_is(id, parts[i]))
			return true;
	return false;
}

static void
read_id(struct info *info)
{
	struct book_load *b = info->load;
	const struct value *id = map_at(info->map->map, STR("id"));
	struct value text;
	info->node.at =
		(struct mark){info->map->source, info->map->from, info->map->from};
	info->node.id = "";
	if (info->list == IN_PROBE) {
		info->node.id = "probe";
		return;
	}
	if (id == NULL) {
		diag_error(b->diags, info->node.at, "a step needs an 'id'");
		info->is_wrong = true;
		return;
	}
	info->node.at = value_mark(id);
	bool is_text = id->kind == V_STRING;
	text = is_text ? *id : value_str(STR(""));
	if (!is_id(text.str)) {
		err_hint(diag_error(b->diags, info->node.at, "%s is no id",
				 value_short(b->all->mem, id, 70)),
			"a-z, 0-9 and _, beginning with a letter, at most 64 characters");
		info->is_wrong = true;
		return;
	}
	if (is_part(text.str)) {
		err_hint(diag_error(b->diags, info->node.at, "'%.*s' cannot be an id",
				 STR_FMT(text.str)),
			"in the path of a step it stands for the list that the step is in");
		info->is_wrong = true;
		return;
	}
	info->node.id = str_cstr(b->all->mem, text.str);
	ids_add(b, info);
}

/* ---- children */

static struct part_list
list_at(struct info *info, const char *name, enum list_kind kind)
{
	const struct value *list = map_at(info->map->map, str_of(name));
	if (list == NULL || list->kind != V_LIST)
		return (struct part_list){0};
	return list_read(info->load, list, (struct seat){info, kind, 0, info->node.part});
}

static void
read_branches(struct info *info)
{
	struct book_load *b = info->load;
	const struct value *list = info->type_value;
	if (list->kind != V_LIST)
		return;
	struct branch *branches =
		arena_array(b->all->mem, struct branch, list->list.n + 1);
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *steps = value_get(&list->list.items[i], "steps");
		branches[i].at = value_mark(&list->list.items[i]);
		if (steps == NULL || steps->kind != V_LIST)
			continue;
		struct part_list part = list_read(b, steps,
			(struct seat){info, IN_BRANCH, (unsigned)i, info->node.part});
		branches[i].steps = part.nodes;
		branches[i].n_steps = part.n;
	}
	info->node.branches = branches;
	info->node.n_branches = list->list.n;
	info->branch_guards =
		arena_array(b->all->mem, const struct guard *, list->list.n + 1);
}

static void
read_members(struct info *info)
{
	struct book_load *b = info->load;
	if (info->node.kind == NODE_CHOOSE) {
		read_branches(info);
	} else if (info->node.kind == NODE_BLOCK || info->node.kind == NODE_PARALLEL) {
		if (info->type_value->kind != V_LIST)
			return;
		struct part_list part = list_read(b, info->type_value,
			(struct seat){info, IN_MEMBERS, 0, info->node.part});
		info->node.members = part.nodes;
		info->node.n_members = part.n;
		if (info->node.kind == NODE_PARALLEL)
			needs_read(b, info);
	} else if (info->node.kind == NODE_PLAYBOOK) {
		const struct value *file = value_get(info->type_value, "file");
		if (file == NULL || file->kind != V_STRING || has_template(file))
			return;
		struct playbook *called = book_load(b->all,
			str_cstr(b->all->scratch, file->str), value_mark(file), info, b);
		info->is_wrong |= called == NULL;
		info->node.called = called;
		if (called != NULL) {
			info->node.members = called->parts[PART_STEPS].nodes;
			info->node.n_members = called->parts[PART_STEPS].n;
		}
	}
}

static void
read_children(struct info *info)
{
	struct book_load *b = info->load;
	const struct value *probe = map_at(info->map->map, STR("probe"));
	struct part_list part = list_at(info, "preconditions", IN_PRECONDITIONS);
	info->node.preconditions = part.nodes;
	info->node.n_preconditions = part.n;
	if (info->type_key != NULL)
		read_members(info);
	part = list_at(info, "undo", IN_UNDO);
	info->node.undo_steps = part.nodes;
	info->node.n_undo_steps = part.n;
	part = list_at(info, "finally", IN_FINALLY);
	info->node.finally = part.nodes;
	info->node.n_finally = part.n;
	if (probe != NULL && probe->kind == V_MAP) {
		struct value one = value_list(probe, 1);
		part = list_read(
			b, &one, (struct seat){info, IN_PROBE, 0, info->node.part});
		info->node.probe = part.n == 1 ? part.nodes[0] : NULL;
	}
}

static void
node_add(struct loading *all, struct node *node)
{
	if (all->n_nodes == all->cap_nodes) {
		size_t cap = all->cap_nodes == 0 ? 64 : all->cap_nodes * 2;
		struct node **more = arena_array(all->scratch, struct node *, cap);
		if (all->n_nodes > 0)
			memcpy(more, all->nodes, all->n_nodes * sizeof *more);
		all->nodes = more;
		all->cap_nodes = cap;
	}
	node->number = (unsigned)all->n_nodes;
	all->nodes[all->n_nodes++] = node;
}

static struct info *
step_read(struct book_load *b, const struct value *map, struct seat seat, size_t place)
{
	struct info *info = arena_new_of(b->all->mem, struct info);
	*info = (struct info){.load = b,
		.map = map,
		.list = seat.list,
		.branch = seat.branch,
		.place = (unsigned)place,
		.order = (unsigned)place};
	info->node.part = seat.part;
	info->node.book = b->book;
	info->node.parent = seat.parent != NULL ? &seat.parent->node
		: b->caller != NULL             ? &b->caller->node
						: NULL;
	info->node.effect = -1;
	node_add(b->all, &info->node);
	read_id(info);
	find_type(info);
	read_children(info);
	return info;
}

struct part_list
list_read(struct book_load *b, const struct value *list, struct seat seat)
{
	struct node **nodes = arena_array(b->all->mem, struct node *, list->list.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *item = &list->list.items[i];
		if (item->kind != V_MAP) {
			err_hint(
				diag_error(b->diags, value_mark(item),
					"a step is a map, not %s", kind_name(item->kind)),
				"- {id: NAME, TYPE: {…}}");
			continue;
		}
		if (b->all->n_nodes >= MOST_NODES) {
			diag_error(b->diags, value_mark(item), "more than %d steps",
				MOST_NODES)
				->code = ERR_LIMIT;
			break;
		}
		nodes[n] = &step_read(b, item, seat, n)->node;
		n++;
	}
	return (struct part_list){nodes, n};
}
