#include "shared.h"

#include "../steps/aws/call.h"
#include "../steps/aws/with.h"
#include "../steps/aws/class.h"
#include "../steps/aws/explain.h"
#include "../steps/aws/repeat.h"
#include "../steps/aws/result.h"
#include "../steps/aws/secret.h"
#include "../steps/aws/waiter.h"

#include <strings.h>

static const struct field in[] = {
	{.name = "call", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_WRITTEN,
	 .pattern = "[a-z][a-z0-9-]*\\.[A-Z][A-Za-z0-9]*",
	 .help = "service.Operation: rds.PromoteReadReplica"},
	{.name = "with", .type = FIELD_MAP, .each = FIELD_DATA, .flags = FIELD_TAKES_SECRET,
	 .help = "the operation's members by their names in the model"},
	{.name = "pages", .type = FIELD_TEXT, .words = (const char *const[]){"all", NULL},
	 .help = "fetch every page and join the lists"},
	{.name = "waiter", .type = FIELD_TEXT, .flags = FIELD_WRITTEN,
	 .pattern = "[A-Za-z][A-Za-z0-9]*",
	 .help = "of the model: repeats the call until its success"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "code", .type = FIELD_TEXT, .help = "empty on success"},
	{.name = "*", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "the operation's result"},
	{.name = NULL},
};

enum phase { CALL, ASK, PAUSE };

struct work {
	enum phase phase;
	struct call call;
	const struct waiter *waiter;
	unsigned asked;
};

/* Of a wait for a change, growing to the delay of the model's waiter: what is quick is
 * not waited for half a minute. */
#define FIRST_PAUSE (2 * NS_S)

static bool check(const struct value *args, struct diags *diags);
static enum effect effect_of(const struct value *args);
static bool settles(const struct value *args);
static int64_t every_of(const struct value *args);
static step_fn preview, probe, run, settle;

const struct step_type aws_type = {
	.name = "aws",
	.summary = "call any operation of AWS",
	.version = 1,
	.in = in,
	.out = out,
	.effect = ONCE,
	.effect_of = effect_of,
	.timeout = NS_MIN,
	/* Of the tokens whose memory is documented ACM's lasts least: an hour. */
	.window = 50 * NS_MIN,
	.takes_effect = true,
	.takes_accept = true,
	.secrets = aws_secrets,
	.uses = &aws_credentials,
	.state = sizeof(struct work),
	.check = check,
	.settles = settles,
	.every_of = every_of,
	.out_type = result_type,
	.explain = explain_aws,
	.preview = preview,
	.probe = probe,
	.run = run,
	.settle = settle,
};

/* ---- what the arguments say */

struct known {
	struct arena *mem;
	struct service *service;
	const struct operation *operation;
};

static struct known
known_of(struct arena *mem, const struct value *args)
{
	struct str operation,
		name = str_cut(value_get_str(args, "call"), '.', &operation);
	struct known known = {
		.mem = mem, .service = model_service(model_open(mem), name)};
	if (known.service != NULL)
		known.operation = service_operation(known.service, operation);
	return known;
}

static enum effect
effect_of(const struct value *args)
{
	struct arena *mem = arena_new();
	struct known known = known_of(mem, args);
	enum effect effect = known.operation == NULL
		? ONCE
		: class_of_operation(known.service, known.operation);
	arena_free(mem);
	return effect;
}

/* A read asks again by `every`; what a change began is waited for afterwards. */
static bool
settles(const struct value *args)
{
	return value_get(args, "waiter") != NULL && effect_of(args) != PURE;
}

static int64_t
every_of(const struct value *args)
{
	struct str name = value_get_str(args, "waiter");
	if (name.n == 0 || effect_of(args) != PURE)
		return 0;
	struct arena *mem = arena_new();
	struct known known = known_of(mem, args);
	const struct waiter *waiter =
		known.service == NULL ? NULL : waiter_find(known.service, name);
	int64_t delay = waiter == NULL ? 0 : waiter->delay;
	arena_free(mem);
	return delay;
}

enum { HINT_MAX = 180 };

static const char *
joined(struct arena *mem, const char *const *names)
{
	struct buf text = buf_in(mem);
	for (size_t i = 0; names[i] != NULL; i++) {
		if (text.n + strlen(names[i]) > HINT_MAX) {
			buf_puts(&text, ", …");
			break;
		}
		buf_printf(&text, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	return buf_cstr(&text);
}

/* A change is waited for only where it is sure which thing is looked at. */
static bool
check_asked(const struct known *known, const struct waiter *waiter,
	const struct value *args, struct diags *diags)
{
	bool named;
	waiter_input(known->mem, known->service, waiter, known->operation,
		value_get(args, "with"), NULL, &named);
	if (named)
		return true;
	err_hint(diag_error(diags, value_mark(value_get(args, "waiter")),
			 "%s.%s does not say what the waiter %s is to look at",
			 known->service->name, known->operation->name, waiter->name),
		"wait in a step of its own: call: %s.%s, with what is meant, waiter: %s",
		known->service->name, waiter->operation, waiter->name);
	return false;
}

static bool
check_waiter(const struct known *known, const struct value *args, struct diags *diags)
{
	const struct value *name = value_get(args, "waiter");
	if (name == NULL)
		return true;
	const struct waiter *waiter = waiter_find(known->service, name->str);
	const char *asks = waiter == NULL ? NULL : waiter->operation;
	bool is_read = class_of_operation(known->service, known->operation) == PURE;
	if (waiter != NULL && !is_read)
		return check_asked(known, waiter, args, diags);
	if (waiter != NULL && strcmp(asks, known->operation->name) == 0)
		return true;
	const char *const *names = waiter_names(
		known->service, is_read ? known->operation->name : NULL);
	const char *near = near_name(name->str, names);
	struct err *err = waiter == NULL
		? diag_error(diags, value_mark(name), "%s has no waiter '%.*s'%s%s%s",
			  known->service->name, STR_FMT(name->str),
			  near == NULL ? "" : ", did you mean '",
			  near == NULL ? "" : near, near == NULL ? "" : "'?")
		: diag_error(diags, value_mark(name), "the waiter %.*s asks %s, not %s",
			  STR_FMT(name->str), asks, known->operation->name);
	if (names[0] != NULL)
		err_hint(err, "there are %s", joined(known->mem, names));
	return false;
}

static bool
check_pages(const struct known *known, const struct value *args, struct diags *diags)
{
	struct pages ignored;
	const struct value *pages = value_get(args, "pages");
	if (pages == NULL
		|| pages_begin(known->service, known->operation, known->mem, &ignored))
		return true;
	err_hint(diag_error(diags, value_mark(pages), "%s.%s has no pages",
			 known->service->name, known->operation->name),
		"leave it out");
	return false;
}

static bool
check(const struct value *args, struct diags *diags)
{
	struct arena *mem = arena_new();
	struct known known = {.mem = mem};
	const struct value *call = value_get(args, "call");
	known.operation = with_call(model_open(mem), call, &known.service, diags);
	bool good = known.operation != NULL
		&& with_judge(known.service, known.operation, value_get(args, "with"),
			value_mark(call), diags);
	if (known.operation != NULL) {
		good &= check_waiter(&known, args, diags);
		good &= check_pages(&known, args, diags);
	}
	arena_free(mem);
	return good;
}

/* ---- the call */

static struct how
how_of(struct step *step)
{
	bool reads = step->effect == PURE;
	return (struct how){.reads = reads, .tries = reads ? 3 : 0};
}

static enum verdict
start(struct step *step, const struct event *event)
{
	struct work *work = step->state;
	if (!call_begin(step, &work->call, value_get_str(step->in, "call"),
		    value_get(step->in, "with"), step->err))
		return STEP_FAIL;
	work->call.all_pages = value_get(step->in, "pages") != NULL;
	struct str waiter = value_get_str(step->in, "waiter");
	if (waiter.n > 0)
		work->waiter = waiter_find(work->call.service, waiter);
	return call_send(step, how_of(step), event->now, &work->call);
}

static enum verdict
answered(struct step *step, struct call *call)
{
	struct map_builder map = {.mem = step->mem};
	for (size_t i = 0; call->result.kind == V_MAP && i < call->result.map->n; i++)
		map_put_str(&map, call->result.map->members[i].key.str,
			result_told(step->mem, &call->result.map->members[i].value));
	map_put(&map, "code", value_str(call->error.code));
	return step_done(step, map_done(&map));
}

/* A read with a waiter: one answer is "so", "not yet" or "never". */
static enum verdict
judged(struct step *step, struct work *work)
{
	const char *why;
	struct call *call = &work->call;
	enum waiter_says says = waiter_judge(step->mem, work->waiter, &call->result,
		call->error.code, call->error.status, &why);
	if (says == WAITER_SUCCESS)
		return answered(step, call);
	if (says == WAITER_AGAIN)
		return step_unmet(step, "%s: %s", work->waiter->name, why);
	return step_fail(step, ERR_VALUE, false, "%s will not come to be: %s",
		work->waiter->name, why);
}

/* The service took the change and answered what cannot be read: it was done, and to send
 * it again would do it twice. */
static enum verdict
unreadable(struct step *step, struct call *call)
{
	step_say(step, "it was done, but its answer cannot be read: %s", step->err->msg);
	call->result = value_null();
	return answered(step, call);
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct work *work = step->state;
	if (event->kind == EV_START)
		return start(step, event);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled"),
		       step->effect == PURE ? STEP_FAIL : STEP_DOUBT;
	enum verdict verdict = call_take(step, how_of(step), event, &work->call);
	if (verdict == STEP_FAIL && step->effect != PURE && call_was_taken(&work->call))
		return unreadable(step, &work->call);
	if (verdict != STEP_DONE)
		return verdict;
	const struct aws_error *error = &work->call.error;
	if (error->code.n == 0 && !work->call.all_pages
		&& pages_is_cut(step->mem, work->call.service, work->call.operation,
			&work->call.result))
		step_say(step,
			"there is more than this answer holds; pages: all fetches it");
	bool accepted = error->code.n == 0 || step_accepts(step, error->code);
	if (work->waiter != NULL && step->effect == PURE && !error->transient)
		return judged(step, work);
	if (!accepted && step->effect == KEYED
		&& repeat_is_told(step->mem, &work->call)) {
		step_say(step, "it was done already: the service knows the step's key");
		return answered(step, &work->call);
	}
	return accepted ? answered(step, &work->call)
			: call_fail(step, event, &work->call);
}

/* ---- until what was begun is so */

static enum verdict
ask(struct step *step, struct now now)
{
	struct work *work = step->state;
	work->phase = ASK;
	return call_send(step, (struct how){.reads = true, .tries = 3}, now, &work->call);
}

static enum verdict
settle_start(struct step *step)
{
	struct work *work = step->state;
	struct known known = known_of(step->mem, step->in);
	work->waiter = waiter_find(known.service, value_get_str(step->in, "waiter"));
	bool named;
	struct value with = waiter_input(step->mem, known.service, work->waiter,
		known.operation, value_get(step->in, "with"), step->out, &named);
	if (!named)
		return step_fail(step, ERR_PROTOCOL, false,
			"the answer does not say what %s is to look at",
			work->waiter->name);
	const char *name = arena_printf(
		step->mem, "%s.%s", known.service->name, work->waiter->operation);
	if (!call_begin(step, &work->call, str_of(name), &with, step->err))
		return STEP_FAIL;
	/* Just after the call the old state may still be told. */
	work->phase = PAUSE;
	return step_sleep(step, 0, FIRST_PAUSE);
}

static enum verdict
asked_again(struct step *step, const struct event *event)
{
	struct work *work = step->state;
	const char *why;
	struct how how = {.reads = true, .tries = 3};
	enum verdict verdict = call_take(step, how, event, &work->call);
	if (verdict == STEP_WAIT)
		return verdict;
	bool later = verdict != STEP_DONE ? step->err->transient
					  : work->call.error.transient;
	if (verdict != STEP_DONE && !later)
		return verdict;
	enum waiter_says says = later ? WAITER_AGAIN
				      : waiter_judge(step->mem, work->waiter,
						&work->call.result,
						work->call.error.code,
						work->call.error.status, &why);
	if (says == WAITER_SUCCESS)
		return step_done(step,
			step->out == NULL ? value_map(step->mem, NULL, 0) : *step->out);
	if (says == WAITER_FAILURE)
		return step_fail(step, ERR_VALUE, false, "%s will not come to be: %s",
			work->waiter->name, why);
	work->phase = PAUSE;
	int64_t pause = FIRST_PAUSE << (work->asked < 8 ? work->asked++ : 8);
	return step_sleep(
		step, 0, pause < work->waiter->delay ? pause : work->waiter->delay);
}

static enum verdict
settle(struct step *step, const struct event *event)
{
	struct work *work = step->state;
	if (event->kind == EV_START)
		return settle_start(step);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	return work->phase == PAUSE ? ask(step, event->now) : asked_again(step, event);
}

/* ---- before and after */

static enum verdict
look_for(struct step *step, const struct event *event, struct look_up *look)
{
	struct work *work = step->state;
	struct known known = known_of(step->mem, step->in);
	struct map_builder map = {.mem = step->mem};
	if (!class_look_up(known.service, known.operation, look))
		return STEP_ABSENT;
	if (event->kind != EV_START)
		return STEP_DONE;
	const struct value *name =
		value_get(value_get(step->in, "with"), look->name);
	if (name != NULL)
		map_put(&map, look->asks, *name);
	struct value with = map_done(&map);
	const char *call = arena_printf(step->mem, "%s.%s", known.service->name,
		look->operation->name);
	if (!call_begin(step, &work->call, str_of(call), &with, step->err))
		return STEP_FAIL;
	return call_send(step, (struct how){.reads = true, .tries = 3}, event->now,
		&work->call);
}

/* What the model's own look finds; NULL: it is not there. */
static const struct value *
found(const struct call *call, const struct look_up *look)
{
	if (call->error.code.n > 0)
		return NULL;
	if (look->list == NULL)
		return value_get(&call->result, look->found);
	const struct value *list = value_get(&call->result, look->list);
	return list == NULL || list->kind != V_LIST || list->list.n == 0
		? NULL
		: &list->list.items[0];
}

/* A name as it was given, or as the ARN that ends with it. RDS keeps its names in small
 * letters. */
static bool
same_name(struct str a, struct str b)
{
	struct str longer = a.n > b.n ? a : b, shorter = a.n > b.n ? b : a;
	struct str end = str_from(longer, longer.n - shorter.n);
	bool is_end = longer.n == shorter.n || longer.p[longer.n - shorter.n - 1] == ':';
	return is_end && strncasecmp(end.p, shorter.p, shorter.n) == 0;
}

/* Our clock and that of the service may be apart as far as it takes signatures. */
#define CLOCKS_APART_US (5 * 60 * INT64_C(1000000))

/* The member that says when the thing was made: InstanceCreateTime, CreatedDate,
 * creationTime; not OriginalSnapshotCreateTime, which is that of the snapshot's source.
 */
static bool
is_creation(struct str name)
{
	static const char *const ends[] = {"CreateTime", "CreatedTime", "CreationTime",
		"CreateDate", "CreatedDate", "CreationDate", "CreatedAt", "createdAt",
		"createTime", "createdTime", "creationTime", "creationDate", NULL};
	size_t i = 0;
	while (ends[i] != NULL && !str_ends(name, str_of(ends[i])))
		i++;
	return ends[i] != NULL && !str_starts(name, STR("Original"))
		&& !str_starts(name, STR("Source"));
}

/* When it was made, where that was before the change began: somebody else did it, and
 * gave it the same name. NULL: as far as can be told it was not. */
static const char *
made_before(const struct step *step, const struct value *made)
{
	for (size_t i = 0; step->began > 0 && made->kind == V_MAP && i < made->map->n;
		i++) {
		const struct member *m = &made->map->members[i];
		if (m->value.kind == V_TIMESTAMP && is_creation(m->key.str)
			&& span_us(m->value.span) < step->began - CLOCKS_APART_US)
			return time_text(step->mem, m->value.span);
	}
	return NULL;
}

/* What is there has the names that were asked for, as far as it tells them, and is not on
 * its way out. */
static bool
is_ours(const struct value *with, const struct value *made)
{
	bool both = with != NULL && with->kind == V_MAP && made->kind == V_MAP;
	for (size_t i = 0; both && i < made->map->n; i++) {
		const struct member *m = &made->map->members[i];
		const struct value *asked = map_at(with->map, m->key.str);
		if (m->value.kind != V_STRING)
			continue;
		if (str_ends(m->key.str, STR("Status"))
			&& str_is(m->value.str, "deleting"))
			return false;
		if (str_ends(m->key.str, STR("Identifier")) && asked != NULL
			&& asked->kind == V_STRING
			&& !same_name(asked->str, m->value.str))
			return false;
	}
	return true;
}

static enum verdict
probe(struct step *step, const struct event *event)
{
	struct work *work = step->state;
	struct look_up look;
	enum verdict verdict = look_for(step, event, &look);
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (verdict == STEP_ABSENT)
		return step_fail(step, ERR_VALUE, false,
			"nothing in the model tells whether it was done");
	if (verdict != STEP_DONE)
		return verdict;
	verdict = call_take(step, (struct how){.reads = true, .tries = 3}, event,
		&work->call);
	if (verdict != STEP_DONE)
		return verdict;
	const struct aws_error *error = &work->call.error;
	const struct value *made = found(&work->call, &look);
	if (error->code.n > 0 && !class_is_absence(error->code))
		return call_fail(step, event, &work->call);
	if (made == NULL)
		return STEP_ABSENT;
	if (!is_ours(value_get(step->in, "with"), made))
		return step_fail(step, ERR_VALUE, false,
			       "one of that name is there, but it is not what was asked "
			       "for"),
		       STEP_DOUBT;
	const char *before = made_before(step, made);
	if (before != NULL)
		return step_fail(step, ERR_VALUE, false,
			       "one of that name is there since %s, which is before this"
			       " step began: somebody else made it", before),
		       STEP_DOUBT;
	struct map_builder map = {.mem = step->mem};
	map_put(&map, look.made, result_told(step->mem, made));
	map_put(&map, "code", value_str(STR("")));
	return step_done(step, map_done(&map));
}

/* Nothing tells beforehand what a call will do; it is shown as it would be sent. */
static enum verdict
preview(struct step *step, const struct event *event)
{
	struct map_builder after = {.mem = step->mem}, result = {.mem = step->mem};
	const struct value *with = value_get(step->in, "with");
	(void)event;
	map_put(&after, "call", value_str(value_get_str(step->in, "call")));
	if (with != NULL)
		map_put(&after, "with", *with);
	map_put(&result, "before", value_null());
	map_put(&result, "after", map_done(&after));
	map_put(&result, "assumed", value_bool(true));
	return step_done(step, map_done(&result));
}
