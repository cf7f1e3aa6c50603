#include "shared.h"

#include "../steps/aws/call.h"
#include "chat.h"
#include "mail.h"
#include "web.h"

static const char *const channels[] = {
	"slack", "teams", "pagerduty", "webhook", "email", "sns", "stdout", NULL,
};
static const char *const chat[] = {"slack", "teams", NULL};
static const char *const titled[] = {"email", "sns", "teams", NULL};
static const char *const webhook[] = {"webhook", NULL};
static const char *const pagerduty[] = {"pagerduty", NULL};
static const char *const email[] = {"email", NULL};
static const char *const sns[] = {"sns", NULL};

static const struct field in[] = {
	{.name = "to",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.words = channels,
		.help = "the channel"},
	{.name = "text", .type = FIELD_TEXT, .help = "required, but for resolve"},
	{.name = "subject",
		.type = FIELD_TEXT,
		.only_key = "to",
		.only_words = titled,
		.help = "else the playbook's name"},
	{.name = "webhook",
		.type = FIELD_SECRET,
		.flags = FIELD_REQUIRED,
		.only_key = "to",
		.only_words = chat,
		.help = "its URL"},
	{.name = "url",
		.type = FIELD_SECRET,
		.flags = FIELD_REQUIRED,
		.only_key = "to",
		.only_words = webhook,
		.help = "where it is posted"},
	{.name = "headers",
		.type = FIELD_MAP,
		.each = FIELD_SECRET,
		.only_key = "to",
		.only_words = webhook,
		.help = "sent with it"},
	{.name = "json",
		.type = FIELD_DATA,
		.only_key = "to",
		.only_words = webhook,
		.help = "the body; else {run, playbook, text}"},
	{.name = "routing_key",
		.type = FIELD_SECRET,
		.flags = FIELD_REQUIRED,
		.only_key = "to",
		.only_words = pagerduty,
		.help = "of the service"},
	{.name = "severity",
		.type = FIELD_TEXT,
		.otherwise = "critical",
		.only_key = "to",
		.only_words = pagerduty,
		.words = (const char *const[]){"critical", "error", "warning", "info",
			NULL},
		.help = "how bad"},
	{.name = "resolve",
		.type = FIELD_BOOL,
		.otherwise = "false",
		.only_key = "to",
		.only_words = pagerduty,
		.help = "ends the run's incident"},
	{.name = "smtp",
		.type = FIELD_HOST_PORT,
		.flags = FIELD_REQUIRED,
		.only_key = "to",
		.only_words = email,
		.help = "mail server, with TLS or STARTTLS; without only on loopback"},
	{.name = "user",
		.type = FIELD_TEXT,
		.only_key = "to",
		.only_words = email,
		.help = "to log in"},
	{.name = "password",
		.type = FIELD_SECRET,
		.only_key = "to",
		.only_words = email,
		.help = "to log in"},
	{.name = "sender",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.only_key = "to",
		.only_words = email,
		.help = "whose mail it is: user@host, or Name <user@host>"},
	{.name = "recipients",
		.type = FIELD_LIST,
		.each = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_SCALAR_OR_LIST,
		.only_key = "to",
		.only_words = email,
		.help = "who gets it, in the same form; one that the server refuses is told, the "
			"others get it"},
	{.name = "topic",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.only_key = "to",
		.only_words = sns,
		.pattern = "arn:.*",
		.help = "its ARN"},
	{.name = "",
		.type = FIELD_ROWS,
		.fields = aws_fields,
		.only_key = "to",
		.only_words = sns},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "status", .type = FIELD_INT, .flags = FIELD_OUTPUT | FIELD_MAYBE, .help = "of the answer"},
	{.name = "id", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "of the message or incident"},
	{.name = "refused", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE,
	 .help = "recipients of a mail that did not get it"},
	{.name = NULL},
};

/* Of a mail: who is still to get it. */
struct letter {
	struct mail mail;
	struct mail_address *to;
	struct list_builder refused;
};

union telling {
	struct call call;
	struct letter letter;
};

static enum effect
effect_of(const struct value *args)
{
	return str_is(value_get_str(args, "to"), "pagerduty") ? KEYED : REPEATABLE;
}

static bool
is_to_sns(const struct value *args)
{
	return str_is(value_get_str(args, "to"), "sns");
}

/* arn:partition:sns:region:account:name */
static struct str
region_of_topic(struct str arn)
{
	struct str part = {NULL, 0};
	for (size_t i = 0; i < 4; i++)
		part = str_cut(arn, ':', &arn);
	return part;
}

/* A topic is known in its own region only. */
static bool
check_region(const struct value *args, struct diags *diags)
{
	const struct value *topic = value_get(args, "topic"),
			   *region = value_get(args, "region");
	if (!is_to_sns(args) || topic == NULL || region == NULL
		|| topic->kind != V_STRING || region->kind != V_STRING)
		return true;
	struct str there = region_of_topic(topic->str);
	if (there.n == 0 || str_eq(there, region->str))
		return true;
	err_hint(diag_error(diags, value_mark(region),
			 "the topic is in %.*s, the region of the call is %.*s",
			 STR_FMT(there), STR_FMT(region->str)),
		"region: %.*s", STR_FMT(there));
	return false;
}

static bool
check(const struct value *args, struct diags *diags)
{
	bool good = check_region(args, diags);
	bool resolve = value_get_bool(args, "resolve", false);
	const struct value *text = value_get(args, "text"),
			   *flag = value_get(args, "resolve");
	if (flag != NULL && flag->kind == V_UNKNOWN)
		return good;
	if (resolve && text != NULL)
		diag_error(diags, value_mark(text),
			"a resolve of an incident takes no text");
	else if (!resolve && text == NULL)
		diag_error(diags, value_mark(args), "notify needs 'text': what is told");
	return good && resolve == (text == NULL);
}

static step_fn preview, run;

const struct step_type notify_type = {
	.name = "notify",
	.summary = "tell people",
	.version = 1,
	.in = in,
	.out = out,
	.effect = REPEATABLE,
	.effect_of = effect_of,
	.timeout = 30 * NS_S,
	.window = 12 * NS_H, /* PagerDuty keeps a dedup_key while the incident is open */
	.uses = &aws_credentials,
	.uses_if = is_to_sns,
	.state = sizeof(union telling),
	.check = check,
	.preview = preview,
	.run = run,
};

static struct str
text_of(struct step *step)
{
	struct str text = value_get_str(step->in, "text");
	return step->drill
		? str_of(arena_printf(step->mem, "[drill] %.*s", STR_FMT(text)))
		: text;
}

static const char *
subject_of(struct step *step)
{
	struct str subject = value_get_str(step->in, "subject");
	const char *plain = subject.n > 0 ? str_cstr(step->mem, subject) : step->book;
	return step->drill ? arena_printf(step->mem, "[drill] %s", plain) : plain;
}

static struct value
put_text(struct arena *mem, const char *name, struct str text)
{
	struct map_builder map = {.mem = mem};
	map_put(&map, name, value_str(text));
	return map_done(&map);
}

/* ---- what each channel is sent */

static struct value
webhook_body(struct step *step)
{
	const struct value *json = value_get(step->in, "json");
	struct map_builder map = {.mem = step->mem};
	if (json != NULL)
		return *json;
	map_put(&map, "run", value_str(str_of(step->run)));
	map_put(&map, "playbook", value_str(str_of(step->book)));
	map_put(&map, "text", value_str(text_of(step)));
	return map_done(&map);
}

static const char *const *
header_lines(struct step *step)
{
	const struct value *headers = value_get(step->in, "headers");
	size_t most = headers == NULL || headers->kind != V_MAP ? 0 : headers->map->n,
	       n = 0;
	const char **lines = arena_array(step->mem, const char *, most + 3);
	if (!web_names_header(headers, "Content-Type"))
		lines[n++] = "Content-Type: application/json";
	if (!web_names_header(headers, "Idempotency-Key"))
		lines[n++] = arena_printf(step->mem, "Idempotency-Key: %s", step->key);
	for (size_t i = 0; i < most; i++)
		lines[n++] = arena_printf(step->mem, "%.*s: %.*s",
			STR_FMT(headers->map->members[i].key.str),
			STR_FMT(headers->map->members[i].value.str));
	return lines;
}

static enum verdict
post(struct step *step, struct str url, struct value body)
{
	struct http_ask ask = {.method = "POST",
		.url = str_cstr(step->mem, url),
		.headers = header_lines(step),
		.most = 65536,
		.body = str_of(json_text(step->mem, &body, JSON_COMPACT)),
		.addresses = step->addresses};
	return step_http(step,
		(struct how){.title = arena_printf(step->mem, "tell %.*s",
				     STR_FMT(value_get_str(step->in, "to")))},
		&ask);
}

/* ---- mail */

static bool
is_clean(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	return true;
}

static enum verdict
post_letter(struct step *step)
{
	struct letter *letter = step->state;
	struct str smtp = value_get_str(step->in, "smtp"),
		   user = value_get_str(step->in, "user");
	size_t n = letter->mail.n_to;
	const char **to = arena_array(step->mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		to[i] = str_cstr(step->mem, letter->to[i].at);
	struct mail_ask ask = {
		.url = arena_printf(step->mem, "%s://%.*s",
			str_ends(smtp, STR(":465")) ? "smtps" : "smtp", STR_FMT(smtp)),
		.to = to,
		.from = str_cstr(step->mem, letter->mail.from.at),
		.user = user.n > 0 ? str_cstr(step->mem, user) : NULL,
		.password = step_secret(step, value_get(step->in, "password")),
		.message = mail_message(step->mem, &letter->mail),
	};
	return step_mail(step, (struct how){.title = "mail"}, &ask);
}

static enum verdict
send_mail(struct step *step, struct now now)
{
	struct letter *letter = step->state;
	const struct value *to = value_get(step->in, "recipients");
	struct str subject = str_of(subject_of(step));
	letter->refused.mem = step->mem;
	letter->to = arena_array(step->mem, struct mail_address, to->list.n);
	letter->mail = (struct mail){.to = letter->to,
		.n_to = to->list.n,
		.subject = subject,
		.text = text_of(step),
		.key = step->key,
		.run = step->run,
		.at = now.wall};
	if (!is_clean(subject))
		return step_fail(
			step, ERR_VALUE, false, "control character in the subject");
	if (!mail_address_parse(step->mem, value_get_str(step->in, "sender"),
		    &letter->mail.from, step->err))
		return STEP_FAIL;
	for (size_t i = 0; i < to->list.n; i++)
		if (!mail_address_parse(step->mem, to->list.items[i].str, &letter->to[i],
			    step->err))
			return STEP_FAIL;
	return post_letter(step);
}

/* One of several is not known there: the alarm must reach the others. */
static bool
leave_out(struct step *step, const struct mail_answer *answer)
{
	struct letter *letter = step->state;
	size_t n = letter->mail.n_to;
	if (answer->refused == NULL || answer->code < 500 || n < 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!str_is(letter->to[i].at, answer->refused))
			continue;
		list_push(&letter->refused, value_str(letter->to[i].at));
		step_note(step, "%s is refused: %d %.*s", answer->refused, answer->code,
			answer->text.n > 120 ? 120 : STR_FMT(answer->text));
		letter->to[i] = letter->to[n - 1];
		letter->mail.n_to--;
		return true;
	}
	return false;
}

static enum verdict
mailed(struct step *step, const struct op *op)
{
	struct letter *letter = step->state;
	const struct mail_answer *answer = op->answer;
	struct map_builder map = {.mem = step->mem};
	if (answer->code < 200 || answer->code > 299) {
		if (leave_out(step, answer))
			return post_letter(step);
		bool about_one = answer->refused != NULL;
		return step_fail(step, ERR_ANSWER,
			answer->code >= 400 && answer->code < 500,
			"the mail server answers %d%s%s: %.*s%s", answer->code,
			about_one ? " to " : "", about_one ? answer->refused : "",
			answer->text.n > 120 ? 120 : STR_FMT(answer->text),
			about_one ? ": nobody got the mail" : "");
	}
	map_put(&map, "status", value_int(answer->code));
	map_put(&map, "id", value_str(str_of(mail_id(step->mem, &letter->mail))));
	if (letter->refused.n > 0)
		map_put(&map, "refused", list_done(&letter->refused));
	return step_done(step, map_done(&map));
}

/* ---- SNS */

enum { SUBJECT_MAX = 99 };

/* SNS refuses a subject of 100 characters and more, and control characters in it (SNS
 * API, Publish): the message is worth more than the end of its subject. */
static struct str
sns_subject(struct step *step)
{
	struct str plain = str_of(subject_of(step));
	struct buf text = buf_in(step->mem);
	size_t runes = 0;
	for (size_t i = 0; i < plain.n; i++) {
		unsigned char c = (unsigned char)plain.p[i];
		bool begins = (c & 0xc0) != 0x80;
		if (begins && runes++ == SUBJECT_MAX)
			break;
		buf_putc(&text, c < 0x20 || c == 0x7f ? ' ' : plain.p[i]);
	}
	return buf_str(&text);
}

static const struct how sns_how = {.title = "tell sns"};

static enum verdict
publish(struct step *step, struct now now)
{
	struct call *call = step->state;
	struct str topic = value_get_str(step->in, "topic");
	struct map_builder with = {.mem = step->mem};
	map_put(&with, "TopicArn", value_str(topic));
	map_put(&with, "Message", value_str(text_of(step)));
	map_put(&with, "Subject", value_str(sns_subject(step)));
	if (str_ends(topic, STR(".fifo"))) {
		map_put(&with, "MessageGroupId", value_str(str_of(step->run)));
		map_put(&with, "MessageDeduplicationId", value_str(str_of(step->key)));
	}
	struct value params = map_done(&with);
	if (!call_begin(step, call, STR("sns.Publish"), &params, step->err))
		return STEP_FAIL;
	return call_send(step, sns_how, now, call);
}

static enum verdict
published(struct step *step, const struct event *event)
{
	struct call *call = step->state;
	struct map_builder map = {.mem = step->mem};
	enum verdict verdict = call_take(step, sns_how, event, call);
	if (verdict != STEP_DONE)
		return verdict;
	if (call->error.code.n > 0)
		return call_fail(step, event, call);
	map_put(&map, "status", value_int(call->error.status));
	map_put(&map, "id", value_str(value_get_str(&call->result, "MessageId")));
	return step_done(step, map_done(&map));
}

/* ---- */

static enum verdict
send(struct step *step, struct now now)
{
	struct str to = value_get_str(step->in, "to");
	if (str_is(to, "stdout"))
		return step_done(step, value_map(step->mem, NULL, 0));
	if (str_is(to, "slack"))
		return post(step, value_get_str(step->in, "webhook"),
			put_text(step->mem, "text", text_of(step)));
	if (str_is(to, "teams"))
		return post(step, value_get_str(step->in, "webhook"),
			chat_teams(step->mem, subject_of(step), text_of(step)));
	if (str_is(to, "pagerduty")) {
		struct str url = str_of(step_env(step, "RBX_PAGERDUTY_URL"));
		return post(step,
			url.n > 0 ? url : STR("https://events.pagerduty.com/v2/enqueue"),
			chat_pagerduty(step, text_of(step)));
	}
	if (str_is(to, "webhook"))
		return post(step, value_get_str(step->in, "url"), webhook_body(step));
	if (str_is(to, "email"))
		return send_mail(step, now);
	return publish(step, now);
}

/* An incoming webhook says 200 even where what stands behind it refused the message
 * (Microsoft, "Rate limiting for connectors"). */
static bool
lost_by_teams(struct step *step, const struct http_answer *answer)
{
	struct str words = STR("Microsoft Teams endpoint returned HTTP error");
	return str_is(value_get_str(step->in, "to"), "teams")
		&& str_find(answer->body, words) < answer->body.n;
}

static enum verdict
posted(struct step *step, const struct op *op)
{
	const struct http_answer *answer = op->answer;
	struct map_builder map = {.mem = step->mem};
	struct value json;
	struct err ignored;
	bool later = answer->status == 429 || answer->status >= 500;
	if (answer->status < 200 || answer->status > 299) {
		step_fail(step, ERR_ANSWER, later, "it answers %s",
			web_told(step, answer));
		return answer->status >= 500 ? STEP_DOUBT : STEP_FAIL;
	}
	if (lost_by_teams(step, answer))
		return step_fail(step, ERR_ANSWER, true,
			"Teams took the message and could not deliver it: %.*s",
			answer->body.n > 120 ? 120 : STR_FMT(answer->body));
	map_put(&map, "status", value_int(answer->status));
	if (json_parse(step->mem, answer->body, NULL, &json, &ignored)
		&& value_get_str(&json, "dedup_key").n > 0)
		map_put(&map, "id", value_str(value_get_str(&json, "dedup_key")));
	return step_done(step, map_done(&map));
}

static enum verdict
run(struct step *step, const struct event *event)
{
	if (event->kind == EV_START)
		return send(step, event->now);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled"), STEP_DOUBT;
	if (is_to_sns(step->in))
		return published(step, event);
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	return event->op->kind == OP_MAIL ? mailed(step, event->op)
					  : posted(step, event->op);
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	struct map_builder after = {.mem = step->mem}, result = {.mem = step->mem};
	(void)event;
	const struct value *recipients = value_get(step->in, "recipients");
	map_put(&after, "to", value_str(value_get_str(step->in, "to")));
	if (recipients != NULL) {
		map_put(&after, "recipients", *recipients);
		map_put(&after, "subject", value_str(str_of(subject_of(step))));
	}
	if (value_get_bool(step->in, "resolve", false))
		map_put(&after, "resolve", value_bool(true));
	else
		map_put(&after, "text", value_str(text_of(step)));
	map_put(&result, "before", value_null());
	map_put(&result, "after", map_done(&after));
	return step_done(step, map_done(&result));
}
