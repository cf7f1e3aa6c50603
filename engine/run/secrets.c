#include "run/secrets.h"

#include "run/limits.h"
#include "run/loop.h"
#include "run/provide.h"
#include "run/scope.h"

/* Secrets are fetched before the first check, in a dry run too, and again on resume
 * (language.md). Sources: a variable of the environment, a file, the standard output of a
 * command, and what comes with a step type. Each source is asked once in a run, whoever
 * names it, in the playbook itself or in those that it calls; what a command gave is
 * fetched again where it is older than `max_age`: renew.c. */

enum { FILE_MOST = 1024 * 1024 };

static void
carry_out(struct shell *shell, struct op *op)
{
	struct call fetching = {.waiter.done = call_done};
	op->owner = &fetching;
	op->deadline = shell_now(shell).boot + SECRET_TIMEOUT_S * NS_S;
	shell->host->type->start(shell->host, op);
	shell_wait(shell, &fetching.done);
}

static bool
from_env(struct shell *shell, const struct fetched *it, struct str *out,
	struct arena *mem, struct err *err)
{
	const char *name = str_cstr(mem, it->from.str);
	const char *value = shell->host->type->env(shell->host, name);
	if (value == NULL)
		return err_set(
			err, ERR_SECRET, "the environment variable %s is not set", name);
	*out = str_of(value);
	return true;
}

static const char *
full_path(struct shell *shell, const struct playbook *book, struct str path,
	struct arena *mem)
{
	const char *home = shell->host->type->env(shell->host, "HOME");
	if (str_starts(path, STR("/")))
		return str_cstr(mem, path);
	if (str_starts(path, STR("~/")) && home != NULL)
		return arena_printf(mem, "%s/%.*s", home, STR_FMT(str_from(path, 2)));
	return arena_printf(mem, "%s/%.*s", book->folder, STR_FMT(path));
}

static bool
from_file(struct shell *shell, const struct fetched *it, struct str *out,
	struct arena *mem, struct err *err)
{
	struct file_ask ask = {.what = FILE_LOAD,
		.path = full_path(shell, it->book, it->from.str, mem),
		.most = FILE_MOST};
	struct op op = {.kind = OP_FILE, .ask = &ask, .mem = mem};
	carry_out(shell, &op);
	if (op.err.code != ERR_NONE) {
		*err = op.err;
		err->code = ERR_SECRET;
		return false;
	}
	*out = ((const struct file_answer *)op.answer)->bytes;
	return true;
}

/* The command gets what every child gets, and no more. */
bool
secret_command(struct shell *shell, const struct fetched *it, struct arena *mem,
	struct op *op, struct err *err)
{
	const struct value *from = &it->from;
	if (from->kind != V_LIST || from->list.n == 0)
		return err_set(err, ERR_SECRET,
			"command wants a list: the program and its arguments");
	const char **argv = arena_array(mem, const char *, from->list.n + 1);
	for (size_t i = 0; i < from->list.n; i++)
		argv[i] = str_cstr(mem, from->list.items[i].str);
	struct attempt attempt = {.host = shell->host, .vault = shell->vault};
	attempt.step = (struct step){
		.mem = mem, .run = str_cstr(mem, shell->state.id), .key = "secret"};
	struct exec_ask *ask = arena_new_of(mem, struct exec_ask);
	*ask = (struct exec_ask){.argv = argv,
		.env = step_child_env(&attempt.step, NULL, NULL),
		.dir = it->book->folder,
		.keep = FILE_MOST};
	*op = (struct op){.kind = OP_EXEC, .ask = ask, .mem = mem};
	return true;
}

bool
secret_printed(const struct op *op, struct str *out, struct err *err)
{
	const struct exec_answer *answer = op->answer;
	const struct exec_ask *ask = op->ask;
	if (answer == NULL) {
		*err = op->err;
		err->code = ERR_SECRET;
		return false;
	}
	if (answer->signal != 0 || answer->code != 0)
		return err_set(err, ERR_SECRET, "%s ended with exit code %d",
			ask->argv[0],
			answer->signal != 0 ? 128 + answer->signal : answer->code);
	*out = answer->out;
	return true;
}

static bool
from_command(struct shell *shell, const struct fetched *it, struct str *out,
	struct arena *mem, struct err *err)
{
	struct op op;
	if (!secret_command(shell, it, mem, &op, err))
		return false;
	carry_out(shell, &op);
	return secret_printed(&op, out, err);
}

static bool
from_provider(struct shell *shell, const struct fetched *it, struct str *out,
	struct arena *mem, struct err *err)
{
	const struct provider *provider = it->ref->provider;
	const struct value *got;
	struct want want;
	struct value in;
	struct diags diags = {.mem = mem};
	if (!fields_apply(
		    provider->in, &it->from, it->book->folder, mem, &in, &diags)) {
		*err = diags.first->err;
		return false;
	}
	const struct limits *limits = limits_of(shell, it->book);
	if (!limits_region(limits, &in, err)
		|| !provide_now(shell, &want, provider, limits, &in, &got, err))
		return false;
	*out = value_get_str(got, "value");
	provide_drop(&want);
	return true;
}

static bool
pick_field(const char *field, struct str *text, struct arena *mem, struct err *err)
{
	struct value json;
	struct err wrong;
	if (field == NULL)
		return true;
	if (!json_parse(mem, str_trim(*text), NULL, &json, &wrong) || json.kind != V_MAP)
		return err_set(err, ERR_SECRET,
			"it is no JSON object, so it has no field '%s'", field);
	const struct value *v = value_get(&json, field);
	if (v == NULL)
		return err_set(err, ERR_SECRET, "it has no field '%s'", field);
	*text = v->kind == V_STRING ? v->str : str_of(json_text(mem, v, JSON_COMPACT));
	return true;
}

/* One secret of all that its source gave. */
static bool
take(struct shell *shell, struct fetched *it, struct str text, struct arena *mem,
	struct err *err)
{
	if (!pick_field(it->ref->field, &text, mem, err))
		return false;
	/* Files and commands end in a newline that is not part of the secret. */
	while (it->ref->source != SECRET_ENV && text.n > 0
		&& (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	return vault_add(shell->vault, text, &it->secret, err);
}

bool
secret_wrong(const struct fetched *it, struct err *err)
{
	err_wrap(err, "secret '%s'", it->ref->name);
	err->code = ERR_SECRET;
	return err_at(err, it->ref->at);
}

bool
secret_is_same(const struct fetched *a, const struct fetched *b)
{
	return a->ref->source == b->ref->source && a->ref->provider == b->ref->provider
		&& a->limits == b->limits && strcmp(a->key, b->key) == 0;
}

bool
secrets_take(struct shell *shell, const struct fetched *source, struct str text,
	int64_t at, struct err *err)
{
	bool good = true;
	struct arena *mem = arena_new();
	for (struct fetched *it = shell->secrets; good && it != NULL; it = it->next) {
		if (!secret_is_same(it, source))
			continue;
		good = take(shell, it, text, mem, err) || secret_wrong(it, err);
		it->at = at;
	}
	arena_free(mem);
	return good;
}

static bool
fetch(struct shell *shell, const struct fetched *it, struct err *err)
{
	struct arena *mem = arena_new();
	struct str text;
	int64_t at = shell_now(shell).boot;
	bool good;
	if (it->ref->source == SECRET_ENV)
		good = from_env(shell, it, &text, mem, err);
	else if (it->ref->source == SECRET_FILE)
		good = from_file(shell, it, &text, mem, err);
	else if (it->ref->source == SECRET_COMMAND)
		good = from_command(shell, it, &text, mem, err);
	else
		good = from_provider(shell, it, &text, mem, err);
	if (good)
		good = secrets_take(shell, it, text, at, err);
	else
		secret_wrong(it, err);
	arena_free(mem);
	return good;
}

/* What makes two sources the same: paths and programs are looked for from the folder of
 * the playbook that names them. */
static const char *
key_of(struct shell *shell, const struct playbook *book, const struct secret_ref *ref,
	const struct value *from)
{
	bool in_folder = ref->source == SECRET_FILE || ref->source == SECRET_COMMAND;
	return arena_printf(shell->mem, "%s %s", in_folder ? book->folder : "",
		json_text(shell->mem, from, JSON_COMPACT));
}

static bool
name_one(struct shell *shell, const struct playbook *book, const char *path,
	const struct secret_ref *ref, struct err *err)
{
	struct fetched *it = arena_new_of(shell->mem, struct fetched);
	struct scope scope;
	struct str why;
	*it = (struct fetched){.book = book, .ref = ref};
	scope_book(&scope, shell, book, path, shell->mem, shell_time(shell));
	if (!scope_fill(&scope, ref->from, &it->from, err))
		return false;
	if (value_has_unknown(&it->from, &why))
		return err_set(err, ERR_SECRET, "it needs what a step gives");
	if (ref->source == SECRET_PROVIDED)
		it->limits = limits_of(shell, book)->value;
	it->key = key_of(shell, book, ref, &it->from);
	*shell->secrets_end = it;
	shell->secrets_end = &it->next;
	return true;
}

static bool
name_all(struct shell *shell, const struct playbook *book, const char *path,
	struct err *err)
{
	for (size_t i = 0; i < book->n_secrets; i++) {
		if (name_one(shell, book, path, &book->secrets[i], err))
			continue;
		err_wrap(err, "secret '%s'%s%s", book->secrets[i].name,
			*path == '\0' ? "" : " of the playbook that is called by ", path);
		if (*path != '\0')
			err_hint(err, "it is fetched when the run starts: it may not rest"
				" on what a step or an item gives");
		err->code = ERR_SECRET;
		return err_at(err, book->secrets[i].at);
	}
	return true;
}

/* Each call has a playbook of its own, also where the file is the same. */
static bool
name_everywhere(struct shell *shell, struct err *err)
{
	const struct playbook *book = shell->book;
	struct frame *frames = shell->frames;
	shell->no_steps = true;
	bool good = name_all(shell, book, "", err);
	for (size_t i = 0; good && i < book->n_nodes; i++)
		if (book->nodes[i]->kind == NODE_PLAYBOOK)
			good = name_all(shell, book->nodes[i]->called,
				path_towards(shell->mem, NULL, "", book->nodes[i]), err);
	/* What is called has not begun: its inputs are evaluated again when it does. */
	shell->frames = frames;
	shell->no_steps = false;
	return good;
}

/* All that are missing are told, so that a person needs to look for them once: the last
 * one in `err`, those before it here. */
static void
tell_missing(struct shell *shell, const struct err *before)
{
	struct observer *observer = shell->observer;
	struct err err = *before;
	if (observer == NULL || observer->told == NULL)
		return;
	vault_mask_err(shell->vault, &err);
	observer->told(observer, DIAG_ERROR, &err);
}

bool
secrets_fetch(struct shell *shell, struct err *err)
{
	bool good = true;
	if (!name_everywhere(shell, err))
		return false;
	for (struct fetched *it = shell->secrets; it != NULL; it = it->next) {
		struct err wrong = {0};
		if (it->secret != NULL || fetch(shell, it, &wrong))
			wrong.code = ERR_NONE;
		if (shell->leaving && it->secret == NULL) {
			err_set(err, ERR_CANCELLED, "cancelled");
			return secret_wrong(it, err);
		}
		if (wrong.code == ERR_NONE)
			continue;
		if (!good)
			tell_missing(shell, err);
		*err = wrong;
		good = false;
	}
	return good;
}
