#include "run/attempt.h"

/* What a child gets of rbx's own environment (language.md, exec; resilience.md C10):
 * enough to find programs, a home, the language and the agent of ssh, and nothing in
 * which credentials are handed about. */
static const char *const passed[] = {
	"HOME", "USER", "LANG", "TZ", "TERM", "TMPDIR", "SSH_AUTH_SOCK",
	"LC_ALL", "LC_ADDRESS", "LC_COLLATE", "LC_CTYPE", "LC_IDENTIFICATION", "LC_MEASUREMENT", "LC_MESSAGES",
	"LC_MONETARY", "LC_NAME", "LC_NUMERIC", "LC_PAPER", "LC_TELEPHONE", "LC_TIME",
};

struct environ {
	struct arena *mem;
	const char **items;
	size_t n, cap;
};

static void
add(struct environ *env, const char *item)
{
	if (env->n + 1 >= env->cap) {
		size_t cap = env->cap == 0 ? 32 : 2 * env->cap;
		const char **items = arena_array(env->mem, const char *, cap);
		if (env->n > 0)
			memcpy(items, env->items, env->n * sizeof *items);
		env->items = items;
		env->cap = cap;
	}
	env->items[env->n++] = item;
}

/* The last one of a name counts. */
static void
put(struct environ *env, struct str name, struct str value)
{
	struct buf item = buf_in(env->mem);
	buf_add(&item, name);
	buf_putc(&item, '=');
	buf_add(&item, value);
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->items[i], item.p, name.n + 1) == 0) {
			env->items[i] = item.p;
			return;
		}
	add(env, item.p);
}

static void
pass(struct environ *env, struct step *step, const char *name)
{
	const char *value = step_env(step, name);
	if (value != NULL)
		put(env, str_of(name), str_of(value));
}

const char *const *
step_child_env(struct step *step, const struct value *given, const struct value *pass_env)
{
	struct environ env = {.mem = step->mem};
	const char *path = step_env(step, "PATH");
	put(&env, STR("PATH"),
		str_of(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin"));
	for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
		pass(&env, step, passed[i]);
	for (size_t i = 0;
		pass_env != NULL && pass_env->kind == V_LIST && i < pass_env->list.n; i++)
		pass(&env, step, str_cstr(step->mem, pass_env->list.items[i].str));
	for (size_t i = 0; given != NULL && given->kind == V_MAP && i < given->map->n;
		i++)
		put(&env, given->map->members[i].key.str,
			given->map->members[i].value.str);
	put(&env, STR("RBX_RUN"), str_of(step->run));
	put(&env, STR("RBX_KEY"), str_of(step->key));
	add(&env, NULL);
	return env.items;
}
