#include "host.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"

enum { MOST = 512 };

struct script {
	struct expected expected;
	bool always, used;
};

struct flight {
	struct op *op;
	int64_t due;
	const struct expected *expected; /* NULL: a sleep, or a posted operation */
	bool cancelled;
};

struct env { const char *name, *value; };

struct fake {
	struct host host;
	struct arena *mem;
	struct now now;
	struct script scripts[MOST];
	size_t n_scripts;
	struct flight flights[MOST];
	size_t n_flights;
	struct env env[64];
	size_t n_env;
	unsigned started[OP_POSTED + 1];
	int64_t signal_at;
	int signal;
};

static const char *const file_words[] = {
	"stat", "list", "load", "replace", "remove", "digest", "walk"};

static void
describe_http(struct buf *out, const struct http_ask *ask)
{
	buf_printf(out, "%s %s", ask->method, ask->url);
	for (size_t i = 0; ask->headers != NULL && ask->headers[i] != NULL; i++)
		buf_printf(out, " [%s]", ask->headers[i]);
	if (ask->connect_to != NULL)
		buf_printf(out, " via %s", ask->connect_to);
	if (ask->body.n > 0)
		buf_printf(out, " %.*s", STR_FMT(ask->body));
}

static void
describe_exec(struct buf *out, const struct exec_ask *ask)
{
	buf_puts(out, "exec:");
	for (size_t i = 0; ask->argv[i] != NULL; i++)
		buf_printf(out, " %s", ask->argv[i]);
	for (size_t i = 0; ask->env != NULL && ask->env[i] != NULL; i++)
		buf_printf(out, " {%s}", ask->env[i]);
	for (size_t i = 0; i < ask->n_files; i++) {
		struct str text = ask->files[i].content == NULL ? ask->files[i].text
			: secret_reveal(ask->files[i].content);
		buf_printf(out, " {%s: %.*s}", ask->files[i].variable, STR_FMT(text));
	}
	if (ask->dir != NULL)
		buf_printf(out, " in %s", ask->dir);
	if (ask->in.n > 0)
		buf_printf(out, " < %.*s", STR_FMT(ask->in));
}

static void
describe_sql(struct buf *out, const struct sql_ask *ask)
{
	buf_puts(out, "sql:");
	for (size_t i = 0; ask->keywords != NULL && ask->keywords[i] != NULL; i++)
		buf_printf(out, " %s=%s", ask->keywords[i], ask->values[i]);
	buf_printf(out, "%s%s %s", ask->read_only ? " read-only" : "",
		ask->transaction ? " transaction" : "", ask->text);
	for (size_t i = 0; i < ask->n_params; i++)
		buf_printf(out, " $%zu=%s", i + 1,
			ask->params[i] == NULL ? "null" : ask->params[i]);
	if (ask->before != NULL)
		buf_printf(out, " before: %s (%s)", ask->before, ask->before_param);
}

static void
describe_mail(struct buf *out, const struct mail_ask *ask)
{
	buf_printf(out, "mail %s from %s", ask->url, ask->from);
	for (size_t i = 0; ask->to != NULL && ask->to[i] != NULL; i++)
		buf_printf(out, " to %s", ask->to[i]);
	buf_printf(out, " %.*s", STR_FMT(ask->message));
}

static void
describe_other(struct buf *out, const struct op *op)
{
	if (op->kind == OP_FILE) {
		const struct file_ask *ask = op->ask;
		buf_printf(out, "file %s %s%s%s %.*s", file_words[ask->what],
			ask->root == NULL ? "" : ask->root,
			ask->root == NULL ? "" : "/", ask->path,
			STR_FMT(ask->bytes));
	} else if (op->kind == OP_OPEN) {
		const struct open_ask *ask = op->ask;
		buf_printf(out, "open %s%s", ask->path, ask->write ? " to write" : "");
	} else if (op->kind == OP_WRITE) {
		const struct write_ask *ask = op->ask;
		buf_printf(
			out, "write %.*s%s", STR_FMT(ask->bytes), ask->end ? " end" : "");
	} else if (op->kind == OP_DNS) {
		const struct dns_ask *ask = op->ask;
		buf_printf(out, "dns %s %u at %s", ask->name, ask->type,
			ask->server == NULL ? "system" : ask->server);
	} else if (op->kind == OP_CONNECT) {
		const struct connect_ask *ask = op->ask;
		buf_printf(out, "connect %s:%s%s", ask->host, ask->port,
			ask->tls ? " tls" : "");
	} else if (op->kind == OP_ORPHANS) {
		buf_printf(out, "orphans %s", ((const struct orphans_ask *)op->ask)->key);
	} else {
		buf_puts(out,
			op->kind == OP_READ            ? "read"
				: op->kind == OP_SLEEP ? "sleep"
						       : "posted");
	}
}

char *
fake_describe(struct arena *mem, const struct op *op)
{
	struct buf out = buf_in(mem);
	switch (op->kind) {
	case OP_HTTP: describe_http(&out, op->ask); break;
	case OP_EXEC: describe_exec(&out, op->ask); break;
	case OP_SQL: describe_sql(&out, op->ask); break;
	case OP_MAIL: describe_mail(&out, op->ask); break;
	default: describe_other(&out, op);
	}
	return out.p;
}

static struct now
now(struct host *host)
{
	return ((struct fake *)host)->now;
}

static const struct self *
self(struct host *host)
{
	static const struct self me = {.host = "fake",
		.boot_id = "boot",
		.user = "operator",
		.uid = 1000,
		.pid = 42,
		.started = 1};
	(void)host;
	return &me;
}

static void
random_bytes(struct host *host, void *bytes, size_t n)
{
	(void)host;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)bytes)[i] = (uint8_t)(i * 37 + 11);
}

static const char *
env(struct host *host, const char *name)
{
	const struct fake *fake = (struct fake *)host;
	for (size_t i = fake->n_env; i > 0; i--)
		if (strcmp(fake->env[i - 1].name, name) == 0)
			return fake->env[i - 1].value;
	return NULL;
}

static bool
has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* The next expectation that was not met; else one that always holds. A difference is a
 * failure of the test: told on standard error, and the program ends. */
static const struct expected *
expectation(struct fake *fake, const struct op *op)
{
	char *text = fake_describe(fake->mem, op);
	for (size_t i = 0; i < fake->n_scripts; i++) {
		struct script *script = &fake->scripts[i];
		const struct expected *it = &script->expected;
		bool fits = it->kind == op->kind
			&& (it->asks == NULL || has(text, it->asks))
			&& (it->lacks == NULL || !has(text, it->lacks));
		if (script->always && fits)
			return it;
		if (script->always || script->used)
			continue;
		if (fits) {
			script->used = true;
			return it;
		}
		fprintf(stderr, "asked:    %s\nexpected: %s (kind %d, not '%s')\n", text,
			it->asks == NULL ? "" : it->asks, it->kind,
			it->lacks == NULL ? "" : it->lacks);
		abort();
	}
	fprintf(stderr, "asked:    %s\nexpected: nothing more\n", text);
	abort();
}

static void
start(struct host *host, struct op *op)
{
	struct fake *fake = (struct fake *)host;
	struct flight flight = {.op = op, .due = op->deadline};
	fake->started[op->kind]++;
	if (op->kind != OP_SLEEP && op->kind != OP_POSTED) {
		flight.expected = expectation(fake, op);
		int64_t due = fake->now.boot + flight.expected->after;
		if (!flight.expected->hangs && due < op->deadline)
			flight.due = due;
	}
	if (fake->n_flights == MOST)
		abort();
	fake->flights[fake->n_flights++] = flight;
}

static void
cancel(struct host *host, struct op *op)
{
	struct fake *fake = (struct fake *)host;
	for (size_t i = 0; i < fake->n_flights; i++)
		if (fake->flights[i].op == op) {
			fake->flights[i].cancelled = true;
			fake->flights[i].due = fake->now.boot;
		}
}

static void
post(struct host *host, struct op *op)
{
	struct fake *fake = (struct fake *)host;
	fake->flights[fake->n_flights++] =
		(struct flight){.op = op, .due = fake->now.boot};
}

static const void *
answer_of(struct fake *fake, struct op *op, const struct expected *expected)
{
	static const char zero[512];
	if (op->kind == OP_EXEC && expected->answer == NULL) {
		const struct exec_ask *ask = op->ask;
		struct exec_answer *answer = arena_new_of(fake->mem, struct exec_answer);
		*answer = (struct exec_answer){.code = expected->exit,
			.out = expected->out,
			.err = expected->err};
		if (ask->tail != NULL && expected->out.n > 0)
			ask->tail(op, 1, expected->out);
		if (ask->tail != NULL && expected->err.n > 0)
			ask->tail(op, 2, expected->err);
		return answer;
	}
	if (op->kind == OP_READ) {
		const struct read_ask *ask = op->ask;
		struct read_answer *answer = arena_new_of(fake->mem, struct read_answer);
		size_t n = expected->bytes == NULL ? 0 : strlen(expected->bytes);
		answer->got = n < ask->want ? n : ask->want;
		memcpy(ask->into, expected->bytes == NULL ? "" : expected->bytes,
			answer->got);
		answer->end = n < ask->want;
		if (ask->digest != NULL)
			digest_add(ask->digest, (struct str){ask->into, answer->got});
		return answer;
	}
	return expected->answer != NULL ? expected->answer : zero;
}

static void
complete(struct fake *fake, const struct flight *flight)
{
	struct op *op = flight->op;
	const struct expected *expected = flight->expected;
	if (op->kind != OP_POSTED)
		op->answer = NULL;                    /* who posts it has answered it */
	op->err = (struct err){0};
	if (flight->cancelled) {
		err_set(&op->err, ERR_CANCELLED, "cancelled");
		op->reach = op->kind == OP_SLEEP ? REACH_NONE : REACH_SENT;
	} else if (expected == NULL) {
		op->reach = REACH_ANSWERED;
	} else if (expected->code != ERR_NONE) {
		err_set(&op->err, expected->code, "%s",
			expected->message == NULL ? "failed" : expected->message);
		op->err.transient = expected->transient;
		op->reach = expected->reach;
	} else if (expected->hangs || fake->now.boot >= op->deadline) {
		err_set(&op->err, ERR_TIMEOUT, "no answer in time");
		op->err.transient = true;
		op->reach = REACH_SENT;
	} else {
		op->reach = REACH_ANSWERED;
		op->answer = answer_of(fake, op, expected);
	}
}

static void
pass_to(struct fake *fake, int64_t boot)
{
	if (boot <= fake->now.boot)
		return;
	fake->now.wall += (boot - fake->now.boot) / 1000;
	fake->now.boot = boot;
}

static struct op *
wait_next(struct host *host, int64_t until, int *signal)
{
	struct fake *fake = (struct fake *)host;
	struct flight *next = NULL;
	*signal = 0;
	for (size_t i = 0; i < fake->n_flights; i++)
		if (next == NULL || fake->flights[i].due < next->due)
			next = &fake->flights[i];
	int64_t due = next == NULL ? INT64_MAX : next->due;
	if (fake->signal != 0 && fake->signal_at <= due && fake->signal_at <= until) {
		pass_to(fake, fake->signal_at);
		*signal = fake->signal;
		fake->signal = 0;
		return NULL;
	}
	if (next == NULL || due > until) {
		if (until != INT64_MAX)
			pass_to(fake, until);
		return NULL;
	}
	struct flight flight = *next;
	memmove(next, next + 1,
		(size_t)(fake->flights + fake->n_flights - next - 1) * sizeof *next);
	fake->n_flights--;
	pass_to(fake, flight.due);
	complete(fake, &flight);
	return flight.op;
}

/* Everybody is in the group of their own name. */
static bool
in_group(struct host *host, const char *person, const char *group)
{
	(void)host;
	return person == NULL || strcmp(person, group) == 0;
}

static const struct host_type fake_type = {
	.now = now,
	.self = self,
	.random = random_bytes,
	.env = env,
	.in_group = in_group,
	.start = start,
	.cancel = cancel,
	.post = post,
	.wait = wait_next,
};

struct fake *
fake_new(struct arena *mem)
{
	struct fake *fake = arena_new_of(mem, struct fake);
	fake->host.type = &fake_type;
	fake->mem = mem;
	fake->now =
		(struct now){.wall = 1768827600 * INT64_C(1000000), .boot = 1000 * NS_S};
	return fake;
}

struct host *
fake_host(struct fake *fake)
{
	return &fake->host;
}

void
fake_expect(struct fake *fake, struct expected expected)
{
	if (fake->n_scripts == MOST)
		abort();
	fake->scripts[fake->n_scripts++] = (struct script){.expected = expected};
}

void
fake_always(struct fake *fake, struct expected expected)
{
	fake_expect(fake, expected);
	fake->scripts[fake->n_scripts - 1].always = true;
}

void
fake_env(struct fake *fake, const char *name, const char *value)
{
	fake->env[fake->n_env++] = (struct env){name, value};
}

void
fake_pass(struct fake *fake, int64_t ns)
{
	pass_to(fake, fake->now.boot + ns);
}

void
fake_signal(struct fake *fake, int64_t at, int number)
{
	fake->signal_at = at;
	fake->signal = number;
}

const char *
fake_left(const struct fake *fake)
{
	for (size_t i = 0; i < fake->n_scripts; i++)
		if (!fake->scripts[i].always && !fake->scripts[i].used)
			return fake->scripts[i].expected.asks == NULL ? "an operation" :
				fake->scripts[i].expected.asks;
	return NULL;
}

unsigned
fake_started(const struct fake *fake, enum op_kind kind)
{
	return fake->started[kind];
}
