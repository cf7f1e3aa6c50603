#include "shared.h"

#include <strings.h>

static const struct field expect[] = {
	{.name = "days_left", .type = FIELD_INT, .least = 0, .most = 36500,
	 .help = "the certificate is good for at least that many days"},
	{.name = "names", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .help = "names that the certificate must cover"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "host", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "name or address"},
	{.name = "port", .type = FIELD_INT, .otherwise = "443", .least = 1, .most = 65535,
	 .help = "to connect to"},
	{.name = "server_name", .type = FIELD_TEXT, .help = "the name that is asked for; else host"},
	{.name = "starttls", .type = FIELD_TEXT,
	 .words = (const char *const[]){"postgres", "smtp", NULL}, .help = "how TLS begins"},
	{.name = "ca", .type = FIELD_PATH, .flags = FIELD_READ, .help = "CA bundle; else the system's"},
	{.name = "resolver", .type = FIELD_HOST_PORT, .help = "name server; else the system's"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "what must hold as well"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "days_left", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "whole days"},
	{.name = "not_after", .type = FIELD_TIMESTAMP, .flags = FIELD_OUTPUT,
	 .help = "end of the certificate"},
	{.name = "names", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_OUTPUT,
	 .help = "that it covers"},
	{.name = "issuer", .type = FIELD_TEXT, .help = "who signed it"},
	{.name = NULL},
};

static step_fn run;

const struct step_type tls_check_type = {
	.name = "tls_check",
	.summary = "judge a certificate: chain, name, dates",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 10 * NS_S,
	.is_check = true,
	.run = run,
};

static const char *
text(struct step *step, const char *name)
{
	struct str v = value_get_str(step->in, name);
	return v.n == 0 ? NULL : str_cstr(step->mem, v);
}

static enum verdict
start(struct step *step)
{
	struct connect_ask ask = {
		.host = text(step, "host"),
		.tls = true,
		.server_name = text(step, "server_name"),
		.starttls = text(step, "starttls"),
		.ca_file = text(step, "ca"),
		.resolver = text(step, "resolver"),
		.addresses = step->addresses,
		.port = arena_printf(step->mem, "%lld",
			(long long)value_get_int(step->in, "port", 443)),
	};
	if (ask.server_name == NULL)
		ask.server_name = ask.host;
	return step_connect(step, (struct how){.reads = true, .title = ask.host}, &ask);
}

static bool
same_name(struct str a, struct str b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

/* Whether a name of the certificate covers it: the same, or a wildcard for its first
 * label (RFC 6125, 6.4.3). */
static bool
covers(const struct cert *cert, struct str name)
{
	for (size_t i = 0; cert->names != NULL && cert->names[i] != NULL; i++) {
		struct str held = str_of(cert->names[i]), rest;
		if (same_name(held, name))
			return true;
		str_cut(name, '.', &rest);
		if (str_starts(held, STR("*.")) && rest.n > 0
			&& same_name(str_from(held, 2), rest))
			return true;
	}
	return false;
}

static struct value
result_of(struct step *step, struct now now, const struct cert *cert)
{
	struct map_builder map = {.mem = step->mem};
	struct list_builder names = {.mem = step->mem};
	for (size_t i = 0; cert->names != NULL && cert->names[i] != NULL; i++)
		list_push(&names, value_str(str_of(cert->names[i])));
	map_put(&map, "days_left",
		value_int((cert->not_after - now.wall) / (86400 * INT64_C(1000000))));
	map_put(&map, "not_after", value_time_us(cert->not_after));
	map_put(&map, "names", list_done(&names));
	map_put(&map, "issuer", value_str(str_of(cert->issuer)));
	return map_done(&map);
}

static enum verdict
judge(struct step *step, struct now now, const struct cert *cert)
{
	const struct value *want = value_get(step->in, "expect"),
			   *names = value_get(want, "names");
	struct value result = result_of(step, now, cert);
	int64_t days = value_get_int(want, "days_left", -1),
		left = value_get_int(&result, "days_left", 0);
	step_done(step, result);
	if (days >= 0 && left < days)
		return step_unmet(step,
			"it is good for %lld days, expected at least %lld",
			(long long)left, (long long)days);
	for (size_t i = 0; names != NULL && names->kind == V_LIST && i < names->list.n;
		i++)
		if (!covers(cert, names->list.items[i].str))
			return step_unmet(step,
				"the certificate does not cover %.*s, but %s",
				STR_FMT(names->list.items[i].str),
				value_short(step->mem, value_get(&result, "names"), 120));
	return step_done(step, result);
}

/* A bad certificate is an answer; a connection that could not be made says nothing of it.
 */
static enum verdict
run(struct step *step, const struct event *event)
{
	if (event->kind == EV_START)
		return start(step);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->op->err.code == ERR_TLS)
		return step_unmet(step, "%s", event->op->err.msg);
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	const struct connect_answer *answer = event->op->answer;
	if (answer->n_certs == 0)
		return step_fail(
			step, ERR_TLS, false, "the server showed no certificate");
	return judge(step, event->now, &answer->certs[0]);
}
