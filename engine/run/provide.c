#include "run/provide.h"

#include "run/limits.h"
#include "run/loop.h"

enum { LEFT_LEAST_MIN = 5, FETCH_TIMEOUT_S = 60, AGAIN_S = 30, PERSON_MIN = 5 };

struct grant {
	struct grant *next;
	const struct provider *provider;
	struct str key;
	const struct value *in;                       /* the provider's own part */
	const struct limits *limits;                  /* within which it was asked for */
	struct value value;
	bool is_there;
	int64_t valid_until;                          /* wall us; 0: for ever */
	int64_t again_at; /* boot ns: not fetched before, as long as it is valid */
	unsigned holders;
	struct fetch *fetch;                          /* under way */
	struct want *waiting;
};

struct grants {
	struct grant *first;
	const struct fetch *asking; /* whose question is shown; NULL: none is */
};

struct fetch {
	struct attempt attempt;                       /* first: an attempt is its fetch */
	struct shell *shell;
	struct arena *mem;
	struct grant *grant;
	struct want uses, renewal; /* of what the provider itself needs */
	const char *question; /* to the person at the terminal; NULL: none */
	unsigned question_slot;
	struct step_type type; /* a provider in the shape of a step */
};

/* ---- what was given */

/* Secrets into locked memory, the rest into the run's. */
static struct value
locked_copy(struct shell *shell, const struct value *v)
{
	const struct secret *secret;
	struct err err;
	struct value out = *v;
	if (v->kind == V_STRING) {
		bool hide = v->flags & VALUE_SECRET
			&& vault_add(shell->vault, v->str, &secret, &err);
		out.str = hide ? secret_reveal(secret) : str_copy(shell->mem, v->str);
	} else if (v->kind == V_MAP) {
		struct map_builder map = {.mem = shell->mem};
		for (size_t i = 0; i < v->map->n; i++)
			map_put_str(&map,
				str_copy(shell->mem, v->map->members[i].key.str),
				locked_copy(shell, &v->map->members[i].value));
		out = map_done(&map);
	} else if (v->kind == V_LIST) {
		struct list_builder list = {.mem = shell->mem};
		for (size_t i = 0; i < v->list.n; i++)
			list_push(&list, locked_copy(shell, &v->list.items[i]));
		out = list_done(&list);
	}
	return out;
}

static void
keep(struct fetch *fetch)
{
	struct grant *grant = fetch->grant;
	const struct value *out = fetch->attempt.step.out;
	const struct value *until = value_get(out, "valid_until");
	grant->value = locked_copy(fetch->shell, out);
	grant->is_there = true;
	grant->valid_until =
		until == NULL || until->kind != V_TIMESTAMP ? 0 : span_us(until->span);
	const struct value *who = value_get(&grant->value, "identity");
	struct str text = value_get_str(who, "text");
	if (text.n > 0)
		shell_note(fetch->shell, "identity", str_cstr(fetch->mem, text), who);
}

static bool
is_valid(const struct grant *grant, struct now now)
{
	return grant->is_there
		&& (grant->valid_until == 0 || grant->valid_until > now.wall);
}

static int64_t
left_us(const struct grant *grant, struct now now)
{
	return grant->valid_until - now.wall - LEFT_LEAST_MIN * 60 * INT64_C(1000000);
}

static bool
is_fresh(const struct grant *grant, struct now now)
{
	return is_valid(grant, now)
		&& (grant->valid_until == 0 || left_us(grant, now) > 0
			|| now.boot < grant->again_at);
}

static void
give(struct want *want, const struct value *got, const struct err *err)
{
	struct grant *grant = want->grant;
	want->waits = false;
	if (got != NULL)
		grant->holders++;
	else
		want->grant = NULL;
	want->given(want, got, err);
}

/* ---- a fetch */

static void
tell_kept(struct shell *shell, const struct grant *grant, const struct err *why)
{
	struct err err = *why;
	struct observer *observer = shell->observer;
	err_wrap(&err, "%s could not be renewed, those at hand are valid until %s",
		grant->provider->name, time_text_us(shell->mem, grant->valid_until));
	if (observer != NULL && observer->told != NULL)
		observer->told(observer, DIAG_WARNING, &err);
}

static void
fetched(struct attempt *attempt)
{
	struct fetch *fetch = (struct fetch *)attempt;
	struct shell *shell = fetch->shell;
	struct grant *grant = fetch->grant;
	struct now now = shell_now(shell);
	struct err err = attempt->err;
	bool good = attempt->verdict == STEP_DONE && attempt->step.out != NULL;
	provide_drop(&fetch->uses);
	provide_drop(&fetch->renewal);
	fetch->question = NULL;
	grant->again_at = now.boot + AGAIN_S * NS_S;
	if (good) {
		keep(fetch);
	} else {
		vault_mask_err(shell->vault, &err);
		good = is_valid(grant, now);
		if (good)
			tell_kept(shell, grant, &err);
	}
	struct want *want = grant->waiting;
	grant->fetch = NULL;
	grant->waiting = NULL;
	shell_later(shell, fetch->mem);
	for (struct want *next; want != NULL; want = next) {
		next = want->next;
		give(want, good ? &grant->value : NULL, good ? NULL : &err);
	}
}

static void
no_save(struct attempt *attempt, const struct value *value)
{
	(void)value;
	attempt_saved(attempt, attempt_now(attempt));
}

static void
no_output(struct attempt *attempt, int fd, struct str text, bool is_kept)
{
	(void)attempt;
	(void)fd;
	(void)text;
	(void)is_kept;
}

static void
no_progress(struct attempt *attempt)
{
	(void)attempt;
}

static bool
asks(struct attempt *attempt, unsigned slot, const char *text)
{
	struct fetch *fetch = (struct fetch *)attempt;
	const struct observer *observer = fetch->shell->observer;
	if (!fetch->shell->options->tty || observer == NULL || observer->ask == NULL)
		return false;
	fetch->question = text;
	fetch->question_slot = slot;
	attempt->until =
		attempt_now(attempt).boot + (PERSON_MIN * 60 + FETCH_TIMEOUT_S) * NS_S;
	return true;
}

static void
uses_renewed(struct want *want, const struct value *got, const struct err *err)
{
	struct fetch *fetch =
		(struct fetch *)((char *)want - offsetof(struct fetch, renewal));
	(void)got, (void)err;
	provide_drop(want);
	attempt_renewed(&fetch->attempt);
}

static bool
renews(struct attempt *attempt)
{
	struct fetch *fetch = (struct fetch *)attempt;
	if (fetch->uses.grant == NULL)
		return false;
	fetch->renewal.given = uses_renewed;
	if (!fetch->renewal.waits)
		provide_again(fetch->shell, &fetch->renewal, &fetch->uses);
	return true;
}

static const struct attempt_type fetching = {
	.ended = fetched, .saved = no_save, .output = no_output, .progress = no_progress,
	.asks = asks, .renews = renews,
};

static struct value
own_part(struct arena *mem, const struct field *rows, const struct value *in)
{
	struct map_builder map = {.mem = mem};
	const struct field *row;
	for (size_t i = 0; (row = field_at(rows, i)) != NULL; i++) {
		const struct value *v = value_get(in, row->name);
		if (v != NULL)
			map_put(&map, row->name, *v);
	}
	return map_done(&map);
}

static struct step
step_of(struct fetch *fetch)
{
	struct shell *shell = fetch->shell;
	const struct playbook *book = shell->book;
	const struct limits *limits = fetch->grant->limits;
	return (struct step){.type = &fetch->type,
		.in = fetch->grant->in,
		.saved = fetch->grant->is_there ? &fetch->grant->value : NULL,
		.limits = limits->value,
		.mem = fetch->mem,
		.key = "provider",
		.path = fetch->type.name,
		.run = str_cstr(fetch->mem, shell->state.id),
		.book = book->name,
		.folder = book->folder,
		.attempt = 1,
		.effect = PURE,
		.drill = shell->state.mode == MODE_DRILL,
		.addresses = limits->addresses};
}

static void
uses_given(struct want *want, const struct value *got, const struct err *err)
{
	struct fetch *fetch =
		(struct fetch *)((char *)want - offsetof(struct fetch, uses));
	struct attempt *attempt = &fetch->attempt;
	if (err != NULL) {
		attempt->err = *err;
		attempt->verdict = STEP_FAIL;
		fetched(attempt);
		return;
	}
	struct now now = shell_now(fetch->shell);
	attempt->step.got = got;
	attempt->until = now.boot + FETCH_TIMEOUT_S * NS_S;
	attempt_start(attempt, fetch->grant->provider->run, now);
}

static void
fetch_start(struct shell *shell, struct grant *grant)
{
	const struct provider *provider = grant->provider;
	struct arena *mem = arena_new();
	struct fetch *fetch = arena_new_of(mem, struct fetch);
	*fetch = (struct fetch){.shell = shell, .mem = mem, .grant = grant};
	fetch->uses.given = uses_given;
	fetch->type = (struct step_type){.name = provider->name,
		.in = provider->in,
		.state = provider->state,
		.run = provider->run};
	fetch->attempt = (struct attempt){.outside = &fetching,
		.host = shell->host,
		.vault = shell->vault,
		.clocks = &shell->clocks,
		.phase = "fetch",
		.reads_only = true,
		.owner = fetch};
	fetch->attempt.step = step_of(fetch);
	grant->fetch = fetch;
	fetch->uses.limits = grant->limits;
	if (provider->uses != NULL)
		provide(shell, &fetch->uses, provider->uses, grant->in);
	else
		uses_given(&fetch->uses, NULL, NULL);
}

/* ---- for those who need it */

static bool
is_same(const struct limits *a, const struct limits *b)
{
	return a->value == b->value && a->addresses == b->addresses;
}

/* What was had within other limits may not be theirs. */
static struct grant *
grant_of(struct shell *shell, const struct provider *provider, struct str key,
	const struct value *in, const struct limits *limits)
{
	if (shell->grants == NULL)
		shell->grants = arena_new_of(shell->mem, struct grants);
	for (struct grant *it = shell->grants->first; it != NULL; it = it->next)
		if (it->provider == provider && is_same(it->limits, limits)
			&& str_eq(it->key, key))
			return it;
	struct grant *grant = arena_new_of(shell->mem, struct grant);
	struct value *own = arena_new_of(shell->mem, struct value);
	*own = value_copy(shell->mem, in);
	*grant = (struct grant){.next = shell->grants->first, .provider = provider,
		.key = str_copy(shell->mem, key), .in = own, .limits = limits};
	shell->grants->first = grant;
	return grant;
}

static void
await(struct shell *shell, struct want *want, struct grant *grant)
{
	want->waits = true;
	want->next = grant->waiting;
	grant->waiting = want;
	if (grant->fetch == NULL)
		fetch_start(shell, grant);
}

void
provide(struct shell *shell, struct want *want, const struct provider *provider,
	const struct value *in)
{
	struct arena *mem = arena_new();
	struct buf key = buf_in(mem);
	struct err err;
	struct value own = own_part(mem, provider->in, in);
	bool good = provider->key(&own, &key, &err);
	struct grant *grant =
		good ? grant_of(shell, provider, buf_str(&key), &own, want->limits)
		     : NULL;
	arena_free(mem);
	want->grant = grant;
	if (grant == NULL) {
		want->given(want, NULL, &err);
		return;
	}
	if (grant->fetch == NULL && is_fresh(grant, shell_now(shell))) {
		give(want, &grant->value, NULL);
		return;
	}
	await(shell, want, grant);
}

void
provide_again(struct shell *shell, struct want *renewal, const struct want *held)
{
	renewal->grant = held->grant;
	await(shell, renewal, held->grant);
}

void
provide_drop(struct want *want)
{
	struct grant *grant = want->grant;
	if (grant == NULL)
		return;
	if (!want->waits)
		grant->holders--;
	for (struct want **it = &grant->waiting; want->waits && *it != NULL;
		it = &(*it)->next)
		if (*it == want) {
			*it = want->next;
			break;
		}
	want->grant = NULL;
	want->waits = false;
}

struct waited { struct want want; bool done; const struct value *got; struct err err; };

static void
has_come(struct want *want, const struct value *got, const struct err *err)
{
	struct waited *waited = (struct waited *)want;
	waited->done = true;
	waited->got = got;
	if (err != NULL)
		waited->err = *err;
}

bool
provide_now(struct shell *shell, struct want *want, const struct provider *provider,
	const struct limits *limits, const struct value *in, const struct value **got,
	struct err *err)
{
	struct waited waited = {.want = {.given = has_come, .limits = limits}};
	provide(shell, &waited.want, provider, in);
	shell_wait(shell, &waited.done);
	*want = waited.want;
	*got = waited.got;
	*err = waited.err;
	return waited.got != NULL;
}

/* ---- renewals */

static int64_t
due_of(const struct grant *grant, struct now now)
{
	if (grant->holders == 0 || grant->fetch != NULL || grant->valid_until == 0)
		return INT64_MAX;
	int64_t due = now.boot + left_us(grant, now) * 1000;
	return due > grant->again_at ? due : grant->again_at;
}

int64_t
provide_due(const struct shell *shell)
{
	struct now now = shell_now(shell);
	int64_t first = INT64_MAX;
	struct grant *it = shell->grants == NULL ? NULL : shell->grants->first;
	for (; it != NULL; it = it->next) {
		int64_t due = due_of(it, now);
		first = due < first ? due : first;
	}
	return first;
}

/* ---- questions: one at a time */

static struct fetch *
who_asks(const struct shell *shell)
{
	struct grant *it = shell->grants == NULL ? NULL : shell->grants->first;
	for (; it != NULL; it = it->next)
		if (it->fetch != NULL && it->fetch->question != NULL)
			return it->fetch;
	return NULL;
}

static void
tick_questions(struct shell *shell)
{
	struct observer *observer = shell->observer;
	struct fetch *fetch = who_asks(shell);
	struct str line;
	if (shell->grants == NULL || (fetch == NULL && shell->grants->asking == NULL))
		return;
	if (fetch != shell->grants->asking)
		observer->ask(observer, fetch == NULL ? NULL : fetch->question);
	shell->grants->asking = fetch;
	if (fetch == NULL || !observer->said(observer, fetch->mem, &line))
		return;
	fetch->question = NULL;
	shell->grants->asking = NULL;
	observer->ask(observer, NULL);
	fetch->attempt.said = line;
	step_stop(&fetch->attempt.step, fetch->question_slot);
}

void
provide_tick(struct shell *shell)
{
	tick_questions(shell);
	struct now now = shell_now(shell);
	struct grant *it = shell->grants == NULL ? NULL : shell->grants->first;
	for (; it != NULL; it = it->next)
		if (due_of(it, now) <= now.boot)
			fetch_start(shell, it);
}

static bool
is_fetching(const struct shell *shell)
{
	struct grant *it = shell->grants == NULL ? NULL : shell->grants->first;
	while (it != NULL && it->fetch == NULL)
		it = it->next;
	return it != NULL;
}

void
provide_stop(struct shell *shell)
{
	struct grant *it = shell->grants == NULL ? NULL : shell->grants->first;
	for (; it != NULL; it = it->next)
		if (it->fetch != NULL && !it->fetch->uses.waits)
			attempt_cancel(&it->fetch->attempt);
}

void
provide_close(struct shell *shell)
{
	provide_stop(shell);
	while (is_fetching(shell)) {
		int number;
		struct op *op = shell->host->type->wait(shell->host, INT64_MAX, &number);
		if (op != NULL)
			((struct waiter *)op->owner)->done(op->owner, op);
	}
}
