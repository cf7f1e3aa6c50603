/* How a run is bounded and begun: limits, locks, starts, drills. */
#include "model/load.h"

static int64_t
limit_time(const struct value *limits, const char *name, int64_t otherwise)
{
	const struct value *v = value_get(limits, name);
	return v != NULL && v->kind == V_DURATION ? span_ns(v->span) : otherwise;
}

static bool
is_range(struct str text)
{
	struct str bits, address = str_cut(text, '/', &bits);
	int64_t n;
	bool six = str_find(address, STR(":")) < address.n;
	if (bits.p != NULL && (!str_int(bits, &n) || n < 0 || n > (six ? 128 : 32)))
		return false;
	for (size_t i = 0; i < address.n; i++)
		if (strchr(six ? "0123456789abcdefABCDEF:." : "0123456789.", address.p[i])
			== NULL)
			return false;
	return address.n >= 2;
}

static void
read_limits(struct book_load *b)
{
	const struct value *limits = value_get(&b->top, "limits"), *ranges;
	b->book->limits = limits != NULL && limits->kind == V_MAP ? limits : NULL;
	b->book->deadline = limit_time(limits, "deadline", 24 * NS_H);
	b->book->handlers = limit_time(limits, "handlers", 10 * NS_MIN);
	b->book->parallel = (unsigned)value_get_int(limits, "parallel", 8);
	ranges = value_get(limits, "addresses");
	for (size_t i = 0; ranges != NULL && ranges->kind == V_LIST && i < ranges->list.n;
		i++) {
		const struct value *v = &ranges->list.items[i];
		if (v->kind == V_STRING && !is_range(v->str))
			diag_error(b->diags, value_mark(v),
				"%s is no range of addresses, as 10.0.0.0/8",
				value_short(b->all->scratch, v, 40));
	}
}

static bool
read_lock(struct book_load *b, const struct value *v, struct lock_ref *lock)
{
	struct scope scope, secrets;
	scope_of_book(&scope, b, 0);
	*lock = (struct lock_ref){.at = value_mark(v)};
	if (v->kind == V_STRING) {
		lock->name = text_read(&scope, v, TEMPLATE_TEXT | TEMPLATE_NO_SECRET);
		return true;
	}
	struct value constant = constant_part(b->all->scratch, v), judged;
	struct field_use use = {.of = "a lock",
		.folder = b->file->folder,
		.mem = b->all->scratch,
		.diags = b->diags};
	if (!fields_judge(&use, lock_keys, &constant, &judged))
		return false;
	scope_of_book(&secrets, b, SCOPE_SECRETS);
	lock->name = text_read(
		&scope, value_get(v, "name"), TEMPLATE_TEXT | TEMPLATE_NO_SECRET);
	lock->postgres = field_read(&scope, &secrets,
		field_find(lock_keys, STR("postgres")), value_get(v, "postgres"));
	return true;
}

static void
read_locks(struct book_load *b)
{
	const struct value *list = value_get(&b->top, "locks");
	if (list == NULL || list->kind != V_LIST)
		return;
	struct lock_ref *locks =
		arena_array(b->all->mem, struct lock_ref, list->list.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < list->list.n; i++)
		n += read_lock(b, &list->list.items[i], &locks[n]);
	b->book->locks = locks;
	b->book->n_locks = n;
}

static bool
has_drill_input(struct book_load *b, const char *name)
{
	return value_get(value_get(value_get(&b->top, "drill"), "inputs"), name) != NULL;
}

static void
judge_start(struct book_load *b, const struct value *on, const char *name)
{
	const struct value *start = value_get(on, name), *cron = value_get(start, "cron");
	struct err err = {0};
	bool drill = strcmp(name, "drill") == 0;
	if (start == NULL)
		return;
	if (cron != NULL && cron->kind == V_STRING && !cron_is_valid(cron->str, &err))
		diag_error(b->diags, value_mark(cron), "%s", err.msg);
	for (size_t i = 0; i < b->book->n_inputs; i++) {
		const struct input *input = &b->book->inputs[i];
		if (input->otherwise == NULL
			&& !(drill && has_drill_input(b, input->name)))
			diag_error(b->diags, input->at,
				"on.%s needs a value for the input '%s'", name,
				input->name);
	}
	if (strcmp(name, "trigger") == 0 && b->book->parts[PART_TRIGGER].n == 0)
		diag_error(b->diags, value_mark(start),
			"on.trigger needs a 'trigger' that it can ask");
}

void
limits_read(struct book_load *b)
{
	const struct value *on = value_get(&b->top, "on");
	read_limits(b);
	read_locks(b);
	if (on == NULL || on->kind != V_MAP)
		return;
	b->book->on = on;
	judge_start(b, on, "schedule");
	judge_start(b, on, "drill");
	judge_start(b, on, "trigger");
}

/* ---- drill */

static void
read_drill_inputs(struct book_load *b, const struct value *map)
{
	struct playbook *book = b->book;
	struct scope scope;
	size_t n = 0;
	if (map == NULL || map->kind != V_MAP)
		return;
	struct named_template *inputs =
		arena_array(b->all->mem, struct named_template, map->map->n + 1);
	const char **names =
		arena_array(b->all->scratch, const char *, book->n_inputs + 1);
	for (size_t i = 0; i < book->n_inputs; i++)
		names[i] = book->inputs[i].name;
	scope_of_book(&scope, b, 0);
	for (size_t i = 0; i < map->map->n; i++) {
		const struct member *m = &map->map->members[i];
		const struct input *input = NULL;
		for (size_t j = 0; j < book->n_inputs && input == NULL; j++)
			input = str_is(m->key.str, names[j]) ? &book->inputs[j] : NULL;
		if (input == NULL) {
			const char *near = near_name(m->key.str, names);
			diag_error(b->diags, value_mark(&m->key),
				"there is no input '%.*s'%s%s%s", STR_FMT(m->key.str),
				near == NULL ? "" : ", did you mean '",
				near == NULL ? "" : near, near == NULL ? "" : "'?")
				->code = ERR_UNKNOWN_NAME;
			continue;
		}
		struct value constant = constant_part(b->all->scratch, &m->value), judged;
		if (input_judge(input, &constant, b->file->folder, b->all->scratch,
			    &judged, b->diags))
			inputs[n++] = (struct named_template){input->name,
				text_read(&scope, &m->value, TEMPLATE_NO_SECRET),
				value_mark(&m->key)};
	}
	book->drill.inputs = inputs;
	book->drill.n_inputs = n;
}

void
drill_read(struct book_load *b)
{
	const struct value *map = value_get(&b->top, "drill"),
			   *leaves = value_get(map, "leaves");
	struct drill *drill = &b->book->drill;
	size_t n = leaves == NULL || leaves->kind != V_LIST ? 0 : leaves->list.n;
	const char **paths = arena_array(b->all->mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		paths[i] = str_cstr(b->all->mem, leaves->list.items[i].kind == V_STRING
			? leaves->list.items[i].str : (struct str){0});
	*drill = (struct drill){
		.real = value_get_bool(map, "real", false),
		.undo = value_get_bool(map, "undo", true),
		.confirm = value_get_bool(map, "confirm", true),
		.written = map != NULL,
		.leaves = paths,
		.every = limit_time(map, "every", 92 * NS_DAY),
	};
	read_drill_inputs(b, value_get(map, "inputs"));
}
