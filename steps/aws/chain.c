#include "../steps/aws/chain.h"

enum found
chain_nothing(struct step *step, const char *why)
{
	struct chain *c = step->state;
	c->why = why;
	return FOUND_NOTHING;
}

enum found
chain_end(struct step *step, const char *why)
{
	struct chain *c = step->state;
	c->why = why;
	return FOUND_END;
}

enum found
chain_end_op(struct step *step, const struct event *event, const char *why)
{
	struct chain *c = step->state;
	const struct err *err = &event->op->err;
	c->transient = err->code != ERR_NONE && err->transient;
	return chain_end(
		step, err->code == ERR_NONE ? why : arena_strdup(step->mem, err->msg));
}

enum found
chain_found(struct step *step, const char *source)
{
	struct chain *c = step->state;
	c->source = source;
	return FOUND_KEYS;
}

struct str
chain_env(struct step *step, const char *name)
{
	return str_of(step_env(step, name));
}

enum found
chain_load(struct step *step, const char *path)
{
	struct file_ask ask = {.what = FILE_LOAD, .path = path, .most = CHAIN_FILE_MOST};
	step_file(step, (struct how){.reads = true, .title = path}, &ask);
	return FOUND_LATER;
}

struct str
chain_loaded(const struct event *event)
{
	const struct file_answer *answer = event->op->answer;
	return event->op->err.code == ERR_NONE && answer != NULL && answer->exists
		? answer->bytes
		: (struct str){NULL, 0};
}

enum found
chain_get(struct step *step, int64_t timeout, const struct http_ask *ask)
{
	struct how how = {.reads = true, .title = "AWS credentials", .timeout = timeout};
	step_http(step, how, ask);
	return FOUND_LATER;
}

const struct http_answer *
chain_page(const struct event *event)
{
	const struct http_answer *answer = event->op->answer;
	return event->op->err.code == ERR_NONE && answer != NULL && answer->status == 200
		? answer
		: NULL;
}

bool
chain_read_keys(struct step *step, struct str json)
{
	struct chain *c = step->state;
	struct value v;
	struct err ignored;
	struct span until;
	if (!json_parse(step->mem, json, NULL, &v, &ignored))
		return false;
	struct keys keys = {value_get_str(&v, "AccessKeyId"),
		value_get_str(&v, "SecretAccessKey"), value_get_str(&v, "Token"), 0};
	if (keys.token.n == 0)
		keys.token = value_get_str(&v, "SessionToken");
	if (time_parse(value_get_str(&v, "Expiration"), &until, &ignored))
		keys.valid_until = span_us(until);
	if (keys.id.n == 0 || keys.secret.n == 0)
		return false;
	c->keys = keys;
	return true;
}
