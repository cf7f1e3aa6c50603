#include "run/phase.h"

/* What providers gave. One fetch at a time for each key: whoever needs the same waits for
 * it. A grant is fetched again when less than five minutes of it are left. */

enum { LEFT_LEAST_MIN = 5, FETCH_TIMEOUT_S = 60 };

struct grant {
	struct grant *next;
	const struct provider *provider;
	struct str key;
	struct value value;
	bool is_there;
	int64_t valid_until;                          /* wall us; 0: for ever */
	struct fetch *fetch;                          /* under way */
	struct job *waiting;
};

struct grants { struct grant *first; };

struct fetch {
	struct attempt attempt;                       /* first: an attempt is its fetch */
	struct shell *shell;
	struct arena *mem;
	struct grant *grant;
	struct step_type type; /* a provider in the shape of a step */
};

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
}

static void
fetched(struct attempt *attempt)
{
	struct fetch *fetch = (struct fetch *)attempt;
	struct grant *grant = fetch->grant;
	bool good = attempt->verdict == STEP_DONE && attempt->step.out != NULL;
	struct job *job = grant->waiting;
	if (good)
		keep(fetch);
	else
		vault_mask_err(fetch->shell->vault, &attempt->err);
	grant->fetch = NULL;
	grant->waiting = NULL;
	struct err err = attempt->err;
	shell_later(fetch->shell, fetch->mem);
	for (struct job *next; job != NULL; job = next) {
		next = job->next_waiting;
		job->awaited = NULL;
		job_provided(job, good ? &grant->value : NULL, good ? NULL : &err);
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

static const struct attempt_type fetching = {
	.ended = fetched, .saved = no_save, .output = no_output, .progress = no_progress,
};

static const struct value *
own_part(struct arena *mem, const struct field *rows, const struct value *in)
{
	struct map_builder map = {.mem = mem};
	const struct field *row;
	for (size_t i = 0; (row = field_at(rows, i)) != NULL; i++) {
		const struct value *v = value_get(in, row->name);
		if (v != NULL)
			map_put(&map, row->name, *v);
	}
	struct value *out = arena_new_of(mem, struct value);
	*out = map_done(&map);
	return out;
}

static void
fetch_start(struct job *job, struct grant *grant)
{
	struct shell *shell = job->shell;
	struct arena *mem = arena_new();
	struct fetch *fetch = arena_new_of(mem, struct fetch);
	struct now now = shell_now(shell);
	*fetch = (struct fetch){.shell = shell, .mem = mem, .grant = grant};
	fetch->type = (struct step_type){.name = grant->provider->name,
		.in = grant->provider->in,
		.state = grant->provider->state,
		.run = grant->provider->run};
	fetch->attempt = (struct attempt){.outside = &fetching,
		.host = shell->host,
		.vault = shell->vault,
		.phase = "fetch",
		.reads_only = true,
		.owner = fetch,
		.until = now.boot + FETCH_TIMEOUT_S * NS_S};
	fetch->attempt.step = job->attempt.step;
	struct step *step = &fetch->attempt.step;
	step->type = &fetch->type;
	step->mem = mem;
	step->state = NULL;
	step->out = step->got = NULL;
	step->in = own_part(mem, grant->provider->in, job->step_in);
	grant->fetch = fetch;
	attempt_start(&fetch->attempt, grant->provider->run, now);
}

static struct grant *
grant_of(struct shell *shell, const struct provider *provider, struct str key)
{
	if (shell->grants == NULL)
		shell->grants = arena_new_of(shell->mem, struct grants);
	for (struct grant *it = shell->grants->first; it != NULL; it = it->next)
		if (it->provider == provider && str_eq(it->key, key))
			return it;
	struct grant *grant = arena_new_of(shell->mem, struct grant);
	*grant = (struct grant){.next = shell->grants->first, .provider = provider,
		.key = str_copy(shell->mem, key)};
	shell->grants->first = grant;
	return grant;
}

static bool
is_fresh(const struct grant *grant, struct now now)
{
	return grant->is_there && (grant->valid_until == 0 ||
		grant->valid_until - now.wall > LEFT_LEAST_MIN * 60 * INT64_C(1000000));
}

void
provide(struct job *job, const struct provider *provider)
{
	struct shell *shell = job->shell;
	struct buf key = buf_in(job->mem);
	struct err err;
	if (!provider->key(own_part(job->mem, provider->in, job->step_in), &key, &err)) {
		job_provided(job, NULL, &err);
		return;
	}
	struct grant *grant = grant_of(shell, provider, buf_str(&key));
	if (grant->fetch == NULL && is_fresh(grant, shell_now(shell))) {
		job_provided(job, &grant->value, NULL);
		return;
	}
	job->awaited = grant;
	job->next_waiting = grant->waiting;
	grant->waiting = job;
	if (grant->fetch == NULL)
		fetch_start(job, grant);
}

void
provide_forget(struct job *job)
{
	if (job->awaited == NULL)
		return;
	for (struct job **it = &job->awaited->waiting; *it != NULL;
		it = &(*it)->next_waiting)
		if (*it == job) {
			*it = job->next_waiting;
			break;
		}
	job->awaited = NULL;
}
