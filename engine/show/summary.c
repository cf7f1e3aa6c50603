#include "run/forecast.h"
#include "run/permit.h"
#include "show/line.h"
#include "show/summary.h"

const char *
run_word(const struct run_state *state, bool alive)
{
	if (state->end != END_NONE)
		return state->end == END_OK ? "done" : ending_word(state->end);
	if (!list_is_empty(&state->waiting))
		return "waiting";
	return alive ? "running" : "crashed";
}

/* A step that people care about: not the run's own path, not the lists of handlers. */
static bool
is_step(const struct path_state *path)
{
	static const char *const lists[] = {"", "trigger", "preconditions", "on_waiting",
		"on_success", "on_failure", "finally"};
	const char *slash = strrchr(path->path, '/');
	const char *name = slash == NULL ? path->path : slash + 1;
	if (path->last == LAST_NONE && path->started_at == 0)
		return false; /* only around one that the records tell of */
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (strcmp(name, lists[i]) == 0)
			return false;
	return strncmp(name, "on_waiting[", 11) != 0;
}

/* By its own run, or by the one that takes this run back. */
static bool
is_undone(const struct summary *summary, const struct path_state *path)
{
	const struct run_state *other = summary->undoing;
	struct arena *mem = summary->state->scratch;
	if (strcmp(path_status(summary->state, path), "undone") == 0)
		return true;
	if (path->state != OUT_OK || other == NULL)
		return false;
	const struct path_state *undo =
		state_find(other, arena_printf(mem, "%s/undo", path->path));
	return undo != NULL && undo->state == OUT_OK;
}

static enum tone
tone_of(const char *word)
{
	return strcmp(word, "done") == 0       ? TONE_GOOD
		: strcmp(word, "running") == 0 ? TONE_WORK
		: strcmp(word, "waiting") == 0 ? TONE_ASK
		: strcmp(word, "failed") == 0 || strcmp(word, "crashed") == 0
			|| strcmp(word, "out_of_time") == 0
		? TONE_BAD
		: TONE_WARN;
}

/* ---- for people */

static void
write_step(struct buf *out, const struct style *style, const struct summary *summary,
	const struct path_state *path)
{
	enum tone tone;
	const char *mark = style_mark(style, path, &tone);
	int64_t end = path->ended_at != 0 ? path->ended_at : summary->state->at;
	int64_t took = path->started_at == 0 ? 0 : (end - path->started_at) * 1000;
	buf_puts(out, "  ");
	style_text(out, style, tone, mark);
	buf_printf(out, " %-44s ", path->path);
	style_text(out, style, tone,
		is_undone(summary, path) ? "undone" : style_state(summary->state, path));
	if (took >= 100 * NS_MS)
		buf_printf(out, "  %s", duration_short(out->mem, took));
	if (path->tries > 0)
		buf_printf(out, "  %u tries", path->tries + 1);
	buf_putc(out, '\n');
	bool bad = path->state == OUT_FAILED || path->state == OUT_DOUBT
		|| path->state == OUT_CANCELLED;
	if ((bad || path->ask != 0) && path->error != NULL) {
		buf_puts(out, "      ");
		buf_safe(out, str_of(path->error), false);
		buf_putc(out, '\n');
	}
}

static void
write_objectives(
	struct buf *out, const struct style *style, const struct summary *summary)
{
	struct objective_state *list;
	size_t n = summary->book == NULL
		? 0
		: objectives_of(out->mem, summary->book, summary->state, &list);
	for (size_t i = 0; i < n; i++) {
		const struct objective *objective = list[i].objective;
		double most = objective->is_duration ? (double)objective->ns
						     : objective->number;
		buf_printf(out, "  %-10s ", objective->name);
		if (!list[i].measured)
			style_text(out, style, TONE_WARN, "not measured");
		else
			style_text(out, style, list[i].met ? TONE_GOOD : TONE_BAD,
				arena_printf(out->mem, "%s, %s",
					objective_text(
						out->mem, objective, list[i].number),
					list[i].met ? "met" : "missed"));
		buf_printf(out, "  (objective: at most %s)\n",
			objective_text(out->mem, objective, most));
	}
}

static void
write_grades(struct buf *out, const struct summary *summary)
{
	unsigned count[GRADE_UNKNOWN + 1] = {0}, all = 0;
	for (const struct path_state *path = summary->state->first; path != NULL;
		path = path->next)
		if (path->grade != GRADE_NONE && is_step(path)) {
			count[path->grade]++;
			all++;
		}
	if (summary->state->mode != MODE_DRY || all == 0)
		return;
	buf_puts(out, "  grades    ");
	for (int grade = GRADE_CHECKED; grade <= GRADE_UNKNOWN; grade++)
		buf_printf(out, "%s%u %s (%u %%)", grade > GRADE_CHECKED ? ", " : "",
			count[grade], grade_word((enum grade)grade),
			count[grade] * 100 / all);
	buf_putc(out, '\n');
}

/* What was tried, when, from where, and the key by which the far side may know it. */
static void
write_tried(struct buf *out, const struct summary *summary, const struct path_state *path)
{
	const struct value *by =
		path->made_by == NULL ? NULL : value_get(path->made_by, "by");
	const struct node *node = summary->book == NULL
		? NULL
		: playbook_node(summary->book, str_of(path->path));
	if (path->intents == 0)
		return;
	buf_printf(out, "  tried: %s%sattempt %u at %s",
		node == NULL || node->type == NULL ? "" : node->type->name,
		node == NULL || node->type == NULL ? "" : ", ", path->attempt,
		time_text_us(out->mem, path->at));
	if (by != NULL)
		buf_printf(out, " from %.*s by %.*s", STR_FMT(value_get_str(by, "host")),
			STR_FMT(value_get_str(by, "user")));
	buf_printf(out, "\n  key: %s\n", path_key(out->mem, summary->state, path));
}

static void
write_waiting(struct buf *out, const struct style *style, const struct summary *summary)
{
	for (struct link *link = summary->state->waiting.next;
		link != &summary->state->waiting; link = link->next) {
		const struct path_state *path =
			list_item(link, struct path_state, waiting);
		bool change = path->ask != 0 && path->what == ASK_CHANGE;
		const char *text = change ? path->question : path->error;
		buf_puts(out, "\n");
		style_text(out, style, TONE_ASK,
			arena_printf(out->mem, "%s waits for a person: ", path->path));
		buf_safe(
			out, str_trim(str_of(text == NULL ? "is it done?" : text)), true);
		buf_putc(out, '\n');
		if (change && (path->before != NULL || path->after != NULL))
			diff_write(out, style, path->before, path->after, 2);
		const char *who = permit_text(out->mem, summary->state, path);
		if (change && who != NULL)
			buf_printf(out, "  answer of: %s\n", who);
		if (!change)
			write_tried(out, summary, path);
		if (change)
			buf_printf(out, "  rbx approve %.*s %s%s%s        (or --no)\n",
				STR_FMT(summary->state->id), path->path,
				path->word == NULL ? "" : " --word ",
				path->word == NULL ? "" : path->word);
		else
			buf_printf(out,
				"  look at the world, then: rbx resolve %.*s %s "
				"--done|--failed|--skip|--retry --reason TEXT\n",
				STR_FMT(summary->state->id), path->path);
	}
	for (size_t i = 0; !list_is_empty(&summary->state->waiting)
		&& summary->book != NULL && i < summary->book->n_contacts;
		i++)
		buf_printf(out, "  call %s: %s\n", summary->book->contacts[i].role,
			summary->book->contacts[i].how);
}

static void
write_follow_ups(struct buf *out, const struct summary *summary)
{
	if (summary->book == NULL || summary->state->end != END_OK
		|| summary->state->mode != MODE_RUN)
		return;
	for (size_t i = 0; i < summary->book->n_follow_ups; i++) {
		const struct follow_up *follow = &summary->book->follow_ups[i];
		struct str text = template_source(follow->text)->str;
		buf_printf(out, "%s  [%s] %zu. within %s: ",
			i == 0 ? "\nstill to do (rbx tick RUN N):\n" : "",
			summary->ticked != NULL && summary->ticked[i] ? "x" : " ", i + 1,
			duration_text(out->mem, follow->within));
		buf_safe(out, text, false);
		buf_putc(out, '\n');
	}
}

/* What was changed and is not taken back, and whether a drill was good. */
static void
write_left(struct buf *out, const struct summary *summary)
{
	const struct value *body = summary->state->end_body;
	const struct value *left = value_get(body, "left"), *green = value_get(body,
		"green");
	for (size_t i = 0; left != NULL && i < left->list.n; i++)
		buf_printf(out, "%s%.*s", i == 0 ? "\nleft behind: " : ", ",
			STR_FMT(left->list.items[i].str));
	if (left != NULL)
		buf_putc(out, '\n');
	if (green != NULL)
		buf_printf(out, "the drill is %s\n", green->b ? "green" : "not green");
}

static void
write_next(struct buf *out, const struct summary *summary)
{
	const struct run_state *state = summary->state;
	const char *word = run_word(state, summary->holder != NULL), *why;
	struct err err = {0};
	if (strcmp(word, "crashed") == 0)
		buf_printf(out, "\nnobody carries it out; go on with: rbx resume %.*s\n",
			STR_FMT(state->id));
	else if (strcmp(word, "waiting") == 0 && summary->holder == NULL)
		buf_printf(
			out, "\nthen go on with: rbx resume %.*s\n", STR_FMT(state->id));
	else if (state->end != END_NONE && !state_may_resume(state, state->at, true, &why,
		&err)) {
		if (state->end != END_OK && state->end != END_REFUSED)
			buf_printf(out, "\nit is not resumed: %s\n", err.msg);
	} else if (state->end == END_FAILED || state->end == END_CANCELLED)
		buf_printf(out, "\ntry again what failed: rbx resume %.*s\n",
			STR_FMT(state->id));
	else if (state->end == END_OUT_OF_TIME)
		buf_printf(out,
			"\ngo on with more time: rbx resume %.*s --deadline 30m\n",
			STR_FMT(state->id));
}

void
summary_end(struct buf *out, const struct style *style, const struct summary *summary)
{
	const struct run_state *state = summary->state;
	const char *word = run_word(state, summary->holder != NULL);
	int64_t end = state->ended_at != 0 ? state->ended_at : state->at;
	buf_putc(out, '\n');
	style_text(out, style, tone_of(word), arena_printf(out->mem, "%s", word));
	buf_printf(out, "  run %.*s", STR_FMT(state->id));
	if (summary->book != NULL)
		buf_printf(out, "  %s", summary->book->name);
	buf_printf(
		out, "  %s", duration_short(out->mem, (end - state->started_at) * 1000));
	if (value_get_bool(state->end_body, "nothing", false))
		buf_puts(out, "  nothing was done");
	buf_putc(out, '\n');
	write_grades(out, summary);
	write_objectives(out, style, summary);
	write_left(out, summary);
	write_waiting(out, style, summary);
	write_follow_ups(out, summary);
	if (summary->head != NULL)
		buf_printf(out, "  head      %s\n", summary->head);
	write_next(out, summary);
}

static void
write_notes(struct buf *out, const struct run_state *state)
{
	for (const struct note *it = state->notes; it != NULL; it = it->next) {
		buf_printf(out, "%s: ", it->what);
		buf_safe(out, str_of(it->text), false);
		buf_putc(out, '\n');
	}
}

/* Who brought it on its way again, and why. */
static void
write_resumed(struct buf *out, const struct run_state *state)
{
	struct str why = value_get_str(state->own, "why"),
		   reason = value_get_str(state->own, "reason");
	const struct value *by = value_get(state->own, "by");
	struct str who = value_get_str(by, "person");
	if (why.p == NULL || str_is(why, "start"))
		return;
	who = who.n > 0 ? who : value_get_str(by, "user");
	buf_printf(out, "%s by %.*s@%.*s",
		str_is(why, "reopen") ? "opened again" : "resumed", STR_FMT(who),
		STR_FMT(value_get_str(by, "host")));
	if (reason.n > 0) {
		buf_puts(out, ": ");
		buf_safe(out, reason, false);
	}
	buf_putc(out, '\n');
	if (state->rebase != NULL)
		buf_printf(out, "on another playbook than at the start: %.*s\n",
			STR_FMT(state->rebase->str));
}

void
summary_write(struct buf *out, const struct style *style, const struct summary *summary)
{
	const struct run_state *state = summary->state;
	struct str user = value_get_str(value_get(state->run, "by"), "user"),
		   host = value_get_str(value_get(state->run, "by"), "host");
	buf_printf(out, "run %.*s  %s  started %s", STR_FMT(state->id),
		mode_word(state->mode),
		time_text_us(out->mem, state->started_at / 1000000 * 1000000));
	if (user.n > 0)
		buf_printf(out, " by %.*s@%.*s", STR_FMT(user), STR_FMT(host));
	if (summary->holder != NULL)
		buf_printf(out, ", carried out on %s (pid %u)", summary->holder->host,
			summary->holder->pid);
	buf_puts(out, "\n");
	if (summary->undoing != NULL)
		buf_printf(out, "taken back by run %.*s: %s\n",
			STR_FMT(summary->undoing->id), summary->undoing_word);
	write_notes(out, state);
	write_resumed(out, state);
	buf_putc(out, '\n');
	for (const struct path_state *path = state->first; path != NULL;
		path = path->next)
		if (is_step(path))
			write_step(out, style, summary, path);
	summary_end(out, style, summary);
}

/* ---- for programs */

static struct value
maybe_text(const char *text)
{
	return text == NULL ? value_null() : value_str(str_of(text));
}

static struct value
maybe_time(int64_t us)
{
	return us == 0 ? value_null() : value_time_us(us);
}

static struct value
step_value(
	struct arena *mem, const struct summary *summary, const struct path_state *path)
{
	const struct node *node = summary->book == NULL
		? NULL
		: playbook_node(summary->book, str_of(path->path));
	struct map_builder map = {.mem = mem};
	bool running = path->state == OUT_NONE;
	map_put(&map, "path", value_str(str_of(path->path)));
	map_put(&map, "type",
		node == NULL || node->type == NULL ? value_null()
						   : value_str(str_of(node->type->name)));
	map_put(&map, "state",
		value_str(str_of(running
				? (path->ask != 0                         ? "waiting"
						  : path->started_at != 0 ? "running"
									  : "pending")
				: is_undone(summary, path) ? "undone"
							   : outcome_word(path->state))));
	map_put(&map, "how",
		path->how == WAY_NONE ? value_null()
				      : value_str(str_of(way_word(path->how))));
	if (path->grade != GRADE_NONE)
		map_put(&map, "grade", value_str(str_of(grade_word(path->grade))));
	map_put(&map, "tries", value_int(path->tries));
	map_put(&map, "started", maybe_time(path->started_at));
	map_put(&map, "ended", maybe_time(path->ended_at));
	map_put(&map, "outputs",
		path->outputs == NULL ? value_map(mem, NULL, 0) : *path->outputs);
	map_put(&map, "error", maybe_text(path->state == OUT_OK ? NULL : path->error));
	return map_done(&map);
}

static struct value
objectives_value(struct arena *mem, const struct summary *summary)
{
	struct objective_state *list;
	struct map_builder map = {.mem = mem};
	size_t n = summary->book == NULL
		? 0
		: objectives_of(mem, summary->book, summary->state, &list);
	for (size_t i = 0; i < n; i++) {
		const struct objective *objective = list[i].objective;
		struct map_builder one = {.mem = mem};
		map_put(&one, "objective",
			objective->is_duration ? value_duration_ns(objective->ns)
					       : value_double(objective->number));
		map_put(&one, "measured",
			!list[i].measured ? value_null()
				: objective->is_duration
				? value_duration_ns((int64_t)list[i].number)
				: value_double(list[i].number));
		map_put(&one, "met",
			list[i].measured ? value_bool(list[i].met) : value_null());
		map_put(&map, objective->name, map_done(&one));
	}
	return map_done(&map);
}

static struct value
notes_value(struct arena *mem, const struct run_state *state)
{
	struct list_builder list = {.mem = mem};
	for (const struct note *it = state->notes; it != NULL; it = it->next) {
		struct map_builder note = {.mem = mem};
		map_put(&note, "at", maybe_time(it->at));
		map_put(&note, "what", value_str(str_of(it->what)));
		map_put(&note, "text", value_str(str_of(it->text)));
		map_put(&note, "of", it->of == NULL ? value_null() : *it->of);
		list_push(&list, map_done(&note));
	}
	return list_done(&list);
}

static struct value
undoing_value(struct arena *mem, const struct summary *summary)
{
	struct map_builder map = {.mem = mem};
	if (summary->undoing == NULL)
		return value_null();
	map_put(&map, "run", value_str(summary->undoing->id));
	map_put(&map, "state", maybe_text(summary->undoing_word));
	return map_done(&map);
}

struct value
summary_value(struct arena *mem, const struct summary *summary)
{
	const struct run_state *state = summary->state;
	struct map_builder map = {.mem = mem};
	struct list_builder steps = {.mem = mem};
	const struct value *by = value_get(state->run, "by");
	map_put(&map, "run", value_str(state->id));
	map_put(&map, "playbook",
		maybe_text(summary->book == NULL ? NULL : summary->book->name));
	map_put(&map, "mode", value_str(str_of(mode_word(state->mode))));
	map_put(&map, "state",
		value_str(str_of(run_word(state, summary->holder != NULL))));
	map_put(&map, "exit",
		state->end == END_NONE ? value_null()
				       : value_int(value_get_int(state->end_body, "exit",
						 ending_exit(state->end))));
	map_put(&map, "started", maybe_time(state->started_at));
	map_put(&map, "ended", maybe_time(state->ended_at));
	map_put(&map, "by", by == NULL ? value_null() : *by);
	map_put(&map, "undo", undoing_value(mem, summary));
	map_put(&map, "notes", notes_value(mem, state));
	map_put(&map, "measures", measures_largest(state, mem));
	map_put(&map, "objectives", objectives_value(mem, summary));
	map_put(&map, "head", maybe_text(summary->head));
	for (const struct path_state *path = state->first; path != NULL;
		path = path->next)
		if (is_step(path))
			list_push(&steps, step_value(mem, summary, path));
	map_put(&map, "steps", list_done(&steps));
	return map_done(&map);
}
