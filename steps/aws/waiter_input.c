/* What a waiter is asked with after a change. It must say which thing is meant: a waiter
 * that looks at all things of an account would tell of others. */
#include "../steps/aws/result.h"
#include "../steps/aws/waiter.h"

struct asking {
	struct arena *mem;
	struct service *service;
	const struct shape *output; /* of the change; NULL: none */
	const struct value *with, *result;            /* result NULL: not there yet */
};

static bool
is_identity(const struct shape_ref *ref, const struct shape *shape)
{
	static const char *const others[] = {"Marker", "NextToken", "nextToken", "Filters",
		"filters", "include", "Include", "Values", NULL};
	for (size_t i = 0; others[i] != NULL; i++)
		if (strcmp(ref->name, others[i]) == 0)
			return false;
	return shape->kind == SHAPE_TEXT || shape->kind == SHAPE_LIST;
}

/* "service" of "services", "InstanceId" of "InstanceIds". */
static struct str
singular(const char *name)
{
	struct str text = str_of(name);
	if (str_ends(text, STR("s")))
		text.n--;
	return text;
}

static struct value
list_of_one(struct arena *mem, const struct value *v)
{
	struct list_builder list = {.mem = mem};
	list_push(&list, *v);
	return list_done(&list);
}

/* The member of that name of each item in the lists of the answer. */
static bool
from_items(struct asking *a, struct str name, struct value *out)
{
	struct list_builder list = {.mem = a->mem};
	for (size_t i = 0; i < a->result->map->n; i++) {
		const struct value *items = &a->result->map->members[i].value;
		for (size_t j = 0; items->kind == V_LIST && j < items->list.n; j++) {
			const struct value *item = &items->list.items[j];
			const struct value *v =
				item->kind == V_MAP ? map_at(item->map, name) : NULL;
			if (v != NULL)
				list_push(&list, *v);
		}
	}
	*out = list_done(&list);
	return list.n > 0;
}

/* The same by the shapes, before there is an answer. */
static bool
will_come(struct asking *a, const struct shape *shape, struct str name, bool deeper)
{
	if (shape == NULL || shape->kind != SHAPE_STRUCTURE)
		return false;
	if (shape_find(shape, name) != NULL)
		return true;
	for (size_t i = 0; deeper && i < shape->n_members; i++) {
		const struct shape *inner =
			service_shape(a->service, shape->members[i].shape);
		if (inner != NULL && inner->kind == SHAPE_LIST)
			inner = service_shape(a->service, inner->item.shape);
		if (will_come(a, inner, name, false))
			return true;
	}
	return false;
}

static bool
from_result(struct asking *a, const struct shape_ref *ref, bool is_list, struct value *out)
{
	struct str name = is_list ? singular(ref->name) : str_of(ref->name);
	if (a->result == NULL) {
		*out = value_unknown(STR("the answer names it"));
		return will_come(a, a->output, name, true);
	}
	const struct value *v = result_find(a->result, name);
	if (v != NULL)
		*out = is_list && v->kind != V_LIST ? list_of_one(a->mem, v) : *v;
	return v != NULL
		|| (is_list && a->result->kind == V_MAP && from_items(a, name, out));
}

static bool
find_value(struct asking *a, const struct shape_ref *ref, const struct shape *shape,
	struct value *out)
{
	bool is_list = shape->kind == SHAPE_LIST;
	const struct value *v = value_get(a->with, ref->name);
	if (v != NULL) {
		*out = *v;
		return true;
	}
	if (is_list && a->with != NULL && a->with->kind == V_MAP
		&& (v = map_at(a->with->map, singular(ref->name))) != NULL) {
		*out = list_of_one(a->mem, v);
		return true;
	}
	return (ref->traits & TRAIT_REQUIRED || is_list)
		&& from_result(a, ref, is_list, out);
}

struct value
waiter_input(struct arena *mem, struct service *service, const struct waiter *waiter,
	const struct operation *begun, const struct value *with,
	const struct value *result, bool *named)
{
	struct asking a = {mem, service, service_shape(service, begun->output.shape), with,
		result};
	const struct operation *asks =
		service_operation(service, str_of(waiter->operation));
	const struct shape *input = service_shape(service, asks->input.shape);
	struct map_builder map = {.mem = mem};
	*named = false;
	for (size_t i = 0; input != NULL && i < input->n_members; i++) {
		const struct shape_ref *ref = &input->members[i];
		const struct shape *shape = service_shape(service, ref->shape);
		struct value v;
		if (shape == NULL || !is_identity(ref, shape)
			|| !find_value(&a, ref, shape, &v))
			continue;
		map_put(&map, ref->name, v);
		*named = true;
	}
	return map_done(&map);
}
