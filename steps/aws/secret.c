/* Secrets of a playbook that AWS keeps: in Secrets Manager, in the Parameter Store. */
#include "../steps/aws/secret.h"

#include "../steps/aws/call.h"

static const struct field secret_in[] = {
	{.name = "aws_secret", .type = FIELD_TEXT, .flags = FIELD_REQUIRED},
	{.name = "region", .type = FIELD_TEXT, .pattern = "[a-z0-9-]+"},
	{.name = "account", .type = FIELD_TEXT, .pattern = "[0-9]{12}"},
	{.name = "profile", .type = FIELD_TEXT},
	{.name = "role", .type = FIELD_TEXT, .pattern = "arn:.*"},
	{.name = "endpoint", .type = FIELD_URL},
	{.name = NULL},
};

static const struct field parameter_in[] = {
	{.name = "aws_parameter", .type = FIELD_TEXT, .flags = FIELD_REQUIRED},
	{.name = "region", .type = FIELD_TEXT, .pattern = "[a-z0-9-]+"},
	{.name = "account", .type = FIELD_TEXT, .pattern = "[0-9]{12}"},
	{.name = "profile", .type = FIELD_TEXT},
	{.name = "role", .type = FIELD_TEXT, .pattern = "arn:.*"},
	{.name = "endpoint", .type = FIELD_URL},
	{.name = NULL},
};

static bool
key_of(const struct value *in, struct buf *key, struct err *err)
{
	static const char *const names[] = {"aws_secret", "aws_parameter", "region",
		"account", "profile", "role", "endpoint"};
	(void)err;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		buf_printf(key, "%.*s|", STR_FMT(value_get_str(in, names[i])));
	return true;
}

/* An ARN says where it is: arn:partition:service:region:account:… */
static const char *
region_of(struct step *step, struct str name)
{
	struct str part = {NULL, 0};
	if (value_get_str(step->in, "region").n > 0 || !str_starts(name, STR("arn:")))
		return NULL;
	for (unsigned i = 0; i < 4; i++)
		part = str_cut(name, ':', &name);
	return part.n > 0 ? str_cstr(step->mem, part) : NULL;
}

enum { MOST_SECRET = 1 << 20 };                       /* of an answer, bytes */

static const struct how reads = {.reads = true, .tries = 3};

static enum verdict
ask(struct step *step, struct now now, const char *operation, struct str name,
	struct value with)
{
	struct call *call = step->state;
	if (!call_begin(step, call, str_of(operation), &with, step->err))
		return STEP_FAIL;
	call->region = region_of(step, name);
	call->most = MOST_SECRET;
	return call_send(step, reads, now, call);
}

/* STEP_DONE: call->result stands. */
static enum verdict
answered(struct step *step, const struct event *event, struct str name)
{
	struct call *call = step->state;
	enum verdict verdict = call_take(step, reads, event, call);
	if (verdict == STEP_DONE && call->error.code.n > 0)
		verdict = call_fail(step, event, call);
	if (verdict != STEP_DONE)
		err_wrap(step->err, "%.*s", STR_FMT(name));
	return verdict;
}

static enum verdict
give(struct step *step, struct str name, const struct value *said)
{
	struct map_builder out = {.mem = step->mem};
	if (said == NULL)
		return step_fail(step, ERR_PROTOCOL, false, "%.*s has no value",
			STR_FMT(name));
	struct value secret = value_str(said->str);
	secret.flags = VALUE_SECRET;
	map_put(&out, "value", secret);
	return step_done(step, map_done(&out));
}

static enum verdict
cancelled(struct step *step)
{
	return step_fail(step, ERR_CANCELLED, false, "cancelled while it was fetched");
}

/* ---- Secrets Manager */

static enum verdict
read_secret(struct step *step, const struct event *event, struct str name)
{
	const struct call *call = step->state;
	enum verdict verdict = answered(step, event, name);
	if (verdict != STEP_DONE)
		return verdict;
	const struct value *text = value_get(&call->result, "SecretString");
	return give(step, name,
		text != NULL ? text : value_get(&call->result, "SecretBinary"));
}

static enum verdict
secret_run(struct step *step, const struct event *event)
{
	struct str name = value_get_str(step->in, "aws_secret");
	struct map_builder body = {.mem = step->mem};
	if (event->kind == EV_CANCEL)
		return cancelled(step);
	if (event->kind == EV_OP)
		return read_secret(step, event, name);
	map_put(&body, "SecretId", value_str(name));
	return ask(step, event->now, "secretsmanager.GetSecretValue", name,
		map_done(&body));
}

/* ---- Parameter Store */

static enum verdict
read_parameter(struct step *step, const struct event *event, struct str name)
{
	const struct call *call = step->state;
	enum verdict verdict = answered(step, event, name);
	if (verdict != STEP_DONE)
		return verdict;
	return give(step, name, value_get(value_get(&call->result, "Parameter"), "Value"));
}

static enum verdict
parameter_run(struct step *step, const struct event *event)
{
	struct str name = value_get_str(step->in, "aws_parameter");
	struct map_builder body = {.mem = step->mem};
	if (event->kind == EV_CANCEL)
		return cancelled(step);
	if (event->kind == EV_OP)
		return read_parameter(step, event, name);
	map_put(&body, "Name", value_str(name));
	map_put(&body, "WithDecryption", value_bool(true));
	return ask(step, event->now, "ssm.GetParameter", name, map_done(&body));
}

static const struct provider aws_secret = {
	.name = "aws_secret",
	.in = secret_in,
	.key = key_of,
	.uses = &aws_credentials,
	.state = sizeof(struct call),
	.run = secret_run,
};

static const struct provider aws_parameter = {
	.name = "aws_parameter",
	.in = parameter_in,
	.key = key_of,
	.uses = &aws_credentials,
	.state = sizeof(struct call),
	.run = parameter_run,
};

const struct provider *const aws_secrets[] = {&aws_secret, &aws_parameter, NULL};
