#include "run/locks.h"
#include "run/loop.h"

/* To be the owner of a run, with the locks that it wants. */

void
call_done(struct waiter *waiter, struct op *op)
{
	(void)op;
	((struct call *)waiter)->done = true;
}

static bool
held_by(struct err *err, const struct claim_answer *answer, struct arena *mem)
{
	const struct holder *held = answer->held;
	err_set(err, ERR_BUSY, "%s is held", answer->what);
	if (held == NULL)
		return false;
	err_set(err, ERR_BUSY,
		"%s is held by run %s of %s: %s on %s, pid %u, since %s%s%s%s",
		answer->what, held->run, held->playbook, held->user, held->host,
		held->pid, time_text_us(mem, held->since),
		held->step != NULL && *held->step != '\0' ? ", at step " : "",
		held->step == NULL ? "" : held->step,
		held->alive ? "" : "; it is not alive");
	if (!held->alive)
		err_hint(err, "rbx resume %s brings it to its end", held->run);
	return false;
}

static void
nap(struct shell *shell)
{
	struct call sleeping = {.waiter.done = call_done};
	struct op op = {.kind = OP_SLEEP, .mem = shell->mem, .owner = &sleeping,
		.deadline = shell_now(shell).boot + NS_S};
	shell->host->type->start(shell->host, &op);
	shell_wait(shell, &sleeping.done);
}

/* --wait: until nobody holds what is wanted, or somebody has had enough. */
static bool
claim(struct shell *shell, const char *const *locks, struct err *err)
{
	while (!shell->leaving) {
		struct call claiming = {.waiter.done = call_done};
		struct op op = {.kind = OP_POSTED, .mem = shell->mem, .owner = &claiming,
			.deadline = INT64_MAX};
		store_claim(
			shell->store, str_cstr(shell->mem, shell->state.id), locks, &op);
		shell_wait(shell, &claiming.done);
		if (op.err.code != ERR_NONE) {
			*err = op.err;
			return false;
		}
		const struct claim_answer *answer = op.answer;
		shell->claim = answer->claim;
		if (shell->claim != NULL) {
			*err = (struct err){0};
			return true;
		}
		held_by(err, answer, shell->mem);
		if (!shell->options->wait_for_locks)
			return false;
		nap(shell);
	}
	return err_set(err, ERR_CANCELLED, "cancelled while it waited for a lock");
}

bool
claim_all(struct shell *shell, struct value *names, struct err *err)
{
	struct list_builder list = {.mem = shell->mem};
	const struct wanted_lock *wanted;
	size_t n;
	*names = list_done(&list);
	if (shell->state.mode == MODE_DRY)
		return claim(shell, NULL, err);
	if (!locks_wanted(shell, false, &wanted, &n, err))
		return false;
	const char **locks = arena_array(shell->mem, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		locks[i] = wanted[i].name;
		list_push(&list, value_str(str_of(locks[i])));
	}
	*names = list_done(&list);
	return claim(shell, locks, err);
}

static const char *const *
recorded_locks(struct shell *shell)
{
	const struct value *locks = value_get(shell->state.run, "locks");
	if (locks == NULL || locks->kind != V_LIST || shell->state.mode == MODE_DRY)
		return NULL;
	const char **out = arena_array(shell->mem, const char *, locks->list.n + 1);
	for (size_t i = 0; i < locks->list.n; i++)
		out[i] = str_cstr(shell->mem, locks->list.items[i].str);
	return out;
}

bool
claim_again(struct shell *shell, struct err *err)
{
	return claim(shell, recorded_locks(shell), err);
}

void
claim_drop(struct shell *shell, bool locks_too)
{
	if (shell->claim != NULL)
		store_release(shell->store, shell->claim, locks_too);
	shell->claim = NULL;
}

/* What the store gave stays meanwhile: who wants both takes them in this order. */
bool
holds_wait(struct shell *shell, bool fresh, struct err *err)
{
	if (shell->state.mode == MODE_DRY)
		return true;
	while (!shell->leaving) {
		if (holds_take(shell, err)) {
			*err = (struct err){0};
			return true;
		}
		if (err->code != ERR_BUSY || !shell->options->wait_for_locks)
			break;
		nap(shell);
	}
	if (shell->leaving)
		err_set(err, ERR_CANCELLED, "cancelled while it waited for a lock");
	claim_drop(shell, fresh);
	return false;
}
