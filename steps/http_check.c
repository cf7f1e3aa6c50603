#include "shared.h"
#include "../steps/web.h"

#include <strings.h>

static const struct field expect[] = {
	{.name = "status", .type = FIELD_LIST, .each = FIELD_INT, .flags = FIELD_SCALAR_OR_LIST,
	 .least = 100, .most = 599, .help = "one of these; else 200 to 299"},
	{.name = "headers", .type = FIELD_MAP, .each = FIELD_TEXT, .help = "these, with these values"},
	{.name = "text", .type = FIELD_TEXT, .help = "found in the body"},
	{.name = "matches", .type = FIELD_REGEX, .help = "found in the body"},
	{.name = "within", .type = FIELD_DURATION, .help = "the answer takes at most that, in all"},
	{.name = "tls_days_left", .type = FIELD_INT, .least = 0, .most = 36500,
	 .help = "the certificate is good for at least that many days"},
	{.name = "down", .type = FIELD_BOOL,
	 .help = "alone: refused, reset, timed out or 5xx; anything else is unknown"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "", .type = FIELD_ROWS, .fields = http_fields},
	{.name = "method", .type = FIELD_TEXT, .words = http_methods, .otherwise = "GET",
	 .help = "the author vouches that it changes nothing"},
	{.name = "redirects", .type = FIELD_INT, .otherwise = "0", .least = 0, .most = 5,
	 .help = "how many to follow; otherwise 3xx is the answer"},
	{.name = "control", .type = FIELD_URL,
	 .help = "with down: must answer in the same moment with a status below 500"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "what must hold"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "status", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "of the answer"},
	{.name = "headers", .type = FIELD_MAP, .each = FIELD_TEXT, .help = "names in lower case"},
	{.name = "text", .type = FIELD_TEXT, .help = "the body"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "the body, if it is JSON"},
	{.name = "time", .type = FIELD_DURATION, .flags = FIELD_OUTPUT, .help = "in all"},
	{.name = "address", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "that answered"},
	{.name = "tls_days_left", .type = FIELD_INT, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "of the certificate"},
	{.name = NULL},
};

/* `down` stands alone: what is down has no status to judge. What would be passed over is
 * an error. */
static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *want = value_get(args, "expect"),
			   *down = value_get(want, "down"),
			   *control = value_get(args, "control"),
			   *url = value_get(args, "url"),
			   *days = value_get(want, "tls_days_left");
	size_t errors = diags->errors;
	bool is_down = down != NULL && down->kind == V_BOOL && down->b;
	if (is_down && want->map->n > 1)
		diag_error(diags, value_mark(down),
			"'down' stands alone: what is down has nothing else to judge");
	if (control != NULL && (down == NULL || (down->kind == V_BOOL && !down->b)))
		err_hint(diag_error(diags, value_mark(control),
				 "'control' is asked with 'down' only"),
			"expect: {down: true}, or leave it out");
	if (days != NULL && url != NULL && url->kind == V_STRING && url->str.n > 5
		&& strncasecmp(url->str.p, "http:", 5) == 0
		&& value_get_int(args, "redirects", 0) == 0)
		diag_error(diags, value_mark(days),
			"an answer of http: has no certificate whose days could be counted");
	return diags->errors == errors;
}

enum { MAIN_SLOT, CONTROL_SLOT, SLOTS };

struct look {
	const char *url;
	int64_t redirects;
	struct op main, control; /* copies of what completed; answer or err */
	bool main_done, control_done, is_elsewhere, as_get;
};

static step_fn run;

const struct step_type http_check_type = {
	.name = "http_check",
	.summary = "ask a URL and judge the answer",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 10 * NS_S,
	.is_check = true,
	.state = sizeof(struct look),
	.slots = SLOTS,
	.check = check,
	.run = run,
};

static enum verdict
ask(struct step *step)
{
	struct look *look = step->state;
	struct http_ask ask = web_ask(step, look->url, NULL);
	/* Headers and body may hold credentials, and the origin is another. */
	if (look->is_elsewhere) {
		ask.headers = NULL;
		ask.connect_to = NULL;
		ask.body = (struct str){NULL, 0};
	}
	if (look->as_get) {
		ask.method = "GET";
		ask.body = (struct str){NULL, 0};
	}
	return step_http(step,
		(struct how){.slot = MAIN_SLOT, .reads = true, .title = ask.url}, &ask);
}

static enum verdict
ask_control(struct step *step)
{
	struct http_ask ask = {.method = "GET",
		.url = str_cstr(step->mem, value_get_str(step->in, "control")),
		.most = 1 << 20,
		.addresses = step->addresses};
	return step_http(step,
		(struct how){.slot = CONTROL_SLOT, .reads = true, .title = ask.url},
		&ask);
}

static bool
wants_down(const struct step *step)
{
	return value_get_bool(value_get(step->in, "expect"), "down", false);
}

static enum verdict
start(struct step *step)
{
	struct look *look = step->state;
	look->redirects = value_get_int(step->in, "redirects", 0);
	look->url = str_cstr(step->mem, value_get_str(step->in, "url"));
	look->control_done =
		!wants_down(step) || value_get_str(step->in, "control").n == 0;
	if (!look->control_done && ask_control(step) != STEP_WAIT)
		return STEP_FAIL;
	return ask(step);
}

/* Down is a claim about the other side: it counts only while our own network is seen to
 * work. */
static enum verdict
judge_down(struct step *step, struct now now)
{
	struct look *look = step->state;
	const struct http_answer *control = look->control.answer,
				 *answer = look->main.answer;
	bool has_control = value_get_str(step->in, "control").n > 0;
	if (has_control
		&& (look->control.err.code != ERR_NONE || control->status >= 500)) {
		if (look->control.err.code != ERR_NONE)
			step_fail(step, ERR_NETWORK, true,
				"unknown: control does not answer: %s",
				look->control.err.msg);
		else
			step_fail(step, ERR_NETWORK, true, "unknown: control answers %s",
				web_told(step, control));
		return STEP_FAIL;
	}
	if (!web_is_down(&look->main)) {
		if (look->main.err.code == ERR_NONE)
			return step_unmet(
				step, "it is not down: it answers %s",
				web_told(step, answer));
		*step->err = look->main.err;
		err_wrap(step->err, "unknown");
		step->err->transient = true;
		return STEP_FAIL;
	}
	if (answer != NULL && look->main.err.code == ERR_NONE) {
		struct map_builder map = web_answer(step, now, answer);
		return step_done(step, map_done(&map));
	}
	struct map_builder map = {.mem = step->mem};
	map_put(&map, "text",
		value_str(str_of(arena_strdup(step->mem, look->main.err.msg))));
	return step_done(step, map_done(&map));
}

static bool
status_is_good(const struct value *want, int status)
{
	if (want == NULL || want->kind != V_LIST)
		return status >= 200 && status <= 299;
	for (size_t i = 0; i < want->list.n; i++)
		if (want->list.items[i].i == status)
			return true;
	return false;
}

/* As one field, or as all of that name together. */
static bool
has_value(const struct http_answer *answer, const char *name, const char *all,
	struct str value)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strcmp(answer->headers[i].name, name) == 0
			&& str_is(value, answer->headers[i].value))
			return true;
	return str_is(value, all);
}

static bool
headers_are_good(
	struct step *step, const struct value *want, const struct http_answer *answer)
{
	for (size_t i = 0; want != NULL && want->kind == V_MAP && i < want->map->n; i++) {
		struct str name = want->map->members[i].key.str,
			   value = want->map->members[i].value.str;
		char *lower = str_cstr(step->mem, name);
		for (char *p = lower; *p != '\0'; p++)
			*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p;
		const char *got = web_headers(step->mem, answer, lower);
		if (got == NULL || !has_value(answer, lower, got, value)) {
			/* Name and value stand last, as in the answer: by the name it
			 * is known which values are not shown. */
			step_unmet(step, "expected header %.*s '%.*s', it answers %s%s%s",
				STR_FMT(name), STR_FMT(value),
				got == NULL ? "without" : lower, got == NULL ? "" : ": ",
				got == NULL ? "" : got);
			return false;
		}
	}
	return true;
}

/* The beginning of the body, on one line. */
static const char *
glimpse(struct step *step, struct str body)
{
	enum { MOST = 80 };
	struct value text = value_str((struct str){body.p, body.n});
	return body.n == 0 ? "it is empty" : arena_printf(step->mem, "it begins %s",
		value_short(step->mem, &text, MOST));
}

static enum verdict
judge_body(struct step *step, const struct value *want, const struct http_answer *answer)
{
	struct str text = value_get_str(want, "text"),
		   pattern = value_get_str(want, "matches");
	const struct regex *regex;
	size_t groups[2];
	if (text.n > 0 && str_find(answer->body, text) == answer->body.n)
		return step_unmet(step, "the body does not hold '%.*s': %s",
			text.n > 80 ? 80 : STR_FMT(text), glimpse(step, answer->body));
	if (pattern.n == 0)
		return STEP_DONE;
	if (!regex_compile(step->mem, pattern, &regex, step->err))
		return STEP_FAIL;
	struct err err = {0};
	if (regex_find(regex, answer->body, 0, groups, 1, &err))
		return STEP_DONE;
	if (err.code != ERR_NONE)
		return *step->err = err, STEP_FAIL;
	return step_unmet(step, "the body does not match '%.*s': %s",
		pattern.n > 80 ? 80 : STR_FMT(pattern), glimpse(step, answer->body));
}

static enum verdict
judge(struct step *step, struct now now)
{
	struct look *look = step->state;
	const struct value *want = value_get(step->in, "expect"),
			   *within = value_get(want, "within");
	const struct http_answer *answer = look->main.answer;
	struct map_builder map = web_answer(step, now, answer);
	struct value result = map_done(&map);
	int64_t days = value_get_int(want, "tls_days_left", -1),
		left = value_get_int(&result, "tls_days_left", -1);
	step_done(step, result);
	if (!status_is_good(value_get(want, "status"), answer->status))
		return step_unmet(step, "it answers %s", web_told(step, answer));
	if (!headers_are_good(step, value_get(want, "headers"), answer))
		return STEP_FAIL;
	enum verdict verdict = judge_body(step, want, answer);
	if (verdict != STEP_DONE)
		return verdict;
	if (within != NULL && within->kind == V_DURATION
		&& answer->total_ns > span_ns(within->span))
		return step_unmet(step, "it took %s, expected at most %s",
			duration_short(step->mem, answer->total_ns),
			duration_short(step->mem, span_ns(within->span)));
	if (days >= 0 && answer->n_certs == 0)
		return step_unmet(
			step, "the answer came without TLS: there is no certificate");
	if (days >= 0 && left < days)
		return step_unmet(step,
			"the certificate is good for %lld days, expected at least %lld",
			(long long)left, (long long)days);
	return step_done(step, result);
}

static enum verdict
follow(struct step *step, const struct http_answer *answer)
{
	struct look *look = step->state;
	const char *location = web_header(answer, "location");
	bool same_origin;
	look->redirects--;
	const char *url = web_redirect(step->mem, look->url, location, &same_origin);
	if (url == NULL)
		return step_fail(step, ERR_DENIED, false,
			"a redirect to '%s' is not followed", location);
	/* RFC 9110, 15.4: 303 is answered to a GET, and so are 301 and 302 of a POST. */
	bool post = str_is(value_get_str(step->in, "method"), "POST");
	look->as_get = look->as_get || answer->status == 303
		|| (post && (answer->status == 301 || answer->status == 302));
	look->url = url;
	look->is_elsewhere = look->is_elsewhere || !same_origin;
	look->main_done = false;
	return ask(step);
}

static bool
is_redirect(const struct look *look)
{
	const struct http_answer *answer = look->main.answer;
	return look->main.err.code == ERR_NONE && look->redirects > 0
		&& answer->status >= 300 && answer->status < 400
		&& web_header(answer, "location") != NULL;
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct look *look = step->state;
	if (event->kind == EV_START)
		return start(step);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->op->slot == CONTROL_SLOT) {
		look->control = *event->op;
		look->control_done = true;
	} else {
		look->main = *event->op;
		look->main_done = true;
		if (is_redirect(look))
			return follow(step, look->main.answer);
	}
	if (!look->main_done || !look->control_done)
		return STEP_WAIT;
	if (wants_down(step))
		return judge_down(step, event->now);
	return look->main.err.code != ERR_NONE ? step_fail_op(step, &look->main)
					       : judge(step, event->now);
}
