#include "run/secrets.h"

#include <assert.h>

#include "run/loop.h"

/* Secrets with `max_age`: before a step reads one that is older, its command is asked
 * again. One fetch at a time for each source; an attempt that has begun keeps what it
 * has. */

struct renewal {
	struct waiter waiter;                         /* first */
	struct renewal *next;
	struct shell *shell;
	struct arena *mem;
	const struct fetched *of;
	int64_t at;                                   /* boot ns: when it began */
	struct op op;
	bool failed;
	struct err err;
};

struct reading {
	struct shell *shell;
	const struct playbook *book;
	const struct fetched *old;
};

static bool
is_old(const struct shell *shell, const struct fetched *it)
{
	return it->ref->max_age > 0
		&& shell_now(shell).boot - it->at >= it->ref->max_age;
}

/* {"secrets", NAME}; without a constant name any of them may be read. */
static void
reads(const struct str *names, size_t n, void *with)
{
	struct reading *reading = with;
	if (n == 0 || !str_is(names[0], "secrets"))
		return;
	for (const struct fetched *it = reading->shell->secrets;
		it != NULL && reading->old == NULL; it = it->next)
		if (it->book == reading->book
			&& (n == 1 || str_is(names[1], it->ref->name))
			&& is_old(reading->shell, it))
			reading->old = it;
}

static const struct fetched *
old_of(struct shell *shell, const struct secret_want *want)
{
	struct reading reading = {.shell = shell, .book = want->book};
	if (want->reader != NULL)
		template_reads(want->reader, reads, &reading);
	return reading.old;
}

/* ---- a fetch */

/* Whoever waited for it: has all, waits for the next one, or cannot go on. */
static void
tell(struct shell *shell, const struct renewal *renewal)
{
	struct secret_want *wants = shell->wants;
	shell->wants = NULL;
	for (struct secret_want *want = wants, *next; want != NULL; want = next) {
		next = want->next;
		if (!secret_is_same(want->waits, renewal->of)) {
			want->next = shell->wants;
			shell->wants = want;
		} else if (renewal->failed) {
			want->waits = NULL;
			want->fresh(want, &renewal->err);
		} else if (secrets_renew(shell, want, want->book, want->reader)) {
			want->fresh(want, NULL);
		}
	}
}

static void
has_come(struct waiter *waiter, struct op *op)
{
	struct renewal *renewal = (struct renewal *)waiter;
	struct shell *shell = renewal->shell;
	struct str text;
	for (struct renewal **it = &shell->renewals; *it != NULL; it = &(*it)->next)
		if (*it == renewal) {
			*it = renewal->next;
			break;
		}
	if (!secret_printed(op, &text, &renewal->err)) {
		renewal->failed = true;
		secret_wrong(renewal->of, &renewal->err);
	} else {
		renewal->failed = !secrets_take(
			shell, renewal->of, text, renewal->at, &renewal->err);
	}
	/* Nothing was sent, and the command may answer the next time. */
	err_transient(&renewal->err);
	tell(shell, renewal);
	shell_later(shell, renewal->mem);
}

static void
start(struct shell *shell, const struct fetched *old)
{
	struct arena *mem = arena_new();
	struct renewal *renewal = arena_new_of(mem, struct renewal);
	struct err err;
	*renewal = (struct renewal){.waiter.done = has_come,
		.shell = shell,
		.mem = mem,
		.of = old,
		.at = shell_now(shell).boot,
		.next = shell->renewals};
	shell->renewals = renewal;
	/* It was asked so at the start. */
	if (!secret_command(shell, old, mem, &renewal->op, &err))
		assert(!"a command that was none");
	renewal->op.owner = &renewal->waiter;
	renewal->op.deadline = renewal->at + SECRET_TIMEOUT_S * NS_S;
	shell->host->type->start(shell->host, &renewal->op);
}

static bool
is_under_way(const struct shell *shell, const struct fetched *old)
{
	const struct renewal *it = shell->renewals;
	while (it != NULL && !secret_is_same(it->of, old))
		it = it->next;
	return it != NULL;
}

/* ---- for those who read them */

bool
secrets_renew(struct shell *shell, struct secret_want *want, const struct playbook *book,
	const struct template *reader)
{
	want->book = book;
	want->reader = reader;
	want->waits = old_of(shell, want);
	if (want->waits == NULL)
		return true;
	want->next = shell->wants;
	shell->wants = want;
	if (!is_under_way(shell, want->waits))
		start(shell, want->waits);
	return false;
}

void
secrets_drop(struct shell *shell, struct secret_want *want)
{
	for (struct secret_want **it = &shell->wants; *it != NULL; it = &(*it)->next)
		if (*it == want) {
			*it = want->next;
			break;
		}
	want->waits = NULL;
}

void
secrets_close(struct shell *shell)
{
	for (struct renewal *it = shell->renewals; it != NULL; it = it->next)
		shell->host->type->cancel(shell->host, &it->op);
	while (shell->renewals != NULL) {
		int number;
		struct op *op = shell->host->type->wait(shell->host, INT64_MAX, &number);
		if (op != NULL)
			((struct waiter *)op->owner)->done(op->owner, op);
	}
}
