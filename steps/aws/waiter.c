#include "../steps/aws/waiter.h"

#include "../steps/aws/result.h"

const struct waiter *
waiter_find(struct service *service, struct str name)
{
	struct arena *mem = service_mem(service);
	const struct value *facts = facts_find(
		model_facts(service->model), service->name, "waiter", name);
	if (facts == NULL)
		return NULL;
	struct waiter *waiter = arena_new_of(mem, struct waiter);
	*waiter = (struct waiter){.name = str_cstr(mem, name),
		.operation = str_cstr(mem, value_get_str(facts, "operation")),
		.delay = value_get_int(facts, "delay", 30) * NS_S,
		.acceptors = value_get(facts, "acceptors")};
	return waiter;
}

const char *const *
waiter_names(struct service *service, const char *operation)
{
	const char *const *all =
		facts_names(model_facts(service->model), service->name, "waiter");
	size_t n = 0, kept = 0;
	while (all[n] != NULL)
		n++;
	const char **names = arena_array(service_mem(service), const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		if (operation == NULL
			|| strcmp(waiter_find(service, str_of(all[i]))->operation, operation)
				== 0)
			names[kept++] = all[i];
	return names;
}

static bool
all_or_any(const struct value *list, const struct value *expected, bool all)
{
	size_t same = 0;
	if (list->kind != V_LIST || list->list.n == 0)
		return false;
	for (size_t i = 0; i < list->list.n; i++)
		same += value_equal(&list->list.items[i], expected);
	return all ? same == list->list.n : same > 0;
}

static const struct value *
inner(const struct value *v)
{
	return v->kind == V_OPTIONAL ? v->opt : v;
}

static bool
error_fits(const struct value *expected, struct str code)
{
	if (expected->kind == V_BOOL)
		return expected->b == (code.n > 0);
	return code.n > 0 && str_eq(expected->str, code);
}

static void
say(struct arena *mem, const struct value *seen, const char **why)
{
	seen = inner(seen);
	*why = seen == NULL ? "nothing is there yet"
			    : arena_printf(mem, "it says %s", value_short(mem, seen, 100));
}

static bool
fits(struct arena *mem, const struct value *acceptor, const struct value *result,
	struct str code, int status, const char **why)
{
	const struct value *expected = value_get(acceptor, "expected");
	struct str matcher = value_get_str(acceptor, "matcher");
	struct value seen;
	if (str_is(matcher, "status"))
		return expected->kind == V_INT && expected->i == status;
	if (str_is(matcher, "error"))
		return error_fits(expected, code);
	if (code.n > 0 || !result_says(mem, value_get_str(acceptor, "argument"), result, &seen))
		return false;
	if (expected->kind != V_BOOL)
		say(mem, &seen, why);
	if (!str_is(matcher, "path"))
		return all_or_any(&seen, expected, str_is(matcher, "pathAll"));
	const struct value *one = inner(&seen);
	return one != NULL && value_equal(one, expected);
}

enum waiter_says
waiter_judge(struct arena *mem, const struct waiter *waiter, const struct value *result,
	struct str code, int status, const char **why)
{
	const struct value *list = waiter->acceptors;
	*why = code.n > 0 ? str_cstr(mem, code) : "not yet";
	for (size_t i = 0; list != NULL && i < list->list.n; i++) {
		const struct value *acceptor = &list->list.items[i];
		struct str state = value_get_str(acceptor, "state");
		if (!fits(mem, acceptor, result, code, status, why))
			continue;
		return str_is(state, "success")	  ? WAITER_SUCCESS
			: str_is(state, "failure") ? WAITER_FAILURE
						   : WAITER_AGAIN;
	}
	return code.n > 0 ? WAITER_FAILURE : WAITER_AGAIN;
}
