#include "run/slot.h"

#include <assert.h>
#include <stdio.h>

#include "base/http_date.h"
#include "run/attempt.h"

enum { PAUSE_FIRST_MS = 200, PAUSE_MOST_S = 20, AFTER_MOST_S = 120, AHEAD_MS = 50 };

static void slot_done(struct waiter *waiter, struct op *op);

/* The host knows what it waited for, a name, a connection, an answer; who ends it from
 * outside does not. So on the net its deadline comes first, by 50 ms or a quarter of a
 * short time. */
static int64_t
before_timeout(const struct attempt *attempt, enum op_kind kind, int64_t now)
{
	bool speaks = kind == OP_HTTP || kind == OP_MAIL || kind == OP_SQL
		|| kind == OP_DNS || kind == OP_CONNECT;
	int64_t left = attempt->timeout_at - now, ahead = AHEAD_MS * NS_MS;
	if (!speaks || attempt->cleaning || attempt->timeout_at == 0 || left <= 0)
		return INT64_MAX;
	return attempt->timeout_at - (left / 4 < ahead ? left / 4 : ahead);
}

/* What is left of the attempt, or of the time that the step gave the operation. */
static int64_t
deadline_of(const struct attempt *attempt, enum op_kind kind, int64_t timeout)
{
	int64_t until = attempt->cleaning ? attempt->clean_until : attempt->until;
	int64_t now = attempt_now(attempt).boot, own = before_timeout(attempt, kind, now);
	until = own < until ? own : until;
	return timeout > 0 && now + timeout < until ? now + timeout : until;
}

/* What a child prints passes the masks of the run's secrets before anybody sees it. `end`
 * gives out what was held back as the possible beginning of a secret. */
static void
tell_output(struct slot *slot, int fd, struct str piece, bool end)
{
	struct attempt *attempt = slot->attempt;
	struct masker **mask = &slot->masks[fd == 2];
	if (*mask == NULL && !end)
		*mask = masker_new(attempt->step.mem, attempt->vault);
	if (*mask == NULL)
		return;
	struct arena *mem = arena_new();
	struct buf out = buf_in(mem);
	masker_add(*mask, piece, end, &out);
	if (out.n > 0)
		attempt->outside->output(attempt, fd, buf_str(&out), slot->keep_log);
	arena_free(mem);
}

static void
child_output(struct op *op, int fd, struct str piece)
{
	tell_output(op->owner, fd, piece, false);
}

static void
send(struct slot *slot)
{
	struct attempt *attempt = slot->attempt;
	slot->use = SLOT_FLYING;
	slot->tried++;
	slot->op.answer = NULL;
	slot->op.err = (struct err){0};
	slot->op.reach = REACH_NONE;
	attempt->host->type->start(attempt->host, &slot->op);
	if (attempt->stopping && !attempt->cleaning)
		slot_stop(slot);
}

enum verdict
slot_start(struct attempt *attempt, struct how how, enum op_kind kind, const void *ask,
	size_t size, bool effect)
{
	struct step *step = &attempt->step;
	if (effect && attempt->reads_only)
		return step_fail(step, ERR_DENIED, false, "%s of %s may only read",
			attempt->phase, step->type->name);
	if (effect && attempt->outside->may_start != NULL &&
	    !attempt->outside->may_start(attempt, step->err))
		return STEP_FAIL;
	assert(how.slot < attempt->n_slots);
	struct slot *slot = attempt->slots[how.slot];
	if (slot == NULL)
		slot = attempt->slots[how.slot] = arena_new_of(step->mem, struct slot);
	assert(slot->use == SLOT_FREE || slot->use == SLOT_OPEN);
	slot_close(slot);
	struct arena *mem = how.mem != NULL ? how.mem : step->mem;
	void *copy = arena_alloc(mem, size);
	memcpy(copy, ask, size);
	*slot = (struct slot){.waiter.done = slot_done,
		.attempt = attempt,
		.effect = effect && !how.staged,
		.tries = how.tries == 0 ? 1 : how.tries,
		.mend = kind == OP_HTTP ? how.mend : NULL,
		.title = how.title};
	slot->op = (struct op){.kind = kind,
		.ask = copy,
		.mem = mem,
		.slot = how.slot,
		.owner = slot,
		.deadline = deadline_of(attempt, kind, how.timeout)};
	if (kind == OP_EXEC) {
		struct exec_ask *exec = copy;
		slot->keep_log = exec->keep_log;
		exec->tail = child_output;
	}
	attempt->flying++;
	if (how.title != NULL && attempt->title != how.title) {
		attempt->title = how.title;
		attempt->outside->progress(attempt);
	}
	send(slot);
	return STEP_WAIT;
}

/* It completes by the loop, not from inside. */
static void
pause_until(struct slot *slot, int64_t end)
{
	struct attempt *attempt = slot->attempt;
	slot->use = SLOT_PAUSED;
	slot->pause = (struct op){.kind = OP_SLEEP, .deadline = end, .owner = slot,
		.mem = slot->op.mem};
	attempt->host->type->start(attempt->host, &slot->pause);
}

void
slot_stop(struct slot *slot)
{
	if (slot == NULL || slot->stopped || slot->use == SLOT_FREE
		|| slot->use == SLOT_OPEN)
		return;
	if (slot->use == SLOT_RENEWING)
		pause_until(slot, attempt_now(slot->attempt).boot);
	struct host *host = slot->attempt->host;
	slot->stopped = true;
	host->type->cancel(host, slot->use == SLOT_PAUSED ? &slot->pause : &slot->op);
}

void
slot_close(struct slot *slot)
{
	if (slot == NULL || slot->use != SLOT_OPEN)
		return;
	if (slot->op.handle != NULL)
		slot->attempt->host->type->cancel(slot->attempt->host, &slot->op);
	slot->use = SLOT_FREE;
}

/* ---- sending again */

static const char *
header_of(const struct http_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strcmp(answer->headers[i].name, name) == 0)
			return answer->headers[i].value;
	return NULL;
}

/* RFC 9110, 10.2.3: seconds, or a date, which is read by our own clock. */
static int64_t
retry_after(const struct attempt *attempt, const struct op *op)
{
	const struct http_answer *answer = op->kind == OP_HTTP ? op->answer : NULL;
	const char *text = answer == NULL ? NULL : header_of(answer, "retry-after");
	int64_t seconds, at, now = attempt_now(attempt).wall;
	struct str word = str_trim(str_of(text == NULL ? "" : text));
	if (!str_int(word, &seconds))
		seconds = http_date_parse(word, now, &at) ? (at - now + 999999) / 1000000
							  : 0;
	if (seconds <= 0)
		return 0;
	return (seconds > AFTER_MOST_S ? AFTER_MOST_S : seconds) * NS_S;
}

static bool
is_worth_again(const struct op *op)
{
	if (op->err.code != ERR_NONE)
		return op->err.transient;
	if (op->kind != OP_HTTP || op->answer == NULL)
		return false;
	int status = ((const struct http_answer *)op->answer)->status;
	return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

int64_t
slot_pause(const struct slot *slot, int64_t after)
{
	const struct step *step = &slot->attempt->step;
	char text[128];
	int n = snprintf(text, sizeof text, "%s %u %u %u",
		step->key == NULL ? "" : step->key, (unsigned)step->attempt,
		slot->op.slot, slot->tried);
	uint8_t digest[SHA256_SIZE];
	sha256((struct str){text, (size_t)n}, digest);
	unsigned doubled = slot->tried > 7 ? 7 : slot->tried;
	int64_t most = (PAUSE_FIRST_MS * NS_MS) << doubled;
	if (most > PAUSE_MOST_S * NS_S)
		most = PAUSE_MOST_S * NS_S;
	int64_t pause = most / 2 + most / 2 / 256 * digest[0]; /* half of it is jitter */
	return pause > after ? pause : after;
}

/* Whether the same bytes are sent again: then the slot is paused. */
static bool
pause(struct slot *slot)
{
	struct attempt *attempt = slot->attempt;
	if (slot->stopped || attempt->stopping || slot->tried >= slot->tries ||
	    !is_worth_again(&slot->op))
		return false;
	int64_t now = attempt_now(attempt).boot;
	int64_t end = now + slot_pause(slot, retry_after(attempt, &slot->op));
	if (end >= slot->op.deadline)
		return false;
	slot->was_sent = slot->was_sent || slot->op.reach == REACH_SENT;
	pause_until(slot, end);
	return true;
}

/* ---- what can be put right */

/* What was refused stays as it was said, unless it is sent again. */
static enum mend
ask_mend(struct slot *slot, bool renewed)
{
	struct attempt *attempt = slot->attempt;
	struct http_ask ask = *(const struct http_ask *)slot->op.ask;
	enum mend what = slot->mend(
		&attempt->step, &slot->op, attempt_now(attempt), renewed, &ask);
	if (what == MEND_AGAIN && slot->was_mended && !renewed)
		return MEND_NO;
	if (what == MEND_AGAIN)
		*(struct http_ask *)slot->op.ask = ask;
	return what;
}

/* Whether it is sent once more, now or when the provider has given anew. */
static bool
mend(struct slot *slot)
{
	struct attempt *attempt = slot->attempt;
	if (slot->mend == NULL || slot->stopped || attempt->stopping
		|| slot->op.err.code != ERR_NONE || slot->op.answer == NULL)
		return false;
	enum mend what = ask_mend(slot, false);
	if (what == MEND_AGAIN) {
		slot->was_mended = true;
		send(slot);
		return true;
	}
	if (what != MEND_RENEW || slot->was_renewed || attempt->outside->renews == NULL)
		return false;
	slot->was_renewed = true;
	slot->use = SLOT_RENEWING;
	if (attempt->outside->renews(attempt))
		return true;
	slot->use = SLOT_FLYING;
	return false;
}

/* Streams stay: an opened file, and a child or an answer of which not all was read. */
static bool
stays_open(const struct op *op)
{
	if (op->err.code != ERR_NONE)
		return false;
	return op->kind == OP_OPEN
		|| (op->kind == OP_HTTP
			&& ((const struct http_ask *)op->ask)->stream_out);
}

static void
complete(struct slot *slot)
{
	tell_output(slot, 1, (struct str){0}, true);
	tell_output(slot, 2, (struct str){0}, true);
	if (slot->was_sent && slot->op.reach == REACH_NONE)
		slot->op.reach = REACH_SENT;
	slot->use = stays_open(&slot->op) ? SLOT_OPEN : SLOT_FREE;
	attempt_completed(slot->attempt, slot);
}

static void
slot_done(struct waiter *waiter, struct op *op)
{
	struct slot *slot = (struct slot *)waiter;
	if (op == &slot->pause) {
		if (!slot->stopped) {
			send(slot);
			return;
		}
		/* The answer of the try before stands in slot->op. */
	} else if (mend(slot) || pause(slot)) {
		return;
	}
	complete(slot);
}

void
slot_renewed(struct slot *slot)
{
	if (slot == NULL || slot->use != SLOT_RENEWING)
		return;
	if (ask_mend(slot, true) == MEND_AGAIN) {
		send(slot);
		return;
	}
	slot->stopped = true;                         /* the answer stands as it is */
	pause_until(slot, attempt_now(slot->attempt).boot);
}
