/* What a waiter is asked with after a change. It must say which thing is meant: a waiter
 * that looks at all things of an account would tell of others. */
#include "../steps/aws/result.h"
#include "../steps/aws/waiter.h"

#include <strings.h>

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
			if (v != NULL && v->kind == V_STRING)
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
	const struct shape_ref *ref = shape_find(shape, name);
	const struct shape *found =
		ref == NULL ? NULL : service_shape(a->service, ref->shape);
	if (found != NULL && found->kind >= SHAPE_TEXT)
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
	bool is_scalar = v != NULL && v->kind != V_MAP && v->kind != V_LIST;
	if (is_scalar)
		*out = is_list ? list_of_one(a->mem, v) : *v;
	return is_scalar
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
		&& (v = map_at(a->with->map, singular(ref->name))) != NULL
		&& v->kind != V_MAP && v->kind != V_LIST) {
		*out = list_of_one(a->mem, v);
		return true;
	}
	return (ref->traits & TRAIT_REQUIRED || is_list)
		&& from_result(a, ref, is_list, out);
}

/* What the waiter's answer is a list of: its items' shape; NULL: it is no list. */
static const char *
subject_of(struct service *service, const struct operation *asks)
{
	const struct shape *answer = service_shape(service, asks->output.shape);
	for (size_t i = 0; answer != NULL && i < answer->n_members; i++) {
		const struct shape *list =
			service_shape(service, answer->members[i].shape);
		if (list != NULL && list->kind == SHAPE_LIST && list->item.shape != NULL)
			return list->item.shape;
	}
	return NULL;
}

/* "DBSnapshotIdentifier" of DBSnapshot, "LoadBalancerArns" of LoadBalancer, "services" of
 * Service, Names. */
static bool
names_subject(const char *member, const char *subject)
{
	static const char *const ends[] = {"Identifier", "Identifiers", "Name", "Names",
		"Id", "Ids", "Arn", "Arns", "s", NULL};
	struct str name = str_of(member), thing = str_of(subject);
	if (str_is(name, "Names") || str_is(name, "Name"))
		return true;
	if (name.n <= thing.n
		|| strncasecmp(name.p, thing.p, thing.n) != 0)
		return false;
	for (size_t i = 0; ends[i] != NULL; i++)
		if (str_is(str_from(name, thing.n), ends[i]))
			return true;
	return false;
}

/* Every member that must be there is, and where the operation has a member that names what
 * it answers, so is one of these. */
static bool
is_named(struct service *service, const struct operation *asks, const struct shape *input,
	const struct map_builder *said)
{
	const char *subject = subject_of(service, asks);
	bool could = false, does = false;
	for (size_t i = 0; i < input->n_members; i++) {
		const struct shape_ref *ref = &input->members[i];
		bool there = false;
		for (size_t j = 0; j < said->n; j++)
			there |= str_is(said->members[j].key.str, ref->name);
		if (ref->traits & TRAIT_REQUIRED && !there)
			return false;
		bool names = subject != NULL && names_subject(ref->name, subject);
		could |= names;
		does |= names && there;
	}
	return said->n > 0 && (does || !could);
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
	for (size_t i = 0; input != NULL && i < input->n_members; i++) {
		const struct shape_ref *ref = &input->members[i];
		const struct shape *shape = service_shape(service, ref->shape);
		struct value v;
		if (shape == NULL || !is_identity(ref, shape)
			|| !find_value(&a, ref, shape, &v))
			continue;
		map_put(&map, ref->name, v);
	}
	*named = input != NULL && is_named(service, asks, input, &map);
	return map_done(&map);
}
