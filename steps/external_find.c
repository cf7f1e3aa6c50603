/* The plug-in path: which rbx-step-NAME there are, and what they say of themselves. */
#include "external.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DESCRIBE_TIMEOUT_S = 10, KEEP = 256 * 1024, MOST = 256 };
static const char prefix[] = "rbx-step-";

struct finding {
	struct arena *mem;
	struct host *host;
	struct diags *diags;
	external_owned *owned;
	const struct step_type **types;
	size_t n, cap;
};

/* Nobody else may have put it there. A folder on the way that all may write, as /tmp, is
 * sticky: nobody moves there what is another's. */
static bool
is_safe(const struct finding *finding, const char *path, mode_t type, struct err *err)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return err_errno(err, errno, "%s", path);
	if ((st.st_mode & S_IFMT) != type)
		return err_set(err, ERR_DENIED, "%s is no %s", path,
			type == S_IFDIR ? "folder" : "plain file");
	return finding->owned(&st, err) || err_wrap(err, "%s", path);
}

static bool
is_safe_way(const struct finding *finding, const char *real, struct err *err)
{
	char *path = arena_strdup(finding->mem, real);
	for (char *slash = strrchr(path, '/'); slash != NULL;
		slash = strrchr(path, '/')) {
		struct stat st;
		*slash = '\0';
		const char *folder = slash == path ? "/" : path;
		bool sticky =
			stat(folder, &st) == 0 && st.st_uid == 0 && st.st_mode & S_ISVTX;
		if (!sticky && !is_safe(finding, folder, S_IFDIR, err))
			return false;
	}
	return true;
}

/* The file, and where it is a link what it points to, with all folders above that. */
static bool
is_safe_program(const struct finding *finding, const char *program, struct err *err)
{
	char real[PATH_MAX];
	if (realpath(program, real) == NULL)
		return err_errno(err, errno, "%s", program);
	if (!is_safe(finding, real, S_IFREG, err) || !is_safe_way(finding, real, err))
		return false;
	return access(real, X_OK) == 0
		|| err_set(err, ERR_DENIED, "%s cannot be executed", real);
}

static bool
is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return n > 0 && n <= 64 && name[n] == '\0';
}

/* Nothing else is in flight: the next completion is this one. */
static bool
describe(struct finding *finding, const char *program, struct str *out, struct err *err)
{
	struct host *host = finding->host;
	static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
	const char *argv[] = {program, "describe", NULL};
	struct exec_ask ask = {.argv = argv, .env = env, .dir = "/", .keep = KEEP};
	struct op op = {.kind = OP_EXEC, .ask = &ask, .mem = finding->mem,
		.deadline = host->type->now(host).boot + DESCRIBE_TIMEOUT_S * NS_S};
	host->type->start(host, &op);
	for (int signal; host->type->wait(host, INT64_MAX, &signal) != &op;)
		;
	if (op.err.code != ERR_NONE) {
		*err = op.err;
		return false;
	}
	const struct exec_answer *answer = op.answer;
	if (answer->code != 0 || answer->signal != 0)
		return err_set(err, ERR_ANSWER, "its describe ended with exit code %d",
			answer->code);
	*out = answer->out;
	return true;
}

static void
add(struct finding *finding, const struct step_type *type)
{
	if (finding->n + 1 >= finding->cap) {
		finding->cap = 2 * finding->cap + 64;
		const struct step_type **types =
			arena_array(finding->mem, const struct step_type *, finding->cap);
		if (finding->n > 0)
			memcpy(types, finding->types, finding->n * sizeof *types);
		finding->types = types;
	}
	finding->types[finding->n++] = type;
}

static bool
is_known(const struct finding *finding, const char *name)
{
	for (size_t i = 0; i < finding->n; i++)
		if (strcmp(finding->types[i]->name, name) == 0)
			return true;
	return false;
}

static void
look_at(struct finding *finding, const char *folder, const char *file)
{
	const char *program = arena_printf(finding->mem, "%s/%s", folder, file);
	const char *name = arena_strdup(finding->mem, file + sizeof prefix - 1);
	const struct step_type *type = NULL;
	struct str described;
	struct err err;
	if (!is_name(name)) {
		err_set(&err, ERR_VALUE, "a step type is named [a-z0-9_]+, not '%s'",
			name);
	} else if (is_known(finding, name)) {
		err_set(&err, ERR_EXISTS, "there is a step type '%s' already", name);
	} else if (is_safe_program(finding, program, &err)
	           && describe(finding, program, &described, &err)) {
		type = external_type(finding->mem, name, program, described, &err);
	}
	if (type != NULL) {
		add(finding, type);
		return;
	}
	err_wrap(&err, "plug-in %s", program);
	diag_add(finding->diags, DIAG_WARNING, &err);
}

static void
look_in(struct finding *finding, const char *folder)
{
	struct err err;
	char real[PATH_MAX];
	if (*folder != '/') {
		diag_warning(finding->diags, (struct mark){0},
			"plug-ins: '%s' is no absolute folder", folder);
		return;
	}
	DIR *dir = realpath(folder, real) == NULL ? NULL : opendir(real);
	if (dir == NULL)
		return; /* a folder that is not there holds nothing */
	if (!is_safe(finding, real, S_IFDIR, &err) || !is_safe_way(finding, real, &err)) {
		err_wrap(&err, "plug-ins");
		diag_add(finding->diags, DIAG_WARNING, &err);
	} else {
		for (struct dirent *entry;
			(entry = readdir(dir)) != NULL && finding->n < MOST;)
			if (strncmp(entry->d_name, prefix, sizeof prefix - 1) == 0)
				look_at(finding, real, entry->d_name);
	}
	closedir(dir);
}

static int
by_name(const void *a, const void *b)
{
	const struct step_type *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

const struct step_type *const *
external_types(struct arena *mem, struct host *host,
	const struct step_type *const *built_in, const char *path, external_owned *owned,
	struct diags *diags)
{
	struct finding finding = {
		.mem = mem, .host = host, .diags = diags, .owned = owned};
	size_t own = 0;
	for (; built_in[own] != NULL; own++)
		add(&finding, built_in[own]);
	for (struct str rest = str_of(path), folder; rest.n > 0;) {
		folder = str_cut(rest, ':', &rest);
		look_in(&finding, str_cstr(mem, folder));
	}
	if (finding.n == own)
		return built_in;
	qsort(finding.types, finding.n, sizeof *finding.types, by_name);
	finding.types[finding.n] = NULL;
	return finding.types;
}
