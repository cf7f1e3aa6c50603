#include "../steps/aws/explain.h"

#include "../steps/aws/class.h"
#include "../steps/aws/pages.h"
#include "../steps/aws/waiter.h"

enum { DEPTH = 2, WORDS_SHOWN = 8, WORDS_WIDTH = 100 };

struct explaining {
	struct arena *mem;
	struct model *model;
	struct service *service;
	struct explained *out;
};

static const char *const effects[] = {
	[PURE] = "pure",
	[IDEMPOTENT] = "idempotent",
	[KEYED] = "keyed",
	[PROBED] = "probed",
	[ONCE] = "once",
	[REPEATABLE] = "repeatable",
};

/* ---- services, operations, classes */

static size_t
count(const char *const *names)
{
	size_t n = 0;
	while (names[n] != NULL)
		n++;
	return n;
}

static void
services(struct explaining *e)
{
	const char *const *names = model_services(e->model);
	struct list_builder list = {.mem = e->mem};
	for (size_t i = 0; names[i] != NULL; i++) {
		struct service *service = model_service(e->model, str_of(names[i]));
		size_t n = count(service_operations(service));
		struct map_builder row = {.mem = e->mem};
		map_put(&row, "service", value_str(str_of(names[i])));
		map_put(&row, "title", value_str(str_of(service->title)));
		map_put(&row, "operations", value_int((int64_t)n));
		list_push(&list, map_done(&row));
		buf_printf(&e->out->text, "%-34s %4zu  %s\n", names[i], n, service->title);
	}
	e->out->value = list_done(&list);
}

static void
operations(struct explaining *e, bool with_reasons)
{
	const char *const *names = service_operations(e->service);
	struct list_builder list = {.mem = e->mem};
	for (size_t i = 0; names[i] != NULL; i++) {
		const struct operation *operation =
			service_operation(e->service, str_of(names[i]));
		const char *effect = effects[class_of_operation(e->service, operation)];
		const char *reason = class_reason(e->mem, e->service, operation);
		struct map_builder row = {.mem = e->mem};
		map_put(&row, "service", value_str(str_of(e->service->name)));
		map_put(&row, "operation", value_str(str_of(names[i])));
		map_put(&row, "class", value_str(str_of(effect)));
		map_put(&row, "reason", value_str(str_of(reason)));
		list_push(&list, map_done(&row));
		buf_printf(&e->out->text, "%-10s  %s.%s%s%s\n", effect, e->service->name,
			names[i], with_reasons ? "   # " : "", with_reasons ? reason : "");
	}
	e->out->value = list_done(&list);
}

/* ---- one operation */

static const char *
kind_of(struct arena *mem, struct service *service, const struct shape *shape)
{
	static const char *const names[] = {
		[SHAPE_STRUCTURE] = "map",
		[SHAPE_LIST] = "list",
		[SHAPE_MAP] = "map",
		[SHAPE_TEXT] = "text",
		[SHAPE_INT] = "integer",
		[SHAPE_FLOAT] = "number",
		[SHAPE_BOOL] = "bool",
		[SHAPE_TIME] = "timestamp",
		[SHAPE_BLOB] = "binary",
	};
	if (shape == NULL)
		return "data";
	const struct shape_ref *ref = shape->kind == SHAPE_LIST ? &shape->item
		: shape->kind == SHAPE_MAP			 ? &shape->value
								 : NULL;
	const struct shape *item = ref == NULL ? NULL : service_shape(service, ref->shape);
	if (item == NULL)
		return shape->traits & TRAIT_DOCUMENT ? "data" : names[shape->kind];
	return arena_printf(mem, "%s of %s", names[shape->kind], names[item->kind]);
}

static void
write_bounds(struct explaining *e, const struct shape *shape)
{
	struct buf *out = &e->out->text;
	size_t n = shape->words == NULL ? 0 : shape->words->list.n, from = out->n;
	if (n == 0 && shape->least != NULL && shape->most != NULL)
		buf_printf(out, "  %s to %s%s", value_short(e->mem, shape->least, 20),
			value_short(e->mem, shape->most, 20),
			shape->kind == SHAPE_TEXT ? " long" : "");
	for (size_t i = 0; i < n && i < WORDS_SHOWN && out->n - from < WORDS_WIDTH; i++)
		buf_printf(out, "%s%.*s", i == 0 ? "  " : "|",
			STR_FMT(shape->words->list.items[i].str));
	if (n > WORDS_SHOWN)
		buf_printf(out, "|… %zu in all", n);
}

static void
write_members(struct explaining *e, const struct shape *shape, unsigned depth)
{
	for (size_t i = 0; shape != NULL && i < shape->n_members; i++) {
		const struct shape_ref *ref = &shape->members[i];
		const struct shape *member = service_shape(e->service, ref->shape);
		bool required = ref->traits & TRAIT_REQUIRED;
		buf_printf(&e->out->text, "  %*s%s %-*s %s", (int)depth * 2, "",
			required ? "*" : " ", 40 - (int)depth * 2, ref->name,
			kind_of(e->mem, e->service, member));
		if (ref->traits & TRAIT_TOKEN)
			buf_puts(&e->out->text, "  takes the step's key");
		if (ref->traits & TRAIT_CLIENT)
			buf_puts(&e->out->text, "  read by rbx alone");
		if (member != NULL && ref_traits(ref, member) & TRAIT_SENSITIVE)
			buf_puts(&e->out->text, "  secret");
		if (member != NULL)
			write_bounds(e, member);
		buf_putc(&e->out->text, '\n');
		const struct shape *inner = member != NULL && member->kind == SHAPE_LIST
			? service_shape(e->service, member->item.shape)
			: member;
		if (inner != NULL && inner->kind == SHAPE_STRUCTURE && depth + 1 < DEPTH)
			write_members(e, inner, depth + 1);
	}
}

static struct value
names_value(struct arena *mem, const char *const *names)
{
	struct list_builder list = {.mem = mem};
	for (size_t i = 0; names[i] != NULL; i++)
		list_push(&list, value_str(str_of(names[i])));
	return list_done(&list);
}

static struct value
members_value(struct explaining *e, const struct shape *shape)
{
	struct list_builder list = {.mem = e->mem};
	for (size_t i = 0; shape != NULL && i < shape->n_members; i++) {
		const struct shape_ref *ref = &shape->members[i];
		const struct shape *member = service_shape(e->service, ref->shape);
		struct map_builder row = {.mem = e->mem};
		map_put(&row, "name", value_str(str_of(ref->name)));
		map_put(&row, "type",
			value_str(str_of(kind_of(e->mem, e->service, member))));
		map_put(&row, "required", value_bool(ref->traits & TRAIT_REQUIRED));
		if (member != NULL && member->words != NULL)
			map_put(&row, "words", *member->words);
		list_push(&list, map_done(&row));
	}
	return list_done(&list);
}

static void
write_names(struct explaining *e, const char *title, const char *const *names)
{
	if (names[0] == NULL)
		return;
	buf_printf(&e->out->text, "\n%s:", title);
	for (size_t i = 0; names[i] != NULL; i++)
		buf_printf(&e->out->text, "%s %s", i == 0 ? "" : ",", names[i]);
	buf_putc(&e->out->text, '\n');
}

/* The codes as answers have them and `accept` takes them: DBInstanceNotFound, whose shape
 * is DBInstanceNotFoundFault. */
static const char *const *
codes_of(struct explaining *e, const struct operation *operation)
{
	size_t n = count(operation->errors);
	const char **codes = arena_array(e->mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const struct shape *shape =
			service_shape(e->service, operation->errors[i]);
		codes[i] = shape == NULL || shape->error_code == NULL
			? operation->errors[i]
			: shape->error_code;
	}
	return codes;
}

static void
operation_pages(struct explaining *e, const struct operation *operation)
{
	struct pages pages;
	if (pages_begin(e->service, operation, e->mem, &pages))
		buf_puts(&e->out->text, "\npages: all   fetches every page\n");
}

static void
one_operation(struct explaining *e, const struct operation *operation)
{
	const struct shape *input = service_shape(e->service, operation->input.shape),
			   *output = service_shape(e->service, operation->output.shape);
	const char *effect = effects[class_of_operation(e->service, operation)],
		   *reason = class_reason(e->mem, e->service, operation);
	const char *const *waiters = waiter_names(e->service, operation->name);
	const char *const *codes = codes_of(e, operation);
	struct buf *out = &e->out->text;
	buf_printf(out, "%s.%s%s\nclass %s: %s\n", e->service->name, operation->name,
		operation->deprecated ? "   AWS calls it deprecated" : "", effect, reason);
	buf_puts(out, "\nwith (* required):\n");
	write_members(e, input, 0);
	buf_puts(out, "\nresult:\n");
	write_members(e, output, 0);
	write_names(e, "waiters", waiters);
	operation_pages(e, operation);
	write_names(e, "errors (of use in accept)", codes);
	struct map_builder map = {.mem = e->mem};
	map_put(&map, "service", value_str(str_of(e->service->name)));
	map_put(&map, "operation", value_str(str_of(operation->name)));
	map_put(&map, "class", value_str(str_of(effect)));
	map_put(&map, "reason", value_str(str_of(reason)));
	map_put(&map, "with", members_value(e, input));
	map_put(&map, "result", members_value(e, output));
	map_put(&map, "waiters", names_value(e->mem, waiters));
	map_put(&map, "errors", names_value(e->mem, codes));
	e->out->value = map_done(&map);
}

/* ---- which of them is asked for */

static bool
no_such(struct err *err, const char *what, struct str name, const char *const *names)
{
	const char *near = near_name(name, names);
	err_set(err, ERR_UNKNOWN_NAME, "%s '%.*s'%s%s%s", what, STR_FMT(name),
		near == NULL ? "" : ", did you mean '", near == NULL ? "" : near,
		near == NULL ? "" : "'?");
	return false;
}

static void
all_classes(struct explaining *e)
{
	const char *const *names = model_services(e->model);
	struct list_builder list = {.mem = e->mem};
	for (size_t i = 0; names[i] != NULL; i++) {
		e->service = model_service(e->model, str_of(names[i]));
		operations(e, true);
		for (size_t j = 0; j < e->out->value.list.n; j++)
			list_push(&list, e->out->value.list.items[j]);
	}
	e->out->value = list_done(&list);
}

bool
explain_aws(struct arena *mem, const struct asked *asked, struct explained *out,
	struct err *err)
{
	struct explaining e = {.mem = mem, .model = model_open(mem), .out = out};
	out->text = buf_in(mem);
	if (model_err(e.model) != NULL) {
		*err = *model_err(e.model);
		return false;
	}
	if (asked->n == 0 && asked->classes)
		return all_classes(&e), true;
	if (asked->n == 0)
		return services(&e), true;
	struct str operation, name = str_cut(str_of(asked->words[0]), '.', &operation);
	if (asked->n > 1)
		operation = str_of(asked->words[1]);
	e.service = model_service(e.model, name);
	if (e.service == NULL)
		return no_such(err, "AWS has no service", name, model_services(e.model));
	if (operation.n == 0)
		return operations(&e, asked->classes), true;
	const struct operation *found = service_operation(e.service, operation);
	if (found == NULL)
		return no_such(err,
			arena_printf(mem, "%s has no operation", e.service->name),
			operation, service_operations(e.service));
	return one_operation(&e, found), true;
}
