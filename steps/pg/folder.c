#include "../steps/pg/folder.h"

static enum verdict
run_script(struct step *step, struct folder *folder, int state, const char *script)
{
	const char **argv = arena_array(step->mem, const char *, 7);
	const char *const words[] = {
		"sh", "-euc", script, "sh", folder->partial, folder->path};
	memcpy(argv, words, sizeof words);
	struct exec_ask ask = {
		.argv = argv, .env = step_child_env(step, NULL, NULL), .keep = 4096};
	folder->state = state;
	return step_exec(
		step, (struct how){.slot = folder->slot, .title = "folder"}, &ask);
}

/* A dump that stands there gives way as a file would; any other folder is not ours. */
static const char clear_script[] =
	"if [ -e \"$2\" ] && ! [ -f \"$2/toc.dat\" ]; then"
	" echo \"$2 is there, and is no dump\" >&2; exit 1; fi;"
	" rm -rf -- \"$1\"";
static const char move_script[] =
	"if [ -e \"$2\" ]; then"
	" [ -f \"$2/toc.dat\" ] || { echo \"$2 is there, and is no dump\" >&2; exit 1; };"
	" rm -rf -- \"$1.old\"; mv -T -- \"$2\" \"$1.old\"; fi;"
	" mv -T -- \"$1\" \"$2\"; rm -rf -- \"$1.old\"; du -sb -- \"$2\"";
static const char remove_script[] = "rm -rf -- \"$1\"";

enum verdict
folder_begin(struct step *step, struct folder *folder)
{
	folder->partial =
		arena_printf(step->mem, "%s.%.8s.partial", folder->path, step->key);
	return run_script(step, folder, FOLDER_CLEAR, clear_script);
}

enum verdict
folder_finish(struct step *step, struct folder *folder)
{
	return run_script(step, folder, FOLDER_MOVE, move_script);
}

enum verdict
folder_give_up(struct step *step, struct folder *folder, enum verdict verdict)
{
	folder->failed_with = *step->err;
	folder->verdict = verdict;
	if (run_script(step, folder, FOLDER_GIVE_UP, remove_script) == STEP_WAIT)
		return STEP_WAIT;
	*step->err = folder->failed_with;
	return verdict;
}

enum verdict
folder_event(struct step *step, struct folder *folder, const struct event *event)
{
	const struct exec_answer *answer = event->op->answer;
	if (folder->state == FOLDER_GIVE_UP)
		return *step->err = folder->failed_with, folder->verdict;
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	if (answer->code != 0 || answer->signal != 0) {
		step_fail(step, ERR_IO, false, "%.*s", STR_FMT(str_trim(answer->err)));
		return folder->state == FOLDER_CLEAR
			? STEP_FAIL
			: folder_give_up(step, folder, STEP_FAIL);
	}
	if (folder->state == FOLDER_MOVE)
		str_uint(str_cut(answer->out, '\t', &(struct str){0}), &folder->bytes);
	return STEP_DONE;
}
