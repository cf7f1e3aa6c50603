#include "shared.h"

#include "../steps/aws/call.h"

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
		.help = "whose mail it is"},
	{.name = "recipients",
		.type = FIELD_LIST,
		.each = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_SCALAR_OR_LIST,
		.only_key = "to",
		.only_words = email,
		.help = "who gets it"},
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
	{.name = NULL},
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
	.state = sizeof(struct call),
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
teams_card(struct step *step)
{
	struct map_builder title = {.mem = step->mem}, text = {.mem = step->mem},
			   card = {.mem = step->mem};
	struct map_builder attachment = {.mem = step->mem}, message = {.mem = step->mem};
	struct list_builder body = {.mem = step->mem}, attachments = {.mem = step->mem};
	map_put(&title, "type", value_str(STR("TextBlock")));
	map_put(&title, "text", value_str(str_of(subject_of(step))));
	map_put(&title, "weight", value_str(STR("Bolder")));
	map_put(&text, "type", value_str(STR("TextBlock")));
	map_put(&text, "text", value_str(text_of(step)));
	map_put(&text, "wrap", value_bool(true));
	list_push(&body, map_done(&title));
	list_push(&body, map_done(&text));
	map_put(&card, "type", value_str(STR("AdaptiveCard")));
	map_put(&card, "version", value_str(STR("1.2")));
	map_put(&card, "body", list_done(&body));
	map_put(&attachment, "contentType",
		value_str(STR("application/vnd.microsoft.card.adaptive")));
	map_put(&attachment, "content", map_done(&card));
	list_push(&attachments, map_done(&attachment));
	map_put(&message, "type", value_str(STR("message")));
	map_put(&message, "attachments", list_done(&attachments));
	return map_done(&message);
}

/* One incident a run: the key is the run's, so that a resolve ends what a trigger began
 * (PagerDuty Events API v2). */
static struct value
pagerduty_event(struct step *step)
{
	struct map_builder event = {.mem = step->mem}, payload = {.mem = step->mem};
	bool resolve = value_get_bool(step->in, "resolve", false);
	struct str text = text_of(step);
	if (text.n > 1024)
		text.n = 1024;
	map_put(&event, "routing_key", *value_get(step->in, "routing_key"));
	map_put(&event, "event_action",
		value_str(resolve ? STR("resolve") : STR("trigger")));
	map_put(&event, "dedup_key", value_text(step->mem, "rbx-%s", step->run));
	if (!resolve) {
		map_put(&payload, "summary", value_str(text));
		map_put(&payload, "source", value_text(step->mem, "rbx %s", step->book));
		map_put(&payload, "severity",
			value_str(value_get_str(step->in, "severity")));
		map_put(&event, "payload", map_done(&payload));
	}
	return map_done(&event);
}

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
	lines[n++] = "Content-Type: application/json";
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

/* Text beyond ASCII in a header is an encoded word (RFC 2047). */
static void
mail_header(struct step *step, struct buf *mail, const char *name, struct str text)
{
	bool ascii = true;
	for (size_t i = 0; i < text.n; i++)
		ascii &= (unsigned char)text.p[i] < 0x80;
	if (ascii)
		buf_printf(mail, "%s: %.*s\r\n", name, STR_FMT(text));
	else
		buf_printf(mail, "%s: =?UTF-8?B?%s?=\r\n", name,
			base64_text(step->mem, text.p, text.n));
}

/* Quoted-printable is not needed: base64 in lines of 76 passes every relay (RFC
 * 2045, 6.8). */
static void
mail_body(struct step *step, struct buf *mail, struct str text)
{
	const char *coded = base64_text(step->mem, text.p, text.n);
	for (size_t left = strlen(coded); left > 0;) {
		size_t n = left < 76 ? left : 76;
		buf_printf(mail, "%.*s\r\n", (int)n, coded);
		coded += n;
		left -= n;
	}
}

static enum verdict
send_mail(struct step *step, struct now now)
{
	const struct value *to = value_get(step->in, "recipients");
	struct str sender = value_get_str(step->in, "sender"),
		   smtp = value_get_str(step->in, "smtp"),
		   user = value_get_str(step->in, "user");
	const char **recipients = arena_array(step->mem, const char *, to->list.n + 1);
	struct buf message = buf_in(step->mem), list = buf_in(step->mem);
	bool clean = is_clean(sender) && is_clean(str_of(subject_of(step)));
	for (size_t i = 0; i < to->list.n; i++) {
		clean = clean && is_clean(to->list.items[i].str);
		recipients[i] = str_cstr(step->mem, to->list.items[i].str);
		buf_printf(&list, "%s%s", i > 0 ? ", " : "", recipients[i]);
	}
	if (!clean)
		return step_fail(step, ERR_VALUE, false,
			"control character in sender, recipients or subject");
	mail_header(step, &message, "From", sender);
	mail_header(step, &message, "To", buf_str(&list));
	mail_header(step, &message, "Subject", str_of(subject_of(step)));
	buf_printf(&message,
		"Date: %s\r\nMessage-ID: <%s@rbx>\r\nMIME-Version: 1.0\r\nContent-Type: "
		"text/plain; charset=UTF-8\r\n"
		"Content-Transfer-Encoding: base64\r\nX-Rbx-Run: %s\r\n\r\n",
		time_mail(step->mem, now.wall), step->key, step->run);
	mail_body(step, &message, text_of(step));
	bool tls_at_once = str_ends(smtp, STR(":465"));
	struct mail_ask ask = {
		.url = arena_printf(step->mem, "%s://%.*s",
			tls_at_once ? "smtps" : "smtp", STR_FMT(smtp)),
		.to = recipients,
		.from = str_cstr(step->mem, sender),
		.user = user.n > 0 ? str_cstr(step->mem, user) : NULL,
		.password = step_secret(step, value_get(step->in, "password")),
		.message = buf_str(&message),
	};
	return step_mail(step, (struct how){.title = "mail"}, &ask);
}

/* ---- SNS */

enum { SUBJECT_MAX = 99 };

/* SNS refuses a subject of 100 characters and more, and control characters in it (SNS API,
 * Publish): the message is worth more than the end of its subject. */
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
		return post(step, value_get_str(step->in, "webhook"), teams_card(step));
	if (str_is(to, "pagerduty")) {
		struct str url = str_of(step_env(step, "RBX_PAGERDUTY_URL"));
		return post(step,
			url.n > 0 ? url : STR("https://events.pagerduty.com/v2/enqueue"),
			pagerduty_event(step));
	}
	if (str_is(to, "webhook"))
		return post(step, value_get_str(step->in, "url"), webhook_body(step));
	if (str_is(to, "email"))
		return send_mail(step, now);
	return publish(step, now);
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
		char *body = value_short(step->mem,
			&(struct value){.kind = V_STRING, .str = answer->body}, 80);
		step_fail(step, ERR_ANSWER, later, "it answers %d: %s", answer->status,
			body);
		return answer->status >= 500 ? STEP_DOUBT : STEP_FAIL;
	}
	map_put(&map, "status", value_int(answer->status));
	if (json_parse(step->mem, answer->body, NULL, &json, &ignored)
		&& value_get_str(&json, "dedup_key").n > 0)
		map_put(&map, "id", value_str(value_get_str(&json, "dedup_key")));
	return step_done(step, map_done(&map));
}

static enum verdict
mailed(struct step *step, const struct op *op)
{
	const struct mail_answer *answer = op->answer;
	struct map_builder map = {.mem = step->mem};
	if (answer->code < 200 || answer->code > 299)
		return step_fail(step, ERR_ANSWER,
			answer->code >= 400 && answer->code < 500,
			"the mail server answers %d %.*s", answer->code,
			answer->text.n > 120 ? 120 : STR_FMT(answer->text));
	map_put(&map, "status", value_int(answer->code));
	map_put(&map, "id", value_text(step->mem, "<%s@rbx>", step->key));
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
	map_put(&after, "to", value_str(value_get_str(step->in, "to")));
	map_put(&after, "text", value_str(text_of(step)));
	map_put(&result, "before", value_null());
	map_put(&result, "after", map_done(&after));
	return step_done(step, map_done(&result));
}
