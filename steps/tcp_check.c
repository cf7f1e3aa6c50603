#include "shared.h"

static const struct field expect[] = {
	{.name = "down", .type = FIELD_BOOL, .help = "refused, reset or timed out"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "host", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "name or address"},
	{.name = "port", .type = FIELD_INT, .flags = FIELD_REQUIRED, .least = 1, .most = 65535,
	 .help = "to connect to"},
	{.name = "control", .type = FIELD_HOST_PORT,
	 .help = "with down: must accept a connection in the same moment"},
	{.name = "resolver", .type = FIELD_HOST_PORT, .help = "name server; else the system's"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "what must hold"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "time", .type = FIELD_DURATION, .flags = FIELD_OUTPUT, .help = "to connect"},
	{.name = "address", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "that answered"},
	{.name = NULL},
};

enum { MAIN_SLOT, CONTROL_SLOT, SLOTS };

struct look {
	struct op main, control;
	bool main_done, control_done;
};

/* What would be passed over is an error. */
static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *control = value_get(args, "control"),
			   *down = value_get(value_get(args, "expect"), "down");
	if (control == NULL
		|| (down != NULL && (down->kind != V_BOOL || down->b)))
		return true;
	err_hint(diag_error(diags, value_mark(control),
			 "'control' is asked with 'down' only"),
		"expect: {down: true}, or leave it out");
	return false;
}

static step_fn run;

const struct step_type tcp_check_type = {
	.name = "tcp_check",
	.summary = "connect to a port",
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
connect_to(struct step *step, unsigned slot, const char *host, const char *port)
{
	struct str resolver = value_get_str(step->in, "resolver");
	struct connect_ask ask = {.host = host,
		.port = port,
		.addresses = step->addresses,
		.resolver = resolver.n > 0 ? str_cstr(step->mem, resolver) : NULL};
	return step_connect(
		step, (struct how){.slot = slot, .reads = true, .title = host}, &ask);
}

static enum verdict
start(struct step *step)
{
	struct look *look = step->state;
	struct str control = value_get_str(step->in, "control");
	bool down = value_get_bool(value_get(step->in, "expect"), "down", false);
	look->control_done = !down || control.n == 0;
	if (!look->control_done) {
		size_t colon = control.n;
		while (colon > 0 && control.p[colon - 1] != ':')
			colon--;
		struct str host = {control.p, colon > 0 ? colon - 1 : 0};
		if (host.n > 1 && host.p[0] == '[')
			host = (struct str){host.p + 1, host.n - 2};
		if (connect_to(step, CONTROL_SLOT, str_cstr(step->mem, host),
			    str_cstr(step->mem, str_from(control, colon)))
			!= STEP_WAIT)
			return STEP_FAIL;
	}
	return connect_to(step, MAIN_SLOT,
		str_cstr(step->mem, value_get_str(step->in, "host")),
		arena_printf(step->mem, "%lld",
			(long long)value_get_int(step->in, "port", 0)));
}

static enum verdict
judge_down(struct step *step)
{
	struct look *look = step->state;
	enum err_code code = look->main.err.code;
	if (value_get_str(step->in, "control").n > 0
		&& look->control.err.code != ERR_NONE)
		return step_fail(step, ERR_NETWORK, true,
			"unknown: control does not answer: %s", look->control.err.msg);
	if (code == ERR_NONE)
		return step_unmet(step, "it accepts connections: it is not down");
	if (code == ERR_CONNECT || code == ERR_NETWORK || code == ERR_TIMEOUT)
		return step_done(step, value_map(step->mem, NULL, 0));
	return step_fail(step, code, true, "unknown: %s", look->main.err.msg);
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct look *look = step->state;
	if (event->kind == EV_START)
		return start(step);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	*(event->op->slot == CONTROL_SLOT ? &look->control : &look->main) = *event->op;
	*(event->op->slot == CONTROL_SLOT ? &look->control_done : &look->main_done) =
		true;
	if (!look->main_done || !look->control_done)
		return STEP_WAIT;
	if (value_get_bool(value_get(step->in, "expect"), "down", false))
		return judge_down(step);
	if (look->main.err.code != ERR_NONE)
		return step_fail_op(step, &look->main);
	const struct connect_answer *answer = look->main.answer;
	struct map_builder map = {.mem = step->mem};
	map_put(&map, "time", value_duration_ns(answer->total_ns));
	map_put(&map, "address", value_str(str_of(answer->address)));
	return step_done(step, map_done(&map));
}
