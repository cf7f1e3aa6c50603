#include "shared.h"
#include "../steps/web.h"

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = http_fields},
	{.name = "method", .type = FIELD_TEXT, .words = http_methods, .otherwise = "POST",
	 .help = "GET, HEAD, OPTIONS change nothing; PUT and DELETE may be repeated"},
	{.name = "idempotency_key_header", .type = FIELD_TEXT, .pattern = "[A-Za-z0-9-]+",
	 .help = "the header that carries step.key"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "status", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "of the answer"},
	{.name = "headers", .type = FIELD_MAP, .each = FIELD_TEXT, .help = "names in lower case"},
	{.name = "text", .type = FIELD_TEXT, .help = "the body"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "the body, if it is JSON"},
	{.name = "time", .type = FIELD_DURATION, .flags = FIELD_OUTPUT, .help = "in all"},
	{.name = "code", .type = FIELD_INT, .help = "the status"},
	{.name = NULL},
};

static enum effect
effect_of(const struct value *args)
{
	struct str method = value_get_str(args, "method");
	if (str_is(method, "GET") || str_is(method, "HEAD") || str_is(method, "OPTIONS"))
		return PURE;
	if (str_is(method, "PUT") || str_is(method, "DELETE"))
		return IDEMPOTENT;
	return value_get(args, "idempotency_key_header") != NULL ? KEYED : ONCE;
}

/* Two headers of one name would leave it to the other side which key holds. */
static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *header = value_get(args, "idempotency_key_header");
	char name[128];
	if (header == NULL || header->kind != V_STRING || header->str.n >= sizeof name)
		return true;
	memcpy(name, header->str.p, header->str.n);
	name[header->str.n] = '\0';
	if (!web_names_header(value_get(args, "headers"), name))
		return true;
	diag_error(diags, value_mark(header),
		"'%s' stands in 'headers' as well: rbx sends step.key in it", name);
	return false;
}

static step_fn preview, run;

const struct step_type http_request_type = {
	.name = "http_request",
	.summary = "send a request that changes something",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = 30 * NS_S,
	.window = 23 * NS_H, /* most services remember an idempotency key for a day */
	.takes_effect = true,
	.takes_accept = true,
	.check = check,
	.preview = preview,
	.run = run,
};

static enum verdict
send(struct step *step)
{
	struct str header = value_get_str(step->in, "idempotency_key_header");
	const char *extra = header.n == 0
		? NULL
		: arena_printf(step->mem, "%.*s: %s", STR_FMT(header), step->key);
	struct http_ask ask = web_ask(step, NULL, extra);
	struct how how = {.reads = step->effect == PURE,
		.title = arena_printf(step->mem, "%s %s", ask.method, ask.url)};
	return step_http(step, how, &ask);
}

/* 4xx says that nothing was done, and so do redirects that want the same request
 * elsewhere; after a 5xx the other side may have done it all the same. 302 and 303 are
 * what many say when it is done (RFC 9110, 15.4.4). */
static enum verdict
refused(struct step *step, const struct http_answer *answer)
{
	int status = answer->status;
	bool later = status == 408 || status == 425 || status == 429;
	step_fail(step, ERR_ANSWER, later || status >= 500, "it answers %s",
		web_told(step, answer));
	if (status == 302 || status == 303) {
		err_hint(step->err,
			"if that is how it says that it is done: accept: [%d]", status);
		return STEP_PARTIAL;
	}
	if (status >= 300 && status < 400)
		err_hint(step->err,
			"no redirect is followed: give the URL where it leads");
	return status >= 500 ? STEP_DOUBT : STEP_FAIL;
}

static enum verdict
run(struct step *step, const struct event *event)
{
	if (event->kind == EV_START)
		return send(step);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled"), STEP_DOUBT;
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	const struct http_answer *answer = event->op->answer;
	bool good = answer->status >= 200 && answer->status < 300;
	if (!good
		&& !step_accepts(
			step, str_of(arena_printf(step->mem, "%d", answer->status))))
		return refused(step, answer);
	struct map_builder map = web_answer(step, event->now, answer);
	map_put(&map, "code", value_int(answer->status));
	return step_done(step, map_done(&map));
}

/* Nothing can be looked at: what would be sent is named. */
static enum verdict
preview(struct step *step, const struct event *event)
{
	struct map_builder after = {.mem = step->mem}, result = {.mem = step->mem};
	(void)event;
	struct http_ask ask = web_ask(step, NULL, NULL);
	map_put(&after, "request", value_text(step->mem, "%s %s", ask.method, ask.url));
	map_put(&after, "body_bytes", value_int((int64_t)ask.body.n));
	map_put(&result, "before", value_null());
	map_put(&result, "after", map_done(&after));
	map_put(&result, "assumed", value_bool(true));
	return step_done(step, map_done(&result));
}
