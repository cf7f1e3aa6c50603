#include "run/locks.h"

#include "run/scope.h"

struct wanting {
	struct shell *shell;
	bool in_database;
	struct wanted_lock *locks;
	size_t n, room;
};

static bool
is_same(const struct wanted_lock *a, const struct wanted_lock *b)
{
	return strcmp(a->name, b->name) == 0 && value_equal(&a->to, &b->to);
}

/* A playbook and the one that it calls may want the same. */
static void
push(struct wanting *w, const struct wanted_lock *lock)
{
	for (size_t i = 0; i < w->n; i++)
		if (is_same(&w->locks[i], lock))
			return;
	if (w->n == w->room) {
		w->room = w->room == 0 ? 8 : 2 * w->room;
		struct wanted_lock *more =
			arena_array(w->shell->mem, struct wanted_lock, w->room);
		if (w->n > 0)
			memcpy(more, w->locks, w->n * sizeof *more);
		w->locks = more;
	}
	w->locks[w->n++] = *lock;
}

static bool
add(struct wanting *w, const struct playbook *book, const char *path,
	const struct lock_ref *lock, struct err *err)
{
	struct shell *shell = w->shell;
	struct scope scope;
	struct value name, to = value_null();
	if ((lock->postgres != NULL) != w->in_database)
		return true;
	scope_book(&scope, shell, book, path, shell->mem, shell_time(shell));
	if (!scope_fill(&scope, lock->name, &name, err)
		|| (lock->postgres != NULL
			&& !scope_fill(&scope, lock->postgres, &to, err)))
		return false;
	if (name.kind == V_UNKNOWN || value_has_unknown(&to, NULL))
		return err_set(err, ERR_VALUE, "it needs what a step gives");
	if (name.kind != V_STRING || (lock->postgres != NULL && to.kind != V_MAP))
		return err_set(err, ERR_TYPE, "a lock wants a name, not %s",
			kind_name(name.kind));
	push(w, &(struct wanted_lock){
		.name = str_cstr(shell->mem, name.str), .book = book, .to = to});
	return true;
}

static bool
is_for_show(const struct node *call)
{
	for (; call != NULL; call = call->parent)
		if (call->call_dry_run)
			return true;
	return false;
}

static bool
add_called(struct wanting *w, const struct node *call, struct err *err)
{
	const struct playbook *book = call->called;
	const char *path = path_towards(w->shell->mem, NULL, "", call);
	for (size_t i = 0; i < book->n_locks; i++) {
		if (add(w, book, path, &book->locks[i], err))
			continue;
		err_wrap(err, "a lock of the playbook that %s calls", path);
		return err_hint(err,
			"it is taken when the run starts: it may not rest on "
			"what a step gives; the caller can name it in its own locks");
	}
	return true;
}

bool
locks_wanted(struct shell *shell, bool in_database, const struct wanted_lock **out,
	size_t *n, struct err *err)
{
	const struct playbook *book = shell->book;
	struct wanting w = {.shell = shell, .in_database = in_database};
	struct frame *frames = shell->frames;
	bool good = true;
	shell->no_steps = true;
	for (size_t i = 0; good && i < book->n_locks; i++)
		good = add(&w, book, "", &book->locks[i], err);
	for (size_t i = 0; good && i < book->n_nodes; i++) {
		const struct node *node = book->nodes[i];
		if (node->kind == NODE_PLAYBOOK && node->called->n_locks > 0
			&& !is_for_show(node))
			good = add_called(&w, node, err);
	}
	/* What is called has not begun: its inputs are evaluated again when it does. */
	shell->frames = frames;
	shell->no_steps = false;
	*out = w.locks;
	*n = w.n;
	return good;
}
