#include "run/loop.h"
#include "run/provide.h"
#include "run/scope.h"

/* Secrets are fetched before the first check, in a dry run too, and again on resume
 * (language.md). Sources: a variable of the environment, a file, the standard output of a
 * command, and what comes with a step type. */

enum { FILE_MOST = 1024 * 1024, COMMAND_TIMEOUT_S = 60 };

struct fetching {
	struct waiter waiter;                         /* first */
	bool done;
};

static void
has_come(struct waiter *waiter, struct op *op)
{
	(void)op;
	((struct fetching *)waiter)->done = true;
}

static void
carry_out(struct shell *shell, struct op *op)
{
	struct fetching fetching = {.waiter.done = has_come};
	op->owner = &fetching;
	op->deadline = shell_now(shell).boot + COMMAND_TIMEOUT_S * NS_S;
	shell->host->type->start(shell->host, op);
	shell_wait(shell, &fetching.done);
}

static bool
from_env(struct shell *shell, const struct value *from, struct str *out,
	struct arena *mem, struct err *err)
{
	const char *name = str_cstr(mem, from->str);
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
from_file(struct shell *shell, const struct playbook *book, const struct value *from,
	struct str *out, struct arena *mem, struct err *err)
{
	struct file_ask ask = {.what = FILE_LOAD,
		.path = full_path(shell, book, from->str, mem),
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
static bool
from_command(struct shell *shell, const struct playbook *book, const struct value *from,
	struct str *out, struct arena *mem, struct err *err)
{
	if (from->kind != V_LIST || from->list.n == 0)
		return err_set(err, ERR_SECRET,
			"command wants a list: the program and its arguments");
	const char **argv = arena_array(mem, const char *, from->list.n + 1);
	for (size_t i = 0; i < from->list.n; i++)
		argv[i] = str_cstr(mem, from->list.items[i].str);
	struct attempt attempt = {.host = shell->host, .vault = shell->vault};
	attempt.step = (struct step){
		.mem = mem, .run = str_cstr(mem, shell->state.id), .key = "secret"};
	struct exec_ask ask = {.argv = argv,
		.env = step_child_env(&attempt.step, NULL, NULL),
		.dir = book->folder,
		.keep = FILE_MOST};
	struct op op = {.kind = OP_EXEC, .ask = &ask, .mem = mem};
	carry_out(shell, &op);
	const struct exec_answer *answer = op.answer;
	if (answer == NULL) {
		*err = op.err;
		err->code = ERR_SECRET;
		return false;
	}
	if (answer->signal != 0 || answer->code != 0)
		return err_set(err, ERR_SECRET, "%s ended with exit code %d", argv[0],
			answer->signal != 0 ? 128 + answer->signal : answer->code);
	*out = answer->out;
	return true;
}

static bool
from_provider(struct shell *shell, const struct playbook *book,
	const struct secret_ref *ref, const struct value *given, struct str *out,
	struct arena *mem, struct err *err)
{
	const struct value *got;
	struct want want;
	struct value in;
	struct diags diags = {.mem = mem};
	if (!fields_apply(ref->provider->in, given, book->folder, mem, &in, &diags)) {
		*err = diags.first->err;
		return false;
	}
	if (!provide_now(shell, &want, ref->provider, &in, &got, err))
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

static bool
load(struct shell *shell, const struct playbook *book, const struct secret_ref *ref,
	struct arena *mem, const struct secret **out, struct err *err)
{
	struct scope scope;
	struct value from;
	struct str text;
	bool good;
	scope_book(&scope, shell, book, "", mem, shell_time(shell));
	if (!scope_fill(&scope, ref->from, &from, err))
		return false;
	if (ref->source == SECRET_ENV)
		good = from_env(shell, &from, &text, mem, err);
	else if (ref->source == SECRET_FILE)
		good = from_file(shell, book, &from, &text, mem, err);
	else if (ref->source == SECRET_COMMAND)
		good = from_command(shell, book, &from, &text, mem, err);
	else
		good = from_provider(shell, book, ref, &from, &text, mem, err);
	if (!good || !pick_field(ref->field, &text, mem, err))
		return false;
	/* Files and commands end in a newline that is not part of the secret. */
	while (ref->source != SECRET_ENV && text.n > 0
		&& (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	return vault_add(shell->vault, text, out, err);
}

static bool
fetch_of(struct shell *shell, const struct playbook *book, struct err *err)
{
	for (size_t i = 0; i < book->n_secrets; i++) {
		struct fetched *fetched = arena_new_of(shell->mem, struct fetched);
		*fetched = (struct fetched){.next = shell->secrets,
			.book = book,
			.ref = &book->secrets[i],
			.at = shell_now(shell).boot};
		struct arena *mem = arena_new();
		bool good = load(shell, book, fetched->ref, mem, &fetched->secret, err);
		arena_free(mem);
		if (!good || shell->leaving) {
			err_wrap(err, "secret '%s'", fetched->ref->name);
			err->code = ERR_SECRET;
			return err_at(err, fetched->ref->at);
		}
		shell->secrets = fetched;
	}
	return true;
}

bool
secrets_fetch(struct shell *shell, struct err *err)
{
	if (!fetch_of(shell, shell->book, err))
		return false;
	/* Each call has a playbook of its own, also where the file is the same. */
	for (size_t i = 0; i < shell->book->n_nodes; i++)
		if (shell->book->nodes[i]->kind == NODE_PLAYBOOK
			&& !fetch_of(shell, shell->book->nodes[i]->called, err))
			return false;
	return true;
}
