#include "step.h"

#include "../unit/unit.h"

#include "base/diag.h"
#include "run/attempt.h"

struct watch {
	struct attempt attempt;                       /* first: an attempt is its watch */
	struct trial *trial;
	struct buf output;
	bool ended, saved;
};

static void
ended(struct attempt *attempt)
{
	struct watch *watch = (struct watch *)attempt;
	assert_false(watch->ended);
	watch->ended = true;
}

static void
saved(struct attempt *attempt, const struct value *value)
{
	struct watch *watch = (struct watch *)attempt;
	watch->saved = true;
	watch->trial->saves++;
	watch->trial->last_saved = json_text(attempt->step.mem, value, JSON_COMPACT);
}

static void
output(struct attempt *attempt, int fd, struct str text, bool keep)
{
	(void)fd;
	(void)keep;
	buf_add(&((struct watch *)attempt)->output, text);
}

static void
progress(struct attempt *attempt)
{
	(void)attempt;
}

static bool
asks(struct attempt *attempt, unsigned slot, const char *text)
{
	struct watch *watch = (struct watch *)attempt;
	(void)slot;
	watch->trial->asked = arena_strdup(attempt->step.mem, text);
	attempt->said = str_of(watch->trial->said);
	return watch->trial->said != NULL;
}

static const struct attempt_type outside = {
	.ended = ended, .saved = saved, .output = output, .progress = progress, .asks = asks,
};

static const struct value *
parsed(struct arena *mem, const char *text)
{
	if (text == NULL)
		return NULL;
	struct value *v = arena_new_of(mem, struct value);
	struct err err;
	assert_ok(json_parse(mem, str_of(text), NULL, v, &err));
	return v;
}

static const struct value *
judged(const struct step_type *type, const char *text, struct arena *mem)
{
	const struct value *map = parsed(mem, text == NULL ? "{}" : text);
	struct value *in = arena_new_of(mem, struct value);
	struct diags diags = {.mem = mem};
	bool good = fields_apply(type->in, map, "/folder", mem, in, &diags);
	if (good && type->check != NULL)
		good = type->check(in, &diags) && diags.errors == 0;
	if (!good)
		fail_msg("%s", diags.first == NULL ? "wrong" : diags.first->err.msg);
	return in;
}

static step_fn *
phase_fn(const struct step_type *type, const char *phase, bool *reads)
{
	*reads = type->effect == PURE || strcmp(phase, "preview") == 0
		|| strcmp(phase, "probe") == 0 || strcmp(phase, "settle") == 0;
	return strcmp(phase, "run") == 0        ? type->run
		: strcmp(phase, "preview") == 0 ? type->preview
		: strcmp(phase, "probe") == 0   ? type->probe
		: strcmp(phase, "settle") == 0  ? type->settle
						: type->undo;
}

static void
drive(struct watch *watch, struct host *host, int64_t cancel_at)
{
	struct attempt *attempt = &watch->attempt;
	bool cancelled = false;
	while (!watch->ended) {
		int signal;
		if (watch->saved) {
			watch->saved = false;
			attempt_saved(attempt, host->type->now(host));
			continue;
		}
		int64_t until = attempt_due(attempt);
		if (!cancelled && cancel_at < until)
			until = cancel_at;
		struct op *op = host->type->wait(host, until, &signal);
		struct now now = host->type->now(host);
		if (op != NULL)
			((struct waiter *)op->owner)->done(op->owner, op);
		else if (!cancelled && now.boot >= cancel_at) {
			cancelled = true;
			attempt_cancel(attempt);
		} else {
			attempt_tick(attempt, now);
		}
	}
}

void
trial_run(struct fake *fake, struct arena *mem, const char *phase, struct trial *trial)
{
	struct host *host = fake_host(fake);
	struct watch *watch = arena_new_of(mem, struct watch);
	bool reads;
	step_fn *fn = phase_fn(trial->type, phase, &reads);
	assert_non_null(fn);
	watch->trial = trial;
	watch->output = buf_in(mem);
	struct now now = host->type->now(host);
	watch->attempt = (struct attempt){.outside = &outside,
		.host = host,
		.vault = vault_new(mem),
		.phase = phase,
		.reads_only = reads && !trial->vouched,
		.until = now.boot + (trial->timeout > 0 ? trial->timeout : 10 * NS_MIN)};
	watch->attempt.step = (struct step){.type = trial->type,
		.mem = mem,
		.in = judged(trial->type, trial->in, mem),
		.was = parsed(mem, trial->was),
		.saved = parsed(mem, trial->saved),
		.got = parsed(mem, trial->got),
		.accept = parsed(mem, trial->accept),
		.path = "group/step",
		.run = "r-test",
		.book = "a-book",
		.folder = "/folder",
		.attempt = 1,
		.drill = trial->drill,
		.began = trial->began,
		.key = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"};
	watch->attempt.step.effect = trial->type->effect_of == NULL ? trial->type->effect
		: trial->type->effect_of(watch->attempt.step.in);
	attempt_start(&watch->attempt, fn, now);
	drive(watch, host,
		trial->cancel_after > 0 ? now.boot + trial->cancel_after : INT64_MAX);
	trial->verdict = watch->attempt.verdict;
	trial->reach = watch->attempt.reach;
	trial->any_effect = watch->attempt.any_effect;
	trial->err = watch->attempt.err;
	trial->out = watch->attempt.step.out;
	trial->out_text = trial->out == NULL ? arena_strdup(mem, "")
					     : json_text(mem, trial->out, JSON_COMPACT);
	trial->output = (char *)buf_cstr(&watch->output);
	if (fake_left(fake) != NULL)
		fail_msg("never asked: %s", fake_left(fake));
}
