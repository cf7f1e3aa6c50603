#include "run/phase.h"

#include <assert.h>

#include "run/args.h"
#include "run/limits.h"

/* ---- the end of a job */

void
job_free(struct job *job)
{
	arena_free(job->mem);
}

void
job_answer(struct job *job)
{
	struct shell *shell = job->shell;
	assert(!job->answered);
	job->answered = true;
	provide_drop(&job->want);
	provide_drop(&job->renewal);
	list_remove(&job->link);
	if (job->log_bytes > 0) {
		uint8_t digest[SHA256_SIZE];
		digest_end(job->log, digest);
		job->result.log_digest = hex_text(job->mem, digest, sizeof digest);
		job->result.log_bytes = job->log_bytes;
	}
	if (job->result.err != NULL) {
		job->err = *job->result.err;
		vault_mask_err(shell->vault, &job->err);
		job->result.err = &job->err;
	}
	shell_tell(shell,
		(struct news){.kind = NEWS_OP, .path = job->path, .result = &job->result},
		job);
}

void
job_fail(struct job *job, const struct err *err)
{
	job->err = *err;
	job->result = (struct result){.verdict = STEP_FAIL, .reach = job->result.reach,
		.transient = err->transient, .err = &job->err};
	job_answer(job);
}

int64_t
job_until(const struct job *job)
{
	/* The owner ends an attempt at its time; the second more only catches what would
	 * never end. */
	return job->timeout_boot > 0 ? job->timeout_boot + NS_S : INT64_MAX;
}

/* ---- one attempt of `doing` */

/* The author's `effect: pure` is a word that nobody can hold a command to: the type's own
 * class says what is refused. */
static bool
is_read(const struct job *job)
{
	const struct step_type *type = job->doing->type;
	enum effect effect =
		type->effect_of == NULL ? type->effect : type->effect_of(job->step_in);
	if (effect == PURE)
		return true;
	if (job->doing != job->node)
		return job->doing->effect != PURE;
	return job->phase != PHASE_RUN && job->phase != PHASE_UNDO;
}

static enum effect
effect_of(const struct job *job)
{
	if (job->doing == job->node && job->state->effect >= 0)
		return (enum effect)job->state->effect;
	return job->doing->type == NULL ? PURE : node_effect(job->doing, job->step_in);
}

static step_fn *
fn_of(const struct job *job)
{
	const struct step_type *type = job->doing->type;
	if (job->doing != job->node)
		return type->run;
	switch (job->phase) {
	case PHASE_LOOK: return type->preview;
	case PHASE_SETTLE: return type->settle;
	case PHASE_PROBE: return type->probe;
	case PHASE_UNDO: return type->undo;
	default: return type->run;
	}
}

static const char *
phase_name(enum phase phase)
{
	static const char *const names[] = {
		[PHASE_PROVIDE] = "providing",
		[PHASE_LOOK] = "preview",
		[PHASE_CHECK] = "check",
		[PHASE_RUN] = "run",
		[PHASE_SETTLE] = "settle",
		[PHASE_PROBE] = "probe",
		[PHASE_ORPHANS] = "orphans",
		[PHASE_UNDO] = "undo",
	};
	return names[phase];
}

static struct attempt
attempt_of(struct job *job)
{
	struct shell *shell = job->shell;
	struct attempt attempt = {.outside = &job_outside,
		.host = shell->host,
		.vault = shell->vault,
		.clocks = &shell->clocks,
		.phase = phase_name(job->phase),
		.reads_only = is_read(job),
		.owner = job,
		.until = job_until(job),
		.timeout_at = job->timeout_boot};
	const struct playbook *book = job->doing->book;
	const struct limits *limits = limits_of(shell, book);
	attempt.step = (struct step){.type = job->doing->type,
		.mem = job->mem,
		.in = job->step_in,
		.accept = job->doing->accept,
		.limits = limits->value,
		.path = job->path,
		.run = str_cstr(job->mem, shell->state.id),
		.book = shell->book->name,
		.folder = book->folder,
		.attempt = job->number,
		.addresses = limits->addresses,
		.effect = effect_of(job),
		.drill = shell->state.mode == MODE_DRILL,
		.key = path_key(job->mem, &shell->state, job->state)};
	if (job->doing != job->node)
		return attempt;
	struct step *step = &attempt.step;
	step->was = job->state->was;
	step->began = job->state->first_at > 0 ? job->state->first_at : 0;
	step->saved = job->state->saved;
	if (job->phase == PHASE_SETTLE)
		step->out = job->state->outputs;
	if (job->node->type->asks)
		step->got = job->state->answers;
	return attempt;
}

/* Undo of a step goes by what that step recorded, not by its own path. */
static void
of_undone(struct job *job)
{
	const struct path_state *undone = job->undone;
	if (job->phase != PHASE_UNDO || undone == NULL)
		return;
	job->attempt.step.was = undone->was;
	job->attempt.step.saved = undone->saved;
	job->attempt.step.out = undone->outputs;
}

static const struct value *
recorded_in(const struct job *job)
{
	if (job->doing != job->node)
		return NULL;
	if (job->phase == PHASE_UNDO)
		return job->undone == NULL ? NULL : job->undone->in;
	return job->state->in != NULL ? job->state->in : job->in;
}

static int64_t
evaluation_time(const struct job *job)
{
	/* What was recorded as an expression is evaluated as it was then. */
	const struct path_state *state =
		job->phase == PHASE_UNDO ? job->undone : job->state;
	bool again = job->doing == job->node && state != NULL && state->in != NULL;
	if (!again)
		return shell_time(job->shell);
	/* the first intent: all attempts with one key send the same */
	return state->first_at >= 0 ? state->first_at : state->at;
}

static const char *
scope_path(const struct job *job)
{
	size_t n = strlen(job->path);
	bool undo = job->phase == PHASE_UNDO && str_ends(str_of(job->path), STR("/undo"));
	return undo ? arena_strndup(job->mem, job->path, n - 5) : job->path;
}

static void next(struct job *job);

/* A check that is nothing but assertions has no type and needs no attempt. */
static void
assert_only(struct job *job)
{
	job->attempt = (struct attempt){.verdict = STEP_DONE, .reach = REACH_NONE};
	job_attempt_ended(&job->attempt);
}

static void job_given(struct want *want, const struct value *got, const struct err *err);

static bool
is_probe_look(const struct job *job)
{
	return job->phase == PHASE_LOOK && job->doing != job->node;
}

/* A probe whose arguments only a real run can give is not asked in a dry one. */
static bool
is_not_known(struct job *job)
{
	struct value given, *unknown = arena_new_of(job->mem, struct value);
	struct str why;
	if (!scope_fill(&job->scope, job->doing->args, &given, &job->err)
		|| !value_has_unknown(&given, &why))
		return false;
	*unknown = value_unknown(why);
	job->result = (struct result){.verdict = STEP_FAIL, .unknown = unknown};
	return true;
}

/* What it reads is young enough. */
static void
begin_now(struct job *job)
{
	struct value *in = arena_new_of(job->mem, struct value);
	struct err err;
	scope_init(&job->scope, job->shell, job->doing, scope_path(job), job->mem,
		evaluation_time(job));
	if (job->doing->type == NULL) {
		assert_only(job);
		return;
	}
	if (is_probe_look(job) && is_not_known(job)) {
		job_answer(job);
		return;
	}
	if (!args_restore(&job->scope, job->doing, recorded_in(job), in, &err)) {
		job_fail(job, &err);
		return;
	}
	job->step_in = in;
	job->attempt = attempt_of(job);
	if (job->doing == job->node)
		of_undone(job);
	const struct step_type *type = job->doing->type;
	provide_drop(&job->want);                     /* of the check before */
	job->want.given = job_given;
	job->want.limits = limits_of(job->shell, job->doing->book);
	if (type->uses != NULL && (type->uses_if == NULL || type->uses_if(in)))
		provide(job->shell, &job->want, type->uses, in);
	else
		job_given(&job->want, NULL, NULL);
}

static void
secrets_came(struct secret_want *want, const struct err *err)
{
	struct job *job = (struct job *)((char *)want - offsetof(struct job, secrets));
	if (err != NULL)
		job_fail(job, err);
	else
		begin_now(job);
}

static void
begin(struct job *job)
{
	job->secrets.fresh = secrets_came;
	if (secrets_renew(
		    job->shell, &job->secrets, job->doing->book, job->doing->args))
		begin_now(job);
}

/* The attempt of job->doing starts: what its type needs is there. */
static void
job_given(struct want *want, const struct value *got, const struct err *err)
{
	struct job *job = (struct job *)((char *)want - offsetof(struct job, want));
	if (err != NULL) {
		job_fail(job, err);
		return;
	}
	if (job->phase == PHASE_PROVIDE) {
		job->result = (struct result){.verdict = STEP_DONE, .reach = REACH_NONE};
		job_answer(job);
		return;
	}
	step_fn *fn = fn_of(job);
	if (got != NULL)
		job->attempt.step.got = got;
	if (fn == NULL) {
		struct err missing;
		err_set(&missing, ERR_UNSUPPORTED, "%s has no %s", job->doing->type->name,
			phase_name(job->phase));
		job_fail(job, &missing);
		return;
	}
	attempt_start(&job->attempt, fn, shell_now(job->shell));
}

/* ---- what it came to */

static struct judged
judged_of(struct job *job)
{
	struct attempt *attempt = &job->attempt;
	job->scope.now = shell_time(job->shell);
	job_say_why(job);
	if (attempt->verdict != STEP_DONE && attempt->verdict != STEP_ABSENT
		&& attempt->err.code == ERR_NONE)
		err_set(&attempt->err, ERR_ANSWER, "%s of %s failed and did not say why",
			attempt->phase,
			job->doing->type == NULL ? "the step" : job->doing->type->name);
	if (attempt->left > 0)
		err_hint(&attempt->err, "%u of its processes could not be ended",
			attempt->left);
	return (struct judged){.scope = &job->scope,
		.node = job->doing,
		.verdict = attempt->verdict,
		.self = attempt->step.out,
		.err = &attempt->err,
		.is_check = job->phase == PHASE_CHECK || effect_of(job) == PURE};
}

/* The effect has taken place; settle judges. What it gave is recorded whole, for settle
 * goes on from that. */
static bool
is_settled_later(const struct job *job)
{
	return job->phase == PHASE_RUN && job->doing->settles;
}

static void
took_effect(struct job *job)
{
	struct value *out = arena_new_of(job->mem, struct value);
	job->result.verdict = STEP_DONE;
	if (job->attempt.step.out == NULL)
		return;
	*out = scrubbed(job->shell->vault, job->mem, job->attempt.step.out);
	job->result.outputs = out;
}

static void
judge_step(struct job *job)
{
	struct judged judged = judged_of(job);
	if (job->phase == PHASE_LOOK) {
		judge_look(&judged, &job->result);
		job->result.assumed &= !job->absent;
	} else if (job->phase == PHASE_PROBE && job->doing != job->node)
		judge_probe(&judged, job->node, &job->result);
	else if (job->phase == PHASE_UNDO) {
		job->result.verdict = judged.verdict;
		job->result.err = judged.verdict == STEP_DONE ? NULL : judged.err;
		job->result.transient = judged.err->transient;
	} else if (judged.verdict == STEP_DONE && is_settled_later(job))
		took_effect(job);
	else
		judge(&judged, &job->result);
}

/* What the probe would look at is not there yet: that tells nothing, and is no failure.
 */
static bool
tells_nothing(const struct judged *judged, const struct result *result)
{
	enum err_code code = judged->err->code;
	return result->verdict != STEP_DONE && result->unknown == NULL
		&& (code == ERR_ANSWER || code == ERR_ABSENT_KEY);
}

static bool
previews(const struct job *job)
{
	const struct step_type *type = job->node->type;
	return type->preview != NULL
		&& (type->looks_if == NULL || (job->in != NULL && type->looks_if(job->in)));
}

/* The author's probe, before the first attempt. It is there: nothing is to be done. It is
 * not: what would differ is shown as far as the type can. */
static void
probe_looked(struct job *job)
{
	struct judged judged = judged_of(job);
	struct result *result = &job->result;
	judge_probe(&judged, job->node, result);
	job->absent = result->verdict == STEP_ABSENT;
	bool goes_on = job->absent || tells_nothing(&judged, result);
	if (goes_on && job->killed) {
		err_set(&job->err, ERR_CANCELLED, "ended before all of it was done");
		job_fail(job, &job->err);
	} else if (goes_on && previews(job)) {
		job->doing = job->node;
		begin(job);
	} else {
		result->same = result->verdict == STEP_DONE;
		result->assumed = goes_on && !job->absent;
		result->shown = result->same ? "it is there" : "as written";
		result->verdict = result->same || goes_on ? STEP_DONE : STEP_FAIL;
		result->err = result->verdict == STEP_DONE ? NULL : judged.err;
		result->transient = judged.err->transient;
		job_answer(job);
	}
}

void
job_attempt_ended(struct attempt *attempt)
{
	struct job *job = (struct job *)attempt;
	if (is_probe_look(job)) {
		job->result = (struct result){.reach = attempt->reach};
		probe_looked(job);
		return;
	}
	job->result =
		(struct result){.verdict = attempt->verdict, .reach = attempt->reach};
	judge_step(job);
	job->result.left = attempt->left;
	job->result.refused = job->refused;
	bool good = job->result.verdict == STEP_DONE && !job->result.not_held
		&& !job->result.assert_failed;
	if (job->list == NULL || !good) {
		if (job->list != NULL && job->result.err != NULL
			&& job->doing != job->node) {
			job->err = *job->result.err;
			err_wrap(&job->err, "%s", job->doing->id);
			job->result.err = &job->err;
			if (job->phase == PHASE_CHECK)
				job->result.verdict = STEP_FAIL;
		}
		job_answer(job);
		return;
	}
	job->at++;
	if (job->killed && job->at < job->n) {
		err_set(&job->err, ERR_CANCELLED, "ended before all of it was done");
		job_fail(job, &job->err);
		return;
	}
	next(job);
}

/* The next precondition of a change. */
static void
next(struct job *job)
{
	if (job->at == job->n) {
		job->result =
			(struct result){.verdict = STEP_DONE, .reach = REACH_ANSWERED};
		job_answer(job);
		return;
	}
	job->doing = job->list[job->at];
	begin(job);
}

/* ---- acts */

static struct job *
job_new(struct shell *shell, const struct act *act, int64_t decided_boot)
{
	struct arena *mem = arena_new();
	struct job *job = arena_new_of(mem, struct job);
	*job = (struct job){.shell = shell,
		.mem = mem,
		.path = arena_strdup(mem, act->path),
		.node = act->node,
		.doing = act->node,
		.state = act->state,
		.phase = act->phase,
		.number = act->attempt,
		.decided_boot = decided_boot,
		.in = act->in,
		.undone = act->undone};
	if (act->timeout_at > 0)
		job->timeout_boot = owner_boot(shell->owner, act->timeout_at);
	if (act->in != NULL) {
		struct value *in = arena_new_of(mem, struct value);
		*in = value_copy(mem, act->in);
		job->in = in;
	}
	list_append(&shell->jobs, &job->link);
	return job;
}

void
phase_start(struct shell *shell, const struct act *act, int64_t decided_boot)
{
	struct job *job = job_new(shell, act, decided_boot);
	const struct node *node = job->node;
	if (shell->observer != NULL && shell->observer->started != NULL)
		shell->observer->started(
			shell->observer, job->path, node, job->phase, job->number);
	if (job->phase == PHASE_ORPHANS) {
		job_end_orphans(job);
		return;
	}
	if (job->phase == PHASE_CHECK) {
		job->list = node->preconditions;
		job->n = node->n_preconditions;
		next(job);
		return;
	}
	bool asks = job->phase == PHASE_PROBE
		|| (job->phase == PHASE_LOOK && node->probe_looks);
	if (asks && node->probe != NULL)
		job->doing = node->probe;
	begin(job);
}

void
phase_ask(struct shell *shell, const struct act *act, int64_t until)
{
	struct job *job = job_new(shell, act, shell_now(shell).boot);
	job->timeout_boot = until;
	begin(job);
}
