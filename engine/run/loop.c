#include "run/loop.h"

#include "run/phase.h"

#include <signal.h>

struct later {
	struct later *next;
	struct arena *mem;
};

struct now
shell_now(const struct shell *shell)
{
	return shell->host->type->now(shell->host);
}

const struct path_state *
shell_path(const struct shell *shell, const char *path)
{
	const struct path_state *state = state_find(&shell->state, path);
	if (shell->of == NULL || (state != NULL && state->state != OUT_NONE))
		return state;
	const struct path_state *before = state_find(shell->of, path);
	return before != NULL ? before : state;
}

const struct node *
shell_node(const struct shell *shell, const char *path)
{
	struct arena *mem = arena_new();
	struct buf plain = buf_in(mem);
	for (const char *p = path; *p != '\0'; p++)
		if (*p == '[')
			p += strcspn(p, "]");
		else
			buf_putc(&plain, *p);
	const struct node *node = playbook_node(shell->book, buf_str(&plain));
	arena_free(mem);
	return node;
}

int64_t
shell_time(const struct shell *shell)
{
	struct now now = shell_now(shell);
	return shell->owner == NULL ? now.wall : owner_time(shell->owner, now);
}

void
shell_tell(struct shell *shell, struct news news, struct job *job)
{
	struct letter *letter = arena_new_of(shell->mem, struct letter);
	*letter = (struct letter){.news = news, .job = job};
	*shell->letters_end = letter;
	shell->letters_end = &letter->next;
}

static bool
is_noted(const struct shell *shell, const char *what, const char *text)
{
	for (const struct note *it = shell->state.notes; it != NULL; it = it->next)
		if (strcmp(it->what, what) == 0 && strcmp(it->text, text) == 0)
			return true;
	for (const struct letter *it = shell->letters; it != NULL; it = it->next)
		if (it->news.kind == NEWS_NOTE && strcmp(it->news.note, what) == 0
			&& strcmp(it->news.text, text) == 0)
			return true;
	return false;
}

void
shell_note(struct shell *shell, const char *what, const char *text,
	const struct value *of)
{
	struct str masked = vault_mask(shell->vault, shell->mem, str_of(text));
	struct news news = {.kind = NEWS_NOTE, .note = what,
		.text = str_cstr(shell->mem, masked)};
	struct value *copy = arena_new_of(shell->mem, struct value);
	if (is_noted(shell, what, news.text))
		return;
	if (of != NULL) {
		*copy = value_copy(shell->mem, of);
		news.of = copy;
	}
	shell_tell(shell, news, NULL);
}

void
shell_later(struct shell *shell, struct arena *mem)
{
	struct later *later = arena_new_of(mem, struct later);
	*later = (struct later){.next = shell->later, .mem = mem};
	shell->later = later;
}

void
shell_tidy(struct shell *shell)
{
	for (struct later *it = shell->later, *next; it != NULL; it = next) {
		next = it->next;
		arena_free(it->mem);
	}
	shell->later = NULL;
}

/* From now on it is masked wherever it shows. The members of a list or map are not: one may
 * be an everyday word, such as "staging" in an environment, that would then be missing from
 * every name, and from what conditions look at. */
static void
hide(struct vault *vault, const struct value *v)
{
	const struct secret *secret;
	struct err ignored;
	if (v->kind == V_STRING)
		vault_add(vault, v->str, &secret, &ignored);
}

void
shell_keep_secret(
	struct shell *shell, const char *path, const char *name, const struct value *v)
{
	struct secret_output *kept = arena_new_of(shell->mem, struct secret_output);
	/* The newest stands first, and is the one that is found. */
	*kept = (struct secret_output){.next = shell->secret_outputs,
		.path = arena_strdup(shell->mem, path),
		.name = name,
		.value = value_copy(shell->mem, v)};
	kept->value.flags |= VALUE_SECRET;
	shell->secret_outputs = kept;
	hide(shell->vault, &kept->value);
}

const struct value *
shell_secret(const struct shell *shell, const char *path, struct str name)
{
	for (const struct secret_output *it = shell->secret_outputs; it != NULL;
		it = it->next)
		if (strcmp(it->path, path) == 0 && str_is(name, it->name))
			return &it->value;
	return NULL;
}

static void
tell(struct shell *shell, enum diag_level level, const struct err *err)
{
	if (shell->observer != NULL && shell->observer->told != NULL)
		shell->observer->told(shell->observer, level, err);
}

static void
kill_all(struct shell *shell)
{
	for (struct link *it = shell->jobs.next, *next; it != &shell->jobs; it = next) {
		next = it->next;
		phase_kill_link(shell, it);
	}
}

void
shell_lost(struct shell *shell, int exit, const char *why)
{
	if (shell->lost)
		return;
	shell->lost = shell->leaving = true;
	shell->exit = exit;
	enum err_code code = exit == 75 ? ERR_BUSY : exit == 4 ? ERR_FULL : ERR_IO;
	err_set(shell->err, code, "%s", why);
	err_hint(shell->err, "%srbx resume %.*s goes on with what is on the record",
		exit == 4 ? "make room; then " : "", STR_FMT(shell->state.id));
	kill_all(shell);
}

void
shell_unlock(struct shell *shell, const char *why)
{
	struct err err;
	if (shell->unlocked != NULL || shell->leaving)
		return;
	struct str masked = vault_mask(shell->vault, shell->mem, str_of(why));
	shell->unlocked = str_cstr(shell->mem, masked);
	err_set(&err, ERR_BUSY, "%s: nothing new is started, what runs is brought to its"
		" end", shell->unlocked);
	tell(shell, DIAG_WARNING, &err);
	shell_tell(shell, (struct news){.kind = NEWS_LOST, .text = shell->unlocked},
		NULL);
}

void
shell_fill(struct shell *shell, const char *why)
{
	struct err err;
	shell->full = true;
	err_set(&err, ERR_FULL, "%s: no new change is started; what runs is recorded",
		why);
	tell(shell, DIAG_WARNING, &err);
}

void
shell_decide(struct shell *shell, const struct news *news)
{
	struct now now = shell_now(shell);
	struct turn turn = {0};
	run_decide(shell->owner, news, now, batch_mem(shell), &turn);
	batch_turn(shell, &turn, now);
}

/* What came, one after the other, into the next batch. */
static void
take_letters(struct shell *shell)
{
	while (shell->letters != NULL && !shell->leaving && !batch_leaves(shell)) {
		struct letter *letter = shell->letters;
		shell->letters = letter->next;
		if (shell->letters == NULL)
			shell->letters_end = &shell->letters;
		shell_decide(shell, &letter->news);
		if (letter->job != NULL)
			job_free(letter->job);
	}
}

/* What came after the end was decided is heard by nobody. */
static void
drop_letters(struct shell *shell)
{
	for (; shell->letters != NULL; shell->letters = shell->letters->next)
		if (shell->letters->job != NULL)
			job_free(shell->letters->job);
	shell->letters_end = &shell->letters;
}

static void
take_due(struct shell *shell)
{
	struct news news;
	while (!shell->leaving && owner_due(shell->owner, shell_now(shell), &news))
		shell_decide(shell, &news);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
watched_until(struct shell *shell)
{
	struct observer *observer = shell->observer;
	if (observer == NULL || observer->tick == NULL)
		return INT64_MAX;
	struct now now = shell_now(shell);
	int64_t pause = observer->tick(observer, now);
	return pause == INT64_MAX ? pause : now.boot + pause;
}

static int64_t
next_moment(struct shell *shell)
{
	int64_t until = earlier(phases_due(shell), batch_due(shell));
	if (shell->flying == NULL && shell->owner != NULL)
		until = earlier(until, owner_next(shell->owner));
	return earlier(until, watched_until(shell));
}

/* One completion, signal or moment. */
static void
step_on(struct shell *shell, int64_t until)
{
	int number = 0;
	struct op *op = shell->host->type->wait(shell->host, until, &number);
	if (op != NULL) {
		struct waiter *waiter = op->owner;
		waiter->done(waiter, op);
	} else if (number != 0) {
		listen_signal(shell, number);
	}
	shell_tidy(shell);
}

void
shell_wait(struct shell *shell, const bool *done)
{
	while (!*done) {
		if (shell->leaving)
			provide_stop(shell);
		provide_tick(shell);
		step_on(shell, watched_until(shell));
	}
}

struct letter *
shell_answer(struct shell *shell)
{
	for (;;) {
		struct letter **at = &shell->letters, *letter;
		while (*at != NULL && (*at)->job == NULL)
			at = &(*at)->next;
		if ((letter = *at) != NULL) {
			*at = letter->next;
			if (letter->next == NULL)
				shell->letters_end = at;
			return letter;
		}
		phases_tick(shell);
		step_on(shell, phases_due(shell));
	}
}

/* The disk is full and an effect was refused: when those that run are on the record, the
 * owner leaves (resilience.md R9). What only looks is looked at again by a resume. */
static void
leave_full(struct shell *shell)
{
	bool runs = !shell->refused || shell->flying != NULL || shell->letters != NULL;
	for (struct link *it = shell->jobs.next; it != &shell->jobs; it = it->next)
		runs = runs || list_item(it, struct job, link)->effect_begun;
	if (!runs && !shell->leaving)
		shell_lost(shell, 4, "the store's disk is full: nothing new is started");
}

static bool
is_over(const struct shell *shell)
{
	return shell->leaving && shell->flying == NULL && list_is_empty(&shell->jobs);
}

int
shell_loop(struct shell *shell)
{
	listen_poll(shell);
	while (!is_over(shell)) {
		if (shell->flying == NULL && !shell->lost) {
			listen_answers(shell);
			take_letters(shell);
			take_due(shell);
			batch_send(shell);
			leave_full(shell);
			if (shell->letters != NULL && shell->flying == NULL
				&& !shell->leaving)
				continue; /* a step has ended without any operation */
		} else {
			take_letters(shell);
		}
		if (is_over(shell) && shell->chunks == NULL)
			break;
		phases_tick(shell);
		step_on(shell, next_moment(shell));
	}
	drop_letters(shell);
	return shell->exit;
}
