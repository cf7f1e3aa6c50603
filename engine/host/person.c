#include "host/person.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base/str.h"

static const int64_t nobody_logged_in = UINT32_MAX;

static bool
read_uid(const char *text, int64_t *uid)
{
	return text != NULL && str_int(str_trim(str_of(text)), uid) && *uid >= 0
		&& *uid <= UINT32_MAX;
}

struct person
person_judge(uint32_t uid, const char *login, const char *sudo_uid)
{
	int64_t number;
	struct person out = {.uid = uid};

	if (read_uid(login, &number) && number != nobody_logged_in)
		out = (struct person){(uint32_t)number, "login"};
	else if (uid != 0)
		out.known_by = "uid";
	else if (read_uid(sudo_uid, &number))
		out = (struct person){(uint32_t)number, "sudo"};
	if (out.uid == 0)
		out.known_by = NULL;
	return out;
}

char *
person_name(struct arena *mem, uint32_t uid)
{
	const struct passwd *user = getpwuid(uid);

	return user == NULL ? arena_printf(mem, "%u", uid)
			    : arena_strdup(mem, user->pw_name);
}

static gid_t *
groups_of(struct arena *mem, const struct passwd *user, int *n)
{
	*n = 64;
	for (;;) {
		int room = *n;
		gid_t *gids = arena_array(mem, gid_t, (size_t)room);
		if (getgrouplist(user->pw_name, user->pw_gid, gids, n) >= 0)
			return gids;
		*n = *n > room ? *n : 2 * room;
	}
}

bool
person_in_group(const char *person, const char *group)
{
	const struct group *found = getgrnam(group);
	gid_t gid = found == NULL ? 0 : found->gr_gid;
	const struct passwd *user;
	bool is_in = false;
	int n;

	if (found == NULL || person == NULL)
		return found != NULL;
	user = getpwnam(person);
	if (user == NULL)
		return false;
	struct arena *mem = arena_new();
	const gid_t *gids = groups_of(mem, user, &n);
	for (int i = 0; i < n; i++)
		is_in |= gids[i] == gid;
	arena_free(mem);
	return is_in;
}
