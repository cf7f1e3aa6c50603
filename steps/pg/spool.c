#include "../steps/pg/spool.h"

/* Dumps are large: not where memory is the disk, as /tmp may be (FHS, 5.15). */
const char *
spool_path(struct step *step)
{
	const char *folder = step_env(step, "TMPDIR");
	return arena_printf(step->mem, "%s/rbx-%.24s.dump",
		folder == NULL || folder[0] != '/' ? "/var/tmp" : folder, step->key);
}

enum verdict
spool_begin(struct step *step, struct spool *spool)
{
	struct map_builder map = {.mem = step->mem};
	spool->fetch.path = spool_path(step);
	spool->fetch.staged = true;
	spool->state = SPOOL_SAVE;
	map_put(&map, "file", value_str(str_of(spool->fetch.path)));
	struct value saved = map_done(&map);
	return step_save(step, &saved);
}

static enum verdict
fetched(struct step *step, struct spool *spool, const struct event *event)
{
	enum verdict verdict = fetch_event(step, &spool->fetch, event);
	if (verdict == STEP_FAIL)
		err_wrap(step->err, "fetching the dump to %s", spool->fetch.path);
	if (verdict != STEP_DONE || spool->fetch.state == FETCH_NAME)
		return verdict;
	spool->there = true;
	return fetch_name(step, &spool->fetch);
}

/* One that cannot be removed is no reason to fail: what it was for is decided. */
static enum verdict
removed(struct step *step, struct spool *spool, const struct event *event)
{
	*step->err = spool->err;
	if (event->kind == EV_OP && event->op->err.code != ERR_NONE)
		step_say(step, "%s could not be removed: %s", spool->fetch.path,
			event->op->err.msg);
	return spool->verdict;
}

enum verdict
spool_event(struct step *step, struct spool *spool, const struct event *event)
{
	if (spool->state == SPOOL_REMOVE)
		return removed(step, spool, event);
	if (spool->state == SPOOL_FETCH)
		return fetched(step, spool, event);
	spool->state = SPOOL_FETCH;
	return fetch_begin(step, &spool->fetch);
}

enum verdict
spool_remove(struct step *step, struct spool *spool, enum verdict verdict)
{
	struct file_ask ask = {.what = FILE_REMOVE, .path = spool->fetch.path};
	struct how how = {
		.slot = spool->fetch.file_slot, .staged = true, .title = ask.path};
	spool->state = SPOOL_REMOVE;
	spool->verdict = verdict;
	spool->err = *step->err;
	if (step_file(step, how, &ask) == STEP_WAIT)
		return STEP_WAIT;
	*step->err = spool->err;
	return verdict;
}

static enum verdict
ask_saved(struct step *step, struct file_ask ask, bool reads)
{
	struct str file = value_get_str(step->saved, "file");
	ask.path = str_cstr(step->mem, file);
	struct how how = {.reads = reads, .title = ask.path};
	return file.n == 0 ? STEP_ABSENT : step_file(step, how, &ask);
}

enum verdict
spool_leftover(struct step *step, const struct event *event)
{
	struct map_builder map = {.mem = step->mem};
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return ask_saved(step, (struct file_ask){.what = FILE_STAT}, true);
	const struct file_answer *answer = event->op->answer;
	enum err_code code = event->op->err.code;
	if (code == ERR_NOT_FOUND || (code == ERR_NONE && !answer->exists))
		return STEP_ABSENT;
	if (code != ERR_NONE)
		return step_fail_op(step, event->op);
	map_put(&map, "what",
		value_text(step->mem, "fetched dump %.*s",
			STR_FMT(value_get_str(step->saved, "file"))));
	map_put(&map, "bytes", value_int((int64_t)answer->size));
	return step_done(step, map_done(&map));
}

enum verdict
spool_sweep(struct step *step, const struct event *event)
{
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return ask_saved(step, (struct file_ask){.what = FILE_REMOVE}, false);
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	return step_done(step, value_map(step->mem, NULL, 0));
}
