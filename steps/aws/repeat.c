#include "../steps/aws/repeat.h"

/* Whose error is about the token alone, though its members do not repeat it. */
static const struct { const char *service, *code, *source; } rows[] = {
	{"efs", "FileSystemAlreadyExists",
		"Amazon EFS API: exists with the creation token you provided"},
	{"efs", "AccessPointAlreadyExists",
		"Amazon EFS API: exists with the creation token you provided"},
	{"cloudformation", "OperationIdAlreadyExistsException",
		"AWS CloudFormation API: the specified operation ID already exists"},
	{"cloudformation", "TokenAlreadyExistsException",
		"AWS CloudFormation API: a client request token already exists"},
};

static bool
is_about_token(const struct call *call)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].service, call->service->name) == 0
			&& str_is(call->error.code, rows[i].code))
			return true;
	return false;
}

/* "AlreadyExistsException" with the token of whoever made it: AWS Backup. */
static bool
repeats_token(const struct call *call)
{
	struct str code = call->error.code;
	if (str_find(code, STR("AlreadyExists")) == code.n)
		return false;
	for (size_t i = 0; call->operation->tokens[i] != NULL; i++) {
		const char *name = call->operation->tokens[i];
		struct str theirs = value_get_str(&call->said, name),
			   ours = value_get_str(&call->params, name);
		if (ours.n > 0 && str_eq(theirs, ours))
			return true;
	}
	return false;
}

bool
repeat_is_told(struct arena *mem, struct call *call)
{
	if (!is_about_token(call) && !repeats_token(call))
		return false;
	const struct shape *output =
		service_shape(call->service, call->operation->output.shape);
	struct map_builder result = {.mem = mem};
	for (size_t i = 0; output != NULL && i < output->n_members; i++) {
		const char *name = output->members[i].name;
		const struct value *v = value_get(&call->said, name);
		if (v == NULL)
			v = value_get(&call->params, name);
		if (v != NULL)
			map_put(&result, name, *v);
	}
	call->result = map_done(&result);
	call->error = (struct aws_error){.status = call->error.status};
	return true;
}
