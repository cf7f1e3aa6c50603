#include "run/loop.h"

#include <signal.h>

/* Messages of other terminals, of the person at this one, and signals: each becomes news
 * for the owner. */

static const int64_t poll_pause = NS_S;

static void
tell_message(struct shell *shell, const struct message *from)
{
	struct message *message = arena_new_of(shell->mem, struct message);
	*message = *from;
	message->user = from->user == NULL ? NULL : arena_strdup(shell->mem, from->user);
	message->host = from->host == NULL ? NULL : arena_strdup(shell->mem, from->host);
	message->person =
		from->person == NULL ? NULL : arena_strdup(shell->mem, from->person);
	message->known_by =
		from->known_by == NULL ? NULL : arena_strdup(shell->mem, from->known_by);
	persons_place(shell, message, shell->mem);
	message->body = str_copy(shell->mem, from->body);
	shell_tell(shell, (struct news){.kind = NEWS_MESSAGE, .message = message}, NULL);
}

static void
was_read(struct waiter *waiter, struct op *op)
{
	struct shell *shell =
		(struct shell *)((char *)waiter - offsetof(struct shell, inbox_read));
	const struct inbox_answer *answer = op->answer;
	for (size_t i = 0; answer != NULL && i < answer->n; i++) {
		tell_message(shell, &answer->messages[i]);
		shell->inbox_after = answer->messages[i].id;
	}
	shell->inbox_busy = false;
	arena_free(shell->inbox_mem);
	shell->inbox_mem = NULL;
	listen_poll(shell);
}

static void
has_slept(struct waiter *waiter, struct op *op)
{
	struct shell *shell =
		(struct shell *)((char *)waiter - offsetof(struct shell, inbox_slept));
	(void)op;
	shell->inbox_sleeps = false;
	if (shell->leaving)
		return;
	shell->inbox_busy = true;
	shell->inbox_mem = arena_new();
	shell->inbox_read.done = was_read;
	shell->inbox_op = (struct op){.kind = OP_POSTED,
		.owner = &shell->inbox_read,
		.mem = shell->inbox_mem,
		.deadline = INT64_MAX};
	store_inbox(shell->store, str_cstr(shell->inbox_mem, shell->state.id),
		shell->inbox_after, &shell->inbox_op);
}

void
listen_poll(struct shell *shell)
{
	if (shell->leaving || shell->inbox_sleeps || shell->inbox_busy)
		return;
	shell->inbox_sleeps = true;
	shell->inbox_slept.done = has_slept;
	shell->inbox_sleep = (struct op){.kind = OP_SLEEP,
		.owner = &shell->inbox_slept,
		.mem = shell->mem,
		.deadline = shell_now(shell).boot + poll_pause};
	shell->host->type->start(shell->host, &shell->inbox_sleep);
}

/* What this very process was told stands in no inbox: it has no id. */
static void
tell_own(struct shell *shell, struct str body)
{
	const struct self *self = shell->host->type->self(shell->host);
	tell_message(shell,
		&(struct message){.at = shell_time(shell),
			.uid = self->uid,
			.user = self->user,
			.host = self->host,
			.person = self->person,
			.known_by = self->known_by,
			.body = body});
}

void
listen_answers(struct shell *shell)
{
	struct observer *observer = shell->observer;
	struct str body;
	if (observer == NULL || observer->answer == NULL || shell->leaving)
		return;
	struct arena *mem = arena_new();
	while (observer->answer(observer, mem, &body))
		tell_own(shell, body);
	arena_free(mem);
}

/* Who was asked there is not there any more: others are called, and the run leaves with 4
 * when nothing else can go on (resilience.md R7). */
static void
hang_up(struct shell *shell)
{
	struct observer *observer = shell->observer;
	if (observer != NULL && observer->hung_up != NULL)
		observer->hung_up(observer);
	if (shell->owner == NULL || !shell->options->tty)
		return;
	owner_alone(shell->owner);
	shell_tell(shell, (struct news){.kind = NEWS_DUE, .path = ""}, NULL);
}

/* The first INT or TERM lets running changes end, the second ends them. A terminal that
 * goes away ends nothing. */
void
listen_signal(struct shell *shell, int number)
{
	if (number == SIGHUP)
		hang_up(shell);
	if (number != SIGINT && number != SIGTERM)
		return;
	shell->signals++;
	if (shell->owner == NULL) {
		shell->leaving = true;
		shell->exit = 5;
		return;
	}
	tell_own(shell,
		shell->signals == 1 ? STR("{\"do\":\"cancel\",\"reason\":\"signal\"}")
				    : STR("{\"do\":\"stop\",\"reason\":\"signal\"}"));
}
