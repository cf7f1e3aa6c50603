#include "../unit.h"

#include "steps/aws/model.h"

static const struct expr_root roots[] = {{"result", &expr_dyn, false}};

static int
setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static bool
is_there(struct service *service, const struct shape_ref *member)
{
	return member->shape == NULL || service_shape(service, member->shape) != NULL;
}

static void
look_at_shape(struct service *service, const char *name)
{
	const struct shape *shape = service_shape(service, name);
	assert_non_null(shape);
	for (size_t i = 0; i < shape->n_members; i++)
		if (!is_there(service, &shape->members[i]))
			fail_msg("%s %s.%s: no shape", service->name, name,
				shape->members[i].name);
	assert_true(is_there(service, &shape->item) && is_there(service, &shape->key)
		&& is_there(service, &shape->value));
	assert_true(shape->payload == NULL
		|| shape_find(shape, str_of(shape->payload)) != NULL);
	assert_true(shape->kind != SHAPE_LIST || shape->item.shape != NULL);
}

static void
look_at_operation(struct service *service, const char *name)
{
	const struct operation *op = service_operation(service, str_of(name));
	assert_non_null(op);
	assert_true(op->uri[0] == '/' && op->method[0] != '\0');
	assert_true(is_there(service, &op->input) && is_there(service, &op->output));
	for (size_t i = 0; op->errors[i] != NULL; i++)
		assert_non_null(service_shape(service, op->errors[i]));
}

static void
compiles(struct arena *mem, const char *where, const struct value *text)
{
	struct expr_env env = {.roots = roots, .n_roots = 1};
	struct source source = {.name = where, .text = text->str};
	struct diags diags = {.mem = mem};
	if (expr_compile(mem, text->str, (struct mark){&source, 0, 0}, NULL, &env, &diags)
		== NULL)
		fail_msg("%s: %.*s does not compile", where, STR_FMT(text->str));
}

static void
look_at_waiter(struct arena *mem, struct service *service, const char *name)
{
	const struct value *facts = facts_find(
		model_facts(service->model), service->name, "waiter", str_of(name));
	const struct value *acceptors = value_get(facts, "acceptors"), *argument;
	assert_non_null(service_operation(service, value_get_str(facts, "operation")));
	for (size_t i = 0; i < acceptors->list.n; i++)
		if ((argument = value_get(&acceptors->list.items[i], "argument")) != NULL)
			compiles(mem, name, argument);
}

static void
look_at_pages(struct arena *mem, struct service *service, const char *name)
{
	const struct value *facts = facts_find(
		model_facts(service->model), service->name, "pages", str_of(name));
	const struct value *output = value_get(facts, "output");
	assert_non_null(service_operation(service, str_of(name)));
	for (size_t i = 0; i < output->list.n; i++)
		compiles(mem, name, &output->list.items[i]);
}

static void
look_at_service(struct arena *mem, struct service *service)
{
	const char *const *names = service_operations(service);
	struct facts *facts = model_facts(service->model);
	for (size_t i = 0; names[i] != NULL; i++)
		look_at_operation(service, names[i]);
	names = facts_names(facts, service->name, "shape");
	for (size_t i = 0; names[i] != NULL; i++)
		look_at_shape(service, names[i]);
	names = facts_names(facts, service->name, "waiter");
	for (size_t i = 0; names[i] != NULL; i++)
		look_at_waiter(mem, service, names[i]);
	names = facts_names(facts, service->name, "pages");
	for (size_t i = 0; names[i] != NULL; i++)
		look_at_pages(mem, service, names[i]);
}

static void
every_fact_holds_together(void **state)
{
	struct model *model = model_open(*state);
	const char *const *names = model_services(model);
	size_t n = 0;
	for (; names[n] != NULL; n++)
		look_at_service(*state, model_service(model, str_of(names[n])));
	assert_true(n >= 50);
}

static void
an_operation_is_read(void **state)
{
	struct service *rds = model_service(model_open(*state), STR("rds"));
	const struct operation *op =
		service_operation(rds, STR("DescribeDBInstances"));
	assert_int_equal(rds->protocol, PROTOCOL_QUERY);
	assert_string_equal(op->result_wrapper, "DescribeDBInstancesResult");
	const struct shape *input = service_shape(rds, op->input.shape);
	const struct shape_ref *filters = shape_find(input, STR("Filters"));
	const struct shape *list = service_shape(rds, filters->shape);
	assert_int_equal(list->kind, SHAPE_LIST);
	assert_string_equal(list->item.wire, "Filter");
	assert_null(service_operation(rds, STR("DescribeDBInstance")));
	assert_null(model_service(rds->model, STR("rdz")));
}

static void
tokens_and_bindings_are_read(void **state)
{
	struct model *model = model_open(*state);
	struct service *ec2 = model_service(model, STR("ec2"));
	const struct operation *run = service_operation(ec2, STR("RunInstances"));
	assert_string_equal(run->tokens[0], "ClientToken");
	struct service *s3 = model_service(model, STR("s3"));
	const struct operation *put = service_operation(s3, STR("PutObject"));
	const struct shape *input = service_shape(s3, put->input.shape);
	assert_int_equal(shape_find(input, STR("Bucket"))->place, IN_URI);
	assert_int_equal(shape_find(input, STR("Metadata"))->place, IN_HEADERS);
	assert_string_equal(input->payload, "Body");
	assert_true(shape_find(input, STR("Bucket"))->traits & TRAIT_REQUIRED);
}

static const char own_text[] =
	"operation Ping\t{\"http\":\"GET /ping\",\"output\":\"Pong\"}\n"
	"service pinger\t{\"id\":\"Pinger\",\"protocol\":\"rest-json\",\"signing\":\"pinger\","
	"\"hosts\":{\"\":\"pinger.{region}.{dns}\"}}\n"
	"shape Pong\t{\"type\":\"structure\",\"members\":{\"at\":\"Time\"}}\n"
	"shape Time\t{\"type\":\"timestamp\"}\n";

static void
a_model_of_ones_own_is_found(void **state)
{
	struct err err;
	struct model *model = model_open(*state);
	assert_ok(facts_add(model_facts(model), "pinger", str_of(own_text), &err));
	struct service *pinger = model_service(model, STR("pinger"));
	assert_non_null(pinger);
	look_at_service(*state, pinger);
	assert_string_equal(service_operations(pinger)[0], "Ping");
	assert_false(facts_add(model_facts(model), "x", STR("shapes and more"), &err));
	assert_non_null(strstr(err.msg, "line 1: a line of a model is"));
	assert_false(facts_add(model_facts(model), "x", STR("shape A\t{]"), &err));
	assert_non_null(strstr(err.msg, "shape A"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_fact_holds_together, setup, teardown),
		cmocka_unit_test_setup_teardown(an_operation_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(tokens_and_bindings_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_model_of_ones_own_is_found, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
