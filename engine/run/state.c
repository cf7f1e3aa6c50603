#include "run/state.h"

#include "base/digest.h"

#include <stdio.h>

void
state_init(struct run_state *state, struct arena *mem)
{
	*state = (struct run_state){.mem = mem, .scratch = arena_new()};
	list_init(&state->waiting);
	state->bits = 6;
	state->table = arena_array(mem, struct path_state *, (size_t)1 << state->bits);
	state_path(state, "");
}

void
state_close(struct run_state *state)
{
	arena_free(state->scratch);
	state->scratch = NULL;
}

void
state_move(struct run_state *to, struct run_state *from)
{
	*to = *from;
	from->scratch = NULL;
	to->blobs = NULL;
	for (struct path_state *path = to->first; path != NULL; path = path->next)
		path->seat = NULL;
	list_init(&to->waiting);
	if (!list_is_empty(&from->waiting)) {
		to->waiting = from->waiting;
		to->waiting.next->prev = to->waiting.prev->next = &to->waiting;
		list_init(&from->waiting);
	}
}

static struct path_state **
slot_of(const struct run_state *state, struct str path)
{
	size_t mask = ((size_t)1 << state->bits) - 1;
	size_t i = str_hash(path) & mask;

	while (state->table[i] != NULL && !str_is(path, state->table[i]->path))
		i = (i + 1) & mask;
	return &state->table[i];
}

static void
grow(struct run_state *state)
{
	state->bits++;
	state->table = arena_array(state->mem, struct path_state *,
		(size_t)1 << state->bits);
	for (struct path_state *path = state->first; path != NULL; path = path->next)
		*slot_of(state, str_of(path->path)) = path;
}

struct path_state *
state_find(const struct run_state *state, const char *path)
{
	return *slot_of(state, str_of(path));
}

/* "a/b[2]/c" -> "a/b[2]" -> "a/b" -> "a" -> "". */
static struct str
around(struct str path)
{
	while (path.n > 0) {
		path.n--;
		if (path.p[path.n] == '/' || path.p[path.n] == '[')
			break;
	}
	return path;
}

static struct path_state *
path_new(struct run_state *state, struct str text)
{
	struct path_state *path = arena_new_of(state->mem, struct path_state);

	path->path = str_cstr(state->mem, text);
	path_reset(path);
	path->since = -1;
	if (state->first == NULL)
		state->first = path;
	else
		state->last->next = path;
	state->last = path;
	if (++state->n_paths * 3 > (size_t)2 << state->bits)
		grow(state);
	*slot_of(state, text) = path;
	return path;
}

struct path_state *
state_path(struct run_state *state, const char *text)
{
	struct str rest = str_of(text);
	struct path_state *found = *slot_of(state, rest), *below = NULL, *first = found;

	if (found != NULL)
		return found;
	for (;;) {
		struct path_state *path = *slot_of(state, rest);
		bool is_new = path == NULL;
		if (is_new)
			path = path_new(state, rest);
		if (below != NULL)
			below->parent = path;
		if (first == NULL)
			first = path;
		if (!is_new || rest.n == 0)
			return first;
		below = path;
		rest = around(rest);
	}
}

/* Everything of a path that records say, as if there had been none. */
void
path_reset(struct path_state *path)
{
	struct path_state *parent = path->parent, *next = path->next;
	struct path_state kept = {
		.path = path->path, .parent = parent, .next = next,
			.touched = path->touched,
		.waiters = path->waiters, .since = path->since,
			.is_waiting = path->is_waiting,
		.waiting = path->waiting,
		.seat = path->seat, .timer = path->timer, .ticket = path->ticket,
		.last = LAST_NONE, .first_at = -1, .effect = -1, .branch = -1,
			.shown = "",
	};

	*path = kept;
}

bool
path_is_final(const struct path_state *path)
{
	return path->state != OUT_NONE && path->state != OUT_DOUBT;
}

static bool
starts_with_part(struct str path, const char *part)
{
	size_t n = strlen(part);

	return str_starts(path, str_of(part))
		&& (path.n == n || path.p[n] == '/' || path.p[n] == '[');
}

bool
path_is_undo(const char *text)
{
	struct str path = str_of(text);

	return str_ends(path, STR("/undo")) || str_find(path, STR("/undo/")) < path.n;
}

bool
path_is_handler(const char *text)
{
	struct str path = str_of(text);

	static const char *const parts[] = {
		"on_success", "on_failure", "finally", "on_waiting",
	};
	static const char *const inner[] = {
		"/on_success/", "/on_failure/", "/finally/", "/on_waiting[",
	};
	bool is = path_is_undo(text);

	for (size_t i = 0; !is && i < 4; i++)
		is = starts_with_part(path, parts[i]);
	for (size_t i = 0; !is && i < 4; i++)
		is = str_find(path, str_of(inner[i])) < path.n;
	return is;
}

bool
path_is_undone(const struct run_state *state, const struct path_state *path)
{
	const char *name = arena_printf(state->scratch, "%s/undo", path->path);
	const struct path_state *undo = state_find(state, name);

	return undo != NULL && undo->state == OUT_OK;
}

const char *
path_status(const struct run_state *state, const struct path_state *path)
{
	if (path == NULL)
		return "pending";
	switch (path->state) {
	case OUT_OK:
		return path_is_undone(state, path) ? "undone" : "done";
	case OUT_FAILED:
	case OUT_CANCELLED:
		return "failed";
	case OUT_SKIPPED:
		return "skipped";
	case OUT_DOUBT:
		return "in_doubt";
	case OUT_NONE:
		break;
	}
	return "pending";
}

static void
add_part(struct digest *digest, struct str part)
{
	uint8_t length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)((uint64_t)part.n >> (8 * (7 - i)));
	digest_add(digest, (struct str){(const char *)length, sizeof length});
	digest_add(digest, part);
}

char *
path_key(struct arena *mem, const struct run_state *state, const struct path_state *path)
{
	struct digest *digest = digest_new(state->scratch);
	char generation[16];
	uint8_t hash[SHA256_SIZE];

	snprintf(generation, sizeof generation, "%u", path->generation);
	add_part(digest, state->store);
	add_part(digest, state->id);
	add_part(digest, str_of(path->path));
	add_part(digest, str_of(generation));
	digest_end(digest, hash);
	return base32_text(mem, hash, sizeof hash);
}
