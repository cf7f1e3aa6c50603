#include "shared.h"

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
	{.name = "to", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .words = channels, .help = "the channel"},
	{.name = "text", .type = FIELD_TEXT, .help = "required, but for resolve"},
	{.name = "subject", .type = FIELD_TEXT, .only_key = "to", .only_words = titled,
	 .help = "else the playbook's name"},
	{.name = "webhook", .type = FIELD_SECRET, .flags = FIELD_REQUIRED, .only_key = "to",
	 .only_words = chat, .help = "its URL"},
	{.name = "url", .type = FIELD_SECRET, .flags = FIELD_REQUIRED, .only_key = "to",
	 .only_words = webhook, .help = "where it is posted"},
	{.name = "headers", .type = FIELD_MAP, .each = FIELD_SECRET, .only_key = "to",
	 .only_words = webhook, .help = "sent with it"},
	{.name = "json", .type = FIELD_DATA, .only_key = "to", .only_words = webhook,
	 .help = "the body; else {run, playbook, text}"},
	{.name = "routing_key", .type = FIELD_SECRET, .flags = FIELD_REQUIRED, .only_key = "to",
	 .only_words = pagerduty, .help = "of the service"},
	{.name = "severity", .type = FIELD_TEXT, .otherwise = "critical", .only_key = "to",
	 .only_words = pagerduty,
	 .words = (const char *const[]){"critical", "error", "warning", "info", NULL}, .help = "how bad"},
	{.name = "resolve", .type = FIELD_BOOL, .otherwise = "false", .only_key = "to",
	 .only_words = pagerduty, .help = "ends the run's incident"},
	{.name = "smtp", .type = FIELD_HOST_PORT, .flags = FIELD_REQUIRED, .only_key = "to",
	 .only_words = email, .help = "mail server, with TLS or STARTTLS; without only on loopback"},
	{.name = "user", .type = FIELD_TEXT, .only_key = "to", .only_words = email, .help = "to log in"},
	{.name = "password", .type = FIELD_SECRET, .only_key = "to", .only_words = email,
	 .help = "to log in"},
	{.name = "sender", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .only_key = "to",
	 .only_words = email, .help = "whose mail it is"},
	{.name = "recipients", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .flags = FIELD_REQUIRED | FIELD_SCALAR_OR_LIST, .only_key = "to", .only_words = email,
	 .help = "who gets it"},
	{.name = "topic", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .only_key = "to", .only_words = sns,
	 .pattern = "arn:.*", .help = "its ARN"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields, .only_key = "to", .only_words = sns},
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
check(const struct value *args, struct diags *diags)
{
	bool resolve = value_get_bool(args, "resolve", false);
	const struct value *text = value_get(args, "text"), *flag = value_get(args, "resolve");
	if (flag != NULL && flag->kind == V_UNKNOWN)
		return true;
	if (resolve && text != NULL)
		diag_error(diags, value_mark(text), "a resolve of an incident takes no text");
	else if (!resolve && text == NULL)
		diag_error(diags, value_mark(args), "notify needs 'text': what is told");
	return resolve == (text == NULL);
}

const struct step_type notify_type = {
	.name = "notify",
	.summary = "tell people",
	.version = 1,
	.in = in,
	.out = out,
	.effect = REPEATABLE,
	.effect_of = effect_of,
	.timeout = 30 * NS_S,
	.check = check,
};
