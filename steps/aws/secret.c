/* Secrets of a playbook that AWS keeps: in Secrets Manager, in the Parameter Store. */
#include "../steps/aws/secret.h"

#include "../steps/aws/aws.h"

static const struct aws_service secrets_manager = {.name = "secretsmanager",
	.id = "SECRETS_MANAGER",
	.signing_name = "secretsmanager"};
static const struct aws_service systems_manager = {
	.name = "ssm", .id = "SSM", .signing_name = "ssm"};

enum { MOST_SECRET = 1 << 20 };                       /* of an answer, bytes */

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

/* JSON 1.1: the operation in a header, its members in the body. */
static enum verdict
ask(struct step *step, struct now now, const struct aws_service *service,
	const char *target, struct str name, struct value body)
{
	struct header headers[] = {{"X-Amz-Target", target}};
	struct aws_call call = {
		.service = service,
		.method = "POST",
		.path = STR("/"),
		.region = region_of(step, name),
		.headers = headers,
		.n_headers = 1,
		.content_type = "application/x-amz-json-1.1",
		.body = str_of(json_text(step->mem, &body, JSON_COMPACT)),
		.most = MOST_SECRET,
	};
	return aws_send(step, (struct how){.reads = true, .tries = 3, .title = target},
		now, &call);
}

/* The answer as JSON, NULL: step->err is set. */
static const struct value *
answer_of(struct step *step, const struct event *event, struct str name)
{
	struct aws_error error;
	struct value *v = arena_new_of(step->mem, struct value);
	const struct http_answer *answer = event->op->answer;
	if (!aws_answered(step, event->op, false, &error)
		|| !json_parse(step->mem, answer->body, NULL, v, step->err)) {
		err_wrap(step->err, "%.*s", STR_FMT(name));
		return NULL;
	}
	return v;
}

static enum verdict
give(struct step *step, struct str text)
{
	struct map_builder out = {.mem = step->mem};
	struct value secret = value_str(text);
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
	const struct value *answer = answer_of(step, event, name);
	if (answer == NULL)
		return STEP_FAIL;
	struct str text = value_get_str(answer, "SecretString"),
		   binary = value_get_str(answer, "SecretBinary");
	if (text.p == NULL
		&& (binary.n == 0 || !base64_parse(step->mem, binary, &text)))
		return step_fail(step, ERR_PROTOCOL, false, "%.*s has no value",
			STR_FMT(name));
	return give(step, text);
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
	return ask(step, event->now, &secrets_manager, "secretsmanager.GetSecretValue",
		name, map_done(&body));
}

/* ---- Parameter Store */

static enum verdict
read_parameter(struct step *step, const struct event *event, struct str name)
{
	const struct value *answer = answer_of(step, event, name);
	if (answer == NULL)
		return STEP_FAIL;
	struct str text = value_get_str(value_get(answer, "Parameter"), "Value");
	if (text.p == NULL)
		return step_fail(step, ERR_PROTOCOL, false, "%.*s has no value",
			STR_FMT(name));
	return give(step, text);
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
	return ask(step, event->now, &systems_manager, "AmazonSSM.GetParameter", name,
		map_done(&body));
}

static const struct provider aws_secret = {
	.name = "aws_secret",
	.in = secret_in,
	.key = key_of,
	.uses = &aws_credentials,
	.run = secret_run,
};

static const struct provider aws_parameter = {
	.name = "aws_parameter",
	.in = parameter_in,
	.key = key_of,
	.uses = &aws_credentials,
	.run = parameter_run,
};

const struct provider *const aws_secrets[] = {&aws_secret, &aws_parameter, NULL};
