#include "run/permit.h"

static struct str
requester(const struct run_state *state)
{
	return value_get_str(value_get(state->run, "by"), "person");
}

const char *
permit_requester(struct arena *mem, const struct run_state *state)
{
	struct str person = requester(state);

	return person.n == 0 ? NULL : str_cstr(mem, person);
}

static bool
wants_person(const struct path_state *path)
{
	return path->by != NULL || path->not_by != NULL || path->at_least > 1;
}

static bool
is_in(const char *const *groups, const char *group)
{
	for (; groups != NULL && *groups != NULL; groups++) {
		if (strcmp(*groups, group) == 0)
			return true;
	}
	return false;
}

static bool
has_answered(const struct path_state *path, const char *person)
{
	for (unsigned i = 0; i < path->n_answers; i++) {
		if (strcmp(path->answered[i], person) == 0)
			return true;
	}
	return false;
}

bool
permit_answer(const struct run_state *state, const struct path_state *path,
	const struct answerer *from, bool yes, struct err *err)
{
	struct str asked = requester(state);

	if (!wants_person(path))
		return true;
	if (from->person == NULL) {
		err_set(err, ERR_DENIED, "who answers cannot be told: root is no person");
		return err_hint(err, "answer under your own login, or by sudo");
	}
	if (path->by != NULL && !is_in(from->groups, path->by))
		return err_set(err, ERR_DENIED, "%s is not in the group %s, which has to "
			"answer", from->person, path->by);
	if (path->not_by != NULL && asked.n == 0)
		return err_set(err, ERR_DENIED,
			"somebody else than who asked for the run has to answer, and who "
			"that was cannot be told");
	if (path->not_by != NULL && str_is(asked, from->person))
		return err_set(err, ERR_DENIED,
			"%s asked for this run: somebody else has "
			"to answer",
			from->person);
	if (yes && has_answered(path, from->person))
		return err_set(err, ERR_DENIED, "%s has said yes already: %u more %s to",
			from->person, permit_missing(path),
			permit_missing(path) == 1 ? "has" : "have");
	return true;
}

unsigned
permit_missing(const struct path_state *path)
{
	unsigned wanted = path->at_least > 1 ? path->at_least : 1;

	return path->ask == 0 || path->n_answers >= wanted ? 0 : wanted - path->n_answers;
}

char *
permit_text(
	struct arena *mem, const struct run_state *state, const struct path_state *path)
{
	struct buf out = buf_in(mem);
	unsigned missing = permit_missing(path);
	const char *asked = permit_requester(mem, state);

	if (!wants_person(path) || missing == 0)
		return NULL;
	buf_printf(&out, "%u%s person%s", missing, path->n_answers > 0 ? " more" : "",
		missing == 1 ? "" : "s");
	if (path->by != NULL)
		buf_printf(&out, " of the group %s", path->by);
	if (path->not_by != NULL)
		buf_printf(&out, ", not %s%s", asked == NULL ? "who" : asked,
			asked == NULL ? " asked for the run" : ", who asked for the run");
	for (unsigned i = 0; i < path->n_answers; i++)
		buf_printf(
			&out, "%s%s", i == 0 ? "; yes from " : ", ", path->answered[i]);
	return arena_strdup(mem, buf_cstr(&out));
}
