#include "run/step.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "run/attempt.h"

/* A step is the first member of its attempt. */
static struct attempt *
attempt_of(struct step *step)
{
	return (struct attempt *)step;
}

enum verdict
step_http(struct step *step, struct how how, const struct http_ask *ask)
{
	struct http_ask http = *ask;
	if (http.addresses == NULL)
		http.addresses = step->addresses;
	return slot_start(attempt_of(step), how, OP_HTTP, &http, sizeof http, !how.reads);
}

enum verdict
step_exec(struct step *step, struct how how, const struct exec_ask *ask)
{
	return slot_start(attempt_of(step), how, OP_EXEC, ask, sizeof *ask, !how.reads);
}

enum verdict
step_sql(struct step *step, struct how how, const struct sql_ask *ask)
{
	struct sql_ask sql = *ask;
	if (sql.addresses == NULL)
		sql.addresses = step->addresses;
	bool effect = !how.reads || !sql.read_only;
	return slot_start(attempt_of(step), how, OP_SQL, &sql, sizeof sql, effect);
}

enum verdict
step_mail(struct step *step, struct how how, const struct mail_ask *ask)
{
	struct mail_ask mail = *ask;
	if (mail.addresses == NULL)
		mail.addresses = step->addresses;
	return slot_start(attempt_of(step), how, OP_MAIL, &mail, sizeof mail, true);
}

enum verdict
step_dns(struct step *step, struct how how, const struct dns_ask *ask)
{
	return slot_start(attempt_of(step), how, OP_DNS, ask, sizeof *ask, false);
}

enum verdict
step_connect(struct step *step, struct how how, const struct connect_ask *ask)
{
	struct connect_ask copy = *ask;
	if (copy.addresses == NULL)
		copy.addresses = step->addresses;
	return slot_start(attempt_of(step), how, OP_CONNECT, &copy, sizeof copy, false);
}

enum verdict
step_file(struct step *step, struct how how, const struct file_ask *ask)
{
	bool effect = ask->what == FILE_REPLACE || ask->what == FILE_REMOVE;
	return slot_start(attempt_of(step), how, OP_FILE, ask, sizeof *ask, effect);
}

enum verdict
step_open(struct step *step, struct how how, const struct open_ask *ask)
{
	return slot_start(attempt_of(step), how, OP_OPEN, ask, sizeof *ask, ask->write);
}

static struct slot *
stream_of(struct step *step, unsigned number)
{
	assert(number < attempt_of(step)->n_slots);
	struct slot *slot = attempt_of(step)->slots[number];
	assert(slot != NULL);
	assert(slot->use == SLOT_FLYING || slot->use == SLOT_OPEN);
	return slot;
}

enum verdict
step_read(struct step *step, unsigned slot, unsigned from, void *into, size_t want,
	struct digest *digest)
{
	struct read_ask ask = {.from = &stream_of(step, from)->op,
		.into = into,
		.want = want,
		.digest = digest};
	return slot_start(attempt_of(step), (struct how){.slot = slot, .reads = true},
		OP_READ, &ask, sizeof ask, false);
}

enum verdict
step_write(struct step *step, unsigned slot, unsigned to, struct str bytes, bool end)
{
	struct slot *stream = stream_of(step, to);
	struct write_ask ask = {.to = &stream->op, .bytes = bytes, .end = end};
	/* What is written to a child is a part of the child's effect; what is written to
	 * a file takes effect by `end`. */
	return slot_start(attempt_of(step), (struct how){.slot = slot}, OP_WRITE, &ask,
		sizeof ask, stream->effect && stream->op.kind == OP_OPEN);
}

enum verdict
step_sleep(struct step *step, unsigned slot, int64_t ns)
{
	struct attempt *attempt = attempt_of(step);
	char ask = 0;
	struct how how = {.slot = slot, .reads = true, .timeout = ns > 0 ? ns : 1};
	return slot_start(attempt, how, OP_SLEEP, &ask, sizeof ask, false);
}

enum verdict
step_ask(struct step *step, struct how how, const char *text)
{
	struct attempt *attempt = attempt_of(step);
	attempt->said = (struct str){NULL, 0};
	if (attempt->outside->asks == NULL
		|| !attempt->outside->asks(attempt, how.slot, text))
		return step_fail(
			step, ERR_UNSUPPORTED, false, "nobody can be asked here");
	return step_sleep(step, how.slot, how.timeout);
}

struct str
step_said(struct step *step)
{
	return attempt_of(step)->said;
}

enum verdict
step_save(struct step *step, const struct value *value)
{
	struct attempt *attempt = attempt_of(step);
	assert(!attempt->saving);
	attempt->saving = true;
	/* It is recorded later, when the caller's own may be gone. */
	struct value *copy = arena_new_of(step->mem, struct value);
	*copy = *value;
	step->saved = copy;
	attempt->outside->saved(attempt, copy);
	return STEP_WAIT;
}

void
step_stop(struct step *step, unsigned slot)
{
	assert(slot < attempt_of(step)->n_slots);
	struct slot *it = attempt_of(step)->slots[slot];
	if (it != NULL && it->use == SLOT_OPEN)
		slot_close(it);
	else
		slot_stop(it);
}

void
step_progress(struct step *step, uint64_t done, uint64_t total, const char *unit)
{
	struct attempt *attempt = attempt_of(step);
	attempt->done = done;
	attempt->total = total;
	attempt->unit = unit;
	attempt->outside->progress(attempt);
}

void
step_say(struct step *step, const char *format, ...)
{
	struct attempt *attempt = attempt_of(step);
	struct buf line = buf_in(step->mem);
	va_list args;
	va_start(args, format);
	buf_puts(&line, arena_vprintf(step->mem, format, args));
	va_end(args);
	buf_putc(&line, '\n');
	attempt->outside->output(attempt, 2, buf_str(&line), true);
}

void
step_note(struct step *step, const char *format, ...)
{
	struct attempt *attempt = attempt_of(step);
	va_list args;
	va_start(args, format);
	const char *text = arena_vprintf(step->mem, format, args);
	va_end(args);
	if (attempt->outside->notes != NULL)
		attempt->outside->notes(
			attempt, arena_printf(step->mem, "%s: %s", step->path, text));
}

bool
step_is_near(struct str host)
{
	unsigned char bytes[16];
	static const unsigned char loopback[16] = {[15] = 1};
	char text[64];
	if (memchr(host.p != NULL ? host.p : "", ',', host.n) != NULL)
		return false;
	if (host.n == 0 || host.p[0] == '/' || str_is(host, "localhost"))
		return true;
	if (host.n >= sizeof text)
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, bytes) == 1)
		return bytes[0] == 127;
	return inet_pton(AF_INET6, text, bytes) == 1
		&& memcmp(bytes, loopback, sizeof loopback) == 0;
}

/* ---- verdicts */

enum verdict
step_fail(struct step *step, enum err_code code, bool transient, const char *format, ...)
{
	char text[sizeof step->err->msg];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	err_set(step->err, code, "%s", text);
	step->err->transient = transient;
	return STEP_FAIL;
}

enum verdict
step_unmet(struct step *step, const char *format, ...)
{
	char text[sizeof step->err->msg];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	err_set(step->err, ERR_ANSWER, "%s", text);
	return STEP_FAIL;
}

enum verdict
step_fail_op(struct step *step, const struct op *op)
{
	*step->err = op->err;
	return STEP_FAIL;
}

enum verdict
step_done(struct step *step, struct value out)
{
	struct value *copy = arena_new_of(step->mem, struct value);
	*copy = out;
	step->out = copy;
	return STEP_DONE;
}

/* ---- what a step may know */

const struct secret *
step_secret(struct step *step, const struct value *v)
{
	struct attempt *attempt = attempt_of(step);
	const struct secret *secret;
	struct err err;
	if (v == NULL || v->kind != V_STRING)
		return NULL;
	if (!vault_add(attempt->vault, v->str, &secret, &err)) {
		*step->err = err;
		return NULL;
	}
	return secret;
}

int64_t
step_clock(struct step *step, const char *host)
{
	return clocks_get(attempt_of(step)->clocks, host);
}

void
step_clock_learn(struct step *step, const char *host, int64_t us)
{
	clocks_set(attempt_of(step)->clocks, host, us);
}

const char *
step_env(struct step *step, const char *name)
{
	struct host *host = attempt_of(step)->host;
	return host->type->env(host, name);
}

bool
step_accepts(const struct step *step, struct str code)
{
	if (step->accept == NULL || step->accept->kind != V_LIST)
		return false;
	for (size_t i = 0; i < step->accept->list.n; i++) {
		const struct value *item = &step->accept->list.items[i];
		char text[24];
		if (item->kind == V_STRING && str_eq(item->str, code))
			return true;
		snprintf(text, sizeof text, "%lld", (long long)item->i);
		if (item->kind == V_INT && str_is(code, text))
			return true;
	}
	return false;
}
